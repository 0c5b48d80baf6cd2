/** `pm tdx replay`: an event log, the registers of a quote or of flags, and one verdict about the log. */
import { hex } from "../bytes/hex.ts";
import { type Answer, observed, type Sourced, skip } from "../claims/answer.ts";
import { type Judged, judge } from "../claims/subject.ts";
import { usage } from "../errors.ts";
import { type CollateralValues, collateralSettings, hexFlag } from "../flags.ts";
import { readInput } from "../input.ts";
import { composeReport } from "../report/compose.ts";
import type { Anchor, Json, Report } from "../report/report.ts";
import { rfc } from "../time.ts";
import { eventLog, type Registers, verifyEventLog } from "../verifiers/tdx/eventlog/index.ts";
import {
  noReferences,
  pinnedBy,
  type TdxJudgement,
  type TdxReferences,
  tdxAuthentic,
  verifyTdx,
  withoutCollateral,
} from "../verifiers/tdx/index.ts";
import { parseAcceptTcb } from "./accept-tcb.ts";
import { intelRelaxations, judgeQuote, type QuoteRun } from "./quote.ts";

/** Flags of `pm tdx replay` as parsed. */
export interface ReplayFlags extends CollateralValues {
  readonly quote?: string | undefined;
  readonly rtmr0?: string | undefined;
  readonly rtmr1?: string | undefined;
  readonly rtmr2?: string | undefined;
  readonly rtmr3?: string | undefined;
  readonly "accept-tcb"?: string | undefined;
  readonly "skip-collateral"?: boolean;
}

/** CCEL areas are 64 or 256 KiB; a log of dstack may be longer. */
const maxLogBytes = 16 * 1024 * 1024;
const names = ["rtmr0", "rtmr1", "rtmr2", "rtmr3"] as const;

/** Where the registers' values come from: flags, or a quote that is authenticated in this run. */
interface Expected {
  readonly registers: Registers;
  readonly blocked?: Answer<never>;
  readonly judged: readonly Judged[];
  readonly evidence: { readonly [subject: string]: Json };
  readonly anchors: readonly Anchor[];
}

/** @throws PmError PM_USAGE for files and values that cannot be used; what is wrong with the evidence is in the report */
export async function auditReplay(path: string, flags: ReplayFlags, context: QuoteRun): Promise<Report> {
  const { toolVersion, now } = context;
  const stated = statedRegisters(flags);
  const settings = await collateralSettings(flags);
  const at = settings.at ?? now;
  const file = await readInput(path, "an event log", maxLogBytes);
  const expected =
    flags.quote === undefined
      ? { registers: stated, judged: [], evidence: {}, anchors: [] }
      : await quoted(flags.quote, flags, settings, context);
  const { answers, evidence } = verifyEventLog(file.bytes, expected.registers, expected.blocked);
  const subject = { name: "event log", catalogue: eventLog, pinned: new Set<string>() };
  const skipped = flags["skip-collateral"] === true;
  return composeReport({
    audited: {
      judged: [...expected.judged, judge(subject, answers)],
      evidence: { ...expected.evidence, "event log": evidence },
      anchors: expected.anchors,
      notProven: flags.quote === undefined ? [...unproven, unprovenValues] : unproven,
    },
    target: file.name,
    scope: skipped ? "event log, quote without collateral" : "event log",
    judgedAt: rfc(at),
    capturedAt: null,
    freshness: "not asked: a log says when its TD was started only through the quote that goes with it",
    profileSha256: null,
    bundleSha256: null,
    relaxations: intelRelaxations(settings, skipped, flags["accept-tcb"]),
    rules: { waivers: [], promoted: new Set(), now },
    toolVersion,
  });
}

/** @throws PmError PM_USAGE when neither quote nor register is given, both are, or a value is not 48 bytes */
function statedRegisters(flags: ReplayFlags): Registers {
  const given = names.filter((name) => flags[name] !== undefined);
  if (flags.quote !== undefined && given.length > 0)
    throw usage(`--quote and --${given[0]}: registers come from one of them`, "leave one of them out");
  if (flags.quote === undefined && given.length === 0)
    throw usage("nothing to compare the log with", "give --quote FILE, or --rtmr0 to --rtmr3");
  return names.map((name): Sourced | undefined => {
    const text = flags[name];
    if (text === undefined) return undefined;
    return { value: hex(hexFlag(text, 48, `--${name}`)), origin: { kind: "flag", name: `--${name}` } };
  });
}

/** A register's value out of a quote is evidence: it is compared with only behind the gate of the quote's authenticity. */
async function quoted(
  path: string,
  flags: ReplayFlags,
  settings: Awaited<ReturnType<typeof collateralSettings>>,
  context: QuoteRun,
): Promise<Expected> {
  const references: TdxReferences = { ...noReferences, acceptedTcb: parseAcceptTcb(flags["accept-tcb"]) };
  const { result, skipped } = await judgeQuote(
    path,
    "a TDX quote",
    flags,
    settings,
    context,
    (evidence, look, trust, at) => verifyTdx(evidence, look, [references], trust, at),
  );
  const catalogue = skipped ? withoutCollateral(tdxAuthentic) : tdxAuthentic;
  const subject = { name: "quote", catalogue, pinned: pinnedBy(references) };
  return {
    ...registersOf(result),
    judged: [judge(subject, result.answers)],
    evidence: { quote: result.evidence },
    anchors: result.anchors,
  };
}

function registersOf({ quote, blocked }: TdxJudgement): Pick<Expected, "registers" | "blocked"> {
  const none = { registers: [], blocked: blocked ?? skip("not asked: the quote could not be decoded") };
  if (quote === undefined || quote.body.kind === "sgx-report") return none;
  return { registers: quote.body.rtmrs.map((value, i) => observed(hex(value), "TD report", `RTMR${i}`)) };
}

/** What no replay can show. */
const unproven: readonly string[] = [
  "Events: types and data that their digests do not cover are whatever the log's author wrote; the log says of each event whether its data is covered.",
  "Registers: that these values are the right ones for the audited image; a replay only explains them.",
  "Launch: the firmware that extends the registers is in MRTD, which no event log covers.",
];
const unprovenValues = "Quote: that any TD ever had these registers; the values were given by hand.";
