/**
 * A container's mounts and storages (genpolicy, Mounts, storages). Each mount is explained by a volume of the
 * deployment file or by what Kubernetes and containerd mount everywhere; its source tells whether the host shares it.
 */
import { type Answers, cannot, holds } from "../../claims/answer.ts";
import type { Volume, VolumeMount } from "./deployment-pod.ts";
import type { PolicyContainer, PolicyMount, PolicyStorage } from "./policy-data.ts";
import type { container } from "./workload-claims.ts";
import { type ContainerCase, initializer, readOnlyKinds, sortedText } from "./workload-types.ts";

type Code =
  | "mount-unexpected"
  | "mount-missing"
  | "mount-source"
  | "mount-host-path"
  | "mount-shared-writable"
  | "mount-unknown";
/** What a mount should be; or why it must not be there. */
type Verdict = { readonly forms: readonly Form[] } | { readonly code: Code };
interface Form {
  readonly type: string;
  readonly source: string;
  /** Set: it must not be writable. */
  readonly readOnly?: boolean;
  /** Mounts below it may reach further; else they must not. */
  readonly propagated?: boolean;
}

/** Prefix of paths that the host shares with the guest. */
const shared = "$(sfprefix)";
/** Folders of the guest's own: on its root file system's overlay, and in memory. */
const emptyDirForms = [
  { type: "local", prefix: "^$(cpath)/$(sandbox-id)/local/" },
  { type: "local", prefix: "^$(cpath)/$(sandbox-id)/rootfs/local/" },
  { type: "bind", prefix: "^/run/kata-containers/sandbox/ephemeral/" },
] as const;
const watchable = "^$(cpath)/watchable/$(bundle-id)-[a-z0-9]{16}-";

const base = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const sharedBind = (path: string): Form => ({ type: "bind", source: `${shared}${base(path)}$` });

/** By destination: what containerd mounts into every container, and the files that Kubernetes makes for it. */
export const everywhere: ReadonlyMap<string, readonly Form[]> = new Map([
  ["/proc", [{ type: "proc", source: "proc" }]],
  ["/dev", [{ type: "tmpfs", source: "tmpfs" }]],
  ["/dev/pts", [{ type: "devpts", source: "devpts" }]],
  ["/dev/mqueue", [{ type: "mqueue", source: "mqueue" }]],
  ["/sys", [{ type: "sysfs", source: "sysfs" }]],
  ["/sys/fs/cgroup", [{ type: "cgroup", source: "cgroup" }]],
  [
    "/dev/shm",
    [
      { type: "bind", source: "/run/kata-containers/sandbox/shm" },
      { type: "tmpfs", source: "shm" },
    ],
  ],
  ...["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev/termination-log"].map((path): [string, Form[]] => [
    path,
    [sharedBind(path)],
  ]),
]);
const kernel: ReadonlySet<string> = new Set(["/sys", "/sys/fs/cgroup"]);
/** Mounted in every container too, and never writable. */
const tokens = ["/var/run/secrets/kubernetes.io/serviceaccount", "/var/run/secrets/azure/tokens"];

const isReadOnly = (m: PolicyMount): boolean => m.options.includes("ro") && !m.options.includes("rw");
const isShared = (m: PolicyMount): boolean => m.options.includes("rshared") || m.options.includes("shared");
const textOf = (m: PolicyMount, form?: Form): string =>
  `${m.destination} ${form?.type ?? m.type} ${form?.source ?? m.source} ${form?.readOnly || isReadOnly(m) ? "ro" : "rw"}${isShared(m) && form?.propagated !== false ? " rshared" : ""}`;

export function mounts(c: ContainerCase): Answers<typeof container>["kata.container.mounts"] {
  const { yaml, policy } = c;
  if (policy.mounts === undefined || policy.storages === undefined)
    return cannot("the policy has no Mounts or no storages for this container");
  const judged = policy.mounts.map((m, i) => ({ m, verdict: verdictOf(m, i, c) }));
  const found = judged.map(({ m, verdict }) => ({ m, verdict, problem: problemOf(m, verdict) }));
  const missing = yaml.mounts.filter((y) => !policy.mounts?.some((m) => m.destination === y.path));
  const strays = policy.storages.filter((s) => !storageExplained(s, policy.storages ?? [], c));
  const unknown = found.filter((f) => f.problem === "mount-unknown");
  const problems = [
    ...found.flatMap(({ m, problem }) => (problem === undefined ? [] : [{ code: problem, text: textOf(m) }])),
    ...missing.map((y) => ({ code: "mount-missing" as const, text: y.path })),
    ...strays.map((s) => ({ code: "mount-unexpected" as const, text: `storage ${s.driver} ${s.mountPoint}` })),
  ];
  const worst = problems.find((p) => p.code !== "mount-unknown");
  if (worst === undefined && unknown.length > 0)
    return cannot(
      `a kind of volume that pm does not judge: ${unknown.map(({ m }) => m.destination).join(", ")}`,
      "mount-unknown",
    );
  const explained = found.flatMap(({ m, verdict, problem }) =>
    "code" in verdict ? [] : [textOf(m, problem === undefined ? undefined : verdict.forms[0])],
  );
  const expected = sortedText([...explained, ...missing.map((y) => `${y.path} (volume ${y.volume})`)]);
  const actual = sortedText([
    ...policy.mounts.map((m) => textOf(m)),
    ...strays.map((s) => `storage ${s.driver} ${s.mountPoint}`),
  ]);
  return holds(
    problems.length === 0 && expected === actual,
    c.said(expected),
    c.shown(actual, `${policy.at}/OCI/Mounts`),
    worst?.code ?? "mount-unexpected",
    problems.map((p) => `${p.code}: ${p.text}`).join("; "),
  );
}

/** A mount whose form is none of the permitted ones: shared and writable is worse than just another source. */
function problemOf(m: PolicyMount, verdict: Verdict): Code | undefined {
  if ("code" in verdict) return verdict.code;
  const fits = (f: Form): boolean =>
    f.type === m.type &&
    f.source === m.source &&
    (f.readOnly !== true || isReadOnly(m)) &&
    (f.propagated === true || !isShared(m));
  if (verdict.forms.some(fits)) return undefined;
  return m.source.startsWith(shared) && !isReadOnly(m) ? "mount-shared-writable" : "mount-source";
}

function verdictOf(m: PolicyMount, index: number, c: ContainerCase): Verdict {
  const { yaml, policy, workload, config } = c;
  if (policy.mounts?.findIndex((other) => other.destination === m.destination) !== index)
    return { code: "mount-unexpected" };
  const mount = yaml.mounts.find((y) => y.path === m.destination);
  if (mount !== undefined) return byVolume(m, mount, workload.volumes.get(mount.volume));
  const plain = everywhere.get(m.destination);
  // The kernel's own settings: only a privileged container may write to them.
  if (plain !== undefined)
    return { forms: plain.map((f) => ({ ...f, readOnly: kernel.has(m.destination) && !yaml.security.privileged })) };
  if (m.destination === yaml.terminationMessagePath) return { forms: [sharedBind(m.destination)] };
  if (tokens.includes(m.destination))
    return isReadOnly(m) ? { forms: [sharedBind(m.destination)] } : { code: "mount-shared-writable" };
  if (c.hasInitializer && m.destination === initializer.path) return { forms: emptyDir(initializer.volume) };
  // What the image declares as a volume is kept on the host, and shared.
  if (config?.config.volumes.includes(m.destination)) return { code: "mount-shared-writable" };
  return { code: "mount-unexpected" };
}

function emptyDir(volume: string, subPath?: string): Form[] {
  const end = subPath === undefined ? "$" : `/${subPath}$`;
  return emptyDirForms.map(({ type, prefix }) => ({ type, source: `${prefix}${volume}${end}` }));
}

function byVolume(m: PolicyMount, mount: VolumeMount, volume: Volume | undefined): Verdict {
  const kind = volume?.kind ?? "";
  if (kind === "emptyDir")
    return {
      forms: emptyDir(mount.volume, mount.subPath).map((f) => ({
        ...f,
        readOnly: mount.readOnly,
        propagated: mount.bidirectional,
      })),
    };
  if (kind === "hostPath") return { code: "mount-host-path" };
  if (!readOnlyKinds.has(kind) && kind !== "persistentVolumeClaim") return { code: "mount-unknown" };
  if (!isReadOnly(m)) return { code: "mount-shared-writable" };
  return { forms: [sharedBind(m.destination), { type: "bind", source: `${watchable}${base(m.destination)}$` }] };
}

/** What the guest makes itself for an emptyDir: another source or file system would be somebody's own files. */
const guestMade: ReadonlyMap<string, string> = new Map([
  ["local", "local local"],
  ["ephemeral", "tmpfs tmpfs"],
]);

/** Storages are the guest's side of a mount: the image, an emptyDir of the file, a ConfigMap or Secret of the file. */
function storageExplained(
  s: PolicyStorage,
  all: readonly PolicyStorage[],
  { yaml, workload, hasInitializer }: ContainerCase,
): boolean {
  // One root file system for each container; its digest is the image claim's.
  if (s.driver === "image_guest_pull") return all.find((other) => other.driver === s.driver) === s;
  if (s.driverOptions.length > 0) return false;
  const made = guestMade.get(s.driver);
  if (made !== undefined) {
    const names = yaml.mounts.filter((m) => workload.volumes.get(m.volume)?.kind === "emptyDir").map((m) => m.volume);
    const folders = [...names, ...(hasInitializer ? [initializer.volume] : [])];
    return (
      made === `${s.source} ${s.fstype}` &&
      folders.some((name) => emptyDir(name).some((f) => f.source === s.mountPoint))
    );
  }
  const files = yaml.mounts.filter((m) => readOnlyKinds.has(workload.volumes.get(m.volume)?.kind ?? ""));
  return (
    s.driver === "watchable-bind" &&
    s.fstype === "bind" &&
    s.source.startsWith(shared) &&
    files.some((m) => s.mountPoint === `${watchable}${base(m.path)}$`)
  );
}

/** Destinations of a sandbox's mounts that no sandbox has. */
export const strangeInSandbox = (sandbox: PolicyContainer): string[] =>
  (sandbox.mounts ?? [])
    .filter((m) => !everywhere.get(m.destination)?.some((f) => f.type === m.type && f.source === m.source))
    .map((m) => m.destination);
