/** Which commits hold a deployment file with the image digests and disk roots of the policies that a manifest lists. */
import { PmError } from "../errors.ts";
import type { RepositoryFiles } from "../measure/git-files.ts";
import type { FoundCommit, SourceFound, UnreadTag } from "../report/source-found.ts";
import { decodeManifest, type ManifestRules } from "../verifiers/contrast/index.ts";
import { decodeDeployment } from "../verifiers/kata/deployment.ts";
import {
  type Difference,
  differencesOf,
  factsOfDeployment,
  factsOfPolicy,
  injectedIn,
  type WorkloadFacts,
} from "../verifiers/kata/release-facts.ts";
import { bodiesByDigest } from "../verifiers/kata/workload.ts";

export interface SourcePlan {
  readonly manifest: Uint8Array;
  readonly rules: ManifestRules;
  readonly bodies: readonly Uint8Array[];
  readonly paths: readonly string[];
  readonly files: RepositoryFiles;
}

const notCompared = [
  "Arguments, environment, rights and mounts of containers, and the text of the rules: pm policy check with deployment.yaml of that commit.",
  "Workloads under no confidential runtime class: no policy binds them.",
  "Whether the manifest is the one in force: pm verify, or pm coordinator attest.",
  "Whether images were built from that commit.",
  "A tag can be moved by whoever holds the repository: pin the commit id.",
];
const sha1Note =
  "Commit ids of this repository are SHA-1. Each object's id was computed again from its bytes; SHA-1 does not withstand collisions that somebody makes on purpose.";

/** Pure; never throws for what is in the manifest, a body or a file of the repository. */
export function findSource(plan: SourcePlan): SourceFound {
  const manifest = decodeManifest(plan.manifest, plan.rules);
  const { workloads, problems, notAttested } = attestedFacts(plan, manifest.manifest?.policies);
  const containers = workloads.flatMap((w) => w.containers);
  const { files } = plan;
  const compared = problems.length > 0 ? [] : comparedCommits(plan, workloads);
  const read = compared.filter((c) => "differences" in c);
  const unreadable = compared.filter((c) => "code" in c);
  const exact = read.filter((c) => c.differences.length === 0);
  const near = nearestOf(read);
  const open = unreadable.some((u) => !u.ruledOut) || files.beyondLimit > 0 || read.length === 0;
  const added = near === undefined ? [] : injectedIn(near.facts, workloads);
  return {
    outcome: exact.length > 0 ? "found" : open ? "unknown" : "none",
    objectFormat: files.format,
    paths: plan.paths,
    attested: {
      manifestSha256: manifest.sha256,
      workloads: workloads.length,
      images: containers.length - added.length,
      diskRoots: containers.filter((c) => c.disk !== undefined).length,
      problems,
      notAttested,
      injected: added,
    },
    matches: exact.map((c) => c.commit),
    nearest: exact.length > 0 || near === undefined ? null : { ...near.commit, differences: near.differences },
    unreadable,
    counts: {
      tags: files.commits.length,
      compared: read.length,
      unreadable: unreadable.length,
      beyondLimit: files.beyondLimit,
    },
    notCompared: [...notCompared, ...(files.format === "sha1" ? [sha1Note] : [])],
  };
}

interface Attested {
  readonly workloads: readonly WorkloadFacts[];
  readonly problems: readonly string[];
  readonly notAttested: readonly string[];
}

/** A key without a body that can be read is a problem: with it nothing can be said to be the same. */
function attestedFacts(
  { bodies: given }: SourcePlan,
  entries: readonly { readonly key: string; readonly workloadSecretId: string }[] | undefined,
): Attested {
  const bodies = bodiesByDigest(given);
  if (entries === undefined)
    return { workloads: [], problems: ["the manifest is malformed, or can be read in two ways"], notAttested: [] };
  const workloads: WorkloadFacts[] = [];
  const problems: string[] = entries.length === 0 ? ["the manifest lists no policy"] : [];
  for (const { key, workloadSecretId } of entries) {
    const whose = `policy ${key} of ${workloadSecretId || "a workload without WorkloadSecretID"}`;
    const body = bodies.get(key);
    if (body === undefined) problems.push(`${whose}: no body with this digest was given`);
    else
      try {
        workloads.push({ workload: workloadSecretId || `key ${key}`, containers: factsOfPolicy(body) });
      } catch (error) {
        if (!(error instanceof PmError)) throw error;
        problems.push(`${whose}: ${error.message}`);
      }
  }
  const keys = new Set(entries.map((e) => e.key));
  return { workloads, problems, notAttested: [...bodies.keys()].filter((key) => !keys.has(key)) };
}

interface Compared {
  readonly commit: FoundCommit;
  readonly facts: readonly WorkloadFacts[];
  readonly differences: readonly Difference[];
}

/** Tags often share a file: each set of files is read once. */
function comparedCommits({ files, paths }: SourcePlan, attested: readonly WorkloadFacts[]): (Compared | UnreadTag)[] {
  const known = new Map<string, Pick<Compared, "facts" | "differences"> | { readonly reason: string }>();
  const readOnce = (ids: readonly string[]) => {
    const key = ids.join(" ");
    const found = known.get(key) ?? compare(ids, paths, files.blobs, attested);
    known.set(key, found);
    return found;
  };
  return files.commits.map((c): Compared | UnreadTag => {
    const place = { tag: c.name, ref: c.ref ?? null, commit: c.commit ?? null };
    if (c.commit === undefined || "code" in c.files) {
      const { code, reason } = "code" in c.files ? c.files : { code: "not-a-commit", reason: "names no commit" };
      return { ...place, code, reason, ruledOut: code === "file-absent" || code === "not-a-commit" };
    }
    const found = readOnce(c.files);
    if ("reason" in found) return { ...place, code: "file-malformed", reason: found.reason, ruledOut: false };
    const committedAt = new Date(c.time * 1000).toISOString().replace(".000Z", "Z");
    const { commit, tagObjects } = c;
    return { commit: { tag: place.tag, ref: place.ref, commit, tagObjects, committedAt }, ...found };
  });
}

function compare(
  ids: readonly string[],
  paths: readonly string[],
  blobs: ReadonlyMap<string, Uint8Array>,
  attested: readonly WorkloadFacts[],
): Pick<Compared, "facts" | "differences"> | { readonly reason: string } {
  try {
    const facts = ids.flatMap((id, i) => {
      const bytes = blobs.get(id);
      if (bytes === undefined) throw new PmError("PM_BUG", `file ${id} was not handed over`);
      return factsOfDeployment(decodeDeployment(bytes, paths[i]));
    });
    return { facts, differences: differencesOf(facts, attested) };
  } catch (error) {
    if (!(error instanceof PmError) || error.code === "PM_BUG") throw error;
    return { reason: error.message };
  }
}

/** The commits come newest first, so the newest of several counts. */
function nearestOf(read: readonly Compared[]): Compared | undefined {
  const least = Math.min(...read.map((c) => c.differences.length));
  return read.find((c) => c.differences.length === least);
}
