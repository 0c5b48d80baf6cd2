/** `--allow-unchecked-revocation`: a named relaxation that covers a list that could not be had, and nothing else. */
import type { Answer } from "../../claims/answer.ts";
import type { Catalogue } from "../../claims/question.ts";

const id = "snp.chain.revocation";

/**
 * Whether the relaxation was used: the answer is `skip` with crl-unavailable. verifySnp says that only when it was asked
 * to with `allow-unchecked` and no list was there; a list that revokes, is expired or wrongly signed still fails.
 */
export const uncheckedRevocation = (answers: Readonly<Record<typeof id, Answer>>): boolean =>
  answers[id].status === "skip" && answers[id].code === "crl-unavailable";

/**
 * What a subject owes when the relaxation was used: the catalogue with this one question advisory, so that the unchecked
 * revocation stays visible. Only for answers of which `uncheckedRevocation` is true; any other catalogue comes back as it is.
 */
export function withoutRevocation<C extends Catalogue>(catalogue: C, answers: Readonly<Record<typeof id, Answer>>): C {
  const question = catalogue[id];
  if (question === undefined || !uncheckedRevocation(answers)) return catalogue;
  return { ...catalogue, [id]: { ...question, owed: "advisory" } };
}
