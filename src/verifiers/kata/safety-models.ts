/** Where a model server's paths lead: into a disk mounter's volume, or to files that the host keeps. */
import { isOfHost, isWithin, mountOf, pathsIn, plainPath } from "./safety-paths.ts";
import { digest, joinedLines, withKnown } from "./safety-scripts.ts";
import type { Recognised, SafetyCase } from "./safety-types.ts";
import { envOf, hiddenIn, textsIn } from "./safety-words.ts";
import { textsOf } from "./workload-types.ts";

interface ModelPaths {
  /** A word of command or arguments is a path in such a volume. */
  readonly inside: boolean;
  /** Mounts at or below that of such a volume, which hide what the mounter put there, and paths with `..` in them. */
  readonly elsewhere: readonly string[];
  /** What cannot be told, or is the host's. */
  readonly open: readonly string[];
}

/** @param models volumes that a disk mounter fills */
export function modelPaths(c: SafetyCase, x: Recognised, models: ReadonlySet<string>): ModelPaths {
  const { container, config } = x;
  const { mounts, command, args } = container;
  const folder = container.workingDir ?? config?.workingDir ?? "/";
  const ofModels = mounts.filter((m) => models.has(m.volume));
  const over = mounts.filter(
    (m) =>
      !models.has(m.volume) &&
      ofModels.some((model) => isWithin(plainPath(m.path) ?? model.path, plainPath(model.path) ?? "/")),
  );
  const plain = (word: string): string | undefined => plainPath(word, folder);
  const volumeAt = (path: string | undefined) => (path === undefined ? undefined : mountOf(container, path));
  const { run, env } = textsIn(x);
  // Only what is started counts as the model's path; what a variable holds may go unread.
  const inside = textsOf([...(command ?? []), ...(args ?? [])])
    .flatMap(pathsIn)
    .filter((word) => word.startsWith("/"))
    .some((word) => models.has(volumeAt(plain(word))?.volume ?? ""));
  const checked = checkedPaths(x);
  const words = [...new Set([...run, ...env].flatMap(pathsIn))];
  const upwards = words.filter((word) => plain(word) === undefined);
  const kept = words.filter((word) => {
    const path = plain(word);
    const mount = volumeAt(path);
    return path !== undefined && mount !== undefined && isOfHost(c, mount) && !checked.has(path);
  });
  return {
    inside,
    elsewhere: [
      ...over.map((m) => `${m.path} lies over a model`),
      ...upwards.map((word) => `${word} goes upwards, and where to a link may say`),
    ],
    open: [
      ...hiddenIn(x).map((name) => `not in the deployment file: the value of ${name}`),
      ...ofModels.flatMap((m) => (m.subPath === undefined ? [] : [`a part of the volume only, at ${m.path}`])),
      ...kept.map((word) => `a path of a volume that the host keeps: ${word}`),
    ],
  };
}

/**
 * Files that are compared with a SHA-256, or copied to where that is done: kata.source.known asks for their content.
 * Not proven: that the host leaves a file alone between its check and its use.
 */
function checkedPaths(x: Recognised): ReadonlySet<string> {
  const lines = textsIn(x).run.flatMap((text) => joinedLines(withKnown(text, envOf(x))));
  const found = new Set<string>();
  for (const line of lines) {
    if (!new RegExp(digest).test(line)) continue;
    const plain = line.replaceAll(/["'\\]/g, "");
    for (const [, path] of plain.matchAll(/\b[0-9a-fA-F]{64}\s+\*?(\/[^\s;|&()<>`]+)/g)) if (path) found.add(path);
    for (const [, path] of plain.matchAll(/\bsha256sum\s+(?:--\s+)?(\/[^\s;|&()<>`]+)/g)) if (path) found.add(path);
  }
  for (const line of lines) {
    const [, from, to] = /^\s*cp\s+(\/[^\s;|&()<>`$"'\\]+)\s+(\/[^\s;|&()<>`$"'\\]+)\s*$/.exec(line) ?? [];
    if (from !== undefined && to !== undefined && found.has(to)) found.add(from);
  }
  return found;
}
