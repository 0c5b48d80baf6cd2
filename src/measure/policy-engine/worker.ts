/** A worker thread that holds the policy engine: one job after the other, until it is ended. */
import { parentPort, workerData } from "node:worker_threads";
import { askDialect } from "./dialect.ts";
import type { DialectJob, FromWorker } from "./messages.ts";

const { module } = workerData as { readonly module: WebAssembly.Module };
const tell = (message: FromWorker): void => parentPort?.postMessage(message);

parentPort?.on("message", (job: DialectJob) => tell({ kind: "done", ...askDialect(module, job, tell) }));
tell({ kind: "ready" });
