/**
 * What a manifest lets into the mesh, explained: its policies by the auditor's deployment file, its other values by the
 * auditor's profile. The same for a candidate out of a file and for the manifest that a Coordinator enforces.
 */

import type { Answers } from "../claims/answer.ts";
import { type Answer, all, type Origin } from "../claims/answer.ts";
import { type Judged, judge } from "../claims/subject.ts";
import { owedIds } from "../claims/verdict.ts";
import { PmError } from "../errors.ts";
import type { Json, Reader } from "../report/report.ts";
import { explainValues, type ManifestValues, unexplained } from "../verifiers/contrast/explained.ts";
import { explainedManifest } from "../verifiers/contrast/explained-claims.ts";
import type { DecodedManifest } from "../verifiers/contrast/index.ts";
import { notProvenByPolicies } from "../verifiers/kata/not-proven.ts";
import { bodiesByDigest } from "../verifiers/kata/workload.ts";
import type { manifestKeys } from "../verifiers/kata/workload-claims.ts";
import { vouchesForApeip } from "./ap-measurement.ts";
import { assurance } from "./assurance-claims.ts";
import { auditDisks, type DisksAudit, type DisksPlan } from "./disks.ts";
import { type AssurancePlan, assured, readersOf } from "./readers.ts";
import {
  auditWorkloads,
  type Enforced,
  heldOrigin,
  unreadManifest,
  type WorkloadsAudit,
  type WorkloadsPlan,
} from "./workloads.ts";

export interface ContentPlan {
  readonly workloads: WorkloadsPlan;
  /** What the profile says of the other values; undefined: they are not asked about. */
  readonly values: ManifestValues | undefined;
  readonly assurance: AssurancePlan | undefined;
  /** Image digests, `sha256:` and hex, that the auditor vouches for. */
  readonly pinnedImages: ReadonlySet<string>;
  /** Model disks, and who wrote the profile; undefined: not asked about. */
  readonly disks?: { readonly plan: DisksPlan; readonly profile: Origin };
}

export interface Content {
  /** What the subject "manifest" answers; the caller adds what it knows of the manifest's form. */
  readonly keys: Answers<typeof manifestKeys>;
  /** Deployment, workloads and containers, values, images. */
  readonly judged: readonly Judged[];
  /** Those of them that explain the manifest: transcription, not safety. */
  readonly explaining: readonly Judged[];
  readonly evidence: { readonly [subject: string]: Json };
  readonly notProven: readonly string[];
  readonly readers: readonly Reader[];
  readonly disks: DisksAudit | undefined;
}

/** A manifest that was read, who vouches for it, and the policy bodies at hand; or why there is none. */
export type Given =
  | { readonly manifest: DecodedManifest; readonly origin: Origin; readonly bodies: readonly Uint8Array[] }
  | { readonly blocked: Answer<never> };

/** Pure; never throws for what is in the manifest or a body. */
export function auditContent(plan: ContentPlan, given: Given): Content {
  const manifest = "blocked" in given ? undefined : given.manifest.manifest;
  const enforced: Enforced =
    "blocked" in given
      ? given
      : manifest === undefined
        ? { blocked: unreadManifest }
        : { entries: manifest.policies, origin: given.origin, bodies: given.bodies };
  const workloads = auditWorkloads(plan.workloads, enforced);
  const values = plan.values === undefined ? [] : [valuesOf(plan.values, given)];
  const readers =
    "blocked" in enforced ? [] : readersOf(enforced.entries, bodiesByDigest(enforced.bodies), plan.pinnedImages);
  const images = judge(
    {
      name: "images",
      catalogue: assurance,
      pinned: new Set(plan.assurance === undefined ? [] : ["chain.assurance.images"]),
    },
    "blocked" in enforced
      ? all(assurance, enforced.blocked)
      : { "chain.assurance.images": assured(readers, plan.assurance) },
  );
  const disks = disksOf(plan, workloads);
  return {
    keys: workloads.keys,
    judged: [...values, images, ...workloads.judged, ...workloads.safety, ...(disks?.judged ?? [])],
    explaining: [...values, ...workloads.judged],
    evidence: { ...workloads.evidence, ...disks?.evidence },
    notProven: [...notProvenByPolicies, ...workloads.notProven, ...(disks?.notProven ?? [])],
    readers,
    disks,
  };
}

function disksOf(
  { disks, workloads: { file, safety, references } }: ContentPlan,
  audited: WorkloadsAudit,
): DisksAudit | undefined {
  if (disks === undefined) return undefined;
  // The profile was refused without them.
  if (safety === undefined) throw new PmError("PM_BUG", "model disks without rules that say what a disk mounter is");
  return auditDisks({
    ...disks,
    workloads: audited.workloads,
    rules: safety,
    imageConfigs: references.imageConfigs,
    deployment: heldOrigin(file),
    explained: audited.judged,
  });
}

function valuesOf(values: ManifestValues, given: Given): Judged {
  const subject = { name: "manifest values", catalogue: explainedManifest, pinned: new Set<string>() };
  if ("blocked" in given) return judge(subject, all(explainedManifest, given.blocked));
  const { manifest } = given.manifest;
  return judge(
    subject,
    manifest === undefined
      ? unexplained(explainedManifest)
      : explainValues(manifest, values, given.manifest.rules, "manifest", vouchesForApeip),
  );
}

/** Owed claims that did not pass: while there is one, the manifest is not explained. */
export const openClaims = (judged: readonly Judged[]): string[] =>
  judged.flatMap((j) => {
    const owed = new Set(owedIds(j, new Set()));
    return j.claims
      .filter((c) => owed.has(c.id) && c.status !== "pass")
      .map((c) => `${c.id} of ${c.subject} is ${c.status}`);
  });
