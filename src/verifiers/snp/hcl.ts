/**
 * Azure's report out of a vTPM (HCL, NV index 0x01400001; notes 1): a header, the hardware's report at 0x20, and runtime
 * data that REPORT_DATA begins with the digest of. Only the report is judged; that the runtime data is the one it names is
 * not: pin REPORT_DATA.
 * The header's fields are known from public readers of this blob, not from a document of Azure's.
 */
import { Reader } from "../../bytes/reader.ts";
import { malformed, unsupported } from "../../errors.ts";
import { reportSize } from "./report.ts";

const code = "report-size";
/** 2048 in older releases. */
const sizes = [2600, 2048];
const reportAt = 0x20;
const typeSnp = 2;

export interface Hcl {
  /** The 1184 bytes of the report. */
  readonly raw: Uint8Array;
  /** JSON with the vTPM's keys; nothing about it is checked. */
  readonly runtimeData: Uint8Array;
}

export const looksLikeHcl = (bytes: Uint8Array): boolean =>
  bytes.length > reportAt && Buffer.from(bytes.subarray(0, 4)).toString("latin1") === "HCLA";

/** @throws PmError PM_EVIDENCE_MALFORMED report-size; PM_EVIDENCE_UNSUPPORTED report-version for another platform's report */
export function decodeHcl(bytes: Uint8Array): Hcl {
  if (!sizes.includes(bytes.length))
    throw malformed(`HCL report: ${bytes.length} bytes, ${sizes.join(" or ")} wanted`, code);
  const r = new Reader(bytes, code);
  r.bytes(reportAt, "HCL header");
  const raw = r.bytes(reportSize, "HCL hardware report");
  r.bytes(8, "HCL runtime data size and version");
  const type = r.u32le("HCL report type");
  if (type !== typeSnp) throw unsupported(`HCL report: type ${type}, ${typeSnp} (SEV-SNP) wanted`, "report-version");
  r.bytes(4, "HCL report data hash type");
  const runtimeData = r.bytes(r.u32le("HCL runtime data length"), "HCL runtime data");
  return { raw, runtimeData };
}
