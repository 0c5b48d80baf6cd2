/** Launch measurements of SEV-SNP guests: what other parts of pm may use. */
export { cpuModels, cpuText, signatureOfModel } from "./cpu.ts";
export { type Launch, launchDigests } from "./digest.ts";
export { type Explained, explain, type Found, type Variation } from "./explain.ts";
export type { Boot } from "./hashes.ts";
export {
  authorKeyDigest,
  decodeIdAuth,
  decodeIdBlock,
  type IdAuth,
  type IdBlock,
  idKeyDigestOf,
  signedByAuthor,
  signedByIdKey,
} from "./idblock.ts";
export { decodeOvmf, maxImageBytes, type Ovmf } from "./ovmf.ts";
export { apExtension, extendByAp, type Vmm, vmms } from "./vmsa.ts";
