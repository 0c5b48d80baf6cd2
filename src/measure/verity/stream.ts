/** The root hash of data that come in one stream: no workers, no second look, and the number of blocks is known at the end. */
import { DataBlocks } from "./blocks.ts";
import { throughEdge } from "./hash.ts";
import { layoutOf, type VerityLayout, type VerityParameters } from "./layout.ts";
import { digestHex, TreeBuilder } from "./tree.ts";

export interface MeasuredStream {
  readonly layout: VerityLayout;
  /** Bytes that came. */
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly rootHash: string;
  /** The first data block. */
  readonly firstBlock: Uint8Array;
  readonly rootWithFirstBlock: (block: Uint8Array) => string;
}

/**
 * @param limitBytes data end here at the latest; what comes behind is counted and left out
 * @throws PmError PM_USAGE for parameters that no device has, and for less than one block
 */
export async function measureStream(
  stream: AsyncIterable<Uint8Array | string>,
  parameters: Omit<VerityParameters, "dataBlocks">,
  limitBytes = Number.POSITIVE_INFINITY,
): Promise<MeasuredStream> {
  const { dataBlockSize } = parameters;
  const layout = layoutOf({ ...parameters, dataBlocks: 1 });
  const edge: Uint8Array[] = [];
  const builder = new TreeBuilder(layout, (level, index, block) => {
    if (index === 0) edge[level] = new Uint8Array(block);
  });
  const blocks = new DataBlocks(layout);
  const buffer = Buffer.alloc(blocks.readBytes);
  let [used, sizeBytes, dataBlocks] = [0, 0, 0];
  let firstBlock: Uint8Array | undefined;
  const hashWhole = (): void => {
    const whole = used - (used % dataBlockSize);
    if (whole === 0) return;
    firstBlock ??= new Uint8Array(buffer.subarray(0, dataBlockSize));
    blocks.digestsOf(buffer.subarray(0, whole), (digest) => builder.push(digest));
    dataBlocks += whole / dataBlockSize;
    buffer.copyWithin(0, whole, used);
    used -= whole;
  };
  for await (const chunk of stream) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    let data = bytes.subarray(0, Math.max(0, Math.min(bytes.length, limitBytes - sizeBytes)));
    sizeBytes += bytes.length;
    while (data.length > 0) {
      const part = data.subarray(0, buffer.length - used);
      buffer.set(part, used);
      used += part.length;
      data = data.subarray(part.length);
      if (used === buffer.length) hashWhole();
    }
  }
  hashWhole();
  const found = layoutOf({ ...parameters, dataBlocks });
  return {
    layout: found,
    sizeBytes,
    rootHash: digestHex(builder.root()),
    firstBlock: firstBlock ?? new Uint8Array(0),
    rootWithFirstBlock: (block) => digestHex(throughEdge(found, edge, block)),
  };
}
