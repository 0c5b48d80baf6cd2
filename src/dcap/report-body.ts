/**
 * The bodies that a DCAP quote signs: TD report 1.0 and 1.5, and the SGX report, which is also the quoting enclave's own
 * (spec notes tdx.md 1.2). All integers are little-endian.
 */
import type { Reader } from "../bytes/reader.ts";

/** Names are Intel's; digests are SHA-384, 48 bytes. */
export interface TdReport {
  readonly kind: "td-report-1.0" | "td-report-1.5";
  /** 16 SVNs: [0] module minor, [1] module major version, [2] SEAM late microcode. */
  readonly teeTcbSvn: Uint8Array;
  /** SHA-384 of the TDX module. */
  readonly mrSeam: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  /** 8 bytes. */
  readonly seamAttributes: Uint8Array;
  /** 8 bytes, little-endian. */
  readonly tdAttributes: Uint8Array;
  /** 8 bytes, little-endian. */
  readonly xfam: Uint8Array;
  readonly mrTd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** 1.5 only: SVNs of the module that runs now, after an update that kept the TD. */
  readonly teeTcbSvn2?: Uint8Array;
  /** 1.5 only: digest of the bound service TDs, zero when there is none. */
  readonly mrServiceTd?: Uint8Array;
}

export interface SgxReport {
  readonly kind: "sgx-report";
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array;
  readonly miscSelect: number;
  /** KSS: 16 bytes. */
  readonly isvExtProdId: Uint8Array;
  /** 16 bytes: flags, then XFRM. */
  readonly attributes: Uint8Array;
  /** SHA-256. */
  readonly mrEnclave: Uint8Array;
  /** SHA-256. */
  readonly mrSigner: Uint8Array;
  /** KSS: 64 bytes, chosen by whoever starts the enclave. */
  readonly configId: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  /** KSS. */
  readonly configSvn: number;
  /** KSS: 16 bytes. */
  readonly isvFamilyId: Uint8Array;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
}

/** Bytes. */
export const bodySizes = { "sgx-report": 384, "td-report-1.0": 584, "td-report-1.5": 648 } as const;
export type BodyKind = keyof typeof bodySizes;

export function readTdReport(r: Reader, kind: TdReport["kind"]): TdReport {
  const digest = (field: string): Uint8Array => r.bytes(48, field);
  const common = {
    kind,
    teeTcbSvn: r.bytes(16, "TEE_TCB_SVN"),
    mrSeam: digest("MRSEAM"),
    mrSignerSeam: digest("MRSIGNERSEAM"),
    seamAttributes: r.bytes(8, "SEAMATTRIBUTES"),
    tdAttributes: r.bytes(8, "TDATTRIBUTES"),
    xfam: r.bytes(8, "XFAM"),
    mrTd: digest("MRTD"),
    mrConfigId: digest("MRCONFIGID"),
    mrOwner: digest("MROWNER"),
    mrOwnerConfig: digest("MROWNERCONFIG"),
    rtmrs: [digest("RTMR0"), digest("RTMR1"), digest("RTMR2"), digest("RTMR3")] as const,
    reportData: r.bytes(64, "REPORTDATA"),
  };
  if (kind === "td-report-1.0") return common;
  return { ...common, teeTcbSvn2: r.bytes(16, "TEE_TCB_SVN2"), mrServiceTd: digest("MRSERVICETD") };
}

/** Reserved ranges are signed and carry nothing here; they are stepped over, not judged (nobody's rule asks for zero). */
export function readSgxReport(r: Reader, name = "SGX report"): SgxReport {
  const field = (what: string): string => `${name} ${what}`;
  const cpuSvn = r.bytes(16, field("CPUSVN"));
  const miscSelect = r.u32le(field("MISCSELECT"));
  r.bytes(12, field("reserved"));
  const isvExtProdId = r.bytes(16, field("ISVEXTPRODID"));
  const attributes = r.bytes(16, field("ATTRIBUTES"));
  const mrEnclave = r.bytes(32, field("MRENCLAVE"));
  r.bytes(32, field("reserved"));
  const mrSigner = r.bytes(32, field("MRSIGNER"));
  r.bytes(32, field("reserved"));
  const configId = r.bytes(64, field("CONFIGID"));
  const isvProdId = r.u16le(field("ISVPRODID"));
  const isvSvn = r.u16le(field("ISVSVN"));
  const configSvn = r.u16le(field("CONFIGSVN"));
  r.bytes(42, field("reserved"));
  const isvFamilyId = r.bytes(16, field("ISVFAMILYID"));
  const reportData = r.bytes(64, field("REPORTDATA"));
  return {
    kind: "sgx-report",
    cpuSvn,
    miscSelect,
    isvExtProdId,
    attributes,
    mrEnclave,
    mrSigner,
    configId,
    isvProdId,
    isvSvn,
    configSvn,
    isvFamilyId,
    reportData,
  };
}

/** Bit 1 of the flags: memory of the enclave can be read by a debugger. */
export const enclaveDebug = (report: SgxReport): boolean => ((report.attributes[0] ?? 0) & 0x02) !== 0;
