import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PmError } from "../../../src/errors.ts";
import { decodeDeployment } from "../../../src/verifiers/kata/deployment.ts";
import { expand } from "../../../src/verifiers/kata/expansion.ts";
import { bytes } from "./make.ts";

const pod = (spec: string, head = "apiVersion: v1\nkind: Pod\nmetadata: { name: p }"): string =>
  `${head}\nspec:\n  runtimeClassName: contrast-cc\n${spec}`;
const one = (text: string) => {
  const [workload] = decodeDeployment(bytes(text)).workloads;
  if (workload === undefined) throw new Error("no workload");
  return workload;
};
const containers = "  containers: [{ name: c, image: i }]\n";
const template = (kind: string, api: string): string =>
  `apiVersion: ${api}\nkind: ${kind}\nmetadata: { name: n, namespace: ns }\nspec: { template: { spec: { containers: [{ name: c, image: i }] } } }\n`;

describe("Kubernetes' $(NAME)", () => {
  const values = new Map<string, string | undefined>([
    ["A", "1"],
    ["B", "$(A)"],
    ["S", undefined],
  ]);
  test.each([
    ["--a=$(A)$(A)", "--a=11"],
    ["$(B)", "$(A)"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$1"],
    ["$$$$", "$$"],
    ["$(NOPE) $(cat /x)", "$(NOPE) $(cat /x)"],
    ["$(echo $(A))", "$(echo $(A))"],
    ["$A $B $", "$A $B $"],
    ["$(A", "$(A"],
    ["$()", "$()"],
  ])("%s becomes %s", (text, wanted) => expect(expand(text, values)).toEqual({ text: wanted, unknown: [] }));
  test("names a variable whose value is not in the file", () => {
    expect(expand("x$(S)", values)).toEqual({ text: "x$(S)", unknown: ["S"] });
  });
});

describe("the deployment reader", () => {
  test.each([
    ["Deployment", "apps/v1"],
    ["StatefulSet", "apps/v1"],
    ["DaemonSet", "apps/v1"],
    ["ReplicaSet", "apps/v1"],
    ["Job", "batch/v1"],
  ])("names a %s by group, version, kind, namespace and name", (kind, api) => {
    expect(one(template(kind, api)).workloadSecretId).toBe(`${api}/${kind}/ns/n`);
  });
  test("names a Pod with the group core and the namespace default, and a CronJob by its inner template", () => {
    expect(one(pod(containers)).workloadSecretId).toBe("core/v1/Pod/default/p");
    const cron =
      "apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: n }\nspec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: c, image: i }] } } } } }\n";
    expect(one(cron).workloadSecretId).toBe("batch/v1/CronJob/default/n");
  });
  test("reads lists and many documents, and takes the annotation's WorkloadSecretID", () => {
    const head =
      "apiVersion: v1\nkind: Pod\nmetadata: { name: q, annotations: { contrast.edgeless.systems/workload-secret-id: own } }";
    const list = `apiVersion: v1\nkind: List\nitems:\n- ${template("Job", "batch/v1").trim().split("\n").join("\n  ")}\n`;
    const { workloads, others } = decodeDeployment(
      bytes(`${list}---\n${pod(containers, head)}---\napiVersion: v1\nkind: Service\n`),
    );
    expect(workloads.map((w) => w.workloadSecretId)).toEqual(["batch/v1/Job/ns/n", "own"]);
    expect(others).toBe(1);
  });
  test("takes init containers first, native sidecars among them, and the container's context before the pod's", () => {
    const { containers: found } = one(
      pod(`  securityContext: { runAsUser: 5, runAsGroup: 6 }
  initContainers:
    - { name: a, image: i }
    - { name: b, image: i, restartPolicy: Always, securityContext: { runAsUser: 7 } }
  containers: [{ name: c, image: i }]
`),
    );
    expect(found.map((c) => [c.name, c.role, c.security.runAsUser, c.security.runAsGroup])).toEqual([
      ["a", "init", 5, 6],
      ["b", "sidecar", 7, 6],
      ["c", "container", 5, 6],
    ]);
  });
  test("expands env with the variables before it, and lets the last of one name count", () => {
    const [container] = one(
      pod(`  containers:
    - name: c
      image: i
      env:
        - { name: LATE, value: "$(A)" }
        - { name: A, value: "1" }
        - { name: B, value: "$(A)2" }
        - { name: A, value: "3" }
        - { name: N, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
      command: ["$(B)", "$(A)"]
`),
    ).containers;
    expect(container?.env.map((e) => `${e.name}=${e.value?.text}`)).toEqual([
      "LATE=$(A)",
      "B=12",
      "A=3",
      "N=$(sandbox-name)",
    ]);
    expect(container?.command?.map((v) => v.text)).toEqual(["12", "3"]);
  });
  test.each([
    [
      "an argument that is a number",
      pod("  containers: [{ name: c, image: i, args: [8080] }]\n"),
      /line \d+, column \d+.*text/,
    ],
    ["no containers", pod("  containers: []\n"), /no containers/],
    ["two containers of one name", pod("  containers: [{ name: c, image: i }, { name: c, image: i }]\n"), /one name/],
    ["a container's name with a slash", pod("  containers: [{ name: a/b, image: i }]\n"), /no valid name/],
    ["an object without a name", "apiVersion: v1\nkind: Pod\nmetadata: {}\nspec: {}\n", /no valid name/],
    ["an object without a kind", "apiVersion: v1\n", /no kind/],
    ["a list of texts", "- a\n", /needs an object/],
    [
      "a template that is a text",
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: n }\nspec: { template: x }\n",
      /object/,
    ],
    ["ephemeral containers", pod("  ephemeralContainers: []\n  containers: [{ name: c, image: i }]\n"), /ephemeral/],
    [
      "a volume with two sources",
      pod("  volumes: [{ name: v, emptyDir: {}, hostPath: {} }]\n  containers: [{ name: c, image: i }]\n"),
      /one source/,
    ],
  ])("refuses %s", (_name, text, message) => {
    expect(() => decodeDeployment(bytes(text))).toThrow(message);
  });
  test("does not pass over a confidential pod in an object of an unknown kind", () => {
    const rollout = template("Rollout", "argoproj.io/v1alpha1");
    expect(decodeDeployment(bytes(rollout)).workloads).toEqual([]);
    const confidential = rollout.replace("{ spec: { containers", "{ spec: { runtimeClassName: contrast-cc, containers");
    expect(() => decodeDeployment(bytes(confidential))).toThrow(
      expect.objectContaining({ code: "PM_EVIDENCE_UNSUPPORTED" }),
    );
  });
  test("is total", () => {
    const json = fc.jsonValue({ maxDepth: 6 });
    fc.assert(
      fc.property(json, (value) => {
        for (const object of [value, { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: value }])
          try {
            decodeDeployment(bytes(JSON.stringify(object)));
          } catch (error) {
            if (!(error instanceof PmError)) throw error;
          }
      }),
      { numRuns: 300 },
    );
  });
});
