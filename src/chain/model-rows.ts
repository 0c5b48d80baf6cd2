/** The headline of each model: what its disk's root is, where it stands, and how much of it the claims bear out. */
import type { Status } from "../claims/answer.ts";
import type { Judged } from "../claims/subject.ts";
import type { ModelRow, Proof } from "../report/report.ts";
import type { MounterFacts } from "../verifiers/kata/mounters.ts";
import type { HeldDisk } from "../verifiers/verity/disk-types.ts";
import type { ModelEntry } from "../verifiers/verity/models.ts";

export interface RowOf {
  readonly judged: Judged;
  readonly mounter: MounterFacts;
  readonly entry: ModelEntry | undefined;
  readonly held: HeldDisk | undefined;
}

/**
 * What makes an argument in a deployment file one that a policy enforces: the body is the manifest's, its rules and data
 * mean what they say, and the container is the mounter's image with these arguments.
 */
const enforcing = {
  workload: ["kata.workload.policy_found", "kata.rules.known", "kata.policy_data.single", "kata.policy_data.format"],
  container: ["kata.container.image", "kata.container.args"],
} as const;

/** A row says no more than its claims: a part is proven when all claims that it stands for passed. */
export function modelRow({ judged, mounter, entry, held }: RowOf, explained: readonly Judged[]): ModelRow {
  const { workload, container, disk } = mounter;
  const named = (name: string): Judged | undefined => explained.find((j) => j.subject.name === name);
  const statuses = (from: Judged | undefined, ids: readonly string[]): Status[] =>
    ids.map((id) => from?.claims.find((c) => c.id === id)?.status ?? "skip");
  const own = (id: string): Proof => together(statuses(judged, [id]));
  return {
    model: "reason" in disk ? container : `${disk.model}-${disk.index}`,
    workload,
    container,
    root: "reason" in disk ? null : disk.rootHash,
    source: entry?.source ?? null,
    commit: held?.expect?.files.commit ?? entry?.commit ?? null,
    commitFrom: held?.expect !== undefined ? "list of files" : entry !== undefined ? "audited party" : null,
    argument: together([
      ...statuses(named(`workload ${workload}`), enforcing.workload),
      ...statuses(named(`container ${workload}/${container}`), enforcing.container),
    ]),
    mount: own("verity.disk.mount"),
    known: own("verity.disk.root_known"),
    rebuilt: own("verity.disk.rebuilt"),
    files: own("verity.disk.files"),
    commitAgrees: own("verity.disk.commit"),
  };
}

/** The worst of them: one "no" is a no, and what was not asked is not proven. */
function together(all: readonly Status[]): Proof {
  const has = (status: Status): boolean => all.includes(status);
  if (all.length === 0) return "not asked";
  if (has("fail")) return "no";
  if (has("error") || has("unavailable")) return "open";
  if (has("skip")) return "not asked";
  return has("consistent") ? "audited party's word" : "proven";
}
