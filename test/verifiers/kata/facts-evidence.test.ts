/**
 * The recorded facts of Privatemode v1.40.0, written as a deployment file of their shape and read back. The facts hold
 * images, init containers, disk mounters' and agents' arguments; they hold no proxy's or server's arguments and no
 * volumes, so what the rules say of those is listed here for want of facts.
 */
import { expect, test } from "vitest";
import { privatemodeRules, privatemodeSans } from "../../../src/profile/privatemode.ts";
import { decodeDeployment } from "../../../src/verifiers/kata/deployment.ts";
import { verifySafety } from "../../../src/verifiers/kata/safety.ts";
import { deriveSans, sansAnswer } from "../../../src/verifiers/kata/sans.ts";
import { describeEvidence, evidenceJson } from "../../evidence.ts";
import { bytes } from "./make.ts";
import { open } from "./safety-world.ts";

interface ContainerFacts {
  readonly name: string;
  readonly image: string;
  readonly init: boolean;
  readonly args?: readonly string[];
  readonly volumeDevices?: readonly { readonly name: string; readonly devicePath: string }[];
}
interface Facts {
  readonly workloads: readonly {
    readonly kind: string;
    readonly name: string;
    readonly namespace: string;
    readonly runtimeClassName: string;
    readonly podAnnotations: Readonly<Record<string, string>>;
    readonly defaultWorkloadSecretID: string;
    readonly defaultSANs: readonly string[];
    readonly containers: readonly ContainerFacts[];
  }[];
}
interface Manifest {
  readonly Policies: Readonly<Record<string, { readonly SANs: readonly string[]; readonly WorkloadSecretID: string }>>;
}

/** Block style, every text quoted. */
function yaml(value: unknown, indent = ""): string {
  if (typeof value !== "object" || value === null) return ` ${JSON.stringify(value)}\n`;
  const entries = Array.isArray(value)
    ? value.map((item) => ["-", item] as const)
    : Object.entries(value).map(([name, item]) => [`${JSON.stringify(name)}:`, item] as const);
  if (entries.length === 0) return Array.isArray(value) ? " []\n" : " {}\n";
  return `\n${entries.map(([head, item]) => `${indent}${head}${yaml(item, `${indent}  `)}`).join("")}`;
}

const objectOf = (w: Facts["workloads"][number]): unknown => {
  const some = (init: boolean) => w.containers.filter((c) => c.init === init).map(({ init: _, ...c }) => c);
  return {
    apiVersion: "apps/v1",
    kind: w.kind,
    metadata: { name: w.name, namespace: w.namespace },
    spec: {
      template: {
        metadata: { annotations: w.podAnnotations },
        spec: { runtimeClassName: w.runtimeClassName, initContainers: some(true), containers: some(false) },
      },
    },
  };
};

describeEvidence("the facts of Privatemode v1.40.0", () => {
  const facts = evidenceJson<Facts>("contrast/privatemode-deployment-facts.json");
  const text = facts.workloads.map((w) => `---${yaml(objectOf(w))}`).join("");
  const { workloads } = decodeDeployment(bytes(text));
  const judgements = workloads.map((w) => ({
    name: w.name,
    ...verifySafety(w, privatemodeRules, {
      deployment: { kind: "pinned", file: "deployment.yaml", sha256: "0".repeat(64) },
      sources: new Map(),
      imageConfigs: new Map(),
    }),
  }));

  test("are derived from a file of that shape: objects, names, roles", () => {
    expect(
      workloads.map((w) => ({
        kind: w.kind,
        name: w.name,
        namespace: w.namespace,
        runtimeClassName: w.runtimeClassName,
        defaultWorkloadSecretID: w.workloadSecretId,
        defaultSANs: deriveSans(w, []),
      })),
    ).toEqual(facts.workloads.map(({ podAnnotations: _, containers: __, ...w }) => w));
    expect(workloads.filter((w) => w.role === "coordinator").map((w) => w.name)).toEqual(["coordinator"]);
    expect(workloads.every((w) => w.confidential)).toBe(true);
  });

  test("are derived from it: images, arguments, devices", () => {
    const derived = workloads.map((w) =>
      w.containers.map(({ name, image, role, args, devices }) => ({
        name,
        image,
        init: role !== "container",
        args: args?.map((a) => a.text),
        devices: devices.map((d) => d.path),
      })),
    );
    const stated = facts.workloads.map((w) =>
      w.containers.map(({ name, image, init, args, volumeDevices }) => ({
        name,
        image,
        init,
        args,
        devices: (volumeDevices ?? []).map((d) => d.devicePath),
      })),
    );
    expect(derived).toEqual(stated);
  });

  test("are derived from it: disks, with their root hashes and devices", () => {
    const read = judgements.flatMap(
      ({ evidence }) => (evidence as { readonly containers: readonly { readonly role: string }[] }).containers,
    );
    const derived = read.filter((c) => c.role === "disk-mounter");
    const stated = facts.workloads
      .flatMap((w) => w.containers)
      .filter((c) => c.name.startsWith("disk-mounter"))
      .map(({ name, args: [model, index, rootHash] = [], volumeDevices }) => ({
        name,
        role: "disk-mounter",
        byImage: true,
        disk: { model, index, rootHash },
        devices: (volumeDevices ?? []).map((d) => d.devicePath),
      }));
    expect(stated.length).toBeGreaterThanOrEqual(7);
    expect(derived).toEqual(stated);
  });

  test("give the manifest's SANs with Privatemode's edits", () => {
    const { Policies } = evidenceJson<Manifest>("contrast/manifest-privatemode-v1.40-shape.json");
    const entries = Object.values(Policies);
    expect(entries.length).toBe(3);
    for (const { SANs, WorkloadSecretID } of entries) {
      const workload = workloads.find((w) => w.workloadSecretId === WorkloadSecretID);
      const sans = workload === undefined ? [] : deriveSans(workload, privatemodeSans);
      expect(sans).toEqual(SANs);
      expect(
        sansAnswer(sans, SANs, {
          expected: { origin: { kind: "pinned", file: "deployment.yaml", sha256: "0".repeat(64) }, at: "line 1" },
          actual: { origin: { kind: "evidence", name: "manifest" }, at: "/SANs" },
        }).status,
      ).toBe("pass");
    }
  });

  /** No proxy's arguments and no mounts are among the facts: each of these is fail-closed, and nothing else is open. */
  const server = [
    "kata.safety.adapter_type fail adapter-type-missing",
    "kata.safety.workload_address fail address-missing",
    "kata.safety.disks fail disk-missing",
  ];
  test("are answered so by the rules", () => {
    expect(Object.fromEntries(judgements.map((j) => [j.name, open(j)]))).toEqual({
      "secret-service": [],
      "workload-gemma4": server,
      "workload-gptoss": server,
      "workload-kimi": server,
      "workload-multimodal-qwenembed": server,
      "workload-transcriptions-codegen": server,
      "workload-voxtralmini": server,
      "unstructured-api": server.slice(0, 2),
      coordinator: [],
    });
  });
  test("satisfy the rules on GPUs and their agents by what they hold", () => {
    const passed = judgements.flatMap(({ name, judged }) =>
      judged.claims
        .filter((c) => c.id.startsWith("kata.safety.gpu") && c.status === "pass" && !c.actual?.value.startsWith("no "))
        .map((c) => `${name} ${c.id}`),
    );
    const pods = workloads.map((w) => w.name).filter((name) => name.startsWith("workload-"));
    expect(passed).toEqual(pods.flatMap((n) => [`${n} kata.safety.gpu_versions`, `${n} kata.safety.gpu_agent`]));
  });
});
