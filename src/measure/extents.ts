/** Files inside a disk image, digested without unpacking them. Nothing is compared here. */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { usage } from "../errors.ts";
import { systemReason } from "../system-reason.ts";

/** Structurally what src/verifiers/verity/erofs lists. A part without an offset is a hole and reads as zeros. */
export interface StoredFile {
  readonly sizeBytes: number;
  readonly extents: readonly { readonly offset: number | undefined; readonly length: number }[];
}
export interface FileDigests {
  /** Of the content, lower-case hex: what Git LFS calls the object by. */
  readonly sha256: string;
  /** Of `blob LENGTH NUL` and the content, lower-case hex: what git calls it by. */
  readonly gitSha1: string;
}
export interface DigestOptions {
  readonly signal?: AbortSignal;
  /** Bytes of all files that are done. */
  readonly progress?: (bytes: number) => void;
}

const bufferBytes = 1024 * 1024;

/**
 * One answer for each file, in their order. Each is read once, in the order in which they lie on the disk, within 1 MiB.
 * @throws PmError PM_USAGE when the image cannot be read, or is shorter than a file says; the signal's reason
 */
export async function digestFiles(
  path: string,
  files: readonly StoredFile[],
  { signal, progress }: DigestOptions = {},
): Promise<FileDigests[]> {
  signal?.throwIfAborted();
  const buffer = Buffer.alloc(bufferBytes);
  const zeros = Buffer.alloc(bufferBytes);
  const digests: FileDigests[] = [];
  let bytes = 0;
  const image = await open(path).catch((error: unknown) => {
    throw usage(`${path}: ${systemReason(error)}`, "name a readable disk image or block device");
  });
  try {
    for (const { file, index } of byPlace(files)) {
      const hashes = [createHash("sha256"), createHash("sha1").update(`blob ${file.sizeBytes}\0`)] as const;
      let length = 0;
      for (const extent of file.extents)
        for (let at = 0; at < extent.length; ) {
          signal?.throwIfAborted();
          const wanted = Math.min(bufferBytes, extent.length - at);
          const part =
            extent.offset === undefined
              ? zeros.subarray(0, wanted)
              : await readPart(image, path, buffer.subarray(0, wanted), extent.offset + at);
          for (const hash of hashes) hash.update(part);
          at += part.length;
          length += part.length;
          bytes += part.length;
          progress?.(bytes);
        }
      // A digest of less, or of more, than the file would be another file's.
      if (length !== file.sizeBytes)
        throw new Error(`a file of ${file.sizeBytes} bytes has ${length} bytes of extents`);
      digests[index] = digestsOf(...hashes);
    }
  } finally {
    await image.close();
  }
  return digests;
}

const digestsOf = (sha256: Hash, gitSha1: Hash): FileDigests => ({
  sha256: sha256.digest("hex"),
  gitSha1: gitSha1.digest("hex"),
});

/** A spinning disk reads forwards. */
const byPlace = (files: readonly StoredFile[]): { readonly file: StoredFile; readonly index: number }[] =>
  files
    .map((file, index) => ({ file, index, at: file.extents[0]?.offset ?? 0 }))
    .sort((a, b) => a.at - b.at || a.index - b.index);

async function readPart(image: FileHandle, path: string, into: Buffer, offset: number): Promise<Buffer> {
  const { bytesRead } = await image.read(into, 0, into.length, offset).catch((error: unknown) => {
    throw usage(`${path}: at byte ${offset}: ${systemReason(error)}`, "check the disk: it could not be read there");
  });
  if (bytesRead === 0) throw usage(`${path}: ends at byte ${offset}`, "it was changed while pm read it");
  return into.subarray(0, bytesRead);
}
