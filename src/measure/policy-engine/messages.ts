/** What goes to a worker thread of the policy engine, and what comes back. */
import type { StepAnswer } from "../../bytes/policy-engine.ts";

export type Dialect = "v1" | "v0";
export interface TextStep {
  readonly id: string;
  readonly endpoint: string;
  /** The request as JSON text: what the engine reads is what the caller wrote. null: it is no JSON. */
  readonly input: string | null;
  readonly commit: boolean;
}
export interface TextSession {
  readonly id: string;
  readonly steps: readonly TextStep[];
}
export interface DialectJob {
  readonly rego: Dialect;
  readonly policy: string;
  readonly sessions: readonly TextSession[];
  /** For all of it, and for one call of the engine. */
  readonly timeoutMs: number;
  readonly callMs: number;
}

export type FromJob =
  /** The policy was read, or the engine says why it cannot be. */
  | { readonly kind: "loaded"; readonly error: string | null }
  | { readonly kind: "failing"; readonly allowed: boolean | null }
  | { readonly kind: "answer"; readonly session: string; readonly step: string; readonly answer: StepAnswer };
export type FromWorker =
  | { readonly kind: "ready" }
  | FromJob
  /** `rest`: why steps without an answer have none. `spent`: the thread's memory has grown; it is better ended. */
  | { readonly kind: "done"; readonly rest: string; readonly spent: boolean };
