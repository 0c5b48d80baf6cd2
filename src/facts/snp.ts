/** Fields of SEV-SNP evidence as `pm inspect` shows them: names and order of the report's specification. */
import { hash } from "node:crypto";
import { hex, hexNumber } from "../bytes/hex.ts";
import type { Json } from "../report/report.ts";
import { platformText, policyText } from "../verifiers/snp/bits.ts";
import type { SnpEvidence } from "../verifiers/snp/evidence.ts";
import { lineOfCpuid, type ProductLine } from "../verifiers/snp/product.ts";
import type { SnpReport } from "../verifiers/snp/report.ts";
import { decodeTcb, tcbText } from "../verifiers/snp/tcb.ts";
import { certificatesToFacts, crlToFacts } from "./certificate.ts";
import { orProblem } from "./problem.ts";

/** Bits with their names; the names are left out where none is set. */
const bits = (value: bigint, names: string): string => [hexNumber(value, 16), names].filter(Boolean).join("  ");

/** Without a product line the parts of a TCB cannot be told apart: only the bytes are shown. */
const tcb = (bytes: Uint8Array, line: ProductLine | undefined): string =>
  line === undefined ? hex(bytes) : `${hex(bytes)}  ${tcbText(decodeTcb(bytes, line))}`;

const firmware = (v: SnpReport["current"]): string => `${v.major}.${v.minor}.${v.build}`;

const reportFacts = (r: SnpReport, line: ProductLine | undefined): Json => ({
  version: r.version,
  guestSvn: r.guestSvn,
  policy: bits(r.policy, policyText(r.policy)),
  familyId: hex(r.familyId),
  imageId: hex(r.imageId),
  vmpl: r.vmpl,
  signatureAlgo: r.signatureAlgo,
  currentTcb: tcb(r.currentTcb, line),
  platformInfo: bits(r.platformInfo, platformText(r.platformInfo)),
  flags: hexNumber(r.flags, 8),
  reportData: hex(r.reportData),
  measurement: hex(r.measurement),
  hostData: hex(r.hostData),
  idKeyDigest: hex(r.idKeyDigest),
  authorKeyDigest: hex(r.authorKeyDigest),
  reportId: hex(r.reportId),
  reportIdMa: hex(r.reportIdMa),
  reportedTcb: tcb(r.reportedTcb, line),
  cpuid:
    r.cpuid === undefined ? null : `family ${r.cpuid.family}, model ${r.cpuid.model}, stepping ${r.cpuid.stepping}`,
  productLine: line ?? null,
  chipId: hex(r.chipId),
  committedTcb: tcb(r.committedTcb, line),
  current: firmware(r.current),
  committed: firmware(r.committed),
  launchTcb: tcb(r.launchTcb, line),
  launchMitVector: hexNumber(r.launchMitVector, 16),
  currentMitVector: hexNumber(r.currentMitVector, 16),
  signatureR: hex(r.signature.r),
  signatureS: hex(r.signature.s),
});

/** What stands behind the report in Azure's blob; REPORT_DATA should begin with one of these digests. */
const runtimeFacts = (data: Uint8Array): Json => ({
  size: data.length,
  sha256: hash("sha256", data),
  sha384: hash("sha384", data),
});

/** The report, and each certificate or list that came with it; one that cannot be read says why and hides nothing else. */
export function snpFacts(evidence: SnpEvidence): Json {
  const { report } = evidence;
  const line = report.cpuid === undefined ? undefined : lineOfCpuid(report.cpuid);
  const attached = (["vcek", "vlek", "ask", "ark"] as const).flatMap((name) => {
    const bytes = evidence[name];
    return bytes === undefined ? [] : [[name, orProblem(() => certificatesToFacts(bytes))] as const];
  });
  const { crl } = evidence;
  return {
    carrier: evidence.carrier,
    report: reportFacts(report, line),
    productHint: evidence.productHint ?? null,
    ...(evidence.runtimeData === undefined ? {} : { runtimeData: runtimeFacts(evidence.runtimeData) }),
    attached: {
      ...Object.fromEntries(attached),
      ...(crl === undefined ? {} : { crl: orProblem(() => crlToFacts(crl)) }),
    },
  };
}
