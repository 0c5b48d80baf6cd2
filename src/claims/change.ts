/** What changed between two documents: each change at its place, with its direction and a sentence that says why. */
import type { Json } from "../report/report.ts";
import type { Grade } from "./answer.ts";

export interface Change {
  /** JSON pointer into the later document, or into the earlier one for what the later one no longer has. */
  readonly at: string;
  /** Protection after the change, compared with before; `neutral` changes nothing, `unknown` needs somebody who explains it. */
  readonly grade: Grade;
  /** null: was not there. */
  readonly before: Json;
  /** null: is no longer there. */
  readonly after: Json;
  readonly meaning: string;
  /** Lines of a unified comparison of texts, bounded. */
  readonly excerpt?: readonly string[];
}
export type Counts = Readonly<Record<Grade, number>>;

/** In the order in which a reader wants them. */
export const gradeOrder: readonly Grade[] = ["weaker", "unknown", "stronger", "neutral"];

export function countGrades(changes: readonly Change[]): Counts {
  const of = (grade: Grade): number => changes.filter((c) => c.grade === grade).length;
  return { weaker: of("weaker"), stronger: of("stronger"), neutral: of("neutral"), unknown: of("unknown") };
}

/** One token of a JSON pointer (RFC 6901). */
export const token = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
