/** One change to a request that the policy allows: what it tries, which question it belongs to, and what is expected. */
import type { Grade } from "../../../claims/answer.ts";
import type { ProbeClaim } from "./claims.ts";
import type { ContainerDraft, LinuxDraft, OciDraft, ProcessDraft } from "./draft.ts";

/** What a change may use beside the request. */
export interface MutationContext {
  /** Capabilities of a privileged container. */
  readonly privileged: readonly string[];
}
export interface Draft {
  readonly request: ContainerDraft;
  readonly oci: OciDraft;
  readonly process: ProcessDraft;
  readonly linux: LinuxDraft;
}
/** In place; false: there is nothing in this request that it could change. */
export type Change = (draft: Draft, context: MutationContext) => unknown;

export interface Mutation {
  readonly id: string;
  /** A sentence: what a host that sends this gains. */
  readonly tries: string;
  readonly claim: ProbeClaim;
  /** deny: owed. freedom: known policies permit it by design, so it is a finding. */
  readonly expect: "deny" | "freedom";
  /** What it means when a freedom is there. */
  readonly grade: Grade;
  /** Asked again after the start sequence, of a second instance. */
  readonly again: boolean;
  /** Only of containers after the first, which itself chooses what the others are held to. */
  readonly later: boolean;
  readonly change: Change;
}

type Options = Partial<Pick<Mutation, "again" | "later">>;
const plainly = { again: false, later: false } as const;

/** A change that a policy must refuse. */
export const mustDeny = (
  claim: ProbeClaim,
  id: string,
  tries: string,
  change: Change,
  options: Options = {},
): Mutation => ({ ...plainly, ...options, id, tries, claim, expect: "deny", grade: "weaker", change });

/** A change that known policies leave to the host. */
export const hostFreedom = (
  claim: ProbeClaim,
  id: string,
  tries: string,
  change: Change,
  options: Options & { readonly grade?: Grade } = {},
): Mutation => ({ ...plainly, grade: "weaker", ...options, id, tries, claim, expect: "freedom", change });
