/** Verifies a SEV-SNP attestation report: decode, authenticate once, appraise against each candidate of reference values. */
import { type Answer, type Answers, type Authenticated, all, broken, cannot, gate } from "../../claims/answer.ts";
import { countOpen } from "../../claims/candidates.ts";
import { commonName } from "../../crypto/certificate.ts";
import type { SeenCrl } from "../../crypto/crl.ts";
import { instant } from "../../crypto/time.ts";
import { PmError } from "../../errors.ts";
import type { Anchor, Json } from "../../report/report.ts";
import type { Look } from "../../run.ts";
import { appraise, pinAnswers } from "./appraise.ts";
import { authenticate } from "./authenticate.ts";
import { judgeChain } from "./chain.ts";
import { type authenticity, pins, snp, statements } from "./claims.ts";
import { decodeEvidence, type SnpEvidence } from "./evidence.ts";
import { evidenceFacts } from "./facts.ts";
import { type Given, gather, isAbsent, type Material } from "./material.ts";
import type { ProductLine } from "./product.ts";
import { pinnedBy, type SnpReferences } from "./references.ts";
import type { SnpReport } from "./report.ts";
import { judgeRevocation, type RevocationDemand } from "./revocation.ts";
import type { SnpFacts } from "./stated.ts";
import type { Roots } from "./trust/roots.ts";

export interface SnpInput {
  /** Evidence in any carrier. */
  readonly bytes: Uint8Array;
  /** Certificates and a CRL that the caller has; they go before what came along and what can be fetched. */
  readonly given?: Given;
}
export interface SnpTrust {
  readonly roots: Roots;
  readonly revocation: RevocationDemand;
}
export interface SnpJudgement {
  readonly answers: Answers<typeof snp>;
  readonly evidence: Json;
  readonly anchors: readonly Anchor[];
  /** There when every question of authenticity was answered with yes. */
  readonly report?: Authenticated<SnpReport>;
  /** The report as decoded, authenticated or not. */
  readonly decoded?: SnpReport;
  /** Why the gate stayed closed. */
  readonly blocked?: Answer<never>;
  /** Index of the candidate that the answers are for; -1 where there was none. */
  readonly candidate: number;
  /** Authenticated revocation lists, for the high-water mark. */
  readonly crls: readonly SeenCrl[];
  /** Product line that root and TCB layout were chosen by. */
  readonly line: ProductLine | undefined;
  /** When each certificate of the path is valid; empty where there was no whole path. */
  readonly windows: readonly ValidityWindow[];
}
/** RFC 3339, both ends belong to it. */
export interface ValidityWindow {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/**
 * @param look answers requests for missing collateral
 * @param candidates any-of: the one with the fewest open owed answers is shown; an empty list passes nothing
 * @param at judgement time
 */
export function verifySnp(
  input: SnpInput,
  look: Look,
  candidates: readonly SnpReferences[],
  trust: SnpTrust,
  at: Date,
): SnpJudgement {
  const evidence = decoded(input.bytes);
  if (!("carrier" in evidence))
    return { answers: evidence, evidence: null, anchors: [], candidate: -1, crls: [], line: undefined, windows: [] };
  const given = input.given ?? {};
  const wanted = candidates.find((c) => c.product !== undefined)?.product?.line;
  const material = gather(evidence, given, look, trust.roots, wanted);
  const { chain, validity, path } = judgeChain(material, at);
  const revocation = judgeRevocation(material, path, given, look, trust.revocation, at);
  const authentic = authenticate(material, chain);
  const current = { "snp.chain.validity": validity, ...revocation.answers };
  const facts = gate(authentic, factsOf(material));
  const open = gate(authentic, evidence.report);
  const { answers, candidate } = best(facts, candidates);
  const root = material.root;
  return {
    answers: { ...authentic, ...current, ...answers },
    evidence: evidenceFacts(material, revocation.crls),
    anchors: root === undefined ? [] : [{ name: root.name, sha256: root.sha256, source: root.source }],
    decoded: evidence.report,
    ...("value" in open ? { report: open.value } : { blocked: open.blocked }),
    candidate,
    crls: revocation.crls,
    line: material.line,
    windows: (path ?? []).map((c) => ({
      name: commonName(c.subject) ?? "certificate",
      from: instant(c.notBefore),
      to: instant(c.notAfter),
    })),
  };
}

/** Malformed evidence fails its own claim and answers nothing else; an unknown version is an error, not a forgery. */
function decoded(bytes: Uint8Array): SnpEvidence | Answers<typeof snp> {
  try {
    return decodeEvidence(bytes);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    const rest = all(snp, cannot("the report could not be decoded"));
    return { ...rest, "snp.report.format": formatAnswer(error) };
  }
}

type FormatAnswer = Answers<typeof authenticity>["snp.report.format"];
const formatCodes = ["report-size", "report-reserved", "signature-algo", "certtable"] as const;
function formatAnswer(error: PmError): FormatAnswer {
  if (error.code === "PM_EVIDENCE_UNSUPPORTED") return cannot(error.message, "report-version");
  return broken(error.message, formatCodes.find((code) => code === error.reasonCode) ?? "report-size");
}

/** Only read behind the gate, which is closed whenever one of these is missing. */
function factsOf({ evidence, vek, line, root }: Material): SnpFacts | Record<string, never> {
  if (isAbsent(vek) || line === undefined || root === undefined) return {};
  return { report: evidence.report, vek, line, root };
}

type Gated = ReturnType<typeof gate<SnpFacts | Record<string, never>>>;
type Rest = Answers<typeof statements> & Answers<typeof pins>;
const rest = { ...statements, ...pins };

interface Choice {
  readonly answers: Rest;
  readonly candidate: number;
}

/** The candidate with the fewest open owed answers, the first of equals. */
function best(facts: Gated, candidates: readonly SnpReferences[]): Choice {
  if (candidates.length === 0)
    return { answers: all(rest, cannot("no reference values to appraise with")), candidate: -1 };
  if ("blocked" in facts) return { answers: all(rest, facts.blocked), candidate: 0 };
  const { value } = facts;
  if (!isFacts(value))
    return { answers: all(rest, cannot("authenticated without a certificate: a bug in pm")), candidate: 0 };
  const choices = candidates.map((want, candidate): Choice & { readonly open: number } => {
    const pinned = pinnedBy(want);
    const stated = appraise(value, want);
    const answers = { ...stated, ...pinAnswers(stated, pinned) };
    return { answers, candidate, open: countOpen(rest, answers, pinned) };
  });
  return choices.reduce((a, b) => (b.open < a.open ? b : a));
}

const isFacts = (x: Authenticated<SnpFacts | Record<string, never>>): x is Authenticated<SnpFacts> => "vek" in x;
