/** Answers: who says what, compared with what. `pass` comes out of a comparison of two sourced values and nowhere else. */
import type { Catalogue } from "./question.ts";

/** Who says so. Origin flows: a value read out of a manifest has the manifest's origin. */
export type Origin =
  | {
      readonly kind: "vendor-root" | "audited-party" | "rebuilder" | "recomputed" | "flag" | "profile" | "evidence";
      readonly name: string;
    }
  /** The auditor holds it. `firstUse` is the date on which it was taken over on first sight. */
  | { readonly kind: "pinned"; readonly file: string; readonly sha256: string; readonly firstUse?: string }
  | { readonly kind: "measured"; readonly tool: string; readonly at: string }
  | { readonly kind: "spec"; readonly document: string; readonly section: string };

/** A value in the specification's notation, who says it, and where: a byte range, a JSON pointer, a line. */
export interface Sourced {
  readonly value: string;
  readonly origin: Origin;
  readonly at?: string;
}

/** A value that a specification fixes. */
export const specified = (value: string, document: string, section: string): Sourced => ({
  value,
  origin: { kind: "spec", document, section },
});
/** A value read out of evidence, at a place in it. */
export const observed = (value: string, name: string, at?: string): Sourced => ({
  value,
  origin: { kind: "evidence", name },
  ...(at === undefined ? {} : { at }),
});

/** Only `pass` satisfies; see docs/claims.md for what each other word means. */
export type Status = "pass" | "consistent" | "fail" | "error" | "unavailable" | "skip";
/** Direction of a finding: does the subject offer less or more protection than expected. */
export type Grade = "weaker" | "stronger" | "neutral" | "unknown";

declare const made: unique symbol;
/** Only the functions of this file make one. */
export interface Answer<Code extends string = string> {
  readonly status: Status;
  readonly code?: Code;
  readonly grade?: Grade;
  readonly expected?: Sourced;
  readonly actual?: Sourced;
  readonly reason?: string;
  readonly [made]: true;
}
const make = <Code extends string>(a: Omit<Answer<Code>, typeof made>): Answer<Code> => a as Answer<Code>;

/** The audited party's own word cannot prove anything about it. */
const yes = (expected: Sourced): Status => (expected.origin.kind === "audited-party" ? "consistent" : "pass");

/** Equal in the specification's notation. An empty reference value is no reference value. */
export const equal = <const Code extends string>(expected: Sourced, actual: Sourced, code: Code): Answer<Code> =>
  expected.value === ""
    ? cannot("the reference value is empty")
    : holds(expected.value === actual.value, expected, actual, code);

/** A comparison other than equality: `test` must be computed from the two values that are shown. */
export const holds = <const Code extends string>(
  test: boolean,
  expected: Sourced,
  actual: Sourced,
  code: Code,
  reason?: string,
): Answer<Code> =>
  test
    ? make({ status: yes(expected), expected, actual })
    : make({ status: "fail", code, expected, actual, ...(reason === undefined ? {} : { reason }) });

/** Asked, and the answer is no, although no two values can be shown: evidence that breaks its format. */
export const broken = <const Code extends string>(reason: string, code: Code): Answer<Code> =>
  make({ status: "fail", code, reason });
/** Could not be answered: unsupported, a limit exceeded, a source that refused. */
export const cannot = <const Code extends string = never>(reason: string, code?: Code): Answer<Code> =>
  make({ status: "error", reason, ...(code === undefined ? {} : { code }) });
/** A source could not be reached; trying again may help. */
export const unavailable = <const Code extends string = never>(reason: string, code?: Code): Answer<Code> =>
  make({ status: "unavailable", reason, ...(code === undefined ? {} : { code }) });
/** Not asked; `reason` says why. */
export const skip = <const Code extends string = never>(reason: string, code?: Code): Answer<Code> =>
  make({ status: "skip", reason, ...(code === undefined ? {} : { code }) });
/** The same answer, with the code and the sentence that say why the audited party's word is not enough. */
export const because = <Code extends string, const More extends string>(
  answer: Answer<Code>,
  code: More,
  reason: string,
): Answer<Code | More> => (answer.status === "pass" ? answer : make<Code | More>({ ...answer, code, reason }));
/** A finding: an advisory answer with its direction; the grade is kept only when the answer is no. */
export const graded = <Code extends string>(answer: Answer<Code>, grade: Grade): Answer<Code> =>
  answer.status === "fail" ? make({ ...answer, grade }) : answer;

/** One answer for each id, with that question's codes: a forgotten, a surplus or a double one does not compile. */
export type Answers<C extends Catalogue> = {
  readonly [Id in keyof C]: Answer<keyof C[Id]["codes"] & string>;
};

/** The same answer to a whole stage: what a stage that was not reached says. */
export function all<C extends Catalogue>(c: C, answer: Answer<never>): Answers<C> {
  const answers: Record<string, Answer<never>> = Object.fromEntries(Object.keys(c).map((id) => [id, answer]));
  return answers as Readonly<Record<keyof C, Answer<never>>>;
}

declare const authentic: unique symbol;
/** Evidence whose bytes are known to come from the vendor's root: only `gate` makes one. */
export type Authenticated<T> = T & { readonly [authentic]: true };

/**
 * The brand is earned: every answer of the stage passed. Otherwise `blocked` is what the next stage says of each of
 * its claims: `unavailable` when all that closed the gate was unavailable, else `skip` naming what closed it.
 */
export function gate<T extends object>(
  stage: Readonly<Record<string, Answer>>,
  value: T,
): { readonly value: Authenticated<T> } | { readonly blocked: Answer<never> } {
  const open = Object.entries(stage).filter(([, a]) => a.status !== "pass");
  if (open.length === 0 && Object.keys(stage).length > 0) return { value: value as Authenticated<T> };
  const ids = open.map(([id, a]) => `${id} is ${a.status}`).join(", ") || "no claim was asked";
  const closed = open.length > 0 && open.every(([, a]) => a.status === "unavailable") ? unavailable : skip;
  return { blocked: closed(`not asked: ${ids}`) };
}
