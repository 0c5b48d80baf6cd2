/** X.509 certificate revocation lists (RFC 5280 5): strict DER, signature, dates. Looking a certificate up is the caller's. */
import { hex, sameBytes } from "../bytes/hex.ts";
import { malformed } from "../errors.ts";
import { type SignatureAlgorithm, verifySignature } from "./algorithms.ts";
import { type Certificate, named, standardExtensionsOf } from "./certificate.ts";
import { keyOf, type Revocation, readEntries } from "./crlentries.ts";
import { contextTag, DerReader, decodeWhole, tags } from "./der.ts";
import { duplicateOid, type Extension, extensionOids, keyUsageBits, readExtensions } from "./extensions.ts";
import { type Name, nameText, readName, sameName } from "./name.ts";
import { decodePem, looksLikePem } from "./pem.ts";

export type { Revocation };

export interface Crl {
  /** The whole list, DER; all other byte fields are views of it. */
  readonly raw: Uint8Array;
  /** TBSCertList, DER: exactly the bytes that the signature covers. */
  readonly tbs: Uint8Array;
  readonly version: 1 | 2;
  readonly issuer: Name;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  /** CRL number (RFC 5280 5.2.3). */
  readonly number: bigint | undefined;
  /** By `serialKey`. Of a serial listed twice the first entry. */
  readonly revoked: ReadonlyMap<string, Revocation>;
  /** Serial keys that are listed more than once. */
  readonly duplicates: readonly string[];
  readonly extensions: readonly Extension[];
  /** What pm does not process and must not ignore: critical extensions of the list or of an entry, delta lists, partial scopes. */
  readonly unprocessed: readonly string[];
  readonly signatureAlgorithm: Uint8Array;
  readonly tbsSignatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
}

const maxBytes = 16 * 1024 * 1024;
/** Lower-case hex of the serial number's value without the sign octet ("00" for 0; "-" and the octets for a negative one). */
export const serialKey = (certificate: Certificate): string => keyOf(certificate.serial);

function readListExtensions(tbs: DerReader, unprocessed: Set<string>): Extension[] {
  const wrapper = tbs.enter(contextTag(0, true), "crlExtensions");
  const extensions = readExtensions(wrapper, "crlExtensions");
  wrapper.end("crlExtensions");
  if (duplicateOid(extensions)) throw malformed("crlExtensions: one occurs twice");
  for (const { oid, critical } of extensions) {
    // These two say that the list is not complete for its issuer. They must be critical, and count even where they are not.
    const partial = oid === extensionOids.deltaCrlIndicator || oid === extensionOids.issuingDistributionPoint;
    if (partial || (critical && oid !== extensionOids.crlNumber))
      unprocessed.add(`${critical ? "critical " : ""}extension ${oid}`);
  }
  return extensions;
}

function readNumber(extensions: readonly Extension[]): bigint | undefined {
  const extension = extensions.find((one) => one.oid === extensionOids.crlNumber);
  if (extension === undefined) return undefined;
  const octets = decodeWhole(extension.value, "cRLNumber", (r) => r.integer("cRLNumber"));
  if ((octets[0] ?? 0x80) >= 0x80 || octets.length > 21)
    throw malformed("cRLNumber: negative or longer than 20 octets");
  return BigInt(`0x${hex(octets)}`);
}

/** The version is there for v2 only (RFC 5280 5.1.2.1). */
function readVersion(tbs: DerReader): 1 | 2 {
  if (tbs.tag !== tags.integer) return 1;
  if (tbs.smallInteger("version", 1) !== 1) throw malformed("version: v1 written out");
  return 2;
}

function readTbs(tbs: DerReader) {
  const version = readVersion(tbs);
  const tbsSignatureAlgorithm = tbs.whole(tags.sequence, "tbsCertList.signature");
  const issuer = readName(tbs, "issuer");
  const thisUpdate = tbs.time("thisUpdate");
  const dated = tbs.tag === tags.utcTime || tbs.tag === tags.generalizedTime;
  const nextUpdate = dated ? tbs.time("nextUpdate") : undefined;
  const unprocessed = new Set<string>();
  const entries = readEntries(tbs, unprocessed);
  const extensions = version === 2 && tbs.more ? readListExtensions(tbs, unprocessed) : [];
  tbs.end("tbsCertList");
  const number = readNumber(extensions);
  return {
    version,
    tbsSignatureAlgorithm,
    issuer,
    thisUpdate,
    nextUpdate,
    ...entries,
    extensions,
    number,
    unprocessed: [...unprocessed],
  };
}

/**
 * Decodes one CRL, DER or one PEM block, at most 16 MiB and 100 000 entries.
 * @throws PmError PM_EVIDENCE_MALFORMED naming `field`, the part and its offset
 */
export function decodeCrl(bytes: Uint8Array, field = "CRL"): Crl {
  const der = looksLikePem(bytes) ? decodePem(bytes, "X509 CRL", field, { blocks: 1, bytes: maxBytes })[0] : bytes;
  if (der === undefined || der.length > maxBytes) throw malformed(`${field}: more than ${maxBytes} bytes`);
  // Not slice(): that of a Buffer is a view, and the caller may change it.
  const raw = new Uint8Array(der);
  return named(field, () => {
    const outer = DerReader.over(raw);
    const body = outer.sequence("CertificateList");
    outer.end("CertificateList");
    const { whole: tbs, inner } = body.open(tags.sequence, "tbsCertList");
    const parts = readTbs(inner);
    const signatureAlgorithm = body.whole(tags.sequence, "signatureAlgorithm");
    const signature = body.octetsOfBitString("signatureValue");
    body.end("CertificateList");
    return { raw, tbs, ...parts, signatureAlgorithm, signature };
  });
}

export type CrlProblem = {
  readonly rule:
    | "issuer"
    | "signature"
    | "algorithm"
    | "critical-extension"
    | "expired"
    | "not-yet-valid"
    | "no-next-update";
  readonly message: string;
};

function* problems(
  crl: Crl,
  issuer: Certificate,
  at: Date,
  allowed: readonly SignatureAlgorithm[],
): Generator<CrlProblem> {
  if (!sameName(crl.issuer, issuer.subject) || crl.issuer.attributes.length === 0)
    yield { rule: "issuer", message: `issued by ${nameText(crl.issuer)}, needs ${nameText(issuer.subject)}` };
  // A certificate without keyUsage may sign nothing here, and AMD's ASK has keyCertSign only (snp.md 4.2).
  if (!standardExtensionsOf(issuer).keyUsage?.has(keyUsageBits.crlSign))
    yield {
      rule: "issuer",
      message: `${nameText(issuer.subject)} may not sign revocation lists: no cRLSign in its keyUsage`,
    };
  if (!sameBytes(crl.signatureAlgorithm, crl.tbsSignatureAlgorithm))
    yield { rule: "algorithm", message: "signature algorithm inside and outside the signed part differ" };
  const verified = verifySignature(crl.tbs, crl.signatureAlgorithm, crl.signature, issuer, allowed);
  if (verified === "algorithm")
    yield { rule: "algorithm", message: `signature algorithm is not ${allowed.join(" or ")}` };
  if (verified === "invalid")
    yield { rule: "signature", message: `signature does not verify with the key of ${nameText(issuer.subject)}` };
  for (const what of crl.unprocessed) yield { rule: "critical-extension", message: `${what} is not processed` };
  // Written so that an invalid Date lies in no window.
  if (!(at.getTime() >= crl.thisUpdate.getTime()))
    yield { rule: "not-yet-valid", message: `thisUpdate is ${crl.thisUpdate.toISOString()}` };
  if (crl.nextUpdate === undefined) yield { rule: "no-next-update", message: "nextUpdate is missing" };
  else if (!(at.getTime() < crl.nextUpdate.getTime()))
    yield { rule: "expired", message: `nextUpdate was ${crl.nextUpdate.toISOString()}` };
}

/**
 * Is this list the issuer's word for the time `at`: issuer name and cRLSign, algorithm, signature, thisUpdate <= at < nextUpdate,
 * nothing in it that would have to be processed and is not? All problems come back; [] means that its entries count.
 * It says nothing about whether `issuer` itself may be believed, and nothing about who is on the list.
 */
export function crlProblems(
  crl: Crl,
  issuer: Certificate,
  at: Date,
  allowed: readonly SignatureAlgorithm[],
): CrlProblem[] {
  return [...problems(crl, issuer, at, allowed)];
}

/** An authentic list, or another dated document that its vendor signed, for the high-water mark that stops an older one later. */
export interface SeenCrl {
  /** Common name of a list's issuer; for a document the name of its mark. */
  readonly issuer: string;
  /** Decimal: the list's number, or the number that Intel gives a document's TCB evaluation. */
  readonly number: string | null;
  readonly thisUpdate: string;
  readonly nextUpdate: string | null;
  readonly from: string;
  /** The vendor's service, or who stands in its place, offered it. */
  readonly offered: boolean;
  /** The auditor gave it; what is neither came with the evidence. */
  readonly given: boolean;
}
