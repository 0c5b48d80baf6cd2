/** What appraisal starts from, and how it cites it. */
import { type Answer, cannot, equal, observed, type Sourced } from "../../claims/answer.ts";
import { notGiven } from "../../claims/candidates.ts";
import type { PckExtensions } from "../../dcap/pck.ts";
import type { Quote } from "../../dcap/quote.ts";
import type { TdReport } from "../../dcap/report-body.ts";
import type { AnyOf } from "./references.ts";

/** What is known to come from the vendor once the gate is open. */
export interface TdxFacts {
  readonly quote: Quote;
  readonly td: TdReport;
  readonly pck: PckExtensions;
}

/** Offsets inside the body (tdx.md 1.2). */
export const field = (value: string, name: string, offset: number, length: number): Sourced =>
  observed(value, "TDX quote", `${name}, body bytes ${offset}..${offset + length - 1}`);

export const compared = <const Code extends string>(
  expected: Sourced | undefined,
  actual: Sourced,
  code: Code,
): Answer<Code> => (expected === undefined ? notGiven : equal(expected, actual, code));

/** The value that matches is shown; where none does, all are. */
export function anyOf<const Code extends string>(
  expected: AnyOf | undefined,
  actual: Sourced,
  code: Code,
): Answer<Code> {
  if (expected === undefined) return notGiven;
  const list: readonly Sourced[] = "value" in expected ? [expected] : expected;
  const [first] = list;
  if (first === undefined) return cannot("the list of reference values is empty");
  const match = list.find((e) => e.value === actual.value);
  if (match !== undefined || list.length === 1) return equal(match ?? first, actual, code);
  return equal({ ...first, value: `one of ${list.map((e) => e.value).join(", ")}` }, actual, code);
}
