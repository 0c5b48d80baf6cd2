import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { highWaterPath, recordHighWater } from "../../src/sources/memory.ts";
import { collateralDir } from "../../src/sources/paths.ts";
import { liveSource } from "../../src/sources/source.ts";
import { request, scratch, textOf } from "./world.ts";

const issuer = "CN=ARK-Genoa, O=Advanced Micro Devices/ü";
const recall = async (cacheDir: string | undefined, of = issuer) =>
  textOf(
    await liveSource({ offline: true, ...(cacheDir === undefined ? {} : { cacheDir }) }).fetch(
      request("memory", highWaterPath(of)),
    ),
  );
const mark = (number: string | null, thisUpdate: string, of = issuer) => ({ issuer: of, number, thisUpdate });

describe("high-water marks", () => {
  test("nothing was seen before the first run, nor without a folder", async () => {
    expect(await recall(scratch())).toBe("null");
    expect(await recall(join(scratch(), "absent"))).toBe("null");
    expect(await recall(undefined)).toBe("null");
  });
  test("a mark is raised and never lowered, number and date each by itself", async () => {
    const dir = join(scratch(), "new");
    await recordHighWater(dir, [mark("9", "2026-06-01T00:00:00Z")]);
    await recordHighWater(dir, [mark("10", "2026-05-01T00:00:00Z")]);
    expect(await recall(dir)).toBe('{"number":"10","thisUpdate":"2026-06-01T00:00:00Z"}');
    await recordHighWater(dir, [mark("2", "2026-06-02T00:00:00.000Z"), mark(null, "2026-01-01T00:00:00Z")]);
    expect(await recall(dir)).toBe('{"number":"10","thisUpdate":"2026-06-02T00:00:00.000Z"}');
    expect(statSync(join(dir, "high-water.json")).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(["high-water.json"]);
  });
  test("issuers are apart", async () => {
    const dir = scratch();
    await recordHighWater(dir, [mark("9", "2026-06-01T00:00:00Z"), mark(null, "2026-05-01T00:00:00Z", "__proto__")]);
    expect(await recall(dir, "other")).toBe("null");
    expect(await recall(dir, "toString")).toBe("null");
    expect(await recall(dir, "__proto__")).toBe('{"number":null,"thisUpdate":"2026-05-01T00:00:00Z"}');
  });
  test("twenty runs that end together lose no mark", async () => {
    const dir = scratch();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        recordHighWater(dir, [mark(String(i), "2026-06-01T00:00:00Z", `issuer ${i % 5}`)]),
      ),
    );
    for (let i = 0; i < 5; i++) expect(await recall(dir, `issuer ${i}`)).toContain(`"number":"${15 + i}"`);
  });
  test("a lock that a dead process left behind is broken", async () => {
    const dir = scratch();
    const lock = join(dir, "high-water.json.lock");
    writeFileSync(lock, "");
    utimesSync(lock, new Date(0), new Date(0));
    await recordHighWater(dir, [mark("1", "2026-06-01T00:00:00Z")]);
    expect(readdirSync(dir)).toEqual(["high-water.json"]);
  });
  test.each([
    "",
    "{}",
    "[]",
    "null",
    '{"version":2,"marks":{}}',
    '{"version":1,"marks":{"a":{"number":1,"thisUpdate":"2026-06-01T00:00:00Z"}}}',
    '{"version":1,"marks":{"a":{"number":"1","thisUpdate":"yesterday"}}}',
  ])("a damaged file (%s) is no empty memory: the answer is refused and the file left alone", async (text) => {
    const dir = scratch();
    writeFileSync(join(dir, "high-water.json"), text);
    expect(await recall(dir)).toMatch(/^refused: high-water marks: .* is damaged/);
    await expect(recordHighWater(dir, [mark("1", "2026-06-01T00:00:00Z")])).rejects.toMatchObject({ code: "PM_USAGE" });
    expect(readFileSync(join(dir, "high-water.json"), "utf8")).toBe(text);
  });
  test("a folder that cannot be written is a usage error", async () => {
    const file = join(scratch(), "file");
    writeFileSync(file, "");
    await expect(recordHighWater(file, [mark("1", "2026-06-01T00:00:00Z")])).rejects.toMatchObject({
      code: "PM_USAGE",
    });
  });
  test("other questions to the memory are refused", async () => {
    const source = liveSource({ offline: true });
    for (const path of ["/", "/high-water/", "/high-water/%zz", "/other"])
      expect(await source.fetch(request("memory", path))).toMatchObject({ status: "refused" });
  });
});

describe("where collateral is kept", () => {
  test("test roots and other services have a folder apart", () => {
    const home = "/srv/auditor/.cache/pm";
    const own = collateralDir({}, home);
    expect(own).toBe("/srv/auditor/.cache/pm/collateral");
    expect(collateralDir({ kdsUrl: "https://kdsintf.amd.com/" }, home)).toBe(own);
    const others = [
      collateralDir({ kdsUrl: "https://mirror.example" }, home),
      collateralDir({ testRoot: new Uint8Array([1]) }, home),
      collateralDir({ testRoot: new Uint8Array([2]) }, home),
    ];
    expect(new Set([own, ...others]).size).toBe(4);
  });
});
