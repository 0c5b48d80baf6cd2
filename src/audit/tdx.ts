/** `pm tdx verify`: one quote of a trust domain, the reference values that flags give, and one verdict about the quote. */
import { hex } from "../bytes/hex.ts";
import type { Sourced } from "../claims/answer.ts";
import { judge } from "../claims/subject.ts";
import { hexFlag } from "../flags.ts";
import type { Report } from "../report/report.ts";
import {
  noReferences,
  pinnedBy,
  type TdxReferences,
  tdx,
  tdxAuthentic,
  verifyTdx,
  withoutCollateral,
} from "../verifiers/tdx/index.ts";
import { parseAcceptTcb } from "./accept-tcb.ts";
import { auditQuote, type QuoteFlags, type QuoteRun } from "./quote.ts";

/** Flags of `pm tdx verify` as parsed. */
export interface TdxFlags extends QuoteFlags {
  readonly mrtd?: string | undefined;
  readonly rtmr0?: string | undefined;
  readonly rtmr1?: string | undefined;
  readonly rtmr2?: string | undefined;
  readonly rtmr3?: string | undefined;
  readonly mrseam?: readonly string[] | undefined;
  readonly mrsignerseam?: string | undefined;
  readonly mrconfigid?: string | undefined;
  readonly mrowner?: string | undefined;
  readonly mrownerconfig?: string | undefined;
  readonly mrservicetd?: string | undefined;
  readonly "td-attributes"?: string | undefined;
  readonly xfam?: string | undefined;
  readonly "min-tee-tcb-svn"?: string | undefined;
  readonly fmspc?: string | undefined;
}

/** Member, flag and length of the field in bytes. Values are never padded or cut. */
const hexPins = [
  ["mrTd", "mrtd", 48],
  ["rtmr0", "rtmr0", 48],
  ["rtmr1", "rtmr1", 48],
  ["rtmr2", "rtmr2", 48],
  ["rtmr3", "rtmr3", 48],
  ["mrSignerSeam", "mrsignerseam", 48],
  ["mrConfigId", "mrconfigid", 48],
  ["mrOwner", "mrowner", 48],
  ["mrOwnerConfig", "mrownerconfig", 48],
  ["mrServiceTd", "mrservicetd", 48],
  ["tdAttributes", "td-attributes", 8],
  ["xfam", "xfam", 8],
  ["reportData", "report-data", 64],
  ["minimumTeeTcbSvn", "min-tee-tcb-svn", 16],
  ["fmspc", "fmspc", 6],
] as const satisfies readonly (readonly [keyof TdxReferences, keyof TdxFlags, number])[];

const pin = (text: string, length: number, flag: string): Sourced => ({
  value: hex(hexFlag(text, length, `--${flag}`)),
  origin: { kind: "flag", name: `--${flag}` },
});

/** @throws PmError PM_USAGE for a value of wrong length */
export function tdxReferences(flags: TdxFlags): TdxReferences {
  const pins = hexPins.flatMap(([member, flag, length]) => {
    const text = flags[flag];
    return text === undefined ? [] : [[member, pin(text, length, flag)] as const];
  });
  const evaluation = flags["min-tcb-evaluation"];
  return {
    ...noReferences,
    ...Object.fromEntries(pins),
    ...(flags.mrseam === undefined ? {} : { mrSeam: flags.mrseam.map((text) => pin(text, 48, "mrseam")) }),
    ...(evaluation === undefined
      ? {}
      : { minimumEvaluation: { value: evaluation, origin: { kind: "flag", name: "--min-tcb-evaluation" } } }),
    acceptedTcb: parseAcceptTcb(flags["accept-tcb"]),
  };
}

/** @throws PmError PM_USAGE for files and values that cannot be used; what is wrong with the evidence is in the report */
export async function auditTdx(path: string, flags: TdxFlags, asked: QuoteRun): Promise<Report> {
  const references = tdxReferences(flags);
  const all = flags["authentic-only"] ? tdxAuthentic : tdx;
  const catalogue = flags["skip-collateral"] ? withoutCollateral(all) : all;
  const subject = { name: "quote", catalogue, pinned: pinnedBy(references) };
  return auditQuote(path, flags, asked, {
    article: "a TDX quote",
    scope: "tdx quote",
    verify(evidence, look, trust, at) {
      const { answers, ...verified } = verifyTdx(evidence, look, [references], trust, at);
      return { judged: judge(subject, answers), evidence: verified.evidence, anchors: verified.anchors };
    },
    notProven: [...missingRegisters(references), ...unproven],
  });
}

/** The registers are compared in one claim; where some were given, the others must not look compared. */
function missingRegisters(references: TdxReferences): string[] {
  const missing = (["rtmr0", "rtmr1", "rtmr2", "rtmr3"] as const).filter((name) => references[name] === undefined);
  return missing.length === 0 || missing.length === 4
    ? []
    : [`quote, no reference value given: ${missing.map((name) => name.toUpperCase()).join(", ")}`];
}

/** What no quote of a trust domain can show. */
const unproven: readonly string[] = [
  "Software: what the measured image does, and that its source was reviewed.",
  "Launch: MRTD covers the firmware alone; configuration, kernel, initrd and command line are in RTMR0 to RTMR2, and what runs later only where the guest extends RTMR3.",
  "Configuration: MRCONFIGID, MROWNER and MROWNERCONFIG are chosen by the host and mean something only inside a guest image that enforces them.",
  "Machine: to whom the processor belongs and where it stands.",
  "Hardware: physical attacks, and processor keys that were extracted, are outside what evidence can show.",
];
