/** A container's image and rights: digest, capabilities, privileges, devices, the pod that it belongs to. */
import {
  type Answers,
  broken,
  cannot,
  equal,
  graded,
  holds,
  type Sourced,
  skip,
  specified,
} from "../../claims/answer.ts";
import type { SecurityContext } from "./deployment-pod.ts";
import type { sidecarContainer } from "./workload-claims.ts";
import { type ContainerCase, digestIn, sortedText } from "./workload-types.ts";

type A = Answers<typeof sidecarContainer>;

export function image({ yaml, policy, ...c }: ContainerCase): A["kata.container.image"] {
  const [first] = policy.images;
  if (first === undefined) return broken("the policy names no image for this container", "image-unpinned");
  const digests = policy.images.map(({ reference }) => digestIn(reference) ?? reference);
  const expected = digestIn(yaml.image);
  const actual = c.shown(digests[0] ?? "", first.at);
  const code =
    expected === undefined || policy.images.some(({ reference }) => digestIn(reference) === undefined)
      ? "image-unpinned"
      : new Set(digests).size > 1
        ? "image-names-differ"
        : undefined;
  if (code !== undefined)
    return broken(
      `deployment file: ${yaml.image}; policy: ${policy.images.map((i) => `${i.reference} at ${i.at}`).join(", ")}`,
      code,
    );
  return equal(c.said(expected ?? ""), actual, "image-differs");
}

export function repository({ yaml, policy, ...c }: ContainerCase): A["kata.container.repository"] {
  const digest = digestIn(yaml.image);
  const other = policy.images.find(({ reference }) => reference !== yaml.image) ?? policy.images[0];
  if (digest === undefined || other === undefined || digestIn(other.reference) !== digest)
    return skip("not asked: the digests are not the same");
  return graded(equal(c.said(yaml.image), c.shown(other.reference, other.at), "repository-differs"), "unknown");
}

/** @param named the image as the auditor named it apart from the deployment file */
export function sidecar({ policy, ...c }: ContainerCase, named: Sourced): A["kata.container.sidecar"] {
  const [first] = policy.images;
  if (first === undefined) return broken("the policy names no image for this container", "sidecar-image-differs");
  const digests = policy.images.map((i) => digestIn(i.reference) ?? i.reference);
  const expected = digestIn(named.value) ?? "";
  return holds(
    expected !== "" && digests.every((d) => d === expected),
    { ...named, value: expected || named.value },
    c.shown([...new Set(digests)].join(", "), first.at),
    "sidecar-image-differs",
  );
}

export function pod({ workload, policy, ...c }: ContainerCase): A["kata.container.pod"] {
  const namespace = policy.annotations.get("io.kubernetes.cri.sandbox-namespace");
  if (namespace === undefined || policy.type === undefined)
    return cannot("the policy names no namespace or no type for this container");
  const text = (type: string, ns: string): string => `${type} in namespace ${ns}`;
  return equal(
    c.said(text("container", workload.namespace), workload.where),
    c.shown(text(policy.type, namespace), `${policy.at}/OCI/Annotations`),
    "namespace-differs",
  );
}

/** containerd's default set, which genpolicy abbreviates as $(default_caps). */
export const defaultCapabilities: readonly string[] = [
  "CAP_AUDIT_WRITE",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_MKNOD",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_RAW",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
];
const every = "every capability";
const sets = ["Bounding", "Effective", "Permitted"];

/** Kubernetes drops before it adds; a privileged container has them all. */
function wanted({ privileged, add, drop }: SecurityContext): readonly string[] | typeof every {
  const full = (name: string): string => `CAP_${name.replace(/^CAP_/i, "")}`.toUpperCase();
  if (privileged || add.some((c) => c.toUpperCase() === "ALL")) return every;
  const kept = drop.some((c) => c.toUpperCase() === "ALL") ? [] : defaultCapabilities;
  const dropped = new Set(drop.map(full));
  return [...new Set([...kept.filter((c) => !dropped.has(c)), ...add.map(full)])].sort();
}

/** Capabilities of a set with the abbreviations written out; $(privileged_caps) is every one. */
export function written(list: readonly string[]): string {
  if (list.includes("$(privileged_caps)")) return every;
  return [...new Set(list.flatMap((c) => (c === "$(default_caps)" ? defaultCapabilities : [c])))].sort().join(", ");
}

export function capabilities({ yaml, policy, ...c }: ContainerCase): A["kata.container.capabilities"] {
  const given = policy.capabilities;
  if (given === undefined || sets.some((name) => !given.has(name)))
    return cannot("the policy has no Capabilities, or not all of their sets, for this container");
  const expected = wanted(yaml.security);
  const texts = [...given].map(([name, list]) => ({ name, text: written(list) }));
  const others = texts.filter(({ name, text }) => !sets.includes(name) && text !== "");
  const own = [...new Set(texts.filter(({ name }) => sets.includes(name)).map(({ text }) => text || "none"))];
  const actual = [own.join(" / "), ...others.map(({ name, text }) => `${name}: ${text}`)].join("; ");
  const privileged = expected === every && others.length === 0;
  return holds(
    privileged || actual === (expected === every ? every : expected.join(", ") || "none"),
    c.said(expected === every ? every : expected.join(", ") || "none"),
    c.shown(actual, `${policy.at}/OCI/Process/Capabilities`),
    "capabilities-differ",
  );
}

export function privileges({ yaml, policy, workload, ...c }: ContainerCase): A["kata.container.privileges"] {
  const { noNewPrivileges, readonlyRoot, terminal, sharedPids } = policy;
  if ([noNewPrivileges, readonlyRoot, terminal, sharedPids].includes(undefined))
    return cannot("the policy lacks NoNewPrivileges, Root.Readonly, Terminal or sandbox_pidns for this container");
  const text = (...flags: readonly (boolean | undefined)[]): string =>
    ["allowPrivilegeEscalation", "readOnlyRootFilesystem", "tty", "shareProcessNamespace"]
      .map((name, i) => `${name} ${flags[i]}`)
      .join(", ");
  const { allowPrivilegeEscalation, readOnlyRootFilesystem } = yaml.security;
  return equal(
    c.said(text(allowPrivilegeEscalation, readOnlyRootFilesystem, yaml.tty, workload.shareProcessNamespace)),
    c.shown(text(!noNewPrivileges, readonlyRoot, terminal, sharedPids), policy.at),
    "privileges-differ",
  );
}

/** Where the guest itself puts what it made out of an image; the first stands for `common`'s own, which is compared. */
export const rootPaths: readonly string[] = [
  "$(root_path)",
  "$(cpath)/$(bundle-id)/rootfs",
  "/run/kata-containers/$(bundle-id)/rootfs",
];

export function root({ policy, ...c }: ContainerCase): A["kata.container.root"] {
  const { rootPath } = policy;
  if (rootPath === undefined) return cannot("the policy has no Root.Path for this container");
  const known = rootPaths.find((path) => path === rootPath) ?? rootPaths.join(" or ");
  return equal(
    specified(known, "Kata Containers, genpolicy", "Root.Path"),
    c.shown(rootPath, `${policy.at}/OCI/Root/Path`),
    "root-differs",
  );
}

export function devices({ yaml, policy, ...c }: ContainerCase): A["kata.container.devices"] {
  if (policy.devices === undefined) return cannot("the policy has no devices for this container");
  const actual = [...new Set([...policy.devices, ...policy.linuxDevices])];
  return equal(
    c.said(sortedText([...new Set(yaml.devices.map((d) => d.path))])),
    c.shown(sortedText(actual), `${policy.at}/devices`),
    "devices-differ",
  );
}
