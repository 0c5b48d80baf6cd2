/** Subjects owe whole catalogues; claims are read off the catalogue, so what was not answered is there as an error. */
import { type Answer, type Answers, cannot } from "./answer.ts";
import type { Catalogue } from "./question.ts";

/** What the profile says exists. It is written before any evidence is read, so evidence cannot shorten it. */
export interface Subject<C extends Catalogue = Catalogue> {
  readonly name: string;
  readonly catalogue: C;
  /** Ids whose reference value was given: their questions are owed. */
  readonly pinned: ReadonlySet<string>;
}

export interface Claim extends Answer {
  readonly id: string;
  readonly subject: string;
}

/** A subject with its claims, in catalogue order. */
export interface Judged {
  readonly subject: Subject;
  readonly claims: readonly Claim[];
}

/** A pass without its two values was not made by a comparison; it can only come from a bug, and a bug is no pass. */
const shown = (a: Answer): Answer =>
  a.status === "pass" && (a.expected === undefined || a.actual === undefined)
    ? cannot("a pass without a comparison: a bug in pm")
    : a;

/** Reads ids from the catalogue, not from the answers. */
export function judge<C extends Catalogue>(subject: Subject<C>, answers: Answers<NoInfer<C>>): Judged {
  const claims = Object.keys(subject.catalogue).map((id): Claim => {
    const answer: Answer | undefined = answers[id];
    return { ...shown(answer ?? cannot("not answered: a bug in pm")), id, subject: subject.name };
  });
  return { subject, claims };
}
