/** Files that do not fit in memory, as facts: read once, digested on the way. Nothing is compared here. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { usage } from "../errors.ts";
import { systemReason } from "../system-reason.ts";

export interface MeasuredFile {
  /** As it was named: a path, or "stdin". */
  readonly name: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sha384: string;
  /** Bytes. */
  readonly size: number;
}

const chunkBytes = 1024 * 1024;

/** One buffer, filled again and again: what is yielded is valid until the next step. */
async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  const buffer = Buffer.alloc(chunkBytes);
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/**
 * Digests and size of a file, or of stdin for "-"; of any length, within 1 MiB of memory.
 * @param what what the file should be, for messages
 * @throws PmError PM_USAGE when it is missing, a directory or unreadable; the signal's reason when it is aborted
 */
export async function measureFile(path: string, what: string, signal?: AbortSignal): Promise<MeasuredFile> {
  const name = path === "-" ? "stdin" : path;
  const [sha256, sha384] = [createHash("sha256"), createHash("sha384")];
  let size = 0;
  signal?.throwIfAborted();
  try {
    for await (const chunk of path === "-" ? process.stdin : chunksOf(path)) {
      if (signal?.aborted === true) break;
      const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      sha256.update(part);
      sha384.update(part);
      size += part.length;
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EISDIR")
      throw usage(`${name}: is a directory, ${what} wanted`, "name the file itself");
    throw usage(`${name}: ${systemReason(error)}`, `name a readable file with ${what}, or - for stdin`);
  }
  signal?.throwIfAborted();
  return { name, sha256: sha256.digest("hex"), sha384: sha384.digest("hex"), size };
}
