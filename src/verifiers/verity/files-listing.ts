/** A disk's tree beside the files of a commit: one line for each path on each side, and what parts the two. */
import { createHash } from "node:crypto";
import { PmError } from "../../errors.ts";
import type { ErofsEntry } from "./erofs/types.ts";
import { excluder } from "./exclude.ts";
import { type ExpectedFile, type ExpectedFiles, foldersOf } from "./expect.ts";

/** Of a regular file on the disk. */
export interface Digests {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly gitSha1: string;
}
export type FileCode = "file-missing" | "file-surplus" | "file-kind" | "lfs-pointer" | "file-differs";
/** The order in which a code is the answer's where there are several. */
const severity: readonly FileCode[] = ["file-missing", "file-surplus", "file-kind", "lfs-pointer", "file-differs"];

export interface Difference {
  readonly code: FileCode;
  readonly path: string;
  readonly text: string;
}
export interface Listing {
  /** Entries with the SHA-256 of their list: what is compared. */
  readonly expected: string;
  readonly actual: string;
  readonly differences: readonly Difference[];
}

/** In the form of a list: what a path is, its object, its size. JSON quotes keep a name from posing as two lines. */
const line = (path: string, what: string): string => `${JSON.stringify(path)} ${what}`;
const shownList = (lines: readonly string[]): string =>
  `${lines.length} entries, SHA-256 of their list ${createHash("sha256")
    .update([...lines].sort().join("\n"))
    .digest("hex")}`;

const linkBlob = (target: string): string =>
  createHash("sha1")
    .update(`blob ${Buffer.byteLength(target)}\0`)
    .update(target)
    .digest("hex");

const nameOf = (kind: ErofsEntry["kind"]): string =>
  ({
    ...{ file: "a file", directory: "a folder", symlink: "a symbolic link" },
    ...{ character: "a character device", block: "a block device", fifo: "a pipe", socket: "a socket" },
  })[kind];

/**
 * @param digests by path, at least of each regular file at a path that is expected
 * @throws PmError PM_BUG for a file without digests: it would be compared with nothing
 */
export function compareFiles(
  entries: readonly ErofsEntry[],
  digests: ReadonlyMap<string, Digests>,
  expected: ExpectedFiles,
): Listing {
  const onDisk = new Map(entries.map((e) => [e.path, e]));
  const differences: Difference[] = [];
  const sides: { readonly expected: string[]; readonly actual: string[] } = { expected: [], actual: [] };
  const note = (code: FileCode, path: string, text: string): void => {
    differences.push({ code, path, text });
  };

  for (const file of expected.files) {
    const wanted = wantedOf(file);
    sides.expected.push(line(file.path, wanted));
    const entry = onDisk.get(file.path);
    if (entry === undefined) {
      note("file-missing", file.path, "is not on the disk");
      continue;
    }
    const kind = file.mode === "120000" ? "symlink" : "file";
    const found = entry.kind === kind ? foundOf(file, entry, digests.get(file.path)) : nameOf(entry.kind);
    sides.actual.push(line(file.path, found));
    if (entry.kind !== kind) note("file-kind", file.path, `is ${found}, expected ${nameOf(kind)}`);
    else if (found === wanted) continue;
    else if (file.lfs !== undefined && digests.get(file.path)?.gitSha1 === file.blob)
      note("lfs-pointer", file.path, `is the LFS pointer, expected ${wanted}`);
    else note("file-differs", file.path, `is ${found}, expected ${wanted}`);
  }

  const leftOut = excluder(expected.excluded);
  for (const path of expected.submodules) {
    const entry = onDisk.get(path);
    // The exclusion list may take the empty folder away.
    if (entry === undefined && leftOut(path)) continue;
    sides.expected.push(line(path, "a folder"));
    if (entry === undefined) note("file-missing", path, "is not on the disk: the empty folder of a submodule");
    else {
      sides.actual.push(line(path, nameOf(entry.kind)));
      if (entry.kind !== "directory") note("file-kind", path, `is ${nameOf(entry.kind)}, expected a folder`);
    }
  }

  const known = new Set([...expected.files.map((f) => f.path), ...expected.submodules]);
  const folders = foldersThatMayBe(expected);
  for (const { path, kind } of entries) {
    if (known.has(path) || (kind === "directory" && folders.has(path))) continue;
    sides.actual.push(line(path, nameOf(kind)));
    const why = leftOut(path) ? "the exclusion list names it" : "the commit does not make it";
    note("file-surplus", path, `${nameOf(kind)} that should not be there: ${why}`);
  }
  const listing = { expected: shownList(sides.expected), actual: shownList(sides.actual) };
  if ((differences.length === 0) !== (listing.expected === listing.actual))
    throw new PmError("PM_BUG", "the lists of files and their differences do not agree");
  const rank = (d: Difference): number => severity.indexOf(d.code);
  return { ...listing, differences: differences.sort((a, b) => rank(a) - rank(b)) };
}

function wantedOf({ mode, blob, sizeBytes, lfs }: ExpectedFile): string {
  if (lfs !== undefined) return `LFS object sha256:${lfs.sha256}, ${lfs.sizeBytes} bytes`;
  return `${mode === "120000" ? "link" : "blob"} ${blob}, ${sizeBytes} bytes`;
}

/** By the kind of id that the commit has for it. */
function foundOf(file: ExpectedFile, entry: ErofsEntry, digests: Digests | undefined): string {
  if (file.mode === "120000") {
    const target = entry.target ?? "";
    return `link ${linkBlob(target)}, ${Buffer.byteLength(target)} bytes`;
  }
  if (digests === undefined) throw new PmError("PM_BUG", `${file.path} was not digested`);
  return file.lfs === undefined
    ? `blob ${digests.gitSha1}, ${entry.sizeBytes} bytes`
    : `LFS object sha256:${digests.sha256}, ${entry.sizeBytes} bytes`;
}

/** The root, and what files and submodules lie in. A pattern takes files away and may leave their folder empty. */
const foldersThatMayBe = ({ files, excludedFiles, submodules }: ExpectedFiles): ReadonlySet<string> =>
  new Set([
    "",
    ...[...files, ...excludedFiles]
      .map((f) => f.path)
      .concat(submodules)
      .flatMap(foldersOf),
  ]);
