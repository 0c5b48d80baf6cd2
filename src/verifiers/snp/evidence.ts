/**
 * The carriers of an SNP report: raw, as hex or base64 text, gzipped in base64, extended with a certificate table,
 * go-sev-guest protobuf, Azure's HCL blob, and the JSON forms.
 */
import { fromBase64, fromHex } from "../../bytes/hex.ts";
import { malformed } from "../../errors.ts";
import { decodeAttestation } from "./attestation.ts";
import { beginsAsGzip, gzippedReport } from "./gzip-carrier.ts";
import { decodeHcl, looksLikeHcl } from "./hcl.ts";
import { beginsAsJson, decodeJsonEvidence, type JsonCarrier } from "./json-carriers.ts";
import { decodeReport, reportSize, type SnpReport } from "./report.ts";
import { decodeCertificateTable, looksLikeTable } from "./table.ts";

export interface SnpEvidence {
  readonly carrier: "raw" | "gzip" | "extended" | "protobuf" | "hcl" | JsonCarrier;
  readonly report: SnpReport;
  /** The 1184 bytes, rebuilt where the carrier holds fields. */
  readonly raw: Uint8Array;
  /** What came along, unauthenticated: DER or PEM. `ask` is the ASVK beside a VLEK. */
  readonly vcek?: Uint8Array;
  readonly vlek?: Uint8Array;
  readonly ask?: Uint8Array;
  readonly ark?: Uint8Array;
  readonly crl?: Uint8Array;
  /** Product line named by the unsigned part of the protobuf. */
  readonly productHint?: string;
  /** What came behind the report in Azure's blob; nothing about it is checked. */
  readonly runtimeData?: Uint8Array;
}

export const maxEvidenceBytes = 2 << 20;

/**
 * Tells the carriers apart by their first bytes; nothing is trimmed or skipped.
 * @throws PmError PM_EVIDENCE_MALFORMED report-size, report-reserved, signature-algo, certtable
 * @throws PmError PM_EVIDENCE_UNSUPPORTED report-version
 */
export function decodeEvidence(input: Uint8Array): SnpEvidence {
  if (input.length > maxEvidenceBytes)
    throw malformed(`SNP evidence: ${input.length} bytes are more than any known form has`, "report-size");
  const bytes = new Uint8Array(input);
  if (beginsAsJson(bytes)) {
    const evidence = decodeJsonEvidence(bytes);
    return { ...evidence, report: decodeReport(evidence.raw) };
  }
  if (looksLikeHcl(bytes)) {
    const blob = decodeHcl(bytes);
    return { carrier: "hcl", report: decodeReport(blob.raw), ...blob };
  }
  if (isProtobuf(bytes)) {
    const message = decodeAttestation(bytes);
    return { carrier: "protobuf", report: decodeReport(message.raw), ...message };
  }
  const text = reportText(bytes);
  if (text !== undefined) {
    const decoded = decodeText(text);
    return beginsAsGzip(decoded) ? rawEvidence(gzippedReport(decoded), "gzip") : rawEvidence(decoded);
  }
  return bytes.length > reportSize ? extendedEvidence(bytes) : rawEvidence(bytes);
}

const rawEvidence = (bytes: Uint8Array, carrier: "raw" | "gzip" = "raw"): SnpEvidence => ({
  carrier,
  report: decodeReport(bytes),
  raw: bytes.slice(),
});

/** A tail that is no table at all makes the report too long; a tail that is meant as one must be whole. */
function extendedEvidence(bytes: Uint8Array): SnpEvidence {
  const tail = bytes.subarray(reportSize);
  if (!looksLikeTable(tail))
    throw malformed(
      `SNP report: ${bytes.length} bytes; a report has ${reportSize}, and what follows is no certificate table`,
      "report-size",
    );
  const raw = bytes.slice(0, reportSize);
  const certificates = decodeCertificateTable(tail);
  return { carrier: "extended", report: decodeReport(raw), raw, ...certificates };
}

/** Fields 1, 2 and 3 of Attestation are length-delimited. A report begins with its version, a small 32-bit number. */
const isProtobuf = (bytes: Uint8Array): boolean =>
  [0x0a, 0x12, 0x1a].includes(bytes[0] ?? 0) && bytes.subarray(1, 4).some((b) => b !== 0);

/** The text, without one line end, when every byte is a character of hex or base64. */
function reportText(bytes: Uint8Array): string | undefined {
  if (bytes.length < 64 || bytes.length > 4096) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("latin1")
    .replace(/\r?\n$/, "");
  return /^[0-9A-Za-z+/]+={0,2}$/.test(text) ? text : undefined;
}

function decodeText(text: string): Uint8Array {
  try {
    return /^[0-9a-fA-F]+$/.test(text) ? fromHex(text, undefined, "SNP report") : fromBase64(text, "SNP report");
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : "SNP report: not hex or base64", "report-size");
  }
}
