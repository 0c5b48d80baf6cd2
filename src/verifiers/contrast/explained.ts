/** Holds every value of a manifest beside its policies against what the auditor vouches for. */
import { createHash } from "node:crypto";
import { hex, hexNumber } from "../../bytes/hex.ts";
import {
  type Answer,
  type Answers,
  all,
  cannot,
  holds,
  type Origin,
  type Sourced,
  skip,
  specified,
} from "../../claims/answer.ts";
import type { explainedManifest } from "./explained-claims.ts";
import { platforms } from "./findings.ts";
import type { GuestPolicy, Manifest, MinimumTcb, PlatformInfo, SnpEntry, TdxReferenceValue } from "./model.ts";
import type { ManifestRules } from "./rules.ts";

type A = Answers<typeof explainedManifest>;

export interface TdxReference {
  /** Lower-case hex. */
  readonly mrTd: string;
  readonly mrSeam: string;
  readonly rtmrs: readonly string[];
  /** True: demanded. */
  readonly memoryIntegrity: boolean;
  readonly smtDisabled: boolean;
  readonly staticPlatform: boolean;
}
/** What the auditor's profile says of a manifest's values. */
export interface ManifestValues {
  /** Who wrote the profile. */
  readonly origin: Origin;
  /** Launch measurements, lower-case hex, each with the one who vouches. */
  readonly measurements: readonly Sourced[];
  readonly tdx: readonly TdxReference[];
  readonly minimumTcb: MinimumTcb | undefined;
  readonly minTcbEvaluationDataNumber: bigint | undefined;
  readonly minimumMitigationVector: bigint | undefined;
  readonly guestPolicy: GuestPolicy | undefined;
  readonly platformInfo: PlatformInfo | undefined;
  readonly products: readonly string[] | undefined;
  /** The service's rule: an entry that accepts every machine fails. */
  readonly machinesDemanded: boolean;
  /** The auditor accepts every machine of a kind of which the profile names none. */
  readonly anyMachine: boolean;
  /** Lower-case hex; undefined: the profile names none. */
  readonly chipIds: readonly string[] | undefined;
  readonly piids: readonly string[] | undefined;
  /** SHA-256 of keys, lower-case hex. */
  readonly workloadOwners: readonly string[];
  readonly seedshareOwners: readonly string[];
}

/** Whether one of these measurements (lower-case hex) is of two or more vCPUs of this entry, and so covers its APEIP. */
export type VouchesForApeip = (entry: SnpEntry, known: readonly string[]) => boolean;

/** @param name of the manifest, for the origin of what it says */
export function explainValues(
  manifest: Manifest,
  values: ManifestValues,
  rules: ManifestRules,
  name: string,
  vouched: VouchesForApeip,
): A {
  const said = (entries: readonly string[], at: string): Sourced => ({
    value: listed(entries),
    origin: { kind: "evidence", name },
    at,
  });
  return {
    "contrast.explained.measurements": measurements(manifest.snpEntries, values, said, vouched),
    "contrast.explained.tdx": tdx(manifest.tdx, values, said),
    "contrast.explained.minimum_tcb": minimumTcb(manifest.snpEntries, values, said),
    "contrast.explained.tcb_evaluation": evaluation(manifest.tdx, values, said),
    "contrast.explained.mitigation_vector": mitigations(manifest.snpEntries, values, said),
    "contrast.explained.guest_policy": guestPolicy(manifest.snpEntries, said),
    "contrast.explained.guest_bits": bits(manifest.snpEntries, "guestPolicy", values, said, "guest-bits-unexplained"),
    "contrast.explained.platform_info": bits(
      manifest.snpEntries,
      "platformInfo",
      values,
      said,
      "platform-info-unexplained",
    ),
    "contrast.explained.platform": platform([...manifest.snpEntries, ...manifest.tdx], rules, said),
    "contrast.explained.products": products(manifest.snpEntries, values, said),
    "contrast.explained.machines": machines(manifest, values, said),
    "contrast.explained.owners": owners(manifest, values, said),
    "contrast.explained.seedshare_owners": keys(
      manifest.seedshareOwners.map(digestOfKey),
      values.seedshareOwners,
      values.origin,
      said,
      "SeedshareOwnerPubKeys",
      "seedshare-unexplained",
    ),
  };
}

type Said = (entries: readonly string[], at: string) => Sourced;
const listed = (entries: readonly string[]): string => entries.join("; ") || "none";

/**
 * The profile names no value. Where the manifest has no such entry nothing is left to vouch for; else its own word would
 * become the auditor's: the claim stays open, and with it the manifest.
 */
function unnamed<const Code extends string>(
  entries: readonly (SnpEntry | TdxReferenceValue)[],
  kind: "SNP" | "TDX",
  member: string,
  { origin }: ManifestValues,
  said: Said,
  code: Code,
): Answer<Code> {
  return entries.length > 0
    ? skip(`no reference value given: use ${member} in the profile`)
    : without(
        [],
        { value: `no ${kind} reference value`, origin },
        said([], `/ReferenceValues/${kind.toLowerCase()}`),
        code,
      );
}

/** Passes only when no entry is left over; the entries that are left over are the reason. */
function without<const Code extends string>(
  bad: readonly string[],
  expected: Sourced,
  actual: Sourced,
  code: Code,
): Answer<Code> {
  return holds(bad.length === 0, expected, actual, code, bad.join("; "));
}

/**
 * Of an entry with APEIP the digest for one vCPU must be vouched for, and one for more: APEIP says where further vCPUs
 * start, and no digest of one vCPU covers it.
 */
function measurements(
  entries: readonly SnpEntry[],
  { measurements: known, origin }: ManifestValues,
  said: Said,
  vouched: VouchesForApeip,
) {
  const id = "TrustedMeasurement";
  const text = entries.map(
    (e) => `${e.at}/${id} ${e.trustedMeasurement}${e.apeip === undefined ? "" : ` with APEIP ${e.apeip}`}`,
  );
  const digests = known.map((k) => k.value);
  const bad = entries.flatMap((e) =>
    !digests.includes(e.trustedMeasurement)
      ? [`${e.at}${e.apeip === undefined ? "" : ": the measurement of one vCPU is not named"}`]
      : e.apeip === undefined || vouched(e, digests)
        ? []
        : [`${e.at}/APEIP: no measurement of two or more vCPUs is named, and that of one does not cover it`],
  );
  if (entries.length > 0 && known.length === 0)
    return skip(
      "no reference value given: use --measurement HEX or measurements in the profile",
      "measurement-unexplained",
    );
  const [first] = known;
  const expected: Sourced = {
    value: known.length === 0 ? "no SNP reference value" : `none but ${known.map((k) => k.value).join(" or ")}`,
    origin: first?.origin ?? origin,
  };
  return without(bad, expected, said(text, "/ReferenceValues/snp"), "measurement-unexplained");
}

/** Contrast v1.20 generates this for every platform, and compares all eight bytes. */
const generatedXfam = "e702060000000000";

function tdx(entries: readonly TdxReferenceValue[], { tdx: known, origin }: ManifestValues, said: Said) {
  if (entries.length > 0 && known.length === 0)
    return skip("no reference value given: use manifestValues.tdx in the profile", "tdx-unexplained");
  const text = (r: TdxReference, xfam: string): string =>
    [
      `MRTD ${r.mrTd} MRSEAM ${r.mrSeam} RTMRs ${r.rtmrs.join(" ")} XFAM ${xfam}`,
      ...tdxDemands.flatMap((name) => (r[name] ? [`${name} demanded`] : [])),
    ].join(" ");
  const fits = (e: TdxReferenceValue): boolean =>
    e.xfam === generatedXfam &&
    known.some(
      (r) =>
        r.mrTd === e.mrTd &&
        r.mrSeam === e.mrSeam &&
        r.rtmrs.join() === e.rtmrs.join() &&
        tdxDemands.every((name) => e[name] || !r[name]),
    );
  const accepted = known.map((r) => text(r, generatedXfam));
  return without(
    entries.filter((e) => !fits(e)).map((e) => e.at),
    { value: accepted.length === 0 ? "no TDX reference value" : `none but ${accepted.join(" or ")}`, origin },
    said(
      entries.map((e) => `${e.at} ${text(e, e.xfam)}`),
      "/ReferenceValues/tdx",
    ),
    "tdx-unexplained",
  );
}
const tdxDemands = ["memoryIntegrity", "smtDisabled", "staticPlatform"] as const;

const parts = ["bootloader", "tee", "snp", "microcode"] as const;
const tcbText = (tcb: SnpEntry["minimumTcb"]): string => parts.map((p) => `${p} ${tcb[p] ?? "absent"}`).join(", ");

function minimumTcb(entries: readonly SnpEntry[], values: ManifestValues, said: Said) {
  const { minimumTcb: floor, origin } = values;
  if (floor === undefined)
    return entries.length > 0
      ? skip("no reference value given: use minimumTcb in the profile", "minimum-unreferenced")
      : unnamed(entries, "SNP", "minimumTcb", values, said, "minimum-below-profile");
  return without(
    entries.filter((e) => parts.some((p) => (e.minimumTcb[p] ?? -1) < floor[p])).map((e) => `${e.at}/MinimumTCB`),
    { value: `at least ${tcbText(floor)}`, origin, at: "minimumTcb" },
    said(
      entries.map((e) => `${e.at}/MinimumTCB ${tcbText(e.minimumTcb)}`),
      "/ReferenceValues/snp",
    ),
    "minimum-below-profile",
  );
}

const evaluationMember = "manifestValues.minTcbEvaluationDataNumber";
function evaluation(entries: readonly TdxReferenceValue[], values: ManifestValues, said: Said) {
  const { minTcbEvaluationDataNumber: floor, origin } = values;
  if (floor === undefined) return unnamed(entries, "TDX", evaluationMember, values, said, "evaluation-below-profile");
  const text = (e: TdxReferenceValue): string => `${e.at}/MinTCBEvaluationDataNumber ${e.minTcbEvaluationDataNumber}`;
  return without(
    entries.filter((e) => e.minTcbEvaluationDataNumber < floor).map(text),
    { value: `at least ${floor}`, origin, at: evaluationMember },
    said(entries.map(text), "/ReferenceValues/tdx"),
    "evaluation-below-profile",
  );
}

const mitigationMember = "manifestValues.minimumMitigationVector";
function mitigations(entries: readonly SnpEntry[], values: ManifestValues, said: Said) {
  const { minimumMitigationVector: floor, origin } = values;
  if (floor === undefined) return unnamed(entries, "SNP", mitigationMember, values, said, "mitigation-below-profile");
  const text = (e: SnpEntry): string => `${e.at}/MinimumMitigationVector ${hexNumber(e.minimumMitigationVector, 16)}`;
  return without(
    entries.filter((e) => (e.minimumMitigationVector & floor) !== floor).map(text),
    { value: `all bits of ${hexNumber(floor, 16)}`, origin, at: mitigationMember },
    said(entries.map(text), "/ReferenceValues/snp"),
    "mitigation-below-profile",
  );
}

/** An entry without a GuestPolicy comes from before v1.8, whose Coordinator compared none. */
function guestPolicy(entries: readonly SnpEntry[], said: Said) {
  const found = entries.flatMap(({ at, guestPolicy: policy }) =>
    policy === undefined
      ? [`${at} has no GuestPolicy`]
      : [
          ...(policy.debug ? [`${at}/GuestPolicy/Debug`] : []),
          ...(policy.migrateMa ? [`${at}/GuestPolicy/MigrateMA`] : []),
          ...(policy.cxlAllowed ? [`${at}/GuestPolicy/CXLAllowed`] : []),
        ],
  );
  return without(
    found,
    specified("none", "SEV-SNP Firmware ABI Specification", "guest policy: DEBUG, MIGRATE_MA, CXL_ALLOW"),
    said(found, "/ReferenceValues/snp"),
    "guest-policy-unexplained",
  );
}

/** All members, so that an absent one and one that is false read alike. */
function bits<const Code extends string>(
  entries: readonly SnpEntry[],
  member: "guestPolicy" | "platformInfo",
  values: ManifestValues,
  said: Said,
  code: Code,
): Answer<Code> {
  const { [member]: demanded, origin } = values;
  const at = `manifestValues.${member}`;
  if (demanded === undefined) return unnamed(entries, "SNP", at, values, said, code);
  const name = member === "guestPolicy" ? "GuestPolicy" : "PlatformInfo";
  const text = (members: GuestPolicy | PlatformInfo | undefined): string =>
    members === undefined
      ? "absent"
      : Object.entries(members)
          .map(([name, value]) => `${name} ${value}`)
          .sort()
          .join(", ");
  const wanted = text(demanded);
  return without(
    entries.filter((e) => text(e[member]) !== wanted).map((e) => `${e.at}/${name}`),
    { value: wanted, origin, at },
    said(
      entries.map((e) => `${e.at}/${name} ${text(e[member])}`),
      "/ReferenceValues/snp",
    ),
    code,
  );
}

/** Before v1.18 a manifest was for one platform and did not say which. */
function platform(entries: readonly (SnpEntry | TdxReferenceValue)[], rules: ManifestRules, said: Said) {
  const named = rules.field("snp", "Platform") === "known";
  const accepted = named ? platforms : [""];
  return without(
    entries.filter((e) => !accepted.includes(e.platform)).map((e) => `${e.at}/Platform`),
    specified(named ? `none but ${platforms.join(", ")}` : "absent", `Contrast ${rules.version}`, "manifest, Platform"),
    said(
      entries.map((e) => `${e.at}/Platform ${e.platform === "" ? "absent" : JSON.stringify(e.platform)}`),
      "/ReferenceValues",
    ),
    "platform-unexplained",
  );
}

function products(entries: readonly SnpEntry[], values: ManifestValues, said: Said) {
  const { products: accepted, origin } = values;
  if (accepted === undefined) return unnamed(entries, "SNP", "products", values, said, "product-unexplained");
  const text = (e: SnpEntry): string => `${e.at}/ProductName ${e.productName}`;
  return without(
    entries.filter((e) => !accepted.includes(e.productName)).map(text),
    { value: `none but ${accepted.join(", ")}`, origin, at: "products" },
    said(entries.map(text), "/ReferenceValues/snp"),
    "product-unexplained",
  );
}

/**
 * An empty list accepts every machine. Each kind of which the manifest has entries needs the profile's list, or its word
 * that any machine will do; where the service demands lists, an empty one fails under that word, too.
 */
function machines({ snpEntries, tdx: tdxEntries }: Manifest, values: ManifestValues, said: Said) {
  const { machinesDemanded, anyMachine, chipIds, piids, origin } = values;
  const kinds = [
    ...snpEntries.map((e) => ({
      at: `${e.at}/AllowedChipIDs`,
      list: e.allowedChipIds,
      known: chipIds,
      use: "chipIds",
    })),
    ...tdxEntries.map((e) => ({ at: `${e.at}/AllowedPIIDs`, list: e.allowedPiids, known: piids, use: "piids" })),
  ];
  const open = kinds.filter((k) => k.list.length === 0 && (machinesDemanded || k.known !== undefined));
  const strange = kinds.flatMap(({ at, list, known }) =>
    known === undefined ? [] : list.filter((id) => !known.includes(id)).map((id) => `${at} ${id}`),
  );
  const unknown = new Set(kinds.filter((k) => k.known === undefined && !anyMachine).map((k) => k.use));
  if (open.length === 0 && strange.length === 0 && unknown.size > 0) {
    const members = [...unknown].map((use) => `manifestValues.${use}`).join(" and ");
    return skip(`no reference value given: use ${members} in the profile, or relaxations.anyMachine`);
  }
  const expected = [
    ...(machinesDemanded ? ["a list in each entry"] : []),
    ...(chipIds === undefined ? [] : [`chip ids none but ${chipIds.join(", ")}`]),
    ...(piids === undefined ? [] : [`PIIDs none but ${piids.join(", ")}`]),
    ...(anyMachine ? ["any machine of a kind without a list in the profile"] : []),
  ];
  return without(
    [...open.map((k) => `${k.at} is empty`), ...strange],
    { value: expected.join("; ") || "no reference value", origin },
    said(
      kinds.map((k) => `${k.at} ${k.list.join(", ") || "empty"}`),
      "/ReferenceValues",
    ),
    open.length > 0 ? "machines-open" : "machine-unexplained",
  );
}

/** From v1.20 a key, before it the key's SHA-256. */
function owners(manifest: Manifest, { workloadOwners: known, origin }: ManifestValues, said: Said) {
  const digests = manifest.workloadOwners.map((key) => (key.length === 64 ? key.toLowerCase() : digestOfKey(key)));
  return keys(digests, known, origin, said, "WorkloadOwnerPubKeys", "owner-unexplained");
}

function keys<const Code extends string>(
  digests: readonly string[],
  known: readonly string[],
  origin: Origin,
  said: Said,
  member: string,
  code: Code,
): Answer<Code> {
  return without(
    digests.filter((d) => !known.includes(d)),
    { value: known.length === 0 ? "none" : `none but SHA-256 ${known.join(" or ")}`, origin },
    said(
      digests.map((d) => `SHA-256 ${d}`),
      `/${member}`,
    ),
    code,
  );
}

const digestOfKey = (key: string): string => hex(createHash("sha256").update(Buffer.from(key, "hex")).digest());

/** Of a manifest that cannot be read in one way nothing is explained. */
export const unexplained = (catalogue: typeof explainedManifest): A =>
  all(catalogue, cannot("not answered: the manifest could not be read in one way"));
