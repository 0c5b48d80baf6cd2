/** Data blocks of a file or block device as salted digests, in order: the part that takes the time. */
import { hash } from "node:crypto";
import { readSync } from "node:fs";
import { PmError } from "../../errors.ts";
import type { VerityLayout } from "./layout.ts";
import type { Digest } from "./tree.ts";

/** What is read at once: larger reads gain nothing and cost memory (bench/verity.ts). */
const readBytes = 1024 * 1024;

/** Fills `into` from `position`. @throws PmError PM_SOURCE_REFUSED where the file ends before */
export function readFully(fd: number, into: Uint8Array, position: number): void {
  for (let at = 0; at < into.length; ) {
    const read = readSync(fd, into, at, into.length - at, position + at);
    if (read === 0)
      throw new PmError("PM_SOURCE_REFUSED", `it ends at byte ${position + at}, ${into.length - at} bytes too early`, {
        hint: "check the data size, and that nobody writes to it",
      });
    at += read;
  }
}

/**
 * Reads into one slab with room for the salt on both sides. Before a block is hashed the salt is written beside it, over
 * bytes of the neighbour that was hashed before: forwards where the salt stands before the block, backwards where it
 * stands behind. So nothing is copied.
 */
export class DataBlocks {
  readonly #layout: VerityLayout;
  /** Data blocks that one read takes. */
  readonly #perRead: number;
  readonly #slab: Buffer;
  readonly #data: Buffer;
  readonly #zeros: Buffer;
  /** Block and salt of each place in the slab, made once: 3 to 8 % (bench/verity.ts). */
  readonly #salted: readonly Buffer[];
  readonly #digests: Digest[];
  #zeroDigest: Digest | undefined;

  constructor(layout: VerityLayout) {
    const { dataBlockSize: size, salt, hashType } = layout;
    this.#layout = layout;
    this.#perRead = Math.max(1, Math.floor(readBytes / size));
    const bytes = this.#perRead * size;
    this.#slab = Buffer.alloc(salt.length + bytes + salt.length);
    this.#data = this.#slab.subarray(salt.length, salt.length + bytes);
    this.#zeros = Buffer.alloc(bytes);
    this.#salted = Array.from({ length: this.#perRead }, (_, i) => {
      const start = hashType === 1 ? i * size : i * size + salt.length;
      return this.#slab.subarray(start, start + salt.length + size);
    });
    this.#digests = new Array<Digest>(this.#perRead).fill("");
  }

  /**
   * @param first number of the first block
   * @param sink takes the digests in the order of the blocks
   * @throws PmError PM_SOURCE_REFUSED where the file ends too early; the system's error when it cannot be read
   */
  digests(fd: number, first: number, count: number, sink: (digest: Digest) => void): void {
    const { dataBlockSize: size } = this.#layout;
    for (let done = 0; done < count; ) {
      const blocks = Math.min(this.#perRead, count - done);
      const data = this.#data.subarray(0, blocks * size);
      readFully(fd, data, (first + done) * size);
      this.#hash(blocks, sink);
      done += blocks;
    }
  }

  /** Of blocks that are at hand already; at most what one read takes. */
  digestsOf(bytes: Uint8Array, sink: (digest: Digest) => void): void {
    this.#data.set(bytes);
    this.#hash(bytes.length / this.#layout.dataBlockSize, sink);
  }
  /** Bytes that `digestsOf` takes at most. */
  get readBytes(): number {
    return this.#data.length;
  }

  #hash(blocks: number, sink: (digest: Digest) => void): void {
    const { nodeAlgorithm, hashType, salt, dataBlockSize: size } = this.#layout;
    const bytes = blocks * size;
    // A hole reads as zeros; the comparison of other data ends at its first byte that is none.
    if (this.#data.compare(this.#zeros, 0, bytes, 0, bytes) === 0) {
      this.#zeroDigest ??= this.#digestAt(0);
      for (let i = 0; i < blocks; i++) sink(this.#zeroDigest);
      return;
    }
    if (hashType === 1)
      for (let i = 0; i < blocks; i++) {
        const salted = this.#salted[i] as Buffer;
        salted.set(salt, 0);
        sink(hash(nodeAlgorithm, salted, "binary"));
      }
    else {
      for (let i = blocks - 1; i >= 0; i--) this.#digests[i] = this.#digestAt(i);
      for (let i = 0; i < blocks; i++) sink(this.#digests[i] as Digest);
    }
  }
  #digestAt(i: number): Digest {
    const { nodeAlgorithm, hashType, salt, dataBlockSize } = this.#layout;
    const salted = this.#salted[i] as Buffer;
    salted.set(salt, hashType === 1 ? 0 : dataBlockSize);
    return hash(nodeAlgorithm, salted, "binary");
  }
}
