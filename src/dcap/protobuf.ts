/**
 * tdx.QuoteV4, the protobuf message of go-tdx-guest (proto/tdx.proto) that Contrast carries (spec notes tdx.md 6, contrast.md
 * 3.2). It does not hold the signed bytes: they are rebuilt here, and everything after that is judged over the rebuilt bytes.
 */
import { decodeMessage, type FieldKind, type FieldRule, type Message } from "../bytes/protobuf.ts";
import { malformed } from "../errors.ts";
import { quoteMalformed } from "./quote.ts";
import { bodySizes } from "./report-body.ts";

/** Field numbers of a message, in the order in which its bytes stand in the quote. Size 0: any length. */
interface Part {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly number?: true;
  /** How often it stands there. */
  readonly times?: number;
}
const bytes = (id: number, name: string, size: number): Part => ({ id, name, size });
const number = (id: number, name: string, size: number): Part => ({ id, name, size, number: true });

/** The order in the quote is pce_svn (offset 8) before qe_svn (offset 10), whatever their numbers say. */
const headerParts: readonly Part[] = [
  number(1, "version", 2),
  number(2, "attestation_key_type", 2),
  number(3, "tee_type", 4),
  bytes(5, "pce_svn", 2),
  bytes(4, "qe_svn", 2),
  bytes(6, "qe_vendor_id", 16),
  bytes(7, "user_data", 20),
];
const bodyParts: readonly Part[] = [
  bytes(1, "tee_tcb_svn", 16),
  bytes(2, "mr_seam", 48),
  bytes(3, "mr_signer_seam", 48),
  bytes(4, "seam_attributes", 8),
  bytes(5, "td_attributes", 8),
  bytes(6, "xfam", 8),
  bytes(7, "mr_td", 48),
  bytes(8, "mr_config_id", 48),
  bytes(9, "mr_owner", 48),
  bytes(10, "mr_owner_config", 48),
  { id: 11, name: "rtmrs", size: 48, times: 4 },
  bytes(12, "report_data", 64),
];
const enclaveParts: readonly Part[] = [
  bytes(1, "cpu_svn", 16),
  number(2, "misc_select", 4),
  bytes(3, "reserved1", 28),
  bytes(4, "attributes", 16),
  bytes(5, "mr_enclave", 32),
  bytes(6, "reserved2", 32),
  bytes(7, "mr_signer", 32),
  bytes(8, "reserved3", 96),
  number(9, "isv_prod_id", 2),
  number(10, "isv_svn", 2),
  bytes(11, "reserved4", 60),
  bytes(12, "report_data", 64),
];

const rule = (name: string, kind: FieldKind = "bytes"): FieldRule => ({ name, kind });
const rulesOf = (parts: readonly Part[]): Readonly<Record<number, FieldRule>> =>
  Object.fromEntries(
    parts.map((p) => [p.id, rule(p.name, p.number ? "u32" : p.times === undefined ? "bytes" : "map")]),
  );

const quoteRules = {
  1: rule("header"),
  2: rule("td_quote_body"),
  3: rule("signed_data_size", "u32"),
  4: rule("signed_data"),
  5: rule("extra_bytes"),
};
const signedRules = { 1: rule("signature"), 2: rule("ecdsa_attestation_key"), 3: rule("certification_data") };
const certificationRules = {
  1: rule("certificate_data_type", "u32"),
  2: rule("size", "u32"),
  3: rule("qe_report_certification_data"),
};
const qeRules = {
  1: rule("qe_report"),
  2: rule("qe_report_signature"),
  3: rule("qe_auth_data"),
  4: rule("pck_certificate_chain_data"),
};
const authRules = { 1: rule("parsed_data_size", "u32"), 2: rule("data") };
const chainRules = { 1: rule("certificate_data_type", "u32"), 2: rule("size", "u32"), 3: rule("pck_cert_chain") };

const fail = (text: string): Error => malformed(text, quoteMalformed);
const decode = (input: Uint8Array, rules: Readonly<Record<number, FieldRule>>, what: string): Message =>
  decodeMessage(input, rules, what, quoteMalformed);

function littleEndian(value: bigint, size: number, field: string): Uint8Array {
  if (value >> BigInt(8 * size) !== 0n) throw fail(`${field}: ${value} needs more than ${size} bytes`);
  return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}
/** A missing message or byte field: proto3 leaves empty ones out, and none of these may be empty. */
function blob(m: Message, name: string, what: string, size?: number): Uint8Array {
  const value = m.blobs.get(name);
  if (value === undefined) throw fail(`${what}: no ${name}`);
  if (size !== undefined && value.length !== size)
    throw fail(`${what}.${name}: needs ${size} bytes, ${value.length} given`);
  return value;
}

function rebuild(message: Message, parts: readonly Part[], what: string): Uint8Array {
  const chunks = parts.flatMap((p): Uint8Array[] => {
    if (p.number) return [littleEndian(message.numbers.get(p.name) ?? 0n, p.size, `${what}.${p.name}`)];
    if (p.times === undefined) return [blob(message, p.name, what, p.size)];
    const list = message.repeated.get(p.name) ?? [];
    if (list.length !== p.times || list.some((b) => b.length !== p.size))
      throw fail(`${what}.${p.name}: needs ${p.times} times ${p.size} bytes`);
    return [...list];
  });
  return new Uint8Array(Buffer.concat(chunks));
}

/** The message states lengths that the rebuilt bytes have too; a difference means that two readers would see two quotes. */
function agree(stated: bigint | undefined, actual: number, field: string): void {
  if (stated !== BigInt(actual)) throw fail(`${field}: ${stated ?? 0n} stated, ${actual} bytes there`);
}

export interface RebuiltQuote {
  /** The quote up to the end of its signature data. */
  readonly quote: Uint8Array;
  /** extra_bytes: padding, or collateral that the issuer attached. Covered by no signature. */
  readonly extra: Uint8Array;
}

/** @throws PmError PM_EVIDENCE_MALFORMED QUOTE_MALFORMED; the fields are judged when the rebuilt quote is decoded */
export function rebuildQuote(input: Uint8Array): RebuiltQuote {
  const message = decode(input, quoteRules, "QuoteV4");
  const header = rebuild(
    decode(blob(message, "header", "QuoteV4"), rulesOf(headerParts), "Header"),
    headerParts,
    "Header",
  );
  const body = rebuild(
    decode(blob(message, "td_quote_body", "QuoteV4"), rulesOf(bodyParts), "TDQuoteBody"),
    bodyParts,
    "TDQuoteBody",
  );
  const data = signedData(blob(message, "signed_data", "QuoteV4"));
  agree(message.numbers.get("signed_data_size"), data.length, "QuoteV4.signed_data_size");
  const quote = new Uint8Array(Buffer.concat([header, body, littleEndian(BigInt(data.length), 4, "size"), data]));
  return { quote, extra: message.blobs.get("extra_bytes") ?? new Uint8Array() };
}

function signedData(input: Uint8Array): Uint8Array {
  const what = "SignedData";
  const m = decode(input, signedRules, what);
  const certification = decode(blob(m, "certification_data", what), certificationRules, "CertificationData");
  const payload = qeCertification(blob(certification, "qe_report_certification_data", "CertificationData"));
  agree(certification.numbers.get("size"), payload.length, "CertificationData.size");
  const type = certification.numbers.get("certificate_data_type") ?? 0n;
  return Buffer.concat([
    blob(m, "signature", what, 64),
    blob(m, "ecdsa_attestation_key", what, 64),
    littleEndian(type, 2, "CertificationData.certificate_data_type"),
    littleEndian(BigInt(payload.length), 4, "CertificationData.size"),
    payload,
  ]);
}

function qeCertification(input: Uint8Array): Uint8Array {
  const what = "QEReportCertificationData";
  const m = decode(input, qeRules, what);
  const report = decode(blob(m, "qe_report", what), rulesOf(enclaveParts), "EnclaveReport");
  const rebuilt = rebuild(report, enclaveParts, "EnclaveReport");
  if (rebuilt.length !== bodySizes["sgx-report"]) throw fail(`EnclaveReport: ${rebuilt.length} bytes`);
  const auth = decode(m.blobs.get("qe_auth_data") ?? new Uint8Array(), authRules, "QeAuthData");
  const authData = auth.blobs.get("data") ?? new Uint8Array();
  agree(auth.numbers.get("parsed_data_size") ?? 0n, authData.length, "QeAuthData.parsed_data_size");
  const chain = decode(blob(m, "pck_certificate_chain_data", what), chainRules, "PCKCertificateChainData");
  const pem = blob(chain, "pck_cert_chain", "PCKCertificateChainData");
  agree(chain.numbers.get("size"), pem.length, "PCKCertificateChainData.size");
  const type = chain.numbers.get("certificate_data_type") ?? 0n;
  return Buffer.concat([
    rebuilt,
    blob(m, "qe_report_signature", what, 64),
    littleEndian(BigInt(authData.length), 2, "QeAuthData.parsed_data_size"),
    authData,
    littleEndian(type, 2, "PCKCertificateChainData.certificate_data_type"),
    littleEndian(BigInt(pem.length), 4, "PCKCertificateChainData.size"),
    pem,
  ]);
}
