/**
 * Runs one decoder over mutations, in a thread of its own whose heap is capped: a decoder that needs more ends the
 * thread, and with it the test.
 */
import { getHeapStatistics } from "node:v8";
import { parentPort, workerData } from "node:worker_threads";
import { decoders } from "../src/decoders.ts";
import { PmError } from "../src/errors.ts";
import { mutate, uniform } from "./mutate.ts";

export interface Job {
  readonly id: string;
  readonly samples: readonly Uint8Array[];
  readonly seed: number;
  readonly runs: number;
  /** Time and buffer caps of one call. */
  readonly maxMs: number;
  readonly maxBufferBytes: number;
}
export interface Outcome {
  readonly values: number;
  readonly errors: number;
  readonly recognised: number;
  readonly slowestMs: number;
  /** What went wrong, in which run, with the input in base64 when it is short; at most ten. */
  readonly failures: readonly string[];
}

const job = workerData as Job;
const decoder = decoders.find((d) => d.id === job.id);
if (decoder === undefined) throw new Error(`no decoder ${job.id}`);
const decode = await decoder.load();
const random = uniform(job.seed);
const pick = (): Uint8Array => job.samples[Math.floor(random() * job.samples.length)] ?? new Uint8Array();

/** "value", "error", or what is wrong with the call. */
function outcomeOf(input: Uint8Array): string {
  try {
    const value = decode(input);
    return typeof value === "object" && value !== null ? "value" : `returned ${typeof value}`;
  } catch (error) {
    if (error instanceof PmError) return error.code === "PM_BUG" ? `PM_BUG: ${error.message}` : "error";
    return `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

/** Work of this thread in ms, whatever else the machine does. */
function spentMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Least of three: a pause of the collector or of the machine is not the decoder's. */
function millisecondsOf(input: Uint8Array, first: number): number {
  let least = first;
  for (let i = 0; i < 2 && least > job.maxMs; i++) {
    const start = spentMs();
    outcomeOf(input);
    least = Math.min(least, spentMs() - start);
  }
  return least;
}

const counts = { value: 0, error: 0, recognised: 0 };
const failures: string[] = [];
let slowestMs = 0;
/** Buffers lie outside the heap that the thread's cap covers. */
const buffers = (): number => getHeapStatistics().external_memory;
for (let run = 0; run < job.runs && failures.length < 10; run++) {
  const input = mutate(pick(), pick(), random);
  const before = input.slice();
  const shown = before.length > 512 ? `${before.length} bytes` : Buffer.from(before).toString("base64");
  const fail = (what: string): void => void failures.push(`run ${run}: ${what}: ${shown}`);
  if (decoder.recognises(input)) counts.recognised++;
  const allocated = buffers();
  const start = spentMs();
  const outcome = outcomeOf(input);
  const milliseconds = millisecondsOf(input, spentMs() - start);
  const grown = buffers() - allocated;
  slowestMs = Math.max(slowestMs, milliseconds);
  if (outcome === "value" || outcome === "error") counts[outcome]++;
  else fail(outcome);
  if (milliseconds > job.maxMs) fail(`${milliseconds.toFixed(0)} ms`);
  if (grown > job.maxBufferBytes) fail(`${grown} bytes of buffers`);
  if (Buffer.compare(before, input) !== 0) fail("changed its input");
}
const outcome: Outcome = {
  values: counts.value,
  errors: counts.error,
  recognised: counts.recognised,
  slowestMs,
  failures,
};
parentPort?.postMessage(outcome);
