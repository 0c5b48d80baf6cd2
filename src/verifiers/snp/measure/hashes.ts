/** The page of section SNP_KERNEL_HASHES (QEMU and OVMF AmdSev; notes 10.5): how kernel, initrd and command line are measured. */
import { hash } from "node:crypto";
import { guidBytes } from "../../../bytes/guid-table.ts";
import { hexNumber } from "../../../bytes/hex.ts";
import { malformed, PmError, usage } from "../../../errors.ts";

/** A direct boot. An empty file still counts as a kernel. */
export interface Boot {
  /** SHA-256 of the kernel file, 32 bytes. */
  readonly kernel: Uint8Array;
  /** SHA-256 of the initrd file; undefined: none, measured as the empty string. */
  readonly initrd: Uint8Array | undefined;
  /** Without the NUL that is measured behind it; undefined counts as empty. */
  readonly append: Uint8Array | undefined;
}

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash("sha256", bytes, "buffer"));
const guid = {
  table: guidBytes("9438d606-4f22-4cc9-b479-a793d411fd21"),
  append: guidBytes("97d02dd8-bd20-4c94-aa78-e7714d36ab2a"),
  initrd: guidBytes("44baf731-3a2f-4bd7-9af1-41e29169781d"),
  kernel: guidBytes("4de79437-abd2-427f-b835-d5b172d2045b"),
} as const;
const entrySize = 50;
const tableSize = 18 + 3 * entrySize;
/** The padding behind the table is zero, like the rest of the page. */
const paddedSize = 176;
const pageSize = 4096;

/** SHA-256 of the command line with one NUL behind it. @throws PmError PM_USAGE for a NUL inside it, where the guest's line would end */
export function appendDigest(append: Uint8Array = new Uint8Array()): Uint8Array {
  if (append.includes(0)) throw usage("command line: holds a NUL, at which the guest would stop reading");
  return sha256(new Uint8Array([...append, 0]));
}

/**
 * @param tableGpa where the firmware looks for the table
 * @throws PmError PM_EVIDENCE_MALFORMED ovmf-malformed when the table would reach over the page's end
 */
export function kernelHashesPage(tableGpa: number, boot: Boot): Uint8Array {
  const offset = tableGpa % pageSize;
  if (offset + paddedSize > pageSize)
    throw malformed(`OVMF hash table area at ${hexNumber(tableGpa)}: does not fit its page`, "ovmf-malformed");
  const page = new Uint8Array(pageSize);
  const entry = (at: number, name: Uint8Array, length: number): number => {
    page.set(name, at);
    page[at + 16] = length; // u16, below 256
    return at + 18;
  };
  let at = entry(offset, guid.table, tableSize);
  for (const [name, digest] of [
    [guid.append, appendDigest(boot.append)],
    [guid.initrd, boot.initrd ?? sha256(new Uint8Array())],
    [guid.kernel, boot.kernel],
  ] as const) {
    if (digest.length !== 32) throw new PmError("PM_BUG", `boot digest of ${digest.length} bytes`);
    page.set(digest, entry(at, name, entrySize));
    at += entrySize;
  }
  return page;
}
