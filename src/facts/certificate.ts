/** Fields of certificates and revocation lists as `pm inspect` shows them: what they say, not whether it may be believed. */
import { createHash } from "node:crypto";
import { hex } from "../bytes/hex.ts";
import { type Certificate, decodeCertificates, keyDescription } from "../crypto/certificate.ts";
import { type Crl, decodeCrl } from "../crypto/crl.ts";
import type { Name } from "../crypto/name.ts";
import type { Json } from "../report/report.ts";
import { rfc } from "../time.ts";
import { pckFacts } from "./pck.ts";

/** Revoked serials shown; the count is always that of the whole list. */
const shownEntries = 1000;
/** Attribute types of RFC 5280 appendix A, by their usual short names. */
const attributes: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
};
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const nameFacts = (name: Name): Json =>
  name.attributes.length === 0
    ? "(empty name)"
    : name.attributes.map(({ oid, value }) => `${attributes[oid] ?? oid}=${value}`).join(", ");

const certificateFacts = (c: Certificate): Json => ({
  subject: nameFacts(c.subject),
  issuer: nameFacts(c.issuer),
  serial: hex(c.serial),
  version: c.version,
  notBefore: rfc(c.notBefore),
  notAfter: rfc(c.notAfter),
  key: keyDescription(c),
  spkiSha256: sha256(c.spki),
  sha256: sha256(c.raw),
  extensions: c.extensions.map((e) => ({ oid: e.oid, critical: e.critical, value: hex(e.value) })),
  ...pckFacts(c),
});

/** One certificate or a PEM list, in its order. @throws PmError PM_EVIDENCE_MALFORMED */
export const certificatesToFacts = (bytes: Uint8Array): Json => ({
  certificates: decodeCertificates(bytes).map(certificateFacts),
});

const crlFacts = (crl: Crl): Json => ({
  issuer: nameFacts(crl.issuer),
  number: crl.number === undefined ? null : crl.number.toString(),
  thisUpdate: rfc(crl.thisUpdate),
  nextUpdate: crl.nextUpdate === undefined ? null : rfc(crl.nextUpdate),
  sha256: sha256(crl.raw),
  entries: crl.revoked.size,
  notShown: Math.max(0, crl.revoked.size - shownEntries),
  revoked: [...crl.revoked]
    .slice(0, shownEntries)
    .map(([serial, { date, reason }]) => ({ serial, date: rfc(date), reason: reason ?? null })),
});

/** @throws PmError PM_EVIDENCE_MALFORMED */
export const crlToFacts = (bytes: Uint8Array): Json => crlFacts(decodeCrl(bytes));
