/** `pm policy check`: deployment file, manifest and policy bodies out of files, and the report on them. */
import { auditPolicies } from "../chain/policy-check.ts";
import type { Input } from "../input.ts";
import { composeReport } from "../report/compose.ts";
import type { Report } from "../report/report.ts";
import { rfc } from "../time.ts";
import { manifestRules } from "../verifiers/contrast/rules.ts";
import { policyBodies } from "./policy-bodies.ts";
import { type PolicyFlags, policyReferences } from "./policy-inputs.ts";

export interface PolicyCheck {
  readonly deployment: Input;
  readonly manifest: Input;
  /** A folder or a bundle. */
  readonly policies: string;
  readonly flags: PolicyFlags;
  /** Undefined: the default version's rules. */
  readonly contrastVersion: string | undefined;
  readonly at: Date;
  readonly toolVersion: string;
}

/** @throws PmError PM_USAGE for files and flags that cannot be used */
export async function checkPolicies(check: PolicyCheck): Promise<Report> {
  const rules = manifestRules(check.contrastVersion);
  const audited = auditPolicies({
    deployment: check.deployment,
    manifest: check.manifest,
    rules,
    bodies: await policyBodies(check.policies),
    references: await policyReferences(check.flags),
  });
  return composeReport({
    audited,
    target: `${check.deployment.name}, ${check.manifest.name}, rules of Contrast ${rules.version}`,
    scope: "policies",
    judgedAt: rfc(check.at),
    capturedAt: null,
    freshness: "not asked: files",
    profileSha256: null,
    bundleSha256: null,
    relaxations: [],
    rules: { waivers: [], promoted: new Set(), now: check.at },
    toolVersion: check.toolVersion,
  });
}
