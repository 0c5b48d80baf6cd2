/** A policy's text and the shape of its data: rules, definition, placeholders, containers as a whole. */
import { type Answers, broken, cannot, equal, holds, specified } from "../../claims/answer.ts";
import { strangeInSandbox } from "./container-mounts.ts";
import { defaultCapabilities, rootPaths, written } from "./container-rights.ts";
import type { Workload } from "./deployment.ts";
import type { PolicyContainer, PolicyData, PolicyStorage, PolicyText } from "./policy-data.ts";
import { laxStatements } from "./rego.ts";
import type { Tree } from "./tree.ts";
import type { workload } from "./workload-claims.ts";
import { listText, type References, shownIn, sortedText } from "./workload-types.ts";

type A = Answers<typeof workload>;
const genpolicy = "Kata Containers, genpolicy";

export function rulesKnown(text: PolicyText, { rules }: References): A["kata.rules.known"] {
  const lax = laxStatements(text.rules);
  if (lax.length > 0) return broken(lax.join("; "), "rules-lax");
  const known = rules.find((r) => r.value === text.rulesSha256);
  if (known === undefined)
    return cannot(
      rules.length === 0
        ? `no list of rules was given: --rules-sha256, or deployment.rules in a profile; these rules have SHA-256 ${text.rulesSha256}`
        : `rules with SHA-256 ${text.rulesSha256} are not among the ${rules.length} that were given`,
      "rules-unknown",
    );
  return equal(
    known,
    {
      value: text.rulesSha256,
      origin: { kind: "recomputed", name: "SHA-256 of the policy's text before policy_data" },
    },
    "rules-unknown",
  );
}

export function single(text: PolicyText): A["kata.policy_data.single"] {
  if (text.json === undefined) return cannot("the policy has no line that begins with policy_data :=");
  return equal(
    specified("none", "Open Policy Agent, policy language", "rules"),
    shownIn(text.rivals.length === 0 ? "none" : text.rivals.join("; "), "before the data"),
    "policy-data-rival",
  );
}

export function format(data: PolicyData): A["kata.policy_data.format"] {
  if (data.containers.length === 0) return broken("policy_data lists no containers", "policy-data-malformed");
  if (data.unknown.length > 0)
    return cannot(`members that pm does not know: ${data.unknown.slice(0, 16).join(", ")}`, "policy-data-unknown");
  return equal(
    specified("no unknown member", genpolicy, "policy_data"),
    shownIn(data.unknown.length === 0 ? "no unknown member" : data.unknown.join(", "), "/"),
    "policy-data-unknown",
  );
}

/** Values that releases of genpolicy are known to write; the first is the current one. */
const placeholders: ReadonlyMap<string, readonly string[]> = new Map([
  ["cpath", ["/run/kata-containers/shared/containers"]],
  ["mount_source_cpath", ["/run/kata-containers/shared/containers"]],
  ["root_path", ["$(cpath)/$(bundle-id)/rootfs", "/run/kata-containers/$(bundle-id)/rootfs"]],
  ["sfprefix", ["^$(cpath)/$(bundle-id)-[a-z0-9]{16}-"]],
  ["ip_p", ["[0-9]{1,5}"]],
  [
    "ipv4_a",
    [
      "(([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])\\.){3}([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])",
      "((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])",
    ],
  ],
  ["svc_name", ["[A-Z_\\.\\-]+", "[A-Z0-9_\\.\\-]+"]],
  ["dns_label", ["[a-zA-Z0-9_\\.\\-]+"]],
  ["spath", ["/run/kata-containers/sandbox/storage"]],
  ["image_layer_verification", ["none"]],
  ["default_caps", [listText(defaultCapabilities)]],
]);
/** Without these nothing says what a mount's source stands for. */
const needed = ["cpath", "sfprefix"];

export function common(tree: Tree | undefined): A["kata.policy_data.common"] {
  const absent = needed.filter((name) => tree?.get(name) === undefined);
  if (tree === undefined || absent.length > 0) return cannot(`policy_data.common lacks ${absent.join(", ")}`);
  // $(privileged_caps) is read as every capability, whatever it stands for.
  const members = tree.members().filter((m) => m.name !== "privileged_caps");
  const strangers = members.filter((m) => !placeholders.has(m.name)).map((m) => m.name);
  const found = members.flatMap(({ name, value }) => {
    const known = placeholders.get(name);
    if (known === undefined) return [];
    const text = value.node.kind === "array" ? sortedText(value.items().map((c) => c.string())) : value.string();
    return [{ name, text, known }];
  });
  const strange = found.filter(({ text, known }) => !known.includes(text));
  const open = strange.filter(({ name, text }) => name === "default_caps" || /\.[*+{]|^$|\|/.test(text));
  if (open.length === 0 && strange.length + strangers.length > 0)
    return cannot(
      `not known: ${[...strange.map((s) => `${s.name} ${s.text}`), ...strangers].join("; ")}`,
      "common-unknown",
    );
  return equal(
    specified(
      listText(found.map(({ name, text, known }) => `${name}=${known.includes(text) ? text : known[0]}`)),
      genpolicy,
      "settings, common",
    ),
    shownIn(listText(found.map(({ name, text }) => `${name}=${text}`)), "/common"),
    "common-open",
  );
}

/** The policy's containers apart from the sandbox, by name; one without a name by its place. */
const namesOf = (containers: readonly PolicyContainer[]): string[] => containers.slice(1).map((c) => c.name ?? c.at);

/** Sidecars that the auditor named and that the deployment file does not have, as `contrast generate` leaves its input. */
export function addedSidecars(workload: Workload, data: PolicyData, { sidecars }: References): string[] {
  const own = new Set(workload.containers.map((c) => c.name));
  return [...sidecars.keys()].filter((name) => !own.has(name) && namesOf(data.containers).includes(name));
}

export function complete(workload: Workload, data: PolicyData, references: References): A["kata.containers.complete"] {
  const added = addedSidecars(workload, data, references);
  const expected = workload.containers.map((c) => c.name);
  const actual = namesOf(data.containers);
  // Each named sidecar is taken out once; a second one of its name stays, and is one too many.
  for (const name of added) actual.splice(actual.indexOf(name), 1);
  const beside = added.length === 0 ? "" : `, and sidecars ${added.join(", ")}`;
  const extra = actual.filter((name, i) => !expected.includes(name) || actual.indexOf(name) !== i);
  const missing = expected.filter((name) => !actual.includes(name));
  const [code, list] =
    extra.length > 0
      ? (["container-extra", extra] as const)
      : missing.length > 0
        ? (["container-missing", missing] as const)
        : (["container-order", []] as const);
  const said = { value: `${listText(expected)}${beside}`, origin: references.deployment, at: workload.where };
  const shown = shownIn(`${listText(actual)}${beside}`, "/containers");
  return holds(said.value === shown.value, said, shown, code, list.join(", "));
}

/** Repositories of the pause image; the guest uses the one that is part of its own image. */
const pauseImage = /^(pause|registry\.k8s\.io\/pause|mcr\.microsoft\.com\/oss\/kubernetes\/pause)([:@][\w.:-]+)?$/;

export function sandbox(workload: Workload, data: PolicyData): A["kata.containers.sandbox"] {
  const [first] = data.containers;
  if (first === undefined) return cannot("policy_data lists no containers");
  const { type, args, devices, execCommands, env, capabilities, images } = first;
  if (args === undefined || devices === undefined || execCommands === undefined || env === undefined)
    return cannot("the first container lacks Args, Env, devices or exec_commands");
  const namespace = first.annotations.get("io.kubernetes.cri.sandbox-namespace");
  const strange = [
    ...images.filter((i) => !pauseImage.test(i.reference)).map((i) => `image ${i.reference}`),
    ...devices.map((d) => `device ${d}`),
    ...first.linuxDevices.map((d) => `device ${d}`),
    ...execCommands.map((c) => `command ${JSON.stringify(c)}`),
    ...env.filter((v) => !/^(PATH=[\w/:.-]*|HOSTNAME=\$\([a-z-]+\))$/.test(v)).map((v) => `variable ${v}`),
    ...strangeInSandbox(first).map((m) => `mount ${m}`),
    ...(first.storages ?? []).filter((s) => s.driver !== "image_guest_pull").map((s) => `storage ${s.driver}`),
    ...data.sandboxStorages.filter((s) => !isSharedMemory(s)).map((s) => `storage ${s.driver} at ${s.mountPoint}`),
    ...strangeCapabilities(capabilities),
    ...(rootPaths.includes(first.rootPath ?? "") ? [] : [`root ${first.rootPath ?? "of no path"}`]),
    ...(namespace === undefined || namespace === workload.namespace ? [] : [`namespace ${namespace}`]),
  ];
  const text = (kind: string, words: readonly string[], more: readonly string[]): string =>
    [`${kind} ${listText(words)}`, ...more].join("; ");
  return equal(
    specified(text("sandbox", ["/pause"], []), genpolicy, "pause container"),
    shownIn(text(type ?? "container of no type", args, strange), "/containers/0"),
    "sandbox-differs",
  );
}

/** The one storage that genpolicy gives to a sandbox: memory that its containers share. */
const isSharedMemory = ({ driver, source, fstype, mountPoint }: PolicyStorage): boolean =>
  driver === "ephemeral" && source === "shm" && fstype === "tmpfs" && mountPoint === "/run/kata-containers/sandbox/shm";

const strangeCapabilities = (sets: PolicyContainer["capabilities"]): string[] =>
  [...(sets ?? [])].flatMap(([name, list]) =>
    written(list)
      .split(", ")
      .filter((c) => c !== "" && !defaultCapabilities.includes(c))
      .map((c) => `${name} ${c}`),
  );
