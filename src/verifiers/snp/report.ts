/** ATTESTATION_REPORT, SEV-SNP firmware ABI (56860) 7.3; field names are the specification's. All integers little-endian. */
import { Reader } from "../../bytes/reader.ts";
import { malformed, unsupported } from "../../errors.ts";

export const reportSize = 0x4a0;
/** SIGNATURE covers the bytes before this offset. */
export const signedSize = 0x2a0;

/** Combined family and model, as the report has them since version 3. */
export interface Cpuid {
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
}
/** Version of the SEV firmware. */
export interface FirmwareVersion {
  readonly major: number;
  readonly minor: number;
  readonly build: number;
}

export interface SnpReport {
  /** 2, 3, 4 or 5. */
  readonly version: number;
  readonly guestSvn: number;
  readonly policy: bigint;
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  /** 0 to 3 for a guest's request, 0xffffffff for a host's. */
  readonly vmpl: number;
  readonly signatureAlgo: number;
  /** TCB_VERSION, 8 bytes; their meaning depends on the product line (tcb.ts). */
  readonly currentTcb: Uint8Array;
  readonly platformInfo: bigint;
  /** Offset 0x48: AUTHOR_KEY_EN, MASK_CHIP_KEY, SIGNING_KEY. */
  readonly flags: number;
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly hostData: Uint8Array;
  readonly idKeyDigest: Uint8Array;
  readonly authorKeyDigest: Uint8Array;
  readonly reportId: Uint8Array;
  readonly reportIdMa: Uint8Array;
  readonly reportedTcb: Uint8Array;
  /** Since version 3. */
  readonly cpuid: Cpuid | undefined;
  readonly chipId: Uint8Array;
  readonly committedTcb: Uint8Array;
  readonly current: FirmwareVersion;
  readonly committed: FirmwareVersion;
  readonly launchTcb: Uint8Array;
  /** Zero before version 5. */
  readonly launchMitVector: bigint;
  readonly currentMitVector: bigint;
  /** Little-endian, 72 bytes each, as received. */
  readonly signature: { readonly r: Uint8Array; readonly s: Uint8Array };
  /** Offset 0 to 0x29f: exactly the bytes that SIGNATURE covers. */
  readonly signed: Uint8Array;
}

export const authorKeyEnabled = (r: SnpReport): boolean => (r.flags & 1) !== 0;
/** The host told the firmware not to sign with the VCEK. Not the same setting as a masked CHIP_ID. */
export const maskChipKey = (r: SnpReport): boolean => (r.flags & 2) !== 0;
/** 0 VCEK, 1 VLEK, 7 none, the rest reserved. */
export const signingKey = (r: SnpReport): number => (r.flags >>> 2) & 7;

const reserved = "report-reserved";

/**
 * Decodes exactly 1184 bytes. Reserved ranges must be zero: only newer firmware could set them, so a report that has
 * something there says what pm does not understand; the ones behind the signature would give one report two encodings.
 * @throws PmError PM_EVIDENCE_MALFORMED report-size, report-reserved, signature-algo
 * @throws PmError PM_EVIDENCE_UNSUPPORTED report-version
 */
export function decodeReport(input: Uint8Array): SnpReport {
  // A plain copy: slices of a Buffer would be views of memory that the caller may change.
  const bytes = new Uint8Array(input);
  if (bytes.length !== reportSize)
    throw malformed(`SNP report: ${reportSize} bytes needed, ${bytes.length} given`, "report-size");
  const r = new Reader(bytes, "report-size");
  const version = r.u32le("VERSION");
  if (version < 2 || version > 5)
    throw unsupported(`SNP report: VERSION ${version} is unknown; known are 2 to 5`, "report-version");
  const head = {
    version,
    guestSvn: r.u32le("GUEST_SVN"),
    policy: r.u64le("POLICY"),
    familyId: r.bytes(16, "FAMILY_ID"),
    imageId: r.bytes(16, "IMAGE_ID"),
    vmpl: r.u32le("VMPL"),
    signatureAlgo: r.u32le("SIGNATURE_ALGO"),
    currentTcb: r.bytes(8, "CURRENT_TCB"),
    platformInfo: r.u64le("PLATFORM_INFO"),
    flags: r.u32le("FLAGS"),
  };
  if (head.flags >>> 5 !== 0) throw malformed("FLAGS: reserved bits 31:5 at offset 72 are not zero", reserved);
  r.zeros(4, "reserved 0x4c", reserved);
  const report = { ...head, ...decodeIdentity(r), ...decodePlatform(r, version) };
  const signature = { r: r.bytes(72, "SIGNATURE.R"), s: r.bytes(72, "SIGNATURE.S") };
  r.zeros(368, "SIGNATURE padding", reserved);
  r.end("SNP report");
  if (report.signatureAlgo !== 1)
    throw malformed(
      `SIGNATURE_ALGO: ${report.signatureAlgo} at offset 52; 1 (ECDSA P-384 with SHA-384) is the only one`,
      "signature-algo",
    );
  return { ...report, signature, signed: bytes.slice(0, signedSize) };
}

/** Offset 0x50 to 0x187. */
const decodeIdentity = (r: Reader) => ({
  reportData: r.bytes(64, "REPORT_DATA"),
  measurement: r.bytes(48, "MEASUREMENT"),
  hostData: r.bytes(32, "HOST_DATA"),
  idKeyDigest: r.bytes(48, "ID_KEY_DIGEST"),
  authorKeyDigest: r.bytes(48, "AUTHOR_KEY_DIGEST"),
  reportId: r.bytes(32, "REPORT_ID"),
  reportIdMa: r.bytes(32, "REPORT_ID_MA"),
  reportedTcb: r.bytes(8, "REPORTED_TCB"),
});

/** Offset 0x188 to 0x29f; CPUID since version 3, mitigation vectors since version 5, reserved before. */
function decodePlatform(r: Reader, version: number) {
  const cpuid = version >= 3 ? decodeCpuid(r) : undefined;
  r.zeros(version >= 3 ? 21 : 24, "reserved before CHIP_ID", reserved);
  const chipId = r.bytes(64, "CHIP_ID");
  const committedTcb = r.bytes(8, "COMMITTED_TCB");
  const current = decodeFirmwareVersion(r, "CURRENT");
  const committed = decodeFirmwareVersion(r, "COMMITTED");
  const launchTcb = r.bytes(8, "LAUNCH_TCB");
  const vectors = version >= 5;
  const launchMitVector = vectors ? r.u64le("LAUNCH_MIT_VECTOR") : 0n;
  const currentMitVector = vectors ? r.u64le("CURRENT_MIT_VECTOR") : 0n;
  r.zeros(vectors ? 152 : 168, "reserved before SIGNATURE", reserved);
  return { cpuid, chipId, committedTcb, current, committed, launchTcb, launchMitVector, currentMitVector };
}

const decodeCpuid = (r: Reader): Cpuid => ({
  family: r.u8("CPUID_FAM_ID"),
  model: r.u8("CPUID_MOD_ID"),
  stepping: r.u8("CPUID_STEP"),
});

/** Build, minor, major, in this order, and one reserved byte. */
function decodeFirmwareVersion(r: Reader, name: string): FirmwareVersion {
  const build = r.u8(`${name}_BUILD`);
  const minor = r.u8(`${name}_MINOR`);
  const major = r.u8(`${name}_MAJOR`);
  r.zeros(1, `reserved after ${name}_MAJOR`, reserved);
  return { major, minor, build };
}
