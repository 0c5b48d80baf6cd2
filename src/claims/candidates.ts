/** Reference values as candidates of which one must fit, and the pins among them. */
import { type Answer, skip } from "./answer.ts";
import type { Catalogue } from "./question.ts";
import { owedIds } from "./verdict.ts";

export const notGiven: Answer<never> = skip("no reference value given");

/** Owed answers that are not `pass`, by the catalogue: what was not answered is open. */
export const countOpen = (
  catalogue: Catalogue,
  answers: Readonly<Record<string, Answer>>,
  pinned: ReadonlySet<string>,
): number =>
  owedIds({ subject: { catalogue, pinned } }, new Set()).filter((id) => answers[id]?.status !== "pass").length;

const noPin: Answer<never> = skip("no reference value of this group given");
/** The best of the pinned answers of a group: `pass` before `consistent` before the rest. */
export const bestPin = <A extends Answer>(given: readonly A[]): A | Answer<never> =>
  given.find((a) => a.status === "pass") ?? given.find((a) => a.status === "consistent") ?? given[0] ?? noPin;
