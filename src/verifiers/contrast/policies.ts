/** Policy bodies against manifest keys: a body is authenticated by nothing but its SHA-256 being a key of an attested manifest. */
import { createHash } from "node:crypto";
import { hex } from "../../bytes/hex.ts";
import { type Answer, broken, cannot, equal, holds, type Origin, observed } from "../../claims/answer.ts";
import type { DecodedManifest, Manifest } from "./model.ts";
import type { AttestedPolicy } from "./types.ts";

export interface PolicyBodies {
  /** Hash (lower-case hex) of each body, in the response's order. */
  readonly hashes: readonly string[];
  readonly byHash: ReadonlyMap<string, Uint8Array>;
}

export function policyBodies(bodies: readonly Uint8Array[]): PolicyBodies {
  const hashes = bodies.map((body) => hex(createHash("sha256").update(body).digest()));
  return { hashes, byHash: new Map(bodies.map((body, i) => [hashes[i] ?? "", body])) };
}

const list = (hashes: Iterable<string>): string => [...hashes].sort().join(", ") || "none";

/** Every key of the latest manifest has a body. */
export function policiesComplete(
  manifest: Manifest,
  origin: Origin,
  bodies: PolicyBodies,
): Answer<"policy-body-missing"> {
  const keys = [...new Set(manifest.policies.map((p) => p.key.toLowerCase()))];
  if (keys.length === 0) return cannot("the manifest has no policies");
  const there = keys.filter((key) => bodies.byHash.has(key));
  return equal(
    { value: list(keys), origin, at: "/Policies" },
    observed(list(there), "response", "SHA-256 of /policies"),
    "policy-body-missing",
  );
}

/**
 * Every body is a key of some manifest of the history, once. Keys of earlier manifests count, since the Coordinator
 * sends the bodies of the whole history; then it is no longer the latest manifest's origin alone that vouches.
 * @param earlier whose word the earlier manifests are: evidence once they are bound to the report, else the audited party's
 */
export function policiesKnown(
  latest: DecodedManifest,
  history: readonly DecodedManifest[],
  origin: Origin,
  earlier: Origin,
  bodies: PolicyBodies,
): Answer<"policy-body-surplus"> {
  if (bodies.hashes.length === 0) return cannot("the response has no policy bodies");
  const present = new Set(latest.policyKeys);
  const all = new Set(history.flatMap((m) => m.policyKeys));
  const byLatest = bodies.hashes.every((hash) => present.has(hash));
  const surplus = bodies.hashes.filter((hash) => !all.has(hash));
  const seen = new Set<string>();
  const twice = bodies.hashes.filter((hash) => seen.size === seen.add(hash).size);
  const reasons = [
    surplus.length > 0 ? `named by no manifest: ${list(surplus)}` : "",
    twice.length > 0 ? `sent twice: ${list(twice)}` : "",
  ].filter((r) => r !== "");
  if (all.size === 0) return broken("no manifest of the history names a policy", "policy-body-surplus");
  return holds(
    surplus.length === 0 && twice.length === 0,
    {
      value: list(byLatest ? present : all),
      origin: byLatest || origin.kind === "audited-party" ? origin : earlier,
      at: byLatest ? "/Policies" : "/Policies of all manifests",
    },
    observed(list(bodies.hashes), "response", "SHA-256 of /policies"),
    "policy-body-surplus",
    reasons.join("; "),
  );
}

/** For the initdata verifier: one entry a policy of the latest manifest, in its order. */
export const attestedPolicies = (manifest: Manifest, origin: Origin, bodies: PolicyBodies): AttestedPolicy[] =>
  manifest.policies.map((entry) => {
    const key = entry.key.toLowerCase();
    return { key: { value: key, origin, at: entry.at }, entry, body: bodies.byHash.get(key) };
  });
