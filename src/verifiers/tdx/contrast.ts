/**
 * What Contrast's own client makes of the TCB of the same quote (spec notes tdx.md 6, contrast.md 5.5: v1.20.0, run). A line of
 * its own in the evidence, never part of a verdict: with a TDX module of major version 1 or more it looks at the module alone.
 */
import type { Quote } from "../../dcap/quote.ts";
import type { Tcb } from "../../dcap/tcb.ts";

export interface ContrastView {
  readonly accepts: boolean;
  readonly why: string;
}

/** Of the TCB only; dates, reference values and revocation are not in it. */
export function contrastView({ header }: Quote, tcb: Tcb): ContrastView {
  if (header.version !== 4)
    return { accepts: false, why: `it reads quotes of version 4 only, this one has ${header.version}` };
  if (tcb.qe.status !== "UpToDate") return { accepts: false, why: `quoting enclave ${tcb.qe.status}` };
  if (tcb.platform.matched === undefined) return { accepts: false, why: "no platform level fits" };
  const alone = tcb.module !== undefined && tcb.module.major > 0;
  const [what, status] = alone ? [tcb.module.name, tcb.module.status] : ["platform level", tcb.platform.status];
  const accepts = status === "UpToDate";
  const laxer = accepts && tcb.status !== "UpToDate" ? `; the platform's ${tcb.platform.status} is not looked at` : "";
  return { accepts, why: `${what} ${status}${laxer}` };
}
export const contrastText = ({ accepts, why }: ContrastView): string => `${accepts ? "yes" : "no"}: ${why}`;
