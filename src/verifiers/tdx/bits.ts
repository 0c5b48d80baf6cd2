/** TDATTRIBUTES and XFAM: bits of 64-bit little-endian fields (spec notes tdx.md 1.5). */

/** 8 bytes, little-endian. */
export const u64 = (bytes: Uint8Array): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
export const bitSet = (value: bigint, bit: number): boolean => ((value >> BigInt(bit)) & 1n) === 1n;
export function bitsOf(value: bigint): number[] {
  const bits: number[] = [];
  for (let [rest, i] = [value, 0]; rest !== 0n; rest >>= 1n, i++) if ((rest & 1n) === 1n) bits.push(i);
  return bits;
}

export const debugBit = 0;
export const septVeDisableBit = 28;
export const migratableBit = 29;

const names: ReadonlyMap<number, string> = new Map([
  [debugBit, "DEBUG"],
  [4, "HGS_PLUS_PROF"],
  [5, "PERF_PROF"],
  [6, "PMT_PROF"],
  [16, "ICSSD"],
  [17, "SERVTD_EXT"],
  [27, "LASS"],
  [septVeDisableBit, "SEPT_VE_DISABLE"],
  [migratableBit, "MIGRATABLE"],
  [30, "PKS"],
  [31, "KL"],
  [62, "TPA"],
  [63, "PERFMON"],
]);
/** Names of the set bits, in ascending order; a bit without a name is its number. */
export const attributesText = (value: bigint): string =>
  bitsOf(value)
    .map((bit) => names.get(bit) ?? `bit ${bit}`)
    .join(" ") || "none";

const mask = (from: number, to: number): bigint => ((1n << BigInt(to - from + 1)) - 1n) << BigInt(from);
/** Bits 1 to 7: the rest of the group that makes a domain one under debug. */
export const untrustedMask = mask(1, 7);
/** Must be zero after 348551-008US, table 3.23, outside the TUD group. */
export const reservedMask = mask(8, 15) | mask(23, 26) | mask(32, 61);

/** x87 and SSE. */
export const xfamFixed1 = 0x3n;
export const xfamAllowed = 0x6dbe7n;
/** Bits 11 and 12: a domain gets both or none. */
export const cetMask = 0x1800n;
export const halfCet = (xfam: bigint): boolean => (xfam & cetMask) !== 0n && (xfam & cetMask) !== cetMask;
