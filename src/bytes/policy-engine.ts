/** What is asked of the guest's Rego engine, and what it answers: plain data between the verifier and the worker. */
export interface EngineRequest {
  readonly policy: string;
  readonly sessions: readonly EngineSession[];
}
/** Begins with a new engine: data {"pstate":{}}, then the policy. */
export interface EngineSession {
  readonly id: string;
  readonly steps: readonly EngineStep[];
}
export interface EngineStep {
  readonly id: string;
  /** Protobuf message name = rule name. */
  readonly endpoint: string;
  readonly input: unknown;
  /** An allowed request's ops are kept for the following steps; false: state is as before. */
  readonly commit: boolean;
}
export type StepAnswer =
  | {
      readonly result: "allowed" | "denied";
      readonly ops: readonly unknown[] /** pointers of ops that are not below /pstate/ */;
      readonly outside: readonly string[];
      readonly prints: readonly string[];
    }
  /** The guest refuses and nothing can be concluded from it: engine error, no or several results, wrong type, patch error. */
  | { readonly result: "refused"; readonly reason: string; readonly prints: readonly string[] }
  /** Not answered: time, memory, a thrown engine, a limit of ours that the guest has not. */
  | { readonly result: "inconclusive"; readonly reason: string };
export interface EngineAnswer {
  /** Which Rego the policy was read as: v1 was tried first. null: neither loads. */
  readonly rego: "v1" | "v0" | null;
  readonly loadError: string | null;
  /** Both load: the answers of v1 and v0 differ for these steps (v0/v1 ambiguity). */
  readonly ambiguous: readonly string[];
  /** AllowRequestsFailingPolicy with {}: an error means false. null: not answered. */
  readonly failingAllowed: boolean | null;
  /** By session id, then step id; what was not reached has an "inconclusive" entry, none is missing. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, StepAnswer>>>>;
}
