/** Policies that are made against whoever reads them: each question is answered in the end, and the next policy, too. */
import { afterAll, describe, expect, test } from "vitest";
import type { EngineAnswer } from "../../../src/bytes/policy-engine.ts";
import { askPolicy, closePolicyEngine } from "../../../src/measure/policy-engine/ask.ts";

afterAll(closePolicyEngine);

const ask = (policy: string, timeoutMs: number): Promise<EngineAnswer> =>
  askPolicy(
    {
      policy,
      sessions: [
        {
          id: "s",
          steps: ["A", "Good"].map((endpoint) => ({ id: endpoint, endpoint, input: {}, commit: false })),
        },
      ],
    },
    { timeoutMs },
  );
const good = "Good := true\n";
const v1 = (rules: string): string => `package agent_policy\nimport rego.v1\n${good}${rules}\n`;
const result = async (policy: string, timeoutMs = 20_000) => {
  const { answers, ...rest } = await ask(policy, timeoutMs);
  return { ...rest, A: answers["s"]?.["A"], Good: answers["s"]?.["Good"] };
};
const answersAgain = async (): Promise<void> =>
  expect((await result(v1("A := true"))).A).toMatchObject({ result: "allowed" });

describe("one rule is hostile, and the others are answered", () => {
  const many = "numbers.range(1, 100000)";
  test.each([
    ["a function that calls itself", "f(x) := f(x + 1)\nA if f(1) > 0", /stack/],
    ["a compiled pattern over 100 KiB", 'A if regex.match(`(a{1,100}){1,100}`, "a")', /102400/],
    ["a list of 10^9 numbers", "A if count(numbers.range(1, 1000000000)) > 0", /stopped/],
    ["random numbers", 'A if rand.intn("x", 5) >= 0', /random/],
  ])("%s", async (_, rules, reason) => {
    const { A, Good } = await result(v1(rules));
    expect(A).toMatchObject({ result: "inconclusive", reason: expect.stringMatching(reason) });
    expect(Good).toMatchObject({ result: "allowed" });
    await answersAgain();
  });
  test("a pattern over 100 KiB is no denial when it stands under a not", async () => {
    const { A } = await result(v1('default A := true\nA := false if not regex.match(`(a{1,100}){1,100}`, "a")'));
    expect(A).toMatchObject({ result: "inconclusive" });
  });
  test.each(["http.send({})", "time.now_ns()", "opa.runtime()", 'net.lookup_ip_addr("x")'])(
    "%s does not exist, and the guest refuses",
    async (call) => {
      const { A } = await result(v1(`A if ${call}`));
      expect(A).toMatchObject({ result: "refused", reason: expect.stringContaining("could not find function") });
      await answersAgain();
    },
  );
  test("rules that need each other are refused by the engine itself", async () => {
    const { A } = await result(v1("A if B\nB if A"));
    expect(A).toMatchObject({ result: "refused", reason: expect.stringContaining("cyclic") });
  });
  test("a loop of 10^10 rounds ends with the time", async () => {
    const { A, rego } = await result(v1(`A if { some x in ${many}; some y in ${many}; x * y < 0 }`), 4000);
    expect([rego, A?.result]).toEqual(["v1", "inconclusive"]);
    await answersAgain();
  });
  test("memory ends with the limit or with the time, and is given back", async () => {
    const list = `[z | some x in ${many}; some y in ${many}; z := sprintf("%d%d${"x".repeat(500)}", [x, y])]`;
    const { A } = await result(v1(`A if count(${list}) > 0`), 6000);
    expect(A?.result).toBe("inconclusive");
    await answersAgain();
  });
  test("prints of a whole loop are not carried out", async () => {
    const { A } = await result(v1(`A if { every x in numbers.range(1, 5000) { print("${"x".repeat(900)}", x) } }`));
    expect(JSON.stringify(A).length).toBeLessThan(64 * 1024);
  });
  test("ops of a megabyte are not an answer", async () => {
    const ops = `[{"op": "add", "path": "/pstate/x", "value": [sprintf("%d${"x".repeat(500)}", [x]) | some x in numbers.range(1, 2000)]}]`;
    const { A } = await result(v1(`A := {"allowed": true, "ops": ${ops}}`));
    expect(A).toMatchObject({ result: "inconclusive", reason: expect.stringContaining("bytes") });
  });
});

describe("the text itself is hostile, and every step says so", () => {
  test.each([
    ["5,000 lists in each other", `A := ${"[".repeat(5000)}1${"]".repeat(5000)}`],
    ["5,000 parentheses", `A := ${"(".repeat(5000)}1${")".repeat(5000)}`],
    ["5,000 signs", `A := ${"-".repeat(5000)}1`],
    ["a line over 64 KiB", `A := "${"x".repeat(70_000)}"`],
    ["200,001 lines", "\n".repeat(200_001)],
    ["a name without end", `A := "${"x".repeat(100)}`],
    ["bytes of no language", "\u0001\ufffd".repeat(1000)],
    ["a NUL, behind which the engine reads nothing", "A := true\u0000A := false"],
  ])("%s", async (_, rules) => {
    const { rego, loadError, failingAllowed, A, Good } = await result(v1(rules));
    expect([rego, failingAllowed]).toEqual([null, null]);
    expect(loadError?.length).toBeLessThan(3000);
    expect([A?.result, Good?.result]).toEqual(["inconclusive", "inconclusive"]);
    await answersAgain();
  });
  test.each([
    ["a sum of 5,000 terms", `A := ${"1+".repeat(5000)}1`],
    ["20,000 brackets", `A if x${"[0]".repeat(20_000)}`],
  ])("%s is too deep for the engine, sooner or later, and nothing of it is an answer", async (_, rules) => {
    const { A } = await result(v1(rules));
    expect(["inconclusive", "refused"]).toContain(A?.result);
    await answersAgain();
  });
});

test("a run that is aborted ends with the signal's reason", async () => {
  const abort = new AbortController();
  const policy = v1("A if { some x in numbers.range(1, 100000); some y in numbers.range(1, 100000); x * y < 0 }");
  const asked = askPolicy(
    { policy, sessions: [{ id: "s", steps: [{ id: "A", endpoint: "A", input: {}, commit: false }] }] },
    { signal: abort.signal },
  );
  setTimeout(() => abort.abort(new Error("enough")), 100);
  await expect(asked).rejects.toThrow("enough");
  await answersAgain();
});
test("policies are asked beside each other, each for itself", async () => {
  const policies = Array.from({ length: 6 }, (_, i) => v1(`A := ${i % 2 === 0}`));
  const results = await Promise.all(policies.map((p) => result(p)));
  expect(results.map((r) => r.A?.result)).toEqual(["allowed", "denied", "allowed", "denied", "allowed", "denied"]);
});
