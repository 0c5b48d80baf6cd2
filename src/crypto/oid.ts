/** Object identifiers: content octets (X.690 8.19) to dotted decimal. */

/** Longest that is read; a UUID arc (2.25.x) takes 19 octets. */
const maxOctets = 64;
const known = new Map<string, string>();
/** Certificates use a few dozen; the bound keeps hostile input from growing the table. */
const maxKnown = 256;

function decode(octets: Uint8Array): string | undefined {
  const arcs: bigint[] = [];
  let arc = 0n;
  let fresh = true;
  for (const octet of octets) {
    if (fresh && octet === 0x80) return undefined;
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    fresh = octet < 0x80;
    if (fresh) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [first, ...rest] = arcs;
  if (!fresh || first === undefined) return undefined;
  const top = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [top, first - top * 40n, ...rest].join(".");
}

/** Dotted decimal; undefined for an empty, cut off, padded or over-long encoding. */
export function oidText(octets: Uint8Array): string | undefined {
  if (octets.length === 0 || octets.length > maxOctets) return undefined;
  // Decoded once: a third of a certificate's parsing time otherwise.
  const key = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("latin1");
  const before = known.get(key);
  if (before !== undefined) return before;
  const text = decode(octets);
  if (text !== undefined && known.size < maxKnown) known.set(key, text);
  return text;
}
