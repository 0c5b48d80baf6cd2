/** `pm manifest diff`: what changed between two manifests, and in which direction. */
import type { Result } from "../command.ts";
import { usage } from "../errors.ts";
import type { Input } from "../input.ts";
import { type Comparison, comparisonJson, comparisonStatus, comparisonText } from "../report/changes.ts";
import { diffManifests } from "../verifiers/contrast/diff.ts";
import { decodeManifest } from "../verifiers/contrast/manifest.ts";
import type { DecodedManifest } from "../verifiers/contrast/model.ts";
import { type ManifestRules, manifestRules } from "../verifiers/contrast/rules.ts";

/**
 * @param versions Contrast versions: none, one for both, or one for each
 * @throws PmError PM_USAGE for a version whose rules are not known; PM_EVIDENCE_MALFORMED for a manifest that is not one
 * document to every reader
 */
export function manifestDiff(a: Input, b: Input, versions: readonly string[] = []): Result {
  const [rulesA, rulesB] = rulesOf(versions);
  const [before, after] = [decodeManifest(a.bytes, rulesA), decodeManifest(b.bytes, rulesB)];
  const comparison: Comparison = {
    a: { name: `${a.name}, rules of Contrast ${rulesA.version}`, sha256: before.sha256, problems: problemsOf(before) },
    b: { name: `${b.name}, rules of Contrast ${rulesB.version}`, sha256: after.sha256, problems: problemsOf(after) },
    ...diffManifests(before, after, [a.name, b.name]),
  };
  return {
    exitCode: comparisonStatus(comparison),
    json: () => comparisonJson(comparison),
    text: ({ width }) => comparisonText(comparison, width),
  };
}

function rulesOf([a, b = a, ...more]: readonly string[]): readonly [ManifestRules, ManifestRules] {
  if (more.length > 0)
    throw usage("--contrast-version: more than two", "give it once for both manifests, or twice: for A, then for B");
  return [manifestRules(a), manifestRules(b)];
}

/** Readable all the same: a manifest of the history may break rules, and still was in force. */
export const problemsOf = ({ problems }: DecodedManifest): string[] =>
  problems.slice(0, 50).map((p) => `${p.at || "/"} (line ${p.line}): ${p.message}`);
