/** Every decoder of the registry against mutations of genuine inputs: a value or a PmError, within time and memory. */
import { Worker } from "node:worker_threads";
import { beforeAll, describe, expect, it } from "vitest";
import { decoders } from "../src/decoders.ts";
import type { Job, Outcome } from "./decoders-worker.ts";
import { genuineInputs } from "./samples.ts";

const runs = Number(process.env["PM_FUZZ_RUNS"] ?? 20_000);
const seed = Number(process.env["PM_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const megabyte = 1024 * 1024;
/** Of one call: 100 ms of work, and 64 MiB, for the heap of the whole thread as well as for buffers. */
const caps = { maxMs: 100, maxBufferBytes: 64 * megabyte };

const inThread = (job: Job): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./decoders-worker.ts", import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
    });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`ended with ${code}`)));
  });

let inputs: ReadonlyMap<string, readonly Uint8Array[]> = new Map();
beforeAll(async () => {
  process.stderr.write(`decoders: ${runs} mutations each, PM_SEED=${seed}\n`);
  inputs = await genuineInputs();
});

describe("the registry", () => {
  it("has an id and a name for each decoder, once", () => {
    expect(new Set(decoders.map((d) => d.id)).size).toBe(decoders.length);
    expect(new Set(decoders.map((d) => d.media)).size).toBe(decoders.length);
  });

  it("has genuine inputs for each decoder, and no others", () => {
    expect([...inputs.keys()].sort()).toEqual(decoders.map((d) => d.id).sort());
  });

  it.each(decoders)("recognises and decodes what is genuine: $id", async ({ id, recognises, load }) => {
    const decode = await load();
    expect(inputs.get(id)?.length).toBeGreaterThan(0);
    for (const input of inputs.get(id) ?? []) {
      const found = decoders.filter((d) => d.recognises(input)).map((d) => d.id);
      expect(recognises(input), `recognised as ${found.join(", ")}`).toBe(true);
      expect(() => JSON.stringify(decode(input))).not.toThrow();
    }
  });
});

describe.concurrent(`each decoder with seed ${seed}`, () => {
  it.each(decoders)(
    "answers mutations with a value or a typed error: $id",
    async ({ id }) => {
      const samples = inputs.get(id) ?? [];
      const outcome = await inThread({ id, samples, seed, runs, ...caps });
      expect(outcome.failures, `PM_SEED=${seed}`).toEqual([]);
      expect(outcome.values + outcome.errors).toBe(runs);
      // The mutations must reach the decoder's inside, and not all be the same refusal.
      expect(outcome.errors).toBeGreaterThan(0);
      expect(outcome.recognised).toBeGreaterThan(runs / 4);
    },
    300_000,
  );
});
