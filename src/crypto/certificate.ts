/** X.509 certificates (RFC 5280 4.1) as strict DER. Decoding only: whether one may be believed is path.ts. */
import type { KeyObject } from "node:crypto";
import { once } from "../bytes/once.ts";
import { malformed, PmError } from "../errors.ts";
import { contextTag, DerReader, tags } from "./der.ts";
import { type Extension, readExtensions, type StandardExtensions, standardExtensions } from "./extensions.ts";
import { describeKey, importKey } from "./key.ts";
import { type Name, readName } from "./name.ts";
import { decodePem, looksLikePem } from "./pem.ts";

export { commonName, type Name } from "./name.ts";
export type { Extension };

export interface Certificate {
  /** The whole certificate, DER: a copy of what was given; all other byte fields are views of it. */
  readonly raw: Uint8Array;
  /** TBSCertificate, DER: exactly the bytes that the signature covers. */
  readonly tbs: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** INTEGER content octets as encoded. */
  readonly serial: Uint8Array;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Outer AlgorithmIdentifier, raw DER; not covered by the signature. */
  readonly signatureAlgorithm: Uint8Array;
  /** Inner AlgorithmIdentifier, raw DER. */
  readonly tbsSignatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** SubjectPublicKeyInfo, raw DER. */
  readonly spki: Uint8Array;
  /** In their order, repeated ones included. */
  readonly extensions: readonly Extension[];
}

const maxCertificates = 16;
const maxCertificateBytes = 65536;

function readVersion(tbs: DerReader): 1 | 2 | 3 {
  const tag = contextTag(0, true);
  if (tbs.tag !== tag) return 1;
  const outer = tbs.enter(tag, "version");
  const value = outer.smallInteger("version", 2);
  outer.end("version");
  // v1 is the default, which DER leaves out.
  if (value === 0) throw malformed("version: v1 written out");
  return value === 1 ? 2 : 3;
}

function readTbs(tbs: DerReader) {
  const version = readVersion(tbs);
  const serial = tbs.integer("serialNumber");
  const tbsSignatureAlgorithm = tbs.whole(tags.sequence, "tbsCertificate.signature");
  const issuer = readName(tbs, "issuer");
  const validity = tbs.sequence("validity");
  const notBefore = validity.time("notBefore");
  const notAfter = validity.time("notAfter");
  validity.end("validity");
  const subject = readName(tbs, "subject");
  const spki = tbs.whole(tags.sequence, "subjectPublicKeyInfo");
  for (const n of version === 1 ? [] : [1, 2])
    if (tbs.tag === contextTag(n, false)) tbs.content(contextTag(n, false), "uniqueIdentifier");
  let extensions: Extension[] = [];
  if (version === 3 && tbs.more) {
    const wrapper = tbs.enter(contextTag(3, true), "extensions");
    extensions = readExtensions(wrapper, "extension");
    wrapper.end("extensions");
  }
  tbs.end("tbsCertificate");
  return { version, serial, issuer, subject, notBefore, notAfter, tbsSignatureAlgorithm, spki, extensions };
}

const standard = new WeakMap<Certificate, StandardExtensions>();

/** The extensions that path validation reads, decoded once. @throws PmError PM_EVIDENCE_MALFORMED */
export function standardExtensionsOf(certificate: Certificate): StandardExtensions {
  const before = standard.get(certificate);
  if (before !== undefined) return before;
  const decoded = standardExtensions(certificate.extensions);
  standard.set(certificate, decoded);
  return decoded;
}

/** Puts the name of the evidence before the message of the reader, which knows only the part. */
export function named<T>(field: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof PmError) throw new PmError(error.code, `${field}: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * Decodes one certificate, all bytes of `der`. Repeated extensions are kept: refusing them is the path validation's,
 * so that a verifier can say which one it was.
 * @throws PmError PM_EVIDENCE_MALFORMED naming `field`, the part and its offset
 */
export function decodeCertificate(der: Uint8Array, field = "certificate"): Certificate {
  if (der.length > maxCertificateBytes)
    throw malformed(`${field}: ${der.length} bytes, more than ${maxCertificateBytes}`);
  // Not slice(): that of a Buffer is a view, and the caller may change it.
  const raw = new Uint8Array(der);
  return named(field, () => {
    const outer = DerReader.over(raw);
    const body = outer.sequence("Certificate");
    outer.end("Certificate");
    const { whole: tbs, inner } = body.open(tags.sequence, "tbsCertificate");
    const parts = readTbs(inner);
    const signatureAlgorithm = body.whole(tags.sequence, "signatureAlgorithm");
    const signature = body.octetsOfBitString("signatureValue");
    body.end("Certificate");
    const certificate: Certificate = { raw, tbs, ...parts, signatureAlgorithm, signature };
    standardExtensionsOf(certificate);
    return certificate;
  });
}

/**
 * Decodes one DER certificate or a list of PEM blocks, in their order. Text around blocks other than white space is refused.
 * At most 16 certificates of 64 KiB.
 * @throws PmError PM_EVIDENCE_MALFORMED naming `field`; an empty input is malformed
 */
export function decodeCertificates(bytes: Uint8Array, field = "certificates"): Certificate[] {
  if (!looksLikePem(bytes)) return [decodeCertificate(bytes, field)];
  const blocks = decodePem(bytes, "CERTIFICATE", field, { blocks: maxCertificates, bytes: maxCertificateBytes });
  return blocks.map((block, i) =>
    decodeCertificate(block, blocks.length === 1 ? field : `${field} (PEM block ${i + 1})`),
  );
}

const keys = new WeakMap<Certificate, KeyObject>();

/** The certificate's public key, imported once. @throws PmError PM_EVIDENCE_MALFORMED when it is of no kind that pm uses */
export function publicKeyOf(certificate: Certificate): KeyObject {
  const before = keys.get(certificate);
  if (before !== undefined) return before;
  const key = importKey(certificate.spki);
  keys.set(certificate, key);
  return key;
}

/** Kind and size of the key as its encoding says: "RSA 4096", "EC P-384", "Ed25519"; never throws. */
export const keyDescription = once((certificate: Certificate): string => describeKey(certificate.spki));
