/** `pm policy probe --explain` and `--request`: one question in full, with the engine's own words. Nothing is judged. */
import { readJson } from "../bytes/json.ts";
import type { EngineAnswer, EngineRequest, StepAnswer } from "../bytes/policy-engine.ts";
import type { ProbeSubject } from "../chain/probes.ts";
import type { Result } from "../command.ts";
import { PmError, usage } from "../errors.ts";
import type { Input } from "../input.ts";
import { factsJson, tree } from "../inspect.ts";
import { askPolicy } from "../measure/policy-engine/ask.ts";
import type { Json } from "../report/report.ts";
import { safeJson } from "../report/text.ts";
import { type ProbePlan, planProbes, type StepAt } from "../verifiers/kata/probe/index.ts";

/** The one policy of a question that is about one. @throws PmError PM_USAGE */
export function onlySubject(subjects: readonly ProbeSubject[], flag: string): ProbeSubject {
  const [only] = subjects;
  if (only === undefined || subjects.length !== 1)
    throw usage(`${flag}: ${subjects.length} policies, and one is asked`, "name one policy's file");
  return only;
}

function planOf({ body, name }: ProbeSubject): ProbePlan {
  const plan = "why" in body ? body : planProbes(body);
  if ("why" in plan) throw new PmError("PM_EVIDENCE_UNSUPPORTED", `${name}: ${plan.why}`);
  return plan;
}

/** @param probe its id; @param container undefined: the first container that it is asked of */
export async function explainProbe(
  subject: ProbeSubject,
  probe: string,
  container: string | undefined,
): Promise<Result> {
  const plan = planOf(subject);
  const all = plan.probes.filter((p) => p.id === probe);
  if (all.length === 0)
    throw usage(`--explain: no such probe: ${probe}`, `known: ${distinct(plan.probes.map((p) => p.id))}`);
  const fits = all.filter((p) => container === undefined || p.target === container);
  const found = fits.find((p) => p.at !== undefined) ?? fits[0];
  if (found === undefined)
    throw usage(
      `--container: ${probe} is not asked of ${container ?? "any"}`,
      `it is asked of: ${distinct(all.map((p) => p.target))}`,
    );
  if (found.at === undefined)
    throw usage(
      `--explain: ${probe} changes nothing in the request of ${container ?? "any container"}, so it is not asked`,
      "pm policy probe --json lists what is asked of each container",
    );
  const step = stepOf(plan, found.at);
  const answer = await askPolicy(plan.request);
  const facts = {
    probe: found.id,
    container: found.target,
    when: found.when,
    tries: found.tries,
    expected: found.expect === "deny" ? "denied" : "either",
    claim: found.claim ?? null,
    ...answered(answer, found.at, step.endpoint, step.input),
  };
  return result(facts);
}

const distinct = (names: readonly string[]): string => [...new Set(names)].join(", ");

function stepOf({ request }: ProbePlan, { session, step }: StepAt) {
  const found = request.sessions.find((s) => s.id === session)?.steps.find((s) => s.id === step);
  if (found === undefined) throw new PmError("PM_BUG", `no step ${session}/${step}`);
  return found;
}

/** @param started after the pod's own requests, which the policy noted; else with a new engine */
export async function askRequest(
  subject: ProbeSubject,
  { endpoint, file, started }: { readonly endpoint: string; readonly file: Input; readonly started: boolean },
): Promise<Result> {
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(endpoint))
    throw usage(`--endpoint: not the name of a request: ${endpoint}`, "such as CreateContainerRequest");
  const input = requestIn(file);
  const plan = planOf(subject);
  const start = started
    ? (plan.request.sessions.find((s) => s.id === "start")?.steps ?? []).filter((s) => s.commit)
    : [];
  const id = "asked";
  const request: EngineRequest = {
    policy: plan.request.policy,
    sessions: [{ id, steps: [...start, { id, endpoint, input, commit: false }] }],
  };
  const answer = await askPolicy(request);
  return result({ afterStart: started, ...answered(answer, { session: id, step: id }, endpoint, input) });
}

/** Checked before it is parsed: what is nested deeper than any message could not be written out again. */
function requestIn({ bytes, name }: Input): unknown {
  const hint = "the message with every field, as pm policy probe --explain shows one";
  try {
    readJson(bytes, { what: name, reasonCode: "request-malformed" });
  } catch (error) {
    if (error instanceof PmError) throw usage(`not a request in JSON: ${error.message}`, hint);
    throw error;
  }
  return JSON.parse(Buffer.from(bytes).toString("utf8"));
}

type Facts = { readonly [name: string]: Json };

function answered(answer: EngineAnswer, { session, step }: StepAt, endpoint: string, input: unknown): Facts {
  const found: StepAnswer = answer.answers[session]?.[step] ?? { result: "inconclusive", reason: "no answer" };
  return {
    rego: answer.rego,
    loadError: answer.rego === null ? answer.loadError : null,
    failingRequestsAllowed: answer.failingAllowed,
    endpoint,
    request: input as Json,
    answer: found.result,
    reason: "reason" in found ? found.reason : null,
    ops: "ops" in found ? (found.ops as readonly Json[]) : [],
    opsOutsidePstate: "outside" in found ? found.outside : [],
    prints: "prints" in found ? found.prints : [],
  };
}

/** Exit status 0 whatever the answer is, 3 where there is none: what it means is for a person to say. */
function result(facts: Facts): Result {
  const line = `the policy answers: ${String(facts["answer"])}`;
  return {
    exitCode: facts["answer"] === "inconclusive" ? 3 : 0,
    json: () => factsJson({ schemaVersion: 1, ...facts, line }),
    text: ({ width }) => {
      const { request, ...rest } = facts;
      return `${[...tree(rest, width), "request:", ...safeJson(JSON.stringify(request, null, 2)).split("\n"), "", line].join("\n")}\n`;
    },
  };
}
