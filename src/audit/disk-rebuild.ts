/** `pm disk rebuild`: a folder made into a disk image by mkfs.erofs, and the root hashes that such a disk has. */
import { rmSync } from "node:fs";
import { lstat, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { hex } from "../bytes/hex.ts";
import type { Result } from "../command.ts";
import { PmError, usage } from "../errors.ts";
import { hexFlag } from "../flags.ts";
import { readDiskFolder } from "../measure/disk-folder.ts";
import { openImage } from "../measure/image-reader.ts";
import { findMkfsErofs } from "../measure/mkfs-erofs.ts";
import { privatemodeDisk } from "../measure/verity/layout.ts";
import { bytesAt, sourceFile } from "../measure/verity/source-file.ts";
import { veritysetupRoot } from "../measure/veritysetup.ts";
import { count, safe } from "../report/text.ts";
import { errorCode, temporaryName } from "../sources/files.ts";
import { systemReason } from "../system-reason.ts";
import { type ErofsTree, listErofs, otherFirstBlock } from "../verifiers/verity/erofs/index.ts";
import { type RebuiltRoots, rebuiltResult } from "./disk-rebuilt.ts";
import { rootsOf } from "./disk-root.ts";

export interface RebuildQuestion {
  /** The checkout, with its LFS content. */
  readonly folder: string;
  readonly out: string;
  /** Hex; any of them. */
  readonly expectRoots: readonly string[];
  /** undefined: mkfs.erofs on PATH. */
  readonly mkfs: string | undefined;
  readonly notice: (text: string) => void;
}

const blockBytes = privatemodeDisk.dataBlockSize;

/**
 * @throws PmError PM_USAGE for what cannot be used, PM_SOURCE_REFUSED when a program fails or writes no image
 */
export async function rebuildDisk({ out, expectRoots, mkfs, notice, ...question }: RebuildQuestion): Promise<Result> {
  const expected = expectRoots.map((e) => hex(hexFlag(e, 32, "--expect-root")));
  const folder = await realpath(question.folder).catch((error: unknown) => {
    throw usage(`${question.folder}: ${systemReason(error)}`, "name the folder with the model's files");
  });
  const image = await newFile(out, folder);
  const program = await findMkfsErofs(mkfs);
  const found = await readDiskFolder(folder);
  if (found.entries === 0) throw usage(`${question.folder}: holds no files`, "name the folder with the model's files");
  // Before hours of work, not after.
  for (const problem of found.problems) notice(safe(problem));
  if (found.problemCount > found.problems.length)
    notice(`and ${count(found.problemCount - found.problems.length, "more such place")}`);

  const temporary = temporaryName(image);
  const remove = (): void => rmSync(temporary, { force: true });
  process.once("exit", remove);
  try {
    const { args } = await program.write(temporary, folder, { withoutGit: found.git });
    if (found.git) withoutGit(temporary);
    const { sizeBytes, roots } = await measured(temporary, notice);
    await rename(temporary, image);
    const { file, sha256, version } = program;
    return rebuiltResult({
      folder: question.folder,
      found,
      image: { file: out, sizeBytes },
      mkfs: { file, sha256, version, commandLine: `mkfs.erofs ${args.join(" ")} IMAGE FOLDER` },
      roots,
      expected,
    });
  } finally {
    process.removeListener("exit", remove);
    await rm(temporary, { force: true }).catch(() => notice(`${temporary} could not be removed`));
  }
}

/** Absolute. A disk of hundreds of gigabytes is not written over, and not into what becomes the disk. */
async function newFile(out: string, folder: string): Promise<string> {
  const parent = await realpath(dirname(out)).catch((error: unknown) => {
    throw usage(`--out: ${dirname(out)}: ${systemReason(error)}`);
  });
  const path = join(parent, basename(out));
  if (`${parent}${sep}`.startsWith(`${folder}${sep}`))
    throw usage(`--out: ${out}: lies in the folder that becomes the disk`, "name a file elsewhere");
  const there = await lstat(path).then(
    () => true,
    (error: unknown) => errorCode(error) !== "ENOENT",
  );
  if (there) throw usage(`--out: ${out}: exists`, "name another file, or remove it");
  return path;
}

async function measured(
  image: string,
  notice: (text: string) => void,
): Promise<{ readonly sizeBytes: number; readonly roots: RebuiltRoots }> {
  const { sizeBytes } = sourceFile(image);
  const roots = isImage(image, sizeBytes) ? await rootsOf(image, sizeBytes) : undefined;
  if (roots === undefined || "reason" in roots || roots.ofOtherLayout === undefined)
    throw new PmError(
      "PM_SOURCE_REFUSED",
      `mkfs.erofs wrote ${sizeBytes} bytes that are no EROFS image of whole blocks`,
      {
        hint: "name erofs-utils' own mkfs.erofs with --mkfs",
      },
    );
  const veritysetup = await veritysetupRoot(image, notice);
  return {
    sizeBytes,
    roots: { image: roots.ofImage, otherLayout: roots.ofOtherLayout, veritysetup: veritysetup ?? null },
  };
}

/**
 * The builder removes .git before it makes the image. A program that leaves it out in another way, with a trace in the
 * root's number of links, makes another image.
 * @throws PmError PM_SOURCE_REFUSED
 */
function withoutGit(image: string): void {
  const { entries } = listed(image);
  const folders = entries.filter((e) => e.kind === "directory" && e.path !== "" && !e.path.includes("/")).length;
  const root = entries.find((e) => e.path === "");
  if (entries.some((e) => e.path === ".git") || root?.links !== 2 + folders)
    throw new PmError("PM_SOURCE_REFUSED", "mkfs.erofs did not leave .git out without a trace", {
      hint: "remove .git from the folder, or make a copy without it",
    });
}

function listed(image: string): ErofsTree {
  const reader = openImage(image);
  try {
    return listErofs(reader);
  } catch (error) {
    // No evidence was handed in: the program is at fault.
    throw error instanceof PmError
      ? new PmError("PM_SOURCE_REFUSED", `what mkfs.erofs wrote: ${error.message}`, { cause: error })
      : error;
  } finally {
    reader.close();
  }
}

/** Asked before hours of hashing. */
const isImage = (image: string, sizeBytes: number): boolean =>
  sizeBytes >= blockBytes && otherFirstBlock(bytesAt(image, 0, blockBytes)) !== undefined;
