/** The report for people: what is checked, each claim, what is open, what stays unproven; the verdict is the last line. */
import { questionOf } from "../catalogues.ts";
import { findings, open, subjects, type View } from "./human-claims.ts";
import { evidenceSummary } from "./human-evidence.ts";
import { modelRows } from "./human-models.ts";
import { probeTables } from "./human-probes.ts";
import { readersTable } from "./human-readers.ts";
import { paint } from "./paint.ts";
import type { Report } from "./report.ts";
import { safe, wrap } from "./text.ts";

/** Narrower than this no value and no id has room. */
const minWidth = 40;

/**
 * @param view.width columns; sentences are wrapped to it, values and the verdict line never
 * @returns text that ends with the verdict line and a newline; no control character comes from evidence
 */
export function renderReport(report: Report, view: { readonly width: number; readonly color: boolean }): string {
  const v: View = { width: Math.max(minWidth, view.width), paint: paint(view.color), questionOf };
  const blocks: string[][] = [
    header(report, v),
    relaxations(report, v),
    ...subjects(report, v),
    ...titled("What is open", open(report, v), v),
    ...titled("Findings and waived claims", findings(report, v), v),
    ...titled("Waivers", waivers(report, v), v),
    ...titled("Who can read a prompt", [readersTable(report.readers, v)], v),
    ...titled("What the policies permit", probeTables(report.probes, v), v),
    ...titled("Models", modelRows(report.models, v), v),
    ...titled("Evidence", [evidenceSummary(report.evidence, v)], v),
    ...titled("Not proven", [report.notProven.flatMap((line) => wrap(line, v.width, "  - "))], v),
    [verdict(report, v)],
  ];
  return `${blocks
    .filter((b) => b.length > 0)
    .map((b) => b.join("\n"))
    .join("\n\n")}\n`;
}

/** A heading stands with the first of its blocks; without blocks there is none. */
function titled(title: string, blocks: readonly (readonly string[])[], v: View): string[][] {
  const [first, ...rest] = blocks.filter((b) => b.length > 0);
  return first === undefined ? [] : [[v.paint.bold(title), ...first], ...rest.map((b) => [...b])];
}

function header(report: Report, v: View): string[] {
  const field = (name: string, text: string): string[] => wrap(text, v.width, `  ${name.padEnd(11)} `);
  return [
    ...wrap(`pm ${report.tool.version} checks ${report.target}`, v.width).map(v.paint.bold),
    ...field("scope", report.scope),
    ...field("judged at", report.judgedAt),
    ...field("captured at", report.capturedAt ?? "nobody says"),
    ...field("freshness", report.freshness),
    ...field("profile", report.profileSha256 === null ? "none, flags only" : `SHA-256 ${report.profileSha256}`),
    ...(report.bundleSha256 === null ? [] : field("bundle", `SHA-256 ${report.bundleSha256}`)),
    ...report.anchors.flatMap((a) => field("anchor", `${a.name}, SHA-256 ${a.sha256}, ${a.source}`)),
  ];
}

/** Loud: each of these makes a pass worth less. */
const relaxations = (report: Report, v: View): string[] =>
  report.relaxations.flatMap((r) => wrap(`${r.name}: ${r.meaning}`, v.width, "RELAXED ").map(v.paint.warn));

const waivers = (report: Report, v: View): string[][] =>
  report.waivers.map((w) => [
    ...wrap(`${w.state}: ${w.claim} of ${w.subject}`, v.width, "  "),
    ...wrap(`${w.reason}; ${w.owner} answers for it until ${w.expires}`, v.width, "    "),
  ]);

/** Never wrapped: it is the line that scripts and people quote. */
function verdict(report: Report, v: View): string {
  const line = safe(report.verdictLine);
  if (report.verdict === "verified") return report.relaxations.length > 0 ? v.paint.warn(line) : v.paint.good(line);
  return report.verdict === "failed" ? v.paint.bad(line) : v.paint.warn(line);
}
