/** Interleaved timing: ratios of minimums measured in one run, because one machine's milliseconds say nothing on another. */
import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const bin = fileURLToPath(new URL("../bin/run.js", import.meta.url));

/** Environment in which every child runs: certificates from outside cost start-up time that is not pm's. */
export const cleanEnv: NodeJS.ProcessEnv = { ...process.env };
delete cleanEnv["NODE_EXTRA_CA_CERTS"];

export interface Command {
  readonly name: string;
  readonly args: readonly string[];
  /** Exit status that the command must end with: a failing command may not count as a fast one. */
  readonly status: number;
}

/** Minimum wall time in milliseconds of each command over `rounds`, one after the other in each round. */
export function wallMinimums(commands: readonly Command[], rounds: number): Map<string, number> {
  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round++)
    for (const { name, args, status } of commands) {
      const start = performance.now();
      const child = spawnSync(process.execPath, args, { env: cleanEnv, stdio: ["ignore", "ignore", "pipe"] });
      const took = performance.now() - start;
      if (child.status !== status)
        throw new Error(`${name}: ended with ${child.status}, not ${status}: ${child.stderr}`);
      best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, took));
    }
  return best;
}

/** Runs Node once beside this process, which may have to serve it. @throws Error when it does not end with 0 */
export async function runAsync(args: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [...args], { env: cleanEnv });
}

/** Minimum time of a call in milliseconds, the functions taking turns so that a busy moment hits all of them. */
export function callMinimums(
  functions: Readonly<Record<string, () => void>>,
  rounds: number,
  calls: number,
): Map<string, number> {
  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round++)
    for (const [name, call] of Object.entries(functions)) {
      const start = performance.now();
      for (let i = 0; i < calls; i++) call();
      best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, (performance.now() - start) / calls));
    }
  return best;
}

export interface Row {
  readonly what: string;
  readonly ratio: number;
  /** Without one the ratio is shown and demands nothing. */
  readonly target?: number;
}
/** One line a row; the exit status says whether all targets were met. */
export function printRows(rows: readonly Row[]): void {
  for (const { what, ratio, target } of rows) {
    const met = target === undefined || ratio <= target;
    const word = target === undefined ? "shown " : met ? "met   " : "MISSED";
    const wanted = target === undefined ? "" : ` (target ${Number(target.toFixed(2))})`;
    process.stdout.write(`${word} ${ratio.toFixed(2).padStart(6)}${wanted} ${what}\n`);
    if (!met) process.exitCode = 1;
  }
}
