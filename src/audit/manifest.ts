/** `pm manifest check`: a manifest file by itself. */
import { judge } from "../claims/subject.ts";
import type { Input } from "../input.ts";
import { composeReport } from "../report/compose.ts";
import type { Report } from "../report/report.ts";
import { rfc } from "../time.ts";
import { manifestFile } from "../verifiers/contrast/claims.ts";
import { verifyManifest } from "../verifiers/contrast/manifest-file.ts";
import { manifestRules } from "../verifiers/contrast/rules.ts";

export interface ManifestCheck {
  readonly input: Input;
  /** Undefined: the default version's rules. */
  readonly contrastVersion: string | undefined;
  readonly at: Date;
  readonly toolVersion: string;
}

/** @throws PmError PM_USAGE for a Contrast version whose rules are not known */
export function checkManifest({ input, contrastVersion, at, toolVersion }: ManifestCheck): Report {
  const rules = manifestRules(contrastVersion);
  const { answers, evidence } = verifyManifest(input.bytes, rules, input.name);
  return composeReport({
    audited: {
      judged: [judge({ name: "manifest", catalogue: manifestFile, pinned: new Set() }, answers)],
      // The shape that a Coordinator's evidence has, so that both hashes are found in one place.
      evidence: { manifest: { manifest: evidence } },
      anchors: [],
      notProven: [
        "that any Coordinator enforces this manifest: ask pm verify or pm coordinator attest",
        "that its policies and measurements are the ones of a reviewed source",
      ],
    },
    target: `${input.name}, rules of Contrast ${rules.version}`,
    scope: "manifest",
    judgedAt: rfc(at),
    capturedAt: null,
    freshness: "not asked: a file",
    profileSha256: null,
    bundleSha256: null,
    relaxations: [],
    rules: { waivers: [], promoted: new Set(), now: at },
    toolVersion,
  });
}
