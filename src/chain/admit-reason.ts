/** What Contrast would say of one piece of evidence, and why. */

/** depends: on what the vendor's service would answer the Coordinator, or on a rule whose outcome is not known here. */
export type Word = "lets in" | "depends" | "refuses";
export interface Reason {
  readonly word: Word;
  readonly text: string;
  /** Something that fails here and that the Coordinator does not look at. */
  readonly laxer: boolean;
  /** Trying again may help. */
  readonly unavailable: boolean;
}

export const reasonOf = (word: Word, text: string, more: Partial<Reason> = {}): Reason => ({
  word,
  text,
  laxer: false,
  unavailable: false,
  ...more,
});
export const laxer = (text: string, word: Word = "lets in"): Reason => reasonOf(word, text, { laxer: true });

/** The worst of several. */
export const wordOf = (reasons: readonly Reason[]): Word =>
  reasons.some((r) => r.word === "refuses")
    ? "refuses"
    : reasons.some((r) => r.word === "depends")
      ? "depends"
      : "lets in";
