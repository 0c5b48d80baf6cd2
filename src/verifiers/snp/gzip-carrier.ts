/** The report as gzip, in base64 (tinfoil's v2 body, notes 1): inflated to no more than a report's size. */
import { beginsAsGzip, gunzipOne } from "../../bytes/gzip.ts";
import { reportSize } from "./report.ts";

export { beginsAsGzip };

/** @throws PmError PM_EVIDENCE_MALFORMED report-size */
export const gzippedReport = (bytes: Uint8Array): Uint8Array =>
  gunzipOne(bytes, { what: "gzipped SNP report", reasonCode: "report-size", maxBytes: reportSize });
