/** `pm policy check`: deployment file, manifest and policy bodies, as claims; no Coordinator takes part. */
import { type Answers, all, cannot, type Origin } from "../claims/answer.ts";
import { judge } from "../claims/subject.ts";
import type { Audited } from "../report/report.ts";
import { manifestReading } from "../verifiers/contrast/claims.ts";
import { type ManifestRules, verifyManifest } from "../verifiers/contrast/index.ts";
import { notProvenByPolicies } from "../verifiers/kata/not-proven.ts";
import { keysExplained, verifyDeployment } from "../verifiers/kata/verify-deployment.ts";
import { bodiesByDigest, verifyWorkload } from "../verifiers/kata/workload.ts";
import { deployment, manifestKeys } from "../verifiers/kata/workload-claims.ts";
import type { ManifestEntry, References } from "../verifiers/kata/workload-types.ts";

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Lower-case hex. */
  readonly sha256: string;
}
export interface PolicyPlan {
  readonly deployment: NamedBytes;
  readonly manifest: NamedBytes;
  readonly rules: ManifestRules;
  readonly bodies: readonly Uint8Array[];
  /** What the auditor vouches for beside the two files. */
  readonly references: Omit<References, "deployment" | "manifest">;
}

/** What the subject "manifest" owes here. */
const manifestPolicies = { ...manifestReading, ...manifestKeys };

const pinned = ({ name, sha256 }: NamedBytes): Origin => ({ kind: "pinned", file: name, sha256 });

/** Pure; never throws for what is in the deployment file, the manifest or a body. */
export function auditPolicies(plan: PolicyPlan): Audited {
  const origins = { deployment: pinned(plan.deployment), manifest: pinned(plan.manifest) };
  const file = verifyDeployment(plan.deployment.bytes, origins.deployment, plan.deployment.name);
  const manifest = verifyManifest(plan.manifest.bytes, plan.rules, plan.manifest.name);
  const entries = manifest.manifest.manifest?.policies.map(
    (p): ManifestEntry => ({
      // Contrast looks a policy up by lower-case hex, so a key in another case names none.
      key: p.key,
      workloadSecretId: p.workloadSecretId,
      role: p.role,
      at: p.at,
    }),
  );
  const bodies = bodiesByDigest(plan.bodies);
  const references = { ...plan.references, ...origins };
  const workloads = file.workloads.map((w) => verifyWorkload(w, entries ?? [], bodies, references));
  const { answers } = manifest;
  const manifestAnswers: Answers<typeof manifestPolicies> = {
    "contrast.manifest.format": answers["contrast.manifest.format"],
    "contrast.manifest.unambiguous": answers["contrast.manifest.unambiguous"],
    "contrast.manifest.valid": answers["contrast.manifest.valid"],
    ...(entries === undefined
      ? all(manifestKeys, cannot("not answered: the manifest could not be read in one way"))
      : keysExplained(entries, file.file, origins)),
  };
  const named = new Set(entries?.map((e) => e.key));
  const outside = file.file?.workloads.filter((w) => !w.confidential) ?? [];
  return {
    judged: [
      judge({ name: "deployment", catalogue: deployment, pinned: new Set() }, file.answers),
      judge({ name: "manifest", catalogue: manifestPolicies, pinned: new Set() }, manifestAnswers),
      ...workloads.flatMap((w) => w.judged),
    ],
    evidence: {
      deployment: {
        sha256: plan.deployment.sha256,
        workloads: file.workloads.map((w) => w.workloadSecretId),
        otherObjects: file.file?.others ?? null,
      },
      manifest: { sha256: plan.manifest.sha256, policies: entries?.map((e) => e.key) ?? null },
      bodies: {
        given: plan.bodies.length,
        // A folder of several releases holds such bodies: nothing of them is judged.
        inNoManifestEntry: [...bodies.keys()].filter((key) => !named.has(key)),
      },
      ...Object.assign({}, ...workloads.map((w) => w.evidence)),
    },
    anchors: [],
    notProven: [
      ...notProvenByPolicies,
      ...(outside.length === 0
        ? []
        : [
            `Outside: these workloads run under no confidential runtime class, and no policy binds them: ${outside.map((w) => w.objectId).join(", ")}`,
          ]),
    ],
  };
}
