/** `pm verity hash` and `pm verity join`: the root hash of a disk under the auditor's parameters, whole or in shards. */
import { statSync } from "node:fs";
import type { Result } from "../command.ts";
import { usage } from "../errors.ts";
import { hexFlag } from "../flags.ts";
import { readInput } from "../input.ts";
import { measureFile } from "../measure/files.ts";
import {
  type HashOptions,
  type MeasuredRoot,
  measureRoot,
  measureUnits,
  rootFrom,
  throughEdge,
} from "../measure/verity/hash.ts";
import { superblockBytes, type VerityLayout } from "../measure/verity/layout.ts";
import { decodeShard, encodeShard, joinShards, maxShardBytes, shardRange } from "../measure/verity/shard.ts";
import { bytesAt, sourceFile, stillTheSame } from "../measure/verity/source-file.ts";
import { measureStream } from "../measure/verity/stream.ts";
import type { Digest } from "../measure/verity/tree.ts";
import { unitPlan } from "../measure/verity/units.ts";
import { progressLine } from "../progress.ts";
import type { Json, Relaxation } from "../report/report.ts";
import { writeWhole } from "../sources/files.ts";
import { systemReason } from "../system-reason.ts";
import { comparedFields } from "../verifiers/verity/device.ts";
import { otherFirstBlock } from "../verifiers/verity/erofs/index.ts";
import { decodeSuperblock } from "../verifiers/verity/superblock.ts";
import { factsResult, hashedResult } from "./verity-hashed.ts";
import {
  type DiskParameters,
  dataBytesOf,
  demandStrong,
  diskParameters,
  hashAreaEnd,
  hashOffsetOf,
  hashParameters,
  type ParameterFlags,
  weakness,
} from "./verity-parameters.ts";

export interface HashFlags extends ParameterFlags {
  readonly expect?: readonly string[] | undefined;
  readonly jobs?: number | undefined;
  readonly journal?: string | undefined;
  readonly shard?: string | undefined;
  readonly out?: string | undefined;
  readonly "file-hash"?: boolean;
}

/** Lower-case hex of the roots that are expected. */
const expectedRoots = (values: readonly string[] | undefined, { digestSize }: VerityLayout): string[] =>
  (values ?? []).map((value) => Buffer.from(hexFlag(value, digestSize, "--expect")).toString("hex"));

/** @throws PmError PM_USAGE for parameters and files that cannot be used; PM_SOURCE_REFUSED when the disk changes meanwhile */
export async function hashDisk(image: string, flags: HashFlags): Promise<Result> {
  if (image === "-") return hashStdin(flags);
  const source = sourceFile(image);
  const disk = diskParameters(flags, source, true);
  const { layout, hashOffset } = disk;
  const expected = expectedRoots(flags.expect, layout);
  if (expected.length > 0) demandStrong(disk);
  if (hashOffset !== undefined) holdsHashArea(disk, hashOffset, source.sizeBytes, image);
  if (flags.shard !== undefined) return hashShard(image, disk, flags);
  if (flags.out !== undefined) throw usage("--out: for shards only", "give --shard I/N, or --output json=FILE");
  const line = progressLine(`hashing ${image}`);
  const options = optionsOf(flags, line.update);
  try {
    const [measured, whole] = await Promise.all([
      measureRoot(image, layout, options),
      flags["file-hash"] === true ? measureFile(image, "a disk image") : undefined,
    ]);
    stillTheSame(source);
    return hashedResult({
      image: { name: image, sizeBytes: source.sizeBytes, sha256: whole?.sha256 ?? null },
      layout,
      rootHash: measured.rootHash,
      otherRoot: otherRoot(image, layout, measured),
      uncovered: uncoveredOf(disk, source.sizeBytes),
      superblock:
        hashOffset === undefined || !disk.superblock
          ? null
          : superblockFacts(image, disk, hashOffset, source.sizeBytes),
      hint: hashOffset === undefined ? forgottenTree(image, disk, source.sizeBytes) : undefined,
      expected,
      relaxations: [...disk.relaxations, ...resumedRelaxation(measured, flags.journal)],
    });
  } finally {
    line.end();
  }
}

/** What is read once cannot be cut into parts. */
async function hashStdin(flags: HashFlags): Promise<Result> {
  for (const flag of ["journal", "shard", "jobs", "file-hash"] as const)
    if (flags[flag] !== undefined) throw usage(`--${flag}: not for stdin`, "save the disk into a file first");
  const parameters = hashParameters(flags);
  const limit = dataBytesOf(flags, parameters.dataBlockSize) ?? hashOffsetOf(flags);
  const measured = await measureStream(process.stdin, parameters, limit);
  const { layout, sizeBytes, rootHash, firstBlock } = measured;
  if (limit !== undefined && sizeBytes < limit) throw usage(`stdin: ${sizeBytes} bytes, and ${limit} are data`);
  const relaxations = weakness(layout, flags["allow-weak-algorithm"] === true);
  const expected = expectedRoots(flags.expect, layout);
  if (expected.length > 0) demandStrong({ layout, relaxations });
  const more = flags["hash-offset"] === undefined || sizeBytes === limit ? undefined : notCompared;
  const other = layout.dataBlockSize === 4096 ? otherFirstBlock(firstBlock) : undefined;
  return hashedResult({
    image: { name: "stdin", sizeBytes, sha256: null },
    layout,
    rootHash,
    otherRoot: other === undefined ? undefined : measured.rootWithFirstBlock(other),
    uncovered: uncoveredOf({ layout, hashOffset: undefined }, sizeBytes),
    superblock: null,
    hint: more,
    expected,
    relaxations,
  });
}

const notCompared =
  "A superblock behind the data was not compared: stdin is read once. Save the disk into a file for that.";

const optionsOf = ({ jobs, journal }: HashFlags, progress: HashOptions["progress"]): HashOptions => ({
  ...(jobs === undefined ? {} : { jobs }),
  ...(journal === undefined ? {} : { journal }),
  ...(progress === undefined ? {} : { progress }),
});

/** A file that ends where the hash area begins is an image without one. */
function holdsHashArea(disk: DiskParameters, hashOffset: number, sizeBytes: number, image: string): void {
  const end = hashAreaEnd(disk, hashOffset);
  if (sizeBytes !== hashOffset && sizeBytes < end)
    throw usage(
      `${image}: ${sizeBytes} bytes: a hash area from byte ${hashOffset} would end at byte ${end}`,
      "check --hash-offset: what lies behind it is not data",
    );
}

async function hashShard(image: string, disk: DiskParameters, flags: HashFlags): Promise<Result> {
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

/** Looked at before hours of hashing: what is there may be the disk. @throws PmError PM_USAGE */
function canBeReplaced(path: string, image: string): void {
  const there = statSync(path, { throwIfNoEntry: false });
  const disk = statSync(image);
  if (there === undefined) return;
  if (!there.isFile() || (there.dev === disk.dev && there.ino === disk.ino))
    throw usage(`${path}: ${there.isFile() ? "is the disk itself" : "not a file"}`, "name another file for --out");
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

const resumedRelaxation = ({ resumed }: Pick<MeasuredRoot, "resumed">, journal: string | undefined): Relaxation[] =>
  resumed === undefined
    ? []
    : [
        {
          name: "journal",
          meaning: `${resumed.units} units were not hashed in this run but taken from ${journal}, ${resumed.checked} of them hashed again.`,
        },
      ];

/** mkfs.erofs 1.9 sets a bit that later ones leave out: the root of a disk that differs in nothing else. */
const otherBlock = (image: string, layout: VerityLayout): Uint8Array | undefined =>
  layout.dataBlockSize === 4096 ? otherFirstBlock(bytesAt(image, 0, layout.dataBlockSize)) : undefined;

function otherRoot(image: string, layout: VerityLayout, measured: MeasuredRoot): string | undefined {
  const block = otherBlock(image, layout);
  return block === undefined ? undefined : measured.rootWithFirstBlock(block);
}
function otherFirstUnit(image: string, layout: VerityLayout, edge: readonly Uint8Array[]): Digest | undefined {
  const block = otherBlock(image, layout);
  return block === undefined || edge.length === 0 ? undefined : throughEdge(layout, edge, block);
}

/** Bytes behind the last whole data block, up to the hash area or the end. */
function uncoveredOf({ layout, hashOffset }: Pick<DiskParameters, "layout" | "hashOffset">, sizeBytes: number) {
  const at = layout.dataBlocks * layout.dataBlockSize;
  const end = hashOffset ?? sizeBytes;
  return end > at ? { at, length: end - at } : null;
}

/** The root of data and tree together is hardly what was wanted. */
function forgottenTree(image: string, { layout }: DiskParameters, sizeBytes: number): string | undefined {
  const blocks = bytesAt(image, 0, Math.min(sizeBytes, 2048));
  const view = Buffer.from(blocks);
  if (view.length < 1064 || view.readUInt32LE(1024) !== 0xe0f5e1e2) return undefined;
  const end = view.readUInt32LE(1060) * layout.dataBlockSize;
  if (end === 0 || end + superblockBytes > sizeBytes || end >= layout.dataBlocks * layout.dataBlockSize)
    return undefined;
  return `The EROFS image on this disk says that it ends at byte ${end}: if a hash area follows, --hash-offset ${end} leaves it out.`;
}

function superblockFacts(image: string, { layout }: DiskParameters, hashOffset: number, sizeBytes: number) {
  // An image that was not formatted yet.
  if (sizeBytes === hashOffset) return null;
  const superblock = decodeSuperblock(bytesAt(image, hashOffset, superblockBytes));
  return comparedFields(layout, superblock).map((f) => ({ ...f, equal: f.expected === f.found }));
}
