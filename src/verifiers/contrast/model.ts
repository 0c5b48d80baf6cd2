/** What a decoded manifest holds; names are Contrast's in camel case. */
import type { ManifestProblem } from "./problems.ts";
import type { ManifestRules } from "./rules.ts";

interface Placed {
  /** JSON pointer and line, for messages and origins. */
  readonly at: string;
  readonly line: number;
}
export interface PolicyEntry extends Placed {
  /** As written; the valid form is 64 lower-case hex digits, the SHA-256 of the initdata document. */
  readonly key: string;
  readonly sans: readonly string[];
  /** Empty when absent. */
  readonly workloadSecretId: string;
  /** "" or "coordinator". */
  readonly role: string;
}
/** Each part 0 to 255. */
export interface MinimumTcb {
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}
/** What the guest's POLICY may and must have; absent bits are false. */
export interface GuestPolicy {
  readonly abiMinor: number;
  readonly abiMajor: number;
  readonly smt: boolean;
  readonly migrateMa: boolean;
  readonly debug: boolean;
  readonly singleSocket: boolean;
  readonly cxlAllowed: boolean;
  readonly memAes256Xts: boolean;
  readonly raplDis: boolean;
  readonly cipherTextHidingDram: boolean;
  readonly pageSwapDisable: boolean;
}
export interface PlatformInfo {
  readonly smt: boolean;
  readonly tsme: boolean;
  readonly ecc: boolean;
  readonly raplDisabled: boolean;
  readonly ciphertextHiding: boolean;
  readonly aliasCheckComplete: boolean;
  readonly tio: boolean;
}
/** An entry of ReferenceValues.snp as it stands: complete or not. */
export interface SnpEntry extends Placed {
  /** Index in ReferenceValues.snp. */
  readonly index: number;
  readonly platform: string;
  /** As written; "Milan" or "Genoa" in a valid manifest. */
  readonly productName: string;
  /** Undefined when absent. */
  readonly cpus: bigint | undefined;
  /** Lower-case hex, 48 bytes in a valid manifest. */
  readonly trustedMeasurement: string;
  /** Where further vCPUs start: lower-case hex, 4 bytes, in a valid manifest. Undefined when absent. */
  readonly apeip: string | undefined;
  /** Undefined parts are left open by the manifest, which is not valid. */
  readonly minimumTcb: { readonly [Part in keyof MinimumTcb]: number | undefined };
  /** Undefined before v1.8, which did not compare it. */
  readonly guestPolicy: GuestPolicy | undefined;
  readonly platformInfo: PlatformInfo | undefined;
  readonly minimumMitigationVector: bigint;
  /** Lower-case hex, 64 bytes each; empty: every chip. */
  readonly allowedChipIds: readonly string[];
}
/** An entry that can serve as a reference value: complete, of a known product, and wholly checked by pm. */
export interface SnpReferenceValue extends SnpEntry {
  readonly productName: "Milan" | "Genoa";
  readonly minimumTcb: MinimumTcb;
  readonly guestPolicy: GuestPolicy;
  readonly platformInfo: PlatformInfo;
}
export interface TdxReferenceValue extends Placed {
  /** Index in ReferenceValues.tdx. */
  readonly index: number;
  readonly platform: string;
  /** 0: unset. */
  readonly minTcbEvaluationDataNumber: bigint;
  /** Lower-case hex, 48 bytes. */
  readonly mrTd: string;
  readonly mrSeam: string;
  /** Four of them in a valid manifest. */
  readonly rtmrs: readonly string[];
  /** Lower-case hex, 8 bytes. */
  readonly xfam: string;
  /** Lower-case hex, 16 bytes each; empty: every platform. */
  readonly allowedPiids: readonly string[];
  readonly memoryIntegrity: boolean;
  readonly smtDisabled: boolean;
  readonly staticPlatform: boolean;
}
export interface Manifest {
  readonly policies: readonly PolicyEntry[];
  /** What evidence can be compared with; `index` counts all entries. */
  readonly snp: readonly SnpReferenceValue[];
  /** All entries, in the manifest's order. */
  readonly snpEntries: readonly SnpEntry[];
  readonly tdx: readonly TdxReferenceValue[];
  /** Hex of PKIX DER (from v1.20), or of its SHA-256 (before); either makes updates possible. */
  readonly workloadOwners: readonly string[];
  /** Hex of PKCS#1 DER. */
  readonly seedshareOwners: readonly string[];
  readonly minimumApiVersion: string | undefined;
}
export interface DecodedManifest {
  readonly bytes: Uint8Array;
  /** Lower-case hex of SHA-256 over the raw bytes: the manifest's identity. */
  readonly sha256: string;
  /**
   * SHA-256 of the text as JSON.stringify(JSON.parse(text)) writes it, undefined when that is not possible: a hash over
   * a re-serialised manifest, as a web page would show it. That the vendor's page does exactly this is not confirmed.
   */
  readonly reserializedSha256: string | undefined;
  readonly rules: ManifestRules;
  readonly problems: readonly ManifestProblem[];
  /** Undefined when malformed or ambiguous: no reference value is taken from a text that can be read in two ways. */
  readonly manifest: Manifest | undefined;
  /** Policy keys in lower case, whatever else is wrong with the manifest; empty when they cannot be told. */
  readonly policyKeys: readonly string[];
}
