import { describe, expect, test } from "vitest";
import { privatemodeSans } from "../../../src/profile/privatemode.ts";
import { deriveSans, sansAnswer } from "../../../src/verifiers/kata/sans.ts";

const namespace = "continuum-0a1b2c";
const secret = [
  "root",
  "secret-service",
  "*",
  `secret-service-internal.${namespace}.svc.cluster.local`,
  `*.secret-service-headless.${namespace}.svc.cluster.local`,
  "0a1b2c.secret.privatemode.ai",
  "secret.privatemode.ai",
];
const places = {
  expected: { origin: { kind: "pinned", file: "d.yaml", sha256: "" }, at: "line 1" },
  actual: { origin: { kind: "evidence", name: "manifest" }, at: "/SANs" },
} as const;

describe("SANs of a workload", () => {
  test("are its name and * without edits", () => {
    expect(deriveSans({ kind: "Deployment", name: "web", namespace }, [])).toEqual(["web", "*"]);
    expect(deriveSans({ kind: "StatefulSet", name: "coordinator", namespace }, privatemodeSans)).toEqual([
      "coordinator",
      "*",
    ]);
  });
  test.each([
    ["StatefulSet", "secret-service", secret],
    ["Deployment", "workload-gptoss", ["continuum-etcd-client", "workload-gptoss", "*"]],
    ["Deployment", "unstructured-api", ["continuum-etcd-client", "unstructured-api", "*"]],
  ])("of Privatemode's %s %s have its edits", (kind, name, wanted) => {
    expect(deriveSans({ kind, name, namespace }, privatemodeSans)).toEqual(wanted);
  });
  test("keep a placeholder that nothing fills, and heed an edit's kind", () => {
    const names = deriveSans({ kind: "StatefulSet", name: "secret-service", namespace: "ns" }, privatemodeSans);
    expect(names).toContain("$(instance).secret.privatemode.ai");
    const edit = { kind: "Job", name: ".", first: ["x"], last: [] };
    expect(deriveSans({ kind: "Pod", name: "a", namespace }, [edit])).toEqual(["a", "*"]);
  });
  test("pass in any order behind the first name", () => {
    const [first = "", ...rest] = secret;
    expect(sansAnswer(secret, [first, ...rest.reverse()], places)).toMatchObject({ status: "pass" });
  });
  test.each([
    ["another first name", ["secret-service", "root", ...secret.slice(2)]],
    ["one name more", [...secret, "evil.example"]],
    ["one name less", secret.slice(0, -1)],
    ["a name twice", [...secret, "*"]],
    ["none", []],
  ])("fail with %s", (_, actual) => {
    expect(sansAnswer(secret, actual, places)).toMatchObject({ status: "fail", code: "sans-differ" });
  });
});
