/**
 * The superblock behind the data of a finished Privatemode disk (verity note, 6). The disk mounter takes salt, algorithm
 * and block count from it, so it is compared field by field and never believed.
 */
import { allZero } from "../../bytes/hex.ts";
import { PmError } from "../../errors.ts";
import { comparedFields } from "./device.ts";
import { decodeSuperblock, superblockBytes, type VeritySuperblock } from "./superblock.ts";

const blockBytes = 4096;
const digestsInBlock = 128;
const parameters = {
  ...{ hashType: 1, algorithm: "sha256", salt: new Uint8Array(1) },
  ...{ dataBlockSize: blockBytes, hashBlockSize: blockBytes },
};

/** @param bytes 512 bytes behind the data. @returns names of fields, or why there is no superblock */
export function differingFields(bytes: Uint8Array, dataBlocks: number): string[] {
  let superblock: VeritySuperblock;
  try {
    superblock = decodeSuperblock(bytes);
  } catch (error) {
    if (error instanceof PmError) return [error.message];
    throw error;
  }
  const { uuid, reserved } = superblock;
  return [
    ...comparedFields({ ...parameters, dataBlocks }, superblock).flatMap((f) =>
      f.expected === f.found ? [] : [f.field],
    ),
    ...(allZero(uuid) ? [] : ["UUID"]),
    ...(reserved === undefined ? [] : [`reserved byte ${reserved}`]),
  ];
}

/** Lengths that a finished disk of so many data blocks may have: of one block there is no tree, and veritysetup may not pad. */
export function finishedSizes(dataBlocks: number): number[] {
  const data = dataBlocks * blockBytes;
  if (dataBlocks <= 1) return [data + blockBytes, data + superblockBytes];
  let hashBlocks = 0;
  for (let blocks = dataBlocks; blocks > 1; ) {
    blocks = Math.ceil(blocks / digestsInBlock);
    hashBlocks += blocks;
  }
  return [data + blockBytes * (1 + hashBlocks)];
}
