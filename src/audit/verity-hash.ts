/** `pm verity hash`: the root hash of a disk under the auditor's parameters. */
import type { Result } from "../command.ts";
import { PmError, usage } from "../errors.ts";
import { measureFile } from "../measure/files.ts";
import { openImage } from "../measure/image-reader.ts";
import { type MeasuredRoot, measureRoot } from "../measure/verity/hash.ts";
import { superblockBytes, type VerityLayout } from "../measure/verity/layout.ts";
import { bytesAt, sourceFile, stillTheSame } from "../measure/verity/source-file.ts";
import { measureStream } from "../measure/verity/stream.ts";
import { progressLine } from "../progress.ts";
import { comparedFields } from "../verifiers/verity/device.ts";
import { decodeSuperblock as decodeErofs, otherFirstBlock } from "../verifiers/verity/erofs/index.ts";
import { decodeSuperblock } from "../verifiers/verity/superblock.ts";
import { hashedResult } from "./verity-hashed.ts";
import {
  type DiskParameters,
  dataBytesOf,
  demandStrong,
  diskParameters,
  type HashArea,
  hashAreaEnd,
  hashOffsetOf,
  hashParameters,
  noOverlap,
  weakness,
} from "./verity-parameters.ts";
import { expectedRoots, type HashFlags, optionsOf, otherBlock, resumedRelaxation } from "./verity-run.ts";
import { hashShard } from "./verity-shards.ts";

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
    const result = hashedResult({
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
    // The first block and the superblock were read beside the rest.
    stillTheSame(source);
    return result;
  } finally {
    line.end();
  }
}

/** What is read once cannot be cut into parts. */
async function hashStdin(flags: HashFlags): Promise<Result> {
  for (const flag of ["journal", "shard", "out", "jobs", "file-hash"] as const)
    if (flags[flag] !== undefined) throw usage(`--${flag}: not for stdin`, "save the disk into a file first");
  const parameters = hashParameters(flags);
  const { dataBlockSize } = parameters;
  const hashOffset = hashOffsetOf(flags);
  const limit = dataBytesOf(flags, dataBlockSize) ?? hashOffset;
  if (limit !== undefined && hashOffset !== undefined)
    noOverlap(Math.floor(limit / dataBlockSize), dataBlockSize, hashOffset);
  const measured = await measureStream(process.stdin, parameters, limit);
  const { layout, sizeBytes, rootHash, firstBlock } = measured;
  if (limit !== undefined && sizeBytes < limit) throw usage(`stdin: ${sizeBytes} bytes, and ${limit} are data`);
  const superblock = flags["no-superblock"] !== true;
  if (hashOffset !== undefined) holdsHashArea({ layout, superblock }, hashOffset, sizeBytes, "stdin");
  const relaxations = weakness(layout, flags["allow-weak-algorithm"] === true);
  const expected = expectedRoots(flags.expect, layout);
  if (expected.length > 0) demandStrong({ layout, relaxations });
  const other = layout.dataBlockSize === 4096 ? otherFirstBlock(firstBlock) : undefined;
  return hashedResult({
    image: { name: "stdin", sizeBytes, sha256: null },
    layout,
    rootHash,
    otherRoot: other === undefined ? undefined : measured.rootWithFirstBlock(other),
    uncovered: uncoveredOf({ layout, hashOffset }, sizeBytes),
    superblock: null,
    hint: superblock && hashOffset !== undefined && sizeBytes > hashOffset ? notCompared : undefined,
    expected,
    relaxations,
  });
}

const notCompared =
  "A superblock behind the data was not compared: stdin is read once. Save the disk into a file for that.";

/** A file that ends where the hash area begins is an image without one. */
function holdsHashArea(disk: HashArea, hashOffset: number, sizeBytes: number, image: string): void {
  const end = hashAreaEnd(disk, hashOffset);
  if (sizeBytes !== hashOffset && sizeBytes < end)
    throw usage(
      `${image}: ${sizeBytes} bytes: a hash area from byte ${hashOffset} would end at byte ${end}`,
      "check --hash-offset: what lies behind it is not data",
    );
}

function otherRoot(image: string, layout: VerityLayout, measured: MeasuredRoot): string | undefined {
  const block = otherBlock(image, layout);
  return block === undefined ? undefined : measured.rootWithFirstBlock(block);
}
/** Bytes behind the last whole data block, up to the hash area or the end. */
function uncoveredOf({ layout, hashOffset }: Pick<DiskParameters, "layout" | "hashOffset">, sizeBytes: number) {
  const at = layout.dataBlocks * layout.dataBlockSize;
  const end = hashOffset ?? sizeBytes;
  return end > at ? { at, length: end - at } : null;
}

/** The root of data and tree together is hardly what was wanted. */
function forgottenTree(image: string, { layout }: DiskParameters, sizeBytes: number): string | undefined {
  const end = endOfErofs(image);
  if (end === undefined || end + superblockBytes > sizeBytes || end >= layout.dataBlocks * layout.dataBlockSize)
    return undefined;
  return `The EROFS image on this disk says that it ends at byte ${end}: if a hash area follows, --hash-offset ${end} leaves it out.`;
}

/** By the image's own word, which is good for a hint and nothing else. */
function endOfErofs(path: string): number | undefined {
  const image = openImage(path);
  try {
    const { blocks, blockSize } = decodeErofs(image);
    return blocks === 0 ? undefined : blocks * blockSize;
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  } finally {
    image.close();
  }
}

function superblockFacts(image: string, { layout }: DiskParameters, hashOffset: number, sizeBytes: number) {
  // An image that was not formatted yet.
  if (sizeBytes === hashOffset) return null;
  const superblock = decodeSuperblock(bytesAt(image, hashOffset, superblockBytes));
  return comparedFields(layout, superblock).map((f) => ({ ...f, equal: f.expected === f.found }));
}
