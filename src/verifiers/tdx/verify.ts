/** Verifies a TDX quote: decode, authenticate once, judge Intel's documents, appraise against each candidate of reference values. */
import { type Answer, type Answers, type Authenticated, all, cannot, gate } from "../../claims/answer.ts";
import { countOpen } from "../../claims/candidates.ts";
import type { SeenCrl } from "../../crypto/crl.ts";
import { trailing, undecoded } from "../../dcap/authenticate.ts";
import { decodeEvidence, type QuoteForm } from "../../dcap/carrier.ts";
import { evidenceFacts } from "../../dcap/facts.ts";
import {
  type DcapJudgement,
  type DcapTrust,
  judgeDcap,
  skipped,
  tcbOf,
  type ValidityWindow,
} from "../../dcap/judge.ts";
import { type DcapMaterial, gatherPck } from "../../dcap/material.ts";
import { prefixed } from "../../dcap/questions.ts";
import type { Quote } from "../../dcap/quote.ts";
import type { Tcb } from "../../dcap/tcb.ts";
import { PmError } from "../../errors.ts";
import type { Anchor, Json } from "../../report/report.ts";
import type { Look } from "../../run.ts";
import { appraise, pinAnswers } from "./appraise.ts";
import { attributesOf } from "./appraise-td.ts";
import { pins, statements, tdx } from "./claims.ts";
import { contrastText, contrastView } from "./contrast.ts";
import { moduleAnswer } from "./module.ts";
import { pinnedBy, type TdxReferences } from "./references.ts";
import type { TdxFacts } from "./stated.ts";

export interface TdxEvidence {
  readonly bytes: Uint8Array;
  readonly form: QuoteForm;
  /** In which form the quote came, for the report. */
  readonly carrier?: string;
}
export type TdxTrust = DcapTrust;

export interface TdxJudgement {
  readonly answers: Answers<typeof tdx>;
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
  /** There when the quote and both documents are authentic. */
  readonly tcb?: Tcb;
  /** Authenticated revocation lists, for the high-water mark. */
  readonly crls: readonly SeenCrl[];
  /** Authentic TCB info and QE identity, likewise. */
  readonly documents: readonly SeenCrl[];
  /** Older ones that the service offered in their place. */
  readonly offers: readonly SeenCrl[];
  /** When each certificate, list and document is valid. */
  readonly windows: readonly ValidityWindow[];
}

/**
 * @param look answers requests for collateral
 * @param candidates any-of: the one with the fewest open owed answers is shown; an empty list passes nothing
 * @param at judgement time
 */
export function verifyTdx(
  evidence: TdxEvidence,
  look: Look,
  candidates: readonly TdxReferences[],
  trust: TdxTrust,
  at: Date,
): TdxJudgement {
  const quote = decoded(evidence);
  if (!("header" in quote))
    return {
      answers: quote,
      evidence: null,
      anchors: [],
      candidate: -1,
      crls: [],
      documents: [],
      offers: [],
      windows: [],
    };
  const material = gatherPck(quote, trust.root, at);
  const judgement = judgeDcap(material, "tdx", look, trust, at);
  const authentic = prefixed("tdx", judgement.authentic);
  const open = gate(authentic, quote);
  const { answers, candidate, tcb } = best(gate(authentic, factsOf(material)), judgement, candidates, trust);
  const { root } = trust;
  return {
    answers: { ...authentic, ...prefixed("tdx", { ...trailing(quote), ...judgement.current }), ...answers },
    evidence: facts(material, judgement, tcb, evidence),
    anchors: [{ name: root.name, sha256: root.sha256, source: root.source }],
    decoded: quote,
    ...("value" in open ? { quote: open.value } : { blocked: open.blocked }),
    candidate,
    ...(tcb === undefined ? {} : { tcb }),
    crls: judgement.crls,
    documents: judgement.documents,
    offers: judgement.offers,
    windows: judgement.windows,
  };
}

/** Malformed evidence fails its own claim and answers nothing else; an unknown version is an error, not a forgery. */
function decoded({ bytes, form }: TdxEvidence): Quote | Answers<typeof tdx> {
  try {
    return decodeEvidence({ bytes, form });
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    const rest = all(tdx, cannot("the quote could not be decoded"));
    return { ...rest, ...prefixed("tdx", undecoded(error, form === "quote" ? bytes : new Uint8Array(), "tdx")) };
  }
}

function facts(material: DcapMaterial, judgement: DcapJudgement, tcb: Tcb | undefined, evidence: TdxEvidence): Json {
  const { quote } = material;
  return {
    ...evidenceFacts(material, judgement, tcb, evidence.carrier ?? evidence.form),
    tdAttributes: quote.body.kind === "sgx-report" ? null : attributesOf(quote.body),
    contrastWouldAcceptTcb: tcb === undefined ? null : contrastText(contrastView(quote, tcb)),
  };
}

/** Only read behind the gate, which is closed whenever one of these is missing. */
function factsOf({ quote, pck }: DcapMaterial): TdxFacts | Record<string, never> {
  if (quote.body.kind === "sgx-report" || "problem" in pck) return {};
  return { quote, td: quote.body, pck };
}

type Gated = ReturnType<typeof gate<TdxFacts | Record<string, never>>>;
const rest = { ...statements, ...pins };
interface Choice {
  readonly answers: Answers<typeof statements> & Answers<typeof pins>;
  readonly candidate: number;
  readonly tcb: Tcb | undefined;
}

/** The candidate with the fewest open owed answers, the first of equals. */
function best(gated: Gated, judgement: DcapJudgement, candidates: readonly TdxReferences[], trust: TdxTrust): Choice {
  const none = (answer: Answer<never>, candidate: number): Choice => ({
    answers: all(rest, answer),
    candidate,
    tcb: undefined,
  });
  if (candidates.length === 0) return none(cannot("no reference values to appraise with"), -1);
  if ("blocked" in gated) return none(gated.blocked, 0);
  const { value } = gated;
  if (!isFacts(value)) return none(cannot("authenticated without a TD report: a bug in pm"), 0);
  const choices = candidates.map((want, candidate): Choice & { readonly open: number } => {
    const pinned = pinnedBy(want);
    const { answers: tcbAnswers, tcb } = platform(value, judgement, want, trust);
    const stated = appraise(value, want);
    const answers = { ...tcbAnswers, ...stated, ...pinAnswers(stated, pinned) };
    return { answers, candidate, tcb, open: countOpen(rest, answers, pinned) };
  });
  return choices.reduce((a, b) => (b.open < a.open ? b : a));
}

function platform(
  { quote, td, pck }: Authenticated<TdxFacts>,
  judgement: DcapJudgement,
  want: TdxReferences,
  { root }: TdxTrust,
) {
  const demand = {
    accepted: want.acceptedTcb,
    ...(want.minimumEvaluation === undefined ? {} : { minimumEvaluation: want.minimumEvaluation }),
  };
  const { answers, tcb } = tcbOf(judgement, { tee: "tdx", root, pck, qeReport: quote.qeReport, td }, demand);
  const module =
    judgement.tcbInfo === undefined
      ? (judgement.closed ?? skipped)
      : moduleAnswer(td, judgement.tcbInfo, judgement.current["tcb_info.platform"], root);
  return { answers: { "tdx.module.identity": module, ...prefixed("tdx", answers) }, tcb };
}

const isFacts = (x: Authenticated<TdxFacts | Record<string, never>>): x is Authenticated<TdxFacts> => "td" in x;
