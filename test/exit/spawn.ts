/** Node with any arguments and a home of its own: for preloads, signals and closed pipes, where runPm is too narrow. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ran } from "../command.ts";

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** Sees the child as soon as it runs. */
  readonly started?: (child: ChildProcess) => void;
  /** In place of Node. */
  readonly command?: string;
}
const home = mkdtempSync(join(tmpdir(), "pm-spawn-home-"));

export function spawnNode(args: readonly string[], options: SpawnOptions = {}): Promise<Ran> {
  const env = { ...process.env, HOME: home, XDG_CACHE_HOME: join(home, "cache"), NO_COLOR: "1", ...options.env };
  return new Promise((resolve, reject) => {
    const child = spawn(options.command ?? process.execPath, args, {
      env,
      timeout: options.timeoutMs ?? 60_000,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      stdout += part;
    });
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      stderr += part;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.stdin ?? "");
    options.started?.(child);
  });
}
