/** A catalogue asks: each verifier exports its questions, and docs, `pm explain` and the tests are made from them. */

export interface Question<Code extends string = string> {
  /** One question that can be answered with yes or no. */
  readonly asks: string;
  /** Document and section that it follows. */
  readonly spec: string;
  /** The attack that it stops, or what a "no" means. */
  readonly stops: string;
  /** What the auditor does next when the answer is not yes. */
  readonly todo: string;
  /** always: owed for every subject. pinned: owed once a reference value is given. advisory: shown, never owed unless promoted. */
  readonly owed: "always" | "pinned" | "advisory";
  /** Reason codes that an answer may carry, each with one plain sentence. */
  readonly codes: Readonly<Record<Code, string>>;
  /** Authenticity, nonce binding, debug, revocation and the manifest's reference cannot be waived. */
  readonly waivable?: false;
}

export type Catalogue = Readonly<Record<string, Question>>;

/** Names a verifier's questions; every id starts with the verifier's name. */
export function catalogue<const P extends string, const C extends Readonly<Record<`${P}.${string}`, Question>>>(
  _verifier: P,
  questions: C,
): C {
  return questions;
}
