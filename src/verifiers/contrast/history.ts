/** Manifest history: a hash chain, oldest first (Contrast v1.20, manifest history). */
import { createHash } from "node:crypto";

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

export interface Transition {
  /** SHA-256 of the manifest's raw bytes. */
  readonly manifest: Uint8Array;
  /** Digest of the transition before; 32 zero bytes at first. */
  readonly previous: Uint8Array;
  /** SHA-256 of manifest || previous. */
  readonly digest: Uint8Array;
}

/** The whole chain: order and every byte of every manifest are in the last digest. */
export function transitions(manifests: readonly Uint8Array[]): Transition[] {
  let previous: Uint8Array = new Uint8Array(32);
  return manifests.map((bytes) => {
    const manifest = sha256(bytes);
    const transition = { manifest, previous, digest: sha256(manifest, previous) };
    previous = transition.digest;
    return transition;
  });
}

/** Digest of the last transition, 32 bytes; undefined for an empty history, which has none. */
export const latestTransition = (manifests: readonly Uint8Array[]): Uint8Array | undefined =>
  transitions(manifests).at(-1)?.digest;
