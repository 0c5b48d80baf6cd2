/** Kata policies: initdata documents and the images that they pin. */
export { decodeCarried, decodePolicyBody, type PolicyBody } from "./body.ts";
export { decodeAnnotation, decodeInitdataDevice } from "./carrier.ts";
export { kata } from "./claims.ts";
export { factsOf, imagesOfBody, type PolicyFacts, snpHostData, tdxMrConfigId } from "./facts.ts";
export { type Algorithm, decodeInitdata, type Initdata } from "./initdata.ts";
export { decodeAgentPolicy, type PolicyImage } from "./policy.ts";
export { type PolicyJudgement, verifyPolicy } from "./verify.ts";
