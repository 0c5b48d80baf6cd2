/** Claims for people: one line each, then the open ones with both values in full, and what to do. */
import type { Sourced } from "../claims/answer.ts";
import type { Question } from "../claims/question.ts";
import { originText } from "./origin.ts";
import { type Paint, sign, tone } from "./paint.ts";
import type { Report, ReportClaim } from "./report.ts";
import { count, safe, shorten, wrap } from "./text.ts";

export interface View {
  readonly width: number;
  readonly paint: Paint;
  readonly questionOf: (id: string) => Question | undefined;
}

const waived = (report: Report, c: ReportClaim): boolean =>
  report.waivers.some((w) => w.state === "applied" && w.claim === c.id && w.subject === c.subject);
/** Owed, not passed, nobody answers for it: what keeps the verdict from being verified. */
const isOpen = (report: Report, c: ReportClaim): boolean => c.owed && c.status !== "pass" && !waived(report, c);

/** With more subjects than this, one of which every claim passed is told by its heading alone. */
const manySubjects = 24;

/** A block for each subject: how many owed claims passed, then a line a claim. */
export function subjects(report: Report, view: View): string[][] {
  const groups = [...Map.groupBy(report.claims, (c) => c.subject)];
  const short = groups.length > manySubjects;
  const blocks: string[][] = [];
  let told = false;
  for (const [name, claims] of groups) {
    const owed = claims.filter((c) => c.owed);
    const passed = owed.filter((c) => c.status === "pass").length;
    const text = `Subject ${name}: ${passed} of ${count(owed.length, "owed claim")} passed`;
    const head = wrap(text, view.width).map(view.paint.bold);
    const column = Math.max(...claims.map((c) => c.id.length));
    const byHeading = short && claims.every((c) => c.status === "pass");
    // Headings without lines stand together.
    if (byHeading && told) blocks.at(-1)?.push(...head);
    else blocks.push(byHeading ? head : [...head, ...claims.map((c) => claimLine(report, c, column, view))]);
    told = byHeading;
  }
  return blocks;
}

function claimLine(report: Report, c: ReportClaim, column: number, view: View): string {
  const head = `  ${sign[c.status]} ${c.status.padEnd(11)} `;
  const id = safe(c.id);
  const room = view.width - head.length - column - 2;
  const note = shorten(noteOf(report, c, view), room);
  const line = note === "" ? `${head}${id}` : `${head}${id.padEnd(column)}  ${note}`;
  return tone(view.paint, c.status, c.owed && !waived(report, c))(line);
}

/** What the line has room for: why it is open, else what was asked. */
function noteOf(report: Report, c: ReportClaim, view: View): string {
  const asks = view.questionOf(c.id)?.asks ?? "";
  if (c.status === "pass") return asks;
  const role = waived(report, c) ? "waived" : c.owed ? "" : c.grade === undefined ? "not owed" : `finding: ${c.grade}`;
  return [role, c.code, safe(c.reason ?? asks)].filter(Boolean).join(", ");
}

/** Open claims, those that say no first, else in catalogue order; those that have one cause stand together. */
export function open(report: Report, view: View): string[][] {
  const claims = report.claims.filter((c) => isOpen(report, c));
  const ordered = [...claims.filter((c) => c.status === "fail"), ...claims.filter((c) => c.status !== "fail")];
  const groups = Map.groupBy(ordered, (c) => cause(c) ?? c);
  return [...groups.values()].flatMap((same) => {
    const [first] = same;
    return first === undefined || same.length < crowd
      ? same.map((c) => inFull(c, view))
      : [together(same, first, view)];
  });
}

/** Advisory claims that say no, and waived ones: they do not spoil the verdict, but a reader must see them. */
export function findings(report: Report, view: View): string[][] {
  return report.claims
    .filter((c) => c.status === "fail" && !isOpen(report, c))
    .map((c) => inFull(c, view, waived(report, c) ? "waived" : `finding, ${c.grade ?? "unknown"}`));
}

/** So many claims with one and the same reason have one cause: a stage that was not reached. */
const crowd = 4;
const unasked = (c: ReportClaim): boolean =>
  c.status !== "fail" && c.code === undefined && c.expected === undefined && c.actual === undefined;
/** Equal, and the one thing that is open is who says what is expected. */
const merelyConsistent = (c: ReportClaim): boolean => c.status === "consistent" && c.code === undefined;

/** What claims have in common that one cause left open; undefined: a claim for itself. */
function cause(c: ReportClaim): string | undefined {
  if (unasked(c)) return JSON.stringify([c.subject, c.status, c.reason]);
  return merelyConsistent(c) ? JSON.stringify([c.status, c.expected?.origin]) : undefined;
}

function together(same: readonly ReportClaim[], first: ReportClaim, view: View): string[] {
  const everywhere = merelyConsistent(first);
  const head = everywhere
    ? `${sign[first.status]} ${same.length} claims: ${first.status}`
    : `${sign[first.status]} ${same.length} claims of ${first.subject}: ${first.status}`;
  const said = first.expected === undefined ? "" : originText({ value: "", origin: first.expected.origin });
  const why = everywhere ? `As expected, but for what is expected there is only ${said}.` : first.reason;
  return [
    ...wrap(head, view.width).map(tone(view.paint, first.status, true)),
    ...wrap(why ?? "no reason given", view.width, "  "),
    ...same.map((c) => (everywhere ? `    ${safe(c.id)}, ${safe(c.subject)}` : `    ${safe(c.id)}`)),
    ...wrap(nextStep(first, undefined), view.width, "  next      "),
  ];
}

function inFull(c: ReportClaim, view: View, role: string = c.status): string[] {
  const question = view.questionOf(c.id);
  const code = c.code === undefined ? "" : ` (${c.code})`;
  const head = wrap(`${sign[c.status]} ${c.id}${code}, ${c.subject}: ${role}`, view.width);
  return [
    ...head.map(tone(view.paint, c.status, c.owed)),
    ...wrap(sentence(c, question), view.width, "  "),
    ...value("expected", c.expected, view),
    ...value("actual", c.actual, view),
    // Only an answer "no" means that; of one that is not there it can be said what it would have stopped.
    ...(question === undefined
      ? []
      : wrap(question.stops, view.width, c.status === "fail" ? "  means     " : "  stops     ")),
    ...(question === undefined ? [] : wrap(nextStep(c, question), view.width, "  next      ")),
    ...(question === undefined ? [] : wrap(question.spec, view.width, "  follows   ")),
  ];
}

/** The question's own advice is for its "no" and for what has a code; the rest is open for a cause outside of it. */
function nextStep(c: ReportClaim, question: Question | undefined): string {
  if (c.status === "unavailable")
    return "Run again when the source can be reached; a vendor's certificates and lists can also be given as files.";
  if (c.status === "consistent" && c.code === undefined)
    return "Review what the expected value comes from, and pin it, so that somebody else than the audited party vouches for it.";
  const elsewhere = c.status !== "fail" && c.code === undefined && /^not (asked|answered)\b/.test(c.reason ?? "");
  return question === undefined || elsewhere ? "Settle what is named above first, then run again." : question.todo;
}

/** The code's sentence says what kind of defect it is, the reason what was found this time. */
function sentence(c: ReportClaim, question: Question | undefined): string {
  const general = c.code === undefined ? undefined : question?.codes[c.code];
  const parts = [general, c.reason].filter((s) => s !== undefined);
  if (parts.length > 0) return parts.map(ended).join(" ");
  return c.status === "consistent"
    ? "It is as expected, but what is expected is the audited party's own word."
    : "The two values differ.";
}

/** A reason as a sentence: they are written as messages, in lower case and without a full stop. Names keep their spelling. */
const ended = (reason: string): string => {
  const word = /^[a-z][a-z']*(?=[\s,:;]|\.?$)/.test(reason);
  const text = word ? reason.charAt(0).toUpperCase() + reason.slice(1) : reason;
  return /[.!?]$/.test(text) ? text : `${text}.`;
};

/** The value alone on its line and whole, however long: auditors copy it. */
function value(label: string, s: Sourced | undefined, view: View): string[] {
  if (s === undefined) return [];
  const indent = " ".repeat(12);
  return [
    `  ${label.padEnd(9)} ${safe(s.value)}`,
    ...wrap(originText(s), view.width, indent).map((line) => view.paint.dim(line)),
  ];
}
