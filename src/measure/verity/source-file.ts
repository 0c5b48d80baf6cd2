/** A disk as a file or block device: its size, and what must stay the same while it is read. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
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

const deviceSectorBytes = 512n;

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
    const size = stat.isBlockDevice() ? deviceBytes(path, stat.rdev) : stat.size;
    const changed = stat.isBlockDevice() ? "" : `, changed ${stat.mtimeNs}, ${stat.ctimeNs}`;
    return {
      path,
      sizeBytes: Number(size),
      identity: `device ${stat.dev}, inode ${stat.ino}, ${size} bytes${changed}`,
      blockDevice: stat.isBlockDevice(),
      sparse: stat.isFile() && stat.blocks * 512n < stat.size,
    };
  });
}

/** A device's own stat says 0; the kernel counts sectors of 512 bytes whatever the device's are. */
function deviceBytes(path: string, rdev: bigint): bigint {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn);
  const file = `/sys/dev/block/${major}:${minor}/size`;
  try {
    return BigInt(readFileSync(file, "utf8").trim()) * deviceSectorBytes;
  } catch (error) {
    throw usage(`${path}: the size of this block device is not known: ${file}: ${systemReason(error)}`);
  }
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

/** @throws PmError PM_USAGE for a file that cannot be opened */
function withFile<T>(path: string, use: (fd: number) => T): T {
  let fd: number;
  try {
    // A named pipe that nobody writes to would never open.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw usage(`${path}: ${systemReason(error)}`, "name a readable disk image or block device");
  }
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
