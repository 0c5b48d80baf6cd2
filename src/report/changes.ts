/** A graded comparison of two documents for people and as JSON. Nothing is graded here. */
import { type Change, type Counts, countGrades, gradeOrder } from "../claims/change.ts";
import type { Json } from "./report.ts";
import { safe, safeJson, wrap } from "./text.ts";

/** One of the two documents. */
export interface Compared {
  /** As it was named; not in the JSON, which is the same wherever the files lie. */
  readonly name: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** What is wrong with it by its own rules, one line each. */
  readonly problems: readonly string[];
}
export interface Comparison {
  readonly a: Compared;
  readonly b: Compared;
  /** Byte for byte. */
  readonly equal: boolean;
  readonly changes: readonly Change[];
}

/** Equal 0, different 1 (docs/exit-codes.md). */
export const comparisonStatus = ({ equal }: Pick<Comparison, "equal">): 0 | 1 => (equal ? 0 : 1);

/** A document made to differ everywhere must not make an endless report. */
const maxChanges = 1000;

/** The weaker ones are never among those that are left out for the others' sake. */
function bounded(changes: readonly Change[]): readonly Change[] {
  if (changes.length <= maxChanges) return changes;
  const kept = new Set(gradeOrder.flatMap((grade) => changes.filter((c) => c.grade === grade)).slice(0, maxChanges));
  return changes.filter((c) => kept.has(c));
}

export const changesJson = ({ equal, changes }: Pick<Comparison, "equal" | "changes">) => ({
  equal,
  counts: countGrades(changes),
  changes: bounded(changes),
  omitted: Math.max(0, changes.length - maxChanges),
});

export function comparisonJson(c: Comparison): string {
  const side = ({ sha256, problems }: Compared) => ({ sha256, problems });
  const document = { schemaVersion: 1, a: side(c.a), b: side(c.b), ...changesJson(c) };
  return `${safeJson(JSON.stringify(document, null, 2))}\n`;
}

export function comparisonText(c: Comparison, width: number): string {
  const side = (letter: string, { name, sha256, problems }: Compared): string[] => [
    ...wrap(name, width, `${letter}  `),
    `   SHA-256 ${sha256}`,
    ...problems.flatMap((p) => wrap(p, width, "   against the rules: ", "     ")),
  ];
  const lines = [...side("A", c.a), ...side("B", c.b), "", ...changeLines(c.changes, width)];
  return `${[...lines, comparisonLine(c)].join("\n")}\n`;
}

/** The last line, and all that a history shows. */
export const comparisonLine = ({ equal, changes }: Pick<Comparison, "equal" | "changes">): string =>
  equal ? "equal" : `different: ${countsText(countGrades(changes))}`;
export const countsText = (counts: Counts): string => gradeOrder.map((g) => `${counts[g]} ${g}`).join(", ");

/** Grade by grade, each value on a line of its own. */
export function changeLines(changes: readonly Change[], width: number, indent = ""): string[] {
  const shown = bounded(changes);
  const omitted = changes.length - shown.length;
  return [
    ...gradeOrder.flatMap((grade) => {
      const same = shown.filter((c) => c.grade === grade);
      return same.length === 0 ? [] : [`${indent}${grade}`, ...same.flatMap((c) => oneChange(c, width, indent)), ""];
    }),
    ...(omitted === 0 ? [] : [`${indent}${omitted} more, not shown`, ""]),
  ];
}

const oneChange = (c: Change, width: number, indent: string): string[] => [
  `${indent}  ${safe(c.at) || "(the whole document)"}`,
  ...wrap(c.meaning, width, `${indent}    `),
  `${indent}    before  ${valueText(c.before)}`,
  `${indent}    after   ${valueText(c.after)}`,
  ...(c.excerpt ?? []).map((line) => `${indent}    | ${safe(line)}`),
];

/** Enough to see what it is; the JSON holds all of it. */
const maxValue = 300;
function valueText(value: Json): string {
  if (value === null) return "(none)";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > maxValue
    ? `${safe(text.slice(0, maxValue))}… (${text.length} characters; all of it with --json)`
    : safe(text);
}
