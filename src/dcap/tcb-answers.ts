/** What Intel's documents say of this quote: quoting enclave, TCB levels, status, evaluation number (tdx.md 3 and 4). */
import { hex, hexNumber } from "../bytes/hex.ts";
import {
  type Answer,
  type Answers,
  cannot,
  holds,
  type Origin,
  observed,
  type Sourced,
  skip,
} from "../claims/answer.ts";
import { gateOf, intelWord, type JudgedQeIdentity, type JudgedTcbInfo } from "./collateral.ts";
import { type QeIdentity, qeIdentityVersion } from "./documents.ts";
import type { PckExtensions } from "./pck.ts";
import type { tcbQuestions } from "./questions.ts";
import { enclaveDebug, type SgxReport } from "./report-body.ts";
import type { Tee } from "./requests.ts";
import type { IntelRoot } from "./root.ts";
import { type DatedLevel, datedLevels, evaluateTcb, type Tcb, type TcbInput } from "./tcb.ts";
import type { Shortfall } from "./tcb-level.ts";
import { acceptable, type TcbStatus } from "./tcb-status.ts";

export type TcbAnswers = Answers<typeof tcbQuestions>;

/** One status that is accepted beside UpToDate, with what narrows it. Revoked, not supported and unknown are never accepted. */
export interface AcceptedTcb {
  readonly status: TcbStatus;
  /** tcbDate of the matched platform level, and of each module and quoting enclave level that is not UpToDate: this or later. */
  readonly since?: Date;
  /** Every advisory of the matched levels must be one of these. */
  readonly advisories?: readonly string[];
  readonly source: Sourced;
}
export interface TcbDemand {
  readonly accepted: readonly AcceptedTcb[];
  /** Of TCB info and QE identity, each. */
  readonly minimumEvaluation?: { readonly value: number; readonly origin: Origin; readonly at?: string };
}

const qeIdentityId: Readonly<Record<Tee, string>> = { tdx: "TD_QE", sgx: "QE" };
const documentIds = ["format", "chain", "signature"];

export interface TcbFacts {
  readonly tee: Tee;
  readonly root: IntelRoot;
  readonly pck: PckExtensions;
  readonly qeReport: SgxReport;
  /** TDX only. */
  readonly td?: TcbInput["td"];
  readonly tcbInfo: JudgedTcbInfo;
  /** The answer to tcb_info.platform. */
  readonly platform: Answer;
  readonly qeIdentity: JudgedQeIdentity;
}
export interface JudgedTcb {
  readonly answers: TcbAnswers;
  /** There when both documents are authentic and for this quote; whether they are in date is a claim of its own. */
  readonly tcb: Tcb | undefined;
}

/** The quote must be authentic. */
export function judgeTcb(facts: TcbFacts, want: TcbDemand): JudgedTcb {
  const { tcbInfo, qeIdentity } = facts;
  const info = tcbInfo.document;
  const identity = qeIdentity.document;
  const infoClosed =
    gateOf(
      facts.tee,
      tcbInfo.answers,
      documentIds.map((id) => `tcb_info.${id}`),
    ) ?? gateOf(facts.tee, { "tcb_info.platform": facts.platform }, ["tcb_info.platform"]);
  const identityClosed = gateOf(
    facts.tee,
    qeIdentity.answers,
    documentIds.map((id) => `qe_identity.${id}`),
  );
  const qe = identityClosed ?? (identity === undefined ? cannot("no QE identity") : qeAnswer(facts, identity));
  const evaluation =
    infoClosed ??
    identityClosed ??
    evaluationAnswer(info?.evaluationNumber, identity?.evaluationNumber, want, facts.root);
  const closed = infoClosed ?? identityClosed ?? gateOf(facts.tee, { "qe.identity": qe }, ["qe.identity"]);
  if (closed !== undefined || info === undefined || identity === undefined) {
    const rest = closed ?? cannot("no documents to compare with");
    const answers = { "tcb.level": rest, "tcb.not_revoked": rest, "tcb.status": rest };
    return { answers: { "qe.identity": qe, ...answers, "tcb.evaluation": evaluation }, tcb: undefined };
  }
  const { pck, td, qeReport } = facts;
  const tcb = evaluateTcb({
    info,
    qeIdentity: identity,
    qeIsvSvn: qeReport.isvSvn,
    pck,
    ...(td === undefined ? {} : { td }),
  });
  return {
    answers: {
      "qe.identity": qe,
      "tcb.level": levelAnswer(tcb, facts),
      "tcb.not_revoked": revokedAnswer(tcb, facts.root),
      "tcb.status": statusAnswer(tcb, want, facts.root),
      "tcb.evaluation": evaluation,
    },
    tcb,
  };
}

const masked = (value: Uint8Array, mask: Uint8Array): string => hex(value.map((b, i) => b & (mask[i] ?? 0)));
const u32 = (n: number): string => hexNumber(n >>> 0, 8);

/** Masks are of the document; bits that they leave out are not compared. DEBUG is refused whatever the mask says. */
function qeAnswer({ tee, root, qeReport }: TcbFacts, want: QeIdentity): TcbAnswers["qe.identity"] {
  const text = (
    id: string,
    version: number,
    signer: string,
    prodId: number,
    misc: string,
    attributes: string,
  ): string =>
    `${id} version ${version}: MRSIGNER ${signer}, ISVPRODID ${prodId}, MISCSELECT ${misc}, ATTRIBUTES ${attributes}`;
  const expected = text(
    want.id,
    want.version,
    hex(want.mrSigner),
    want.isvProdId,
    u32(want.miscSelect),
    hex(want.attributes),
  );
  const actual = text(
    qeIdentityId[tee],
    qeIdentityVersion,
    hex(qeReport.mrSigner),
    qeReport.isvProdId,
    u32(qeReport.miscSelect & want.miscSelectMask),
    masked(qeReport.attributes, want.attributesMask),
  );
  const debug = enclaveDebug(qeReport) ? "; DEBUG is set" : "";
  return holds(
    expected === actual && debug === "",
    intelWord(expected, "QE identity", root, "masked by the document's own masks"),
    observed(`${actual}${debug}`, "QE report", "as this TEE needs it, masked likewise"),
    "QE_IDENTITY_MISMATCH",
  );
}

const shortfallText = ({ what, is, needs }: Shortfall): string => `${what}: is ${is}, needs ${needs}`;

const unknown: TcbStatus = "Unknown";
function levelAnswer(tcb: Tcb, { root }: TcbFacts): TcbAnswers["tcb.level"] {
  const { platform, module, qe, running } = tcb;
  const part = (name: string, status: TcbStatus, word: string | undefined): string =>
    status === unknown ? `${name}: status ${JSON.stringify(word ?? "")} is unknown` : `${name}: ${status}`;
  const parts = [
    part("platform", platform.status, platform.matched?.level.tcbStatus),
    ...(module === undefined ? [] : [part(module.name, module.status, module.matched?.level.tcbStatus)]),
    part("quoting enclave", qe.status, qe.matched?.level.tcbStatus),
    ...(running === undefined ? [] : [part("running module (TEE_TCB_SVN2)", running.converged, undefined)]),
  ];
  const missing = platform.matched === undefined ? (tcb.next?.missing ?? []).map(shortfallText) : [];
  return holds(
    tcb.status !== "NotSupported" && tcb.status !== unknown,
    intelWord("a level with a known status for each", "TCB info and QE identity", root),
    observed(parts.join(", "), "quote and PCK certificate", "SVNs"),
    tcb.status === unknown ? "tcb-status-unknown" : "TCB_NOT_SUPPORTED",
    missing.length === 0 ? undefined : `below the lowest level: ${missing.join("; ")}`,
  );
}

function revokedAnswer(tcb: Tcb, root: IntelRoot): TcbAnswers["tcb.not_revoked"] {
  const parts = [
    tcb.status,
    tcb.platform.status,
    tcb.qe.status,
    ...(tcb.module ? [tcb.module.status] : []),
    ...(tcb.running === undefined ? [] : [tcb.running.converged]),
  ];
  const revoked = parts.includes("Revoked");
  return holds(
    !revoked,
    intelWord("no level that is Revoked", "TCB info and QE identity", root),
    observed(revoked ? "Revoked" : tcb.status, "TCB evaluation", "platform, module, quoting enclave"),
    "TCB_REVOKED",
  );
}

const statusCodes = {
  UpToDate: "TCB_OUT_OF_DATE",
  SWHardeningNeeded: "TCB_SW_HARDENING_NEEDED",
  ConfigurationNeeded: "TCB_CONFIGURATION_NEEDED",
  ConfigurationAndSWHardeningNeeded: "TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED",
  TDRelaunchAdvised: "TCB_TD_RELAUNCH_ADVISED",
  TDRelaunchAdvisedConfigurationNeeded: "TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED",
  OutOfDate: "TCB_OUT_OF_DATE",
  OutOfDateConfigurationNeeded: "TCB_OUT_OF_DATE_CONFIGURATION_NEEDED",
  Revoked: "TCB_REVOKED",
  NotSupported: "TCB_NOT_SUPPORTED",
  Unknown: "tcb-status-unknown",
} as const satisfies Record<TcbStatus, string>;

const ruleText = ({ status, since, advisories }: AcceptedTcb): string =>
  [
    status,
    ...(since === undefined ? [] : [`with a tcbDate from ${since.toISOString().slice(0, 10)} on`]),
    ...(advisories === undefined ? [] : [`with no other advisory than ${advisories.join(", ") || "none"}`]),
  ].join(" ");

/** Written so that a date that is not known is never late enough. */
const isSince = ({ tcbDate }: DatedLevel, since: Date): boolean => Date.parse(tcbDate ?? "") >= since.getTime();

/** Why a rule does not take this TCB; undefined: it does. */
function refusal(rule: AcceptedTcb, tcb: Tcb): string | undefined {
  if (rule.status !== tcb.status || !acceptable.includes(tcb.status)) return `status is ${tcb.status}`;
  const { since } = rule;
  const old = since === undefined ? [] : datedLevels(tcb).filter((level) => !isSince(level, since));
  if (old.length > 0) return old.map(({ of, tcbDate }) => `tcbDate of ${of} is ${tcbDate ?? "not known"}`).join(", ");
  const others = tcb.advisories.filter(({ id }) => rule.advisories?.includes(id) === false);
  return others.length === 0 ? undefined : `advisories ${[...new Set(others.map((a) => a.id))].join(", ")}`;
}

const defaultRule = (root: IntelRoot): AcceptedTcb => ({
  status: "UpToDate",
  source: intelWord("UpToDate", "TCB info", root),
});

/** UpToDate is always accepted; every other status only by name. */
function statusAnswer(tcb: Tcb, want: TcbDemand, root: IntelRoot): TcbAnswers["tcb.status"] {
  const rules = [defaultRule(root), ...want.accepted];
  const match = rules.find((rule) => refusal(rule, tcb) === undefined);
  const level = tcb.platform.matched;
  const actual = observed(
    tcb.status,
    "TCB evaluation",
    level === undefined ? "no platform level" : `platform level ${level.index} of ${level.level.tcbDate}`,
  );
  if (match !== undefined)
    return holds(
      acceptable.includes(tcb.status),
      { ...match.source, value: ruleText(match) },
      actual,
      statusCodes[tcb.status],
    );
  const named = want.accepted.find((rule) => rule.status === tcb.status);
  const expected = { ...(want.accepted[0] ?? defaultRule(root)).source, value: rules.map(ruleText).join(", or ") };
  const reason = named === undefined ? (nextText(tcb) ?? runningText(tcb)) : refusal(named, tcb);
  return holds(false, expected, actual, statusCodes[tcb.status], reason);
}

/** The next better level and what is missing for it. */
function nextText({ next }: Tcb): string | undefined {
  if (next === undefined) return undefined;
  return `next level ${next.index}, ${next.status} of ${next.tcbDate}: ${next.missing.map(shortfallText).join("; ")}`;
}

/** Where the launch has the newest level, what is missing is missing in what runs now. */
const runningText = ({ running }: Tcb): string | undefined =>
  running === undefined || running.converged === "UpToDate"
    ? undefined
    : `the module that runs now (TEE_TCB_SVN2) is ${running.converged}`;

/** The lower of the two counts: they can differ while a recovery rolls out. */
function evaluationAnswer(
  info: number | undefined,
  identity: number | undefined,
  { minimumEvaluation: minimum }: TcbDemand,
  root: IntelRoot,
): TcbAnswers["tcb.evaluation"] {
  if (minimum === undefined) return skip("no reference value given");
  if (info === undefined || identity === undefined) return cannot("a document has no TCB evaluation data number");
  return holds(
    Math.min(info, identity) >= minimum.value,
    {
      value: `at least ${minimum.value}`,
      origin: minimum.origin,
      ...(minimum.at === undefined ? {} : { at: minimum.at }),
    },
    { ...intelWord(`TCB info ${info}, QE identity ${identity}`, "documents", root), at: "tcbEvaluationDataNumber" },
    "TCB_EVALUATION_TOO_LOW",
  );
}
