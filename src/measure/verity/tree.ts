/** A dm-verity tree from the leaves up, as digests come: one hash block a level is all that it keeps. */
import { hash } from "node:crypto";
import type { VerityLayout } from "./layout.ts";

/**
 * Digests are strings of one character a byte ("binary"): as buffers they cost four times as much to make, which is half
 * of a block's hash (bench/verity.ts).
 */
export type Digest = string;

export const digestHex = (digest: Digest): string => Buffer.from(digest, "latin1").toString("hex");
export const digestOf = (bytes: Uint8Array): Digest =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

/** A hash block with room for the salt on the side where its type has it. */
class HashBlock {
  /** The block itself. */
  readonly block: Buffer;
  readonly #salted: Buffer;
  readonly #algorithm: string;
  /** Digests in it. */
  used = 0;
  /** Blocks of this level before this one. */
  index = 0;

  constructor({ hashType, salt, hashBlockSize, nodeAlgorithm }: VerityLayout) {
    this.#salted = Buffer.alloc(salt.length + hashBlockSize);
    this.#salted.set(salt, hashType === 1 ? 0 : hashBlockSize);
    const start = hashType === 1 ? salt.length : 0;
    this.block = this.#salted.subarray(start, start + hashBlockSize);
    this.#algorithm = nodeAlgorithm;
  }
  digest(): Digest {
    return hash(this.#algorithm, this.#salted, "binary");
  }
}

/** Salted digest of one hash block as it was read. */
export function hashBlockDigest(layout: VerityLayout, bytes: Uint8Array): Digest {
  const block = new HashBlock(layout);
  block.block.set(bytes);
  return block.digest();
}

/** Level 0 is the leaf level; the block is valid until the next digest comes. */
export type OnBlock = (level: number, index: number, block: Uint8Array) => void;

export class TreeBuilder {
  readonly #layout: VerityLayout;
  readonly #onBlock: OnBlock | undefined;
  readonly #levels: HashBlock[] = [];
  #first: Digest | undefined;
  #count = 0;

  constructor(layout: VerityLayout, onBlock?: OnBlock) {
    this.#layout = layout;
    this.#onBlock = onBlock;
  }

  push(digest: Digest): void {
    this.#first ??= digest;
    this.#count++;
    this.#put(digest, 0);
  }

  /**
   * The digest that stands `depth` levels above what was pushed, of what is one block there; what is missing at the end
   * of a block is zero bytes, not digests of zeros.
   */
  digestAt(depth: number): Digest {
    if (depth === 0) return this.#only();
    for (let level = 0; level < depth - 1; level++) this.#put(this.#flush(level), level + 1);
    return this.#flush(depth - 1);
  }

  /** Of one digest itself: a device of one data block has no tree. */
  root(): Digest {
    if (this.#count <= 1) return this.#only();
    // A full block is kept until the next digest comes, so a level whose first block was never closed is the top.
    for (let level = 0; ; level++) {
      const top = this.#levels[level]?.index === 0;
      const digest = this.#flush(level);
      if (top) return digest;
      this.#put(digest, level + 1);
    }
  }

  #only(): Digest {
    if (this.#first === undefined || this.#count !== 1) throw new Error(`${this.#count} digests where there is one`);
    return this.#first;
  }
  #put(digest: Digest, level: number): void {
    const { arity, slotSize, digestSize } = this.#layout;
    let own = this.#levels[level];
    if (own === undefined) {
      own = new HashBlock(this.#layout);
      this.#levels[level] = own;
    }
    if (own.used === arity) this.#put(this.#flush(level), level + 1);
    own.block.write(digest, own.used * slotSize, digestSize, "latin1");
    own.used++;
  }
  #flush(level: number): Digest {
    const own = this.#levels[level];
    if (own === undefined || own.used === 0) throw new Error(`level ${level} of a tree is empty`);
    own.block.fill(0, own.used * this.#layout.slotSize);
    this.#onBlock?.(level, own.index, own.block);
    own.index++;
    own.used = 0;
    return own.digest();
  }
}
