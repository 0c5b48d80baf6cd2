/**
 * EROFS directories (erofs-utils 1.9.3, include/erofs_fs.h, struct erofs_dirent): in each block entries of 12 bytes, then
 * their names; names ascend bytewise over the whole directory, for the kernel looks them up by halving. A directory in
 * another order would list a file that cannot be opened, so it is refused.
 */
import { Reader } from "../../../bytes/reader.ts";
import { malformed, unsupported } from "../../../errors.ts";
import type { Inode } from "./inode.ts";
import type { EntryKind } from "./types.ts";
import { type Defect, take, type Volume } from "./volume.ts";

export interface Dirent {
  readonly name: string;
  readonly nid: bigint;
  readonly kind: EntryKind;
}

const defect: Defect = "erofs-directory";
const direntBytes = 12;
/** Memory is bounded before the tree counts: a block of 4096 bytes holds some 300 entries, an image some 10^8 blocks. */
const maxEntries = 250_000;
/** EROFS_NAME_LEN. */
const maxNameBytes = 255;
/** By file_type. */
const kinds: readonly (EntryKind | undefined)[] = [
  undefined,
  "file",
  "directory",
  "character",
  "block",
  "fifo",
  "socket",
  "symlink",
];
// ignoreBOM keeps the mark: without it two names would become one.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of a name or target. @throws PmError PM_EVIDENCE_UNSUPPORTED where it is not UTF-8 */
export function textOf(bytes: Uint8Array, what: string): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw unsupported(`${what}: not UTF-8: ${Buffer.from(bytes).toString("hex")}; pm reads UTF-8 names only`);
  }
}

/**
 * Entries in order, without "." and "..", which must be there and name the directory itself and its parent.
 * @param name of the directory, for messages
 */
export function readDirectory(volume: Volume, inode: Inode, parent: bigint, name: string): Dirent[] {
  const { blockSize } = volume.superblock;
  const what = `${name} (nid ${inode.nid})`;
  const found: Dirent[] = [];
  const dots = new Map<string, bigint>();
  let previous: Uint8Array | undefined;
  for (const { offset, length } of inode.extents)
    for (let at = 0; at < length; at += blockSize) {
      const start = (offset ?? 0) + at;
      const block = take(volume, start, Math.min(blockSize, length - at), what);
      if (found.length > maxEntries) throw unsupported(`${what}: more than ${maxEntries} entries`);
      for (const raw of entriesOf(block, `${what}: block at offset ${start}`)) {
        const text = textOf(raw.name, `${what}: a name`);
        if (previous !== undefined && Buffer.compare(previous, raw.name) >= 0)
          throw malformed(`${what}: "${text}" is not behind the name before it, bytewise`, defect);
        previous = raw.name;
        if (text !== "." && text !== "..") found.push({ name: text, nid: raw.nid, kind: raw.kind });
        else if (raw.kind === "directory") dots.set(text, raw.nid);
      }
    }
  for (const [dot, nid] of [
    [".", inode.nid],
    ["..", parent],
  ] as const)
    if (dots.get(dot) !== nid)
      throw malformed(`${what}: "${dot}" names ${dots.get(dot) ?? "no directory"}, expected nid ${nid}`, defect);
  return found;
}

interface Raw {
  readonly name: Uint8Array;
  readonly nid: bigint;
  readonly kind: EntryKind;
}

/** One block: the first name begins where the entries end, so its offset says how many there are. */
function entriesOf(block: Uint8Array, what: string): Raw[] {
  const r = new Reader(block, defect);
  const heads: { readonly nid: bigint; readonly nameOff: number; readonly kind: EntryKind }[] = [];
  let count = 1;
  for (let i = 0; i < count; i++) {
    const field = `${what}: entry ${i}`;
    const nid = r.u64le(`${field}: nid`);
    const nameOff = r.u16le(`${field}: nameoff`);
    const type = r.u8(`${field}: file_type`);
    r.u8(`${field}: reserved`);
    if (i === 0) {
      count = nameOff / direntBytes;
      if (count < 1 || !Number.isInteger(count) || nameOff >= block.length)
        throw malformed(
          `${field}: nameoff ${nameOff}: no multiple of ${direntBytes} within ${block.length} bytes`,
          defect,
        );
    }
    const kind = kinds[type];
    if (kind === undefined) throw malformed(`${field}: file_type ${type}; known: 1 to 7`, defect);
    heads.push({ nid, nameOff, kind });
  }
  return heads.map(({ nid, nameOff, kind }, i) => {
    const field = `${what}: entry ${i}`;
    const next = heads[i + 1]?.nameOff;
    const end = next ?? block.length;
    if (nameOff >= end || end > block.length)
      throw malformed(`${field}: nameoff ${nameOff}, its name ends at ${end}, of ${block.length} bytes`, defect);
    const room = block.subarray(nameOff, end);
    // Only the last name may be followed by something: the block is filled up with zeros.
    const zero = room.indexOf(0);
    const name = zero < 0 ? room : room.subarray(0, zero);
    if (name.length === 0 || name.length > maxNameBytes)
      throw malformed(`${field}: a name of ${name.length} bytes, expected 1 to ${maxNameBytes}`, defect);
    if ((zero >= 0 && next !== undefined) || name.includes(0x2f))
      throw malformed(`${field}: a name with ${zero >= 0 && next !== undefined ? "a NUL" : '"/"'} in it`, defect);
    return { name, nid, kind };
  });
}
