/** A worker thread: takes the next unit that nobody has, hashes it, says so, until none is left. */
import { closeSync, openSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { PmError } from "../../errors.ts";
import { systemReason } from "../../system-reason.ts";
import type { FromWorker, WorkerJob } from "./pool.ts";
import { UnitHasher } from "./unit-hasher.ts";

const { path, hashPath, place, layout, plan, next, done, to } = workerData as WorkerJob;
const tell = (message: FromWorker): void => parentPort?.postMessage(message);

try {
  const fd = openSync(path, "r");
  const hashFd = place === undefined ? undefined : openSync(hashPath, "r");
  try {
    const hashes = place === undefined || hashFd === undefined ? undefined : { fd: hashFd, place };
    const hasher = new UnitHasher(fd, layout, plan, hashes);
    const counter = new Int32Array(next);
    const skip = new Uint8Array(done);
    for (let unit = Atomics.add(counter, 0, 1); unit < to; unit = Atomics.add(counter, 0, 1))
      if (skip[unit] === 0) tell({ result: hasher.hash(unit) });
  } finally {
    closeSync(fd);
    if (hashFd !== undefined) closeSync(hashFd);
  }
} catch (error) {
  // An exception does not keep its class on the way to another thread.
  const known = error instanceof PmError;
  tell({
    error: {
      code: known ? error.code : "PM_SOURCE_REFUSED",
      message: known ? error.message : systemReason(error),
      hint: known ? error.hint : undefined,
    },
  });
}
