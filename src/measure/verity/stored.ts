/** The tree that lies on a disk, against the one that its data give: what differs, counted by level. Nothing is judged. */
import { readFully } from "./blocks.ts";
import { treeOffset, type VerityLayout } from "./layout.ts";
import { type Digest, digestOf, hashBlockDigest } from "./tree.ts";

export interface Tally {
  readonly count: number;
  /** The lowest one's number. */
  readonly first: number | undefined;
}
/** Levels are counted from the leaves; each list has one entry a level. */
export interface StoredFacts {
  /** Data blocks whose digest is not the one in the leaf level. */
  readonly data: Tally;
  /** Hash blocks in which a digest is another than the data give. */
  readonly differ: readonly Tally[];
  /** Hash blocks whose own digest is not the one that stands in the block above; none at the top. */
  readonly unlinked: readonly Tally[];
  /** Hash blocks with bytes other than zero beside the digests. */
  readonly spare: readonly Tally[];
}

const none: Tally = { count: 0, first: undefined };
const add = (a: Tally, b: Tally): Tally => ({
  count: a.count + b.count,
  first: a.first === undefined || b.first === undefined ? (a.first ?? b.first) : Math.min(a.first, b.first),
});
const one = (first: number): Tally => ({ count: 1, first });

export const noFacts = ({ levels }: VerityLayout): StoredFacts => ({
  data: none,
  differ: levels.map(() => none),
  unlinked: levels.map(() => none),
  spare: levels.map(() => none),
});
export const joined = (a: StoredFacts, b: StoredFacts): StoredFacts => {
  const each = (x: readonly Tally[], y: readonly Tally[]): Tally[] => x.map((t, i) => add(t, y[i] ?? none));
  return {
    data: add(a.data, b.data),
    differ: each(a.differ, b.differ),
    unlinked: each(a.unlinked, b.unlinked),
    spare: each(a.spare, b.spare),
  };
};

/** Where the tree lies. */
export interface TreePlace {
  readonly hashOffset: number;
  /** The tree begins behind a superblock. */
  readonly superblock: boolean;
}

/** Byte at which each level begins, leaf level first. The top level comes first on disk. */
export function levelOffsets(layout: VerityLayout, { hashOffset, superblock }: TreePlace): number[] {
  let at = treeOffset(layout, hashOffset, superblock);
  return layout.levels
    .toReversed()
    .map((blocks) => {
      const own = at;
      at += blocks * layout.hashBlockSize;
      return own;
    })
    .reverse();
}

export class StoredTree {
  readonly #layout: VerityLayout;
  readonly #fd: number;
  readonly #offsets: readonly number[];
  /** The block above the last one that was asked about: all its children come in a row. */
  #parent: { readonly level: number; readonly index: number; readonly block: Buffer } | undefined;
  #facts: StoredFacts;

  constructor(fd: number, layout: VerityLayout, place: TreePlace) {
    this.#fd = fd;
    this.#layout = layout;
    this.#offsets = levelOffsets(layout, place);
    this.#facts = noFacts(layout);
  }

  /** What was found since the last time. */
  taken(): StoredFacts {
    const facts = this.#facts;
    this.#facts = noFacts(this.#layout);
    return facts;
  }

  block(level: number, index: number): Buffer {
    const block = Buffer.allocUnsafe(this.#layout.hashBlockSize);
    readFully(this.#fd, block, (this.#offsets[level] ?? Number.NaN) + index * block.length);
    return block;
  }

  /** Digest of the top block as it is stored. */
  root(): Digest {
    return hashBlockDigest(this.#layout, this.block(this.#layout.levels.length - 1, 0));
  }

  /** @param computed the block as the data below it give it */
  compare(level: number, index: number, computed: Uint8Array): void {
    const stored = this.block(level, index);
    if (!stored.equals(computed)) this.#differs(level, index, stored, computed);
    const { levels, arity } = this.#layout;
    if (level === levels.length - 1) return;
    const own = hashBlockDigest(this.#layout, stored);
    if (own !== this.#slot(level + 1, Math.floor(index / arity), index % arity)) this.#note("unlinked", level, index);
  }

  #note(what: "differ" | "unlinked" | "spare", level: number, index: number): void {
    const tallies = this.#facts[what].map((t, i) => (i === level ? add(t, one(index)) : t));
    this.#facts = { ...this.#facts, [what]: tallies };
  }
  #slot(level: number, index: number, slot: number): Digest {
    if (this.#parent?.level !== level || this.#parent.index !== index)
      this.#parent = { level, index, block: this.block(level, index) };
    return this.#digestIn(this.#parent.block, slot);
  }
  #digestIn(block: Uint8Array, slot: number): Digest {
    const { slotSize, digestSize } = this.#layout;
    return digestOf(block.subarray(slot * slotSize, slot * slotSize + digestSize));
  }

  #differs(level: number, index: number, stored: Buffer, computed: Uint8Array): void {
    const { arity, levels, dataBlocks } = this.#layout;
    const children = level === 0 ? dataBlocks : (levels[level - 1] ?? 0);
    const used = Math.min(arity, children - index * arity);
    let wrong = none;
    for (let slot = 0; slot < used; slot++)
      if (this.#digestIn(stored, slot) !== this.#digestIn(computed, slot))
        wrong = add(wrong, one(index * arity + slot));
    if (wrong.count > 0) this.#note("differ", level, index);
    if (level === 0) this.#facts = { ...this.#facts, data: add(this.#facts.data, wrong) };
    if (this.#spareOf(stored, used)) this.#note("spare", level, index);
  }
  /** Any byte other than zero between the digests of a type 1 block, or behind the last one. */
  #spareOf(block: Buffer, used: number): boolean {
    const { slotSize, digestSize } = this.#layout;
    const gap = (from: number, to: number): boolean => block.subarray(from, to).some((b) => b !== 0);
    for (let slot = 0; slot < used && slotSize > digestSize; slot++)
      if (gap(slot * slotSize + digestSize, (slot + 1) * slotSize)) return true;
    return gap(used * slotSize, block.length);
  }
}
