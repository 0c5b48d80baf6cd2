/** What `pm verity hash` and `join` say: the root hash with all parameters that it stands for. */
import type { Result } from "../command.ts";
import { factsJson, tree } from "../inspect.ts";
import type { VerityLayout } from "../measure/verity/layout.ts";
import type { Json, Relaxation } from "../report/report.ts";
import { count, wrap } from "../report/text.ts";

export interface Hashed {
  readonly image: { readonly name: string; readonly sizeBytes: number; readonly sha256: string | null };
  readonly layout: VerityLayout;
  /** Lower-case hex. */
  readonly rootHash: string;
  /** Of the same disk in the layout of the other releases of mkfs.erofs. */
  readonly otherRoot: string | undefined;
  readonly uncovered: { readonly at: number; readonly length: number } | null;
  readonly superblock:
    | readonly { readonly field: string; readonly expected: string; readonly found: string; readonly equal: boolean }[]
    | null;
  readonly hint: string | undefined;
  /** Lower-case hex. */
  readonly expected: readonly string[];
  readonly relaxations: readonly Relaxation[];
}

type Match = "image" | "other-layout" | null;
const matchText: Readonly<Record<string, string>> = {
  image: "equal",
  "other-layout": "equal to the root of the other layout: same files, and not this image",
};

/** Exit status 0: nothing was expected, or one of the roots is this image's; 1: none is, or the superblock says otherwise. */
export function hashedResult(h: Hashed): Result {
  const { layout, rootHash, otherRoot, superblock, relaxations } = h;
  const expected = h.expected.map((value): { readonly value: string; readonly match: Match } => ({
    value,
    match: value === rootHash ? "image" : value === otherRoot ? "other-layout" : null,
  }));
  const differing = (superblock ?? []).filter((f) => !f.equal).map((f) => f.field);
  const matched = expected.length === 0 || expected.some((e) => e.match === "image");
  const facts = {
    image: { name: h.image.name, sizeBytes: h.image.sizeBytes, sha256: h.image.sha256 },
    parameters: {
      hashType: layout.hashType,
      algorithm: layout.algorithm,
      dataBlockSize: layout.dataBlockSize,
      hashBlockSize: layout.hashBlockSize,
      dataBlocks: layout.dataBlocks,
      salt: Buffer.from(layout.salt).toString("hex"),
      hashBlocks: layout.hashBlocks,
      levels: [...layout.levels],
    },
    rootHash,
    otherLayoutRootHash: otherRoot ?? null,
    uncovered: h.uncovered === null ? null : { ...h.uncovered },
    superblock: superblock === null ? null : superblock.map((f): Json => ({ ...f })),
    expected: expected.map((e): Json => ({ ...e })),
    relaxations: relaxations.map((r): Json => ({ ...r })),
    notes: [
      ...(otherRoot === undefined ? [] : [otherNote]),
      ...(h.uncovered === null
        ? []
        : [`${count(h.uncovered.length, "byte")} from byte ${h.uncovered.at} are covered by no hash.`]),
      ...(h.hint === undefined ? [] : [h.hint]),
    ],
  };
  const line =
    differing.length > 0
      ? `the superblock differs: ${differing.join(", ")}; root hash under your parameters ${rootHash}`
      : matched
        ? `root hash ${expected.length === 0 ? "" : "equal: "}${rootHash}`
        : `root hash ${rootHash}: ${expected.some((e) => e.match !== null) ? "expected is that of the other layout" : `none of ${count(expected.length, "expected root hash")}`}`;
  const relaxed = relaxations.length === 0 ? "" : `, relaxed: ${relaxations.map((r) => r.name).join(", ")}`;
  return factsResult(facts, `${line}${relaxed}`, matched && differing.length === 0 ? 0 : 1);
}

const otherNote =
  "Exactly version 1.9 of mkfs.erofs sets a bit of the EROFS superblock that earlier and later ones do not: the root hash of the other layout is that of a disk that differs in this bit and its checksum alone.";

/** Facts as a tree and as JSON, with a last line that says it in short. */
export function factsResult(facts: { readonly [name: string]: Json }, line: string, exitCode = 0): Result {
  const { notes, expected, ...shown } = facts;
  const sentences = Array.isArray(notes) ? notes.map(String) : [];
  return {
    exitCode,
    json: () => factsJson({ schemaVersion: 1, ...facts, line }),
    text: ({ width }) =>
      `${[
        ...tree(shown, width),
        ...expectedLines(expected, width),
        "",
        ...sentences.flatMap((s) => wrap(s, width, "", "")),
        ...(sentences.length === 0 ? [] : [""]),
        line,
      ].join("\n")}\n`,
  };
}

function expectedLines(expected: Json | undefined, width: number): string[] {
  if (!Array.isArray(expected)) return [];
  return (expected as readonly { readonly value: string; readonly match: Match }[]).flatMap(({ value, match }) => [
    "expected:",
    `    ${value}`,
    ...wrap(match === null ? "not equal" : (matchText[match] ?? match), width, "    ", "    "),
  ]);
}
