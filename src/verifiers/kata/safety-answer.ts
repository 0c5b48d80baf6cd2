/** An answer of the rules: what they demand, what the deployment file holds, and the places where the two part. */
import { type Answer, cannot, holds } from "../../claims/answer.ts";
import type { SafetyCase } from "./safety-types.ts";

export interface Problem<Code extends string> {
  readonly code: Code;
  readonly text: string;
  /** It could not be asked here; any other problem goes before it. */
  readonly open?: true;
}

export interface Findings<Code extends string> {
  /** What the rules demand. */
  readonly rule: string;
  /** What was looked at, one text each. */
  readonly found: readonly string[];
  /** What to say when there is nothing to look at. */
  readonly none: string;
  readonly problems: readonly Problem<Code>[];
  /** For the type alone: a fail always has its own. */
  readonly code: Code;
}

/** Who says what is safe: the rules, which the auditor's profile names. Who says what runs: the deployment file. */
export function ruled<Code extends string>(c: SafetyCase, findings: Findings<Code>): Answer<Code> {
  const { rule, found, none, problems, code } = findings;
  const first = problems.find((p) => p.open !== true);
  const open = problems.find((p) => p.open === true);
  const text = problems.map((p) => `${p.code}: ${p.text}`).join("; ");
  if (first === undefined && open !== undefined) return cannot(text, open.code);
  return holds(
    problems.length === 0,
    { value: rule, origin: { kind: "profile", name: `rules of ${c.rules.name}` } },
    { value: found.length === 0 ? none : found.join("; "), origin: c.deployment, at: c.workload.where },
    first?.code ?? code,
    text,
  );
}
