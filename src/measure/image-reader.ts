/** Bytes out of the middle of a file or block device that is larger than memory, read when they are asked for. */
import { closeSync, readSync } from "node:fs";
import { PmError, usage } from "../errors.ts";
import { systemReason } from "../system-reason.ts";
import { openDisk, sourceFile } from "./verity/source-file.ts";

/** What src/verifiers/verity/erofs reads: the same shape as its `Image`. */
export interface OpenImage {
  readonly name: string;
  readonly sizeBytes: number;
  readonly read: (offset: number, length: number) => Uint8Array;
  readonly close: () => void;
}

const pageBytes = 64 * 1024;
/** 8 MiB: inodes of one directory lie near each other. */
const maxPages = 128;

/**
 * @param limitBytes the image ends here although the file goes on: where the hash area begins
 * @throws PmError PM_USAGE when it cannot be read, or read in the middle
 */
export function openImage(path: string, limitBytes?: number): OpenImage {
  if (path === "-") throw usage("a disk image cannot be read from stdin", "name a file or a block device");
  const whole = sourceFile(path).sizeBytes;
  const fd = openDisk(path);
  const sizeBytes = Math.min(whole, limitBytes ?? whole);
  return { name: path, sizeBytes, read: cachedReads(fd, path, whole), close: () => closeSync(fd) };
}

/** Pages that were used last stay. What is handed out is a copy: the caller may keep it. */
function cachedReads(fd: number, path: string, sizeBytes: number): OpenImage["read"] {
  const pages = new Map<number, Uint8Array>();
  const fill = (bytes: Uint8Array, offset: number): Uint8Array => {
    for (let done = 0; done < bytes.length; ) {
      const read = readAt(fd, path, bytes.subarray(done), offset + done);
      if (read === 0)
        throw usage(
          `${path}: ends at byte ${offset + done}, had ${sizeBytes} bytes`,
          "it was changed while pm read it",
        );
      done += read;
    }
    return bytes;
  };
  const page = (index: number): Uint8Array => {
    const known = pages.get(index);
    const start = index * pageBytes;
    const bytes = known ?? fill(new Uint8Array(Math.min(pageBytes, sizeBytes - start)), start);
    pages.delete(index);
    pages.set(index, bytes);
    for (const oldest of pages.size > maxPages ? pages.keys() : []) {
      pages.delete(oldest);
      break;
    }
    return bytes;
  };
  return (offset, length) => {
    if (!Number.isSafeInteger(offset) || offset < 0 || length < 0 || offset + length > sizeBytes)
      throw new PmError("PM_BUG", `${path}: asked for ${length} bytes at ${offset}, of ${sizeBytes}`);
    if (length > pageBytes) return fill(new Uint8Array(length), offset);
    const out = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const index = Math.floor((offset + done) / pageBytes);
      const from = offset + done - index * pageBytes;
      const part = page(index).subarray(from, from + length - done);
      out.set(part, done);
      done += part.length;
    }
    return out;
  };
}

function readAt(fd: number, path: string, bytes: Uint8Array, offset: number): number {
  try {
    return readSync(fd, bytes, 0, bytes.length, offset);
  } catch (error) {
    throw usage(`${path}: at byte ${offset}: ${systemReason(error)}`, "check the disk: it could not be read there");
  }
}
