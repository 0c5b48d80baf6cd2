/** Asks a plan of the pinned engine, in this thread: what the worker does, without its thread and limits. */
import type { EngineAnswer, EngineRequest, StepAnswer } from "../../../../src/bytes/policy-engine.ts";
import { askDialect } from "../../../../src/measure/policy-engine/dialect.ts";
import type { Dialect } from "../../../../src/measure/policy-engine/messages.ts";
import { engineUrl, loadEngine } from "../../../../src/measure/policy-engine/module.ts";

interface Read {
  loadError: string | null;
  failing: boolean | null;
  readonly answers: Record<string, Record<string, StepAnswer>>;
}
const module = await loadEngine(engineUrl());

function read(rego: Dialect, { policy, sessions }: EngineRequest): Read {
  const found: Read = { loadError: null, failing: null, answers: {} };
  const texts = sessions.map((s) => ({
    id: s.id,
    steps: s.steps.map((step) => ({ ...step, input: JSON.stringify(step.input) })),
  }));
  askDialect(module, { rego, policy, sessions: texts, timeoutMs: 300_000, callMs: 60_000 }, (m) => {
    if (m.kind === "loaded") found.loadError = m.error;
    else if (m.kind === "failing") found.failing = m.allowed;
    else {
      const steps = found.answers[m.session] ?? {};
      found.answers[m.session] = steps;
      steps[m.step] = m.answer;
    }
  });
  return found;
}

export function askEngine(request: EngineRequest): EngineAnswer {
  const [v1, v0] = [read("v1", request), read("v0", request)];
  const rego = v1.loadError === null ? "v1" : v0.loadError === null ? "v0" : null;
  const { answers, failing } = rego === "v0" ? v0 : v1;
  const both = v1.loadError === null && v0.loadError === null;
  const ambiguous = request.sessions.flatMap(({ id, steps }) =>
    steps.flatMap((s) => {
      const results = [v1, v0].map((r) => r.answers[id]?.[s.id]?.result);
      return both && results[0] !== results[1] ? [`${id}: ${s.id}`] : [];
    }),
  );
  return { rego, loadError: rego === null ? v1.loadError : null, ambiguous, failingAllowed: failing, answers };
}
