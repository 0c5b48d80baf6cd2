/** A policy asked as v1 and as v0: which of them the guest's engine reads is not said anywhere (spec policy-probe.md section 2). */
import { availableParallelism } from "node:os";
import type { EngineAnswer, EngineRequest, StepAnswer } from "../../bytes/policy-engine.ts";
import { PmError } from "../../errors.ts";
import type { Dialect, FromJob, TextSession } from "./messages.ts";
import { engineUrl, loadEngine } from "./module.ts";
import { EnginePool } from "./pool.ts";

export interface AskOptions {
  /** For each of the two readings, counted from its start. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}
const defaultTimeoutMs = 60_000;
/** A question takes some 15 ms; the limit leaves room for a machine that is busy. */
const callMs = 5000;
/** An instance may take 512 MiB. */
const mostThreads = 4;
/** In `ambiguous`, where it stands beside `<session id>/<step id>`. */
const failingRule = "AllowRequestsFailingPolicy";

let pool: Promise<EnginePool> | undefined;
/** The module is read and compiled when the first policy is asked. */
function openPool(): Promise<EnginePool> {
  pool ??= loadEngine(engineUrl()).then(
    (module) => new EnginePool(module, Math.min(availableParallelism(), mostThreads)),
  );
  return pool;
}
/** Ends the threads; a process ends without it, too. */
export async function closePolicyEngine(): Promise<void> {
  const open = pool;
  pool = undefined;
  await (await open)?.close();
}

/**
 * Asks one policy everything. Each step gets an answer, whatever the policy does.
 * @throws PmError PM_BUG for ids that stand twice, and for an engine that is not the pinned one; the signal's reason
 */
export async function askPolicy(request: EngineRequest, options: AskOptions = {}): Promise<EngineAnswer> {
  const sessions = asText(request);
  const nul = request.policy.indexOf("\0");
  if (nul >= 0)
    return unread(`a NUL at character ${nul}: the engine reads no further, and who looks at the text does`, sessions);
  const threads = await openPool();
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const [v1, v0] = await Promise.all(
    (["v1", "v0"] as const).map((rego) =>
      readAs(rego, { policy: request.policy, sessions, timeoutMs }, threads, options),
    ),
  );
  if (v1 === undefined || v0 === undefined) throw new PmError("PM_BUG", "policy engine: a reading is missing");
  return together(v1, v0, sessions);
}

/** The policy as one version of Rego. */
interface Reading {
  readonly rego: Dialect;
  /** unknown: the engine was stopped before it could say. */
  readonly loads: "yes" | "no" | "unknown";
  readonly loadError: string | null;
  readonly failingAllowed: boolean | null;
  readonly answer: (session: string, step: string) => StepAnswer;
}

async function readAs(
  rego: Dialect,
  { policy, sessions, timeoutMs }: { policy: string; sessions: readonly TextSession[]; timeoutMs: number },
  threads: EnginePool,
  { signal }: AskOptions,
): Promise<Reading> {
  const answers = new Map<string, StepAnswer>();
  const key = (session: string, step: string): string => JSON.stringify([session, step]);
  let loaded: string | null | undefined;
  let failingAllowed: boolean | null = null;
  const tell = (message: FromJob): void => {
    if (message.kind === "loaded") loaded = message.error;
    else if (message.kind === "failing") failingAllowed = message.allowed;
    else answers.set(key(message.session, message.step), message.answer);
  };
  const job = { rego, policy, sessions, timeoutMs, callMs: Math.min(callMs, timeoutMs) };
  const { rest } = await threads.run(job, tell, signal);
  return {
    rego,
    loads: loaded === undefined ? "unknown" : loaded === null ? "yes" : "no",
    loadError: loaded === undefined ? rest : loaded,
    failingAllowed,
    answer: (session, step) => answers.get(key(session, step)) ?? { result: "inconclusive", reason: rest },
  };
}

/**
 * v1 where it loads. v0 only where the engine said that v1 does not: a reading that was stopped may be the guest's.
 * Where v1 loads and v0 was stopped, v0 answers nothing, and what differs from nothing is ambiguous.
 */
function together(v1: Reading, v0: Reading, sessions: readonly TextSession[]): EngineAnswer {
  const chosen = v1.loads === "yes" ? v1 : v1.loads === "no" && v0.loads === "yes" ? v0 : undefined;
  if (chosen === undefined)
    return unread(`v1: ${v1.loadError ?? "reads it"}; v0: ${v0.loadError ?? "reads it"}`, sessions);
  const both = chosen === v1 && v0.loads !== "no";
  const steps = sessions.flatMap((s) => s.steps.map((t) => [s.id, t.id] as const));
  const differs = steps.filter(([s, t]) => both && decision(v1.answer(s, t)) !== decision(v0.answer(s, t)));
  const failingDiffers = both && v1.failingAllowed !== v0.failingAllowed;
  return {
    rego: chosen.rego,
    loadError: null,
    ambiguous: [...(failingDiffers ? [failingRule] : []), ...differs.map(([s, t]) => `${s}/${t}`)],
    failingAllowed: failingDiffers ? null : chosen.failingAllowed,
    answers: byStep(sessions, chosen.answer),
  };
}

/** Nothing is known of a policy that no reading has. */
function unread(loadError: string, sessions: readonly TextSession[]): EngineAnswer {
  const none: StepAnswer = { result: "inconclusive", reason: `the policy is not read: ${loadError}` };
  return { rego: null, loadError, ambiguous: [], failingAllowed: null, answers: byStep(sessions, () => none) };
}

const byStep = (
  sessions: readonly TextSession[],
  of: (session: string, step: string) => StepAnswer,
): EngineAnswer["answers"] =>
  Object.fromEntries(sessions.map((s) => [s.id, Object.fromEntries(s.steps.map((t) => [t.id, of(s.id, t.id)]))]));

/** What must be equal under both readings: not the reasons, and not what is printed. */
const decision = (answer: StepAnswer): string =>
  JSON.stringify("ops" in answer ? [answer.result, answer.ops] : [answer.result]);

/** @throws PmError PM_BUG for an id that stands twice: one answer would stand for two questions */
function asText({ sessions }: EngineRequest): TextSession[] {
  const once = (ids: readonly string[], what: string): void => {
    const twice = ids.find((id, i) => ids.indexOf(id) !== i);
    if (twice !== undefined) throw new PmError("PM_BUG", `policy engine: ${what} ${twice} stands twice`);
  };
  once(
    sessions.map((s) => s.id),
    "session",
  );
  for (const { id, steps } of sessions)
    once(
      steps.map((s) => s.id),
      `session ${id}: step`,
    );
  return sessions.map(({ id, steps }) => ({
    id,
    steps: steps.map(({ input, ...step }) => ({ ...step, input: jsonText(input) })),
  }));
}

/** null: a value that JSON has not, or one that is nested too deeply. */
function jsonText(input: unknown): string | null {
  try {
    return JSON.stringify(input) ?? null;
  } catch {
    return null;
  }
}
