/** The order in which a pod starts (Kata Containers, kata-agent): the sandbox, then each container as policy_data lists them. */
import { PmError } from "../../../errors.ts";
import type { ContainerDraft, SandboxDraft } from "./draft.ts";
import { containerDraft, containerName, type PodPolicy, sandboxDraft } from "./legitimate.ts";
import { bundleId } from "./placeholders.ts";

export const pod = "pod";

/** A legitimate request, or why there is none. */
export type Made<T> = { readonly draft: T } | { readonly why: string };

export interface StartContainer {
  readonly index: number;
  /** Unique in its pod. */
  readonly name: string;
  readonly isSandbox: boolean;
  readonly made: Made<ContainerDraft>;
  /** The same container under another identifier. */
  readonly again: Made<ContainerDraft>;
}
export interface StartSequence {
  readonly sandbox: Made<SandboxDraft>;
  readonly containers: readonly StartContainer[];
}

function made<T>(make: () => T): Made<T> {
  try {
    return { draft: make() };
  } catch (error) {
    if (error instanceof PmError && error.code !== "PM_BUG") return { why: error.message };
    throw error;
  }
}

/** Far from the identifiers of first instances. */
const secondInstances = 0x1000;

export function startSequence(policy: PodPolicy): StartSequence {
  const names = policy.data.containers.map(containerName);
  return {
    sandbox: made(() => sandboxDraft(policy)),
    containers: policy.data.containers.map((c, index) => {
      const name = names[index] ?? c.at;
      return {
        index,
        name: names.indexOf(name) === index && name !== pod ? name : `${name} (${c.at})`,
        isSandbox: c.type === "sandbox",
        made: made(() => containerDraft(policy, index)),
        again: made(() => containerDraft(policy, index, bundleId(secondInstances + index))),
      };
    }),
  };
}
