/** Kubernetes objects of a deployment file: the pod templates that Contrast makes policies from, one workload each. */

import { readYaml } from "../../bytes/yaml.ts";
import { malformed, unsupported } from "../../errors.ts";
import { type Container, containersOf, type Volume, volumesOf } from "./deployment-pod.ts";
import { Tree } from "./tree.ts";

/** An object with a pod template. */
export interface Workload {
  /** Group, version, Kind, namespace, name; group "core" for the empty one. The default WorkloadSecretID. */
  readonly objectId: string;
  /** As Contrast names it in the manifest: the annotation, or `objectId`. */
  readonly workloadSecretId: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Annotation contrast.edgeless.systems/pod-role; empty when absent. */
  readonly role: string;
  readonly runtimeClassName: string;
  /** The pod runs as a confidential VM by its runtime class. */
  readonly confidential: boolean;
  /** The policy's annotation, where the file was written by `contrast generate`. */
  readonly initdata: { readonly text: string; readonly where: string } | undefined;
  /** Init containers, native sidecars among them, then containers, each in the order of the file. */
  readonly containers: readonly Container[];
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly shareProcessNamespace: boolean;
  readonly where: string;
}
export interface DeploymentFile {
  readonly workloads: readonly Workload[];
  /** How many objects of other kinds the file holds. */
  readonly others: number;
}

export const deploymentCode = "deployment-malformed";
const secretIdAnnotation = "contrast.edgeless.systems/workload-secret-id";
const roleAnnotation = "contrast.edgeless.systems/pod-role";
const initdataAnnotation = "io.katacontainers.config.hypervisor.cc_init_data";
/** Contrast v1.20: class names that its generate command takes for its own. */
const confidentialClass = /^(contrast-cc|kata-cc-isolation)/;

/**
 * Characters that YAML 1.1 takes for line ends (U+0085, U+2028, U+2029), and a carriage return by itself, so that the end
 * of a comment is not the same to all readers; control characters and a byte order mark, which some readers refuse and
 * others pass over.
 */
const unseen = /[^\P{Cc}\t\n\r]|\r(?!\n)|[\u2028\u2029\ufeff\ufffe\uffff]/u;

/** A DNS subdomain. */
const objectName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Where each kind keeps its pod template; the pod is its own. */
const templates: ReadonlyMap<string, readonly string[]> = new Map([
  ["v1 Pod", []],
  ["apps/v1 Deployment", ["spec", "template"]],
  ["apps/v1 StatefulSet", ["spec", "template"]],
  ["apps/v1 DaemonSet", ["spec", "template"]],
  ["apps/v1 ReplicaSet", ["spec", "template"]],
  ["batch/v1 Job", ["spec", "template"]],
  ["batch/v1 CronJob", ["spec", "jobTemplate", "spec", "template"]],
]);

/**
 * @param bytes YAML, one or many documents, at most 8 MiB
 * @throws PmError deployment-malformed with line and column; PM_EVIDENCE_UNSUPPORTED for a confidential pod template in
 * a kind of object that pm does not know
 */
export function decodeDeployment(bytes: Uint8Array, what = "deployment"): DeploymentFile {
  const file = decoded.get(bytes) ?? decode(bytes, what);
  decoded.set(bytes, file);
  return file;
}
/** Several parts of an audit read the one file that the auditor holds. */
const decoded = new WeakMap<Uint8Array, DeploymentFile>();

function decode(bytes: Uint8Array, what: string): DeploymentFile {
  const { documents, place } = readYaml(bytes, { what, reasonCode: deploymentCode });
  const strange = unseen.exec(new TextDecoder().decode(bytes));
  if (strange !== null) {
    const { line, column } = place(strange.index);
    const code = strange[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
    throw malformed(`${what}: line ${line}, column ${column}: the character U+${code}`, deploymentCode);
  }
  const source = { what, code: deploymentCode, place };
  const objects = documents.flatMap(({ root }) => listed(new Tree(root, source)));
  const workloads = objects.flatMap((object) => workloadOf(object) ?? []);
  return { workloads, others: objects.length - workloads.length };
}

/** A List holds objects, and no further lists. */
function listed(object: Tree): Tree[] {
  return object.text("kind") === "List" && object.text("apiVersion") === "v1" ? (object.list("items") ?? []) : [object];
}

function workloadOf(object: Tree): Workload | undefined {
  const kind = object.text("kind");
  const apiVersion = object.text("apiVersion");
  if (kind === undefined || apiVersion === undefined) throw object.fail("no kind and apiVersion");
  const path = templates.get(`${apiVersion} ${kind}`);
  if (path === undefined) {
    if (holdsConfidentialPod(object))
      throw unsupported(`${apiVersion} ${kind}: ${object.where}: pm does not read this kind of object`, deploymentCode);
    return undefined;
  }
  const template = path.reduce<Tree>((tree, name) => required(tree, name), object);
  const metadata = required(object, "metadata");
  const spec = required(template, "spec");
  const name = metadata.text("name");
  const namespace = metadata.text("namespace") ?? "default";
  if (name === undefined || !objectName.test(name)) throw metadata.fail("no valid name");
  if (!objectName.test(namespace)) throw metadata.fail("no valid namespace");
  const annotations = template.get("metadata")?.map("annotations") ?? new Map<string, string>();
  const initdata = annotations.get(initdataAnnotation);
  const runtimeClassName = spec.text("runtimeClassName") ?? "";
  const objectId = `${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}/${kind}/${namespace}/${name}`;
  return {
    objectId,
    workloadSecretId: annotations.get(secretIdAnnotation) ?? objectId,
    kind,
    namespace,
    name,
    role: annotations.get(roleAnnotation) ?? "",
    runtimeClassName,
    confidential: confidentialClass.test(runtimeClassName),
    initdata:
      initdata === undefined
        ? undefined
        : { text: initdata, where: template.get("metadata")?.get("annotations")?.where ?? template.where },
    containers: containersOf(spec, { namespace, annotations }),
    volumes: volumesOf(spec, object.get("spec")?.list("volumeClaimTemplates") ?? []),
    shareProcessNamespace: spec.flag("shareProcessNamespace") ?? false,
    where: object.where,
  };
}

function required(tree: Tree, name: string): Tree {
  const found = tree.get(name);
  if (found === undefined) throw tree.fail(`no ${name}`);
  return found;
}

/** In an object of another kind a pod template can stand anywhere: what matters is the runtime class. */
function holdsConfidentialPod(tree: Tree): boolean {
  if (tree.node.kind === "array") return tree.items().some(holdsConfidentialPod);
  if (tree.node.kind !== "object") return false;
  return tree
    .members()
    .some(({ name, value }) =>
      name === "runtimeClassName" && value.node.kind === "string"
        ? confidentialClass.test(value.node.value)
        : holdsConfidentialPod(value),
    );
}
