/** Files read with a bound and written whole or not at all. */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

export interface LoadedFile {
  readonly bytes: Uint8Array;
  readonly modified: Date;
}
export const errorCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error";

/**
 * A regular file of at most `maxBytes`; undefined when it is longer, is something else or is not there.
 * The length is taken from what is read, not from what the directory says: a file may grow meanwhile.
 */
export async function loadBounded(path: string, maxBytes: number): Promise<LoadedFile | undefined> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > maxBytes) return undefined;
    const buffer = new Uint8Array(status.size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0) break;
      if (length > status.size) return undefined;
    }
    return { bytes: buffer.slice(0, length), modified: status.mtime };
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/** A name beside `path` that nobody else uses. */
export const temporaryName = (path: string): string => `${path}.${process.pid}-${randomBytes(6).toString("hex")}.tmp`;

/**
 * Writes to a temporary name in the same folder (made 0700 where absent) and renames: a reader sees the old file or the
 * new one, never a part. Mode 0600.
 * @throws the file system's error, the temporary file removed
 */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}
