/** `pm verity hash --shard` and `pm verity join`: one part of a disk into a file, and the root hash out of all of them. */
import { type Stats, statSync } from "node:fs";
import type { Result } from "../command.ts";
import { usage } from "../errors.ts";
import { readInput } from "../input.ts";
import { measureUnits, rootFrom, throughEdge } from "../measure/verity/hash.ts";
import type { VerityLayout } from "../measure/verity/layout.ts";
import { decodeShard, encodeShard, joinShards, maxShardBytes, shardRange } from "../measure/verity/shard.ts";
import type { Digest } from "../measure/verity/tree.ts";
import { unitPlan } from "../measure/verity/units.ts";
import { progressLine } from "../progress.ts";
import type { Json, Relaxation } from "../report/report.ts";
import { writeWhole } from "../sources/files.ts";
import { systemReason } from "../system-reason.ts";
import { factsResult, hashedResult } from "./verity-hashed.ts";
import { type DiskParameters, demandStrong, weakness } from "./verity-parameters.ts";
import { expectedRoots, type HashFlags, optionsOf, otherBlock, resumedRelaxation } from "./verity-run.ts";

/** @throws PmError PM_USAGE for flags that a part has no use for, and a file that cannot be written */
export async function hashShard(image: string, disk: DiskParameters, flags: HashFlags): Promise<Result> {
  const { layout, relaxations } = disk;
  if (flags.out === undefined) throw usage("--shard: needs a file for its digests", "give --out FILE");
  if ((flags.expect ?? []).length > 0) throw usage("--expect: a shard has no root hash", "give it to pm verity join");
  if (flags["file-hash"] === true) throw usage("--file-hash: not of a shard");
  const { units } = unitPlan(layout);
  const range = shardRange(flags.shard ?? "", units);
  canBeReplaced(flags.out, image);
  const line = progressLine(`hashing ${image}, part ${flags.shard}`);
  try {
    const measured = await measureUnits(image, layout, range, optionsOf(flags, line.update));
    const shard = {
      layout,
      range,
      digests: measured.digests,
      sizeBytes: measured.source.sizeBytes,
      otherFirstUnit: otherFirstUnit(image, layout, measured.edge),
    };
    await save(flags.out, encodeShard(shard));
    const facts: { readonly [name: string]: Json } = {
      image: { name: image, sizeBytes: measured.source.sizeBytes },
      shard: flags.shard ?? "",
      units: { from: range.from, to: range.to, all: units },
      writtenTo: flags.out,
      relaxations: [...relaxations, ...resumedRelaxation(measured, flags.journal)].map((r): Json => ({ ...r })),
    };
    return factsResult(facts, `${range.to - range.from} of ${units} units written to ${flags.out}`);
  } finally {
    line.end();
  }
}

function otherFirstUnit(image: string, layout: VerityLayout, edge: readonly Uint8Array[]): Digest | undefined {
  const block = otherBlock(image, layout);
  return block === undefined || edge.length === 0 ? undefined : throughEdge(layout, edge, block);
}

/** Looked at before hours of hashing: what is there may be the disk. @throws PmError PM_USAGE */
function canBeReplaced(path: string, image: string): void {
  const [there, disk] = [statOf(path), statOf(image)];
  if (there === undefined) return;
  const itself = there.dev === disk?.dev && there.ino === disk.ino;
  if (itself || !there.isFile())
    throw usage(`--out: ${path} is ${itself ? "the disk itself" : "not a file"}`, "name another file for the part");
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw usage(`${path}: ${systemReason(error)}`);
  }
}

async function save(path: string, text: string): Promise<void> {
  try {
    await writeWhole(path, new TextEncoder().encode(text));
  } catch (error) {
    throw usage(`${path}: cannot be written: ${systemReason(error)}`);
  }
}

/** `pm verity join`. @throws PmError PM_USAGE for shards that do not make one whole */
export async function joinDisk(
  files: readonly string[],
  flags: Pick<HashFlags, "expect" | "allow-weak-algorithm">,
): Promise<Result> {
  const shards = [];
  for (const file of files) {
    const { name, bytes } = await readInput(file, "a shard", maxShardBytes);
    shards.push({ name, shard: decodeShard(bytes, name) });
  }
  const { layout, digests, sizeBytes, otherFirstUnit: other } = joinShards(shards);
  const expected = expectedRoots(flags.expect, layout);
  const weak = weakness(layout, flags["allow-weak-algorithm"] === true);
  if (expected.length > 0) demandStrong({ layout, relaxations: weak });
  const relaxations: Relaxation[] = [
    ...weak,
    {
      name: "shards",
      meaning: `${files.length} files say what their parts of the disk are: whoever made them is believed.`,
    },
  ];
  const { rootHash } = rootFrom(layout, digests, []);
  return hashedResult({
    image: { name: `${files.length} shards`, sizeBytes, sha256: null },
    layout,
    rootHash,
    otherRoot: other === undefined ? undefined : rootFrom(layout, [other, ...digests.slice(1)], []).rootHash,
    uncovered: null,
    superblock: null,
    hint: undefined,
    expected,
    relaxations,
  });
}
