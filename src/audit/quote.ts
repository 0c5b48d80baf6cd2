/** What the commands about Intel quotes share: the evidence out of a file, and the relaxations by name. */
import { type QuoteEvidence, recogniseQuote } from "../dcap/carrier.ts";
import { PmError } from "../errors.ts";
import { testRootRelaxation } from "../report/compose.ts";
import type { Relaxation } from "../report/report.ts";

export interface QuoteRun {
  readonly toolVersion: string;
  /** The wall clock. */
  readonly now: Date;
  /** Takes warnings for stderr. */
  readonly notice: (text: string) => void;
}

/** A quote in any carrier; text that is neither hex nor base64 is judged as the bytes that it is, and fails its format. */
export function quoteEvidence(bytes: Uint8Array): QuoteEvidence & { readonly carrier: string } {
  try {
    return recogniseQuote(bytes);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { bytes, form: "quote", carrier: "raw" };
  }
}

/** Named in every report whose demands were lowered. */
export function intelRelaxations(
  { testRoot }: { readonly testRoot?: { readonly file: string } },
  skip: boolean,
  accepted?: string,
): Relaxation[] {
  const roots = `Intel's root is replaced by ${testRoot?.file ?? ""}: nothing here says anything about Intel hardware`;
  const unasked =
    "Intel's collateral was not asked for: revoked keys, known holes and another quoting enclave would not be noticed";
  return [
    ...(testRoot === undefined ? [] : [{ name: testRootRelaxation, meaning: roots }]),
    ...(skip ? [{ name: "skip-collateral", meaning: unasked }] : []),
    ...(accepted === undefined
      ? []
      : [{ name: "accept-tcb", meaning: `TCB states are accepted beside UpToDate: ${accepted}` }]),
  ];
}
