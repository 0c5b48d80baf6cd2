/** Images in memory, and what a listing says of one, with the digest of each file. */
import { createHash } from "node:crypto";
import { type ErofsNode, type MadeErofs, makeErofs } from "../../../../fixtures/generator/erofs.ts";
import { erofsStates, sampleTree } from "../../../../fixtures/generator/erofs-damage.ts";
import { prng } from "../../../../fixtures/generator/prng.ts";
import { PmError } from "../../../../src/errors.ts";
import { type ErofsTree, type Image, listErofs } from "../../../../src/verifiers/verity/erofs/index.ts";

/** Refuses what the reader must not ask for: bytes outside the image. */
export const imageOf = (bytes: Uint8Array, name = "test image"): Image => ({
  name,
  sizeBytes: bytes.length,
  read: (offset, length) => {
    if (offset < 0 || length < 0 || offset + length > bytes.length)
      throw new Error(`read of ${length} bytes at ${offset}, of ${bytes.length}`);
    return bytes.slice(offset, offset + length);
  },
});
export const listed = (bytes: Uint8Array): ErofsTree => listErofs(imageOf(bytes));
export const made = (root: ErofsNode): MadeErofs => makeErofs(root);
export const sample: MadeErofs = makeErofs(sampleTree(prng("erofs")));
export const states = erofsStates(prng("erofs"));

/** The error that a listing ends with. */
export function refusal(bytes: Uint8Array): PmError {
  try {
    listed(bytes);
  } catch (error) {
    if (error instanceof PmError) return error;
    throw error;
  }
  throw new Error("was listed");
}
/** `erofs-range: message`, or `unsupported: message`. */
export function refused(bytes: Uint8Array): string {
  const { code, reasonCode, message } = refusal(bytes);
  return `${code === "PM_EVIDENCE_UNSUPPORTED" ? "unsupported" : reasonCode}: ${message}`;
}

/** All that a listing says, as one text. */
export function contentOf(bytes: Uint8Array): string {
  const lines = listed(bytes).entries.map(({ extents, nid: _nid, ...entry }) => {
    const hash = createHash("sha256");
    for (const { offset, length } of extents)
      hash.update(offset === undefined ? new Uint8Array(length) : bytes.subarray(offset, offset + length));
    return JSON.stringify({ ...entry, sha256: hash.digest("hex") });
  });
  return lines.join("\n");
}
/** The same, or the refusal. Anything but a PmError is thrown on. */
export function outcome(bytes: Uint8Array): string {
  try {
    return contentOf(bytes);
  } catch (error) {
    if (error instanceof PmError && error.code.startsWith("PM_EVIDENCE")) return `refused: ${error.message}`;
    throw error;
  }
}
