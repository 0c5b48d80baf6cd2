/** Intel TDX: what other parts of pm may use. */
export { authenticity, pins, tdx, tdxAuthentic } from "./claims.ts";
export { type ContrastView, contrastText, contrastView } from "./contrast.ts";
export { type AnyOf, noReferences, pinnedBy, type TdxReferences } from "./references.ts";
export { withoutCollateral } from "./relaxed.ts";
export { type TdxEvidence, type TdxJudgement, type TdxTrust, verifyTdx } from "./verify.ts";
