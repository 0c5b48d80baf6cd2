/** What the comparison of a policy with a deployment file is given, beside the two. */
import { type Origin, observed, type Sourced } from "../../claims/answer.ts";
import type { Workload } from "./deployment.ts";
import type { Container, Value } from "./deployment-pod.ts";
import type { ImageConfig } from "./image-config.ts";
import type { PolicyContainer } from "./policy-data.ts";
import type { SanEdit } from "./sans.ts";

/** An entry of the manifest's Policies. */
export interface ManifestEntry {
  /** Lower-case hex. */
  readonly key: string;
  readonly workloadSecretId: string;
  readonly role: string;
  readonly sans: readonly string[];
  /** JSON pointer. */
  readonly at: string;
}
export interface HeldImageConfig {
  readonly config: ImageConfig;
  /** File that the auditor gave. */
  readonly name: string;
}
/** What the auditor vouches for. */
export interface References {
  /** The deployment file. */
  readonly deployment: Origin;
  readonly manifest: Origin;
  /** SHA-256 of the rules' text, lower-case hex, each with the one who names it. */
  readonly rules: readonly Sourced[];
  /** Container name to image reference, and who names it. */
  readonly sidecars: ReadonlyMap<string, Sourced>;
  /** Image digest, `sha256:` and hex, to the image's configuration. */
  readonly imageConfigs: ReadonlyMap<string, HeldImageConfig>;
  /** Patterns for allow_env_regex, as they stand in a policy. */
  readonly envRegexes: readonly string[];
  /** Files whose content is known: SHA-256, lower-case hex, to the file's name. */
  readonly sources: ReadonlyMap<string, string>;
  /** What the service adds to the names that Contrast gives. */
  readonly sanEdits: readonly SanEdit[];
}

/** One container of the deployment file with its counterpart in the policy. */
export interface ContainerCase {
  readonly yaml: Container;
  readonly policy: PolicyContainer;
  readonly workload: Workload;
  readonly config: HeldImageConfig | undefined;
  /** The initializer's volume is mounted into each container of a pod that has it. */
  readonly hasInitializer: boolean;
  /** A value of the deployment file. */
  said(value: string, where?: string): Sourced;
  /** A value of the policy, at a JSON pointer below policy_data. */
  shown(value: string, at: string): Sourced;
}

export const policySource = "policy body";
export const shownIn = (value: string, at: string): Sourced => observed(value, policySource, `policy_data ${at}`);

/** Volumes that Kubernetes mounts read-only whatever the mount says; the host chooses what is in them. */
export const readOnlyKinds: ReadonlySet<string> = new Set(["configMap", "secret", "projected", "downwardAPI"]);

/** A list in which every word can be told from the next. */
export const listText = (list: readonly string[]): string => JSON.stringify(list);
export const sortedText = (list: readonly string[]): string => listText([...list].sort());
export const textsOf = (values: readonly Value[]): string[] => values.map((v) => v.text);
export const unknownOf = (values: readonly Value[]): string[] => values.flatMap((v) => v.unknown);

const pinnedDigest = /@(sha256:[0-9a-f]{64})$/;
/** `sha256:` and hex, when the reference ends in a digest in full. */
export const digestIn = (reference: string): string | undefined => pinnedDigest.exec(reference)?.[1];

/** The initializer as `contrast generate` names it (Contrast v1.20 documentation, generate). */
export const initializer = {
  name: "contrast-initializer",
  env: "COORDINATOR_HOST=coordinator-ready",
  volume: "contrast-secrets",
  path: "/contrast",
} as const;
