/** Reason codes for the rules of a certificate path, in the words of verifiers whose chains end in one pinned key. */
import type { PathRule } from "./path.ts";

/** What is wrong with whose certificates these are. */
export type PathCode = "chain-root" | "chain-name" | "chain-algorithm" | "chain-signature" | "chain-extension";

/** Of several problems the first in this order gives the answer its code. */
export const pathCodes: readonly PathCode[] = [
  "chain-root",
  "chain-name",
  "chain-algorithm",
  "chain-signature",
  "chain-extension",
];

/** Dates have a claim of their own: they do not say whose bytes these are. */
export function codeOfRule(rule: PathRule): PathCode | "chain-validity" {
  switch (rule) {
    case "root":
    case "anchor-not-self-signed":
    case "length":
      return "chain-root";
    case "name":
    case "name-empty":
      return "chain-name";
    case "algorithm":
    case "algorithm-mismatch":
    case "key":
      return "chain-algorithm";
    case "signature":
      return "chain-signature";
    case "expired":
    case "not-yet-valid":
      return "chain-validity";
    case "not-a-ca":
    case "basic-constraints-not-critical":
    case "leaf-is-ca":
    case "path-length":
    case "key-usage":
    case "critical-extension":
    case "name-constraints":
    case "policy-constraints":
    case "aki-missing":
    case "aki-mismatch":
    case "ski-missing":
    case "serial-negative":
    case "serial-zero":
    case "serial-length":
    case "extension-duplicate":
    case "version":
      return "chain-extension";
    default:
      return rule satisfies never;
  }
}
