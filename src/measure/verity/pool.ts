/** Units of one disk over worker threads. A unit that failed fails the whole: what is handed over is whole or nothing. */
import { Worker } from "node:worker_threads";
import { type ErrorCode, PmError } from "../../errors.ts";
import type { VerityLayout } from "./layout.ts";
import type { TreePlace } from "./stored.ts";
import type { UnitResult } from "./unit-hasher.ts";
import type { UnitPlan } from "./units.ts";

export interface Job {
  readonly path: string;
  /** Of the stored tree; the disk itself where both share a file. */
  readonly hashPath: string;
  /** Where a tree is stored that is to be compared; undefined: none is. */
  readonly place: TreePlace | undefined;
  readonly layout: VerityLayout;
  readonly plan: UnitPlan;
}
export interface WorkerJob extends Job {
  /** Int32: the next unit that nobody has. */
  readonly next: SharedArrayBuffer;
  /** One byte a unit: 1 where it is known already. */
  readonly done: SharedArrayBuffer;
  /** The first unit that is not to be hashed. */
  readonly to: number;
}
export type FromWorker =
  | { readonly result: UnitResult }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined } };

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The source as it is while tests run, and one file of the bundle: scripts/build.ts gives the worker a name of its own. */
function workerUrl(): URL {
  const here = import.meta.url;
  if (here.endsWith(".ts")) return new URL("./worker.ts", here);
  return new URL(`${here.slice(0, here.lastIndexOf("/dist/"))}/dist/measure/verity/worker.js`);
}

/**
 * @param known units that need no hashing
 * @param onResult is called once for each other unit of the range, in no order
 * @throws PmError of the first unit that failed; the signal's reason when it is aborted
 */
export async function hashUnits(
  job: Job,
  range: Range,
  options: { readonly jobs: number; readonly known: ReadonlySet<number>; readonly signal?: AbortSignal | undefined },
  onResult: (result: UnitResult) => void,
): Promise<void> {
  const { known, signal } = options;
  signal?.throwIfAborted();
  let left = range.to - range.from - [...known].filter((u) => u >= range.from && u < range.to).length;
  if (left === 0) return;
  const next = new SharedArrayBuffer(4);
  new Int32Array(next)[0] = range.from;
  const done = new SharedArrayBuffer(job.plan.units);
  const flags = new Uint8Array(done);
  for (const unit of known) flags[unit] = 1;
  const workerData: WorkerJob = { ...job, next, done, to: range.to };
  // The hashing happens outside the heap: without a limit a worker lets garbage pile up beyond what the disk needs.
  const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 };
  const workers = Array.from(
    { length: Math.min(options.jobs, left) },
    () => new Worker(workerUrl(), { workerData, resourceLimits, execArgv: [] }),
  );
  try {
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(signal?.reason);
      signal?.addEventListener("abort", abort, { once: true });
      let running = workers.length;
      for (const worker of workers) {
        worker.on("message", (message: FromWorker) => {
          if ("error" in message) {
            const { code, message: text, hint } = message.error;
            reject(new PmError(code, `${job.path}: ${text}`, hint === undefined ? {} : { hint }));
            return;
          }
          try {
            onResult(message.result);
          } catch (error) {
            reject(error);
          }
          left--;
          if (left === 0) resolve();
        });
        worker.on("error", reject);
        worker.on("exit", () => {
          running--;
          if (running === 0 && left > 0) reject(new PmError("PM_BUG", `${left} units were not hashed`));
        });
      }
    });
  } finally {
    await Promise.all(workers.map((w) => w.terminate()));
  }
}
