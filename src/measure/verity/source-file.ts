/** A disk as a file or block device: its size, and what must stay the same while it is read. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { PmError, usage } from "../../errors.ts";
import { systemReason } from "../../system-reason.ts";
import { readFully } from "./blocks.ts";

export interface SourceFile {
  /** As it was named. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Device, inode, size and time of the last change: another value means other bytes. */
  readonly identity: string;
  readonly blockDevice: boolean;
  /** Fewer bytes lie on disk than the file has: it has holes. */
  readonly sparse: boolean;
}

/** @throws PmError PM_USAGE for a file that cannot be opened, and for what is neither file nor block device */
export function sourceFile(path: string): SourceFile {
  return withFile(path, (fd) => {
    const stat = fstatSync(fd, { bigint: true });
    if (stat.isDirectory()) throw usage(`${path}: is a directory, a disk image wanted`, "name the file itself");
    if (!stat.isFile() && !stat.isBlockDevice())
      throw usage(
        `${path}: neither a file nor a block device`,
        "save it into a file first: a disk is read at many places",
      );
    const size = stat.isBlockDevice() ? deviceBytes(fd) : Number(stat.size);
    const changed = stat.isBlockDevice() ? "" : `, changed ${stat.mtimeNs}, ${stat.ctimeNs}`;
    return {
      path,
      sizeBytes: size,
      identity: `device ${stat.dev}, inode ${stat.ino}, ${size} bytes${changed}`,
      blockDevice: stat.isBlockDevice(),
      sparse: stat.isFile() && stat.blocks * 512n < stat.size,
    };
  });
}

/**
 * A block device's st_size is 0, and what sysfs calls it cannot be told from the name of its node: its end is where
 * reading one byte gives none.
 * @param hasByte whether there is a byte at this position
 */
export function endByReading(hasByte: (position: number) => boolean): number {
  if (!hasByte(0)) return 0;
  let [low, high] = [0, 1];
  while (high <= Number.MAX_SAFE_INTEGER / 2 && hasByte(high)) [low, high] = [high, high * 2];
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (hasByte(middle)) low = middle;
    else high = middle;
  }
  return high;
}

function deviceBytes(fd: number): number {
  const byte = new Uint8Array(1);
  return endByReading((position) => readSync(fd, byte, 0, 1, position) === 1);
}

/** @throws PmError PM_SOURCE_REFUSED when the file is another one now */
export function stillTheSame(before: SourceFile): void {
  if (sourceFile(before.path).identity !== before.identity)
    throw new PmError("PM_SOURCE_REFUSED", `${before.path}: changed while it was read`, {
      hint: "let nobody write to it, and start again",
    });
}

/** @throws PmError PM_SOURCE_REFUSED where the file ends before */
export function bytesAt(path: string, position: number, length: number): Uint8Array {
  return withFile(path, (fd) => {
    const bytes = new Uint8Array(length);
    readFully(fd, bytes, position);
    return bytes;
  });
}

function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openDisk(path);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** @returns a descriptor to close. @throws PmError PM_USAGE for a file that cannot be opened */
export function openDisk(path: string): number {
  try {
    // O_NONBLOCK: a FIFO is refused, and must not wait until somebody writes to it. Disks do not heed it.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw usage(`${path}: ${systemReason(error)}`, "name a readable disk image or block device");
  }
}
