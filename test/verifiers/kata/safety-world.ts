/** A pod of Privatemode's shape, made for the tests of the rules: images of our own, arguments as v1.40.0 writes them. */
import { privatemodeRules } from "../../../src/profile/privatemode.ts";
import { decodeDeployment, type Workload } from "../../../src/verifiers/kata/deployment.ts";
import { type SafetyJudgement, verifySafety } from "../../../src/verifiers/kata/safety.ts";
import type { SafetyRules } from "../../../src/verifiers/kata/safety-types.ts";
import type { HeldImageConfig } from "../../../src/verifiers/kata/workload-types.ts";
import { bytes } from "./make.ts";

const digest = `@sha256:${"a".repeat(64)}`;
export const patchHash = `${"0".repeat(63)}1`;
export const rootHash = "c".repeat(64);

export const pod = `apiVersion: apps/v1
kind: Deployment
metadata: { name: workload-granite, namespace: continuum-0a1b2c }
spec:
  template:
    spec:
      runtimeClassName: contrast-cc-metal-qemu-snp-gpu
      initContainers:
        - name: attestation-agent
          image: registry.example/demo/attestation-agent:v1${digest}
          args: [--gpu-driver-versions=595.58.03, "--gpu-vbios-versions=96.00.88.00.11,96.00.9F.00.04"]
          volumeMounts:
            - { name: contrast-secrets, mountPath: /contrast }
            - { name: run, mountPath: /var/run/demo }
        - name: disk-mounter-granite-0
          image: registry.example/demo/disk-mounter:v1${digest}
          restartPolicy: Always
          args: [granite, "0", ${rootHash}]
          volumeDevices: [{ name: weights, devicePath: /dev/modelweights-granite-0 }]
          volumeMounts: [{ name: models, mountPath: /mnt, mountPropagation: Bidirectional }]
      containers:
        - name: workload-granite-0
          image: registry.example/demo/vllm-openai:v1${digest}
          command:
            - /bin/bash
            - -ec
            - |
              if [ $(sha256sum /w/a.patch | cut -d ' ' -f 1) != '${patchHash}' ]; then exit 1; fi
              exec vllm serve "$@"
            - _
          args: [/mnt/modelweights-granite-0, --port=8000, --prefix-caching-hash-algo=sha256]
          env: [{ name: NVIDIA_VISIBLE_DEVICES, value: all }]
          volumeMounts:
            - { name: models, mountPath: /mnt, mountPropagation: HostToContainer }
            - { name: patches, mountPath: /untrusted, readOnly: true }
          resources: { limits: { memory: 64Gi, nvidia.com/GH100_H100_PCIE: 1 } }
        - name: inference-proxy-granite-0
          image: registry.example/demo/inference-proxy:v1${digest}
          args: ["--adapter-type=openai,anthropic", --workload-address=127.0.0.1, --workload-port=8000]
          volumeMounts: [{ name: identity, mountPath: /var/run/secrets/identity, readOnly: true }]
      volumes:
        - { name: models, emptyDir: { medium: Memory } }
        - { name: run, emptyDir: {} }
        - { name: patches, configMap: { name: patches } }
        - { name: identity, secret: { secretName: identity } }
        - { name: weights, persistentVolumeClaim: { claimName: granite } }
`;

export const simple = (name: string, image: string): string => `apiVersion: apps/v1
kind: StatefulSet
metadata: { name: ${name}, namespace: continuum-0a1b2c }
spec:
  template:
    spec:
      runtimeClassName: contrast-cc-metal-qemu-snp-gpu
      containers: [{ name: ${name}, image: "registry.example/demo/${image}:v1${digest}" }]
`;

export function workloadOf(yaml: string): Workload {
  const [workload] = decodeDeployment(bytes(yaml)).workloads;
  if (workload === undefined) throw new Error("no workload");
  return workload;
}

export const sources: ReadonlyMap<string, string> = new Map([[patchHash, "a.patch"]]);

export const judgeYaml = (
  yaml: string,
  rules: SafetyRules = privatemodeRules,
  held: ReadonlyMap<string, string> = sources,
  imageConfigs: ReadonlyMap<string, HeldImageConfig> = new Map(),
): SafetyJudgement =>
  verifySafety(workloadOf(yaml), rules, {
    deployment: { kind: "pinned", file: "deployment.yaml", sha256: "0".repeat(64) },
    sources: held,
    imageConfigs,
  });

/** Ids and codes of what did not pass: `id status code`. */
export const open = ({ judged }: SafetyJudgement): string[] =>
  judged.claims
    .filter((c) => c.status !== "pass")
    .map((c) => [c.id, c.status, ...(c.code === undefined ? [] : [c.code])].join(" "));

/** The text in which one place is another. @throws Error where the place is not there once */
export function but(from: string, to: string, text = pod): string {
  if (text.split(from).length !== 2) throw new Error(`not there once: ${from}`);
  return text.replace(from, () => to);
}
