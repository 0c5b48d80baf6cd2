/** One quote's authenticity and collateral, for either TEE: what comes before the verifier's own appraisal. */
import { type Answer, type Answers, all, cannot, skip } from "../claims/answer.ts";
import { commonName } from "../crypto/certificate.ts";
import type { SeenCrl } from "../crypto/crl.ts";
import { instant } from "../crypto/time.ts";
import type { Look } from "../run.ts";
import { type Authenticity, authenticate, certificateDates } from "./authenticate.ts";
import {
  type Asked,
  askCollateral,
  gateOf,
  type JudgedQeIdentity,
  type JudgedTcbInfo,
  judgeQeIdentity,
  judgeTcbInfo,
  tcbInfoPlatform,
} from "./collateral.ts";
import type { QeIdentity, TcbInfo } from "./documents.ts";
import { certificatesOf, type DcapMaterial } from "./material.ts";
import { certificateQuestions, documentQuestions, tcbQuestions } from "./questions.ts";
import { markName, type Selection, type Tee } from "./requests.ts";
import { judgeRevocation, placeOf } from "./revocation.ts";
import type { IntelRoot } from "./root.ts";
import { type JudgedTcb, judgeTcb, type TcbDemand, type TcbFacts } from "./tcb-answers.ts";

/** RFC 3339, both ends belong to it. */
export interface ValidityWindow {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** There: not of the evidence but of Intel's collateral, a list or document or the certificate that signed one. */
  readonly collateral?: "document" | "signer";
}
export interface DcapTrust {
  readonly root: IntelRoot;
  /** `skip` is a named relaxation: chain, QE report, binding, signature and pins only. */
  readonly collateral: "required" | "skip";
  readonly selection?: Selection;
}
type CertificateAnswers = Answers<typeof certificateQuestions>;
type DocumentAnswers = Answers<typeof documentQuestions>;

export interface DcapJudgement {
  readonly authentic: Authenticity;
  readonly current: CertificateAnswers & DocumentAnswers;
  /** undefined: not asked for. */
  readonly tcbInfo: JudgedTcbInfo | undefined;
  readonly qeIdentity: JudgedQeIdentity | undefined;
  /** What the TCB claims say where the documents were not asked for. */
  readonly closed: Answer<never> | undefined;
  /** Authentic lists. */
  readonly crls: readonly SeenCrl[];
  /** Authentic TCB info and QE identity. */
  readonly documents: readonly SeenCrl[];
  /** Authentic ones that the service offered where the cache held newer ones. */
  readonly offers: readonly SeenCrl[];
  readonly windows: readonly ValidityWindow[];
}

export const skipped: Answer<never> = skip("not asked: --skip-collateral judges the quote without Intel's documents");

/**
 * Collateral is asked for only under an authentic PCK chain: what a foreign certificate names as its platform means nothing.
 * @param wanted the TEE that was asked for
 */
export function judgeDcap(
  material: DcapMaterial,
  wanted: Tee,
  look: Look,
  { root, collateral, selection }: DcapTrust,
  at: Date,
): DcapJudgement {
  const authentic = authenticate(material, wanted);
  const chain = certificatesOf(material);
  const dates = {
    "pck.validity": certificateDates(chain, material.findings === undefined ? [] : [material.findings], at),
  };
  const certificateWindows = chain.map((c) => ({
    name: commonName(c.subject) ?? "certificate",
    from: instant(c.notBefore),
    to: instant(c.notAfter),
  }));
  const closed =
    collateral === "skip" ? skipped : gateOf(wanted, authentic, ["quote.tee_type", "pck.chain", "pck.extensions"]);
  const { pck, ca } = material;
  if (closed !== undefined || "problem" in pck || ca === undefined) {
    const rest = closed ?? cannot("no PCK certificate to ask for");
    return {
      authentic,
      current: { ...all(certificateQuestions, rest), ...all(documentQuestions, rest), ...dates },
      tcbInfo: undefined,
      qeIdentity: undefined,
      closed: rest,
      crls: [],
      documents: [],
      offers: [],
      windows: certificateWindows,
    };
  }
  const asked = askCollateral(look, wanted, pck, ca, selection);
  const tcbInfo = judgeTcbInfo(asked.tcbInfo, root, at);
  const qeIdentity = judgeQeIdentity(asked.qeIdentity, root, at);
  const revocation = judgeRevocation(wanted, chain, root, asked, [tcbInfo, qeIdentity], at);
  return {
    authentic,
    current: {
      ...dates,
      ...revocation.answers,
      ...tcbInfo.answers,
      "tcb_info.platform": tcbInfoPlatform(tcbInfo, wanted, pck),
      ...qeIdentity.answers,
    },
    tcbInfo,
    qeIdentity,
    closed: undefined,
    crls: revocation.crls,
    documents: [...seenDocument(tcbInfo, asked.tcbInfo), ...seenDocument(qeIdentity, asked.qeIdentity)],
    offers: [...offeredDocument(tcbInfo, asked.tcbInfo), ...offeredDocument(qeIdentity, asked.qeIdentity)],
    windows: [...certificateWindows, ...documentWindows(tcbInfo, qeIdentity), ...crlWindows(revocation.crls)],
  };
}

/** Only a document whose signature and signer passed counts. */
const genuine = ({ answers, document }: JudgedTcbInfo | JudgedQeIdentity): boolean =>
  document !== undefined && Object.entries(answers).every(([id, a]) => id.endsWith(".window") || a.status === "pass");

function seenDocument(judged: JudgedTcbInfo | JudgedQeIdentity, { request, response }: Asked): SeenCrl[] {
  const { document, from } = judged;
  return document === undefined || !genuine(judged)
    ? []
    : [{ issuer: markName(request), ...datesOf(document), from, ...placeOf(response) }];
}

/** What the service offered in place of what counted. */
function offeredDocument(judged: JudgedTcbInfo | JudgedQeIdentity, { request }: Asked): SeenCrl[] {
  const { offered, from } = judged;
  return offered === undefined || !genuine(judged)
    ? []
    : [{ issuer: markName(request), ...datesOf(offered), from: `${from} (offered)`, offered: true, given: false }];
}

const datesOf = ({ evaluationNumber, issueDate, nextUpdate }: TcbInfo | QeIdentity) => ({
  number: String(evaluationNumber),
  thisUpdate: instant(issueDate),
  nextUpdate: instant(nextUpdate),
});

function documentWindows(tcbInfo: JudgedTcbInfo, qeIdentity: JudgedQeIdentity): ValidityWindow[] {
  const signers = [tcbInfo, qeIdentity].flatMap(({ signer }) => (signer === undefined ? [] : [signer.certificate]));
  const documents = [
    { name: "TCB info", document: tcbInfo.document },
    { name: "QE identity", document: qeIdentity.document },
  ];
  return [
    ...[...new Set(signers)].map((c) => ({
      name: commonName(c.subject) ?? "signing certificate",
      from: instant(c.notBefore),
      to: instant(c.notAfter),
      collateral: "signer" as const,
    })),
    ...documents.flatMap(({ name, document }) =>
      document === undefined
        ? []
        : [
            {
              name,
              from: instant(document.issueDate),
              to: instant(document.nextUpdate),
              collateral: "document" as const,
            },
          ],
    ),
  ];
}
const crlWindows = (crls: readonly SeenCrl[]): ValidityWindow[] =>
  crls.flatMap(({ issuer, thisUpdate, nextUpdate }) =>
    nextUpdate === null
      ? []
      : [{ name: `CRL of ${issuer}`, from: thisUpdate, to: nextUpdate, collateral: "document" as const }],
  );

/** The span in which everything counts, with what limits it on either side; undefined where nothing is dated. */
export function commonWindow(windows: readonly ValidityWindow[]) {
  const [first] = windows;
  if (first === undefined) return undefined;
  const latest = windows.reduce((a, b) => (b.from > a.from ? b : a), first);
  const earliest = windows.reduce((a, b) => (b.to < a.to ? b : a), first);
  return { from: latest.from, fromLimitedBy: latest.name, to: earliest.to, toLimitedBy: earliest.name };
}

/** The TCB of an authentic quote; closed where collateral was not asked for. */
export function tcbOf(
  judgement: DcapJudgement,
  facts: Pick<TcbFacts, "tee" | "root" | "pck" | "qeReport" | "td">,
  want: TcbDemand,
): JudgedTcb {
  const { tcbInfo, qeIdentity, closed } = judgement;
  if (tcbInfo === undefined || qeIdentity === undefined)
    return { answers: all(tcbQuestions, closed ?? cannot("no documents")), tcb: undefined };
  return judgeTcb({ ...facts, tcbInfo, qeIdentity, platform: judgement.current["tcb_info.platform"] }, want);
}
