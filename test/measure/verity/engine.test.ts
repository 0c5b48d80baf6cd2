/** Any disk under any parameters: pm's engine gives what a second implementation gives, and no root of a disk that moves. */
import { randomFillSync } from "node:crypto";
import { closeSync, openSync, truncateSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DeviceParameters,
  hashFile,
  privatemode,
  verityLevels,
  verityRoot,
} from "../../../fixtures/generator/verity.ts";
import { madeData } from "../../../fixtures/generator/verity-images.ts";
import { compareTree, measureRoot } from "../../../src/measure/verity/hash.ts";
import { algorithmNames } from "../../../src/measure/verity/layout.ts";
import { bytesAt } from "../../../src/measure/verity/source-file.ts";
import { unitPlan } from "../../../src/measure/verity/units.ts";
import { layout, worldFolder, writer } from "./world.ts";

const path = worldFolder();
const file = writer(path);
const sizes = [512, 1024, 2048, 4096, 8192];

/** Blocks that are zero, repeated or random, as a disk has them. */
function dataOf(seed: string, blocks: number, size: number, holes: readonly number[]): Buffer {
  const data = madeData(seed, blocks, size);
  for (const hole of holes) data.fill(0, (hole % blocks) * size, ((hole % blocks) + 1) * size);
  return data;
}

describe("the engine and a second implementation", () => {
  const parameters = fc.record<DeviceParameters>({
    hashType: fc.constantFrom(0, 1),
    algorithm: fc.constantFrom(...algorithmNames),
    dataBlockSize: fc.constantFrom(...sizes),
    hashBlockSize: fc.constantFrom(...sizes),
    salt: fc.uint8Array({ maxLength: 256 }),
  });
  test("agree in root and in every hash block", async () => {
    await fc.assert(
      fc.asyncProperty(
        parameters,
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.integer({ min: 1, max: 3 }),
        async (p, blocks, holes, jobs) => {
          const data = dataOf("any", blocks, p.dataBlockSize, holes);
          const disk = file("any.img", data);
          const hashes = file("any.hash", hashFile(data, p));
          const own = layout(blocks, p);
          expect(own.levels).toEqual(verityLevels(data, p).map((level) => level.length / p.hashBlockSize));
          expect((await measureRoot(disk, own, { jobs })).rootHash).toBe(verityRoot(data, p));
          const place = { path: hashes, place: { hashOffset: 0, superblock: true } };
          const { rootHash, stored } = await compareTree(disk, own, place, { jobs });
          expect([rootHash, stored.rootHash]).toEqual([verityRoot(data, p), verityRoot(data, p)]);
          const tallies = [stored.data, ...stored.differ, ...stored.unlinked, ...stored.spare];
          expect(tallies.filter((t) => t.count !== 0)).toEqual([]);
        },
      ),
      { numRuns: 12 },
    );
  });
  test.each([512, 1024, 4096, 65536, 524288])("agree with data blocks of %i bytes", async (dataBlockSize) => {
    for (const hashType of [0, 1] as const) {
      const p: DeviceParameters = { ...privatemode, hashType, dataBlockSize, salt: Uint8Array.of(9, 8, 7) };
      const data = dataOf("data blocks", 5, dataBlockSize, [1]);
      expect((await measureRoot(file("sizes.img", data), layout(5, p), { jobs: 1 })).rootHash).toBe(
        verityRoot(data, p),
      );
    }
  });
  test.each([512, 1024, 65536, 524288])("agree with hash blocks of %i bytes", async (hashBlockSize) => {
    for (const hashType of [0, 1] as const) {
      const p: DeviceParameters = { ...privatemode, hashType, hashBlockSize, salt: Uint8Array.of(9, 8, 7) };
      const data = dataOf("hash blocks", 150, 4096, [1]);
      expect((await measureRoot(file("sizes.img", data), layout(150, p), { jobs: 1 })).rootHash).toBe(
        verityRoot(data, p),
      );
    }
  });
  test("agree on several units with holes between them, by one, two and four workers", async () => {
    const p: DeviceParameters = { ...privatemode, dataBlockSize: 512, hashBlockSize: 32768 };
    const blocks = 6 * 1024 - 5;
    const sparse = path("holes.img");
    writeFileSync(sparse, "");
    truncateSync(sparse, blocks * 512);
    const marked = Buffer.alloc(blocks * 512);
    const fd = openSync(sparse, "r+");
    for (const at of [0, 1024 * 512 - 1, 3 * 1024 * 512, blocks * 512 - 1]) {
      marked[at] = 7;
      writeSync(fd, Uint8Array.of(7), 0, 1, at);
    }
    closeSync(fd);
    expect(unitPlan(layout(blocks, p)).units).toBe(6);
    for (const jobs of [1, 2, 4])
      expect((await measureRoot(sparse, layout(blocks, p), { jobs })).rootHash).toBe(verityRoot(marked, p));
  });
});

describe("a disk that moves while it is read", () => {
  /** 16 units of 4 MiB, each of which takes a while. */
  const slow: DeviceParameters = { ...privatemode, algorithm: "sha3-512", hashBlockSize: 65536 };
  const blocks = 16 * 1024;
  const size = blocks * 4096;
  const disk = (name: string): string => file(name, randomFillSync(Buffer.alloc(size)));

  test.each<[string, (name: string) => void, string]>([
    ["shrinks", (name) => truncateSync(name, 4096), "too early"],
    ["is written to", (name) => utimesSync(name, 1, 1), "changed while it was read"],
    ["grows", (name) => truncateSync(name, size + 512), "changed while it was read"],
  ])("gives no root when it %s", async (what, change, text) => {
    const name = disk(what);
    let seen = 0;
    const progress = (): void => {
      if (seen++ === 0) change(name);
    };
    const work = measureRoot(name, layout(blocks, slow), { jobs: 1, progress });
    await expect(work).rejects.toMatchObject({ code: "PM_SOURCE_REFUSED", message: expect.stringContaining(text) });
  });
  test("has several units", () => expect(unitPlan(layout(blocks, slow)).units).toBe(16));
  test("gives no tree that was compared, whether data or hashes change", async () => {
    const name = disk("compared");
    const hashes = file("hashes", Buffer.alloc(layout(blocks, slow).hashBlocks * 65536 + 65536));
    for (const moving of [name, hashes]) {
      let seen = 0;
      const progress = (): void => {
        if (seen++ === 0) utimesSync(moving, 1, 1 + Math.random());
      };
      const place = { path: hashes, place: { hashOffset: 0, superblock: true } };
      const work = compareTree(name, layout(blocks, slow), place, { jobs: 1, progress });
      await expect(work).rejects.toThrow(`${moving}: changed while it was read`);
    }
  });
  test("is refused before anything is hashed when it is shorter than its data", async () => {
    const short = file("short", Buffer.alloc(8192));
    await expect(measureRoot(short, layout(3), {})).rejects.toMatchObject({ code: "PM_USAGE" });
  });
  test("and a read behind its end is a refusal, not zeros", () => {
    const short = file("end", Buffer.alloc(600));
    expect(() => bytesAt(short, 512, 512)).toThrow(expect.objectContaining({ code: "PM_SOURCE_REFUSED" }));
  });
});
