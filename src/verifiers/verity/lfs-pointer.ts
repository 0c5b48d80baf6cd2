/**
 * Git LFS pointers (git-lfs, docs/spec.md, "The Pointer", version 1): the few lines that stand in a commit in place of a
 * file that lies elsewhere. Only the one form that git-lfs writes is read.
 */
import { malformed, unsupported } from "../../errors.ts";

export interface LfsPointer {
  /** Of the file that the pointer stands for, lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** git-lfs takes nothing longer for a pointer. */
export const maxPointerBytes = 1024;

const version = "version https://git-lfs.github.com/spec/v1";
const written = new RegExp(
  `^${version.replaceAll(".", "\\.")}\\noid sha256:([0-9a-f]{64})\\nsize (0|[1-9][0-9]{0,15})\\n$`,
);
/** git-lfs trims white space, and takes older names of the project in a version line, too. */
const looksLikeOne = /^\s*version [^\n]*(?:git-lfs|git-media|hawser)/;
const extension = /^ext-[0-9]-[a-z0-9.-]+ /m;

/**
 * @param path of the file, for messages
 * @returns undefined: a file like any other
 * @throws PmError PM_EVIDENCE_MALFORMED for what git-lfs may take for a pointer and pm cannot read in one way;
 * PM_EVIDENCE_UNSUPPORTED for pointers with extensions, whose file is not the object that the pointer names
 */
export function readLfsPointer(bytes: Uint8Array, path: string): LfsPointer | undefined {
  if (bytes.length > maxPointerBytes) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const [, sha256, size] = written.exec(text) ?? [];
  const sizeBytes = Number(size);
  if (sha256 !== undefined && Number.isSafeInteger(sizeBytes)) return { sha256, sizeBytes };
  if (!looksLikeOne.test(text)) return undefined;
  if (extension.test(text)) throw unsupported(`${path}: an LFS pointer with extensions`);
  throw malformed(
    `${path}: begins as an LFS pointer and is none: "${version}", oid sha256:HEX and size wanted, a line each`,
  );
}
