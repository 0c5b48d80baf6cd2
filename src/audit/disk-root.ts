/** The dm-verity root of a disk under Privatemode's parameters, in both layouts that mkfs.erofs writes. */
import { measureRoot } from "../measure/verity/hash.ts";
import { layoutOf, privatemodeDisk } from "../measure/verity/layout.ts";
import { progressLine } from "../progress.ts";
import type { Roots } from "../verifiers/verity/files.ts";
import { otherBlock } from "./verity-run.ts";

/**
 * @param dataBytes what is data, from the beginning on; more than the image has is the caller's mistake
 * @returns why there is no root where the data are no whole blocks
 */
export async function rootsOf(image: string, dataBytes: number): Promise<Roots | { readonly reason: string }> {
  const { dataBlockSize } = privatemodeDisk;
  const dataBlocks = dataBytes / dataBlockSize;
  if (!Number.isSafeInteger(dataBlocks) || dataBlocks < 1)
    return {
      reason: `${dataBytes} bytes of data: not whole blocks of ${dataBlockSize} bytes, as Privatemode's disks have`,
    };
  const layout = layoutOf({ ...privatemodeDisk, dataBlocks });
  const line = progressLine(`hashing ${image}`);
  try {
    const { rootHash, rootWithFirstBlock } = await measureRoot(image, layout, { progress: line.update });
    const other = otherBlock(image, layout);
    return { ofImage: rootHash, ofOtherLayout: other === undefined ? undefined : rootWithFirstBlock(other) };
  } finally {
    line.end();
  }
}
