/**
 * Which model disks the deployment mounts, and what is known of each: the mounters of the auditor's deployment file, the
 * audited party's list, and what the auditor holds. Neither list nor images can shorten the subjects. None of it explains
 * a manifest: that a policy says what the file says is one thing, what the file's disks hold is another.
 */
import type { Origin } from "../claims/answer.ts";
import { type Judged, judge } from "../claims/subject.ts";
import type { Json, ModelRow } from "../report/report.ts";
import type { Workload } from "../verifiers/kata/deployment.ts";
import { type MounterFacts, mounterFacts } from "../verifiers/kata/mounters.ts";
import type { SafetyRules } from "../verifiers/kata/safety-types.ts";
import type { HeldImageConfig } from "../verifiers/kata/workload-types.ts";
import { verifyDisk } from "../verifiers/verity/disk.ts";
import { modelDisk, modelFile } from "../verifiers/verity/disk-claims.ts";
import type { DiskInputs, HeldDisk } from "../verifiers/verity/disk-types.ts";
import { verifyModelList } from "../verifiers/verity/model-list.ts";
import type { ModelsForm } from "../verifiers/verity/models.ts";
import { modelRow } from "./model-rows.ts";
import type { NamedBytes } from "./workloads.ts";

/** What the profile names, with the images measured. */
export interface DisksPlan {
  readonly form: ModelsForm;
  readonly list: NamedBytes;
  readonly held: readonly HeldDisk[];
}
export interface DisksInputs {
  readonly plan: DisksPlan;
  /** Confidential workloads of the deployment file; undefined: it could not be read. */
  readonly workloads: readonly Workload[] | undefined;
  readonly rules: SafetyRules;
  readonly imageConfigs: ReadonlyMap<string, HeldImageConfig>;
  readonly deployment: Origin;
  readonly profile: Origin;
  /** Claims about workloads and containers, for what a row may say of a policy. */
  readonly explained: readonly Judged[];
}
export interface DisksAudit {
  readonly judged: readonly Judged[];
  readonly rows: readonly ModelRow[];
  readonly evidence: { readonly [subject: string]: Json };
  readonly notProven: readonly string[];
  /** What the run recomputed, in place of the sentence that it recomputed nothing; empty: all of them. */
  readonly recomputed: readonly string[];
}

/** Pure; never throws for what is in the deployment file, the list or an image. */
export function auditDisks({
  plan,
  workloads,
  rules,
  imageConfigs,
  deployment,
  profile,
  explained,
}: DisksInputs): DisksAudit {
  const mounters = workloads?.flatMap((w) => mounterFacts(w, rules, deployment, imageConfigs));
  const roots = (mounters ?? []).flatMap(({ disk }) => ("reason" in disk ? [] : [disk.rootHash]));
  const modelsOrigin: Origin = { kind: "audited-party", name: plan.list.name };
  const list = verifyModelList({
    bytes: plan.list.bytes,
    name: plan.list.name,
    form: plan.form,
    origin: modelsOrigin,
    deployment,
    profile,
    held: plan.held,
    mounted: mounters === undefined ? undefined : { roots, mounters: mounters.length },
  });
  const inputs: DiskInputs = {
    models: list.models,
    modelsOrigin,
    deployment,
    profile,
    rules: { kind: "profile", name: `rules of ${rules.name}` },
    held: plan.held,
  };
  const names = namesOf(mounters ?? []);
  const disks = (mounters ?? []).map((mounter, i) => {
    const { answers, pinned, ...facts } = verifyDisk(mounter, inputs);
    const name = names[i] ?? mounter.container;
    const judged = judge({ name, catalogue: modelDisk, pinned }, answers);
    return { name, judged, mounter, ...facts };
  });
  const asked = new Set(plan.held.length === 0 ? [] : ["verity.models.asked"]);
  return {
    judged: [
      judge({ name: "model disks", catalogue: modelFile, pinned: asked }, list.answers),
      ...disks.map((d) => d.judged),
    ],
    rows: disks.map((d) => modelRow(d, explained)),
    evidence: {
      "model disks": {
        form: plan.form,
        sha256: plan.list.sha256,
        entries:
          list.models?.entries.map(({ name, source, commit, rootHash }) => ({ name, source, commit, rootHash })) ??
          null,
      },
      ...Object.fromEntries(disks.map((d) => [d.name, evidenceOf(d)])),
    },
    notProven: notProvenByDisks,
    recomputed: recomputedText(disks.map((d) => d.judged)),
  };
}

function recomputedText(disks: readonly Judged[]): string[] {
  const done = disks.filter((d) => d.claims.some((c) => c.id === "verity.disk.rebuilt" && c.status === "pass")).length;
  return disks.length > 0 && done === disks.length
    ? []
    : [
        `Model disks: root hashes of ${done} of ${disks.length} were recomputed in this run, from images of the auditor.`,
      ];
}

/** Two mounters of one pod can name one disk: their container tells them apart. */
function namesOf(mounters: readonly MounterFacts[]): string[] {
  const names = mounters.map(({ disk, container, workload }) =>
    "reason" in disk
      ? `disk of container ${container} of ${workload}`
      : `disk ${disk.model}-${disk.index} of ${workload}`,
  );
  return names.map((name, i) =>
    names.filter((n) => n === name).length === 1 ? name : `${name}, container ${mounters[i]?.container}`,
  );
}

interface Audited {
  readonly mounter: MounterFacts;
  readonly entry: ReturnType<typeof verifyDisk>["entry"];
  readonly held: HeldDisk | undefined;
}

function evidenceOf({ mounter, entry, held }: Audited): Json {
  const { disk } = mounter;
  const image = held?.image;
  return {
    workload: mounter.workload,
    container: mounter.container,
    image: mounter.image,
    at: mounter.where,
    ownCommand: mounter.overridden,
    disk: "reason" in disk ? null : { ...disk },
    devices: mounter.devices.map((d) => ({ path: d.path, claim: d.claim ?? null, at: d.where })),
    readers: mounter.readers.map((r) => ({ container: r.container, paths: [...r.names], at: r.where })),
    remoteCode: [...mounter.remoteCode],
    entry:
      entry === undefined
        ? null
        : { name: entry.name, source: entry.source, commit: entry.commit, excluded: entry.excluded, at: entry.where },
    measured:
      image === undefined || "problem" in image
        ? null
        : {
            file: image.name,
            sizeBytes: image.sizeBytes,
            dataBytes: image.dataBytes,
            rootHash: image.rootHash,
            otherLayoutRootHash: image.otherRootHash ?? null,
          },
  };
}

/** What no root hash shows. */
const notProvenByDisks: readonly string[] = [
  "Model disks: the disk mounter takes salt, algorithm and block count from the disk's own superblock and only the root hash is pinned; the same root holds for the tree one level shorter, with hash blocks as data, which is no EROFS file system.",
  "Model disks: bytes behind the verity area are covered by no hash, and file_hash_sha256 of the list was not computed.",
  "Models: that the files of a commit are the model that its name promises, how it was trained and how well it answers, no hash shows.",
  "Models: names of workloads, disks and entries are the operator's; a disk is known by its root hash alone.",
];
