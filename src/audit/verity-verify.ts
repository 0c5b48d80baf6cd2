/** `pm verity verify`: a disk with its hash tree against a root hash, under the auditor's parameters. */
import type { Sourced } from "../claims/answer.ts";
import type { Catalogue } from "../claims/question.ts";
import { type Judged, judge } from "../claims/subject.ts";
import { usage } from "../errors.ts";
import { hexFlag } from "../flags.ts";
import { type ComparedTree, compareTree } from "../measure/verity/hash.ts";
import { superblockBytes, treeOffset } from "../measure/verity/layout.ts";
import { bytesAt, type SourceFile, sourceFile, stillTheSame } from "../measure/verity/source-file.ts";
import { levelOffsets } from "../measure/verity/stored.ts";
import { progressLine } from "../progress.ts";
import { composeReport } from "../report/compose.ts";
import type { Report } from "../report/report.ts";
import { rfc } from "../time.ts";
import {
  type DeviceFacts,
  notProvenByDevice,
  parametersText,
  type SuperblockBytes,
  superblockAnswers,
  treeAnswers,
} from "../verifiers/verity/device.ts";
import { veritySuperblock, verityTree } from "../verifiers/verity/device-claims.ts";
import {
  type DiskParameters,
  demandStrong,
  diskParameters,
  hashAreaEnd,
  type ParameterFlags,
  privatemodeUuid,
} from "./verity-parameters.ts";

export interface VerifyFlags extends ParameterFlags {
  readonly root: string;
  readonly "hash-file"?: string | undefined;
  readonly uuid?: string | undefined;
  readonly jobs?: number | undefined;
}

interface Place {
  readonly disk: DiskParameters;
  readonly data: SourceFile;
  readonly hashes: SourceFile;
  /** Data and tree share one file. */
  readonly same: boolean;
  readonly hashOffset: number;
}

/** @throws PmError PM_USAGE for parameters and files that cannot be used; PM_SOURCE_REFUSED when a file changes meanwhile */
export async function verifyDisk(image: string, flags: VerifyFlags, toolVersion: string, now: Date): Promise<Report> {
  const place = placeOf(image, flags);
  const { disk } = place;
  demandStrong(disk);
  const root: Sourced = {
    value: Buffer.from(hexFlag(flags.root, disk.layout.digestSize, "--root")).toString("hex"),
    origin: { kind: "flag", name: "--root" },
  };
  const line = progressLine(`verifying ${image}`);
  let tree: ComparedTree;
  try {
    const hashes = { path: place.hashes.path, place: { hashOffset: place.hashOffset, superblock: disk.superblock } };
    const jobs = flags.jobs === undefined ? {} : { jobs: flags.jobs };
    tree = await compareTree(image, disk.layout, hashes, { ...jobs, progress: line.update });
  } finally {
    line.end();
  }
  const superblock = disk.superblock ? superblockOf(place) : undefined;
  // Sizes were looked at before the tree was compared, and the superblock was read after.
  stillTheSame(place.data);
  stillTheSame(place.hashes);
  return composeReport({
    audited: {
      judged: [judgedDisk(place, tree, superblock, root, flags.uuid)],
      evidence: {
        disk: {
          data: { name: place.data.path, sizeBytes: place.data.sizeBytes },
          hashes: { name: place.hashes.path, sizeBytes: place.hashes.sizeBytes, hashOffset: place.hashOffset },
          parameters: parametersText(disk.layout),
          hashBlocks: disk.layout.hashBlocks,
          levels: [...disk.layout.levels],
          computedRootHash: tree.rootHash,
          storedRootHash: tree.stored.rootHash,
        },
      },
      anchors: [],
      notProven: notProvenByDevice,
    },
    target: image,
    scope: "dm-verity disk",
    judgedAt: rfc(now),
    capturedAt: null,
    freshness: "not asked: a disk",
    profileSha256: null,
    bundleSha256: null,
    relaxations: disk.relaxations,
    rules: { waivers: [], promoted: new Set(), now },
    toolVersion,
  });
}

function placeOf(image: string, flags: VerifyFlags): Place {
  const data = sourceFile(image);
  const same = flags["hash-file"] === undefined;
  if (same && flags["hash-offset"] === undefined)
    throw usage(
      "no hash offset: where data end and the tree begins is not taken from the disk",
      "give --hash-offset BYTES, or --hash-file FILE where the tree lies elsewhere",
    );
  const disk = diskParameters(flags, data, same);
  const hashes = flags["hash-file"] === undefined ? data : sourceFile(flags["hash-file"]);
  const hashOffset = disk.hashOffset ?? 0;
  const end = hashAreaEnd(disk, hashOffset);
  if (end > hashes.sizeBytes)
    throw usage(
      `${hashes.path}: ${hashes.sizeBytes} bytes, and a tree for ${disk.layout.dataBlocks} data blocks ends at byte ${end}`,
      "check --hash-offset, data size and block sizes",
    );
  return { disk, data, hashes, same, hashOffset };
}

function superblockOf({ disk, hashes, hashOffset }: Place): SuperblockBytes {
  const end = Math.min(treeOffset(disk.layout, hashOffset, true), hashes.sizeBytes);
  const bytes = bytesAt(hashes.path, hashOffset, end - hashOffset);
  const gap = bytes.subarray(superblockBytes).findIndex((b) => b !== 0);
  return {
    bytes: bytes.subarray(0, superblockBytes),
    gapAt: gap < 0 ? undefined : hashOffset + superblockBytes + gap,
  };
}

function judgedDisk(
  place: Place,
  tree: ComparedTree,
  superblock: SuperblockBytes | undefined,
  root: Sourced,
  uuidFlag: string | undefined,
): Judged {
  const { disk, hashOffset } = place;
  const facts: DeviceFacts = {
    ...tree.stored,
    computedRoot: tree.rootHash,
    storedRoot: tree.stored.rootHash,
    levelOffsets: levelOffsets(disk.layout, { hashOffset, superblock: disk.superblock }),
    uncovered: uncoveredOf(place),
  };
  const answers = treeAnswers(facts, root);
  if (superblock === undefined) return judge({ name: "disk", catalogue: verityTree, pinned: new Set() }, answers);
  const uuid = uuidOf(disk, uuidFlag);
  const catalogue: Catalogue & typeof veritySuperblock & typeof verityTree = { ...veritySuperblock, ...verityTree };
  const expected = { device: disk.layout, origin: disk.origin };
  return judge(
    { name: "disk", catalogue, pinned: new Set(uuid === undefined ? [] : ["verity.superblock.uuid"]) },
    { ...superblockAnswers(superblock, expected, uuid, veritySuperblock), ...answers },
  );
}

function uuidOf({ origin }: DiskParameters, flag: string | undefined): Sourced | undefined {
  if (flag !== undefined) {
    if (!/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(flag)) throw usage(`--uuid: not a UUID: ${flag}`);
    return { value: flag.toLowerCase(), origin: { kind: "flag", name: "--uuid" } };
  }
  return origin.kind === "flag" && origin.name.startsWith("--preset") ? { value: privatemodeUuid, origin } : undefined;
}

/** Behind the data up to the superblock, and behind the tree. */
function uncoveredOf({ disk, data, hashes, same, hashOffset }: Place) {
  const dataEnd = disk.layout.dataBlocks * disk.layout.dataBlockSize;
  const from = (at: number, end: number) => (end > at ? [{ at, length: end - at }] : []);
  const behind = from(hashAreaEnd(disk, hashOffset), hashes.sizeBytes);
  return same ? [...from(dataEnd, hashOffset), ...behind] : [...from(dataEnd, data.sizeBytes), ...behind];
}
