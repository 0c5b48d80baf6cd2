/** Entries of a certificate revocation list (RFC 5280 5.1.2.6, 5.3). */
import { hex } from "../bytes/hex.ts";
import { malformed } from "../errors.ts";
import { type DerReader, decodeWhole, tags } from "./der.ts";
import { duplicateOid, type Extension, extensionOids, readExtensions } from "./extensions.ts";

export interface Revocation {
  readonly date: Date;
  /** CRLReason (RFC 5280 5.3.1), where the entry has one. */
  readonly reason?: number;
}

const maxEntries = 100_000;
/** Two's complement, so a longer serial than a certificate may have still reads; the bound keeps the keys short. */
const maxSerialOctets = 64;

/** `serialKey` of the content octets of an INTEGER. */
export function keyOf(serial: Uint8Array): string {
  const [first = 0] = serial;
  if (first >= 0x80) return `-${hex(serial)}`;
  return hex(first === 0 && serial.length > 1 ? serial.subarray(1) : serial);
}

function readReason(extensions: readonly Extension[]): number | undefined {
  const reason = extensions.find((extension) => extension.oid === extensionOids.reasonCode);
  return reason && decodeWhole(reason.value, "reasonCode", (r) => r.smallInteger("reasonCode", 10, tags.enumerated));
}

function readEntry(list: DerReader, unprocessed: Set<string>): { key: string; revocation: Revocation } {
  const entry = list.sequence("revokedCertificates");
  const serial = entry.integer("userCertificate");
  if (serial.length > maxSerialOctets) throw malformed(`userCertificate: serial of ${serial.length} octets`);
  const date = entry.time("revocationDate");
  let reason: number | undefined;
  if (entry.more) {
    const extensions = readExtensions(entry, "crlEntryExtensions");
    if (duplicateOid(extensions)) throw malformed("crlEntryExtensions: one occurs twice");
    reason = readReason(extensions);
    for (const { oid, critical } of extensions)
      if (critical && oid !== extensionOids.reasonCode) unprocessed.add(`critical entry extension ${oid}`);
  }
  entry.end("revokedCertificates");
  return { key: keyOf(serial), revocation: reason === undefined ? { date } : { date, reason } };
}

/** revokedCertificates; `unprocessed` takes what pm would have to process in an entry and does not. */
export function readEntries(tbs: DerReader, unprocessed: Set<string>) {
  const revoked = new Map<string, Revocation>();
  const duplicates = new Set<string>();
  if (tbs.tag !== tags.sequence) return { revoked, duplicates: [] };
  const list = tbs.sequence("revokedCertificates");
  let count = 0;
  // An empty list is left out, never written (RFC 5280 5.1.2.6).
  do {
    if (++count > maxEntries) throw malformed(`revokedCertificates: more than ${maxEntries}`);
    const { key, revocation } = readEntry(list, unprocessed);
    if (revoked.has(key)) duplicates.add(key);
    else revoked.set(key, revocation);
  } while (list.more);
  return { revoked, duplicates: [...duplicates] };
}
