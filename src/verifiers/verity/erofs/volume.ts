/** An image with the bounds that its superblock sets. Whatever reads goes through `take`, so nothing is read beyond them. */
import { malformed } from "../../../errors.ts";
import type { Superblock } from "./superblock.ts";
import type { Image } from "./types.ts";

/** Which rule was broken; a reason code of verity.image.format. */
export type Defect = "erofs-superblock" | "erofs-inode" | "erofs-directory" | "erofs-range" | "erofs-tree";

export interface Volume {
  readonly image: Image;
  readonly superblock: Superblock;
  /** First byte that belongs to no file: the end of the file system's blocks, or of the image where that is earlier. */
  readonly endBytes: number;
}

/**
 * Refuses a range that reaches into the superblock, or into what lies before it or behind the last block.
 * @param what names the range in the message
 */
export function inVolume({ superblock, endBytes }: Volume, offset: number, length: number, what: string): void {
  const begin = 1024 + superblock.sizeBytes;
  if (offset < begin)
    throw malformed(
      `${what}: ${length} bytes at offset ${offset}, over the superblock, which ends at ${begin}`,
      "erofs-range" satisfies Defect,
    );
  if (offset + length > endBytes)
    throw malformed(
      `${what}: ${length} bytes at offset ${offset}, beyond the end at ${endBytes}`,
      "erofs-range" satisfies Defect,
    );
}

/** Exactly these bytes. @throws PmError PM_EVIDENCE_MALFORMED, erofs-range */
export function take(volume: Volume, offset: number, length: number, what: string): Uint8Array {
  inVolume(volume, offset, length, what);
  return volume.image.read(offset, length);
}
