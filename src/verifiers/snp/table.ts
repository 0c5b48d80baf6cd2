/** Certificate table of an extended guest request, GHCB (56421) MSG_REPORT_REQ with extended data. */

import { hex } from "../../bytes/hex.ts";
import { Reader } from "../../bytes/reader.ts";
import { malformed } from "../../errors.ts";

const code = "certtable";
const entrySize = 24;
const maxEntries = 64;
const maxTableBytes = 1 << 20;

/** GUIDs are stored in text order (RFC 4122, big-endian), unlike those of firmware tables. */
const names = {
  c0b406a4a803495297433fb6014cd0ae: "ark",
  "4ab7b379bbac4fe4a02f05aef327c782": "ask",
  "63da758de6644564adc5f4b93be8accd": "vcek",
  a8074bc2a25a483eaae639c045a0b8a1: "vlek",
  ecae0c0f950243b1afa20ae2e0d565b6: "extraPlatformInfo",
} as const;
type EntryName = (typeof names)[keyof typeof names];

const nameOf = (guid: string): EntryName | undefined =>
  Object.hasOwn(names, guid) ? names[guid as keyof typeof names] : undefined;

export interface CertificateTable {
  /** DER or PEM, as the host stored it. `ask` holds the ASVK on a VLEK host. */
  readonly ark?: Uint8Array;
  readonly ask?: Uint8Array;
  readonly vcek?: Uint8Array;
  readonly vlek?: Uint8Array;
}

/** Whether these bytes are meant as a table at all: the first entry is a known one or the terminator. */
export function looksLikeTable(bytes: Uint8Array): boolean {
  if (bytes.length < entrySize) return false;
  return bytes.subarray(0, entrySize).every((b) => b === 0) || nameOf(hex(bytes.subarray(0, 16))) !== undefined;
}

/**
 * Entries of unknown GUID are skipped; the four certificates may occur once. Bytes that no entry covers must be zero.
 * @throws PmError PM_EVIDENCE_MALFORMED certtable
 */
export function decodeCertificateTable(bytes: Uint8Array): CertificateTable {
  if (bytes.length > maxTableBytes) throw malformed(`certificate table: ${bytes.length} bytes are too many`, code);
  const entries = decodeEntries(new Reader(bytes, code));
  const headerSize = (entries.length + 1) * entrySize;
  const covered = new Uint8Array(bytes.length).fill(1, 0, headerSize);
  const found: { [K in EntryName]?: Uint8Array } = {};
  for (const { guid, offset, length } of entries) {
    // Numbers, not 32-bit integers: the sum cannot wrap.
    if (offset < headerSize || offset + length > bytes.length)
      throw malformed(`certificate table: entry ${guid} is at ${offset}+${length}, outside the data`, code);
    covered.fill(1, offset, offset + length);
    const name = nameOf(guid);
    if (name === undefined) continue;
    if (found[name] !== undefined) throw malformed(`certificate table: two entries ${guid} (${name})`, code);
    found[name] = bytes.slice(offset, offset + length);
  }
  const stray = bytes.findIndex((b, i) => b !== 0 && covered[i] === 0);
  if (stray >= 0) throw malformed(`certificate table: byte ${stray} belongs to no entry`, code);
  const { extraPlatformInfo: _hint, ...certificates } = found;
  return certificates;
}

/** 16 bytes GUID, u32 offset from the start of the table, u32 length; ended by an entry of zeros. */
function decodeEntries(r: Reader): { guid: string; offset: number; length: number }[] {
  const entries: { guid: string; offset: number; length: number }[] = [];
  for (;;) {
    const guid = hex(r.bytes(16, "certificate table GUID"));
    const offset = r.u32le("certificate table offset");
    const length = r.u32le("certificate table length");
    if (/^0+$/.test(guid)) {
      if (offset !== 0 || length !== 0) throw malformed("certificate table: the last entry is not all zero", code);
      return entries;
    }
    if (entries.length === maxEntries) throw malformed(`certificate table: more than ${maxEntries} entries`, code);
    entries.push({ guid, offset, length });
  }
}
