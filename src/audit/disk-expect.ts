/** `pm disk expect`: from a clone to the list of files that a model disk of one commit should hold. */
import { createHash } from "node:crypto";
import type { Result } from "../command.ts";
import { PmError, usage } from "../errors.ts";
import { factsJson, tree } from "../inspect.ts";
import { type CommitTree, commitTree, type TreeFile } from "../measure/git-tree.ts";
import { count, safe, safeJson, wrap } from "../report/text.ts";
import { writeWhole } from "../sources/files.ts";
import { systemReason } from "../system-reason.ts";
import { excludedWords, excluder } from "../verifiers/verity/exclude.ts";
import {
  type ExpectedFile,
  type ExpectedFiles,
  encodeExpect,
  maxExpectBytes,
  maxFiles,
  pathProblem,
} from "../verifiers/verity/expect.ts";
import { maxPointerBytes, readLfsPointer } from "../verifiers/verity/lfs-pointer.ts";

export interface ExpectQuestion {
  /** A working tree or a bare repository. */
  readonly gitDir: string;
  /** A whole id, or a tag or branch. */
  readonly commit: string;
  /** Privatemode's excluded_files; undefined: nothing is left out. */
  readonly exclude: string | undefined;
  /** undefined: the list goes to stdout. */
  readonly out: string | undefined;
  readonly notice: (text: string) => void;
}

/** @throws PmError PM_USAGE for what cannot be used, PM_SOURCE_REFUSED for a clone that lacks objects or breaks them */
export async function diskExpect({ gitDir, commit, exclude, out, notice }: ExpectQuestion): Promise<Result> {
  const excluded = excludedWords(exclude ?? "");
  const isOut = asUsage("--exclude", () => excluder(excluded));
  const found = await commitTree({ folder: gitDir, commit, smallBytes: maxPointerBytes, pathProblem, maxFiles });
  if (found.ref !== undefined) notice(safe(`${commit} is ${found.ref}, commit ${found.commit}`));
  const expected = expectedOf(found, excluded, isOut);
  if (expected.files.length === 0)
    throw usage(
      expected.excludedFiles.length === 0
        ? `commit ${expected.commit} has no files`
        : `--exclude leaves out every file of commit ${expected.commit}`,
      "a disk cannot be compared with nothing",
    );
  // Names are the repository's: none may move the cursor of whoever looks at the list.
  const text = safeJson(encodeExpect(expected));
  if (Buffer.byteLength(text) > maxExpectBytes)
    throw usage(`the list of files takes more than ${maxExpectBytes} bytes`);
  if (out === undefined) return { exitCode: 0, json: () => text, text: () => text };
  await writeWhole(out, Buffer.from(text, "utf8")).catch((error: unknown) => {
    throw usage(`${out}: ${systemReason(error)}`, "name a file that can be written with --out");
  });
  return summary(expected, out, createHash("sha256").update(text).digest("hex"));
}

/** @throws PmError PM_EVIDENCE_MALFORMED for a file that begins as an LFS pointer and is none */
function expectedOf(found: CommitTree, excluded: readonly string[], isOut: (path: string) => boolean): ExpectedFiles {
  const files = found.files.map(expectedFile);
  return {
    commit: found.commit,
    objectFormat: found.format,
    excluded,
    files: files.filter((f) => !isOut(f.path)),
    excludedFiles: files.filter((f) => isOut(f.path)),
    submodules: found.submodules,
  };
}

function expectedFile({ path, mode, id, sizeBytes, content }: TreeFile): ExpectedFile {
  // The target of a symbolic link is no file's content.
  const lfs = content === undefined || mode === "120000" ? undefined : readLfsPointer(content, path);
  return { path, mode, blob: id, sizeBytes, ...(lfs === undefined ? {} : { lfs }) };
}

/** A bad pattern on the command line says nothing about evidence. */
function asUsage<T>(flag: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PmError && error.code === "PM_EVIDENCE_MALFORMED") throw usage(`${flag}: ${error.message}`);
    throw error;
  }
}

const unconfirmed =
  "A pattern that names a folder leaves out everything below it; that the builder's script does the same is not confirmed.";

function summary(expected: ExpectedFiles, out: string, sha256: string): Result {
  const { commit, objectFormat, excluded, files, excludedFiles, submodules } = expected;
  const lfs = files.filter((f) => f.lfs !== undefined);
  const facts = {
    schemaVersion: 1,
    commit,
    objectFormat,
    files: files.length,
    lfsFiles: lfs.length,
    lfsBytes: lfs.reduce((sum, f) => sum + (f.lfs?.sizeBytes ?? 0), 0),
    excluded,
    excludedFiles: excludedFiles.map((f) => f.path),
    submodules,
    written: { file: out, sha256 },
  };
  const notes = excluded.length === 0 ? [] : [unconfirmed];
  const line = `listed ${count(files.length, "file")} of commit ${commit}; no disk was looked at`;
  return {
    exitCode: 0,
    json: () => factsJson({ ...facts, notes, line }),
    text: ({ width }) =>
      `${[...tree(facts, width), "", ...notes.flatMap((n) => wrap(n, width, "", "")), line].join("\n")}\n`,
  };
}
