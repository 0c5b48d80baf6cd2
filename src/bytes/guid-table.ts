/**
 * The GUIDed table at the end of OVMF images (EDK2 OvmfPkg ResetVector): how SEV and TDX tools find their metadata in a
 * firmware image. Entries are data, u16 size, GUID; the size counts all three; the table is walked backwards from its
 * footer entry, which ends 32 bytes before the image does.
 */
import { type PmError, malformed as refuse } from "../errors.ts";

const afterFooter = 32;
const tailSize = 18;
const footer = "96b582de-1fb2-45f7-baea-a366c55a082d";

/** Text form of a GUID as firmware stores it: the first three groups little-endian (unlike RFC 4122). */
export function guidText(bytes: Uint8Array): string {
  const h = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString("hex");
  const group = (from: number, to: number): string => (h.slice(from, to).match(/../g) ?? []).reverse().join("");
  return `${group(0, 8)}-${group(8, 12)}-${group(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
}

/** 16 bytes of a GUID's text as firmware stores it. */
export function guidBytes(text: string): Uint8Array {
  const [a = "", b = "", c = "", d = "", e = ""] = text.split("-");
  const parts = [a, b, c].map((part) => Buffer.from(part, "hex").reverse());
  return new Uint8Array(Buffer.concat([...parts, Buffer.from(d + e, "hex")]));
}

/**
 * Data of each entry by GUID text; undefined where the image has no such table.
 * @param reasonCode of the errors
 * @throws PmError PM_EVIDENCE_MALFORMED for entries that do not fill the table exactly, or a GUID that occurs twice:
 * two readers could see two tables
 */
export function decodeGuidTable(image: Uint8Array, reasonCode: string): ReadonlyMap<string, Uint8Array> | undefined {
  const malformed = (what: string): PmError => refuse(`firmware GUID table: ${what}`, reasonCode);
  const end = image.length - afterFooter - tailSize;
  if (end < 0 || guidText(image.subarray(end + 2, end + tailSize)) !== footer) return undefined;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const whole = view.getUint16(end, true);
  const start = end + tailSize - whole;
  if (whole < tailSize || start < 0) throw malformed(`${whole} bytes, of which the footer alone has ${tailSize}`);
  const found = new Map<string, Uint8Array>();
  for (let at = end; at > start; ) {
    if (at - start < tailSize) throw malformed(`${at - start} bytes at offset ${start} belong to no entry`);
    const guid = guidText(image.subarray(at - 16, at));
    const size = view.getUint16(at - tailSize, true);
    if (size < tailSize || at - size < start)
      throw malformed(`entry ${guid} of ${size} bytes at offset ${at - tailSize}`);
    if (found.has(guid)) throw malformed(`two entries ${guid}`);
    found.set(guid, image.slice(at - size, at - tailSize));
    at -= size;
  }
  return found;
}
