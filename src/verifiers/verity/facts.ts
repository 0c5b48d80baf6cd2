/** A verity superblock as facts for people and JSON. */
import { hex } from "../../bytes/hex.ts";
import type { Json } from "../../report/report.ts";
import { decodeSuperblock, uuidText } from "./superblock.ts";

/** @throws PmError superblock-malformed; PM_EVIDENCE_UNSUPPORTED for another version */
export function verityFacts(bytes: Uint8Array): { readonly [name: string]: Json } {
  const s = decodeSuperblock(bytes);
  return {
    version: 1,
    hashType: s.hashType,
    uuid: uuidText(s.uuid),
    algorithm: s.algorithm,
    dataBlockSize: s.dataBlockSize,
    hashBlockSize: s.hashBlockSize,
    dataBlocks: s.dataBlocks <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(s.dataBlocks) : String(s.dataBlocks),
    salt: hex(s.salt),
    reserved: s.reserved === undefined ? "zero" : `not zero at byte ${s.reserved}`,
  };
}
