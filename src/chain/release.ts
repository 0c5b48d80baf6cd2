/** Deployment file, candidate manifest and policy bodies out of files: what a gate before deployment asks. No Coordinator takes part. */
import { judge } from "../claims/subject.ts";
import { PmError } from "../errors.ts";
import type { Audited } from "../report/report.ts";
import { manifestReading } from "../verifiers/contrast/claims.ts";
import { manifestRules, verifyManifest } from "../verifiers/contrast/index.ts";
import { decodeDeployment } from "../verifiers/kata/deployment.ts";
import { decodeAnnotation } from "../verifiers/kata/index.ts";
import { bodiesByDigest } from "../verifiers/kata/workload.ts";
import { manifestKeys } from "../verifiers/kata/workload-claims.ts";
import { auditContent, type ContentPlan } from "./content.ts";
import { heldOrigin, type NamedBytes } from "./workloads.ts";

export interface ReleasePlan extends ContentPlan {
  readonly manifest: NamedBytes;
  /** Whose manifest rules hold, such as v1.20. */
  readonly contrastVersion: string;
  readonly bodies: readonly Uint8Array[];
}

/** What the subject "manifest" owes here. */
const candidate = { ...manifestReading, ...manifestKeys };

const enforcement =
  "Enforcement: that a guest runs under one of these policies is shown by its attestation alone: pm verify.";

/** Pure; never throws for what is in the deployment file, the manifest or a body. */
export function auditRelease(plan: ReleasePlan): Audited {
  const { answers, manifest, evidence } = verifyManifest(
    plan.manifest.bytes,
    manifestRules(plan.contrastVersion),
    plan.manifest.name,
  );
  const { keys, judged, ...content } = auditContent(plan, {
    manifest,
    origin: heldOrigin(plan.manifest),
    bodies: plan.bodies,
  });
  const subject = judge(
    { name: "manifest", catalogue: candidate, pinned: new Set() },
    {
      "contrast.manifest.format": answers["contrast.manifest.format"],
      "contrast.manifest.unambiguous": answers["contrast.manifest.unambiguous"],
      "contrast.manifest.valid": answers["contrast.manifest.valid"],
      ...keys,
    },
  );
  const named = new Set(manifest.manifest?.policies.map((p) => p.key));
  return {
    judged: [subject, ...judged],
    evidence: {
      ...content.evidence,
      manifest: evidence,
      bodies: {
        given: plan.bodies.length,
        // A folder of several releases holds such bodies: nothing of them is judged.
        inNoManifestEntry: [...bodiesByDigest(plan.bodies).keys()].filter((key) => !named.has(key)),
      },
    },
    anchors: [],
    notProven: [...content.notProven, ...(content.disks?.recomputed ?? []), enforcement],
    readers: content.readers,
    ...(content.disks === undefined ? {} : { models: content.disks.rows }),
  };
}

/** Bodies that stand in the deployment file itself, as `contrast generate` leaves them; what is broken in it its own claims say. */
export function annotatedBodies({ bytes, name }: NamedBytes): Uint8Array[] {
  const none = (error: unknown): [] => {
    if (!(error instanceof PmError)) throw error;
    return [];
  };
  try {
    return decodeDeployment(bytes, name).workloads.flatMap(({ initdata }) => {
      try {
        return initdata === undefined ? [] : [decodeAnnotation(initdata.text)];
      } catch (error) {
        return none(error);
      }
    });
  } catch (error) {
    return none(error);
  }
}
