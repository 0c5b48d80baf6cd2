/** `pm policy probe` as a user runs it: a good policy, policies with one hole each, what is none, and one question in full. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { annotationOf, makePolicyWorld } from "../../fixtures/generator/policy-world.ts";
import {
  badPolicies,
  magicExecId,
  magicPolicy,
  type ProbePolicy,
  shutPolicy,
} from "../../fixtures/generator/probe-policies.ts";
import { sharedDeployment } from "../../fixtures/generator/shared.ts";
import { writeBundle } from "../../src/sources/bundle.ts";
import { attestRequest } from "../../src/verifiers/contrast/index.ts";
import { type Ran, reportOf } from "../command.ts";
import { conforms } from "../json-schema.ts";
import { bodyUnder, policyNamed, probe, probed, probeFile, removeProbes } from "../probe-world.ts";

afterAll(removeProbes);

const schema: unknown = JSON.parse(readFileSync(new URL("../../docs/report.schema.json", import.meta.url), "utf8"));
const good = policyNamed("as it is");
const file = probeFile(bodyUnder(good.edits));
/** Before any question of it is answered: a loop of 10^10 rounds where the sandbox is created. */
const hostile: ProbePolicy = {
  name: "a loop without end",
  edits: {
    rules: (_, rules) =>
      rules.replace(
        "CreateSandboxRequest if {\n",
        "CreateSandboxRequest if {\n  every x in numbers.range(1, 100000) {\n    every y in numbers.range(1, 100000) { x * y > 0 }\n  }\n",
      ),
  },
  fails: [],
  voids: "all",
};
const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
const deep = "[".repeat(400_000) + "]".repeat(400_000);
const empty = "version = '0.1.0'\nalgorithm = 'sha256'\n[data]\n";
const ids = (ran: Ran, status: string, owed = true): string[] => [
  ...new Set(
    reportOf(ran)
      .claims.filter((c) => c.status === status && c.owed === owed)
      .map((c) => c.id),
  ),
];
const subjects = (ran: Ran): string[] => [...new Set(reportOf(ran).claims.map((c) => c.subject))];

describe("a policy that refuses what it should", () => {
  test("ends with 0, and the text has a table of what was asked", async () => {
    const ran = await probe([file]);
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
    expect(ran.stdout).toMatch(/Rego v1, \d{3} probes\n/);
    expect(ran.stdout).toContain("permitted (weaker): coordinator, env-all-dropped, at the start\n");
    expect(ran.stdout).toMatch(/\d{3} probes more went as expected: --json lists each/);
    expect(ran.stdout).toMatch(/magic value is not found/);
    expect(ran.stdout).toMatch(/That a guest runs under one of these policies is shown by its attestation/i);
  });
  test("the report fits its schema and has every probe with the digest of its request", async () => {
    const ran = await probe([file, "--json"]);
    const report = reportOf(ran);
    expect(conforms(schema, JSON.parse(ran.stdout))).toEqual([]);
    expect([report.exitCode, report.verdict]).toEqual([0, "verified"]);
    const rows = report.probes?.flatMap((t) => t.rows) ?? [];
    expect(rows.length).toBeGreaterThan(250);
    expect(rows.filter((r) => r.answer !== "skipped" && !/^[0-9a-f]{64}$/.test(r.digest))).toEqual([]);
    expect(rows.filter((r) => r.answer === "inconclusive")).toEqual([]);
  });
  test("is read from stdin", async () => {
    const ran = await probe(["-", "--json"], { stdin: bodyUnder(good.edits) });
    expect([ran.status, subjects(ran)]).toEqual([0, subjects(await probe([file, "--json"]))]);
  });
  test("opens by a magic value, which is not found and said so", async () => {
    const ran = await probed(magicPolicy);
    expect([ran.status, ids(ran, "fail")]).toEqual([0, []]);
    expect(reportOf(ran).notProven.join(" ")).toContain("magic value");
    const request = probeFile(JSON.stringify({ exec_id: magicExecId }), "json");
    const opened = await probe([
      ...[probeFile(bodyUnder(magicPolicy.edits)), "--request", request],
      ...["--endpoint", "ExecProcessRequest", "--json"],
    ]);
    expect(JSON.parse(opened.stdout)).toMatchObject({ answer: "allowed", afterStart: false });
  });
});

describe("a policy with one hole", () => {
  const finds = badPolicies.filter((p) => p.voids === "none" && p.name !== "logs readable");
  test.each(finds)("ends with 1 and the one claim that names it: $name", async (policy) => {
    const ran = await probed(policy);
    expect([ran.status, ids(ran, "fail"), ids(ran, "error")]).toEqual([1, policy.fails, []]);
  });
  test("that lets failing requests through fails by that claim, and nothing that rests on refusals passes", async () => {
    const ran = await probed(policyNamed("failing requests allowed"));
    expect([ran.status, ids(ran, "fail")]).toEqual([1, ["kata.probe.failing_requests_refused"]]);
    expect(ids(ran, "pass").filter((id) => id.endsWith("_denied"))).toEqual([]);
  });
  test("that the versions of Rego read differently is inconclusive", async () => {
    const ran = await probed(policyNamed("v0 and v1 read it differently"));
    expect([ran.status, ids(ran, "fail"), ids(ran, "pass")]).toEqual([3, [], []]);
    expect(ids(ran, "fail", false)).toContain("kata.probe.rego_readings");
  });
  test("logs that the host may read are a finding, and the run ends with 0", async () => {
    const ran = await probed(policyNamed("logs readable"));
    expect([ran.status, ids(ran, "fail", false).includes("kata.probe.logs_readable")]).toEqual([0, true]);
  });
});

describe("what proves nothing is inconclusive", () => {
  test("a policy that refuses its own containers", async () => {
    const ran = await probed(shutPolicy);
    expect([ran.status, ids(ran, "fail")]).toEqual([3, []]);
    expect(ids(ran, "error")).toContain("kata.probe.legitimate_allowed");
  });
  test.each([
    ["a document without a policy", empty, /no policy\.rego/],
    ["a policy without data", "package agent_policy\n", /no line that begins with policy_data/],
    ["no containers", 'package agent_policy\n\npolicy_data := {"containers": []}', /lists no containers/],
  ])("%s", async (_, text, reason) => {
    const ran = await probe([probeFile(text), "--json"]);
    expect([ran.status, ids(ran, "pass"), ids(ran, "pass", false)]).toEqual([3, [], []]);
    expect(reportOf(ran).claims[0]?.reason).toMatch(reason);
  });
  test("rules that the engine cannot read", async () => {
    const ran = await probed({ ...good, edits: { rules: (_, rules) => `${rules}\n}}\n\n` } });
    expect([ran.status, ids(ran, "pass"), ids(ran, "pass", false)]).toEqual([3, [], []]);
    expect(reportOf(ran).claims[0]?.reason).toMatch(/cannot load the policy/);
  });
  test("a loop without end, and the policy beside it is answered all the same", async () => {
    const folder = join(dirname(file), "hostile");
    mkdirSync(folder);
    const bodies = [bodyUnder(hostile.edits), bodyUnder(good.edits)];
    for (const [n, body] of bodies.entries()) writeFileSync(join(folder, `${n}.toml`), body);
    const ran = await probe([folder, "--json"]);
    const [looping, plain] = subjects(ran);
    const owed = (subject: string | undefined, status: string): string[] =>
      reportOf(ran)
        .claims.filter((c) => c.subject === subject && c.owed && c.status === status)
        .map((c) => c.id);
    expect(ran.status).toBe(3);
    expect(owed(looping, "fail")).toEqual([]);
    expect(owed(looping, "error")).toContain("kata.probe.legitimate_allowed");
    expect(owed(looping, "error")).toContain("kata.probe.privilege_denied");
    expect([owed(plain, "pass").length, owed(plain, "error")]).toEqual([12, []]);
  }, 180_000);
});

describe("where the policies come from", () => {
  const { policies, deployment } = makePolicyWorld(sharedDeployment().manifestValue);
  test("a bundle, each body under its digest", async () => {
    const bundle = join(dirname(file), "bundle.tar");
    const chosen = [...policies].filter(([name]) => name !== "workload-granite.toml").map(([, body]) => body);
    const answer = { policies: chosen.map((body) => Buffer.from(body).toString("base64")) };
    const bytes = new Uint8Array(Buffer.from(JSON.stringify(answer)));
    const at = "2025-06-01T00:00:00Z";
    const request = attestRequest("attest", new Uint8Array(32));
    await writeBundle(bundle, { capturedAt: at, exchanges: [{ request, response: { status: "ok", bytes, at } }] });
    const ran = await probe([bundle, "--json"]);
    expect([ran.status, subjects(ran).length]).toEqual([0, 2]);
    for (const name of subjects(ran)) expect(name).toMatch(/^policy [0-9a-f]{64}$/);
  }, 120_000);
  test("a deployment file: a workload without an annotation keeps the run from passing", async () => {
    const body = policies.get("workload-granite.toml") ?? new Uint8Array(0);
    const annotation = `annotations: { io.katacontainers.config.hypervisor.cc_init_data: ${annotationOf(body)} }`;
    const yaml = Buffer.from(deployment).toString("utf8").replace("annotations: {}", annotation);
    const ran = await probe(["--deployment", probeFile(yaml, "yaml"), "--json"]);
    expect(ran.status).toBe(3);
    const report = reportOf(ran);
    const granite = report.claims.filter((c) => c.subject.endsWith("/workload-granite"));
    expect(granite.filter((c) => c.owed && c.status !== "pass")).toEqual([]);
    expect(granite.length).toBeGreaterThan(0);
    const coordinator = report.claims.filter((c) => c.subject.endsWith("/coordinator"));
    expect(new Set(coordinator.map((c) => c.status))).toEqual(new Set(["error"]));
    expect(coordinator[0]?.reason).toMatch(/has no policy for it: contrast generate writes one/);
  }, 120_000);
  test.each([
    ["nothing", [], 2, /no policy to probe/],
    ["two sources", [file, "--deployment", file], 2, /two sources/],
    ["stdin twice", ["-", "--request", "-", "--endpoint", "A"], 2, /cannot both be stdin/],
    ["a file that is not there", ["/nonexistent"], 2, /no such file/],
    ["a text that is no policy", [probeFile("hello", "txt")], 1, /no valid TOML at line 1/],
    ["an empty file", [probeFile("", "txt")], 1, /empty/],
    ["a folder without bodies", [dirname(process.execPath)], 2, /no policy body/],
    ["YAML without a confidential workload", ["--deployment", probeFile(configMap, "yaml")], 2, /no confidential/],
  ] as const)("not from %s", async (_, args, status, message) => {
    const ran = await probe(args);
    expect([ran.status, ran.stdout]).toEqual([status, ""]);
    expect(ran.stderr).toMatch(message);
  });
});

describe("one question in full", () => {
  const explained = async (...args: readonly string[]) => {
    const ran = await probe([file, "--json", "--explain", ...args]);
    return { status: ran.status, facts: JSON.parse(ran.stdout) as Record<string, unknown> };
  };
  test("of the container that is named: request, answer and claim", async () => {
    const { status, facts } = await explained("args-replaced", "--container", "coordinator");
    expect(status).toBe(0);
    expect(facts).toMatchObject({
      container: "coordinator",
      expected: "denied",
      answer: "denied",
      claim: "kata.probe.other_command_denied",
      request: { OCI: { Process: { Args: ["/bin/sh", "-c", "id"] } } },
    });
  });
  test("of the first container when none is named", async () => {
    expect((await explained("env-all-dropped")).facts).toMatchObject({ container: "sandbox", answer: "allowed" });
  });
  test("as text", async () => {
    const ran = await probe([file, "--explain", "args-replaced"]);
    expect(ran.stdout).toMatch(/^the policy answers: denied$/m);
    expect(ran.stdout).toContain('"/bin/sh"');
  });
  test.each([
    ["a probe that is none", ["--explain", "nothing"], /no such probe: nothing\n.*known: .*args-replaced/],
    [
      "a container that is none",
      ["--explain", "args-replaced", "--container", "x"],
      /not asked of x\n.*sandbox, coordinator/,
    ],
    ["a change that changes nothing", ["--explain", "device-gpu-changed"], /changes nothing in the request of any/],
    ["a container alone", ["--container", "x"], /--explain/],
    ["a request without its name", ["--request", "x.json"], /--endpoint/],
    ["two questions", ["--explain", "a", "--request", "b", "--endpoint", "C"], /--explain/],
    [
      "a request that is no JSON",
      ["--request", probeFile("{", "json"), "--endpoint", "A"],
      /not a request in JSON: .* line 1/,
    ],
    ["a request nested too deeply", ["--request", probeFile(deep, "json"), "--endpoint", "A"], /not a request in JSON/],
    ["a name that is none", ["--request", probeFile("{}", "json"), "--endpoint", "a.b"], /not the name of a request/],
  ])("not of %s", async (_, args, message) => {
    const ran = await probe([file, ...args]);
    expect([ran.status, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toMatch(message);
  });
  test("of one policy only", async () => {
    const folder = join(dirname(file), "two");
    mkdirSync(folder);
    for (const name of ["coordinator", "secret-service"])
      writeFileSync(join(folder, `${name}.toml`), bodyUnder({}, name));
    const ran = await probe([folder, "--explain", "args-replaced"]);
    expect([ran.status, ran.stderr]).toEqual([2, expect.stringContaining("2 policies, and one is asked")]);
  });
  test("a request of one's own, before and after the start", async () => {
    const { facts } = await explained("pod-name", "--container", "coordinator");
    const args = [file, "--request", "-", "--endpoint", "CreateContainerRequest", "--json"];
    const stdin = JSON.stringify(facts["request"]);
    const first = await probe(args, { stdin });
    const later = await probe([...args, "--after-start"], { stdin });
    expect(JSON.parse(first.stdout)).toMatchObject({ answer: "allowed", afterStart: false });
    expect(JSON.parse(later.stdout)).toMatchObject({ answer: "denied", afterStart: true });
  });
  test("a request that no rule knows is refused by the guest, with the reason", async () => {
    const ran = await probe([file, "--request", "-", "--endpoint", "NoSuchRequest", "--json"], { stdin: "{}" });
    expect(ran.status).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ answer: "refused", reason: expect.stringContaining("no result") });
  });
});
