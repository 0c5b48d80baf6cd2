/**
 * The tree of files, from the root inode on. Whoever made the image may have made it to be read in two ways, or for ever:
 * each directory is reached once, each inode is of the kind that its name says, and there are no more of them than the
 * superblock counts.
 */
import { malformed, unsupported } from "../../../errors.ts";
import { readDirectory, textOf } from "./directory.ts";
import { type Inode, readInode } from "./inode.ts";
import { decodeSuperblock, type Superblock } from "./superblock.ts";
import type { ErofsEntry, Image } from "./types.ts";
import { type Defect, take, type Volume } from "./volume.ts";

export interface ErofsTree {
  readonly superblock: Superblock;
  /** The root first; each directory before what is in it, names ascending bytewise. */
  readonly entries: readonly ErofsEntry[];
  /** Different inodes that were reached. */
  readonly inodes: number;
}

const defect: Defect = "erofs-tree";
/** Of a tree that Linux can open: PATH_MAX, and a depth that no model repository comes near. */
const maxPathBytes = 4096;
const maxDepth = 256;
/** With its NUL it is PATH_MAX; a kernel cuts a longer one off, and so would follow another than is listed. */
const maxTargetBytes = 4095;
/**
 * Bounds of memory, and of a JSON document that is one string: a disk of 600 GB has some hundred files, and a hostile name
 * takes six times its length there.
 */
const maxEntries = 250_000;
const maxTextBytes = 32 * 1024 * 1024;

/**
 * @throws PmError PM_EVIDENCE_MALFORMED with the reason code of the rule that is broken; PM_EVIDENCE_UNSUPPORTED for
 * layouts, features and sizes that are not read
 */
export function listErofs(image: Image): ErofsTree {
  const superblock = decodeSuperblock(image);
  const endBytes = Math.min(image.sizeBytes, superblock.blocks * superblock.blockSize);
  const walk = new Walk({ image, superblock, endBytes });
  walk.root();
  return { superblock, entries: walk.entries, inodes: walk.inodes };
}

class Walk {
  readonly entries: ErofsEntry[] = [];
  readonly #volume: Volume;
  readonly #directories = new Set<bigint>();
  /** Anything else may have several names. */
  readonly #others = new Map<bigint, Node>();
  #textBytes = 0;
  constructor(volume: Volume) {
    this.#volume = volume;
  }

  get inodes(): number {
    return this.#directories.size + this.#others.size;
  }

  root(): void {
    const { rootNid } = this.#volume.superblock;
    const inode = readInode(this.#volume, rootNid, "the root directory");
    if (inode.kind !== "directory")
      throw malformed(`root_nid ${rootNid}: a ${inode.kind}, expected a directory`, defect);
    this.#enter(inode, rootNid, "", 0);
  }

  #enter(inode: Inode, parent: bigint, path: string, depth: number): void {
    const name = path === "" ? "the root directory" : path;
    if (this.#directories.has(inode.nid))
      throw malformed(`${name}: directory nid ${inode.nid} is reached a second time`, defect);
    if (depth > maxDepth) throw unsupported(`${name}: more than ${maxDepth} directories deep`);
    this.#directories.add(inode.nid);
    this.#add(path, { inode, target: undefined });
    for (const { name: own, nid, kind } of readDirectory(this.#volume, inode, parent, name)) {
      const below = path === "" ? own : `${path}/${own}`;
      const node = this.#others.get(nid) ?? this.#read(nid, below);
      if (node.inode.kind !== kind)
        throw malformed(
          `${below}: file_type says ${kind}, its inode (nid ${nid}) is a ${node.inode.kind}`,
          "erofs-directory" satisfies Defect,
        );
      if (kind === "directory") this.#enter(node.inode, inode.nid, below, depth + 1);
      else {
        this.#others.set(nid, node);
        this.#add(below, node);
      }
    }
  }

  #read(nid: bigint, path: string): Node {
    const inode = readInode(this.#volume, nid, path);
    return { inode, target: inode.kind === "symlink" ? targetOf(this.#volume, inode, path) : undefined };
  }

  #add(path: string, { inode, target }: Node): void {
    const { nid, kind, mode, uid, gid, links, sizeBytes } = inode;
    const { inodes } = this.#volume.superblock;
    if (BigInt(this.inodes) > inodes)
      throw malformed(`${path}: inode ${this.inodes}, the superblock counts ${inodes}`, defect);
    const pathBytes = Buffer.byteLength(path);
    if (pathBytes > maxPathBytes) throw unsupported(`a path of ${pathBytes} bytes; at most ${maxPathBytes}`);
    this.#textBytes += pathBytes + Buffer.byteLength(target ?? "");
    if (this.entries.length >= maxEntries || this.#textBytes > maxTextBytes)
      throw unsupported(`more than ${maxEntries} entries, or ${maxTextBytes} bytes of names`);
    const extents = kind === "file" ? inode.extents : [];
    this.entries.push({ path, kind, mode, uid, gid, nid, links, sizeBytes, extents, target });
  }
}

interface Node {
  readonly inode: Inode;
  readonly target: string | undefined;
}

/** Linux follows no target that is empty, longer than a path or with a NUL in it. */
function targetOf(volume: Volume, { extents, sizeBytes, nid }: Inode, path: string): string {
  const what = `${path} (nid ${nid}): target`;
  if (sizeBytes === 0 || sizeBytes > maxTargetBytes)
    throw malformed(`${what} of ${sizeBytes} bytes, expected 1 to ${maxTargetBytes}`, "erofs-inode" satisfies Defect);
  const bytes = Buffer.concat(extents.map(({ offset, length }) => take(volume, offset ?? 0, length, what)));
  if (bytes.includes(0)) throw malformed(`${what} has a NUL in it`, "erofs-inode" satisfies Defect);
  return textOf(bytes, what);
}
