/** Runs `pm` as a user does: bin/run.js in a process of its own, with a home of its own, so that no cache is shared. */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "../src/report/report.ts";

const bin = fileURLToPath(new URL("../bin/run.js", import.meta.url));
/** One for all runs of a test file that do not name their own. */
const home = mkdtempSync(join(tmpdir(), "pm-test-home-"));

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: string | Uint8Array;
  readonly timeoutMs?: number;
}

export function runPm(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const env = { ...process.env, HOME: home, XDG_CACHE_HOME: join(home, "cache"), NO_COLOR: "1", ...options.env };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], { env, timeout: options.timeoutMs ?? 60_000 });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      stdout += part;
    });
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      stderr += part;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
    child.stdin.on("error", () => undefined); // a child that ended before it read everything
    child.stdin.end(options.stdin ?? "");
  });
}

/** The JSON document of a judging command. */
export const reportOf = (ran: Ran): Report => JSON.parse(ran.stdout) as Report;
