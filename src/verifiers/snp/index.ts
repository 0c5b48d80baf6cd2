/** SEV-SNP: what other parts of pm may use. */
export type { GuestPolicyBits, PlatformInfoBits } from "./bits.ts";
export { appraisal, authenticity, pins, snp, snpAuthentic } from "./claims.ts";
export { decodeEvidence, type SnpEvidence } from "./evidence.ts";
export { reportFacts } from "./facts.ts";
export type { ProductLine } from "./product.ts";
export { noReferences, pinnedBy, type SnpReferences } from "./references.ts";
export { uncheckedRevocation, withoutRevocation } from "./relaxed.ts";
export { decodeReport, type SnpReport } from "./report.ts";
export { chainRequest, crlRequest, vcekRequest } from "./requests.ts";
export { decodeTcb, type TcbParts, tcbAtLeast, tcbText } from "./tcb.ts";
export { amdRoots, type Root, type Roots, testRoot } from "./trust/roots.ts";
export { type SnpInput, type SnpJudgement, type SnpTrust, type ValidityWindow, verifySnp } from "./verify.ts";
