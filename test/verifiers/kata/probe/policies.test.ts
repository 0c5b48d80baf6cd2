/** Policies with one hole each, asked in the guest's engine: which claim finds it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type * as m from "../../../../fixtures/generator/manifest.ts";
import { makePolicyWorld } from "../../../../fixtures/generator/policy-world.ts";
import {
  badPolicies,
  fullOfHoles,
  goodPolicies,
  laxPolicy,
  magicExecId,
  magicPolicy,
  type ProbePolicy,
  shutPolicy,
  strictPolicy,
} from "../../../../fixtures/generator/probe-policies.ts";
import { decodePolicyBody } from "../../../../src/verifiers/kata/body.ts";
import { judgeProbes, type ProbePlan, planProbes, policyProbe } from "../../../../src/verifiers/kata/probe/index.ts";
import { askEngine } from "./engine.ts";

const workload = "coordinator.toml";
const granite = "workload-granite.toml";
const evidence = process.env["PM_EVIDENCE"] ?? join(process.cwd(), "..", "shared", "evidence");

function bodyOf({ edits }: ProbePolicy, name = workload) {
  const bytes = makePolicyWorld({} as m.Manifest, edits).policies.get(name);
  return decodePolicyBody(bytes ?? new Uint8Array(0));
}
function planOf(policy: ProbePolicy, name?: string): ProbePlan {
  const plan = planProbes(bodyOf(policy, name));
  if ("why" in plan) throw new Error(plan.why);
  return plan;
}
function judged(policy: ProbePolicy, name?: string) {
  const plan = planOf(policy, name);
  return judgeProbes(plan, askEngine(plan.request));
}
const claimsOf = (j: ReturnType<typeof judged>, status: string): string[] =>
  Object.entries(j.answers)
    .filter(([, a]) => a.status === status)
    .map(([id]) => id);
const owedIds = Object.entries(policyProbe)
  .filter(([, q]) => q.owed === "always")
  .map(([id]) => id);
const [plain] = goodPolicies;
if (plain === undefined) throw new Error("no good policy");
const known = claimsOf(judged(plain), "fail");

describe("a policy that compares everything", () => {
  it.each(goodPolicies)("passes each owed claim: $name", (policy) => {
    const { answers } = judged(policy);
    for (const id of owedIds) expect([id, answers[id as keyof typeof answers]]).toMatchObject([id, { status: "pass" }]);
  });
  it("passes every claim, owed or not, when it compares requests as a whole and keeps their order", () => {
    expect(claimsOf(judged(strictPolicy), "pass").toSorted()).toEqual(Object.keys(policyProbe).toSorted());
  });
  it("passes for each workload, with every change either skipped or answered", () => {
    const j = judged(plain, granite);
    expect(claimsOf(j, "error")).toEqual([]);
    expect(j.rows.filter((r) => r.answer === "inconclusive")).toEqual([]);
  });
});

describe("a policy with one hole", () => {
  it.each(badPolicies)("is found by its claim: $name", (policy) => {
    const j = judged(policy);
    const failed = claimsOf(j, "fail").filter((id) => !known.includes(id));
    expect(failed).toEqual(policy.fails);
    const open = claimsOf(j, "error").filter((id) => owedIds.includes(id));
    if (policy.voids === "none") expect(open).toEqual([]);
    else expect(open).toContain("kata.probe.exec_denied");
    if (policy.voids === "all") expect(claimsOf(j, "pass").filter((id) => owedIds.includes(id))).toEqual([]);
  });
  it.each([laxPolicy, fullOfHoles])("fails with all that are left open, and no other: $name", (policy) => {
    const failed = claimsOf(judged(policy), "fail").filter((id) => !known.includes(id));
    expect(failed.toSorted()).toEqual(policy.fails.toSorted());
  });
  it("proves nothing when it refuses the legitimate requests, however much else it refuses", () => {
    const { answers } = judged(shutPolicy);
    expect(answers["kata.probe.legitimate_allowed"]).toMatchObject({ status: "error", code: "legitimate-refused" });
    expect(answers["kata.probe.other_command_denied"].status).toBe("error");
  });
  it("is not found when it opens by a magic value, although the door is there", () => {
    expect(claimsOf(judged(magicPolicy), "fail")).toEqual(known);
    const { policy } = planOf(magicPolicy).request;
    const steps = [{ id: "magic", endpoint: "ExecProcessRequest", input: { exec_id: magicExecId }, commit: false }];
    expect(askEngine({ policy, sessions: [{ id: "s", steps }] }).answers["s"]?.["magic"]?.result).toBe("allowed");
  });
});

describe("a synthetic document without rules", () => {
  it("is inconclusive with a reason", () => {
    let bytes: Buffer;
    try {
      bytes = readFileSync(join(evidence, "contrast", "initdata-synthetic.toml"));
    } catch {
      process.stderr.write("not run: no shared evidence\n");
      return;
    }
    const plan = planProbes(decodePolicyBody(bytes));
    const { answers } = judgeProbes(plan, "why" in plan ? { why: "not asked" } : askEngine(plan.request));
    expect(answers["kata.probe.legitimate_allowed"]).toMatchObject({ status: "error", code: "legitimate-refused" });
    expect(answers["kata.probe.legitimate_allowed"].reason).not.toBe("");
    expect(answers["kata.probe.other_image_denied"].status).toBe("error");
  });
});
