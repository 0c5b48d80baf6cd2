/** PEM (RFC 7468), the strict form: blocks of one label with nothing but white space between them, canonical base64. */
import { fromBase64 } from "../bytes/hex.ts";
import { malformed } from "../errors.ts";

const dash = 0x2d;
const isWhiteSpace = (octet: number): boolean => octet === 0x20 || (octet >= 0x09 && octet <= 0x0d && octet !== 0x0b);

/** True when the bytes begin like PEM: optional white space and five dashes. DER never does. */
export function looksLikePem(bytes: Uint8Array): boolean {
  const first = bytes.findIndex((octet) => !isWhiteSpace(octet));
  return (
    first >= 0 &&
    bytes.subarray(first, first + 5).length === 5 &&
    bytes.subarray(first, first + 5).every((o) => o === dash)
  );
}

export interface PemLimits {
  readonly blocks: number;
  /** Of one decoded block. */
  readonly bytes: number;
}

/**
 * Decodes PEM blocks of `label`, in their order.
 * @throws PmError PM_EVIDENCE_MALFORMED for another label, headers, text around a block, no block, or too many or too large ones
 */
export function decodePem(bytes: Uint8Array, label: string, field: string, limits: PemLimits): Uint8Array[] {
  // base64 takes 4/3; the rest is line breaks and the frames.
  if (bytes.length > limits.blocks * (limits.bytes * 1.5 + 256))
    throw malformed(`${field}: ${bytes.length} bytes of PEM are too many`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    while (isWhiteSpace(text.charCodeAt(at))) at++;
    if (at === text.length) break;
    if (!text.startsWith(begin, at)) throw malformed(`${field}: needs ${begin} at offset ${at}`);
    const from = at + begin.length;
    const to = text.indexOf("-----", from);
    if (to < 0 || !text.startsWith(end, to)) throw malformed(`${field}: block at offset ${at} has no ${end}`);
    if (blocks.length === limits.blocks) throw malformed(`${field}: more than ${limits.blocks} PEM blocks`);
    const block = fromBase64(text.slice(from, to).replace(/[\r\n]/g, ""), `${field} (PEM block ${blocks.length + 1})`);
    if (block.length > limits.bytes)
      throw malformed(`${field}: PEM block ${blocks.length + 1} has more than ${limits.bytes} bytes`);
    blocks.push(block);
    at = to + end.length;
  }
  if (blocks.length === 0) throw malformed(`${field}: no PEM block`);
  return blocks;
}
