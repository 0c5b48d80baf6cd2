/** The names that the manifest gives to a workload: Contrast's own (v1.20, generate) and what a service adds to them. */
import { type Answer, equal, type Origin } from "../../claims/answer.ts";
import { pattern } from "./safety-types.ts";

/** A change that a service makes to the SANs of the objects it is for. Edits that fit are made one after the other. */
export interface SanEdit {
  /** Kubernetes kind; absent: each. */
  readonly kind?: string;
  /** Regular expression over the object's name. */
  readonly name: string;
  /** Put before the names so far. `$(namespace)` and `$(instance)` are filled in. */
  readonly first: readonly string[];
  /** Put behind them. */
  readonly last: readonly string[];
}

const instancePrefix = "continuum-";

/**
 * Contrast gives [name, "*"]. The instance is what follows "continuum-" in the namespace; where the namespace begins
 * otherwise, `$(instance)` stays as it is, so that no name can equal it.
 */
export function deriveSans(
  { kind, name, namespace }: { readonly kind: string; readonly name: string; readonly namespace: string },
  edits: readonly SanEdit[],
): string[] {
  const filled = (text: string): string => {
    const whole = text.replaceAll("$(namespace)", namespace);
    return namespace.startsWith(instancePrefix)
      ? whole.replaceAll("$(instance)", namespace.slice(instancePrefix.length))
      : whole;
  };
  const names = [name, "*"];
  for (const edit of edits.filter((e) => (e.kind === undefined || e.kind === kind) && pattern(e.name).test(name))) {
    names.unshift(...edit.first.map(filled));
    names.push(...edit.last.map(filled));
  }
  return names;
}

interface Place {
  readonly origin: Origin;
  readonly at: string;
}

/** The first name becomes the certificate's common name, so its place counts; the order of the others has no meaning. */
export function sansAnswer(
  expected: readonly string[],
  actual: readonly string[],
  places: { readonly expected: Place; readonly actual: Place },
): Answer<"sans-differ"> {
  const text = ([first, ...rest]: readonly string[]): string =>
    JSON.stringify(first === undefined ? [] : [first, ...rest.sort()]);
  return equal({ value: text(expected), ...places.expected }, { value: text(actual), ...places.actual }, "sans-differ");
}
