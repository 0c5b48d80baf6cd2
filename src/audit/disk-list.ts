/** `pm disk list`: what lies in a disk image. Facts alone: a listing that looks right proves nothing about the model. */
import type { Result } from "../command.ts";
import { PmError } from "../errors.ts";
import { factsJson, tree } from "../inspect.ts";
import { digestFiles, type FileDigests } from "../measure/extents.ts";
import { openImage } from "../measure/image-reader.ts";
import type { Json } from "../report/report.ts";
import { count, safe, wrap } from "../report/text.ts";
import { type ErofsEntry, type ErofsTree, listErofs, superblockFacts } from "../verifiers/verity/erofs/index.ts";

export interface DiskList {
  /** A file or block device. */
  readonly image: string;
  /** Read every file, too. */
  readonly digests: boolean;
  readonly signal?: AbortSignal;
  /** Bytes of files that were digested, of how many. */
  readonly progress?: (bytes: number, total: number) => void;
}

/** An entry with what only the list as a whole can say. */
interface Listed {
  readonly entry: ErofsEntry;
  /** Path of the first name of the same inode; undefined: this is the first. */
  readonly sameAs: string | undefined;
  readonly digests: FileDigests | undefined;
}

/**
 * @throws PmError PM_USAGE for an image that cannot be read; PM_EVIDENCE_MALFORMED and PM_EVIDENCE_UNSUPPORTED for one
 * that is no EROFS, or none that pm reads
 */
export async function listDisk(request: DiskList): Promise<Result> {
  const image = openImage(request.image);
  let found: ErofsTree;
  try {
    found = listErofs(image);
  } catch (error) {
    if (!(error instanceof PmError) || !error.code.startsWith("PM_EVIDENCE")) throw error;
    throw new PmError(error.code, `${request.image}: ${error.message}`, {
      hint: "check that this is a whole disk image as mkfs.erofs wrote it; pm reads uncompressed ones",
      cause: error,
    });
  } finally {
    image.close();
  }
  const entries = await listed(found, request);
  return result(request, image.sizeBytes, found, entries);
}

async function listed({ entries }: ErofsTree, { image, digests, signal, progress }: DiskList): Promise<Listed[]> {
  const first = new Map<bigint, ErofsEntry>();
  for (const entry of entries) if (!first.has(entry.nid)) first.set(entry.nid, entry);
  // Each inode once, however many names it has.
  const files = [...first.values()].filter((e) => digests && e.kind === "file");
  const total = files.reduce((sum, f) => sum + f.sizeBytes, 0);
  const found = await digestFiles(image, files, {
    ...(signal === undefined ? {} : { signal }),
    ...(progress === undefined ? {} : { progress: (bytes: number) => progress(bytes, total) }),
  });
  const byNid = new Map(files.map((f, i) => [f.nid, found[i]]));
  return entries.map((entry) => {
    const same = first.get(entry.nid);
    return { entry, sameAs: same === entry ? undefined : same?.path, digests: byNid.get(entry.nid) };
  });
}

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

const entryFacts = ({ entry, sameAs, digests }: Listed): Json => ({
  path: entry.path,
  kind: entry.kind,
  mode: octal(entry.mode),
  uid: entry.uid,
  gid: entry.gid,
  nid: String(entry.nid),
  links: entry.links,
  sizeBytes: entry.sizeBytes,
  ...(entry.target === undefined ? {} : { target: entry.target }),
  ...(sameAs === undefined ? {} : { hardLinkOf: sameAs }),
  ...(digests === undefined ? {} : { sha256: digests.sha256, gitSha1: digests.gitSha1 }),
});

function result({ image, digests }: DiskList, sizeBytes: number, found: ErofsTree, entries: readonly Listed[]): Result {
  const { superblock, inodes } = found;
  const ofKind = (kind: string): number => entries.filter((e) => e.entry.kind === kind).length;
  const beyond = sizeBytes - superblock.blocks * superblock.blockSize;
  const facts = {
    image: {
      name: image,
      sizeBytes,
      fileSystemBytes: superblock.blocks * superblock.blockSize,
      inodes,
      files: ofKind("file"),
      directories: ofKind("directory"),
      symlinks: ofKind("symlink"),
      fileBytes: entries.reduce((sum, e) => sum + (e.entry.kind === "file" ? e.entry.sizeBytes : 0), 0),
    },
    superblock: superblockFacts(superblock),
  };
  const notes = [
    "Listed only. Nothing here was compared or judged, and no root hash was computed. Times and extended attributes are not listed.",
    ...(digests ? [] : ["No file was read: --digests reads each, for its SHA-256 (Git LFS) and its git object id."]),
    ...(beyond > 0 ? [`Behind the file system lie ${count(beyond, "byte")}, which were not looked at.`] : []),
    ...(beyond < 0 ? [`The image ends ${count(-beyond, "byte")} before its file system does.`] : []),
  ];
  return {
    exitCode: 0,
    json: () => factsJson({ schemaVersion: 1, ...facts, entries: entries.map(entryFacts), notes }),
    text: ({ width }) =>
      `${[...tree(facts, width), "", ...entryLines(entries), "", ...notes.flatMap((n) => wrap(n, width, "", ""))].join("\n")}\n`,
  };
}

/** One line each, the path last and whole; what else there is to say stands below it. */
function entryLines(entries: readonly Listed[]): string[] {
  // Not Math.max(...): so many arguments have no room on the stack.
  const widest = (text: (e: ErofsEntry) => string): number =>
    entries.reduce((most, e) => Math.max(most, text(e.entry).length), 0);
  const digits = widest((e) => String(e.sizeBytes));
  const kindWidth = widest((e) => e.kind);
  return entries.flatMap(({ entry, sameAs, digests }) => [
    `${entry.kind.padEnd(kindWidth)}  ${octal(entry.mode)}  ${String(entry.sizeBytes).padStart(digits)}  ${entry.path === "" ? "(root)" : safe(entry.path)}`,
    ...(entry.target === undefined ? [] : [`    target: ${safe(entry.target)}`]),
    ...(sameAs === undefined ? [] : [`    hard link: the same file as ${safe(sameAs)}`]),
    ...(digests === undefined || sameAs !== undefined
      ? []
      : [`    sha256: ${digests.sha256}`, `    git sha1: ${digests.gitSha1}`]),
  ]);
}
