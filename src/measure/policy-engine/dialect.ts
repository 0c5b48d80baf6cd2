/** A policy read as one version of Rego and asked step by step, in this thread: the course of spec policy-probe.md section 3. */
import type { StepAnswer } from "../../bytes/policy-engine.ts";
import { type EngineCall, type EngineReply, EngineStopped, Instance } from "./instance.ts";
import type { DialectJob, FromJob, TextStep } from "./messages.ts";

const emptyState = '{"pstate":{}}';
const failingRule = "AllowRequestsFailingPolicy";
/** An instance never gives memory back: a new session starts with a new one after this. */
const mostMemoryBytes = 64 * 1024 * 1024;
/** Calls that ran out of time; then the policy is left alone, for each costs the whole limit of a call. */
const mostTimeouts = 3;

export interface Ended {
  /** Why steps without an answer have none. */
  readonly rest: string;
  /** An instance was given up, or grew. */
  readonly spent: boolean;
}

/** Tells what it finds as it goes, so that what was answered stays answered when the thread is ended. Never throws. */
export function askDialect(module: WebAssembly.Module, job: DialectJob, tell: (message: FromJob) => void): Ended {
  const run = new Run(module, job);
  try {
    const { error } = run.load();
    tell({ kind: "loaded", error: error ?? null });
    if (error !== undefined) return { rest: `the policy is not read: ${error}`, spent: run.spent };
    run.begin(emptyState);
    const allowed = run.failingAllowed();
    tell({ kind: "failing", allowed });
    for (const session of job.sessions) {
      run.begin(emptyState);
      // The guest asks this first, and what it does to the state stays.
      run.failingAllowed();
      for (const step of session.steps)
        tell({ kind: "answer", session: session.id, step: step.id, answer: run.step(step) });
    }
    return { rest: "the engine never reached it", spent: run.spent };
  } catch (error) {
    return {
      rest: error instanceof EngineStopped ? error.message : `the engine failed: ${String(error)}`,
      spent: true,
    };
  }
}

/** An engine with the policy in it, replaced by a like one whenever it was stopped. */
class Run {
  readonly #module: WebAssembly.Module;
  readonly #job: DialectJob;
  readonly #until: number;
  #instance: Instance;
  #lost = false;
  #timeouts = 0;
  #state = emptyState;
  spent = false;
  constructor(module: WebAssembly.Module, job: DialectJob) {
    this.#module = module;
    this.#job = job;
    this.#until = performance.now() + job.timeoutMs;
    this.#instance = new Instance(module);
  }

  load(): EngineReply {
    const { rego, policy } = this.#job;
    return this.#call({ op: "load", rego, policy });
  }

  begin(state: string): void {
    if (this.#lost || this.#instance.memoryBytes > mostMemoryBytes) {
      this.spent = true;
      this.#instance = new Instance(this.#module);
      this.#lost = false;
      const { error } = this.load();
      if (error !== undefined) throw new EngineStopped(`the policy is not read again: ${error}`);
    }
    const { error } = this.#call({ op: "begin", state });
    if (error !== undefined) throw new EngineStopped(`no session: ${error}`);
    this.#state = state;
  }

  /** As the agent asks when the policy is set: an error means false. null: not answered. */
  failingAllowed(): boolean | null {
    const reply = this.#call({ op: "ask", endpoint: failingRule, input: "{}" });
    if (reply.limit !== undefined || reply.misuse !== undefined) return null;
    if (reply.allowed === true) this.#commit(reply);
    return reply.allowed === true;
  }

  step({ endpoint, input, commit }: TextStep): StepAnswer {
    if (input === null) return { result: "inconclusive", reason: "the request is no JSON" };
    try {
      if (this.#lost) this.begin(this.#state);
      const reply = this.#call({ op: "ask", endpoint, input });
      const answer = answerOf(reply);
      if (commit && answer.result === "allowed") this.#commit(reply);
      return answer;
    } catch (error) {
      // Out of time altogether, or the policy cannot be read a second time: the rest has no answer.
      if (!(error instanceof EngineStopped) || performance.now() >= this.#until) throw error;
      if (this.#timeouts >= mostTimeouts) throw new EngineStopped(`${mostTimeouts} questions: ${error.message}`);
      return { result: "inconclusive", reason: error.message };
    }
  }

  #commit({ ops }: EngineReply): void {
    if (ops === undefined || ops.length === 0) return;
    const { error } = this.#call({ op: "commit" });
    const { state } = this.#call({ op: "state" });
    if (error !== undefined || state === undefined) {
      this.#lost = true;
      throw new EngineStopped(`the state could not be changed: ${error ?? "no state"}`);
    }
    // A later instance goes on from here.
    this.#state = state;
  }

  #call(call: EngineCall): EngineReply {
    const left = this.#until - performance.now();
    if (left <= 0) throw new EngineStopped(`the policy took more than ${this.#job.timeoutMs} ms in all`);
    try {
      return this.#instance.call(call, Math.min(left, this.#job.callMs));
    } catch (error) {
      this.#lost = true;
      this.spent = true;
      if (error instanceof EngineStopped && error.timedOut) this.#timeouts++;
      throw error;
    }
  }
}

/** Words of the engine as an answer. Anything unforeseen is no answer, never a denial. */
export function answerOf({ allowed, ops, prints, refused, limit, misuse }: EngineReply): StepAnswer {
  if (limit !== undefined) return { result: "inconclusive", reason: limit };
  if (refused !== undefined) return { result: "refused", reason: refused, prints: prints ?? [] };
  if (allowed === undefined || ops === undefined || prints === undefined)
    return { result: "inconclusive", reason: misuse ?? "the engine gave an answer of unknown form" };
  return { result: allowed ? "allowed" : "denied", ops, outside: outsideOf(ops), prints };
}

/**
 * Pointers that are not below /pstate/: a patch there can change rules. `from` counts too: a move takes away what it names.
 * A pointer has no way upwards, so its beginning says where it leads.
 */
function outsideOf(ops: readonly unknown[]): string[] {
  return ops.flatMap((op) => {
    const { path, from } = Object(op) as { readonly path?: unknown; readonly from?: unknown };
    return [path, ...(from === undefined ? [] : [from])].map(String).filter((p) => !p.startsWith("/pstate/"));
  });
}
