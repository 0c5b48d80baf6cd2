/** A manifest by itself: no Coordinator, no reference. */
import { type Answers, all, cannot, type Sourced, unavailable } from "../../claims/answer.ts";
import type { Json } from "../../report/report.ts";
import type { Response } from "../../run.ts";
import { expectedManifest } from "./arrival.ts";
import { type manifestFile, publishedManifest } from "./claims.ts";
import { manifestFacts } from "./facts.ts";
import { findings, reading } from "./findings.ts";
import { decodeManifest } from "./manifest.ts";
import type { DecodedManifest } from "./model.ts";
import type { ManifestRules } from "./rules.ts";

export interface ManifestJudgement {
  readonly answers: Answers<typeof manifestFile>;
  readonly evidence: Json;
  readonly manifest: DecodedManifest;
}

/** @param name of the file, for places */
export function verifyManifest(bytes: Uint8Array, rules: ManifestRules, name = "manifest"): ManifestJudgement {
  const manifest = decodeManifest(bytes, rules);
  return {
    answers: { ...reading(manifest, name), ...findings(manifest.manifest, name) },
    evidence: manifestFacts(manifest),
    manifest,
  };
}

export interface PublishedJudgement {
  readonly answers: Answers<typeof publishedManifest>;
  readonly evidence: Json;
}

/**
 * The manifest that the audited party publishes, where its Coordinator could not be asked: the static part.
 * @param reference SHA-256 of the expected manifest, and who vouches for it
 */
export function verifyPublished(
  response: Response,
  rules: ManifestRules,
  reference: Sourced | undefined,
): PublishedJudgement {
  if (response.status !== "ok") {
    const answer = response.status === "unavailable" ? unavailable(response.reason) : cannot(response.reason);
    return { answers: all(publishedManifest, answer), evidence: null };
  }
  const { answers, evidence, manifest } = verifyManifest(response.bytes, rules, "published manifest");
  return {
    answers: { ...answers, "contrast.manifest.expected": expectedManifest(manifest, reference, "published manifest") },
    evidence,
  };
}
