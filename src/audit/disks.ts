/**
 * The images of the profile's disks, measured before anything is judged and in a replay, too: a bundle is no reference.
 * Under Privatemode's parameters, whatever a disk says of itself.
 */

import type { DisksPlan } from "../chain/disks.ts";
import { PmError } from "../errors.ts";
import { digestFiles } from "../measure/extents.ts";
import { type OpenImage, openImage } from "../measure/image-reader.ts";
import { privatemodeDisk, superblockBytes } from "../measure/verity/layout.ts";
import { type SourceFile, sourceFile, stillTheSame } from "../measure/verity/source-file.ts";
import type { HeldDisks, HeldImage } from "../profile/disks.ts";
import { progressLine } from "../progress.ts";
import type { HeldDisk, ListedFiles, MeasuredImage } from "../verifiers/verity/disk-types.ts";
import { decodeSuperblock, listErofs } from "../verifiers/verity/erofs/index.ts";
import { expectedFiles } from "./disk-expected.ts";
import { rootsOf } from "./disk-root.ts";

const blockBytes = privatemodeDisk.dataBlockSize;

/** @throws PmError PM_USAGE for an image or a list that cannot be read; PM_SOURCE_REFUSED for one that changes meanwhile */
export async function measureDisks(disks: HeldDisks): Promise<DisksPlan> {
  const held: HeldDisk[] = [];
  // One after the other: each takes all cores and the disk for itself.
  for (const image of disks.images) held.push(await measured(image));
  return { form: disks.form, list: disks.list, held };
}

async function measured({ rootHash, at, image, expect }: HeldImage): Promise<HeldDisk> {
  return {
    rootHash,
    at,
    expect:
      expect === undefined
        ? undefined
        : {
            files: expectedFiles(expect),
            origin: { kind: "pinned", file: expect.name, sha256: expect.sha256 },
          },
    image: image === undefined ? undefined : await imageFacts(image, expect !== undefined),
  };
}

/** An image that is damaged, or of a form that is not read, is an answer; one that cannot be read is the user's to mend. */
async function imageFacts(path: string, files: boolean): Promise<HeldDisk["image"]> {
  const source = sourceFile(path);
  const open = openImage(path);
  try {
    return await readImage(open, source, files);
  } catch (error) {
    if (error instanceof PmError && evidence.has(error.code)) return { name: path, problem: error };
    throw error;
  } finally {
    open.close();
  }
}
const evidence: ReadonlySet<PmError["code"]> = new Set(["PM_EVIDENCE_MALFORMED", "PM_EVIDENCE_UNSUPPORTED"]);

async function readImage(image: OpenImage, source: SourceFile, files: boolean): Promise<MeasuredImage> {
  const { name, sizeBytes } = image;
  const { blocks, blockSize } = decodeSuperblock(image);
  if (blockSize !== blockBytes)
    throw new PmError(
      "PM_EVIDENCE_UNSUPPORTED",
      `${name}: EROFS blocks of ${blockSize} bytes; the disk mounter knows 4096`,
    );
  const dataBytes = blocks * blockBytes;
  if (blocks < 1) throw new PmError("PM_EVIDENCE_MALFORMED", `${name}: a file system of no blocks`);
  if (dataBytes > sizeBytes)
    throw new PmError("PM_EVIDENCE_MALFORMED", `${name}: ends at byte ${sizeBytes} of the file system's ${dataBytes}`);
  const roots = await rootsOf(name, dataBytes);
  if ("reason" in roots) throw new PmError("PM_EVIDENCE_MALFORMED", `${name}: ${roots.reason}`);
  const listed = files ? await listedFiles(image, dataBytes) : undefined;
  const superblock = sizeBytes >= dataBytes + superblockBytes ? image.read(dataBytes, superblockBytes) : undefined;
  // Root, files and superblock must be those of one image: it was read three times.
  stillTheSame(source);
  return {
    name,
    sizeBytes,
    dataBytes,
    rootHash: roots.ofImage,
    otherRootHash: roots.ofOtherLayout,
    superblock,
    files: listed,
  };
}

async function listedFiles(image: OpenImage, dataBytes: number): Promise<ListedFiles | PmError> {
  try {
    const { entries } = listErofs({ ...image, sizeBytes: dataBytes });
    const regular = entries.filter((e) => e.kind === "file");
    const total = regular.reduce((sum, e) => sum + e.sizeBytes, 0);
    const line = progressLine(`reading the files of ${image.name}`);
    const progress = (bytes: number): void => line.update(bytes, total);
    const digests = await digestFiles(image.name, regular, { progress }).finally(line.end);
    return {
      entries,
      digests: new Map(regular.flatMap((e, i) => (digests[i] === undefined ? [] : [[e.path, digests[i]] as const]))),
    };
  } catch (error) {
    if (error instanceof PmError && evidence.has(error.code)) return error;
    throw error;
  }
}
