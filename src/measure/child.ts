/** Other people's programs, run without a shell: bounded output and time, and nothing of them left behind. */
import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

export interface ChildOptions {
  readonly cwd: string;
  /** The whole environment: nothing of pm's own goes along. */
  readonly env: Readonly<Record<string, string>>;
  /** Absent: nothing can be read from stdin. */
  readonly stdin?: string | Uint8Array;
  /** Of stdout; the program is ended when it writes more. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}
export interface ChildResult {
  /** null: a signal ended it. */
  readonly status: number | null;
  readonly signal: string | null;
  /** At most maxBytes. */
  readonly stdout: Uint8Array;
  /** The first 64 KiB. */
  readonly stderr: string;
  /** It wrote more than maxBytes to stdout. */
  readonly truncated: boolean;
  readonly timedOut: boolean;
}

const maxErrorBytes = 64 * 1024;

/** A program's output up to a limit. */
class Collected {
  readonly #chunks: Buffer[] = [];
  readonly #limit: number;
  #size = 0;
  constructor(limit: number) {
    this.#limit = limit;
  }
  /** @returns whether all of it had room */
  add(chunk: Buffer): boolean {
    const part = chunk.subarray(0, this.#limit - this.#size);
    if (part.length > 0) this.#chunks.push(part);
    this.#size += part.length;
    return part.length === chunk.length;
  }
  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#chunks));
  }
}

/**
 * @param file an absolute path: a bare name would be looked up below `cwd` where PATH has a relative folder
 * @throws the system's error when the program cannot be started; the signal's reason when it is aborted
 */
export function runChild(file: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  const { cwd, env, stdin, maxBytes, timeoutMs, signal: abort } = options;
  return new Promise((resolve, reject) => {
    if (!isAbsolute(file)) throw new Error(`not an absolute path: ${file}`);
    abort?.throwIfAborted();
    const child = spawn(file, args, {
      cwd,
      env,
      shell: false,
      // A process group of its own, so that what it starts ends with it.
      detached: true,
      stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const { pid } = child;
    const out = new Collected(maxBytes);
    const err = new Collected(maxErrorBytes);
    let truncated = false;
    let timedOut = false;
    const endAll = (): void => {
      try {
        if (pid !== undefined) process.kill(-pid, "SIGKILL");
      } catch {
        child.kill("SIGKILL");
      }
      // A process that left the group may hold the pipes open for ever.
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    const timer = setTimeout(() => {
      timedOut = true;
      endAll();
    }, timeoutMs);
    // pm itself was interrupted: a group of its own does not hear of it.
    process.once("exit", endAll);
    abort?.addEventListener("abort", endAll, { once: true });
    const settle = (done: () => void): void => {
      clearTimeout(timer);
      process.removeListener("exit", endAll);
      abort?.removeEventListener("abort", endAll);
      if (abort?.aborted === true) reject(abort.reason);
      else done();
    };
    child.stdout?.on("data", (chunk: Buffer) => {
      if (out.add(chunk)) return;
      truncated = true;
      endAll();
    });
    child.stderr?.on("data", (chunk: Buffer) => err.add(chunk));
    // It may end before it has read everything.
    child.stdin?.on("error", () => undefined);
    if (stdin !== undefined) child.stdin?.end(stdin);
    child.once("error", (error) => settle(() => reject(error)));
    // What it left running in the background ends with it; its own output is still read to the end.
    child.once("exit", () => {
      try {
        if (pid !== undefined) process.kill(-pid, "SIGKILL");
      } catch {
        // Nothing was left.
      }
    });
    child.once("close", (status, signal) =>
      settle(() => {
        const stderr = Buffer.from(err.bytes()).toString("utf8");
        resolve({ status, signal, stdout: out.bytes(), stderr, truncated, timedOut });
      }),
    );
  });
}

/** Absolute folders of a PATH: a relative one would name a folder of whatever is looked at. */
export const absoluteFolders = (path: string): string[] => path.split(delimiter).filter((f) => isAbsolute(f));

/** Where PATH has a program of this name, absolute; undefined: nowhere. */
export async function onPath(name: string, path = process.env["PATH"] ?? ""): Promise<string | undefined> {
  for (const folder of absoluteFolders(path)) {
    const file = join(folder, name);
    try {
      await access(file, constants.X_OK);
      if ((await stat(file)).isFile()) return file;
    } catch {
      // Not there: the next folder may have it.
    }
  }
  return undefined;
}
