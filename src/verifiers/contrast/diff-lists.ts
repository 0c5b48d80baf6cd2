/** Lists whose order means nothing, and entries that have no name: what belongs together before and after. */
import type { Change } from "../../claims/change.ts";

/** What an empty list stands for: allow lists let everybody in, lists of owners nobody. */
export interface ListRule {
  readonly empty: "everything" | "nobody";
  /** Singular, for the sentences. */
  readonly noun: string;
  readonly added: string;
  readonly removed: string;
}
export interface Listed {
  /** Equal for equal meaning. */
  readonly id: string;
  readonly shown: string;
  readonly at: string;
}

/** Members that came and went; the step from or to an empty list is one change of the whole list. */
export function listChanges(at: string, before: readonly Listed[], after: readonly Listed[], rule: ListRule): Change[] {
  const [had, has] = [new Set(before.map((x) => x.id)), new Set(after.map((x) => x.id))];
  const shown = (list: readonly Listed[]): string[] => list.map((x) => x.shown);
  if (rule.empty === "everything" && (had.size === 0) !== (has.size === 0))
    return [
      has.size === 0
        ? {
            at,
            grade: "weaker",
            before: shown(before),
            after: [],
            meaning: `an empty list: every ${rule.noun} is let in`,
          }
        : {
            at,
            grade: "stronger",
            before: [],
            after: shown(after),
            meaning: `only the listed ${rule.noun}s are let in, before: every one`,
          },
    ];
  return [
    ...unique(before)
      .filter((x) => !has.has(x.id))
      .map((x): Change => ({ at: x.at, grade: "stronger", before: x.shown, after: null, meaning: rule.removed })),
    ...unique(after)
      .filter((x) => !had.has(x.id))
      .map((x): Change => ({ at: x.at, grade: "weaker", before: null, after: x.shown, meaning: rule.added })),
  ];
}

/** The first of equal ones. */
const unique = (list: readonly Listed[]): Listed[] =>
  [...new Map([...list].reverse().map((x) => [x.id, x])).values()].reverse();

export interface Paired<T> {
  readonly pairs: readonly (readonly [before: T, after: T])[];
  readonly removed: readonly T[];
  readonly added: readonly T[];
}

/**
 * Entries without a name are taken together by what they have in common, the most telling members first; each belongs to
 * one pair at most.
 */
export function paired<T>(
  before: readonly T[],
  after: readonly T[],
  keys: readonly ((entry: T) => string)[],
): Paired<T> {
  let [removed, added] = [[...before], [...after]];
  const pairs: (readonly [T, T])[] = [];
  for (const key of keys) {
    const waiting = Map.groupBy(removed, key);
    const left: T[] = [];
    for (const entry of added) {
      const partner = waiting.get(key(entry))?.shift();
      if (partner === undefined) left.push(entry);
      else pairs.push([partner, entry]);
    }
    const taken = new Set(pairs.map(([a]) => a));
    removed = removed.filter((entry) => !taken.has(entry));
    added = left;
  }
  return { pairs, removed, added };
}
