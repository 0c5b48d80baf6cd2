/** What a claim id or a reason code means, out of the catalogues alone. */
import { type Entry, entries } from "./catalogues.ts";
import { usage } from "./errors.ts";
import { wrap } from "./report/text.ts";

export interface ClaimExplanation {
  readonly kind: "claim";
  readonly id: string;
  readonly verifier: string;
  readonly asks: string;
  readonly spec: string;
  readonly stops: string;
  readonly todo: string;
  readonly owed: "always" | "pinned" | "advisory";
  readonly waivable: boolean;
  readonly codes: Readonly<Record<string, string>>;
}
export interface CodeExplanation {
  readonly kind: "code";
  readonly code: string;
  /** The claims that carry it, in catalogue order, each with what the code says there. */
  readonly claims: readonly { readonly sentence: string; readonly claim: ClaimExplanation }[];
}
export type Explanation = ClaimExplanation | CodeExplanation;

const owedText = {
  always: "always owed",
  pinned: "owed once a reference value is given",
  advisory: "a finding: shown, owed only where the profile promotes it",
} as const;

const codesOf = (list: readonly Entry[]): string[] => [...new Set(list.flatMap((e) => Object.keys(e.question.codes)))];

function claimExplanation({ id, verifier, question: q }: Entry): ClaimExplanation {
  return {
    kind: "claim",
    id,
    verifier,
    asks: q.asks,
    spec: q.spec,
    stops: q.stops,
    todo: q.todo,
    owed: q.owed,
    waivable: q.waivable !== false,
    codes: q.codes,
  };
}

/**
 * @param word a claim id or a reason code, in its own spelling or another case
 * @throws PmError PM_USAGE for anything else, with the nearest names as a hint
 */
export function explain(word: string, list: readonly Entry[] = entries): Explanation {
  const names = [...list.map((e) => e.id), ...codesOf(list)];
  const name = names.find((n) => n === word) ?? names.find((n) => n.toLowerCase() === word.toLowerCase());
  if (name === undefined) throw usage(`${shown(word)}: neither a claim id nor a reason code`, hint(word, names));
  const entry = list.find((e) => e.id === name);
  if (entry !== undefined) return claimExplanation(entry);
  const claims = list.flatMap((e) => {
    const sentence = e.question.codes[name];
    return sentence === undefined ? [] : [{ sentence, claim: claimExplanation(e) }];
  });
  return { kind: "code", code: name, claims };
}

/** Every claim in catalogue order: what `pm explain --list` prints. */
export const listAll = (list: readonly Entry[] = entries): ClaimExplanation[] => list.map(claimExplanation);

const shown = (word: string): string => (word.length > 60 ? `${word.slice(0, 60)}…` : word);

function hint(word: string, names: readonly string[]): string {
  const near = nearest(word.toLowerCase().slice(0, 80), names);
  return near.length === 0
    ? "pm explain --list prints every claim with its codes"
    : `did you mean ${near.join(", ")}? pm explain --list prints every claim with its codes`;
}

/** At most three: names that contain the word first, then those a few letters away. */
export function nearest(word: string, names: readonly string[]): string[] {
  const scored = names.map((name) => {
    const n = name.toLowerCase();
    const inside = word.length >= 3 && (n.includes(word) || word.includes(n));
    return { name, score: inside ? 0 : distance(word, n) / Math.max(word.length, n.length, 1) };
  });
  return scored
    .filter((s) => s.score <= 0.4)
    .sort((a, b) => a.score - b.score)
    .slice(0, 3)
    .map((s) => s.name);
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** For people. */
export function renderExplanation(e: Explanation, width: number): string {
  const lines = e.kind === "claim" ? claimLines(e, width) : codeLines(e, width);
  return `${lines.join("\n")}\n`;
}

function claimLines(c: ClaimExplanation, width: number): string[] {
  const waiving = c.waivable ? "" : "; cannot be waived";
  const codes = Object.entries(c.codes);
  return [
    c.id,
    ...wrap(c.asks, width, "  asks     "),
    ...wrap(c.stops, width, "  stops    "),
    ...wrap(c.spec, width, "  follows  "),
    ...wrap(`${owedText[c.owed]}${waiving}`, width, "  owed     "),
    ...wrap(c.todo, width, "  next     "),
    ...(codes.length === 0 ? [] : ["  codes"]),
    ...codes.flatMap(([code, sentence]) => [`    ${code}`, ...wrap(sentence, width, "      ")]),
  ];
}

function codeLines(c: CodeExplanation, width: number): string[] {
  return [
    c.code,
    ...c.claims.flatMap(({ sentence, claim }) => [
      "",
      ...wrap(sentence, width, "  means    "),
      `  claim    ${claim.id}`,
      ...wrap(claim.asks, width, "  asks     "),
      ...wrap(claim.stops, width, "  stops    "),
      ...wrap(claim.spec, width, "  follows  "),
      ...wrap(claim.todo, width, "  next     "),
    ]),
  ];
}

/** A line a claim, its codes below it. */
export function renderList(list: readonly ClaimExplanation[], width: number): string {
  const lines = list.flatMap((c) => [
    c.id,
    ...wrap(c.asks, width, "  "),
    ...wrap(Object.keys(c.codes).join(", "), width, "  codes: "),
  ]);
  return `${lines.join("\n")}\n`;
}
