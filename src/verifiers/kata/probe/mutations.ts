/** All changes of a CreateContainerRequest, and what becomes of a request under one of them. */

import type { ContainerDraft } from "./draft.ts";
import { fill } from "./fill.ts";
import type { Mutation, MutationContext } from "./mutation.ts";
import { fileMutations } from "./mutations-files.ts";
import { podMutations } from "./mutations-pod.ts";
import { processMutations } from "./mutations-process.ts";

export const mutations: readonly Mutation[] = [...processMutations, ...fileMutations, ...podMutations];

export const createContainer = "CreateContainerRequest";

/**
 * The changed request, filled; undefined when it says what it said before. A denial of such a request would prove
 * nothing, and its permission nothing either.
 */
export function mutated(draft: ContainerDraft, { change }: Mutation, context: MutationContext): unknown {
  const request = structuredClone(draft);
  const { OCI: oci } = request;
  if (change({ request, oci, process: oci.Process, linux: oci.Linux }, context) === false) return undefined;
  const filled = fill(createContainer, request);
  return JSON.stringify(filled) === JSON.stringify(fill(createContainer, draft)) ? undefined : filled;
}
