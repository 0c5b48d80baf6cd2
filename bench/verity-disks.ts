/** The two disks of bench/verity.ts: the same bytes for everybody, nothing fetched. */
import { createCipheriv } from "node:crypto";
import { closeSync, fsyncSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

export interface Disk {
  /** Relative to the folder that every command runs in. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly what: string;
}

const blockSize = 4096;
const chunkBytes = 4 * 1024 ** 2;
const sparseBlocks = 6;

/** Keystream of AES-128-CTR, key and counter zero. */
function keystream(): (length: number) => Uint8Array {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  const zeros = Buffer.alloc(chunkBytes);
  return (length) => cipher.update(zeros.subarray(0, length));
}

/** Synced, or the disk would be written while others are timed. */
function write(path: string, fill: (fd: number) => void): void {
  const fd = openSync(path, "wx");
  try {
    fill(fd);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function randomDisk(folder: string, sizeBytes: number): Disk {
  const name = "random.img";
  write(join(folder, name), (fd) => {
    const next = keystream();
    for (let at = 0; at < sizeBytes; at += chunkBytes) writeSync(fd, next(Math.min(chunkBytes, sizeBytes - at)));
  });
  return { name, sizeBytes, what: "keystream of AES-128-CTR, key and counter zero" };
}

/** A few blocks are data, so that finding every byte zero at once is not enough. */
export function sparseDisk(folder: string, sizeBytes: number): Disk {
  const name = "sparse.img";
  const step = Math.floor(sizeBytes / blockSize / sparseBlocks);
  write(join(folder, name), (fd) => {
    const next = keystream();
    ftruncateSync(fd, sizeBytes);
    for (let i = 0; i < sparseBlocks; i++) writeSync(fd, next(blockSize), 0, blockSize, i * step * blockSize);
  });
  const allocated = statSync(join(folder, name)).blocks * 512;
  const holes = allocated < sizeBytes ? "holes" : "zeros (this file system makes no holes)";
  return { name, sizeBytes, what: `${sparseBlocks} blocks of data, else ${holes}` };
}
