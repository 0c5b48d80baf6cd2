/**
 * A disk cut into subtrees of one height, each hashed by itself: gigabytes in, one digest out. Memory does not grow with
 * the disk, and workers, journal and shards all hand over the same thing.
 */
import type { VerityLayout } from "./layout.ts";
import { type Digest, TreeBuilder } from "./tree.ts";

export interface UnitPlan {
  /** Levels of a unit: its digest stands this high above the data blocks. */
  readonly depth: number;
  /** Data blocks of a whole unit; the last one may be short. */
  readonly blocks: number;
  /** How many there are. */
  readonly units: number;
}

/** 64 MiB with blocks of 4096 bytes and SHA-256. A subtree of one level may be larger: 512 MiB with blocks of 128 KiB. */
const maxUnitBytes = 256 * 1024 * 1024;

export function unitPlan({ arity, dataBlockSize, dataBlocks, levels }: VerityLayout): UnitPlan {
  let depth = Math.min(1, levels.length);
  while (depth < levels.length && arity ** (depth + 1) * dataBlockSize <= maxUnitBytes) depth++;
  const blocks = arity ** depth;
  return { depth, blocks, units: Math.ceil(dataBlocks / blocks) };
}

/** First data block of a unit, and how many it has. */
export const blocksOf = (plan: UnitPlan, { dataBlocks }: VerityLayout, unit: number) => ({
  first: unit * plan.blocks,
  count: Math.min(plan.blocks, dataBlocks - unit * plan.blocks),
});

/** The tree above the units. Hash blocks of the levels below are not seen here. */
export function rootOfUnits(
  layout: VerityLayout,
  digests: Iterable<Digest>,
  onBlock?: (level: number, index: number, block: Uint8Array) => void,
): Digest {
  const { depth } = unitPlan(layout);
  const builder = new TreeBuilder(layout, (level, index, block) => onBlock?.(level + depth, index, block));
  for (const digest of digests) builder.push(digest);
  return builder.root();
}
