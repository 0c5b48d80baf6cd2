/** What a superblock says, in the format's own words; nothing is judged. */
import { hex } from "../../../bytes/hex.ts";
import type { Json } from "../../../report/report.ts";
import { uuidText } from "../superblock.ts";
import { compatNames, incompatNames, type Superblock } from "./superblock.ts";
import { listErofs } from "./tree.ts";

export const hexWord = (n: number): string => `0x${n.toString(16).padStart(8, "0")}`;
/** `0x00000003 (SB_CHKSUM, MTIME)` */
export const bitsText = (value: number, names: (value: number) => string[]): string =>
  value === 0 ? hexWord(value) : `${hexWord(value)} (${names(value).join(", ")})`;

/** NUL padded; what stands behind a NUL is shown too, for a reader that stops there would not see it. */
export function volumeNameText(name: Uint8Array): string {
  const end = name.findLastIndex((b) => b !== 0) + 1;
  return Buffer.from(name.subarray(0, end)).toString("latin1");
}

/** Every field of the superblock; numbers beyond 2^53 as text. */
export const superblockFacts = (s: Superblock): { readonly [name: string]: Json } => ({
  checksum: hexWord(s.checksum),
  computedChecksum: hexWord(s.computedChecksum),
  featureCompat: bitsText(s.featureCompat, compatNames),
  featureIncompat: bitsText(s.featureIncompat, incompatNames),
  blockSize: s.blockSize,
  blocks: s.blocks,
  inodes: String(s.inodes),
  rootNid: String(s.rootNid),
  epoch: String(s.epoch),
  fixedNsec: s.fixedNsec,
  buildTime: s.buildTime,
  uuid: uuidText(s.uuid),
  volumeName: volumeNameText(s.volumeName),
  metaBlkAddr: s.metaBlkAddr,
  xattrBlkAddr: s.xattrBlkAddr,
  sbExtSlots: s.sbExtSlots,
  compression: s.compression,
  extraDevices: s.extraDevices,
  devtSlotOffset: s.devtSlotOffset,
  dirBlkBits: s.dirBlkBits,
  xattrPrefixCount: s.xattrPrefixCount,
  xattrPrefixStart: s.xattrPrefixStart,
  packedNid: String(s.packedNid),
  xattrFilter: s.xattrFilter,
  reserved: hex(s.reserved),
});

/** An image that is at hand whole: its superblock, and how much it holds. `pm disk list` names the files. */
export function imageFacts(bytes: Uint8Array): { readonly [name: string]: Json } {
  const read = (offset: number, length: number): Uint8Array => bytes.slice(offset, offset + length);
  const { superblock, entries } = listErofs({ name: "EROFS image", sizeBytes: bytes.length, read });
  const files = entries.filter((e) => e.kind === "file");
  return {
    superblock: superblockFacts(superblock),
    entries: entries.length,
    files: files.length,
    fileBytes: files.reduce((sum, f) => sum + f.sizeBytes, 0),
  };
}
