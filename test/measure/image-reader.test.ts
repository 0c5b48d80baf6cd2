import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { prng } from "../../fixtures/generator/prng.ts";
import { PmError } from "../../src/errors.ts";
import { digestFiles } from "../../src/measure/extents.ts";
import { openImage } from "../../src/measure/image-reader.ts";
import { endByReading } from "../../src/measure/verity/source-file.ts";

const folder = mkdtempSync(join(tmpdir(), "pm-image-"));
const path = (name: string): string => join(folder, name);
const content = Buffer.from(prng("image reader").bytes("content", 300_000));
const file = path("disk.img");
writeFileSync(file, content);
const errorOf = (run: () => unknown): PmError => {
  try {
    run();
  } catch (error) {
    if (error instanceof PmError) return error;
    throw error;
  }
  throw new Error("did not fail");
};

describe("an image on disk", () => {
  it("gives the bytes that are asked for, wherever they lie", () => {
    const image = openImage(file);
    expect(image.sizeBytes).toBe(content.length);
    const random = prng("places");
    const places = Array.from({ length: 200 }, (_, i) => {
      const offset = random.integer(`offset ${i}`, 0, content.length);
      return [offset, random.integer(`length ${i}`, 0, Math.min(200_000, content.length - offset))] as const;
    });
    for (const [offset, length] of [...places, [0, content.length], [content.length, 0], [65_535, 2]] as const)
      expect(content.subarray(offset, offset + length).equals(image.read(offset, length)), `${offset}`).toBe(true);
    image.close();
  });
  it("hands out bytes that the caller may change", () => {
    const image = openImage(file);
    image.read(0, 16).fill(0);
    expect(content.subarray(0, 16).equals(image.read(0, 16))).toBe(true);
    image.close();
  });
  it("ends where the auditor says, but not behind its end", () => {
    for (const [limit, size] of [
      [4096, 4096],
      [0, 0],
      [1_000_000, 300_000],
    ] as const) {
      const image = openImage(file, limit);
      expect(image.sizeBytes).toBe(size);
      image.close();
    }
  });
  it("is refused where it becomes shorter meanwhile", () => {
    writeFileSync(path("shrinks.img"), content);
    const image = openImage(path("shrinks.img"));
    image.read(0, 16);
    truncateSync(path("shrinks.img"), 100_000);
    expect(errorOf(() => image.read(250_000, 16)).message).toMatch(/: ends at byte \d+, had 300000 bytes/);
    image.close();
  });
  it("does not read outside", () => {
    const image = openImage(file);
    for (const [offset, length] of [
      [-1, 1],
      [0, 300_001],
      [300_000, 1],
      [0.5, 1],
      [Number.NaN, 1],
    ] as const)
      expect(errorOf(() => image.read(offset, length)).code).toBe("PM_BUG");
    image.close();
  });
  it("keeps its memory small, whatever is read", () => {
    writeFileSync(path("sparse.img"), "");
    truncateSync(path("sparse.img"), 2 ** 36);
    const image = openImage(path("sparse.img"));
    const before = process.memoryUsage().arrayBuffers;
    for (let at = 0; at < 2 ** 36; at += 2 ** 25) image.read(at, 32);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
    image.close();
  });
});

describe("what is no image", () => {
  test.each([
    ["missing", path("missing"), "no such file"],
    ["a folder", folder, "is a directory"],
    ["a device that is no disk", "/dev/null", "neither a file nor a block device"],
    ["stdin", "-", "cannot be read from stdin"],
  ])("is named: %s", (_name, name, text) => {
    const error = errorOf(() => openImage(name));
    expect([error.code, error.message]).toEqual(["PM_USAGE", expect.stringContaining(text)]);
    expect(error.hint).toBeDefined();
  });
  test("is not waited for: a pipe that nobody writes to", () => {
    const pipe = path("pipe");
    if (spawnSync("mkfifo", [pipe]).status !== 0) return;
    expect(errorOf(() => openImage(pipe)).message).toContain("neither a file nor a block device");
  });
});

describe("the end of a device", () => {
  test.each([0, 1, 2, 3, 511, 512, 4096, 2 ** 40 - 512, 2 ** 40, 2 ** 40 + 512, 600_000_000_000])("at %i", (end) => {
    let reads = 0;
    const found = endByReading((position) => {
      reads++;
      return position < end;
    });
    expect(found).toBe(end);
    expect(reads).toBeLessThan(110);
  });
  test("is found although there is none", () => expect(endByReading(() => true)).toBeGreaterThan(2 ** 51));
});

describe("files inside an image", () => {
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const gitSha1 = (bytes: Uint8Array): string =>
    createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  const part = (offset: number, length: number) => ({ offset, length });
  const whole = (...extents: readonly { readonly offset: number | undefined; readonly length: number }[]) => ({
    sizeBytes: extents.reduce((sum, e) => sum + e.length, 0),
    extents,
  });
  it("are digested in the order of the question, whatever theirs on the disk", async () => {
    const files = [whole(part(200_000, 5), part(4096, 70_000)), whole(), whole(part(0, 1)), whole(part(0, 300_000))];
    const bytes = [
      Buffer.concat([content.subarray(200_000, 200_005), content.subarray(4096, 74_096)]),
      Buffer.alloc(0),
      content.subarray(0, 1),
      content,
    ];
    const digests = await digestFiles(file, files);
    expect(digests).toEqual(bytes.map((b) => ({ sha256: sha256(b), gitSha1: gitSha1(b) })));
    expect(digests[1]?.gitSha1).toBe("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  });
  it("may have holes, which are zeros, of more than a buffer", async () => {
    const length = 3 * 1024 * 1024 + 7;
    const [digest] = await digestFiles(file, [whole(part(0, 3), { offset: undefined, length }, part(9, 1))]);
    const bytes = Buffer.concat([content.subarray(0, 3), Buffer.alloc(length), content.subarray(9, 10)]);
    expect(digest?.sha256).toBe(sha256(bytes));
  });
  it("are never digested in part", async () => {
    const short = digestFiles(file, [{ sizeBytes: 10, extents: [part(0, 9)] }]);
    await expect(short).rejects.toThrow("a file of 10 bytes has 9 bytes of extents");
    await expect(digestFiles(file, [whole(part(299_999, 2))])).rejects.toThrow("ends at byte 300000");
  });
  it("say how far they are", async () => {
    const seen: number[] = [];
    await digestFiles(file, [whole(part(0, 100)), whole(part(50, 100))], { progress: (n) => seen.push(n) });
    expect(seen).toEqual([100, 200]);
  });
  it("stop when they are told to", async () => {
    const stop = new AbortController();
    const run = digestFiles(file, [whole(part(0, 100)), whole(part(50, 100))], {
      signal: stop.signal,
      progress: () => stop.abort(new Error("enough")),
    });
    await expect(run).rejects.toThrow("enough");
  });
  it("are asked of a file that is there", async () => {
    await expect(digestFiles(path("missing"), [])).rejects.toThrow("no such file");
    mkdirSync(path("folder"));
    await expect(digestFiles(path("folder"), [whole(part(0, 1))])).rejects.toThrow("is a directory");
  });
});
