/** The deployment file by itself, and the manifest's policies as a whole against it. */
import {
  type Answers,
  broken,
  cannot,
  equal,
  holds,
  type Origin,
  type Sourced,
  specified,
} from "../../claims/answer.ts";
import { PmError } from "../../errors.ts";
import { type DeploymentFile, decodeDeployment, type Workload } from "./deployment.ts";
import type { deployment, manifestKeys } from "./workload-claims.ts";
import { listText, type ManifestEntry } from "./workload-types.ts";

export interface DeploymentJudgement {
  readonly answers: Answers<typeof deployment>;
  /** Confidential workloads, each WorkloadSecretID once; empty when the file could not be read. */
  readonly workloads: readonly Workload[];
  /** undefined: not read. */
  readonly file: DeploymentFile | undefined;
}

/**
 * @param bytes YAML; never throws for what is in it
 * @param origin of the file
 */
export function verifyDeployment(bytes: Uint8Array, origin: Origin, name: string): DeploymentJudgement {
  let file: DeploymentFile;
  try {
    file = decodeDeployment(bytes, name);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    const format = error.code === "PM_EVIDENCE_MALFORMED" ? broken : cannot;
    return {
      answers: {
        "kata.deployment.format": format(error.message, "deployment-malformed"),
        "kata.deployment.workloads": cannot("not answered: the deployment file could not be read"),
      },
      workloads: [],
      file: undefined,
    };
  }
  const confidential = file.workloads.filter((w) => w.confidential);
  const ids = confidential.map((w) => w.workloadSecretId);
  const unique = confidential.filter((w, i) => ids.indexOf(w.workloadSecretId) === i);
  const said = (value: string): Sourced => ({ value, origin });
  const total = file.workloads.length + file.others;
  return {
    answers: {
      // What could not be read in one way has been refused above.
      "kata.deployment.format": holds(
        total >= 1,
        specified("at least 1 object", "YAML 1.2", "documents"),
        said(`${total} object${total === 1 ? "" : "s"}`),
        "deployment-malformed",
        "the file holds no object",
      ),
      "kata.deployment.workloads":
        confidential.length === 0
          ? broken("no object has a runtimeClassName that begins with contrast-cc or kata-cc-isolation", "no-workload")
          : equal(
              specified(listText(unique.map((w) => w.workloadSecretId)), "Contrast v1.20", "WorkloadSecretID"),
              said(listText(ids)),
              "workload-twice",
            ),
    },
    workloads: unique,
    file,
  };
}

/** Each key of the manifest has one workload of the file. */
export function keysExplained(
  entries: readonly ManifestEntry[],
  file: DeploymentFile | undefined,
  origins: { readonly deployment: Origin; readonly manifest: Origin },
): Answers<typeof manifestKeys> {
  const id = "kata.manifest.explained";
  if (file === undefined) return { [id]: cannot("not answered: the deployment file could not be read") };
  if (entries.length === 0) return { [id]: cannot("the manifest names no policy") };
  const confidential = file.workloads.filter((w) => w.confidential);
  const counted = entries.map((e) => ({
    ...e,
    workloads: confidential.filter((w) => w.workloadSecretId === e.workloadSecretId).length,
    // Of two entries with one WorkloadSecretID, at most one is the workload's, and nothing says which.
    twins: entries.filter((other) => other.workloadSecretId === e.workloadSecretId).length,
  }));
  const text = (e: ManifestEntry, n: string): string =>
    `${e.key} (${e.workloadSecretId || "no WorkloadSecretID"}): ${n}`;
  const bad = counted.filter((e) => e.workloads !== 1 || e.twins !== 1);
  const shared = bad.length > 0 && bad.every((e) => e.workloads > 1);
  const found = (e: (typeof counted)[number]): string =>
    e.twins === 1 ? `${e.workloads} workload${e.workloads === 1 ? "" : "s"}` : `one of ${e.twins} keys with this name`;
  return {
    [id]: holds(
      bad.length === 0,
      { value: listText(counted.map((e) => text(e, "1 workload"))), origin: origins.manifest, at: "/Policies" },
      { value: listText(counted.map((e) => text(e, found(e)))), origin: origins.deployment },
      shared ? "key-shared" : "key-unexplained",
      bad.map((e) => e.key).join(", "),
    ),
  };
}
