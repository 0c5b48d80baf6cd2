/** What `pm tdx verify`, `pm sgx verify` and `pm tdx replay` share: one quote out of a file, its collateral, and one verdict about it. */
import type { Judged } from "../claims/subject.ts";
import { type QuoteEvidence, recogniseQuote } from "../dcap/carrier.ts";
import type { DcapTrust } from "../dcap/judge.ts";
import { intelRoot, intelTestRoot } from "../dcap/root.ts";
import { PmError, usage } from "../errors.ts";
import { type CollateralValues, collateralSettings, tcbSelection } from "../flags.ts";
import { type Input, readInput } from "../input.ts";
import { composeReport, testRootRelaxation } from "../report/compose.ts";
import type { Anchor, Json, Relaxation, Report } from "../report/report.ts";
import { type Look, run } from "../run.ts";
import { loadCollateral } from "../sources/collateral.ts";
import { rfc } from "../time.ts";
import { vendorSource } from "./vendor.ts";

const maxFileBytes = 4 * 1024 * 1024;

/** Flags of both commands as parsed. */
export interface QuoteFlags extends CollateralValues {
  readonly "report-data"?: string | undefined;
  readonly "accept-tcb"?: string | undefined;
  readonly "min-tcb-evaluation"?: number | undefined;
  readonly "authentic-only"?: boolean;
  readonly "skip-collateral"?: boolean;
}

export interface QuoteRun {
  readonly toolVersion: string;
  /** The wall clock. */
  readonly now: Date;
  /** Takes warnings for stderr. */
  readonly notice: (text: string) => void;
}

/** What differs between the two. */
export interface QuoteKind {
  /** "a TDX quote", for messages about the file. */
  readonly article: string;
  /** "tdx quote", for the report. */
  readonly scope: string;
  readonly verify: Verify<QuoteVerified>;
  readonly notProven: readonly string[];
}
export interface QuoteVerified {
  readonly judged: Judged;
  readonly evidence: Json;
  readonly anchors: readonly Anchor[];
}
type CarriedQuote = QuoteEvidence & { readonly carrier: string };

type Settings = Awaited<ReturnType<typeof collateralSettings>>;
type Verify<R> = (evidence: CarriedQuote, look: Look, trust: DcapTrust, at: Date) => R;

/**
 * A file with one quote, judged with the collateral that the flags name.
 * @throws PmError PM_USAGE for files and values that cannot be used, and for flags about a TCB that is not asked for
 */
export async function judgeQuote<R>(
  path: string,
  article: string,
  flags: Omit<QuoteFlags, "report-data" | "authentic-only">,
  settings: Settings,
  { now, notice }: Pick<QuoteRun, "now" | "notice">,
  verify: Verify<R>,
): Promise<{ readonly file: Input; readonly at: Date; readonly skipped: boolean; readonly result: R }> {
  const skipped = flags["skip-collateral"] === true;
  if (skipped && (flags["accept-tcb"] !== undefined || flags["min-tcb-evaluation"] !== undefined))
    throw usage("--skip-collateral: leaves out the TCB that --accept-tcb and --min-tcb-evaluation are about");
  const { testRoot } = settings;
  const root = testRoot === undefined ? intelRoot() : intelTestRoot(testRoot.bytes, testRoot.file);
  const collateral = settings.collateral === undefined ? undefined : await loadCollateral(settings.collateral);
  const file = await readInput(path, article, maxFileBytes);
  const at = settings.at ?? now;
  const source = vendorSource(settings, notice, collateral === undefined ? {} : { collateral });
  const evidence = quoteEvidence(file.bytes);
  const trust: DcapTrust = { root, collateral: skipped ? "skip" : "required", ...tcbSelection(flags) };
  const { result } = await run((look) => verify(evidence, look, trust, at), source);
  return { file, at, skipped, result };
}

/** @throws PmError PM_USAGE for files and values that cannot be used; what is wrong with the evidence is in the report */
export async function auditQuote(path: string, flags: QuoteFlags, asked: QuoteRun, kind: QuoteKind): Promise<Report> {
  const { toolVersion, now } = asked;
  const settings = await collateralSettings(flags);
  const { file, at, skipped, result } = await judgeQuote(path, kind.article, flags, settings, asked, kind.verify);
  return composeReport({
    audited: {
      judged: [result.judged],
      evidence: { quote: result.evidence },
      anchors: result.anchors,
      notProven: kind.notProven,
    },
    target: file.name,
    scope: skipped ? `${kind.scope} without collateral` : kind.scope,
    judgedAt: rfc(at),
    capturedAt: null,
    freshness:
      flags["report-data"] === undefined
        ? "not asked: a quote says when it was made only through REPORTDATA"
        : "as fresh as the value that --report-data expects",
    profileSha256: null,
    bundleSha256: null,
    relaxations: intelRelaxations(settings, skipped, flags["accept-tcb"]),
    rules: { waivers: [], promoted: new Set(), now },
    toolVersion,
    authenticOnly: flags["authentic-only"],
  });
}

/** A quote in any carrier; text that is neither hex nor base64 is judged as the bytes that it is, and fails its format. */
function quoteEvidence(bytes: Uint8Array): CarriedQuote {
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
  skipped: boolean,
  accepted?: string,
): Relaxation[] {
  const roots = `Intel's root is replaced by ${testRoot?.file ?? ""}: nothing here says anything about Intel hardware`;
  const unasked =
    "Intel's collateral was not asked for: revoked keys, known holes and another quoting enclave would not be noticed";
  return [
    ...(testRoot === undefined ? [] : [{ name: testRootRelaxation, meaning: roots }]),
    ...(skipped ? [{ name: "skip-collateral", meaning: unasked }] : []),
    ...(accepted === undefined
      ? []
      : [{ name: "accept-tcb", meaning: `TCB states are accepted beside UpToDate: ${accepted}` }]),
  ];
}
