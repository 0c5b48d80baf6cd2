/** `pm policy check` as a user runs it: what passes, and each defect by the one claim that names it. */
import { describe, expect, it, test } from "vitest";
import { reportOf } from "../command.ts";
import { checkPolicies } from "../policies.ts";
import { type PolicyCase, policyCases } from "../policy-cases.ts";

const owedOpen = (report: ReturnType<typeof reportOf>, status: string): string[] =>
  report.claims.filter((c) => c.owed && c.status === status).map((c) => `${c.id} ${c.code}`);

describe("a deployment whose policies say what the file says", () => {
  test("is verified, and the line says for which question", async () => {
    const ran = await checkPolicies();
    const report = reportOf(ran);
    expect(report.claims.filter((c) => c.owed && c.status !== "pass")).toEqual([]);
    expect([ran.status, report.verdictLine]).toEqual([0, "verified (policies)"]);
    expect(report.notProven.length).toBeGreaterThan(5);
  });
  test("is inconclusive without a list of rules, whatever else passes", async () => {
    const ran = await checkPolicies({ known: { rules: false } });
    const report = reportOf(ran);
    expect([ran.status, report.verdict]).toEqual([3, "inconclusive"]);
    expect(new Set(owedOpen(report, "error"))).toEqual(new Set(["kata.rules.known rules-unknown"]));
  });
  test("is inconclusive without the images' configurations", async () => {
    const ran = await checkPolicies({ known: { configs: false } });
    expect(ran.status).toBe(3);
    expect(owedOpen(reportOf(ran), "fail")).toEqual([]);
  });
  test("is verified with a pattern that the auditor accepts", async () => {
    const { question } = policyCases["one variable let in by a pattern"];
    const ran = await checkPolicies({ ...question, args: ["--env-regex", "^LD_PRELOAD=/run/[a-z]+$"] });
    expect(ran.status).toBe(0);
  });
});

describe.each(Object.entries<PolicyCase>(policyCases))("%s", (_name, c) => {
  it(`is ${c.id} ${c.code} and nothing else`, async () => {
    const ran = await checkPolicies(c.question);
    const report = reportOf(ran);
    const status = c.status ?? "fail";
    const claim = report.claims.find((r) => r.id === c.id && r.subject.endsWith(c.subject));
    expect([claim?.status, claim?.code], `${claim?.reason}`).toEqual([status, c.code]);
    const wanted = c.advisory ? [] : [`${c.id} ${c.code}`, ...(c.also ?? [])];
    if (status === "fail") expect(new Set(owedOpen(report, "fail"))).toEqual(new Set(wanted));
    else expect(owedOpen(report, "fail")).toEqual([]);
    expect(ran.status).toBe(c.advisory ? 0 : status === "fail" ? 1 : 3);
  });
});
