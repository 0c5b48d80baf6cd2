/** Seeded mutations of genuine inputs: what a decoder meets when one thing, or a few, went wrong or were made to. */

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const telling = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x22, 0x30, 0x5c, 0x7b, 0x5b, 0x2d, 0x27, 0x84];

/** One to four changes of a copy of `sample`; `other` gives the bytes that are spliced in. */
export function mutate(sample: Uint8Array, other: Uint8Array, random: () => number): Uint8Array {
  const below = (n: number): number => Math.floor(random() * n);
  const pick = (bytes: Uint8Array): Uint8Array => {
    const start = below(bytes.length);
    return bytes.subarray(start, start + 1 + below(Math.min(64, bytes.length)));
  };
  const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
  let bytes: Uint8Array = sample.slice();
  for (let changes = 1 + below(below(2) === 0 ? 1 : 4); changes > 0; changes--) {
    const at = below(bytes.length + 1);
    const byte = at < bytes.length ? (bytes[at] ?? 0) : 0;
    switch (below(9)) {
      case 0:
      case 1:
        bytes = bytes.slice();
        bytes.fill(byte ^ (1 << below(8)), at, at + 1);
        break;
      case 2:
        bytes.fill(telling[below(telling.length)] ?? 0, at, at + 1);
        break;
      case 3:
        bytes.fill(below(256), at, at + 1 + below(8));
        break;
      case 4:
        bytes = bytes.slice(0, at);
        break;
      case 5:
        bytes = join(bytes.subarray(0, at), Uint8Array.of(below(256)), bytes.subarray(at));
        break;
      case 6:
        bytes = join(bytes.subarray(0, at), pick(bytes), bytes.subarray(at));
        break;
      case 7:
        bytes = join(bytes.subarray(0, at), bytes.subarray(at + 1 + below(64)));
        break;
      default:
        bytes = join(bytes.subarray(0, at), pick(other), bytes.subarray(at));
    }
    if (bytes.length === 0) break;
  }
  return bytes;
}
