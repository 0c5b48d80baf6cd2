/** Verifies a quote of an SGX enclave: decode, authenticate once, judge Intel's collateral and the TCB, appraise the enclave. */
import { type Answer, type Answers, type Authenticated, all, cannot, gate } from "../../claims/answer.ts";
import { countOpen } from "../../claims/candidates.ts";
import type { SeenCrl } from "../../crypto/crl.ts";
import { trailing, undecoded } from "../../dcap/authenticate.ts";
import { decodeEvidence, type QuoteEvidence } from "../../dcap/carrier.ts";
import { evidenceFacts } from "../../dcap/facts.ts";
import { type DcapJudgement, type DcapTrust, judgeDcap, tcbOf, type ValidityWindow } from "../../dcap/judge.ts";
import { type DcapMaterial, gatherPck } from "../../dcap/material.ts";
import { prefixed, tcbQuestions } from "../../dcap/questions.ts";
import type { Quote } from "../../dcap/quote.ts";
import type { SgxReport } from "../../dcap/report-body.ts";
import type { Tcb } from "../../dcap/tcb.ts";
import type { AcceptedTcb, TcbDemand } from "../../dcap/tcb-answers.ts";
import { PmError } from "../../errors.ts";
import type { Anchor, Json } from "../../report/report.ts";
import type { Look } from "../../run.ts";
import { appraiseEnclave, pinAnswers } from "./appraise.ts";
import { type pins, type platformQuestions, sgx, withoutAuthenticity } from "./claims.ts";
import type { enclaveQuestions } from "./claims-enclave.ts";
import { pinnedBy, type SgxReferences } from "./references.ts";

export interface SgxTrust extends DcapTrust {
  /** Statuses that are accepted beside UpToDate. */
  readonly accepted: readonly AcceptedTcb[];
}
export interface SgxJudgement {
  readonly answers: Answers<typeof sgx>;
  readonly evidence: Json;
  readonly anchors: readonly Anchor[];
  /** There when every question of authenticity was answered with yes. */
  readonly quote?: Authenticated<Quote>;
  /** The quote as decoded, authenticated or not. */
  readonly decoded?: Quote;
  /** Why the gate stayed closed. */
  readonly blocked?: Answer<never>;
  /** Index of the candidate that the answers are for; -1 where there was none. */
  readonly candidate: number;
  /** Authenticated revocation lists, for the high-water mark. */
  readonly crls: readonly SeenCrl[];
  /** Of certificates, lists and documents. */
  readonly windows: readonly ValidityWindow[];
}
/** @param carrier in which form the quote came, for the report */
export type SgxEvidence = QuoteEvidence & { readonly carrier?: string };

/**
 * @param look answers requests for collateral
 * @param candidates any-of: the one with the fewest open owed answers is shown; an empty list passes nothing
 * @param at judgement time
 */
export function verifySgx(
  evidence: SgxEvidence,
  look: Look,
  candidates: readonly SgxReferences[],
  trust: SgxTrust,
  at: Date,
): SgxJudgement {
  const quote = decoded(evidence);
  if (!("header" in quote))
    return { answers: quote, evidence: null, anchors: [], candidate: -1, crls: [], windows: [] };
  const { root } = trust;
  const material = gatherPck(quote, root, at);
  const judgement = judgeDcap(material, "sgx", look, trust, at);
  const authentic = prefixed("sgx", judgement.authentic);
  const open = gate(authentic, quote);
  const report = gate(authentic, quote.body.kind === "sgx-report" ? quote.body : {});
  const chosen = best({ material, judgement, trust }, report, candidates);
  return {
    answers: { ...authentic, ...prefixed("sgx", { ...trailing(quote), ...judgement.current }), ...chosen.answers },
    evidence: evidenceFacts(material, judgement, chosen.tcb, evidence.carrier ?? evidence.form),
    anchors: [{ name: root.name, sha256: root.sha256, source: root.source }],
    decoded: quote,
    ...("value" in open ? { quote: open.value } : { blocked: open.blocked }),
    candidate: chosen.candidate,
    crls: judgement.crls,
    windows: judgement.windows,
  };
}

/** Malformed evidence fails its own claim and answers nothing else; an unknown version is an error, not a forgery. */
function decoded(evidence: QuoteEvidence): Quote | Answers<typeof sgx> {
  try {
    return decodeEvidence(evidence);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    const rest = all(sgx, cannot("the quote could not be decoded"));
    // Only a raw quote begins with the header that names its TEE.
    const header = evidence.form === "quote" ? evidence.bytes : new Uint8Array();
    return { ...rest, ...prefixed("sgx", undecoded(error, header, "sgx")) };
  }
}

interface Judged {
  readonly material: DcapMaterial;
  readonly judgement: DcapJudgement;
  readonly trust: SgxTrust;
}
type Platform = Answers<typeof platformQuestions>;
type Rest = Platform & Answers<typeof enclaveQuestions> & Answers<typeof pins>;
interface Choice {
  readonly answers: Rest;
  readonly candidate: number;
  readonly tcb: Tcb | undefined;
}
type Gated = ReturnType<typeof gate<SgxReport | Record<string, never>>>;

/** The candidate with the fewest open owed answers, the first of equals. */
function best(judged: Judged, report: Gated, candidates: readonly SgxReferences[]): Choice {
  const closed = (answer: Answer<never>, candidate: number): Choice => ({
    answers: all(withoutAuthenticity, answer),
    candidate,
    tcb: undefined,
  });
  if (candidates.length === 0) return closed(cannot("no reference values to appraise with"), -1);
  if ("blocked" in report) return closed(report.blocked, 0);
  const { value } = report;
  if (!isReport(value)) return closed(cannot("authenticated without an enclave's report: a bug in pm"), 0);
  const choices = candidates.map((want, candidate): Choice & { readonly open: number } => {
    const pinned = pinnedBy(want);
    const platform = judgePlatform(judged, want);
    const enclave = appraiseEnclave(value, want);
    const answers = { ...platform.answers, ...enclave, ...pinAnswers(enclave, pinned) };
    return { answers, candidate, tcb: platform.tcb, open: countOpen(withoutAuthenticity, answers, pinned) };
  });
  return choices.reduce((a, b) => (b.open < a.open ? b : a));
}

const isReport = (x: Authenticated<SgxReport | Record<string, never>>): x is Authenticated<SgxReport> => "kind" in x;

/** The quote is authentic here. */
function judgePlatform(
  { material: { pck, quote }, judgement, trust }: Judged,
  { minimumTcbEvaluation }: SgxReferences,
): { readonly answers: Platform; readonly tcb: Tcb | undefined } {
  const want: TcbDemand = {
    accepted: trust.accepted,
    ...(minimumTcbEvaluation === undefined ? {} : { minimumEvaluation: minimumTcbEvaluation }),
  };
  const { answers, tcb } =
    "problem" in pck
      ? { answers: all(tcbQuestions, cannot(pck.problem)), tcb: undefined }
      : tcbOf(judgement, { tee: "sgx", root: trust.root, pck, qeReport: quote.qeReport }, want);
  const { "tcb.status": status, ...others } = answers;
  return {
    answers: {
      ...prefixed("sgx", others),
      "sgx.tcb.status": ofEnclave(status) ? status : cannot("a status that only a trust domain can have: a bug in pm"),
    },
    tcb,
  };
}

/** Relaunch is for trust domains; without their SVNs no evaluation can come to it. */
const ofEnclave = (answer: Answer): answer is Platform["sgx.tcb.status"] =>
  answer.code === undefined || !answer.code.startsWith("TCB_TD_RELAUNCH_ADVISED");
