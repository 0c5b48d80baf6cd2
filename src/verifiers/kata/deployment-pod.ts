/** Containers and volumes of a pod spec, as far as a policy speaks of them (Kubernetes API, PodSpec and Container). */
import { expand } from "./expansion.ts";
import type { Tree } from "./tree.ts";

/** A text of the file after Kubernetes' expansion; `unknown` names variables whose value is not in the file. */
export interface Value {
  readonly text: string;
  readonly unknown: readonly string[];
}
export interface EnvVar {
  readonly name: string;
  /** undefined: the value comes from elsewhere (`from`). */
  readonly value: Value | undefined;
  readonly from?: string;
}
export interface VolumeMount {
  readonly volume: string;
  readonly path: string;
  readonly readOnly: boolean;
  /** Mounts made below it reach the pod, and the other way round. */
  readonly bidirectional: boolean;
  /** Mounts made below it by another container reach this one, and not the other way round. */
  readonly hostToContainer: boolean;
  readonly subPath: string | undefined;
}
export interface Volume {
  readonly name: string;
  /** emptyDir, configMap, secret, hostPath, persistentVolumeClaim and so on. */
  readonly kind: string;
  /** Of a persistentVolumeClaim that the pod names; a StatefulSet's own claims have names of their own. */
  readonly claim: string | undefined;
  readonly where: string;
}
export interface VolumeDevice {
  readonly volume: string;
  readonly path: string;
  readonly where: string;
}
export interface SecurityContext {
  readonly privileged: boolean;
  readonly allowPrivilegeEscalation: boolean;
  readonly readOnlyRootFilesystem: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly runAsUser: number | undefined;
  readonly runAsGroup: number | undefined;
}
export interface Container {
  readonly name: string;
  readonly image: string;
  /** `sidecar` is an init container with restartPolicy Always. */
  readonly role: "init" | "sidecar" | "container";
  readonly command: readonly Value[] | undefined;
  readonly args: readonly Value[] | undefined;
  readonly workingDir: string | undefined;
  readonly tty: boolean;
  readonly env: readonly EnvVar[];
  /** Env from a ConfigMap or Secret as a whole: names and values are not in the file. */
  readonly envFrom: boolean;
  readonly mounts: readonly VolumeMount[];
  readonly devices: readonly VolumeDevice[];
  /** Commands of exec probes and lifecycle hooks. */
  readonly execCommands: readonly (readonly string[])[];
  readonly terminationMessagePath: string | undefined;
  readonly security: SecurityContext;
  /** Names of what it asks for beside processor and memory too: `nvidia.com/...`; a resource claim as `claim NAME`. */
  readonly resources: readonly string[];
  readonly where: string;
  /** Where its arguments stand; those of `command` where it has none. */
  readonly argsWhere: string;
}
export interface PodFacts {
  readonly namespace: string;
  readonly annotations: ReadonlyMap<string, string>;
}

/** @throws PmError deployment-malformed */
export function containersOf(spec: Tree, pod: PodFacts): Container[] {
  if (spec.get("ephemeralContainers") !== undefined) throw spec.fail("ephemeral containers are part of no template");
  const context = spec.get("securityContext");
  const containers = [
    ...(spec.list("initContainers") ?? []).map((tree) =>
      containerOf(tree, tree.text("restartPolicy") === "Always" ? "sidecar" : "init", pod, context),
    ),
    ...(spec.list("containers") ?? []).map((tree) => containerOf(tree, "container", pod, context)),
  ];
  if (!containers.some((c) => c.role === "container")) throw spec.fail("no containers");
  const names = new Set<string>();
  for (const { name } of containers)
    if (names.size === names.add(name).size) throw spec.fail("two containers of one name");
  return containers;
}

/** Volume sources by name; claims that a StatefulSet makes itself count as claims. */
export function volumesOf(spec: Tree, claimTemplates: readonly Tree[]): ReadonlyMap<string, Volume> {
  const volumes = (spec.list("volumes") ?? []).map((tree): Volume => {
    const sources = tree.members().filter((m) => m.name !== "name");
    const [source] = sources;
    const name = tree.text("name");
    // A volume without a source is an emptyDir to Kubernetes.
    if (name === undefined || sources.length > 1) throw tree.fail("needs a name and one source");
    const claim =
      source?.name === "persistentVolumeClaim" ? tree.get("persistentVolumeClaim")?.text("claimName") : undefined;
    return { name, kind: source?.name ?? "emptyDir", claim, where: tree.where };
  });
  if (new Set(volumes.map((v) => v.name)).size !== volumes.length) throw spec.fail("two volumes of one name");
  const claimed = claimTemplates.map((tree): Volume => {
    const name = tree.get("metadata")?.text("name");
    if (name === undefined) throw tree.fail("a volume claim without a name");
    return { name, kind: "persistentVolumeClaim", claim: undefined, where: tree.where };
  });
  return new Map([...volumes, ...claimed].map((v) => [v.name, v]));
}

function containerOf(tree: Tree, role: Container["role"], pod: PodFacts, context: Tree | undefined): Container {
  const name = tree.text("name");
  const image = tree.text("image");
  // A DNS label, as Kubernetes demands: a slash in it could make two subjects of a report the same.
  if (name === undefined || !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) throw tree.fail("no valid name");
  if (image === undefined) throw tree.fail("no image");
  const env = envOf(tree, pod);
  const values = new Map(env.map((e) => [e.name, e.value?.unknown.length === 0 ? e.value.text : undefined]));
  const expanded = (member: string): Value[] | undefined => tree.strings(member)?.map((text) => expand(text, values));
  return {
    name,
    image,
    role,
    // Kubernetes reads an empty list as an absent one.
    command: nonEmpty(expanded("command")),
    args: nonEmpty(expanded("args")),
    workingDir: tree.text("workingDir"),
    tty: tree.flag("tty") ?? false,
    env,
    envFrom: (tree.list("envFrom") ?? []).length > 0,
    mounts: mountsOf(tree),
    devices: (tree.list("volumeDevices") ?? []).map(deviceOf),
    execCommands: execCommandsOf(tree),
    terminationMessagePath: tree.text("terminationMessagePath"),
    security: securityOf(tree.get("securityContext"), context),
    resources: resourcesOf(tree.get("resources")),
    where: tree.where,
    argsWhere: (tree.get("args") ?? tree.get("command") ?? tree).where,
  };
}

const nonEmpty = <T>(list: T[] | undefined): T[] | undefined =>
  list === undefined || list.length === 0 ? undefined : list;

function text(tree: Tree, name: string): string {
  const found = tree.text(name);
  if (found === undefined) throw tree.fail(`no ${name}`);
  return found;
}

/** Kubernetes refuses two mounts at one path: which of them would hide the other is nowhere said. */
function mountsOf(container: Tree): VolumeMount[] {
  const mounts = (container.list("volumeMounts") ?? []).map(mountOf);
  if (new Set(mounts.map((m) => m.path)).size !== mounts.length) throw container.fail("two mounts at one path");
  return mounts;
}

const deviceOf = (tree: Tree): VolumeDevice => ({
  volume: text(tree, "name"),
  path: text(tree, "devicePath"),
  where: tree.where,
});

const mountOf = (tree: Tree): VolumeMount => ({
  volume: text(tree, "name"),
  path: text(tree, "mountPath"),
  readOnly: tree.flag("readOnly") ?? false,
  bidirectional: tree.text("mountPropagation") === "Bidirectional",
  hostToContainer: tree.text("mountPropagation") === "HostToContainer",
  subPath: tree.text("subPath") ?? tree.text("subPathExpr"),
});

/** In list order: a value is expanded with the variables before it; a name that stands twice counts with its last value. */
function envOf(container: Tree, pod: PodFacts): EnvVar[] {
  const known = new Map<string, string | undefined>();
  const found = new Map<string, EnvVar>();
  for (const tree of container.list("env") ?? []) {
    const name = text(tree, "name");
    const valueFrom = tree.get("valueFrom");
    const value = valueFrom === undefined ? expand(tree.text("value") ?? "", known) : fromPod(valueFrom, pod);
    known.set(name, value === undefined || value.unknown.length > 0 ? undefined : value.text);
    found.delete(name);
    found.set(name, {
      name,
      value,
      ...(valueFrom === undefined ? {} : { from: valueFrom.members()[0]?.name ?? "valueFrom" }),
    });
  }
  return [...found.values()];
}

/** Fields of the pod: what the file says, or the placeholder that genpolicy writes for what only a running pod has. */
const podFields: ReadonlyMap<string, string> = new Map([
  ["metadata.name", "$(sandbox-name)"],
  ["metadata.uid", "$(pod-uid)"],
  ["status.hostIP", "$(host-ip)"],
  ["status.podIP", "$(pod-ip)"],
  ["spec.nodeName", "$(node-name)"],
]);

function fromPod(valueFrom: Tree, pod: PodFacts): Value | undefined {
  const path = valueFrom.get("fieldRef")?.text("fieldPath");
  if (path === undefined) return undefined;
  const annotation = /^metadata\.annotations\['([^']+)'\]$/.exec(path)?.[1];
  const found =
    path === "metadata.namespace"
      ? pod.namespace
      : annotation === undefined
        ? podFields.get(path)
        : pod.annotations.get(annotation);
  return found === undefined ? undefined : { text: found, unknown: [] };
}

function execCommandsOf(container: Tree): string[][] {
  const lifecycle = container.get("lifecycle");
  const handlers = [
    ...["livenessProbe", "readinessProbe", "startupProbe"].map((name) => container.get(name)),
    ...["postStart", "preStop"].map((name) => lifecycle?.get(name)),
  ];
  return handlers.flatMap((handler) => {
    const command = handler?.get("exec")?.strings("command");
    return command === undefined ? [] : [command];
  });
}

function resourcesOf(resources: Tree | undefined): string[] {
  const named = ["limits", "requests"].flatMap(
    (part) =>
      resources
        ?.get(part)
        ?.members()
        .map((m) => m.name) ?? [],
  );
  const claims = (resources?.list("claims") ?? []).map((claim) => `claim ${text(claim, "name")}`);
  return [...new Set([...named, ...claims])];
}

/** What the container says goes before what the pod says. */
function securityOf(own: Tree | undefined, pod: Tree | undefined): SecurityContext {
  const capabilities = own?.get("capabilities");
  return {
    privileged: own?.flag("privileged") ?? false,
    allowPrivilegeEscalation: own?.flag("allowPrivilegeEscalation") ?? true,
    readOnlyRootFilesystem: own?.flag("readOnlyRootFilesystem") ?? false,
    add: capabilities?.strings("add") ?? [],
    drop: capabilities?.strings("drop") ?? [],
    runAsUser: own?.number("runAsUser") ?? pod?.number("runAsUser"),
    runAsGroup: own?.number("runAsGroup") ?? pod?.number("runAsGroup"),
  };
}
