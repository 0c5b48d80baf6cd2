/** What is wrong with a manifest, all of it, each with its place. */
import type { JsonDocument, JsonNode } from "../../bytes/json.ts";

/**
 * malformed: Contrast refuses to read it. ambiguous: Contrast reads it, but otherwise than the text says.
 * invalid: read, and against the rules. unsupported: within the rules, but its check is not built here.
 */
export type Severity = "malformed" | "ambiguous" | "invalid" | "unsupported";

export interface ManifestProblem {
  readonly severity: Severity;
  /** JSON pointer. */
  readonly at: string;
  readonly line: number;
  readonly message: string;
}

/** Enough to mend a manifest; the rest is counted. */
const shownProblems = 50;
const keptProblems = 1000;

export class Problems {
  readonly #found: ManifestProblem[] = [];
  readonly #severities = new Set<Severity>();
  readonly #document: JsonDocument;

  constructor(document: JsonDocument) {
    this.#document = document;
  }

  add(severity: Severity, node: Pick<JsonNode, "at" | "offset">, message: string): void {
    // A hostile manifest may break a rule at each of its values; the first thousand of a severity say enough.
    if (this.#found.length >= keptProblems && this.has(severity)) return;
    this.#severities.add(severity);
    this.#found.push({ severity, at: node.at, line: this.line(node), message });
  }
  line(node: Pick<JsonNode, "offset">): number {
    return this.#document.place(node.offset).line;
  }
  has(severity: Severity): boolean {
    return this.#severities.has(severity);
  }
  get list(): readonly ManifestProblem[] {
    return this.#found;
  }
}

/** `none`, or each problem with pointer and line: the form in which claims compare. */
export function problemText(problems: readonly ManifestProblem[]): string {
  if (problems.length === 0) return "none";
  const shown = problems.slice(0, shownProblems).map((p) => `${p.at || "/"} (line ${p.line}): ${p.message}`);
  if (problems.length > shownProblems) shown.push(`and ${problems.length - shownProblems} more`);
  return shown.join("; ");
}
