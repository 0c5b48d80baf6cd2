/** `pm policy check` as a user runs it: what passes, and each defect by the one claim that names it. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { makePolicyWorld } from "../../fixtures/generator/policy-world.ts";
import { sharedDeployment } from "../../fixtures/generator/shared.ts";
import { writeBundle } from "../../src/sources/bundle.ts";
import { attestRequest } from "../../src/verifiers/contrast/index.ts";
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
    const rules = report.claims.filter((c) => c.id === "kata.rules.known").map((c) => c.expected?.origin);
    expect(new Set(rules.map((o) => JSON.stringify(o)))).toEqual(new Set(['{"kind":"flag","name":"--rules-sha256"}']));
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

describe("where the bodies come from", () => {
  test("a bundle with a Coordinator's answer serves as well as a folder", async () => {
    const root = mkdtempSync(join(tmpdir(), "pm-policies-"));
    const bundle = join(root, "bundle.tar");
    const { policies } = makePolicyWorld(sharedDeployment().manifestValue);
    const answer = { policies: [...policies.values()].map((body) => Buffer.from(body).toString("base64")) };
    const request = attestRequest("attest", new Uint8Array(32));
    const bytes = new Uint8Array(Buffer.from(JSON.stringify(answer)));
    await writeBundle(bundle, {
      capturedAt: "2025-06-01T00:00:00Z",
      exchanges: [{ request, response: { status: "ok", bytes, at: "2025-06-01T00:00:00Z" } }],
    });
    const ran = await checkPolicies({ bodies: bundle });
    expect([ran.status, reportOf(ran).verdictLine]).toEqual([0, "verified (policies)"]);
  });
  test.each([
    ["a folder that is not there", { bodies: "/nonexistent" }, /no such file/],
    ["a folder without bodies", { policies: () => false }, /no policy body/],
    ["a sidecar without a digest", { args: ["--sidecar-image", "a=b:latest"] }, /by digest/],
    [
      "a sidecar by a digest alone, which no image of a policy is",
      { args: ["--sidecar-image", `contrast-initializer=sha256:${"a".repeat(64)}`] },
      /names no image by digest/,
    ],
    ["an image configuration without a file", { args: ["--image-config", `a@sha256:${"0".repeat(64)}`] }, /form/],
    ["rules of another length", { args: ["--rules-sha256", "ab"] }, /rules-sha256/],
  ])("%s is a usage error", async (_name, question, message) => {
    const ran = await checkPolicies(question);
    expect(ran.status).toBe(2);
    expect(ran.stdout).toMatch(message);
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
