/**
 * The disk mounters of a workload as its deployment file describes them: what each is told, which device and claim it
 * holds, where its disk appears, and who reads it there. Facts with their lines; nothing is judged here.
 */
import type { Origin } from "../../claims/answer.ts";
import type { Workload } from "./deployment.ts";
import type { Container, VolumeMount } from "./deployment-pod.ts";
import { remoteCodeOf } from "./safety-code.ts";
import { type Disk, diskOf, mountersOf } from "./safety-disks.ts";
import { caseOf } from "./safety-roles.ts";
import type { Recognised, SafetyCase, SafetyRules } from "./safety-types.ts";
import { tokensIn } from "./safety-words.ts";
import { type HeldImageConfig, unknownOf } from "./workload-types.ts";

export interface HeldDevice {
  readonly path: string;
  readonly volume: string;
  /** Kind of the volume; empty: the pod has no such volume. */
  readonly kind: string;
  /** undefined: none by name. */
  readonly claim: string | undefined;
  readonly where: string;
}
/** A container that mounts the volume in which the disk appears. */
export interface DiskReader {
  readonly container: string;
  /** It serves a model, by the rules. */
  readonly server: boolean;
  /** Where the disk appears in it. */
  readonly folder: string;
  /** Words of its command and arguments that name the folder or a path in it. */
  readonly names: readonly string[];
  /** Variables whose value is not in the file. */
  readonly unknown: readonly string[];
  readonly where: string;
}
export interface MounterFacts {
  /** WorkloadSecretID. */
  readonly workload: string;
  readonly container: string;
  readonly image: string;
  /** Model, index and root hash; or why they could not be read (`open`), or what stands in their place. */
  readonly disk: Disk | { readonly reason: string; readonly open?: true };
  /** Of its arguments. */
  readonly where: string;
  /** It has a command of its own: a script that the rules know, where `disk` was read. */
  readonly overridden: boolean;
  /** Names that follow from the arguments, by the rules; undefined without them. */
  readonly names: { readonly device: string; readonly folder: string; readonly claim: string } | undefined;
  readonly devices: readonly HeldDevice[];
  /** Paths of its mounts that the folder lies in and from which a mount leaves the container, each of an emptyDir. */
  readonly shares: readonly string[];
  readonly readers: readonly DiskReader[];
  /** Containers of the workload that run code which comes with a model. */
  readonly remoteCode: readonly string[];
}

/** @throws PmError PM_USAGE for rules with a pattern that is none */
export function mounterFacts(
  workload: Workload,
  rules: SafetyRules,
  deployment: Origin,
  configs: ReadonlyMap<string, HeldImageConfig>,
): MounterFacts[] {
  const c = caseOf(workload, rules, deployment, configs);
  const remoteCode = [...new Set(remoteCodeOf(c).map((r) => r.container))];
  return mountersOf(c).map((mounter) => factsOf(c, mounter, remoteCode));
}

function factsOf(c: SafetyCase, mounter: Recognised, remoteCode: readonly string[]): MounterFacts {
  const { container } = mounter;
  const disk = diskOf(c, mounter);
  const names = "reason" in disk ? undefined : namesOf(disk, c.rules.diskMounter);
  const shares =
    names === undefined
      ? []
      : container.mounts.filter((m) => carries(c, m) && below(names.folder, m.path) !== undefined);
  return {
    workload: c.workload.workloadSecretId,
    container: container.name,
    image: container.image,
    disk,
    where: container.argsWhere,
    overridden: container.command !== undefined,
    names,
    devices: container.devices.map(({ path, volume, where }): HeldDevice => {
      const held = c.workload.volumes.get(volume);
      return { path, volume, kind: held?.kind ?? "", claim: held?.claim, where: held?.where ?? where };
    }),
    shares: shares.map((m) => m.path),
    readers:
      names === undefined
        ? []
        : c.containers
            .filter((x) => x !== mounter)
            .flatMap((x) => shares.flatMap((share) => readersOf(x, share, below(names.folder, share.path) ?? ""))),
    remoteCode,
  };
}

/** A mount made below it is seen by other containers: only then does the disk appear there. */
const carries = (c: SafetyCase, m: VolumeMount): boolean =>
  m.bidirectional && !m.readOnly && m.subPath === undefined && c.workload.volumes.get(m.volume)?.kind === "emptyDir";

function readersOf({ container, disk }: Recognised, share: VolumeMount, rest: string): DiskReader[] {
  return container.mounts
    .filter((m) => m.volume === share.volume && m.subPath === undefined)
    .map((m): DiskReader => {
      const folder = `${m.path.replace(/\/$/, "")}${rest}`;
      return {
        container: container.name,
        server: disk,
        folder,
        names: wordsIn(container, folder),
        unknown: unknownOf([...(container.command ?? []), ...(container.args ?? [])]),
        where: container.argsWhere,
      };
    });
}

/** A path with a part that leads upwards names no place that could be told from its text. */
const wordsIn = (container: Container, folder: string): string[] =>
  tokensIn([...(container.command ?? []), ...(container.args ?? [])].map((v) => v.text))
    .map((token) => token.slice(token.indexOf("=") + 1))
    .filter((t) => below(t, folder) !== undefined && !/(^|\/)\.\.(\/|$)/.test(t));

/** What of the path is left below a folder, with its slash; undefined: it does not lie there. */
function below(path: string, folder: string): string | undefined {
  const base = folder.replace(/\/$/, "");
  return path === base || path.startsWith(`${base}/`) ? path.slice(base.length).replace(/\/$/, "") : undefined;
}

function namesOf(disk: Disk, rules: SafetyRules["diskMounter"]): NonNullable<MounterFacts["names"]> {
  const filled = (text: string): string =>
    text.replaceAll("$(model)", () => disk.model).replaceAll("$(index)", () => disk.index);
  return { device: filled(rules.device), folder: filled(rules.folder), claim: filled(rules.claim) };
}
