/** A disk that comes over stdin has the root of the file, whatever pieces it comes in, and nothing more is claimed of it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DeviceParameters, finishedDisk, privatemode, verityRoot } from "../../../fixtures/generator/verity.ts";
import { madeData } from "../../../fixtures/generator/verity-images.ts";
import { measureStream } from "../../../src/measure/verity/stream.ts";
import { runPm } from "../../command.ts";
import { flagsOf, worldFolder, writer } from "./world.ts";

const file = writer(worldFolder());

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

describe("a stream", () => {
  const data = madeData("stream", 700);
  test.each([[1], [4096], [4095, 2], [1024 * 1024], [1024 * 1024 - 1], [3_000_000]])(
    "in pieces of %i bytes has the file's root",
    async (...sizes) => {
      const { rootHash, sizeBytes, layout } = await measureStream(inPieces(data, sizes), privatemode);
      expect([rootHash, sizeBytes, layout.dataBlocks]).toEqual([verityRoot(data), data.length, 700]);
    },
  );
  test("in any pieces, with any limit, is the whole blocks before it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 4096, max: 40 * 4096 }),
        async (sizes, limit) => {
          const some = data.subarray(0, 30 * 4096 + 17);
          const whole = Math.min(30, Math.floor(limit / 4096)) * 4096;
          const measured = await measureStream(inPieces(some, sizes), privatemode, limit);
          expect([measured.rootHash, measured.sizeBytes]).toEqual([verityRoot(some.subarray(0, whole)), some.length]);
        },
      ),
      { numRuns: 40 },
    );
  });
  test.each([0, 1, 4095])("of %i bytes is no disk", async (size) => {
    const work = measureStream(inPieces(data.subarray(0, size), [100]), privatemode);
    await expect(work).rejects.toMatchObject({ code: "PM_USAGE" });
  });
  test("that breaks off with an error gives no root", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield data;
      throw new Error("connection lost");
    }
    await expect(measureStream(broken(), privatemode)).rejects.toThrow("connection lost");
  });
});

describe("pm verity hash -", () => {
  const data = madeData("stdin", 300);
  const disk = finishedDisk(data);
  const own: DeviceParameters = { ...privatemode, hashType: 0, algorithm: "sha512", salt: Uint8Array.of(1, 2, 3) };

  test.each<[string, Uint8Array, string[]]>([
    ["data alone", data, ["--preset", "privatemode"]],
    ["data with a tail", Buffer.concat([data, Buffer.from("tail")]), ["--preset", "privatemode"]],
    ["other parameters", data, flagsOf(own)],
    ["a number of blocks", data, ["--preset", "privatemode", "--data-blocks", "7"]],
    ["a data size", data, ["--preset", "privatemode", "--data-size", "9000"]],
  ])("says of %s what the file says", async (name, bytes, flags) => {
    const args = [...flags, "--json"];
    const [stream, whole] = await Promise.all([
      runPm(["verity", "hash", "-", ...args], { stdin: bytes }),
      runPm(["verity", "hash", file(name, bytes), ...args]),
    ]);
    expect([stream.status, stream.stderr]).toEqual([0, ""]);
    const { image: _, ...said } = JSON.parse(stream.stdout);
    const { image: __, ...expected } = JSON.parse(whole.stdout);
    expect(said).toEqual(expected);
  });
  test("has the root of a finished disk, and says that its superblock was not compared", async () => {
    const args = ["--preset", "privatemode", "--hash-offset", String(data.length), "--expect", verityRoot(data)];
    const lying = disk.with(data.length + 88, 1);
    const ran = await runPm(["verity", "hash", "-", ...args, "--json"], { stdin: lying });
    expect(ran.status).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      rootHash: verityRoot(data),
      superblock: null,
      uncovered: null,
      notes: [expect.stringContaining("A superblock behind the data was not compared")],
    });
  });
  test.each<[string, Uint8Array, string[], string]>([
    ["nothing", new Uint8Array(0), [], "at least one whole block"],
    ["less than a block", data.subarray(0, 4095), [], "at least one whole block"],
    ["fewer bytes than the data size", data, ["--data-blocks", "301"], "1228800 bytes, and 1232896 are data"],
    ["fewer bytes than the hash offset", data, ["--hash-offset", "1232896"], "1228800 bytes, and 1232896 are data"],
    ["no data by its own flag", data, ["--data-size", "0"], "at least one whole block"],
    ["a data size behind the hash offset", disk, ["--data-blocks", "301", "--hash-offset", "1228800"], "overlap"],
    [
      "an end within the hash area",
      disk.subarray(0, -1),
      ["--hash-offset", "1228800"],
      "a hash area from byte 1228800",
    ],
    ["a hash offset that never came", data, ["--data-blocks", "3", "--hash-offset", "1228800512"], "a hash area from"],
    ["a journal", data, ["--journal", "j"], "--journal: not for stdin"],
    ["a part", data, ["--shard", "1/2", "--out", "o"], "--shard: not for stdin"],
    ["workers", data, ["--jobs", "2"], "--jobs: not for stdin"],
    ["a SHA-256 of the whole", data, ["--file-hash"], "--file-hash: not for stdin"],
    ["a file for a part", data, ["--out", "o"], "--out"],
  ])("refuses %s", async (_, stdin, flags, text) => {
    const ran = await runPm(["verity", "hash", "-", "--preset", "privatemode", ...flags], { stdin });
    expect([ran.status, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toContain(text);
  });
  test("with another root expected ends with 1", async () => {
    const args = ["--preset", "privatemode", "--expect", verityRoot(data)];
    const ran = await runPm(["verity", "hash", "-", ...args], { stdin: data.with(5000, (data[5000] ?? 0) ^ 1) });
    expect([ran.status, ran.stdout]).toEqual([1, expect.stringContaining("none of 1 expected root hash")]);
  });
});
