/** What policies permit, for people: a line for each probe; those that went as they should are counted where there are many. */
import type { View } from "./human-claims.ts";
import type { ProbeLine, ProbeTable } from "./report.ts";
import { count, wrap } from "./text.ts";

/** More than this is no table that somebody reads: what went as expected is counted then. */
const maxLines = 60;

/** One block a policy. */
export const probeTables = (tables: readonly ProbeTable[] | undefined, v: View): string[][] =>
  (tables ?? []).map((table) => {
    const asked = table.rows.filter((r) => r.answer !== "skipped");
    const shown = asked.length <= maxLines ? asked : asked.filter((r) => !asExpected(r));
    const left = asked.length - shown.length;
    return [
      ...wrap(
        `${table.subject}: ${table.rego === null ? "not read by the engine" : `Rego ${table.rego}`}, ${count(asked.length, "probe")}`,
        v.width,
        "  ",
      ),
      ...shown.flatMap((row) => line(row, v)),
      ...(left === 0 ? [] : wrap(`${count(left, "probe")} more went as expected: --json lists each`, v.width, "    ")),
    ];
  });

const asExpected = ({ answer, expected }: ProbeLine): boolean => answer === expected;

function line({ container, probe, when, tries, answer, expected, grade, reason }: ProbeLine, v: View): string[] {
  const wanted = answer === expected || expected === "either" ? "" : `, expected ${expected}`;
  const direction = grade === null || grade === "neutral" ? "" : ` (${grade})`;
  return [
    ...wrap(`${answer}${wanted}${direction}: ${container}, ${probe}, ${when}`, v.width, "    "),
    ...wrap(tries, v.width, "      "),
    ...(reason === null ? [] : wrap(reason, v.width, "      ")),
  ];
}
