/** The programs that bench/verity.ts times: each as a whole process, in the folder of the disks. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { bin, cleanEnv } from "./measure.ts";
import type { Disk } from "./verity-disks.ts";

const preload = fileURLToPath(new URL("peak-at-exit.mjs", import.meta.url));

// Debian keeps veritysetup where users other than root do not look; its output is read in English.
cleanEnv["PATH"] = `${cleanEnv["PATH"] ?? ""}:/usr/sbin:/sbin`;
cleanEnv["LC_ALL"] = "C";

/** Name and version of a program; undefined when it is not installed. */
export function installed(program: string, ask: string): string | undefined {
  const child = spawnSync(program, [ask], { env: cleanEnv, encoding: "utf8" });
  if (child.error !== undefined && "code" in child.error && child.error.code === "ENOENT") return undefined;
  if (child.status !== 0) throw new Error(`${program} ${ask}: ended with ${child.status}: ${child.stderr}`);
  return child.stdout.split(" ").slice(0, 2).join(" ").trim();
}

interface Ended {
  readonly stdout: string;
  /** Of descriptor 3. */
  readonly aside: string;
  readonly seconds: number;
}
/** @throws Error when it does not end with 0: a failing command may not count as a fast one */
function run(program: string, args: readonly string[], folder: string): Ended {
  const start = performance.now();
  const child = spawnSync(program, args, { cwd: folder, env: cleanEnv, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const seconds = (performance.now() - start) / 1000;
  const [, stdout, stderr, aside] = child.output ?? [];
  if (child.error !== undefined) throw child.error;
  if (child.status !== 0)
    throw new Error(`${program} ${args.join(" ")}: ended with ${child.status ?? child.signal}: ${stderr}`);
  return { stdout: String(stdout), aside: String(aside), seconds };
}

function found(pattern: RegExp, text: string, what: string): string {
  const [, group] = pattern.exec(text) ?? [];
  if (group === undefined) throw new Error(`${what} said: ${text}`);
  return group;
}

export interface Hashed {
  readonly seconds: number;
  readonly rootHash: string;
}

const pmArgs = (disk: Disk, jobs: number): readonly string[] => [
  ...["verity", "hash", disk.name, "--preset", "privatemode"],
  ...["--jobs", String(jobs), "--json"],
];
export const pmCommand = (disk: Disk, jobs: number): string => `pm ${pmArgs(disk, jobs).join(" ")}`;

/** The preload costs pm some milliseconds, which are in its time. */
export function pmHash(disk: Disk, jobs: number, folder: string): Hashed & { readonly peakBytes: number } {
  const ended = run(process.execPath, ["--import", preload, bin, ...pmArgs(disk, jobs)], folder);
  const peakBytes = Number(ended.aside || Number.NaN);
  if (!(peakBytes > 0)) throw new Error(`pm verity hash: no peak of memory, but ${JSON.stringify(ended.aside)}`);
  const rootHash = found(/"rootHash": "([0-9a-f]+)"/, ended.stdout, "pm verity hash");
  return { seconds: ended.seconds, rootHash, peakBytes };
}

/** Its defaults are the preset's parameters but for the salt; equal roots show it. */
const formatArgs = (disk: Disk): readonly string[] => ["format", disk.name, `${disk.name}.tree`, "--salt=00"];
export const formatCommand = (disk: Disk): string => `veritysetup ${formatArgs(disk).join(" ")}`;

export function veritysetupFormat(disk: Disk, folder: string): Hashed {
  const { stdout, seconds } = run("veritysetup", formatArgs(disk), folder);
  return { seconds, rootHash: found(/^Root hash:\s*([0-9a-f]+)$/m, stdout, "veritysetup") };
}

/** 4128 bytes: a block, its salt and the padding of SHA-256, about. `-mr` prints bytes a second with all digits. */
const speedArgs = (processes: number): readonly string[] => [
  ...["speed", "-mr", "-evp", "sha256", "-bytes", "4128"],
  ...(processes === 1 ? [] : ["-multi", String(processes)]),
];
export const speedCommand = (processes: number): string => `openssl ${speedArgs(processes).join(" ")}`;

/** Bytes a second: for one process by its CPU time, for several by the clock, so that a busy machine shows in the second. */
export function opensslSpeed(processes: number, folder: string): number {
  const { stdout } = run("openssl", speedArgs(processes), folder);
  return Number(found(/^\+F:\d+:sha256:([\d.]+)$/m, stdout, "openssl speed"));
}
