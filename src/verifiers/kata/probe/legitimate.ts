/**
 * The request with which the runtime would create each container of a policy, from policy_data alone (Kata Containers,
 * genpolicy, PolicyData). It is a guess: only when the policy allows it does the refusal of a changed one mean anything.
 */
import { readJson } from "../../../bytes/json.ts";
import { plain } from "../../../bytes/json-value.ts";
import { unsupported } from "../../../errors.ts";
import { decodePolicyData, type PolicyContainer, type PolicyData, policyDataCode } from "../policy-data.ts";
import { maxDocumentBytes } from "../toml.ts";
import { Tree } from "../tree.ts";
import type { ContainerDraft, LinuxDraft, MountDraft, ProcessDraft, SandboxDraft, StorageDraft } from "./draft.ts";
import { bundleId, Placeholders, sandboxId } from "./placeholders.ts";

const cri = "io.kubernetes.cri.";
export const imageAnnotation = `${cri}image-name`;
export const typeAnnotation = `${cri}container-type`;
export const sandboxName = `${cri}sandbox-name`;
export const sandboxNamespace = `${cri}sandbox-namespace`;
export const sandboxIdAnnotation = `${cri}sandbox-id`;
export const guestPull = "image_guest_pull";

/** policy_data once as its typed reader has it, and once as written, for what that reader leaves out. */
export interface PodPolicy {
  readonly data: PolicyData;
  readonly top: Tree;
  readonly containers: readonly Tree[];
  readonly placeholders: Placeholders;
  readonly podName: string;
  readonly namespace: string;
}

/** @throws PmError policy-data-malformed, or unsupported: a form for which no request can be made */
export function readPod(json: string): PodPolicy {
  const data = decodePolicyData(json);
  const what = "policy_data";
  const read = readJson(Buffer.from(json), { what, reasonCode: policyDataCode, maxBytes: maxDocumentBytes });
  const top = new Tree(read.root, { what, code: policyDataCode, place: read.place });
  const named = (key: string): string | undefined =>
    data.containers.map((c) => c.annotations.get(key)).find((v) => v !== undefined && v !== "");
  const placeholders = Placeholders.of(top.get("common"));
  const name = named(sandboxName);
  const podName =
    name === undefined ? "pod-1" : name.includes("$(generated-name)") ? "generated-1" : placeholders.matching(name);
  const space = named(sandboxNamespace);
  const namespace = space === undefined ? "default" : placeholders.matching(space);
  return {
    data,
    top,
    containers: top.list("containers") ?? [],
    placeholders: placeholders.with({ "sandbox-name": podName, "sandbox-namespace": namespace }),
    podName,
    namespace,
  };
}

/** As people call it: the sandbox has no name of its own. */
export const containerName = (container: PolicyContainer): string =>
  container.name ?? (container.type === "sandbox" ? "sandbox" : container.at);

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw unsupported(`policy_data: no ${what}`);
  return value;
}

/** CreateContainerRequest of one container. @throws PmError when policy_data does not say what it needs */
export function containerDraft(pod: PodPolicy, index: number, bundle: string = bundleId(index)): ContainerDraft {
  const tree = present(pod.containers[index], `container ${index}`);
  const typed = present(pod.data.containers[index], `container ${index}`);
  const id = typed.type === "sandbox" ? sandboxIdOr(bundle, index) : bundle;
  const values = pod.placeholders.with({ "bundle-id": id });
  const oci = present(tree.get("OCI"), `OCI at ${tree.at}`);
  const storages = storagesOf(tree, values, typed, pod);
  const gpu = pod.top.get("devices")?.get("vfio")?.text("device_path");
  const devices = present(typed.devices, `devices at ${tree.at}`);
  return {
    container_id: id,
    exec_id: id,
    sandbox_pidns: typed.sharedPids ?? false,
    storages,
    devices: devices.filter((path) => path !== gpu).map((path) => ({ container_path: path })),
    OCI: {
      Version: present(oci.text("Version"), `OCI version at ${tree.at}`),
      Root: {
        Path: values.matching(present(typed.rootPath, `OCI.Root.Path at ${tree.at}`)),
        Readonly: typed.readonlyRoot ?? false,
      },
      Annotations: annotationsOf(typed, values, pod, devices.filter((path) => path === gpu).length),
      Process: processOf(present(oci.get("Process"), `OCI.Process at ${tree.at}`), typed, values, pod),
      Mounts: mountsOf(typed, values, storages),
      Linux: linuxOf(oci.get("Linux")),
    },
  };
}

/** The first instance of the sandbox's container bears the sandbox's own identifier. */
const sandboxIdOr = (bundle: string, index: number): string => (bundle === bundleId(index) ? sandboxId : bundle);

function annotationsOf(
  { annotations }: PolicyContainer,
  values: Placeholders,
  { podName, namespace }: PodPolicy,
  gpus: number,
): Record<string, string> {
  // A key that begins with "^" is a pattern for keys that need not be there.
  const given = [...annotations].filter(([key]) => !key.startsWith("^"));
  return Object.fromEntries([
    ...given.map(([key, value]): [string, string] => [key, values.matching(value)]),
    [sandboxName, podName],
    [sandboxNamespace, namespace],
    ...(annotations.has(sandboxIdAnnotation) ? [[sandboxIdAnnotation, sandboxId]] : []),
    ...Array.from({ length: gpus }, (_, n) => [`cdi.k8s.io/vfio${n}`, `nvidia.com/gpu=${n}`]),
  ]);
}

function processOf(tree: Tree, typed: PolicyContainer, values: Placeholders, pod: PodPolicy): ProcessDraft {
  const user = present(tree.get("User"), `User at ${tree.at}`);
  const common = pod.top.get("common");
  const named = (set: string): readonly string[] =>
    present(common?.strings(set), `common.${set}, which a capability stands for`);
  const expand = (caps: readonly string[]): string[] =>
    caps.flatMap((c) => {
      const set = /^\$\((\w+)\)$/.exec(c)?.[1];
      return set === undefined ? [c] : named(set);
    });
  return {
    Terminal: typed.terminal ?? false,
    User: {
      UID: present(typed.uid, `UID at ${user.at}`),
      GID: present(typed.gid, `GID at ${user.at}`),
      AdditionalGids: (user.list("AdditionalGids") ?? []).map((gid) => gid.integer()),
      Username: user.text("Username") ?? "",
    },
    Args: present(typed.args, `Args at ${tree.at}`).map((a) => values.literal(a.replaceAll("$$", () => "$"))),
    Env: present(typed.env, `Env at ${tree.at}`).map((v) => values.literal(v)),
    Cwd: typed.cwd ?? "/",
    Capabilities: Object.fromEntries([...(typed.capabilities ?? [])].map(([set, caps]) => [set, expand(caps)])),
    NoNewPrivileges: typed.noNewPrivileges ?? false,
  };
}

function mountsOf(typed: PolicyContainer, values: Placeholders, storages: readonly StorageDraft[]): MountDraft[] {
  const block = storages.find((s) => s.driver === "blk" || s.driver === "scsi");
  return present(typed.mounts, `OCI.Mounts at ${typed.at}`).map((m) => ({
    destination: m.destination,
    source: m.source === "" ? (block?.mount_point ?? "") : values.matching(m.source),
    type_: m.type,
    options: [...m.options],
  }));
}

function linuxOf(tree: Tree | undefined): LinuxDraft {
  const texts = (name: string): string[] => tree?.strings(name) ?? [];
  const namespaces = (tree?.list("Namespaces") ?? []).map((n) => ({
    Type: present(n.text("Type"), `Type at ${n.at}`),
    Path: n.text("Path") ?? "",
  }));
  return {
    // The policy leaves the network's namespace to the runtime, which always names one.
    Namespaces: [...namespaces, { Type: "network", Path: "/run/netns/pod-1" }],
    MaskedPaths: texts("MaskedPaths"),
    ReadonlyPaths: texts("ReadonlyPaths"),
    Devices: (tree?.list("Devices") ?? []).map((d) => plain(d.node)),
    Sysctl: Object.fromEntries(tree?.map("Sysctl") ?? []),
    Resources: { Devices: [] },
  };
}

function storagesOf(tree: Tree, values: Placeholders, typed: PolicyContainer, pod: PodPolicy): StorageDraft[] {
  const listed = (tree.list("storages") ?? []).map((s, n) => storageDraft(s, values, n));
  const cluster = pod.top.get("cluster_config");
  const reference =
    typed.images[0]?.reference ?? (typed.type === "sandbox" ? cluster?.text("pause_container_image") : undefined);
  const pulls =
    reference !== undefined &&
    !listed.some((s) => s.driver === guestPull) &&
    (cluster?.flag("guest_pull") ?? tree.get("image") !== undefined);
  if (!pulls) return listed;
  const metadata = { [imageAnnotation]: reference };
  return [
    ...listed,
    {
      driver: guestPull,
      driver_options: [`${guestPull}=${JSON.stringify({ metadata })}`],
      source: reference,
      fstype: "overlay",
      options: [],
      mount_point: values.matching("$(root_path)"),
      fs_group: null,
      shared: false,
    },
  ];
}

function storageDraft(tree: Tree, values: Placeholders, index: number): StorageDraft {
  const text = (name: string): string => present(tree.text(name), `${name} at ${tree.at}`);
  const point = text("mount_point");
  // A block device is named by the runtime, and its mount point holds that name.
  const block = text("driver") === "" && point.includes("$(b64_device_id)");
  const source = block ? `0${index + 1}` : values.matching(text("source"));
  const id = Buffer.from(source).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
  const group = tree.get("fs_group");
  return {
    driver: block ? "blk" : text("driver"),
    driver_options: tree.strings("driver_options") ?? [],
    source,
    fstype: tree.text("fstype") ?? "",
    options: tree.strings("options") ?? [],
    mount_point: values.with({ b64_device_id: id }).matching(point),
    fs_group: group === undefined ? null : plain(group.node),
    shared: tree.flag("shared") ?? false,
  };
}

/** CreateSandboxRequest, the first of all. @throws PmError */
export function sandboxDraft(pod: PodPolicy): SandboxDraft {
  const values = pod.placeholders.with({ "bundle-id": sandboxId });
  return {
    hostname: pod.podName,
    dns: [],
    storages: (pod.top.get("sandbox")?.list("storages") ?? []).map((s, n) => storageDraft(s, values, n)),
    sandbox_pidns: false,
    sandbox_id: sandboxId,
    guest_hook_path: "",
    kernel_modules: [],
  };
}
