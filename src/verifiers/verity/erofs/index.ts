export { superblockFacts } from "./facts.ts";
export { otherFirstBlock } from "./other-layout.ts";
export { compatNames, decodeSuperblock, incompatNames, type Superblock } from "./superblock.ts";
export { type ErofsTree, listErofs } from "./tree.ts";
export type { EntryKind, ErofsEntry, Extent, Image, ReadAt } from "./types.ts";
