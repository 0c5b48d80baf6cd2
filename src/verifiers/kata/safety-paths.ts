/** Which mount holds a path of a container, and whether the host chooses what lies there (Kubernetes API, VolumeMount). */
import type { Container, VolumeMount } from "./deployment-pod.ts";
import type { SafetyCase } from "./safety-types.ts";
import { initializer } from "./workload-types.ts";

/** An absolute path in its one spelling; undefined: it goes upwards, and where it leads a link may say. */
export function plainPath(path: string, folder = "/"): string | undefined {
  const words = `${path.startsWith("/") ? "" : `${folder}/`}${path}`.split("/").filter((w) => w !== "" && w !== ".");
  return words.includes("..") ? undefined : `/${words.join("/")}`;
}

/** @param path, folder plain paths */
export const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === "/" ? folder : `${folder}/`);

/** The mount that decides what a plain path holds. */
export function mountOf({ mounts }: Container, path: string): VolumeMount | undefined {
  return mounts
    .map((mount) => ({ mount, at: plainPath(mount.path) ?? "" }))
    .filter(({ at }) => at !== "" && isWithin(path, at))
    .sort((a, b) => b.at.length - a.at.length)[0]?.mount;
}

/** Everything but the guest's own emptyDir; Contrast adds the initializer's volume, which is one. */
export const isOfHost = (c: SafetyCase, { volume }: VolumeMount): boolean => {
  const kind = c.workload.volumes.get(volume)?.kind;
  return kind === undefined ? volume !== initializer.volume : kind !== "emptyDir";
};

/** Where a Linux program, its shell and its libraries lie, and what the loader reads first (ld.so(8)). */
const system = ["/bin", "/sbin", "/lib", "/lib64", "/usr", "/etc/ld.so.preload", "/etc/ld.so.cache", "/etc/ld.so.conf"];

/** Mounts by which the host could put another program, library or loader's file in place of the image's. */
export function replaced(c: SafetyCase, container: Container, programs: readonly string[]): string[] {
  const folders = [...system, ...programs.map((path) => path.slice(0, path.lastIndexOf("/")) || "/")];
  return container.mounts
    .filter((m) => isOfHost(c, m))
    .filter((m) => {
      const at = plainPath(m.path);
      return at === undefined || at.startsWith("/etc/ld.so") || folders.some((f) => isWithin(at, f) || isWithin(f, at));
    })
    .map((m) => m.path);
}

/** Paths in a text, as far as it writes them out: behind an equals sign and inside JSON, too. */
export const pathsIn = (text: string): string[] =>
  text
    .replaceAll("\\\n", "")
    .replaceAll(/["'\\]/g, "")
    .split(/[\s;|&()<>`=,:{}[\]]+/)
    .filter((word) => word.includes("/"));
