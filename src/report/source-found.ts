/** What `pm source find` found, for people and as JSON. Nothing is compared here. */
import { count, safe, safeJson, wrap } from "./text.ts";

export interface FoundCommit {
  /** Tag or branch without its folder, or the commit id that was named. */
  readonly tag: string;
  /** In full; null: a commit id was named. */
  readonly ref: string | null;
  readonly commit: string;
  /** Of an annotated tag, outermost first. */
  readonly tagObjects: readonly string[];
  /** RFC 3339, by the word of whoever made the commit. */
  readonly committedAt: string;
}
export interface FoundDifference {
  readonly workload: string;
  readonly container: string | null;
  readonly field: string;
  readonly source: string | null;
  readonly attested: string | null;
}
export interface UnreadTag {
  readonly tag: string;
  readonly ref: string | null;
  readonly commit: string | null;
  readonly code: string;
  readonly reason: string;
  /** Whatever else is true, this tag cannot be the one: the file is not there, or it names no commit. */
  readonly ruledOut: boolean;
}
export interface SourceFound {
  /** `found`: a tag matches; `none`: no tag does; `unknown`: neither can be said. */
  readonly outcome: "found" | "none" | "unknown";
  readonly objectFormat: string;
  readonly paths: readonly string[];
  readonly attested: {
    readonly manifestSha256: string;
    readonly workloads: number;
    readonly images: number;
    readonly diskRoots: number;
    /** What keeps the policies from being read off, one line each; while there is one, nothing is compared. */
    readonly problems: readonly string[];
    /** Digests of bodies that the manifest does not list. */
    readonly notAttested: readonly string[];
    /** Left out of the comparison: Contrast adds them to a deployment file. */
    readonly injected: readonly { readonly workload: string; readonly container: string; readonly image: string }[];
  };
  /** Newest first. */
  readonly matches: readonly FoundCommit[];
  readonly nearest: (FoundCommit & { readonly differences: readonly FoundDifference[] }) | null;
  readonly unreadable: readonly UnreadTag[];
  readonly counts: {
    readonly tags: number;
    readonly compared: number;
    readonly unreadable: number;
    /** Older than those that were looked at. */
    readonly beyondLimit: number;
  };
  readonly notCompared: readonly string[];
}

/** docs/exit-codes.md */
const statuses: Readonly<Record<SourceFound["outcome"], 0 | 1 | 3>> = { found: 0, none: 1, unknown: 3 };
export const foundStatus = ({ outcome }: SourceFound): 0 | 1 | 3 => statuses[outcome];

/** What a repository made to differ everywhere may add to a report. */
const maxListed = 1000;

export function foundJson(found: SourceFound): string {
  const { attested, nearest, unreadable, matches } = found;
  const document = {
    schemaVersion: 1,
    ...found,
    line: foundLine(found),
    attested: {
      ...attested,
      problems: attested.problems.slice(0, maxListed),
      notAttested: attested.notAttested.slice(0, maxListed),
      injected: attested.injected.slice(0, maxListed),
    },
    matches: matches.slice(0, maxListed),
    nearest:
      nearest === null
        ? null
        : {
            ...nearest,
            differences: nearest.differences.slice(0, maxListed),
            differenceCount: nearest.differences.length,
          },
    unreadable: unreadable.slice(0, maxListed),
    counts: { ...found.counts, matches: matches.length },
  };
  return `${safeJson(JSON.stringify(document, null, 2))}\n`;
}

export function foundText(found: SourceFound, width: number): string {
  const { attested, matches, nearest, unreadable, counts } = found;
  const lines = [
    ...section("what keeps the policies from being compared", attested.problems, (p) => wrap(p, width, "  ", "    ")),
    ...section("matches", matches, (m) => commitLines(m, found)),
    ...(nearest === null
      ? []
      : [
          "nearest",
          ...commitLines(nearest, found),
          ...limited(nearest.differences, (d) => [
            `    ${safe(d.workload)}${d.container === null ? "" : `, container ${safe(d.container)}`}: ${d.field}`,
            `      source    ${safe(d.source ?? "(none)")}`,
            `      attested  ${safe(d.attested ?? "(none)")}`,
          ]),
          "",
        ]),
    ...section("could not be read", unreadable, (u) => wrap(`${u.tag}: ${u.reason} (${u.code})`, width, "  ", "    ")),
    ...section("policies given that the manifest does not list: never compared", attested.notAttested, (d) => [
      `  ${safe(d)}`,
    ]),
    ...section("containers of policies only, that Contrast adds: not compared", attested.injected, (i) => [
      `  ${safe(i.workload)}, container ${safe(i.container)}`,
      `    ${safe(i.image)}`,
    ]),
    ...section("not compared", found.notCompared, (text) => wrap(text, width, "  - ", "    ")),
    `${count(counts.tags, "tag")}: ${counts.compared} compared, ${counts.unreadable} not read, ${counts.beyondLimit} older than the limit`,
    foundLine(found),
  ];
  return `${lines.join("\n")}\n`;
}

const section = <T>(title: string, list: readonly T[], show: (item: T) => readonly string[]): string[] =>
  list.length === 0 ? [] : [title, ...limited(list, show), ""];
const limited = <T>(list: readonly T[], show: (item: T) => readonly string[]): string[] => [
  ...list.slice(0, maxListed).flatMap(show),
  ...(list.length > maxListed ? [`  ${list.length - maxListed} more, not shown`] : []),
];

const commitLines = (c: FoundCommit, { objectFormat }: SourceFound): string[] => [
  `  ${safe(c.tag)}`,
  ...(c.ref === null ? [] : [`    ref         ${safe(c.ref)}`]),
  ...c.tagObjects.map((id) => `    tag object  ${id}`),
  `    commit      ${c.commit} (${objectFormat})`,
  `    committed   ${c.committedAt}, by the word of its maker`,
];

/** The last line: the answer, and how much it rests on. */
function foundLine(found: SourceFound): string {
  const { attested, matches, nearest, counts } = found;
  const [newest] = matches;
  const facts = `${count(attested.workloads, "workload")}, ${count(attested.images, "image")}, ${count(attested.diskRoots, "disk root")} equal`;
  const near = nearest === null ? "" : `; nearest ${name(nearest)}: ${count(nearest.differences.length, "difference")}`;
  if (found.outcome === "found" && newest !== undefined)
    return `found ${name(newest)}${matches.length > 1 ? ` and ${matches.length - 1} more` : ""}: ${facts}`;
  if (found.outcome === "none") return `none of ${count(counts.tags, "tag")} matches${near}`;
  if (attested.problems.length > 0)
    return `unknown: ${count(attested.problems.length, "problem")} with the attested policies`;
  const open = found.unreadable.filter((u) => !u.ruledOut).length;
  const reasons = [
    ...(counts.compared === 0 ? ["nothing could be compared"] : []),
    ...(open > 0 ? [`${count(open, "tag")} could not be read`] : []),
    ...(counts.beyondLimit > 0 ? [`${count(counts.beyondLimit, "older tag")} not looked at`] : []),
  ];
  return `unknown: no match, and ${reasons.join(", ")}${near}`;
}
const name = ({ tag, commit }: FoundCommit): string => `${safe(tag)} (commit ${commit})`;
