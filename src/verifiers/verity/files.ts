/** Judges the files of a model disk against a commit, and the image's root hash against the one that is expected. */
import {
  type Answer,
  type Answers,
  all,
  cannot,
  equal,
  holds,
  type Origin,
  type Sourced,
  skip,
} from "../../claims/answer.ts";
import type { ErofsTree } from "./erofs/tree.ts";
import type { ExpectedFiles } from "./expect.ts";
import { diskFiles } from "./files-claims.ts";
import { code, excluded, metadata } from "./files-findings.ts";
import { compareFiles, type Difference, type Digests } from "./files-listing.ts";

/** Roots under Privatemode's parameters, lower-case hex. */
export interface Roots {
  readonly ofImage: string;
  /** Of the image with the other mkfs.erofs's first block; undefined: it has no such form. */
  readonly ofOtherLayout: string | undefined;
}
export interface RootQuestion {
  readonly expected: Sourced;
  /** Or why there are none. */
  readonly roots: Roots | { readonly reason: string };
}
export interface FilesInput {
  readonly image: string;
  readonly tree: ErofsTree;
  /** By path, of each regular file at a path of `expected`. */
  readonly digests: ReadonlyMap<string, Digests>;
  readonly expected: ExpectedFiles;
  /** Who holds the list. */
  readonly source: Origin;
  /** undefined: no root is expected. */
  readonly root: RootQuestion | undefined;
}
export interface FilesJudgement {
  readonly answers: Answers<typeof diskFiles>;
  readonly differences: readonly Difference[];
}

const maxNamed = 20;

export function judgeFiles(input: FilesInput): FilesJudgement {
  const { tree, expected, source, image } = input;
  const { answer, differences } = filesEqual(input);
  return {
    differences,
    answers: {
      "verity.files.equal": answer,
      "verity.files.root": rootEqual(input.root, image),
      "verity.files.metadata": metadata(tree.entries, expected, image),
      "verity.files.excluded": excluded(tree.entries, expected, source),
      "verity.files.code": code(tree.entries, image),
    },
  };
}

/** What is said of the files where the image could not be read. */
export const filesBlocked = (blocked: Answer<never>): Answers<typeof diskFiles> => all(diskFiles, blocked);

type A = Answers<typeof diskFiles>;

/** SHA-1 ids are compared where the repository has them; what pm does not compute, it does not compare. */
export const comparable = ({ objectFormat }: ExpectedFiles): boolean => objectFormat === "sha1";

function filesEqual({ tree, digests, expected, source, image }: FilesInput): {
  readonly answer: A["verity.files.equal"];
  readonly differences: readonly Difference[];
} {
  if (!comparable(expected))
    return {
      answer: cannot(`the repository's object format is ${expected.objectFormat}; known: sha1`),
      differences: [],
    };
  const listing = compareFiles(tree.entries, digests, expected);
  const { differences } = listing;
  const named = differences.slice(0, maxNamed).map((d) => `${d.code}: ${d.path} ${d.text}`);
  const more = differences.length - named.length;
  const answer = holds(
    listing.expected === listing.actual,
    { value: listing.expected, origin: source, at: "/files, /submodules" },
    { value: listing.actual, origin: { kind: "recomputed", name: `names and object ids of what ${image} holds` } },
    differences[0]?.code ?? "file-differs",
    [...named, ...(more === 0 ? [] : [`and ${more} more`])].join("; "),
  );
  return { answer, differences };
}

/** The root of these bytes is what must be equal; the other layout's only says how near they are. */
function rootEqual(question: RootQuestion | undefined, image: string): A["verity.files.root"] {
  if (question === undefined) return skip("no reference value given: use --root");
  const { expected, roots } = question;
  if ("reason" in roots) return cannot(roots.reason);
  const origin: Origin = { kind: "recomputed", name: `dm-verity root of ${image} under Privatemode's parameters` };
  const actual: Sourced = { value: roots.ofImage, origin };
  if (expected.value !== roots.ofImage && expected.value !== "" && expected.value === roots.ofOtherLayout)
    return holds(
      false,
      expected,
      actual,
      "root-other-layout",
      "content equal, image not reproduced: with the first block as the other mkfs.erofs (1.9, or another than 1.9) writes it, the root is the expected one",
    );
  return equal(expected, actual, "root-mismatch");
}
