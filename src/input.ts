/** Files and stdin that a person names on the command line: bounded, with errors that say what to do. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { PmError, usage } from "./errors.ts";
import { systemReason } from "./system-reason.ts";

export interface Input {
  /** As it was named: a path, or "stdin". */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Larger than any evidence that pm reads whole. */
export const maxInputBytes = 64 * 1024 * 1024;
export const maxDeploymentBytes = 8 * 1024 * 1024;

const chunkBytes = 64 * 1024;
/** Not a stream: those cost a start some 2 ms a file, and pm reads half a dozen. A pipe has a name too, and no size. */
async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/**
 * Reads a file, or stdin for "-".
 * @param what what the file should be, for messages
 * @throws PmError PM_USAGE when it is missing, a directory, unreadable or longer than `limit` bytes
 */
export async function readInput(path: string, what: string, limit = maxInputBytes): Promise<Input> {
  const name = path === "-" ? "stdin" : path;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of path === "-" ? process.stdin : chunksOf(path)) {
      const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      size += part.length;
      if (size > limit)
        throw usage(`${name}: more than ${limit} bytes, too long for ${what}`, "check that this is the right file");
      chunks.push(part);
    }
  } catch (error) {
    if (error instanceof PmError) throw error;
    if (error instanceof Error && "code" in error && error.code === "EISDIR")
      throw usage(`${name}: is a directory, ${what} wanted`, "name the file itself");
    throw usage(`${name}: ${systemReason(error)}`, `name a readable file with ${what}, or - for stdin`);
  }
  const bytes = new Uint8Array(Buffer.concat(chunks));
  return { name, bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
}
