/** Decoded fields for the report of a judgement, in Intel's notation. Facts, no words of judgement. */
import { allZero, hex, hexNumber } from "../bytes/hex.ts";
import type { Certificate } from "../crypto/certificate.ts";
import { commonName } from "../crypto/certificate.ts";
import { serialKey } from "../crypto/crl.ts";
import { instant } from "../crypto/time.ts";
import type { Json } from "../report/report.ts";
import type { QeIdentity, TcbInfo } from "./documents.ts";
import { commonWindow, type DcapJudgement } from "./judge.ts";
import { certificatesOf, type DcapMaterial } from "./material.ts";
import type { PckExtensions } from "./pck.ts";
import type { Quote } from "./quote.ts";
import type { SgxReport, TdReport } from "./report-body.ts";
import { sha256 } from "./root.ts";
import type { Tcb } from "./tcb.ts";

type Fields = { readonly [field: string]: Json };

const tdFacts = (b: TdReport): Fields => ({
  teeTcbSvn: hex(b.teeTcbSvn),
  mrSeam: hex(b.mrSeam),
  mrSignerSeam: hex(b.mrSignerSeam),
  seamAttributes: hex(b.seamAttributes),
  tdAttributes: hex(b.tdAttributes),
  xfam: hex(b.xfam),
  mrTd: hex(b.mrTd),
  mrConfigId: hex(b.mrConfigId),
  mrOwner: hex(b.mrOwner),
  mrOwnerConfig: hex(b.mrOwnerConfig),
  rtmrs: b.rtmrs.map(hex),
  reportData: hex(b.reportData),
  ...(b.teeTcbSvn2 === undefined ? {} : { teeTcbSvn2: hex(b.teeTcbSvn2) }),
  ...(b.mrServiceTd === undefined ? {} : { mrServiceTd: hex(b.mrServiceTd) }),
});

const sgxFacts = (b: SgxReport): Fields => ({
  cpuSvn: hex(b.cpuSvn),
  miscSelect: hexNumber(b.miscSelect, 8),
  isvExtProdId: hex(b.isvExtProdId),
  attributes: hex(b.attributes),
  mrEnclave: hex(b.mrEnclave),
  mrSigner: hex(b.mrSigner),
  configId: hex(b.configId),
  isvProdId: b.isvProdId,
  isvSvn: b.isvSvn,
  configSvn: b.configSvn,
  isvFamilyId: hex(b.isvFamilyId),
  reportData: hex(b.reportData),
});

/** Every field of the quote. Also what `pm inspect` shows. */
export const quoteFacts = (quote: Quote): Fields => ({
  version: quote.header.version,
  attestationKeyType: quote.header.attestationKeyType,
  tee: quote.header.tee.toUpperCase(),
  qeVendorId: hex(quote.header.qeVendorId),
  userData: hex(quote.header.userData),
  bodyType: quote.body.kind,
  body: quote.body.kind === "sgx-report" ? sgxFacts(quote.body) : tdFacts(quote.body),
  qeReport: sgxFacts(quote.qeReport),
  qeAuthData: hex(quote.qeAuthData),
  certificationDataType: quote.certification.type,
  // The signature can be changed without breaking it, so only the signed part identifies a quote.
  signedSha256: sha256(quote.signed),
  bytesAfterSignatureData: quote.trailing.length,
  bytesAfterAreZero: allZero(quote.trailing),
});

export const pckFacts = (p: PckExtensions): Fields => ({
  fmspc: p.fmspc,
  pceId: p.pceId,
  ppid: p.ppid,
  sgxType: p.sgxType,
  components: [...p.components],
  pceSvn: p.pceSvn,
  cpuSvn: hex(p.cpuSvn),
  piid: p.piid ?? null,
  configuration: p.configuration === undefined ? null : { ...p.configuration },
});

const certificateFacts = (c: Certificate): Fields => ({
  subject: commonName(c.subject) ?? null,
  issuer: commonName(c.issuer) ?? null,
  serial: serialKey(c),
  notBefore: instant(c.notBefore),
  notAfter: instant(c.notAfter),
  sha256: sha256(c.raw),
});

const documentFacts = (d: TcbInfo | QeIdentity): Fields => ({
  id: d.id,
  version: d.version,
  issueDate: instant(d.issueDate),
  nextUpdate: instant(d.nextUpdate),
  tcbEvaluationDataNumber: d.evaluationNumber,
  ...("fmspc" in d ? { fmspc: d.fmspc, pceId: d.pceId } : {}),
  signedSha256: sha256(d.raw),
});

/** The matched levels, what is missing for the next one, and which advisory came from which level. */
function tcbFacts(tcb: Tcb): Fields {
  const { platform, module, qe, next, sgx } = tcb;
  const level = platform.matched;
  return {
    status: tcb.status,
    platform: {
      status: platform.status,
      level: level?.index ?? null,
      tcbDate: level?.level.tcbDate ?? null,
      sgxLevel: sgx?.index ?? null,
    },
    tdxModule:
      module === undefined
        ? null
        : {
            identity: module.name,
            svn: module.isvSvn,
            status: module.status,
            level: module.matched?.index ?? null,
            tcbDate: module.matched?.level.tcbDate ?? null,
          },
    qe: { isvSvn: qe.isvSvn, status: qe.status, level: qe.matched?.index ?? null },
    platformAndModule: tcb.converged,
    runningModule: tcb.running?.converged ?? null,
    advisories: tcb.advisories.map((a) => ({ id: a.id, from: a.from })),
    coveredUntil: tcb.tcbDate ?? null,
    next:
      next === undefined
        ? null
        : {
            level: next.index,
            status: next.status,
            tcbDate: next.tcbDate,
            missing: next.missing.map((m) => ({ what: m.what, is: m.is, needs: m.needs })),
          },
  };
}

/** @param carrier in which form the quote came */
export function evidenceFacts(
  material: DcapMaterial,
  { tcbInfo, qeIdentity, crls, windows }: DcapJudgement,
  tcb: Tcb | undefined,
  carrier: string,
): Fields {
  const { pck } = material;
  return {
    carrier,
    quote: quoteFacts(material.quote),
    pck: "problem" in pck ? null : pckFacts(pck),
    certificates: certificatesOf(material).map(certificateFacts),
    tcbInfo: tcbInfo?.document === undefined ? null : documentFacts(tcbInfo.document),
    qeIdentity: qeIdentity?.document === undefined ? null : documentFacts(qeIdentity.document),
    crls: crls.map((c) => ({ ...c })),
    validity: windows.map(({ name, from, to }) => ({ name, from, to })),
    commonWindow: commonWindow(windows) ?? null,
    tcb: tcb === undefined ? null : tcbFacts(tcb),
  };
}
