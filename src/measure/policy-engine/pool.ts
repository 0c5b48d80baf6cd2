/** Threads that hold the engine: at most so many jobs at once, each with a deadline that ends its thread. */
import { Worker } from "node:worker_threads";
import { PmError } from "../../errors.ts";
import type { DialectJob, FromJob, FromWorker } from "./messages.ts";

/** What a job ended with; `rest` says why steps without an answer have none. */
export interface JobEnd {
  readonly rest: string;
}
interface Waiting {
  readonly job: DialectJob;
  readonly tell: (message: FromJob) => void;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (end: JobEnd) => void;
  readonly reject: (error: unknown) => void;
}

/** The thread stops its own calls in time; this is for one that does not. */
const graceMs = 2000;
/** The engine's memory lies outside the heap and has its own limit: 512 MiB an instance, in the module itself. */
const resourceLimits = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 256, stackSizeMb: 4 };

function workerUrl(): URL {
  const here = import.meta.url;
  if (here.endsWith(".ts")) return new URL("./worker.ts", here);
  return new URL(`${here.slice(0, here.lastIndexOf("/dist/"))}/dist/measure/policy-engine/worker.js`);
}

export class EnginePool {
  readonly #module: WebAssembly.Module;
  readonly #most: number;
  readonly #waiting: Waiting[] = [];
  readonly #idle: Worker[] = [];
  readonly #threads = new Set<Worker>();
  #running = 0;
  constructor(module: WebAssembly.Module, most: number) {
    this.#module = module;
    this.#most = Math.max(1, most);
  }

  /**
   * @param tell is called for everything that the job finds, before the promise settles
   * @throws PmError PM_BUG when no thread can be started; the signal's reason when it is aborted
   */
  run(job: DialectJob, tell: (message: FromJob) => void, signal?: AbortSignal): Promise<JobEnd> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      this.#waiting.push({ job, tell, signal, resolve, reject });
      this.#next();
    });
  }

  /** Ends all threads; what runs is rejected as a bug, for nobody closes what is in use. */
  async close(): Promise<void> {
    this.#idle.length = 0;
    await Promise.all([...this.#threads].map((t) => t.terminate()));
  }

  #next(): void {
    while (this.#running < this.#most) {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) return;
      if (waiting.signal?.aborted === true) waiting.reject(waiting.signal.reason);
      else this.#start(waiting);
    }
  }

  #start({ job, tell, signal, resolve, reject }: Waiting): void {
    const kept = this.#idle.pop();
    const worker = kept ?? this.#thread();
    let ready = kept !== undefined;
    let timer: NodeJS.Timeout | undefined;
    this.#running++;
    worker.ref();
    const settle = (keep: boolean, done: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      // By name: without one, Node's own listeners go too, and the thread is never heard again.
      for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
      this.#running--;
      if (keep) {
        // A thread that waits keeps no process from ending.
        worker.unref();
        this.#idle.push(worker);
      } else {
        this.#threads.delete(worker);
        // Errors on its way out concern nobody.
        worker.on("error", () => undefined);
        void worker.terminate();
      }
      done();
      this.#next();
    };
    const abort = (): void => settle(false, () => reject(signal?.reason));
    const stopped = (reason: string, cause?: unknown): void =>
      settle(false, () =>
        ready
          ? resolve({ rest: reason })
          : reject(new PmError("PM_BUG", `policy engine: its thread does not start: ${reason}`, { cause })),
      );
    const ask = (): void => {
      worker.postMessage(job);
      timer = setTimeout(() => stopped(`the engine was ended after ${job.timeoutMs} ms`), job.timeoutMs + graceMs);
    };
    signal?.addEventListener("abort", abort, { once: true });
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "ready") {
        ready = true;
        ask();
      } else if (message.kind === "done") settle(!message.spent, () => resolve({ rest: message.rest }));
      else tell(message);
    });
    worker.on("error", (error) => stopped(`the engine's thread ended: ${String(error)}`, error));
    worker.on("exit", () => stopped("the engine's thread ended"));
    if (ready) ask();
  }

  #thread(): Worker {
    const worker = new Worker(workerUrl(), { workerData: { module: this.#module }, resourceLimits, execArgv: [] });
    this.#threads.add(worker);
    return worker;
  }
}
