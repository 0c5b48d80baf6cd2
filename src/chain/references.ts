/** What a Contrast manifest demands of evidence of either TEE: one candidate a reference value, with the manifest's own origin. */
import { fromHex, hex, hexNumber } from "../bytes/hex.ts";
import { type Origin, type Sourced, specified } from "../claims/answer.ts";
import { idKeyDigest } from "../verifiers/contrast/idkey.ts";
import type { Manifest, ManifestRules, SnpReferenceValue, TdxReferenceValue } from "../verifiers/contrast/index.ts";
import type { SnpReferences } from "../verifiers/snp/index.ts";
import { noReferences as noTdxReferences, type TdxReferences } from "../verifiers/tdx/index.ts";
import { type ExpectedMeasurement, expectedMeasurement } from "./ap-measurement.ts";

/** What binds the report to this exchange, whatever the reference value. */
export interface Binding {
  /** REPORT_DATA or REPORTDATA, 64 bytes, recomputed from nonce, history and CA certificates. */
  readonly reportData?: Sourced;
  /** Keys of the policies with the role coordinator. */
  readonly hostData?: readonly Sourced[];
}

/** What the evidence says, unauthenticated: it selects one of the measurements that an entry with APEIP stands for. */
export interface Measured {
  readonly rules: Pick<ManifestRules, "apExtension">;
  /** Lower-case hex; undefined: not told. */
  readonly measurement: string | undefined;
}

/**
 * Contrast v1.20, SNP validation: REPORT_DATA, MEASUREMENT, HOST_DATA, VMPL 0, GuestPolicy, PlatformInfo, MinimumTCB,
 * ID key digest, mitigation vectors, chip ids; provisional firmware is permitted.
 */
export const snpCandidates = (
  manifest: Manifest,
  origin: Origin,
  binding: Binding,
  { rules, measurement }: Measured,
): SnpReferences[] =>
  manifest.snp.map((entry) => candidate(entry, expectedMeasurement(entry, rules, measurement), origin, binding));

function candidate(
  entry: SnpReferenceValue,
  { digest, vcpus }: ExpectedMeasurement,
  origin: Origin,
  binding: Binding,
): SnpReferences {
  const measured = vcpus === undefined ? "TrustedMeasurement" : `TrustedMeasurement and APEIP, vCPUs: ${vcpus}`;
  const said = (value: string, member: string): Sourced => ({
    value,
    origin,
    at: `${entry.at}/${member} (entry at line ${entry.line})`,
  });
  const { guestPolicy, platformInfo, minimumTcb } = entry;
  const { bootloader = 0, tee = 0, snp = 0, microcode = 0 } = minimumTcb;
  return {
    measurement: said(digest, measured),
    ...binding,
    vmpl: { value: 0, origin: { kind: "spec", document: "Contrast v1.20", section: "SNP validation, VMPL" } },
    ...(line(entry.productName) === undefined
      ? {}
      : { product: { line: line(entry.productName) ?? "Genoa", source: said(entry.productName, "ProductName") } }),
    minimumTcb: {
      bootloader,
      tee,
      snp,
      microcode,
      source: said(`bootloader ${bootloader}, tee ${tee}, snp ${snp}, microcode ${microcode}`, "MinimumTCB"),
    },
    provisional: true,
    ...(guestPolicy === undefined
      ? {}
      : {
          guestPolicy: { ...guestPolicy, source: said(membersText(guestPolicy), "GuestPolicy") },
          idKeyDigest: said(idKeyHex(digest, guestPolicy), `${measured} and GuestPolicy, ID block`),
        }),
    ...(platformInfo === undefined
      ? {}
      : { platformInfo: { ...platformInfo, source: said(membersText(platformInfo), "PlatformInfo") } }),
    minimumMitigationVector: {
      value: entry.minimumMitigationVector,
      source: said(hexNumber(entry.minimumMitigationVector, 16), "MinimumMitigationVector"),
    },
    ...(entry.allowedChipIds.length === 0
      ? {}
      : {
          allowedChipIds: {
            values: entry.allowedChipIds,
            source: said(entry.allowedChipIds.join(", "), "AllowedChipIDs"),
          },
        }),
  };
}

/**
 * Contrast v1.20, TDX validation: REPORTDATA, MRTD, RTMRs, MRSEAM, XFAM, TDATTRIBUTES (fixed in its code), MRCONFIGID of
 * 48 bytes, PCK options, PIIDs, TCB evaluation data number. Only UpToDate passes.
 */
export const tdxCandidates = (manifest: Manifest, origin: Origin, binding: Binding): TdxReferences[] =>
  manifest.tdx.map((entry) => tdxCandidate(entry, origin, binding));

/** TDATTRIBUTES as Contrast demands them: SEPT_VE_DISABLE and nothing else. */
const contrastAttributes = specified("0000001000000000", "Contrast v1.20", "TDX validation, TDATTRIBUTES");

function tdxCandidate(entry: TdxReferenceValue, origin: Origin, { reportData, hostData }: Binding): TdxReferences {
  const said = (value: string, member: string): Sourced => ({
    value,
    origin,
    at: `${entry.at}/${member} (entry at line ${entry.line})`,
  });
  const [rtmr0, rtmr1, rtmr2, rtmr3] = entry.rtmrs.map((value, i) => said(value, `Rtmrs/${i}`));
  const { memoryIntegrity, smtDisabled, staticPlatform } = entry;
  const options = { memoryIntegrity, smtDisabled, staticPlatform };
  return {
    ...noTdxReferences,
    mrTd: said(entry.mrTd, "MrTd"),
    mrSeam: said(entry.mrSeam, "MrSeam"),
    ...(rtmr0 === undefined ? {} : { rtmr0 }),
    ...(rtmr1 === undefined ? {} : { rtmr1 }),
    ...(rtmr2 === undefined ? {} : { rtmr2 }),
    ...(rtmr3 === undefined ? {} : { rtmr3 }),
    xfam: said(entry.xfam, "Xfam"),
    tdAttributes: contrastAttributes,
    septVeDisable: contrastAttributes,
    ...(reportData === undefined ? {} : { reportData }),
    ...(hostData === undefined
      ? {}
      : { mrConfigId: hostData.map((key) => ({ ...key, value: `${key.value}${"00".repeat(16)}` })) }),
    ...(entry.allowedPiids.length === 0
      ? {}
      : {
          allowedPiids: {
            values: entry.allowedPiids,
            source: said(entry.allowedPiids.join(", "), "AllowedPIIDs"),
          },
        }),
    ...(memoryIntegrity || smtDisabled || staticPlatform
      ? {
          pckOptions: {
            ...options,
            source: said(membersText(options), "MemoryIntegrity, SMTDisabled, StaticPlatform"),
          },
        }
      : {}),
    ...(entry.minTcbEvaluationDataNumber <= 0n
      ? {}
      : {
          minimumEvaluation: {
            value: Number(entry.minTcbEvaluationDataNumber),
            origin,
            at: `${entry.at}/MinTCBEvaluationDataNumber`,
          },
        }),
  };
}

const line = (name: string): "Milan" | "Genoa" | undefined => (name === "Milan" || name === "Genoa" ? name : undefined);

const remembered = new Map<string, string>();
/** Recovering a point takes milliseconds and an audit is asked again in each round, so the few values are kept. */
function idKeyHex(measurement: string, policy: NonNullable<SnpReferenceValue["guestPolicy"]>): string {
  const key = JSON.stringify([measurement, policy]);
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const value = hex(idKeyDigest(fromHex(measurement, 48, "TrustedMeasurement"), policy));
  remembered.set(key, value);
  return value;
}

/** Members that are set, numbers with their value; "none" when nothing is. */
function membersText(members: object): string {
  const set = Object.entries(members).flatMap(([name, v]) =>
    v === true ? [name] : typeof v === "number" && v > 0 ? [`${name} ${v}`] : [],
  );
  return set.join(", ") || "none";
}
