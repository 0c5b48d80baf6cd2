/** What appraisal starts from, and how it cites it. */
import { observed, type Sourced } from "../../claims/answer.ts";
import type { FoundVek } from "./material.ts";
import type { ProductLine } from "./product.ts";
import type { SnpReport } from "./report.ts";
import type { Root } from "./trust/roots.ts";

/** What is known to come from the vendor once the gate is open. */
export interface SnpFacts {
  readonly report: SnpReport;
  readonly vek: FoundVek;
  readonly line: ProductLine;
  readonly root: Root;
}
export const field = (value: string, at: string): Sourced => observed(value, "SNP report", at);
/** A value out of the authenticated certificate: AMD's word. */
export const vekValue = (value: string, { root, vek }: SnpFacts, at: string): Sourced => ({
  value,
  origin:
    root.origin.kind === "vendor-root" ? { kind: "vendor-root", name: `${vek.kind} under ${root.name}` } : root.origin,
  at,
});
