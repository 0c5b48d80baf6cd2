/**
 * The dm-verity superblock that Privatemode's parameters make (verity note, 1 and 6): every one of its 512 bytes is known
 * once the number of data blocks is. The disk mounter takes salt, algorithm and block count from it, so it is compared
 * field by field and never believed.
 */
const blockBytes = 4096;
const digestsInBlock = 128;
export const superblockBytes = 512;

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly value: Uint8Array;
}

/** Offsets of cryptsetup's lib/verity/verity.c; what is not named is zero. */
function fieldsOf(dataBlocks: number): Field[] {
  const number = (length: 2 | 4 | 8, value: number): Uint8Array => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    return bytes.subarray(0, length);
  };
  const text = (length: number, value: string): Uint8Array => {
    const bytes = new Uint8Array(length);
    bytes.set(Buffer.from(value, "latin1"));
    return bytes;
  };
  const field = (name: string, offset: number, value: Uint8Array): Field => ({
    name,
    offset,
    length: value.length,
    value,
  });
  return [
    field("signature", 0, text(8, "verity")),
    field("version", 8, number(4, 1)),
    field("hash type", 12, number(4, 1)),
    field("UUID", 16, new Uint8Array(16)),
    field("algorithm", 32, text(32, "sha256")),
    field("data block size", 64, number(4, blockBytes)),
    field("hash block size", 68, number(4, blockBytes)),
    field("data blocks", 72, number(8, dataBlocks)),
    field("salt length", 80, number(2, 1)),
    field("padding at 82", 82, new Uint8Array(6)),
    field("salt", 88, new Uint8Array(256)),
    field("padding at 344", 344, new Uint8Array(168)),
  ];
}

/** @param bytes 512 bytes behind the data */
export function differingFields(bytes: Uint8Array, dataBlocks: number): string[] {
  if (bytes.length !== superblockBytes) return [`${bytes.length} bytes in place of ${superblockBytes}`];
  return fieldsOf(dataBlocks)
    .filter((f) => !Buffer.from(bytes.subarray(f.offset, f.offset + f.length)).equals(f.value))
    .map((f) => f.name);
}

/** Lengths that a finished disk of so many data blocks may have: of one block there is no tree, and veritysetup may not pad. */
export function finishedSizes(dataBlocks: number): number[] {
  const data = dataBlocks * blockBytes;
  if (dataBlocks <= 1) return [data + blockBytes, data + superblockBytes];
  let hashBlocks = 0;
  for (let blocks = dataBlocks; blocks > 1; ) {
    blocks = Math.ceil(blocks / digestsInBlock);
    hashBlocks += blocks;
  }
  return [data + blockBytes * (1 + hashBlocks)];
}
