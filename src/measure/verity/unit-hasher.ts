/** One unit of a disk: its data blocks to one digest, and, where a tree is stored, what differs from it. */
import { DataBlocks } from "./blocks.ts";
import type { VerityLayout } from "./layout.ts";
import { type StoredFacts, StoredTree, type TreePlace } from "./stored.ts";
import { type Digest, TreeBuilder } from "./tree.ts";
import { blocksOf, type UnitPlan } from "./units.ts";

export interface UnitResult {
  readonly unit: number;
  readonly digest: Digest;
  /** Of unit 0: the first hash block of each of its levels. */
  readonly edge: readonly Uint8Array[];
  readonly stored: StoredFacts | undefined;
}

export interface HashFile {
  readonly fd: number;
  readonly place: TreePlace;
}

export class UnitHasher {
  readonly #fd: number;
  readonly #layout: VerityLayout;
  readonly #plan: UnitPlan;
  readonly #blocks: DataBlocks;
  readonly #tree: StoredTree | undefined;

  constructor(fd: number, layout: VerityLayout, plan: UnitPlan, hashes: HashFile | undefined) {
    this.#fd = fd;
    this.#layout = layout;
    this.#plan = plan;
    this.#blocks = new DataBlocks(layout);
    this.#tree = hashes === undefined ? undefined : new StoredTree(hashes.fd, layout, hashes.place);
  }

  /** @throws PmError PM_SOURCE_REFUSED where a file ends too early; the system's error when it cannot be read */
  hash(unit: number): UnitResult {
    const { depth, blocks: whole } = this.#plan;
    const edge: Uint8Array[] = [];
    const builder = new TreeBuilder(this.#layout, (level, index, block) => {
      if (unit === 0 && index === 0) edge[level] = new Uint8Array(block);
      this.#tree?.compare(level, (unit * whole) / this.#layout.arity ** (level + 1) + index, block);
    });
    const { first, count } = blocksOf(this.#plan, this.#layout, unit);
    this.#blocks.digests(this.#fd, first, count, (digest) => builder.push(digest));
    return { unit, digest: builder.digestAt(depth), edge, stored: this.#tree?.taken() };
  }
}
