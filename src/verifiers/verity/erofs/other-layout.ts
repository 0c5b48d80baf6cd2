/**
 * mkfs.erofs 1.9 set LZ4_0PADDING where nothing is compressed; 1.9.1 mended it and calls itself 1.9 too. So a recorded
 * version does not say which of two first blocks an image has, and whoever rebuilds one has to try both. The two differ
 * in that bit and in the superblock's checksum (measured with erofs-utils 1.8.10, 1.9, 1.9.1 and 1.9.3).
 */
import { PmError } from "../../../errors.ts";
import { decodeSuperblock, lz4ZeroPadding, sbChksum, superblockChecksum, superblockOffset } from "./superblock.ts";

const blockBytes = 4096;
const incompatAt = superblockOffset + 80;
const checksumAt = superblockOffset + 4;

/**
 * Block 0 of the same image as the other of the two would have written it; undefined where it is not the first block of
 * an image of 4096-byte blocks with SB_CHKSUM, a right checksum and no other incompatible feature.
 */
export function otherFirstBlock(block0: Uint8Array): Uint8Array | undefined {
  if (block0.length !== blockBytes) return undefined;
  const read = (offset: number, length: number): Uint8Array => block0.slice(offset, offset + length);
  try {
    const found = decodeSuperblock({ name: "block 0", sizeBytes: blockBytes, read });
    const { blockSize, featureCompat, checksum, computedChecksum } = found;
    if (blockSize !== blockBytes || (featureCompat & sbChksum) === 0 || checksum !== computedChecksum) return undefined;
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  }
  const other = block0.slice();
  const view = new DataView(other.buffer);
  view.setUint32(incompatAt, view.getUint32(incompatAt, true) ^ lz4ZeroPadding, true);
  view.setUint32(checksumAt, superblockChecksum(other.subarray(superblockOffset)), true);
  return other;
}
