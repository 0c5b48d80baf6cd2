/** Findings about a disk's files: metadata, what was left out, and code. None of them is about content. */
import { type Answer, graded, holds, type Origin, observed, type Sourced, specified } from "../../claims/answer.ts";
import type { ErofsEntry } from "./erofs/types.ts";
import type { ExpectedFiles } from "./expect.ts";

type MetadataCode = "file-owner" | "file-mode" | "file-links";
interface Deviation {
  readonly code: MetadataCode;
  readonly text: string;
}

const octal = (mode: number): string => mode.toString(8).padStart(3, "0");

/** Modes as a checkout with umask 22 makes them; of what the commit does not make, either of a file's is right. */
function modesOf(entry: ErofsEntry, executable: ReadonlyMap<string, boolean>): readonly number[] {
  if (entry.kind === "directory") return [0o755];
  if (entry.kind === "symlink") return [0o777];
  const known = executable.get(entry.path);
  return known === undefined ? [0o644, 0o755] : [known ? 0o755 : 0o644];
}

export function metadata(entries: readonly ErofsEntry[], expected: ExpectedFiles, image: string): Answer<MetadataCode> {
  const executable = new Map(expected.files.map((f) => [f.path, f.mode === "100755"]));
  const deviations = entries.flatMap((e): Deviation[] => {
    const name = e.path === "" ? "the root folder" : e.path;
    const modes = modesOf(e, executable);
    return [
      ...(e.uid === 0 && e.gid === 0
        ? []
        : [{ code: "file-owner" as const, text: `${name}: owner ${e.uid}:${e.gid}, expected 0:0` }]),
      ...(modes.includes(e.mode)
        ? []
        : [
            {
              code: "file-mode" as const,
              text: `${name}: mode ${octal(e.mode)}, expected ${modes.map(octal).join(" or ")}`,
            },
          ]),
      ...(e.kind === "directory" || e.links === 1
        ? []
        : [{ code: "file-links" as const, text: `${name}: ${e.links} names, expected 1` }]),
    ];
  });
  const others = deviations.map((d) => d.text).join("; ");
  const rule = "owner 0:0, files 644, executables 755, folders 755, links 777, one name each";
  return graded(
    holds(
      deviations.length === 0,
      specified(rule, "Privatemode v1.40.0", "verity/verity.sh, umask and mkfs.erofs"),
      observed(deviations.length === 0 ? rule : `other: ${others}`, image),
      deviations[0]?.code ?? "file-owner",
      others,
    ),
    "unknown",
  );
}

/** Files of the commit that the list leaves out; one that the disk holds all the same is among the surplus ones. */
export const leftOutOf = (entries: readonly ErofsEntry[], { excludedFiles }: ExpectedFiles): string[] => {
  const onDisk = new Set(entries.map((e) => e.path));
  return excludedFiles.map((f) => f.path).filter((path) => !onDisk.has(path));
};

export function excluded(
  entries: readonly ErofsEntry[],
  expected: ExpectedFiles,
  source: Origin,
): Answer<"files-excluded"> {
  const left = leftOutOf(entries, expected);
  const whole = "every file of the commit";
  return graded(
    holds(
      left.length === 0,
      specified(whole, "git", `checkout of commit ${expected.commit}`),
      { value: left.length === 0 ? whole : `all but ${left.join(", ")}`, origin: source, at: "/excludedFiles" },
      "files-excluded",
      `${left.length} of ${expected.files.length + expected.excludedFiles.length} files, by the list ${expected.excluded.join(", ")}`,
    ),
    "unknown",
  );
}

const programs = /\.(py|pyc|pyo|pyx|sh|bash|ipynb|so(\.\d+)*)$/i;
const pickles = /\.(bin|pt|pth|pkl|pickle|ckpt|joblib)$/i;

/** Paths on the disk, in its order. */
export function codeOn(entries: readonly ErofsEntry[]): {
  readonly programs: readonly string[];
  readonly pickles: readonly string[];
} {
  const paths = entries.filter((e) => e.kind !== "directory").map((e) => e.path);
  return { programs: paths.filter((p) => programs.test(p)), pickles: paths.filter((p) => pickles.test(p)) };
}

export function code(entries: readonly ErofsEntry[], image: string): Answer<"code-on-disk" | "pickle-on-disk"> {
  const found = codeOn(entries);
  const names = [
    ...(found.programs.length === 0 ? [] : [`programs: ${found.programs.join(", ")}`]),
    ...(found.pickles.length === 0 ? [] : [`may be pickles: ${found.pickles.join(", ")}`]),
  ].join("; ");
  const none = "no file named as a program or a pickle";
  const expected: Sourced = specified(none, "Python documentation", "pickle; import system");
  return graded(
    holds(
      names === "",
      expected,
      observed(names === "" ? none : names, image),
      found.programs.length > 0 ? "code-on-disk" : "pickle-on-disk",
      names,
    ),
    "weaker",
  );
}
