/**
 * policy_data, typed (Kata Containers, genpolicy: PolicyData). A member that is absent stays undefined, and whoever
 * needs it answers that it is not there; names that are not known here are listed, since the rules might read them.
 */
import { firstRepeated, readJson } from "../../bytes/json.ts";
import { malformed } from "../../errors.ts";
import { type TextParts, textParts } from "./policy-text.ts";
import { dataRivals } from "./rego.ts";
import { maxDocumentBytes, quoted } from "./toml.ts";
import { Tree } from "./tree.ts";

export const policyDataCode = "policy-data-malformed";

export interface PolicyText extends TextParts {
  /** Why the rules might read other data than this. */
  readonly rivals: readonly string[];
}

export function splitPolicy(text: string): PolicyText {
  const parts = textParts(text);
  return { ...parts, rivals: dataRivals(parts.rules) };
}

export interface PolicyMount {
  readonly destination: string;
  readonly source: string;
  readonly type: string;
  readonly options: readonly string[];
  readonly at: string;
}
export interface PolicyStorage {
  readonly driver: string;
  readonly driverOptions: readonly string[];
  readonly source: string;
  readonly fstype: string;
  readonly mountPoint: string;
  readonly at: string;
}
export interface PolicyContainer {
  readonly at: string;
  readonly annotations: ReadonlyMap<string, string>;
  readonly name: string | undefined;
  /** `sandbox` or `container`. */
  readonly type: string | undefined;
  /** Image references: member `image`, annotation, sources of image_guest_pull; each with its place. */
  readonly images: readonly { readonly reference: string; readonly at: string }[];
  readonly args: readonly string[] | undefined;
  readonly env: readonly string[] | undefined;
  readonly cwd: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly terminal: boolean | undefined;
  /** The container sees the processes of its whole pod. */
  readonly sharedPids: boolean | undefined;
  readonly noNewPrivileges: boolean | undefined;
  readonly readonlyRoot: boolean | undefined;
  /** Where the container's root file system is mounted in the guest. */
  readonly rootPath: string | undefined;
  /** Set name to capabilities, as written. */
  readonly capabilities: ReadonlyMap<string, readonly string[]> | undefined;
  readonly mounts: readonly PolicyMount[] | undefined;
  readonly storages: readonly PolicyStorage[] | undefined;
  /** Paths of block devices, of `devices` and of OCI.Linux.Devices. */
  readonly devices: readonly string[] | undefined;
  readonly linuxDevices: readonly string[];
  /** A list of words, or in older releases the words joined by spaces. */
  readonly execCommands: readonly (readonly string[] | string)[] | undefined;
}
export interface PolicyData {
  readonly containers: readonly PolicyContainer[];
  readonly common: Tree | undefined;
  readonly requestDefaults: Tree | undefined;
  /** Storages of the sandbox itself, before any container. */
  readonly sandboxStorages: readonly PolicyStorage[];
  /** JSON pointers of members that pm does not know. */
  readonly unknown: readonly string[];
}

/** Member names that genpolicy writes, by the object that has them. */
export const known = {
  top: ["containers", "volumes", "common", "sandbox", "request_defaults", "devices", "cluster_config"],
  sandbox: ["storages"],
  container: ["OCI", "image", "storages", "devices", "sandbox_pidns", "exec_commands", "runtime_anno_patterns"],
  oci: ["Version", "Process", "Root", "Mounts", "Annotations", "Linux"],
  process: ["Terminal", "User", "Args", "Env", "Cwd", "Capabilities", "NoNewPrivileges"],
  user: ["UID", "GID", "AdditionalGids", "Username"],
  root: ["Path", "Readonly"],
  linux: ["Namespaces", "MaskedPaths", "ReadonlyPaths", "Devices", "Sysctl"],
  mount: ["destination", "source", "type_", "options"],
  device: ["container_path"],
  linuxDevice: ["Type", "Path"],
  storage: ["driver", "driver_options", "source", "fstype", "options", "mount_point", "fs_group", "shared"],
} as const;

/**
 * @throws PmError policy-data-malformed: no JSON, a member twice, a type that genpolicy does not write
 */
export function decodePolicyData(json: string): PolicyData {
  const what = "policy_data";
  const { root, place } = readJson(Buffer.from(json), { what, reasonCode: policyDataCode, maxBytes: maxDocumentBytes });
  const twice = firstRepeated(root);
  if (twice !== undefined) throw malformed(`${what}: a member stands twice at ${quoted(twice)}`, policyDataCode);
  const top = new Tree(root, { what, code: policyDataCode, place });
  const unknown: string[] = [];
  const survey: Survey = (tree, names) => {
    for (const m of tree?.members() ?? []) if (!names.includes(m.name)) unknown.push(m.value.at);
    return tree;
  };
  survey(top, known.top);
  const containers = (top.list("containers") ?? []).map((c) => containerOf(c, survey));
  const sandbox = survey(top.get("sandbox"), known.sandbox);
  return {
    containers,
    common: top.get("common"),
    requestDefaults: top.get("request_defaults"),
    sandboxStorages: (sandbox?.list("storages") ?? []).map((s) => storageOf(s, survey)),
    unknown,
  };
}

/** Notes what is not known, and hands the tree on. */
type Survey = (tree: Tree | undefined, names: readonly string[]) => Tree | undefined;

function containerOf(tree: Tree, survey: Survey): PolicyContainer {
  survey(tree, known.container);
  const oci = survey(tree.get("OCI"), known.oci);
  const process = survey(oci?.get("Process"), known.process);
  const user = survey(process?.get("User"), known.user);
  const root = survey(oci?.get("Root"), known.root);
  const linux = survey(oci?.get("Linux"), known.linux);
  const annotations = oci?.map("Annotations") ?? new Map<string, string>();
  const capabilities = process?.get("Capabilities");
  const storages = tree.list("storages")?.map((s) => storageOf(s, survey));
  const annotated = annotations.get("io.kubernetes.cri.image-name");
  const image = tree.text("image");
  return {
    at: tree.at,
    annotations,
    name: annotations.get("io.kubernetes.cri.container-name"),
    type: annotations.get("io.kubernetes.cri.container-type"),
    images: [
      ...(image === undefined ? [] : [{ reference: image, at: `${tree.at}/image` }]),
      ...(annotated === undefined
        ? []
        : [{ reference: annotated, at: `${tree.at}/OCI/Annotations/io.kubernetes.cri.image-name` }]),
      ...(storages ?? [])
        .filter((s) => s.driver === "image_guest_pull")
        .map((s) => ({ reference: s.source, at: `${s.at}/source` })),
    ],
    args: process?.strings("Args"),
    env: process?.strings("Env"),
    cwd: process?.text("Cwd"),
    uid: user?.number("UID"),
    gid: user?.number("GID"),
    terminal: process?.flag("Terminal"),
    sharedPids: tree.flag("sandbox_pidns"),
    noNewPrivileges: process?.flag("NoNewPrivileges"),
    readonlyRoot: root?.flag("Readonly"),
    rootPath: root?.text("Path"),
    capabilities:
      capabilities && new Map(capabilities.members().map((m) => [m.name, m.value.items().map((c) => c.string())])),
    mounts: oci?.list("Mounts")?.map((m) => mountOf(m, survey)),
    storages,
    devices: tree.list("devices")?.map((d) => deviceOf(d, known.device, survey)),
    linuxDevices: (linux?.list("Devices") ?? []).map((d) => deviceOf(d, known.linuxDevice, survey)),
    execCommands: tree.list("exec_commands")?.map(commandOf),
  };
}

const commandOf = (tree: Tree): string[] | string =>
  tree.node.kind === "string" ? tree.node.value : tree.items().map((word) => word.string());

function needed(tree: Tree, name: string): string {
  const found = tree.text(name);
  if (found === undefined) throw tree.fail(`no ${name}`);
  return found;
}

function deviceOf(tree: Tree, names: readonly [...string[], string], survey: Survey): string {
  survey(tree, names);
  return needed(tree, names.at(-1) ?? "");
}

function mountOf(tree: Tree, survey: Survey): PolicyMount {
  survey(tree, known.mount);
  return {
    destination: needed(tree, "destination"),
    source: needed(tree, "source"),
    type: needed(tree, "type_"),
    options: tree.strings("options") ?? [],
    at: tree.at,
  };
}

function storageOf(tree: Tree, survey: Survey): PolicyStorage {
  survey(tree, known.storage);
  return {
    driver: needed(tree, "driver"),
    driverOptions: tree.strings("driver_options") ?? [],
    source: needed(tree, "source"),
    fstype: tree.text("fstype") ?? "",
    mountPoint: needed(tree, "mount_point"),
    at: tree.at,
  };
}
