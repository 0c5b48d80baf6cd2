/**
 * EROFS superblock, 128 bytes at offset 1024, little-endian (erofs-utils 1.9.3, include/erofs_fs.h, struct
 * erofs_super_block; field names are its own without prefix). Decoded whole; what it says is judged in ../image.ts.
 */
import { Reader } from "../../../bytes/reader.ts";
import { malformed, unsupported } from "../../../errors.ts";
import { crc32c } from "./crc32c.ts";
import type { Image } from "./types.ts";
import type { Defect } from "./volume.ts";

export interface Superblock {
  /** As written; 0 is a value like any other. */
  readonly checksum: number;
  /** CRC-32C over the rest of the superblock's block, the field itself as zero. */
  readonly computedChecksum: number;
  readonly featureCompat: number;
  readonly blkszBits: number;
  /** Bytes. */
  readonly blockSize: number;
  readonly sbExtSlots: number;
  /** 128 and 16 for each extension slot. */
  readonly sizeBytes: number;
  readonly rootNid: bigint;
  /** Inodes that the file system says it has. */
  readonly inodes: bigint;
  readonly epoch: bigint;
  readonly fixedNsec: number;
  readonly blocks: number;
  readonly metaBlkAddr: number;
  readonly xattrBlkAddr: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  /** 16 bytes, NUL padded. */
  readonly volumeName: Uint8Array;
  readonly featureIncompat: number;
  /** Compression algorithms, or the LZ4 distance. */
  readonly compression: number;
  readonly extraDevices: number;
  readonly devtSlotOffset: number;
  readonly dirBlkBits: number;
  readonly xattrPrefixCount: number;
  readonly xattrPrefixStart: number;
  readonly packedNid: bigint;
  readonly xattrFilter: number;
  /** Added to `epoch` since 1.9; unused before. */
  readonly buildTime: number;
  /** Offsets 105 to 107 and 112 to 127: unused in the layouts that are read here. */
  readonly reserved: Uint8Array;
}

export const superblockOffset = 1024;
const fixedBytes = 128;
/** Bytes e2 e1 f5 e0. */
const magic = 0xe0f5e1e2;

/**
 * feature_compat: a reader that does not know one may go on. pm goes on with those whose meaning is known, but for
 * ISHARE_XATTRS: with it a kernel may show one file the pages of another whose attribute claims the same fingerprint.
 */
const compatBits: readonly (readonly [bit: number, name: string])[] = [
  [0x1, "SB_CHKSUM"],
  [0x2, "MTIME"],
  [0x4, "XATTR_FILTER"],
  [0x8, "SHARED_EA_IN_METABOX"],
  [0x10, "PLAIN_XATTR_PFX"],
  [0x20, "ISHARE_XATTRS"],
];
export const sbChksum = 0x1;
const ishareXattrs = 0x20;
/** feature_incompat: LZ4_0PADDING alone is read, since mkfs.erofs 1.9 sets it where nothing is compressed. */
const incompatBits: readonly (readonly [bit: number, name: string])[] = [
  [0x1, "LZ4_0PADDING"],
  [0x2, "COMPR_CFGS or BIG_PCLUSTER"],
  [0x4, "CHUNKED_FILE"],
  [0x8, "DEVICE_TABLE"],
  [0x10, "ZTAILPACKING"],
  [0x20, "FRAGMENTS or DEDUPE"],
  [0x40, "XATTR_PREFIXES"],
  [0x80, "48BIT"],
  [0x100, "METABOX"],
];
export const lz4ZeroPadding = 0x1;

const defect: Defect = "erofs-superblock";
const bad = (message: string) => malformed(`EROFS superblock: ${message}`, defect);
const hexWord = (n: number): string => `0x${n.toString(16)}`;

/** Names of the bits that are set, lowest first; one that is not known by its number. */
const namesOf = (value: number, known: typeof compatBits): string[] =>
  Array.from({ length: 32 }, (_, i) => 2 ** i)
    .filter((bit) => (value & bit) !== 0)
    .map((bit) => known.find(([b]) => b === bit)?.[1] ?? `bit ${hexWord(bit)}`);
export const compatNames = (value: number): string[] => namesOf(value, compatBits);
export const incompatNames = (value: number): string[] => namesOf(value, incompatBits);

/**
 * The part of the superblock's block that its checksum covers: from the superblock to the end of the block, and a whole
 * block's length where the block ends before the superblock begins.
 */
const coveredBytes = (blockSize: number): number =>
  blockSize > superblockOffset ? blockSize - superblockOffset : blockSize;

/** @param covered the bytes that the checksum covers, from the superblock on */
export function superblockChecksum(covered: Uint8Array): number {
  const bytes = covered.slice();
  bytes.fill(0, 4, 8);
  return crc32c(bytes);
}

/**
 * @throws PmError PM_EVIDENCE_MALFORMED where this is no EROFS superblock; PM_EVIDENCE_UNSUPPORTED for a feature that is
 * not read here
 */
export function decodeSuperblock(image: Image): Superblock {
  if (image.sizeBytes < superblockOffset + fixedBytes)
    throw bad(`needs ${fixedBytes} bytes at offset ${superblockOffset}, the image has ${image.sizeBytes} bytes`);
  const r = new Reader(image.read(superblockOffset, fixedBytes), defect);
  const found = r.u32le("magic");
  if (found !== magic) throw bad(`magic ${hexWord(found)} at offset ${superblockOffset}, expected ${hexWord(magic)}`);
  const checksum = r.u32le("checksum");
  const featureCompat = r.u32le("feature_compat");
  const blkszBits = r.u8("blkszbits");
  const sbExtSlots = r.u8("sb_extslots");
  const rootNid = r.u16le("root_nid");
  const inodes = r.u64le("inos");
  const epoch = r.u64le("epoch");
  const fixedNsec = r.u32le("fixed_nsec");
  const blocks = r.u32le("blocks_lo");
  const metaBlkAddr = r.u32le("meta_blkaddr");
  const xattrBlkAddr = r.u32le("xattr_blkaddr");
  const uuid = r.bytes(16, "uuid");
  const volumeName = r.bytes(16, "volume_name");
  const featureIncompat = r.u32le("feature_incompat");
  const compression = r.u16le("available_compr_algs");
  const extraDevices = r.u16le("extra_devices");
  const devtSlotOffset = r.u16le("devt_slotoff");
  const dirBlkBits = r.u8("dirblkbits");
  const xattrPrefixCount = r.u8("xattr_prefix_count");
  const xattrPrefixStart = r.u32le("xattr_prefix_start");
  const packedNid = r.u64le("packed_nid");
  const xattrFilter = r.u8("xattr_filter_reserved");
  const reservedBefore = r.bytes(3, "reserved");
  const buildTime = r.u32le("build_time");
  const reservedAfter = r.bytes(16, "reserved");

  supported(featureCompat & ~(maskOf(compatBits) & ~ishareXattrs), "feature_compat", compatNames);
  supported(featureIncompat & ~lz4ZeroPadding, "feature_incompat", incompatNames);
  // The kernel reads blocks up to its page size; mkfs.erofs writes them from 512 bytes on.
  if (blkszBits < 9 || blkszBits > 16) throw unsupported(`EROFS superblock: blkszbits ${blkszBits}; known: 9 to 16`);
  if (dirBlkBits !== 0) throw unsupported(`EROFS superblock: dirblkbits ${dirBlkBits}; known: 0`);
  const blockSize = 2 ** blkszBits;
  const sizeBytes = fixedBytes + 16 * sbExtSlots;
  if (sizeBytes > coveredBytes(blockSize))
    throw bad(`sb_extslots ${sbExtSlots}: ${sizeBytes} bytes, more than the block at offset ${superblockOffset} has`);
  const covered = coveredBytes(blockSize);
  if (image.sizeBytes < superblockOffset + covered)
    throw bad(`its block ends at ${superblockOffset + covered}, the image has ${image.sizeBytes} bytes`);
  return {
    ...{ checksum, computedChecksum: superblockChecksum(image.read(superblockOffset, covered)) },
    ...{
      featureCompat,
      blkszBits,
      blockSize,
      sbExtSlots,
      sizeBytes,
      rootNid: BigInt(rootNid),
      inodes,
      epoch,
      fixedNsec,
    },
    ...{ blocks, metaBlkAddr, xattrBlkAddr, uuid, volumeName, featureIncompat, compression, extraDevices },
    ...{ devtSlotOffset, dirBlkBits, xattrPrefixCount, xattrPrefixStart, packedNid, xattrFilter, buildTime },
    reserved: Uint8Array.from([...reservedBefore, ...reservedAfter]),
  };
}

const maskOf = (bits: typeof compatBits): number => bits.reduce((mask, [bit]) => mask | bit, 0);

function supported(others: number, field: string, names: (value: number) => string[]): void {
  if (others !== 0)
    throw unsupported(
      `EROFS superblock: ${field} has ${names(others).join(", ")}; pm reads uncompressed images of mkfs.erofs without it`,
    );
}
