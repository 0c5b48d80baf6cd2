/**
 * The images of the profile's disks, measured before anything is judged and in a replay, too: a bundle is no reference.
 * Under Privatemode's parameters, whatever a disk says of itself.
 */

import type { DisksPlan } from "../chain/disks.ts";
import { PmError, usage } from "../errors.ts";
import { digestFiles } from "../measure/extents.ts";
import { type OpenImage, openImage } from "../measure/image-reader.ts";
import { measureRoot } from "../measure/verity/hash.ts";
import { layoutOf, privatemodeDisk } from "../measure/verity/layout.ts";
import { type SourceFile, sourceFile, stillTheSame } from "../measure/verity/source-file.ts";
import type { HeldDisks, HeldImage } from "../profile/disks.ts";
import type { HeldDisk, ListedFiles, MeasuredImage } from "../verifiers/verity/disk-types.ts";
import { decodeSuperblock, listErofs, otherFirstBlock } from "../verifiers/verity/erofs/index.ts";
import { decodeExpect } from "../verifiers/verity/expect.ts";
import type { Settings } from "./settings.ts";

const blockBytes = 4096;
const superblockBytes = 512;

/** @throws PmError PM_USAGE for an image or a list that cannot be read; PM_SOURCE_REFUSED for one that changes meanwhile */
export async function measureDisks(settings: Settings, disks: HeldDisks): Promise<DisksPlan> {
  const held: HeldDisk[] = [];
  // One after the other: each takes all cores and the disk for itself.
  for (const image of disks.images) held.push(await measured(image, settings));
  return { form: disks.form, list: disks.list, held };
}

async function measured({ rootHash, at, image, expect }: HeldImage, settings: Settings): Promise<HeldDisk> {
  return {
    rootHash,
    at,
    expect:
      expect === undefined
        ? undefined
        : {
            files: expected(expect.bytes, expect.name),
            origin: { kind: "pinned", file: expect.name, sha256: expect.sha256 },
          },
    image: image === undefined ? undefined : await imageFacts(image, expect !== undefined, settings),
  };
}

/** The auditor's own file: what is wrong in it is theirs to mend. */
function expected(bytes: Uint8Array, name: string): ReturnType<typeof decodeExpect> {
  try {
    return decodeExpect(bytes, name);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    throw usage(error.message, "make the list anew with pm disk expect");
  }
}

/** An image that is damaged, or of a form that is not read, is an answer; one that cannot be read is the user's to mend. */
async function imageFacts(path: string, files: boolean, settings: Settings): Promise<HeldDisk["image"]> {
  const source = sourceFile(path);
  const open = openImage(path);
  try {
    return await readImage(open, source, files, settings);
  } catch (error) {
    if (error instanceof PmError && evidence.has(error.code)) return { name: path, problem: error };
    throw error;
  } finally {
    open.close();
  }
}
const evidence: ReadonlySet<PmError["code"]> = new Set(["PM_EVIDENCE_MALFORMED", "PM_EVIDENCE_UNSUPPORTED"]);

async function readImage(
  image: OpenImage,
  source: SourceFile,
  files: boolean,
  settings: Settings,
): Promise<MeasuredImage> {
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
  const layout = layoutOf({ ...privatemodeDisk, dataBlocks: blocks });
  const progress = percents(name, "root hash", settings);
  const { rootHash, rootWithFirstBlock } = await measureRoot(name, layout, { progress });
  const other = otherFirstBlock(image.read(0, blockBytes));
  const listed = files ? await listedFiles(image, dataBytes, settings) : undefined;
  const superblock = sizeBytes >= dataBytes + superblockBytes ? image.read(dataBytes, superblockBytes) : undefined;
  // Root, files and superblock must be those of one image: it was read three times.
  stillTheSame(source);
  return {
    name,
    sizeBytes,
    dataBytes,
    rootHash,
    otherRootHash: other === undefined ? undefined : rootWithFirstBlock(other),
    superblock,
    files: listed,
  };
}

async function listedFiles(image: OpenImage, dataBytes: number, settings: Settings): Promise<ListedFiles | PmError> {
  try {
    const { entries } = listErofs({ ...image, sizeBytes: dataBytes });
    const regular = entries.filter((e) => e.kind === "file");
    const total = regular.reduce((sum, e) => sum + e.sizeBytes, 0);
    const progress = percents(image.name, "files", settings);
    const digests = await digestFiles(image.name, regular, { progress: (bytes) => progress(bytes, total) });
    return {
      entries,
      digests: new Map(regular.flatMap((e, i) => (digests[i] === undefined ? [] : [[e.path, digests[i]] as const]))),
    };
  } catch (error) {
    if (error instanceof PmError && evidence.has(error.code)) return error;
    throw error;
  }
}

/** Each tenth, for people who wait: a disk of 600 GB takes a quarter of an hour. */
function percents(name: string, what: string, { notice, progress }: Settings): (done: number, total: number) => void {
  let said = 0;
  return (done, total) => {
    const tenth = total === 0 ? 10 : Math.floor((done / total) * 10);
    if (progress !== true || tenth <= said) return;
    said = tenth;
    notice(`${name}: ${what}, ${tenth * 10} % of ${Math.ceil(total / 1_000_000)} MB`);
  };
}
