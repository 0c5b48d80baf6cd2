/** One defect a case, each through `pm policy check`: which claim says so, of which subject, with which code. */
import {
  annotationOf,
  type ContainerValue,
  emptyDir,
  images,
  type PolicyDataValue,
  rootHash,
  sharedMount,
} from "../fixtures/generator/policy-world.ts";
import type { PolicyQuestion } from "./policies.ts";

export interface PolicyCase {
  readonly question: PolicyQuestion;
  /** End of the subject's name. */
  readonly subject: string;
  readonly id: string;
  readonly code?: string;
  /** Default fail. */
  readonly status?: "fail" | "error";
  /** Further owed claims that the same defect fails, as `id code`. */
  readonly also?: readonly string[];
  /** A finding: the verdict stays. */
  readonly advisory?: true;
}

const granite = "workload-granite";
type Edit = (value: PolicyDataValue) => void;
/** Edits the data of the inference workload. */
const data = (edit: Edit): PolicyQuestion => ({
  data: (name, value) => {
    if (name === granite) edit(value);
  },
});
const at = (value: PolicyDataValue, name: string): ContainerValue => {
  const found = value.containers.find((c) => c.OCI.Annotations["io.kubernetes.cri.container-name"] === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
};
const disk = "disk-mounter-granite-0";
const inference = (edit: (c: ContainerValue) => void): PolicyQuestion => data((v) => edit(at(v, "inference")));
const mounter = (edit: (c: ContainerValue) => void): PolicyQuestion => data((v) => edit(at(v, disk)));
const other = (reference: string): string => reference.replace(/[0-9a-f]$/, (d) => (d === "0" ? "1" : "0"));
const setImage = (c: ContainerValue, reference: string): void => {
  c.image = reference;
  c.OCI.Annotations["io.kubernetes.cri.image-name"] = reference;
  for (const s of c.storages) if (s["driver"] === "image_guest_pull") s["source"] = reference;
};
const yaml = (from: string, to: string): PolicyQuestion => ({
  yaml: (text) => {
    if (!text.includes(from)) throw new Error(`not in the deployment file: ${from}`);
    return text.replace(from, to);
  },
});
const requests = (name: string, value: PolicyDataValue["request_defaults"][string]): PolicyQuestion =>
  data((v) => {
    v.request_defaults[name] = value;
  });
const environment = (...patterns: string[]): PolicyQuestion =>
  requests("CreateContainerRequest", { allow_env_regex: patterns });
const workload = `workload apps/v1/Deployment/demo/${granite}`;
const container = (name: string): string => `container apps/v1/Deployment/demo/${granite}/${name}`;

const ofWorkload = (
  id: string,
  code: string,
  question: PolicyQuestion,
  more: Partial<PolicyCase> = {},
): PolicyCase => ({
  subject: workload,
  id,
  code,
  question,
  ...more,
});
const ofContainer = (
  id: string,
  code: string,
  question: PolicyQuestion,
  more: Partial<PolicyCase> = {},
): PolicyCase => ({
  subject: container("inference"),
  id: `kata.container.${id}`,
  code,
  question,
  ...more,
});
const rivalRules = (statement: string): PolicyQuestion => ({
  rules: (name, rules) => (name === granite ? `${rules}${statement}\n` : rules),
});
/** The inference workload takes the Coordinator's name, and has no entry of its own. */
const sharedId: PolicyQuestion = {
  ...yaml(
    "annotations: {}",
    "annotations: { contrast.edgeless.systems/workload-secret-id: apps/v1/StatefulSet/demo/coordinator }",
  ),
  entries: (entries) =>
    Object.fromEntries(Object.entries(entries).filter(([, e]) => !e.WorkloadSecretID.endsWith(granite))),
};

export const policyCases = {
  "another image digest": ofContainer(
    "image",
    "image-differs",
    inference((c) => setImage(c, other(images.inference))),
  ),
  "image by tag only": ofContainer(
    "image",
    "image-unpinned",
    inference((c) => setImage(c, images.inference.split("@")[0] ?? "")),
  ),
  "storage pulls another image than the annotation names": ofContainer(
    "image",
    "image-names-differ",
    inference((c) => {
      for (const s of c.storages) s["source"] = other(images.inference);
    }),
  ),
  "same digest in another repository": ofContainer(
    "repository",
    "repository-differs",
    inference((c) => setImage(c, images.inference.replace("registry.example", "elsewhere.example"))),
    { advisory: true },
  ),
  "disk root that differs by one digit": ofContainer(
    "args",
    "args-differ",
    mounter((c) => {
      c.OCI.Process.Args = c.OCI.Process.Args.map((a) => (a === rootHash ? other(a) : a));
    }),
    { subject: container(disk) },
  ),
  "disk root that differs, of an image whose configuration was not given": ofContainer(
    "args",
    "args-differ",
    {
      ...mounter((c) => {
        c.OCI.Process.Args = c.OCI.Process.Args.map((a) => (a === rootHash ? other(a) : a));
      }),
      known: { configs: false },
    },
    { subject: container(disk) },
  ),
  "arguments split differently": ofContainer(
    "args",
    "args-differ",
    inference((c) => {
      c.OCI.Process.Args = ["/bin/sh -c", ...c.OCI.Process.Args.slice(2)];
    }),
  ),
  "arguments out of a poisoned layer cache": ofContainer(
    "args",
    "args-differ",
    mounter((c) => {
      c.OCI.Process.Args[0] = "/bin/other";
    }),
    { subject: container(disk) },
  ),
  "word that the host may choose": ofContainer("args", "args-open", {
    yaml: (text) =>
      text
        .replace(
          '{ name: PORT, value: "8000" }',
          "{ name: PORT, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }",
        )
        .replace("--port=$(cat /etc/port)", "--port=$(PORT)"),
    data: (name, value) => {
      if (name !== granite) return;
      const { Process } = at(value, "inference").OCI;
      Process.Args[2] = "exec serve --model=granite --port=$(node-name)";
      Process.Env = Process.Env.map((v) => (v === "PORT=8000" ? "PORT=$(node-name)" : v));
    },
  }),
  "root file system in a folder of the host": ofContainer(
    "root",
    "root-differs",
    inference((c) => {
      c.OCI.Root.Path = "$(cpath)/passthrough/rootfs";
    }),
  ),
  "sandbox whose root file system is in a folder of the host": ofWorkload(
    "kata.containers.sandbox",
    "sandbox-differs",
    data((v) => {
      const [first] = v.containers;
      if (first !== undefined) first.OCI.Root.Path = "$(cpath)/passthrough/rootfs";
    }),
  ),
  "sandbox of another namespace": ofWorkload(
    "kata.containers.sandbox",
    "sandbox-differs",
    data((v) => {
      const [first] = v.containers;
      if (first !== undefined) first.OCI.Annotations["io.kubernetes.cri.sandbox-namespace"] = "elsewhere";
    }),
  ),
  "emptyDir whose storage is the host's file system": ofContainer(
    "mounts",
    "mount-unexpected",
    inference((c) =>
      c.storages.push({
        driver: "ephemeral",
        driver_options: [],
        source: "kataShared",
        fstype: "virtiofs",
        options: [],
        mount_point: "^$(cpath)/$(sandbox-id)/local/models$",
        fs_group: null,
      }),
    ),
  ),
  "second image pulled over the first": ofContainer(
    "mounts",
    "mount-unexpected",
    inference((c) => {
      const [pull] = c.storages;
      if (pull !== undefined) c.storages.push({ ...pull, mount_point: "/usr/bin" });
    }),
  ),
  "device with a member that pm does not know": ofWorkload(
    "kata.policy_data.format",
    "policy-data-unknown",
    data((v) => {
      Object.assign(at(v, disk).devices[0] ?? {}, { vm_path: "/dev/other" });
    }),
    { status: "error" },
  ),
  "request default that is no truth value": ofWorkload(
    "kata.requests.others",
    "request-unknown",
    requests("CloseStdinRequest", "yes"),
    { status: "error" },
  ),
  "further default of container creation": ofWorkload(
    "kata.requests.others",
    "request-unknown",
    data((v) => {
      Object.assign(v.request_defaults["CreateContainerRequest"] ?? {}, { allow_any_mount: true });
    }),
    { status: "error" },
  ),
  "environment of an image whose configuration was not given": ofContainer(
    "env",
    "env-unknown",
    { known: { configs: false } },
    { status: "error" },
  ),
  "two mounts at one path in the deployment file": {
    subject: "deployment",
    id: "kata.deployment.format",
    code: "deployment-malformed",
    question: yaml(
      "- { name: models, mountPath: /models }",
      "- { name: models, mountPath: /models }\n            - { name: models, mountPath: /models, readOnly: true }",
    ),
  },
  "two volumes of one name in the deployment file": {
    subject: "deployment",
    id: "kata.deployment.format",
    code: "deployment-malformed",
    question: yaml(
      "          emptyDir: {}",
      "          emptyDir: {}\n        - name: models\n          hostPath: { path: / }",
    ),
  },
  "policy_data overridden behind another rule on its line": ofWorkload(
    "kata.policy_data.single",
    "policy-data-rival",
    rivalRules("x := 1; policy_data.containers[c] { c := input }"),
  ),
  "entry point of an image whose configuration was not given": ofContainer(
    "args",
    "args-unknown",
    { known: { configs: false } },
    { subject: container(disk), status: "error" },
  ),
  "container too many": ofWorkload(
    "kata.containers.complete",
    "container-extra",
    data((v) => {
      const extra = structuredClone(at(v, "inference"));
      extra.OCI.Annotations["io.kubernetes.cri.container-name"] = "debug";
      v.containers.push(extra);
    }),
  ),
  "sidecar that nobody named": ofWorkload(
    "kata.containers.complete",
    "container-extra",
    {
      known: { sidecars: false },
      // The other workload's sidecar is needed, so that one claim alone fails for this one.
    },
    { also: ["kata.containers.complete container-extra", "kata.container.mounts mount-unexpected"] },
  ),
  "container removed": ofWorkload(
    "kata.containers.complete",
    "container-missing",
    data((v) => {
      v.containers = v.containers.filter((c) => c !== at(v, disk));
    }),
  ),
  "containers in another order": ofWorkload(
    "kata.containers.complete",
    "container-order",
    data((v) => {
      v.containers.splice(2, 2, at(v, "inference"), at(v, disk));
    }),
  ),
  "sandbox that runs a program": ofWorkload(
    "kata.containers.sandbox",
    "sandbox-differs",
    data((v) => {
      const [first] = v.containers;
      if (first !== undefined) first.OCI.Process.Args = ["/bin/sh"];
    }),
  ),
  "sandbox with a storage of the host": ofWorkload(
    "kata.containers.sandbox",
    "sandbox-differs",
    data((v) => {
      v.sandbox["storages"] = [{ driver: "virtio-fs", source: "kataShared", mount_point: "/opt" }];
    }),
  ),
  "variable of any name let in by a pattern": ofWorkload(
    "kata.requests.env_regex",
    "env-regex-open",
    environment("^HOSTNAME=$(dns_label)$", ".*"),
  ),
  "one variable let in by a pattern": ofWorkload(
    "kata.requests.env_regex",
    "env-regex-unknown",
    environment("^LD_PRELOAD=/run/[a-z]+$"),
  ),
  "variable too many": ofContainer(
    "env",
    "env-surplus",
    inference((c) => c.OCI.Process.Env.push("LD_PRELOAD=/run/other.so")),
  ),
  "variable missing": ofContainer(
    "env",
    "env-missing",
    inference((c) => {
      c.OCI.Process.Env = c.OCI.Process.Env.filter((v) => !v.startsWith("MODEL="));
    }),
  ),
  "variable with another value": ofContainer(
    "env",
    "env-differs",
    inference((c) => {
      c.OCI.Process.Env = c.OCI.Process.Env.map((v) => (v === "PORT=8000" ? "PORT=9000" : v));
    }),
  ),
  "variable with a second value": ofContainer(
    "env",
    "env-differs",
    inference((c) => c.OCI.Process.Env.push("PORT=9000")),
  ),
  "variable out of a Secret": ofContainer(
    "env",
    "env-unknown",
    {
      ...yaml('{ name: PORT, value: "8000" }', "{ name: PORT, valueFrom: { secretKeyRef: { name: a, key: b } } }"),
    },
    { status: "error" },
  ),
  "capability added": ofContainer(
    "capabilities",
    "capabilities-differ",
    inference((c) => {
      c.OCI.Process.Capabilities = { ...c.OCI.Process.Capabilities, Ambient: ["CAP_SYS_ADMIN"] };
    }),
  ),
  "privileged where it is not asked for": ofContainer(
    "capabilities",
    "capabilities-differ",
    inference((c) => {
      const all = ["$(privileged_caps)"];
      c.OCI.Process.Capabilities = { ...c.OCI.Process.Capabilities, Bounding: all, Effective: all, Permitted: all };
    }),
  ),
  "privilege escalation allowed": ofContainer(
    "privileges",
    "privileges-differ",
    {
      data: (name, v) => {
        if (name === "secret-service") at(v, "secret-service").OCI.Process.NoNewPrivileges = false;
      },
    },
    { subject: "container apps/v1/StatefulSet/demo/secret-service/secret-service" },
  ),
  "processes of the whole pod visible": ofContainer(
    "privileges",
    "privileges-differ",
    inference((c) => {
      c.sandbox_pidns = true;
    }),
  ),
  "device too many": ofContainer(
    "devices",
    "devices-differ",
    inference((c) => c.devices.push({ container_path: "/dev/modelweights-other" })),
  ),
  "mount too many": ofContainer(
    "mounts",
    "mount-unexpected",
    inference((c) => c.OCI.Mounts.push(sharedMount("/opt/program", "ro"))),
  ),
  "storage too many": ofContainer(
    "mounts",
    "mount-unexpected",
    inference((c) => c.storages.push({ driver: "virtio-fs", source: "share", mount_point: "/opt" })),
  ),
  "mount missing": ofContainer(
    "mounts",
    "mount-missing",
    inference((c) => {
      c.OCI.Mounts = c.OCI.Mounts.filter((m) => m.destination !== "/models");
    }),
  ),
  "hostPath in the deployment file": ofContainer(
    "mounts",
    "mount-host-path",
    {
      ...yaml("emptyDir: {}", "hostPath: { path: /srv/models }"),
    },
    { also: ["kata.container.mounts mount-host-path"] },
  ),
  "emptyDir moved to the shared file system": ofContainer(
    "mounts",
    "mount-shared-writable",
    inference((c) => {
      c.OCI.Mounts = c.OCI.Mounts.map((m) => (m.destination === "/models" ? sharedMount("/models", "rw") : m));
    }),
  ),
  "kernel settings writable": ofContainer(
    "mounts",
    "mount-source",
    inference((c) => {
      for (const m of c.OCI.Mounts) if (m.destination === "/sys") m.options = ["rw"];
    }),
  ),
  "mounts that reach the rest of the pod": ofContainer(
    "mounts",
    "mount-source",
    inference((c) => {
      for (const m of c.OCI.Mounts) if (m.destination === "/models") m.options = ["rbind", "rshared", "rw"];
    }),
  ),
  "emptyDir that is another volume's": ofContainer(
    "mounts",
    "mount-source",
    inference((c) => {
      c.OCI.Mounts = c.OCI.Mounts.map((m) => (m.destination === "/models" ? emptyDir("/models", "other") : m));
    }),
  ),
  "volume of a kind that is not judged": ofContainer(
    "mounts",
    "mount-unknown",
    yaml("emptyDir: {}", "nfs: { server: files.example, path: / }"),
    { status: "error" },
  ),
  "another user": ofContainer(
    "user",
    "user-differs",
    inference((c) => {
      c.OCI.Process.User.UID = 1000;
    }),
  ),
  "user of an image whose configuration was not given": ofContainer(
    "user",
    "user-unknown",
    { known: { configs: false } },
    { status: "error" },
  ),
  "another working directory": ofContainer(
    "cwd",
    "cwd-differs",
    inference((c) => {
      c.OCI.Process.Cwd = "/tmp";
    }),
  ),
  "working directory of an image whose configuration was not given": ofContainer(
    "cwd",
    "cwd-unknown",
    { known: { configs: false } },
    { subject: container(disk), status: "error" },
  ),
  "shell beside the probes": ofContainer(
    "exec",
    "exec-commands-differ",
    inference((c) => c.exec_commands.push(["/bin/sh"])),
  ),
  "another namespace": ofContainer(
    "pod",
    "namespace-differs",
    inference((c) => {
      c.OCI.Annotations["io.kubernetes.cri.sandbox-namespace"] = "elsewhere";
    }),
  ),
  "WorkloadSecretID of another workload": ofWorkload(
    "kata.workload.policy_found",
    "policy-missing",
    {
      entries: (entries) =>
        Object.fromEntries(
          Object.entries(entries).map(([key, e]) => [
            key,
            e.WorkloadSecretID.endsWith(granite) ? { ...e, WorkloadSecretID: "apps/v1/Deployment/demo/other" } : e,
          ]),
        ),
    },
    { also: ["kata.manifest.explained key-unexplained"] },
  ),
  "two entries with one WorkloadSecretID": ofWorkload(
    "kata.workload.policy_found",
    "policy-several",
    {
      entries: (entries) => ({
        ...entries,
        ["ab".repeat(32)]: { SANs: ["x"], WorkloadSecretID: `apps/v1/Deployment/demo/${granite}` },
      }),
    },
    { also: ["kata.manifest.explained key-unexplained"] },
  ),
  "body not at hand": ofWorkload(
    "kata.workload.policy_found",
    "body-not-at-hand",
    { policies: (name) => !name.startsWith(granite) },
    { status: "error" },
  ),
  "policy listed with the role coordinator": ofWorkload(
    "kata.workload.role",
    "role-differs",
    yaml("annotations: {}", "annotations: { contrast.edgeless.systems/pod-role: coordinator }"),
  ),
  "key that no workload explains": {
    subject: "manifest",
    id: "kata.manifest.explained",
    code: "key-unexplained",
    question: {
      entries: (entries) => ({ ...entries, ["ab".repeat(32)]: { SANs: ["x"], WorkloadSecretID: "stranger" } }),
    },
  },
  "two workloads with one WorkloadSecretID": {
    subject: "manifest",
    id: "kata.manifest.explained",
    code: "key-shared",
    question: sharedId,
    also: ["kata.deployment.workloads workload-twice"],
  },
  "objects of one WorkloadSecretID": {
    subject: "deployment",
    id: "kata.deployment.workloads",
    code: "workload-twice",
    question: sharedId,
    also: ["kata.manifest.explained key-shared"],
  },
  "no confidential workload": {
    subject: "deployment",
    id: "kata.deployment.workloads",
    code: "no-workload",
    question: { yaml: (text) => text.replaceAll("contrast-cc", "runc") },
    also: ["kata.manifest.explained key-unexplained"],
  },
  "deployment file that is no YAML": {
    subject: "deployment",
    id: "kata.deployment.format",
    code: "deployment-malformed",
    question: { deployment: "kind: [Pod\n" },
  },
  "rules that are not known": ofWorkload("kata.rules.known", "rules-unknown", rivalRules("default Other := false"), {
    status: "error",
  }),
  "rules that allow exec by default": ofWorkload("kata.rules.known", "rules-lax", {
    rules: (name, rules) =>
      name === granite
        ? rules.replace("default ExecProcessRequest := false", "default ExecProcessRequest := true")
        : rules,
  }),
  "policy_data defined twice": ofWorkload(
    "kata.policy_data.single",
    "policy-data-rival",
    rivalRules('policy_data := {"containers": []}'),
  ),
  "policy_data in a string": ofWorkload("kata.policy_data.single", "policy-data-rival", {
    policy: (name, text) => (name === granite ? text.replace("\npolicy_data", "\nx := `\npolicy_data") : text),
  }),
  "policy_data replaced with with": ofWorkload(
    "kata.policy_data.single",
    "policy-data-rival",
    rivalRules("allow { CreateContainerRequest with data.agent_policy.policy_data as {} }"),
  ),
  "policy_data overridden by a rule": ofWorkload(
    "kata.policy_data.single",
    "policy-data-rival",
    rivalRules("policy_data.containers[c] { c := input }"),
  ),
  "policy_data with a member twice": ofWorkload("kata.policy_data.format", "policy-data-malformed", {
    policy: (name, text) =>
      name === granite ? text.replace('"containers": [', '"containers": [], "containers": [') : text,
  }),
  "policy_data with an unknown member": ofWorkload(
    "kata.policy_data.format",
    "policy-data-unknown",
    data((v) => {
      v["surprise"] = true;
    }),
    { status: "error" },
  ),
  "placeholder that stands for anything": ofWorkload(
    "kata.policy_data.common",
    "common-open",
    data((v) => {
      v.common["sfprefix"] = ".*";
    }),
  ),
  "placeholder with an unknown value": ofWorkload(
    "kata.policy_data.common",
    "common-unknown",
    data((v) => {
      v.common["dns_label"] = "[a-z]+";
    }),
    { status: "error" },
  ),
  "placeholder that pm does not know": ofWorkload(
    "kata.policy_data.common",
    "common-unknown",
    data((v) => {
      v.common["elsewhere"] = "/";
    }),
    { status: "error" },
  ),
  "exec allowed by the request defaults": ofWorkload(
    "kata.requests.exec",
    "exec-allowed",
    requests("ExecProcessRequest", { allowed_commands: [], regex: ["^ls$"] }),
  ),
  "exec allowed by a name in the request defaults": ofWorkload(
    "kata.requests.exec",
    "exec-allowed",
    requests("ExecProcessRequest", { allowed_commands: { "/bin/sh": null }, regex: [] }),
  ),
  "copying to any path": ofWorkload(
    "kata.requests.copy",
    "copy-open",
    requests("CopyFileRequest", ["$(sfprefix)", "/"]),
  ),
  "writing to standard input": ofWorkload(
    "kata.requests.others",
    "request-allowed",
    requests("WriteStreamRequest", true),
  ),
  "logs readable by the host": ofWorkload("kata.requests.logs", "logs-readable", requests("ReadStreamRequest", true), {
    advisory: true,
  }),
  "initializer that is not the release's": {
    subject: container("contrast-initializer"),
    id: "kata.container.sidecar",
    code: "sidecar-image-differs",
    question: data((v) => setImage(at(v, "contrast-initializer"), other(images.initializer))),
    also: ["kata.container.image image-differs"],
  },
  "annotation with another document": ofWorkload("kata.annotation.equal", "annotation-differs", {
    ...yaml(
      "annotations: {}",
      `annotations: { io.katacontainers.config.hypervisor.cc_init_data: ${annotationOf(Buffer.from("version = '0.1.0'\nalgorithm = 'sha256'\n"))} }`,
    ),
  }),
  "annotation that is no gzip": ofWorkload("kata.annotation.equal", "annotation-malformed", {
    ...yaml("annotations: {}", "annotations: { io.katacontainers.config.hypervisor.cc_init_data: AAAA }"),
  }),
} as const satisfies Readonly<Record<string, PolicyCase>>;

export type PolicyCaseName = keyof typeof policyCases;
