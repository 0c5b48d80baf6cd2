/** Every way in which an answer could read as a denial without being one. */
import { describe, expect, it } from "vitest";
import type * as m from "../../../../fixtures/generator/manifest.ts";
import { makePolicyWorld } from "../../../../fixtures/generator/policy-world.ts";
import type { EngineAnswer, StepAnswer } from "../../../../src/bytes/policy-engine.ts";
import { decodePolicyBody } from "../../../../src/verifiers/kata/body.ts";
import { fill } from "../../../../src/verifiers/kata/probe/fill.ts";
import { judgeProbes, type ProbePlan, planProbes, policyProbe } from "../../../../src/verifiers/kata/probe/index.ts";
import { sample } from "../../../../src/verifiers/kata/probe/sample.ts";

const bytes = makePolicyWorld({} as m.Manifest).policies.get("secret-service.toml") ?? new Uint8Array(0);
const made = planProbes(decodePolicyBody(bytes));
if ("why" in made) throw new Error(made.why);
const plan: ProbePlan = made;

const allowed: StepAnswer = { result: "allowed", ops: [], outside: [], prints: [] };
const denied: StepAnswer = { result: "denied", ops: [], outside: [], prints: [] };
const silent: StepAnswer = { result: "inconclusive", reason: "time" };
type Pick = (session: string, step: string) => StepAnswer | undefined;
const ideal: Pick = (_, step) => (step.endsWith("/legitimate") ? allowed : denied);
function answer(pick: Pick, more: Partial<EngineAnswer> = {}): EngineAnswer {
  const answers = Object.fromEntries(
    plan.request.sessions.map(({ id, steps }) => [
      id,
      Object.fromEntries(steps.flatMap((s) => [pick(id, s.id)].flatMap((a) => (a === undefined ? [] : [[s.id, a]])))),
    ]),
  );
  return { rego: "v1", loadError: null, ambiguous: [], failingAllowed: false, answers, ...more };
}
const statuses = (a: EngineAnswer, p: ProbePlan = plan) => {
  const { answers } = judgeProbes(p, a);
  return (id: keyof typeof policyProbe) => answers[id].status;
};
const owed = Object.entries(policyProbe).flatMap(([id, q]) =>
  q.owed === "always" ? [id as keyof typeof policyProbe] : [],
);
const at =
  (step: string, one: StepAnswer | undefined): Pick =>
  (s, t) =>
    t === step ? one : ideal(s, t);

describe("answers", () => {
  it("that are all as they should be pass each owed claim", () => {
    const of = statuses(answer(ideal));
    for (const id of owed) expect([id, of(id)]).toEqual([id, "pass"]);
  });
  it.each([
    ["all inconclusive", answer(() => silent)],
    ["all missing", answer(() => undefined)],
    ["of no session", answer(ideal, { answers: {} })],
    ["of a policy that does not load", answer(ideal, { rego: null, loadError: "no" })],
  ])("%s pass nothing but the failing rule that was answered", (_, a) => {
    const of = statuses(a);
    for (const id of owed)
      if (id !== "kata.probe.failing_requests_refused") expect([id, of(id)]).toEqual([id, "error"]);
  });
  it.each([
    ["one missing step", undefined],
    ["one inconclusive step", silent],
  ])("with %s leave its claim open", (_, one) => {
    const of = statuses(answer(at("container 1/args-appended", one)));
    expect(of("kata.probe.other_command_denied")).toBe("error");
    expect(of("kata.probe.privilege_denied")).toBe("pass");
  });
  it("count a refusal by the engine as a denial", () => {
    const refused: StepAnswer = { result: "refused", reason: "no result", prints: [] };
    expect(statuses(answer(at("container 1/args-appended", refused)))("kata.probe.other_command_denied")).toBe("pass");
  });
  it("fail with probe, container and digest when one change is permitted", () => {
    const { answers } = judgeProbes(plan, answer(at("container 2/cap-sys-admin", allowed)));
    const found = answers["kata.probe.privilege_denied"];
    expect(found).toMatchObject({ status: "fail", code: "privilege-permitted" });
    expect(found.reason).toMatch(
      /^the policy permits cap-sys-admin in secret-service at the start, request sha256 [0-9a-f]{64}$/,
    );
  });
  it.each([denied, silent, { result: "refused", reason: "x", prints: [] } as const, undefined])(
    "prove nothing about a container whose own request is not permitted",
    (one) => {
      const of = statuses(answer(at("container 1/legitimate", one)));
      for (const id of ["legitimate_allowed", "other_command_denied", "other_image_denied", "exec_denied"] as const)
        expect(of(`kata.probe.${id}`)).toBe("error");
    },
  );
  it("are void when failing requests are allowed", () => {
    const of = statuses(answer(ideal, { failingAllowed: true }));
    expect(of("kata.probe.failing_requests_refused")).toBe("fail");
    for (const id of ["exec_denied", "set_policy_denied", "copy_outside_denied", "other_image_denied"] as const)
      expect(of(`kata.probe.${id}`)).toBe("error");
  });
  it("are open when it was not answered whether failing requests are allowed", () => {
    const of = statuses(answer(ideal, { failingAllowed: null }));
    expect([of("kata.probe.failing_requests_refused"), of("kata.probe.exec_denied")]).toEqual(["error", "error"]);
  });
  it("that differ between versions of Rego leave all open, and are a finding", () => {
    const of = statuses(answer(ideal, { ambiguous: ["start: x"] }));
    for (const id of owed) expect([id, of(id)]).toEqual([id, "error"]);
    expect(of("kata.probe.rego_readings")).toBe("fail");
  });
  it("with ops outside pstate fail that claim alone", () => {
    const of = statuses(answer(at("container 1/legitimate", { ...allowed, outside: ["/agent_policy"] })));
    expect(owed.filter((id) => of(id) !== "pass")).toEqual(["kata.probe.state_stays_in_pstate"]);
  });
});

describe("plans", () => {
  it("without containers or without probes pass nothing", () => {
    const none = statuses(answer(ideal), { ...plan, containers: [] });
    expect(none("kata.probe.legitimate_allowed")).toBe("error");
    expect(none("kata.probe.exec_denied")).toBe("error");
    const unasked = statuses(answer(ideal), { ...plan, probes: [] });
    for (const id of owed.filter((i) => i.endsWith("_denied"))) expect([id, unasked(id)]).toEqual([id, "error"]);
  });
  it("in which one container was asked nothing pass nothing", () => {
    const probes = plan.probes.filter(
      (p) => !(p.target === "secret-service" && p.claim === "kata.probe.injected_env_denied"),
    );
    expect(statuses(answer(ideal), { ...plan, probes })("kata.probe.injected_env_denied")).toBe("error");
  });
  it("skip a change that changes nothing", () => {
    const root = plan.probes.find((p) => p.id === "uid-0" && p.target === "contrast-initializer");
    expect(root?.at).toBeUndefined();
    const inputs = plan.request.sessions.flatMap((s) => s.steps).filter((s) => s.endpoint === "CreateContainerRequest");
    expect(inputs.length).toBeGreaterThan(150);
  });
  it.each([
    ["no policy", "version = '0.1.0'\nalgorithm = 'sha256'\n[data]\n"],
    ["no data", "package agent_policy\n"],
    ["no containers", 'package agent_policy\npolicy_data := {"containers": []}'],
    ["data of another form", 'package agent_policy\npolicy_data := {"containers": [7]}'],
  ])("are not made of %s, and nothing passes", (_, text) => {
    const none = planProbes(decodePolicyBody(Buffer.from(text)));
    expect(none).toHaveProperty("why");
    expect(Object.values(judgeProbes(none, { why: "x" }).answers).every((a) => a.status === "error")).toBe(true);
  });
});

describe("parts", () => {
  it.each([
    ["^/a/b-[a-z0-9]{3}-x$", "/a/b-aaa-x"],
    ["^(?:one|two)\\.d?[^/]+$", "one.x"],
    ["^a+b*c{2,}$", "acc"],
  ])("a text that %s matches is %s", (pattern, text) => expect(sample(pattern)).toBe(text));
  it.each(["(", "[a", "a\\", "\\b", "*", "(?=x)", `${"(".repeat(99)}`, `${"(a{999}){999}"}`])(
    "none is guessed for %s",
    (p) => expect(sample(p)).toBeUndefined(),
  );
  it("a request has every field of its message", () => {
    expect(fill("SignalProcessRequest", { container_id: "x" })).toEqual({ container_id: "x", exec_id: "", signal: 0 });
    expect(fill("CreateSandboxRequest", { storages: [{ driver: "a" }] })).toMatchObject({
      dns: [],
      sandbox_pidns: false,
      storages: [{ driver: "a", fs_group: null, options: [] }],
    });
  });
});
