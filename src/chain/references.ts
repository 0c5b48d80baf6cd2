/** What a Contrast manifest demands of SNP evidence: one candidate a reference value, with the manifest's own origin. */
import { fromHex, hex, hexNumber } from "../bytes/hex.ts";
import type { Origin, Sourced } from "../claims/answer.ts";
import { idKeyDigest } from "../verifiers/contrast/idkey.ts";
import type { Manifest, SnpReferenceValue } from "../verifiers/contrast/index.ts";
import type { SnpReferences } from "../verifiers/snp/index.ts";

/** What binds the report to this exchange, whatever the reference value. */
export interface Binding {
  /** REPORT_DATA, 64 bytes, recomputed from nonce, history and CA certificates. */
  readonly reportData?: Sourced;
  /** Keys of the policies with the role coordinator. */
  readonly hostData?: readonly Sourced[];
}

/**
 * Contrast v1.20, SNP validation: REPORT_DATA, MEASUREMENT, HOST_DATA, VMPL 0, GuestPolicy, PlatformInfo, MinimumTCB,
 * ID key digest, mitigation vectors, chip ids; provisional firmware is permitted.
 */
export const snpCandidates = (manifest: Manifest, origin: Origin, binding: Binding): SnpReferences[] =>
  manifest.snp.map((entry) => candidate(entry, origin, binding));

function candidate(entry: SnpReferenceValue, origin: Origin, binding: Binding): SnpReferences {
  const said = (value: string, member: string): Sourced => ({
    value,
    origin,
    at: `${entry.at}/${member} (entry at line ${entry.line})`,
  });
  const { guestPolicy, platformInfo, minimumTcb } = entry;
  const { bootloader = 0, tee = 0, snp = 0, microcode = 0 } = minimumTcb;
  return {
    measurement: said(entry.trustedMeasurement, "TrustedMeasurement"),
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
          idKeyDigest: said(
            idKeyHex(entry.trustedMeasurement, guestPolicy),
            "TrustedMeasurement and GuestPolicy, ID block",
          ),
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
