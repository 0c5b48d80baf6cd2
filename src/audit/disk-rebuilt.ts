/** What `pm disk rebuild` says: how the image was made, its roots in both layouts, and which expected root is one of them. */
import type { Result } from "../command.ts";
import { factsJson, tree } from "../inspect.ts";
import type { DiskFolder } from "../measure/disk-folder.ts";
import type { VeritysetupRoot } from "../measure/veritysetup.ts";
import { count, wrap } from "../report/text.ts";

export interface RebuiltRoots {
  /** Of the image as it was written, lower-case hex. */
  readonly image: string;
  /** Of the same image as the other of mkfs.erofs 1.9 and not 1.9 would have written it. */
  readonly otherLayout: string;
  /** null: not installed. */
  readonly veritysetup: VeritysetupRoot | null;
}
export interface Rebuilt {
  readonly folder: string;
  readonly found: DiskFolder;
  readonly image: { readonly file: string; readonly sizeBytes: number };
  readonly mkfs: {
    readonly file: string;
    readonly sha256: string;
    readonly version: string;
    readonly commandLine: string;
  };
  readonly roots: RebuiltRoots;
  /** Lower-case hex. */
  readonly expected: readonly string[];
}

/** Exit status 0: nothing was expected, or one of the expected roots is one of both layouts; 1: none is; 3: two programs disagree. */
export function rebuiltResult({ folder, found, image, mkfs, roots, expected }: Rebuilt): Result {
  const compared = expected.map((root) => ({ expected: root, equal: equalTo(root, roots) }));
  // A program that gave no root contradicts nobody; the notes name it.
  const second = roots.veritysetup?.rootHash;
  const agreed = typeof second !== "string" || second === roots.image;
  const match = compared.find((c) => c.equal === "image") ?? compared.find((c) => c.equal !== null);
  const facts = {
    folder: { name: folder, entries: found.entries, sizeBytes: found.sizeBytes, withoutGit: found.git },
    otherThanACheckout: found.problems,
    otherThanACheckoutCount: found.problemCount,
    image: { file: image.file, hashOffset: image.sizeBytes },
    mkfs,
    roots: { ...roots, veritysetup: roots.veritysetup === null ? null : { ...roots.veritysetup } },
  };
  const notes = notesOf(mkfs.version, roots);
  const line = !agreed
    ? "veritysetup gives another root than pm: neither can be relied on"
    : expected.length === 0
      ? "rebuilt; no root was compared"
      : match === undefined
        ? `none of ${count(expected.length, "expected root")} is the rebuilt disk's, in either layout`
        : match.equal === "image"
          ? `root equal: ${match.expected}`
          : `root equal in the other layout only: ${match.expected}`;
  return {
    exitCode: !agreed ? 3 : expected.length === 0 || match !== undefined ? 0 : 1,
    json: () => factsJson({ schemaVersion: 1, ...facts, expected: compared, notes, line }),
    text: ({ width }) =>
      `${[...tree({ ...facts, expected: compared }, width), "", ...notes.flatMap((n) => wrap(n, width, "", "")), "", line].join("\n")}\n`,
  };
}

function equalTo(root: string, { image, otherLayout }: RebuiltRoots): "image" | "other layout" | null {
  if (root === image) return "image";
  return root === otherLayout ? "other layout" : null;
}

const notesOf = (version: string, { veritysetup }: RebuiltRoots): readonly string[] => [
  "Layouts: mkfs.erofs 1.9 sets LZ4_0PADDING where nothing is compressed, releases before and after do not; the two images differ in that bit and in the superblock's checksum. A root equal in the other layout is that of the same content, not of the file that was written here.",
  ...(version === "1.9"
    ? ["Version: 1.9 is what two releases call themselves, 1.9 and 1.9.1, and they write different layouts."]
    : []),
  ...(veritysetup === null ? ["veritysetup is not installed: the root is pm's alone."] : []),
  ...(typeof veritysetup?.rootHash === "object"
    ? [`veritysetup ${veritysetup.rootHash.reason}: the root is pm's alone.`]
    : []),
  "Not asked: where the folder comes from. pm disk expect and pm disk verify compare the image with a commit.",
];
