/** A manifest by itself: no Coordinator, no reference. */
import type { Answers } from "../../claims/answer.ts";
import type { Json } from "../../report/report.ts";
import type { manifestFile } from "./claims.ts";
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
