/** Quotes of SGX enclaves: what other parts of pm may use. */
export { authenticity, pins, sgx, sgxAuthentic } from "./claims.ts";
export { noReferences, pinnedBy, type SgxReferences } from "./references.ts";
export { withoutCollateral } from "./relaxed.ts";
export { type SgxEvidence, type SgxJudgement, type SgxTrust, verifySgx } from "./verify.ts";
