/** Names as Go's encoding/json compares them, and lists of names. */

/** Unicode's simple folding: the long s (U+017F) and the Kelvin sign (U+212A) count as s and k. */
export const folded = (name: string): string => name.toLowerCase().replaceAll("\u017f", "s").replaceAll("\u212a", "k");

/** The same names in the same order. */
export const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i]);
