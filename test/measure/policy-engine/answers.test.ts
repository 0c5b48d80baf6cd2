/** The engine's answers to policies that mean well: as the Kata agent decides, section 3 of the note on probes. */
import { afterAll, describe, expect, test } from "vitest";
import type { EngineAnswer, EngineStep, StepAnswer } from "../../../src/bytes/policy-engine.ts";
import { askPolicy, closePolicyEngine } from "../../../src/measure/policy-engine/ask.ts";

afterAll(closePolicyEngine);

const v1 = (rules: string): string => `package agent_policy\nimport rego.v1\n${rules}\n`;
const step = (endpoint: string, more: Partial<EngineStep> = {}): EngineStep => ({
  id: endpoint,
  endpoint,
  input: {},
  commit: false,
  ...more,
});
const asks = (policy: string, ...steps: EngineStep[]): Promise<EngineAnswer> =>
  askPolicy({ policy, sessions: [{ id: "s", steps }] });
async function answer(policy: string, ...steps: EngineStep[]): Promise<StepAnswer | undefined> {
  const { answers } = await asks(policy, ...steps);
  return answers["s"]?.[steps.at(-1)?.id ?? ""];
}
const adds = (path: string): string => `{"allowed": true, "ops": [{"op": "add", "path": "${path}", "value": 1}]}`;

describe("a rule's answer", () => {
  test("is its boolean, or what its object calls allowed", async () => {
    const policy = v1('A := true\nB := false\nC := {"allowed": true}\nD := {"allowed": false}');
    const { answers, ...rest } = await asks(policy, step("A"), step("B"), step("C"), step("D"));
    const results = Object.values(answers["s"] ?? {}).map((a) => a.result);
    expect(results).toEqual(["allowed", "denied", "allowed", "denied"]);
    expect(rest).toEqual({ rego: "v1", loadError: null, ambiguous: [], failingAllowed: false });
  });
  test("is made of the whole request as it was written", async () => {
    const policy = v1('default A := false\nA if { input.n == 9007199254740991; input.s == "é\\u0000" }');
    const input = { n: 9007199254740991, s: "é\u0000" };
    expect(await answer(policy, step("A", { input }))).toMatchObject({ result: "allowed" });
    expect(await answer(policy, step("A", { input: { ...input, n: 1 } }))).toMatchObject({ result: "denied" });
  });
  test("comes with what the policy prints, and not with all of it", async () => {
    const policy = v1('A if print("seen", input.x)\nB if { every i in numbers.range(1, 100) { print(i) } }');
    const a = await answer(policy, step("A", { input: { x: 1 } }));
    expect(a).toMatchObject({ result: "allowed", prints: [expect.stringMatching(/seen 1$/)] });
    const b = await answer(policy, step("B"));
    expect(b !== undefined && "prints" in b ? [b.prints.length, b.prints.at(-1)] : []).toEqual([65, "... (36 more)"]);
  });
  test("\\w is a class of Unicode: without the tables the rule were undefined and the answer denied", async () => {
    const policy = v1("default A := false\nA if regex.match(`^\\w+$`, input.x)");
    expect(await answer(policy, step("A", { input: { x: "Straße" } }))).toMatchObject({ result: "allowed" });
  });
  test.each([
    ["there is no such rule", "A := true", "Other", /^no result/],
    ["it is undefined", "A if false", "A", /^no result/],
    ["it is a set", "A contains 1", "A", /a set/],
    ["it is a string", 'A := "true"', "A", /a string/],
    ["it is a number", "A := 1", "A", /a number/],
    ["its object has no allowed", 'A := {"ops": []}', "A", /allowed/],
    ["its ops are no patch", 'A := {"allowed": true, "ops": [{"op": "make"}]}', "A", /ops/],
    [
      "its patch meets nothing",
      'A := {"allowed": true, "ops": [{"op": "remove", "path": "/pstate/x"}]}',
      "A",
      /^patch/,
    ],
    ["two rules disagree", "A := true if true\nA := false if true", "A", /^engine error/],
    ["a function is unknown", "A if http.send({})", "A", /^engine error.*http\.send/s],
  ])("is refused where %s", async (_, rules, endpoint, reason) => {
    expect(await answer(v1(rules), step(endpoint))).toMatchObject({
      result: "refused",
      reason: expect.stringMatching(reason),
    });
  });
  test.each(["A; true", "", "A.b", "a b", 'A["x"]'])("is none where the endpoint is %j", async (endpoint) => {
    expect(await answer(v1("A := true"), step(endpoint, { id: "x" }))).toMatchObject({ result: "inconclusive" });
  });
  test("is none for a request that is no JSON", async () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    for (const input of [undefined, 1n, circular])
      expect(await answer(v1("A := true"), step("A", { input }))).toMatchObject({ result: "inconclusive" });
  });
});

describe("state", () => {
  const policy = v1(`B := ${adds("/pstate/k")}\ndefault C := false\nC if data.pstate.k == 1`);
  const [b, c] = [step("B"), step("C")];
  test("is kept by a step that commits", async () => {
    expect(await answer(policy, { ...b, commit: true }, c)).toMatchObject({ result: "allowed" });
  });
  test("is as before after one that does not", async () => {
    expect(await answer(policy, b, c)).toMatchObject({ result: "denied" });
  });
  test("begins anew in each session", async () => {
    const sessions = [
      { id: "1", steps: [{ ...b, commit: true }, c] },
      { id: "2", steps: [c] },
    ];
    const { answers } = await askPolicy({ policy, sessions });
    expect([answers["1"]?.["C"]?.result, answers["2"]?.["C"]?.result]).toEqual(["allowed", "denied"]);
  });
  test("is kept when the engine had to be replaced", async () => {
    const random = `${policy}R if rand.intn("x", 5) >= 0\n`;
    const { answers } = await asks(random, { ...b, commit: true }, step("R"), c);
    expect([answers["s"]?.["R"]?.result, answers["s"]?.["C"]?.result]).toEqual(["inconclusive", "allowed"]);
  });
  test("is not changed by an answer that is denied, whatever ops it has", async () => {
    const denying = `${v1(adds("/pstate/k").replace("true", "false").replace(/^/, "B := "))}C if data.pstate.k == 1\n`;
    const a = await answer(denying, { ...b, commit: true });
    expect(a).toMatchObject({ result: "denied", ops: [] });
    expect(await answer(denying, { ...b, commit: true }, c)).toMatchObject({ result: "refused" });
  });
  test.each([
    ["/pstate/k", []],
    ["/pstatek", ["/pstatek"]],
    ["/agent_policy", ["/agent_policy"]],
    ["/pstate", ["/pstate"]],
    ["/pstate~1k", ["/pstate~1k"]],
  ])("ops at %s: what is outside of it is named", async (path, outside) => {
    expect(await answer(v1(`B := ${adds(path)}`), b)).toMatchObject({ result: "allowed", outside });
  });
  test("what an op takes away counts, too", async () => {
    const ops = '[{"op": "add", "path": "/pstate/a", "value": 1}, {"op": "move", "from": "/pstate", "path": "/x"}]';
    const a = await answer(v1(`B := {"allowed": true, "ops": ${ops}}`), b);
    expect(a).toMatchObject({ result: "allowed", outside: ["/x", "/pstate"] });
  });
  test("ops that leave no object are no answer: the agent loses its state over them", async () => {
    expect(await answer(v1(`B := ${adds("")}`), b)).toMatchObject({ result: "inconclusive" });
  });
});

describe("which Rego", () => {
  test("v1 where it loads", async () => {
    expect(await asks("package agent_policy\nA if true\n", step("A"))).toMatchObject({ rego: "v1", loadError: null });
  });
  test("v0 where v1 does not", async () => {
    const answered = await asks("package agent_policy\nA { input.x == 1 }\n", step("A", { input: { x: 1 } }));
    expect(answered).toMatchObject({ rego: "v0", loadError: null, ambiguous: [], failingAllowed: false });
    expect(answered.answers["s"]?.["A"]?.result).toBe("allowed");
  });
  test("none where neither does, and every step says so", async () => {
    const answered = await asks("package agent_policy\nA := {\n", step("A"), step("B"));
    expect([answered.rego, answered.failingAllowed]).toEqual([null, null]);
    expect(answered.loadError).toMatch(/^v1: .*v0: /s);
    expect(Object.values(answered.answers["s"] ?? {}).map((a) => a.result)).toEqual(["inconclusive", "inconclusive"]);
  });
  test("an empty text is no policy", async () => {
    expect(await asks("", step("A"))).toMatchObject({ rego: null });
  });
  test("a step that the two answer differently is ambiguous", async () => {
    // v1: an object with the key "allowed"; v0: a partial rule of another kind.
    const differs = 'package agent_policy\nA[x] := true if { x := "allowed" }\nB := true\n';
    const both = await asks(differs, step("A"), step("B"));
    expect([both.rego, both.ambiguous]).toEqual(["v1", ["s/A"]]);
    const same = "package agent_policy\nA := input.x == 1\n";
    expect((await asks(same, step("A"))).ambiguous).toEqual([]);
  });
});

describe("AllowRequestsFailingPolicy", () => {
  test.each([
    ["AllowRequestsFailingPolicy := true", true],
    ["default AllowRequestsFailingPolicy := false", false],
    ["A := true", false],
    ['AllowRequestsFailingPolicy := "true"', false],
    ['AllowRequestsFailingPolicy := {"allowed": true}', true],
    ['AllowRequestsFailingPolicy if rand.intn("x", 2) >= 0', null],
  ])("%s", async (rules, expected) => {
    expect((await asks(v1(rules), step("A"))).failingAllowed).toBe(expected);
  });
  test("what the rule itself says stays as it is", async () => {
    const policy = v1("AllowRequestsFailingPolicy := true\nA := false");
    expect(await answer(policy, step("A"))).toMatchObject({ result: "denied" });
  });
});

test("an id that stands twice is refused: one answer would stand for two questions", async () => {
  await expect(asks(v1("A := true"), step("A"), step("A"))).rejects.toMatchObject({ code: "PM_BUG" });
  const session = { id: "s", steps: [] };
  await expect(askPolicy({ policy: "", sessions: [session, session] })).rejects.toMatchObject({ code: "PM_BUG" });
});
test("ids are data, whatever they are called", async () => {
  const { answers } = await askPolicy({
    policy: v1("A := true"),
    sessions: [{ id: "__proto__", steps: [step("A", { id: "constructor" })] }],
  });
  expect(Object.entries(answers).map(([id, steps]) => [id, Object.keys(steps)])).toEqual([
    ["__proto__", ["constructor"]],
  ]);
});
