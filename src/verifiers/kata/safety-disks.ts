/** Disks behind dm-verity and volumes that the host keeps (Kubernetes API, volumes; Privatemode v1.40.0, disk-mounter). */
import type { Answers } from "../../claims/answer.ts";
import type { VolumeDevice, VolumeMount } from "./deployment-pod.ts";
import { type Problem, ruled } from "./safety-answer.ts";
import type { safety } from "./safety-claims.ts";
import { modelPaths } from "./safety-models.ts";
import type { Recognised, SafetyCase } from "./safety-types.ts";
import { argumentsOf } from "./safety-words.ts";
import { initializer, readOnlyKinds } from "./workload-types.ts";

type A = Answers<typeof safety>;
type DiskCode =
  | "disk-device-elsewhere"
  | "disk-arguments"
  | "disk-device-missing"
  | "disk-volume-writable"
  | "disk-missing"
  | "disk-model-elsewhere"
  | "disk-unreadable";

const kindOf = (c: SafetyCase, { volume }: VolumeMount): string => c.workload.volumes.get(volume)?.kind ?? "";

const pathsOf = (devices: readonly VolumeDevice[]): string[] => devices.map((d) => d.path);

const isMounter = (x: Recognised): boolean => x.role === "disk-mounter" && x.byImage;
export const mountersOf = (c: SafetyCase): Recognised[] => c.containers.filter(isMounter);

export interface Disk {
  readonly model: string;
  readonly index: string;
  /** Lower-case hex. */
  readonly rootHash: string;
}
/** Model, index, root hash: nothing more, nothing less. */
export function diskOf(
  c: SafetyCase,
  { container }: Recognised,
): Disk | { readonly reason: string; readonly open?: true } {
  const read = argumentsOf(c, container, c.rules.diskMounter);
  if ("reason" in read) return { reason: read.reason, open: true };
  const [model = "", index = "", root = "", ...more] = read.words;
  const fits = /^[A-Za-z0-9][\w.-]*$/.test(model) && /^[0-9]+$/.test(index) && /^[0-9a-fA-F]{64}$/.test(root);
  return fits && more.length === 0
    ? { model, index, rootHash: root.toLowerCase() }
    : { reason: JSON.stringify(read.words) };
}

/** Volumes that a disk mounter may fill: of any other kind the host fills them. */
const modelVolumes = (c: SafetyCase): ReadonlySet<string> =>
  new Set(
    mountersOf(c).flatMap(({ container }) =>
      container.mounts.filter((m) => !m.readOnly && kindOf(c, m) === "emptyDir").map((m) => m.volume),
    ),
  );

function mounterProblems(c: SafetyCase, mounter: Recognised): Problem<DiskCode>[] {
  const { name, devices } = mounter.container;
  const disk = diskOf(c, mounter);
  const problems: Problem<DiskCode>[] =
    devices.length === 1 ? [] : [{ code: "disk-device-missing", text: `${name}: ${devices.length} devices` }];
  if (!("reason" in disk)) return problems;
  const text = `${name}: ${disk.reason}`;
  return [
    ...problems,
    disk.open === true ? { code: "disk-unreadable", text, open: true } : { code: "disk-arguments", text },
  ];
}

/** A mount in a container that is no disk mounter: what is mounted below it may arrive, nothing may leave. */
const mayWrite = (m: VolumeMount): boolean => m.bidirectional || !(m.readOnly || m.hostToContainer);

function readerProblems(c: SafetyCase, reader: Recognised, models: ReadonlySet<string>): Problem<DiskCode>[] {
  const { container, disk } = reader;
  const { name, devices } = container;
  const mounts = container.mounts.filter((m) => models.has(m.volume));
  const problems: Problem<DiskCode>[] = [
    ...(devices.length > 0
      ? [{ code: "disk-device-elsewhere" as const, text: `${name}: ${pathsOf(devices).join(", ")}` }]
      : []),
    ...mounts.filter(mayWrite).map((m) => ({ code: "disk-volume-writable" as const, text: `${name}: ${m.path}` })),
  ];
  if (!disk) return problems;
  if (mounts.length === 0) return [...problems, { code: "disk-missing", text: name }];
  const { inside, elsewhere: others, open } = modelPaths(c, reader, models);
  const paths = mounts.map((m) => m.path).join(", ");
  const elsewhere: Problem<DiskCode>[] = [
    ...others.map((text) => ({ code: "disk-model-elsewhere" as const, text: `${name}: ${text}` })),
    ...open.map((text) => ({ code: "disk-unreadable" as const, text: `${name}: ${text}`, open: true as const })),
  ];
  if (inside) return [...problems, ...elsewhere];
  const text = `${name}: no argument in ${paths}`;
  // What is not in the file may be the path.
  return open.length > 0
    ? [...problems, ...elsewhere, { code: "disk-unreadable", text, open: true }]
    : [...problems, ...elsewhere, { code: "disk-model-elsewhere", text }];
}

export function disks(c: SafetyCase): A["kata.safety.disks"] {
  const models = modelVolumes(c);
  return ruled(c, {
    rule: "devices with disk mounters alone, each with model, index and root hash; model servers read from their volumes",
    found: [
      ...mountersOf(c).map((m) => {
        const disk = diskOf(c, m);
        const text = "reason" in disk ? disk.reason : `${disk.model} ${disk.index} ${disk.rootHash}`;
        return `${m.container.name}: ${text} on ${pathsOf(m.container.devices).join(", ") || "no device"}`;
      }),
      ...c.containers
        .filter((x) => !isMounter(x) && (x.disk || x.container.devices.length > 0))
        .map(({ container }) => {
          const mounts = container.mounts.filter((m) => models.has(m.volume)).map(mountText);
          return `${container.name}: ${[...pathsOf(container.devices), ...mounts].join(", ") || "no disk"}`;
        }),
    ],
    none: "no disk in this workload, and no server that needs one",
    problems: c.containers.flatMap((x) => (isMounter(x) ? mounterProblems(c, x) : readerProblems(c, x, models))),
    code: "disk-missing",
  });
}

const mountText = (m: VolumeMount): string =>
  `${m.path} (${m.readOnly ? "read-only" : m.bidirectional ? "Bidirectional" : m.hostToContainer ? "HostToContainer" : "writable"})`;

export function hostVolumes(c: SafetyCase): A["kata.safety.host_volumes"] {
  const { volumes } = c.workload;
  const mounts = c.containers.flatMap(({ container }) =>
    container.mounts.map((m) => ({
      m,
      // Contrast adds the initializer's volume, an emptyDir, to the file it was given.
      kind: kindOf(c, m) || (m.volume === initializer.volume ? "emptyDir" : "no volume of the pod"),
      text: `${container.name}: ${mountText(m)}`,
    })),
  );
  const problems = mounts.flatMap(({ m, kind, text }): Problem<"host-volume-writable" | "host-volume-unknown">[] => {
    if (kind === "emptyDir" || readOnlyKinds.has(kind) || kind === "hostPath") return [];
    if (kind === "persistentVolumeClaim" || kind === "ephemeral")
      return m.readOnly ? [] : [{ code: "host-volume-writable", text: `${text}, ${kind}` }];
    return [{ code: "host-volume-unknown", text: `${text}, ${kind}`, open: true }];
  });
  const paths = [...volumes.values()].filter((v) => v.kind === "hostPath");
  return ruled(c, {
    rule: "no hostPath; what the host keeps is read-only",
    found: [...mounts.map(({ kind, text }) => `${text}, ${kind}`), ...paths.map((v) => `volume ${v.name}, hostPath`)],
    none: "no volume is mounted",
    problems: [...paths.map((v) => ({ code: "host-path-volume" as const, text: v.name })), ...problems],
    code: "host-path-volume",
  });
}
