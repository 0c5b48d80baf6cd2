/** `pm disk verify`: an image's files, by their digests, against the expected files of a commit; and its root, if asked. */
import { hex } from "../bytes/hex.ts";
import type { Origin } from "../claims/answer.ts";
import { judge } from "../claims/subject.ts";
import { PmError } from "../errors.ts";
import { hexFlag } from "../flags.ts";
import { type Input, readInput } from "../input.ts";
import { digestFiles } from "../measure/extents.ts";
import { openImage } from "../measure/image-reader.ts";
import { type SourceFile, sourceFile, stillTheSame } from "../measure/verity/source-file.ts";
import { progressLine } from "../progress.ts";
import { composeReport } from "../report/compose.ts";
import type { Json, Report } from "../report/report.ts";
import { rfc } from "../time.ts";
import type { ErofsTree } from "../verifiers/verity/erofs/index.ts";
import { type ExpectedFiles, maxExpectBytes } from "../verifiers/verity/expect.ts";
import { comparable, filesBlocked, judgeFiles } from "../verifiers/verity/files.ts";
import { diskFiles } from "../verifiers/verity/files-claims.ts";
import { codeOn, leftOutOf } from "../verifiers/verity/files-findings.ts";
import type { Difference, Digests } from "../verifiers/verity/files-listing.ts";
import { type DataSize, judgeImage } from "../verifiers/verity/image.ts";
import { diskImage } from "../verifiers/verity/image-claims.ts";
import { expectedFiles } from "./disk-expected.ts";
import { rootsOf } from "./disk-root.ts";

export interface DiskQuestion {
  /** A file or block device. */
  readonly image: string;
  /** Made by `pm disk expect`. */
  readonly expect: string;
  /** Hex; undefined: no root is expected. */
  readonly root: string | undefined;
  /** Bytes before the hash area; undefined: the file system's own count. */
  readonly dataSize: number | undefined;
  /** Judgement time; nothing here depends on it. */
  readonly at: Date;
  readonly now: Date;
  readonly toolVersion: string;
}

const subject = "disk";

/**
 * @throws PmError PM_USAGE for files and values that cannot be used; PM_SOURCE_REFUSED where the image changes while it is
 * read; what is wrong with the image is in the report
 */
export async function verifyDisk(question: DiskQuestion): Promise<Report> {
  const { image, root, dataSize } = question;
  const wantedRoot = root === undefined ? undefined : hex(hexFlag(root, 32, "--root"));
  const file = await readInput(question.expect, "expected files", maxExpectBytes);
  const expected = expectedFiles(file);
  const before = sourceFile(image);
  const data: DataSize | undefined =
    dataSize === undefined ? undefined : { sizeBytes: dataSize, origin: { kind: "flag", name: "--data-size" } };
  const reader = openImage(image, dataSize);
  const judged = (() => {
    try {
      return judgeImage(reader, data);
    } finally {
      reader.close();
    }
  })();
  const name = { name: subject, pinned: new Set(wantedRoot === undefined ? [] : ["verity.files.root"]) };
  stillTheSame(before);
  const found =
    "tree" in judged ? await filesOf(question, judged.tree, { before, file, expected, wantedRoot }) : undefined;
  const files = "tree" in judged ? found?.answers : filesBlocked(judged.blocked);
  if (files === undefined) throw new PmError("PM_BUG", "an image without answers about its files");
  stillTheSame(before);
  return composeReport({
    audited: {
      judged: [judge({ ...name, catalogue: { ...diskImage, ...diskFiles } }, { ...judged.answers, ...files })],
      evidence: { [subject]: shown(file, expected, before.sizeBytes, found) },
      anchors: [],
      notProven: notProven(expected, {
        equal: files["verity.files.equal"].status === "pass",
        reproduced: files["verity.files.root"].status === "pass",
        device: before.blockDevice,
      }),
    },
    target: image,
    scope: "disk files",
    judgedAt: rfc(question.at),
    capturedAt: null,
    freshness: "not asked: files",
    profileSha256: null,
    bundleSha256: null,
    relaxations: [],
    rules: { waivers: [], promoted: new Set(), now: question.now },
    toolVersion: question.toolVersion,
  });
}

interface Wanted {
  readonly before: SourceFile;
  readonly file: Input;
  readonly expected: ExpectedFiles;
  readonly wantedRoot: string | undefined;
}
interface Found extends ReturnType<typeof judgeFiles> {
  readonly tree: ErofsTree;
}

async function filesOf(
  question: DiskQuestion,
  tree: ErofsTree,
  { before, file, expected, wantedRoot }: Wanted,
): Promise<Found> {
  const { image, dataSize } = question;
  const dataBytes = dataSize ?? tree.superblock.blocks * tree.superblock.blockSize;
  const source: Origin = { kind: "pinned", file: file.name, sha256: file.sha256 };
  const digests = comparable(expected) ? await digestsOf(image, tree, expected) : new Map<string, Digests>();
  // The tree was listed in one reading, the files are digested in another, the root is computed in a third.
  stillTheSame(before);
  const root =
    wantedRoot === undefined
      ? undefined
      : {
          expected: { value: wantedRoot, origin: { kind: "flag", name: "--root" } as const },
          roots:
            dataBytes > before.sizeBytes
              ? { reason: `the image has ${before.sizeBytes} bytes of ${dataBytes}` }
              : await rootsOf(image, dataBytes),
        };
  return { ...judgeFiles({ image, tree, digests, expected, source, root }), tree };
}

/** Of those files that are compared; one with several names is read once for each. */
async function digestsOf(
  image: string,
  { entries }: ErofsTree,
  { files }: ExpectedFiles,
): Promise<ReadonlyMap<string, Digests>> {
  const wanted = new Set(files.map((f) => f.path));
  const stored = entries.filter((e) => e.kind === "file" && wanted.has(e.path));
  const total = stored.reduce((sum, e) => sum + e.sizeBytes, 0);
  const line = progressLine(`reading the files of ${image}`);
  const digests = await digestFiles(image, stored, { progress: (bytes) => line.update(bytes, total) }).finally(
    line.end,
  );
  return new Map(
    stored.flatMap((e, i): (readonly [string, Digests])[] => {
      const d = digests[i];
      return d === undefined ? [] : [[e.path, d]];
    }),
  );
}

function shown(file: Input, expected: ExpectedFiles, sizeBytes: number, found: Found | undefined): Json {
  const difference = ({ code, path, text }: Difference): Json => ({ code, path, text });
  return {
    commit: expected.commit,
    expectedFiles: { file: file.name, sha256: file.sha256, files: expected.files.length },
    sizeBytes,
    files: found === undefined ? null : found.tree.entries.filter((e) => e.kind !== "directory").length,
    differences: found === undefined ? null : found.differences.map(difference),
    leftOut: found === undefined ? null : leftOutOf(found.tree.entries, expected),
    code: found === undefined ? null : { ...codeOn(found.tree.entries) },
  };
}

function notProven(
  { commit, excluded }: ExpectedFiles,
  { equal, reproduced, device }: { readonly equal: boolean; readonly reproduced: boolean; readonly device: boolean },
): string[] {
  return [
    `Commit: files are compared with commit ${commit} by its object ids, as the clone had it that the list was made from; who may write that repository, and whether a service uses this disk, is not asked.`,
    "Object ids: files outside LFS are named by SHA-1, for which whoever makes a file can make two with one id; LFS files are named by SHA-256.",
    ...(reproduced
      ? []
      : [
          `Image: ${equal ? "content equal, " : ""}image not reproduced: no root hash that you expect is the one of its bytes; what lies between the files was compared with nothing.`,
        ]),
    ...(excluded.length === 0
      ? []
      : [
          "Exclusion list: that the builder's script expands it as pm does is not confirmed; files that part the two are named.",
        ]),
    ...(device
      ? ["Device: that nobody wrote to it between two readings; a block device does not say when it was changed."]
      : []),
    "Hash area: superblock and tree of dm-verity behind the data were not looked at; ask pm verity verify.",
    "Code: only names were looked at; formats that hold code under other names are not found.",
  ];
}
