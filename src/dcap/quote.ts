/**
 * Intel DCAP quotes, versions 3, 4 and 5 (spec notes tdx.md 1.1 to 1.3). Nothing is trusted here: the signature data's own
 * length, the outer certification type and what follows the signature data are covered by no signature.
 */
import { Reader } from "../bytes/reader.ts";
import { malformed, unsupported } from "../errors.ts";
import { type BodyKind, bodySizes, readSgxReport, readTdReport, type SgxReport, type TdReport } from "./report-body.ts";
import type { Tee } from "./requests.ts";

export interface QuoteHeader {
  readonly version: 3 | 4 | 5;
  /** 2 is ECDSA-256 with P-256, the only one that is verified. */
  readonly attestationKeyType: 2;
  readonly tee: Tee;
  /** 16 bytes. */
  readonly qeVendorId: Uint8Array;
  /** 20 bytes. */
  readonly userData: Uint8Array;
}

/** Certification data of the quoting enclave's report. */
export interface CertificationData {
  /** 5: PCK chain as PEM. 1 to 4: what a PCK chain would have to be fetched for. */
  readonly type: 1 | 2 | 3 | 4 | 5;
  readonly data: Uint8Array;
}

export interface Quote {
  readonly header: QuoteHeader;
  readonly body: TdReport | SgxReport;
  /** Header, descriptor (version 5) and body: exactly the bytes that the attestation key signs. */
  readonly signed: Uint8Array;
  /** r and s, big-endian, 32 bytes each. */
  readonly signature: Uint8Array;
  /** x and y of the P-256 point, big-endian, 32 bytes each. */
  readonly attestationKey: Uint8Array;
  readonly qeReport: SgxReport;
  /** The 384 bytes that the PCK signs. */
  readonly qeReportBytes: Uint8Array;
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthData: Uint8Array;
  readonly certification: CertificationData;
  /** After the signature data; covered by no signature. */
  readonly trailing: Uint8Array;
}

export const quoteMalformed = "QUOTE_MALFORMED";
const headerSize = 48;
/** "Intel" as the quoting enclave's vendor. */
export const intelVendorId = "939a7233f79c4ca9940a0db3957f0607";
export const maxQuoteBytes = 1 << 20;

/** TEE type in the header of versions 4 and 5; in version 3 the field is reserved and the quote is SGX whatever it holds. */
const teeTypes: Readonly<Record<number, Tee>> = { 0: "sgx", 129: "tdx" };

/**
 * The TEE that a quote's header names, without reading on: for the answer to a quote of the wrong kind.
 * @returns a number for a TEE type that is not defined, undefined when no known header is there
 */
export function teeOfHeader(bytes: Uint8Array): Tee | number | undefined {
  if (bytes.length < headerSize) return undefined;
  const r = new Reader(bytes);
  const version = r.u16le("version");
  r.u16le("attestation key type");
  const type = r.u32le("TEE type");
  if (version === 3) return "sgx";
  return version === 4 || version === 5 ? (teeTypes[type] ?? type) : undefined;
}

function readHeader(r: Reader): QuoteHeader {
  const version = r.u16le("version");
  if (version !== 3 && version !== 4 && version !== 5)
    throw unsupported(`quote version ${version}; known: 3, 4, 5`, "QUOTE_VERSION_UNSUPPORTED");
  const keyType = r.u16le("attestation key type");
  if (keyType !== 2)
    throw unsupported(`attestation key type ${keyType}; known: 2, ECDSA-256 with P-256`, "ATT_KEY_TYPE_UNSUPPORTED");
  const teeType = r.u32le("TEE type");
  const tee = version === 3 ? "sgx" : teeTypes[teeType];
  if (tee === undefined) throw malformed(`TEE type 0x${teeType.toString(16)} is not defined`, quoteMalformed);
  // SVNs of quoting enclave and PCE in version 3, reserved in 4 and 5 whatever other programs call them; what counts of these
  // SVNs is in the QE report and the PCK certificate.
  r.bytes(4, "header bytes 8..11");
  return {
    version,
    attestationKeyType: 2,
    tee,
    qeVendorId: r.bytes(16, "QE vendor id"),
    userData: r.bytes(20, "user data"),
  };
}

/** Body types of version 5 that are handled, with the TEE that each belongs to. */
const bodyTypes: Readonly<Record<number, { readonly kind: BodyKind; readonly tee: Tee }>> = {
  1: { kind: "sgx-report", tee: "sgx" },
  2: { kind: "td-report-1.0", tee: "tdx" },
  3: { kind: "td-report-1.5", tee: "tdx" },
};
/** Defined by Intel, with 885 bytes, and handled by nobody yet. */
const laterBodyType = 4;

/** The type is judged before the size: type 4 is unsupported whatever its size says, and an undefined one is malformed. */
function readDescriptor(r: Reader, tee: Tee): BodyKind {
  const type = r.u16le("body type");
  const size = r.u32le("body size");
  if (type === laterBodyType) throw unsupported(`body type ${type}; known: 1, 2, 3`, "BODY_TYPE_UNSUPPORTED");
  const known = bodyTypes[type];
  if (known === undefined) throw malformed(`body type ${type} is not defined`, quoteMalformed);
  if (size !== bodySizes[known.kind])
    throw malformed(`body size: ${size}, needs ${bodySizes[known.kind]} for body type ${type}`, quoteMalformed);
  if (known.tee !== tee) throw malformed(`body type ${type} under TEE type ${tee.toUpperCase()}`, quoteMalformed);
  return known.kind;
}

function bodyKind(r: Reader, header: QuoteHeader): BodyKind {
  if (header.version === 5) return readDescriptor(r, header.tee);
  return header.tee === "tdx" ? "td-report-1.0" : "sgx-report";
}

/**
 * @throws PmError PM_EVIDENCE_MALFORMED QUOTE_MALFORMED
 * @throws PmError PM_EVIDENCE_UNSUPPORTED QUOTE_VERSION_UNSUPPORTED, ATT_KEY_TYPE_UNSUPPORTED, BODY_TYPE_UNSUPPORTED
 */
export function decodeQuote(input: Uint8Array): Quote {
  if (input.length > maxQuoteBytes)
    throw malformed(`quote: ${input.length} bytes are more than any known quote has`, quoteMalformed);
  const bytes = new Uint8Array(input);
  const r = new Reader(bytes, quoteMalformed);
  const header = readHeader(r);
  const kind = bodyKind(r, header);
  const body = kind === "sgx-report" ? readSgxReport(r) : readTdReport(r, kind);
  const signed = bytes.slice(0, r.offset);
  const length = r.u32le("signature data length");
  const data = r.bytes(length, "signature data");
  const trailing = r.bytes(r.left, "bytes after the signature data");
  return { header, body, signed, trailing, ...readSignatureData(data, header.version) };
}

type SignatureData = Omit<Quote, "header" | "body" | "signed" | "trailing">;

function readSignatureData(bytes: Uint8Array, version: QuoteHeader["version"]): SignatureData {
  const r = new Reader(bytes, quoteMalformed);
  const signature = r.bytes(64, "quote signature");
  const attestationKey = r.bytes(64, "attestation key");
  if (version !== 3) {
    const type = r.u16le("certification data type");
    if (type !== 6) throw malformed(`certification data type: ${type}, needs 6 in version ${version}`, quoteMalformed);
    const size = r.u32le("certification data size");
    if (size !== r.left)
      throw malformed(
        `certification data size: ${size}, but ${r.left} bytes are left of the signature data`,
        quoteMalformed,
      );
  }
  const qeReportBytes = r.bytes(bodySizes["sgx-report"], "QE report");
  const qeReportSignature = r.bytes(64, "QE report signature");
  const qeAuthData = r.bytes(r.u16le("QE authentication data size"), "QE authentication data");
  const certification = readCertification(r);
  r.end("signature data");
  const qeReport = readSgxReport(new Reader(qeReportBytes, quoteMalformed), "QE report");
  return { signature, attestationKey, qeReport, qeReportBytes, qeReportSignature, qeAuthData, certification };
}

function readCertification(r: Reader): CertificationData {
  const type = r.u16le("PCK certification data type");
  if (type !== 1 && type !== 2 && type !== 3 && type !== 4 && type !== 5)
    throw malformed(`PCK certification data type ${type}; defined here: 1 to 5`, quoteMalformed);
  return { type, data: r.bytes(r.u32le("PCK certification data size"), "PCK certification data") };
}
