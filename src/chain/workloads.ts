/**
 * What runs in the mesh: deployment file, manifest entries and policy bodies against each other. Which subjects there
 * are is read off the auditor's deployment file, so neither manifest nor bodies can shorten the list.
 */
import { type Answer, all, cannot, type Origin } from "../claims/answer.ts";
import { type Judged, judge } from "../claims/subject.ts";
import type { Json } from "../report/report.ts";
import type { PolicyEntry } from "../verifiers/contrast/index.ts";
import { verifySafety } from "../verifiers/kata/safety.ts";
import { notProvenBySafety } from "../verifiers/kata/safety-claims.ts";
import type { SafetyRules } from "../verifiers/kata/safety-types.ts";
import { keysExplained, verifyDeployment } from "../verifiers/kata/verify-deployment.ts";
import { blockedWorkload, bodiesByDigest, verifyWorkload } from "../verifiers/kata/workload.ts";
import { deployment, manifestKeys } from "../verifiers/kata/workload-claims.ts";
import type { ManifestEntry, References } from "../verifiers/kata/workload-types.ts";

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Lower-case hex. */
  readonly sha256: string;
}
export interface WorkloadsPlan {
  /** Kubernetes YAML that the auditor holds. */
  readonly file: NamedBytes;
  /** What the auditor vouches for beside it. */
  readonly references: Omit<References, "deployment" | "manifest">;
  /** The service's rules of what is safe to run; undefined: none are known for it. */
  readonly safety: SafetyRules | undefined;
}

/** The manifest as far as policies go: its entries, or why they are not there. */
export type Enforced =
  | { readonly entries: readonly PolicyEntry[]; readonly origin: Origin; readonly bodies: readonly Uint8Array[] }
  | { readonly blocked: Answer<never> };

export interface WorkloadsAudit {
  /** Subjects "deployment" and each workload with its containers: does the policy say what the file says. */
  readonly judged: readonly Judged[];
  /** What is safe of each workload; empty when no rules are known for the service. */
  readonly safety: readonly Judged[];
  /** What the subject "manifest" answers. */
  readonly keys: ReturnType<typeof keysExplained>;
  readonly evidence: { readonly [subject: string]: Json };
  readonly notProven: readonly string[];
}

export const heldOrigin = ({ name, sha256 }: NamedBytes): Origin => ({ kind: "pinned", file: name, sha256 });

/** Pure; never throws for what is in the deployment file, the manifest or a body. */
export function auditWorkloads(plan: WorkloadsPlan, enforced: Enforced): WorkloadsAudit {
  const origin = heldOrigin(plan.file);
  const { file, answers, workloads } = verifyDeployment(plan.file.bytes, origin, plan.file.name);
  const bodies = bodiesByDigest("blocked" in enforced ? [] : enforced.bodies);
  const judgements = workloads.map((w) =>
    "blocked" in enforced
      ? blockedWorkload(w, enforced.blocked)
      : verifyWorkload(w, enforced.entries.map(entryOf), bodies, {
          ...plan.references,
          deployment: origin,
          manifest: enforced.origin,
        }),
  );
  const { safety: rules, references } = plan;
  const safety =
    rules === undefined ? [] : workloads.map((w) => verifySafety(w, rules, { ...references, deployment: origin }));
  const outside = file?.workloads.filter((w) => !w.confidential) ?? [];
  return {
    judged: [
      judge({ name: "deployment", catalogue: deployment, pinned: new Set() }, answers),
      ...judgements.flatMap((j) => j.judged),
    ],
    safety: safety.map((s) => s.judged),
    keys:
      "blocked" in enforced
        ? all(manifestKeys, enforced.blocked)
        : keysExplained(enforced.entries.map(entryOf), file, { deployment: origin, manifest: enforced.origin }),
    evidence: {
      deployment: {
        sha256: plan.file.sha256,
        workloads: workloads.map((w) => w.workloadSecretId),
        otherObjects: file?.others ?? null,
      },
      ...Object.assign({}, ...judgements.map((j) => j.evidence)),
      ...Object.fromEntries(safety.map((s) => [s.judged.subject.name, s.evidence])),
    },
    notProven: [
      ...(rules === undefined ? [noRules] : notProvenBySafety),
      ...(outside.length === 0
        ? []
        : [
            `Outside: these workloads run under no confidential runtime class, and no policy binds them: ${outside.map((w) => w.objectId).join(", ")}`,
          ]),
    ],
  };
}

/** Contrast looks a policy up by lower-case hex, so a key in another case names none. */
export const entryOf = ({ key, workloadSecretId, role, sans, at }: PolicyEntry): ManifestEntry => ({
  key,
  workloadSecretId,
  role,
  sans,
  at,
});

const noRules =
  "Safety: no rules are known of what is safe to run in this service. That a policy says what the deployment file says proves transcription, not safety.";

/** What a manifest says that cannot be read in one way. */
export const unreadManifest = cannot("not answered: the manifest could not be read in one way");
