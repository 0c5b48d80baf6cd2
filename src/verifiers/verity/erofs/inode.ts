/**
 * EROFS inodes, compact (32 bytes) and extended (64 bytes), with their data flat: in blocks of their own, or with the
 * tail behind the inode (erofs-utils 1.9.3, include/erofs_fs.h, struct erofs_inode_compact and erofs_inode_extended).
 */
import { Reader } from "../../../bytes/reader.ts";
import { malformed, unsupported } from "../../../errors.ts";
import type { EntryKind, Extent } from "./types.ts";
import { type Defect, inVolume, take, type Volume } from "./volume.ts";

export interface Inode {
  readonly nid: bigint;
  readonly kind: EntryKind;
  /** Low 12 bits of i_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly sizeBytes: number;
  /** In order, within the volume; their lengths add up to `sizeBytes`. */
  readonly extents: readonly Extent[];
}

const defect: Defect = "erofs-inode";
const compactBytes = 32;
const extendedBytes = 64;
/** An inode's number counts slots of this size from the first metadata block. */
const slotBytes = 32;
/** i_format: bit 0 form, bits 1 to 3 data layout; the others came with features that are not read here. */
const layouts = ["flat plain", "compressed (full)", "flat inline", "compressed (compact)", "chunk based"];
const [flatPlain, flatInline] = [0, 2];

/** S_IFMT of st_mode (POSIX sys/stat.h, Linux's values). */
const kinds: Readonly<Record<number, EntryKind>> = {
  4096: "fifo",
  8192: "character",
  16384: "directory",
  24576: "block",
  32768: "file",
  40960: "symlink",
  49152: "socket",
};

/**
 * @param name what the inode is reached as, for messages
 * @throws PmError PM_EVIDENCE_MALFORMED (erofs-inode, erofs-range); PM_EVIDENCE_UNSUPPORTED for another data layout
 */
export function readInode(volume: Volume, nid: bigint, name: string): Inode {
  const what = `${name} (nid ${nid})`;
  const { superblock } = volume;
  // Before it becomes a number: beyond 2^53 it would be another inode's.
  if (nid > BigInt(Math.floor(volume.endBytes / slotBytes)))
    throw malformed(
      `${what}: no such inode, the file system ends at ${volume.endBytes}`,
      "erofs-range" satisfies Defect,
    );
  const offset = superblock.metaBlkAddr * superblock.blockSize + Number(nid) * slotBytes;
  const compact = take(volume, offset, compactBytes, `${what}: inode`);
  const format = (compact[0] ?? 0) | ((compact[1] ?? 0) << 8);
  const extended = (format & 1) === 1;
  const layout = (format >> 1) & 7;
  if (format >> 4 !== 0)
    throw unsupported(`${what}: i_format 0x${format.toString(16)} at offset ${offset}; known: bits 0 to 3`);
  if (layout !== flatPlain && layout !== flatInline)
    throw unsupported(
      `${what}: i_format at offset ${offset}: data layout ${layout}${layouts[layout] === undefined ? "" : `, ${layouts[layout]}`}; pm reads flat files only`,
    );
  const inodeBytes = extended ? extendedBytes : compactBytes;
  const fields = decode(extended ? take(volume, offset, extendedBytes, `${what}: inode`) : compact, extended, what);
  const kind = kinds[fields.mode & 0xf000];
  if (kind === undefined)
    throw malformed(`${what}: i_mode 0o${fields.mode.toString(8)} at offset ${offset + 4}: no kind of file`, defect);
  if (fields.size > BigInt(volume.endBytes))
    throw malformed(
      `${what}: i_size ${fields.size} at offset ${offset + 8}, the file system ends at ${volume.endBytes}`,
      "erofs-range" satisfies Defect,
    );
  const sizeBytes = Number(fields.size);
  const { uid, gid, links } = fields;
  const own = { nid, kind, mode: fields.mode & 0xfff, uid, gid, links, sizeBytes };
  if (kind !== "file" && kind !== "directory" && kind !== "symlink") {
    if (sizeBytes !== 0) throw malformed(`${what}: a ${kind} of ${sizeBytes} bytes, expected 0`, defect);
    return { ...own, extents: [] };
  }
  const tailAt = offset + inodeBytes + xattrBytes(fields.xattrCount);
  const place = { startBlock: fields.startBlock, tailAt, inline: layout === flatInline };
  return { ...own, extents: extentsOf(volume, place, sizeBytes, what) };
}

interface Fields {
  readonly xattrCount: number;
  readonly mode: number;
  readonly links: number;
  readonly size: bigint;
  readonly startBlock: number;
  readonly uid: number;
  readonly gid: number;
}

/** Times are left out: i_mtime says nothing about content. */
function decode(bytes: Uint8Array, extended: boolean, what: string): Fields {
  const r = new Reader(bytes, defect);
  r.u16le("i_format");
  const xattrCount = r.u16le("i_xattr_icount");
  const mode = r.u16le("i_mode");
  if (extended) {
    // Reserved in older kernels, bits 32 to 47 of the first block in newer ones: only zero reads alike in both.
    const high = r.u16le("i_nb");
    if (high !== 0) throw unsupported(`${what}: i_nb ${high} in an extended inode; pm reads block numbers of 32 bits`);
    const size = r.u64le("i_size");
    const startBlock = r.u32le("i_u");
    r.u32le("i_ino");
    const [uid, gid] = [r.u32le("i_uid"), r.u32le("i_gid")];
    r.u64le("i_mtime");
    r.u32le("i_mtime_nsec");
    return { xattrCount, mode, links: r.u32le("i_nlink"), size, startBlock, uid, gid };
  }
  const links = r.u16le("i_nlink");
  const size = BigInt(r.u32le("i_size"));
  r.u32le("i_mtime");
  const startBlock = r.u32le("i_u");
  r.u32le("i_ino");
  return { xattrCount, mode, links, size, startBlock, uid: r.u16le("i_uid"), gid: r.u16le("i_gid") };
}

/** Attributes stand between the inode and its tail: a header of 12 bytes, and 4 for each further count. */
const xattrBytes = (count: number): number => (count === 0 ? 0 : 12 + 4 * (count - 1));

function extentsOf(
  volume: Volume,
  place: { readonly startBlock: number; readonly tailAt: number; readonly inline: boolean },
  sizeBytes: number,
  what: string,
): Extent[] {
  const { blockSize } = volume.superblock;
  if (sizeBytes === 0) return [];
  // An inline file's last block is its tail even when it is full, as the kernel reads it; a full one never fits.
  const tail = place.inline ? ((sizeBytes - 1) % blockSize) + 1 : 0;
  const whole = sizeBytes - tail;
  const extents: Extent[] = [];
  if (whole > 0) {
    const offset = place.startBlock * blockSize;
    inVolume(volume, offset, whole, `${what}: data`);
    extents.push({ offset, length: whole });
  }
  if (tail > 0) {
    inVolume(volume, place.tailAt, tail, `${what}: tail`);
    if ((place.tailAt % blockSize) + tail > blockSize)
      throw malformed(`${what}: tail of ${tail} bytes at offset ${place.tailAt} crosses a block's end`, defect);
    extents.push({ offset: place.tailAt, length: tail });
  }
  return extents;
}
