/** Parts of a disk, hashed one by one and joined: the same root as one run, and nothing else than one whole disk. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { type DeviceParameters, verityRoot } from "../../../fixtures/generator/verity.ts";
import { madeData } from "../../../fixtures/generator/verity-images.ts";
import { PmError } from "../../../src/errors.ts";
import { measureUnits, rootFrom } from "../../../src/measure/verity/hash.ts";
import { decodeShard, encodeShard, joinShards, type Shard, shardRange } from "../../../src/measure/verity/shard.ts";
import { unitPlan } from "../../../src/measure/verity/units.ts";
import { runPm } from "../../command.ts";
import { flagsOf, layout, worldFolder, writer } from "./world.ts";

const path = worldFolder();
const file = writer(path);
/** Units of 512 KiB. */
const small: DeviceParameters = {
  hashType: 0,
  algorithm: "sha256",
  dataBlockSize: 512,
  hashBlockSize: 32768,
  salt: Uint8Array.of(1, 2, 3),
};
const units = 5;
const data = madeData("shards", units * 1024 - 100, 512);
const own = layout(data.length / 512, small);
const root = verityRoot(data, small);
let disk = "";
let digests: readonly string[] = [];
beforeAll(async () => {
  disk = file("disk", data);
  ({ digests } = await measureUnits(disk, own, undefined, { jobs: 1 }));
});

/** As `--shard` makes them, without a run for each. */
function shardsOf(n: number): { readonly name: string; readonly shard: Shard }[] {
  return Array.from({ length: n }, (_, i) => {
    const range = shardRange(`${i + 1}/${n}`, units);
    const shard: Shard = {
      layout: own,
      range,
      digests: digests.slice(range.from, range.to),
      sizeBytes: data.length,
      otherFirstUnit: undefined,
    };
    return { name: `part-${i + 1}`, shard };
  });
}
const joinedRoot = (shards: readonly { readonly name: string; readonly shard: Shard }[]): string =>
  rootFrom(own, joinShards(shards).digests, []).rootHash;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
function message(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof PmError && error.code === "PM_USAGE") return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("shards joined", () => {
  test("the disk has several units", () => expect(unitPlan(own).units).toBe(units));
  test.each([1, 2, 3, 4, 5, 6, 7, 16, 999_999])("%i of them cover each unit once", (n) => {
    const ranges = Array.from({ length: Math.min(n, 2000) }, (_, i) => shardRange(`${i + 1}/${n}`, units));
    const whole = n > 2000 ? [shardRange(`${n}/${n}`, units)] : ranges;
    expect(whole.at(-1)?.to).toBe(units);
    if (n <= 2000) expect(joinedRoot(shardsOf(n))).toBe(root);
  });
  test("in any order", () => expect(joinedRoot(shardsOf(3).reverse())).toBe(root));
  test("read back from their own text are the same", () => {
    for (const { shard } of shardsOf(7)) expect(decodeShard(bytesOf(encodeShard(shard)), "part")).toEqual(shard);
  });

  test.each([1, 3, 8])("%i of them, by the commands", async (n) => {
    const parts = Array.from({ length: n }, (_, i) => path(`of-${n}-${i + 1}.json`));
    const done = await Promise.all(
      parts.map((out, i) =>
        runPm(["verity", "hash", disk, ...flagsOf(small), "--shard", `${i + 1}/${n}`, "--out", out, "--jobs", "1"]),
      ),
    );
    expect(done.map((ran) => [ran.status, ran.stderr])).toEqual(parts.map(() => [0, ""]));
    const joined = await runPm(["verity", "join", ...parts, "--expect", root, "--json"]);
    expect(JSON.parse(joined.stdout)).toMatchObject({
      rootHash: root,
      expected: [{ value: root, match: "image" }],
      relaxations: [{ name: "shards" }],
    });
    expect(joined.status).toBe(0);
    const other = await runPm(["verity", "join", ...parts, "--expect", "00".repeat(32)]);
    expect([other.status, other.stdout]).toEqual([1, expect.stringContaining("none of 1 expected root hash")]);
  });
});

describe("what is no whole disk is refused", () => {
  test.each([0, 1, 2])("part %i of three missing", (i) => {
    expect(message(() => joinShards(shardsOf(3).toSpliced(i, 1)))).toMatch(/^units \d to \d: in none of the shards$/);
  });
  test("no part at all", () => expect(message(() => joinShards([]))).toContain("no shard"));
  test("one part twice", () => {
    const parts = shardsOf(3);
    expect(message(() => joinShards([...parts, ...parts.slice(1, 2)]))).toMatch(/: unit 1 is in another shard, too$/);
  });
  test("one part in place of another", () => {
    const [a, b] = shardsOf(3);
    expect(message(() => joinShards([a, b, b].filter((p) => p !== undefined)))).toContain("in another shard");
  });
  test("parts of several cuts that overlap", () => {
    expect(message(() => joinShards([...shardsOf(2).slice(0, 1), ...shardsOf(3).slice(1)]))).toContain(": unit");
  });
  test.each<[string, Partial<Shard>]>([
    ["another salt", { layout: layout(data.length / 512, { ...small, salt: new Uint8Array(3) }) }],
    ["another hash type", { layout: layout(data.length / 512, { ...small, hashType: 1 }) }],
    ["another number of blocks", { layout: layout(data.length / 512 - 1, small) }],
    ["a disk of another size", { sizeBytes: data.length + 1 }],
  ])("a part with %s", (_, change) => {
    const parts = shardsOf(3).map((p, i) => (i === 1 ? { ...p, shard: { ...p.shard, ...change } } : p));
    expect(message(() => joinShards(parts))).toContain("of another disk, or with other parameters");
  });
});

describe("a shard's file", () => {
  const text = (): string => encodeShard(shardsOf(2)[1]?.shard as Shard);
  const summed = (document: Record<string, unknown>): string => {
    const { sha256: _, ...rest } = document;
    return JSON.stringify({ ...rest, sha256: createHash("sha256").update(JSON.stringify(rest)).digest("hex") });
  };
  const edited = (change: Record<string, unknown>): Uint8Array =>
    bytesOf(summed({ ...(JSON.parse(text()) as Record<string, unknown>), ...change }));

  test.each<[string, (whole: string) => string]>([
    [
      "with another digit in a digest",
      (t) => t.replace(/"(.)([0-9a-f]{63})"/, (_, c, rest) => `"${c === "0" ? 1 : 0}${rest}"`),
    ],
    ["with another range", (t) => t.replace(/"from": \d+/, '"from": 1')],
    ["with another salt", (t) => t.replace("010203", "010204")],
    ["without its sum", (t) => t.replace(/,\s*"sha256": "[0-9a-f]+"/, "")],
  ])("%s is damaged", (_, damage) => {
    expect(damage(text())).not.toBe(text());
    expect(message(() => decodeShard(bytesOf(damage(text())), "part"))).toMatch(/damaged: its own SHA-256 is another$/);
  });
  test.each<[string, string]>([
    ["cut off", "half"],
    ["empty", ""],
    ["a text", "hello"],
    ["null", "null"],
    ["a list", "[]"],
    ["another document", '{"kind":"pm-verity-journal"}'],
  ])("that is %s is none", (_, bytes) => {
    const content = bytes === "half" ? text().slice(0, 300) : bytes;
    expect(message(() => decodeShard(bytesOf(content), "part"))).toBe("part: not a shard of pm verity hash");
  });
  /** Each with a sum that fits: whoever makes a shard can make one. */
  test.each<[string, Record<string, unknown>]>([
    ["version", { version: 2 }],
    ["hash type", { hashType: 2 }],
    ["algorithm", { algorithm: "whirlpool" }],
    ["algorithm that is no text", { algorithm: 1 }],
    ["data block size", { dataBlockSize: 3000 }],
    ["hash block size", { hashBlockSize: 0 }],
    ["salt that is no hex", { salt: "0g" }],
    ["salt of 257 bytes", { salt: "00".repeat(257) }],
    ["number of blocks", { dataBlocks: 0 }],
    ["number of blocks that is no number", { dataBlocks: "5020" }],
    ["number of blocks beyond all disks", { dataBlocks: 2 ** 53 }],
    ["number of units", { units: 6 }],
    ["range backwards", { from: 5, to: 2 }],
    ["range behind the end", { to: 6 }],
    ["digest too few", { digests: [] }],
    ["digest that is short", { digests: ["00", "00", "00"] }],
    ["digest that is no text", { digests: [1, 2, 3] }],
    ["list of digests that is none", { digests: { length: 3 } }],
    ["size that is negative", { sizeBytes: -1 }],
    ["first unit of the other layout", { otherFirstUnit: "00" }],
    ["first unit of the other layout that is missing", { otherFirstUnit: undefined }],
  ])("with a wrong %s is refused as wrong use", (_, change) => {
    expect(message(() => decodeShard(edited(change), "part"))).not.toBe("");
  });
  test("nested too deep is refused", () => {
    const deep = `{"kind":"pm-verity-shard","version":1,"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(message(() => decodeShard(bytesOf(deep), "part"))).toContain("part: ");
  });
  test("with another digest and a sum that fits gives another root hash: join believes its parts, and says so", async () => {
    const [first] = shardsOf(1);
    const names = [path("believed.json")];
    const changed = [...digests.slice(1), digests[0] ?? ""];
    writeFileSync(names[0] ?? "", encodeShard({ ...(first?.shard as Shard), digests: changed }));
    const ran = await runPm(["verity", "join", ...names, "--expect", root, "--json"]);
    expect(ran.status).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ expected: [{ match: null }], relaxations: [{ name: "shards" }] });
  });
});

describe("pm verity hash --shard", () => {
  const hash = (...args: string[]) => runPm(["verity", "hash", disk, ...flagsOf(small), ...args]);
  test.each(["0/3", "4/3", "1/0", "-1/3", "1", "1/", "a/b", "1/3/3", "1.5/3", "1/9999999", ""])(
    "refuses the part %j",
    async (part) => {
      const ran = await hash(`--shard=${part}`, "--out", path("never"));
      expect([ran.status, ran.stdout]).toEqual([2, ""]);
      expect(ran.stderr).toContain("--shard: not a part of a whole");
    },
  );
  test.each<[string, string[]]>([
    ["no file for it", ["--shard", "1/2"]],
    ["a file without a part", ["--out", path("x")]],
    ["an expected root hash", ["--shard", "1/2", "--out", path("x"), "--expect", root]],
    ["a SHA-256 of the whole", ["--shard", "1/2", "--out", path("x"), "--file-hash"]],
    ["a folder in place of the file", ["--shard", "1/2", "--out", path("folder")]],
    ["a device in place of the file", ["--shard", "1/2", "--out", "/dev/null"]],
    ["a name that no file can have", ["--shard", "1/2", "--out", path("x".repeat(300))]],
  ])("refuses %s", async (_, args) => {
    mkdirSync(path("folder"), { recursive: true });
    const ran = await hash(...args);
    expect([ran.status, ran.stdout]).toEqual([2, ""]);
  });
  test.each(["disk", "another name of the disk"])("does not write over the %s", async (name) => {
    if (name !== "disk") symlinkSync(disk, path(name));
    const ran = await hash("--shard", "1/2", "--out", path(name));
    expect([ran.status, ran.stdout, ran.stderr]).toEqual([2, "", expect.stringContaining("is the disk itself")]);
    expect(readFileSync(disk).equals(data)).toBe(true);
  });
  test("a journal of a shard serves the whole run, too", async () => {
    const journal = path("shard.journal");
    await hash("--shard", "2/2", "--out", path("second.json"), "--journal", journal);
    const whole = await hash("--journal", journal, "--json");
    expect(JSON.parse(whole.stdout)).toMatchObject({ rootHash: root, relaxations: [{ name: "journal" }] });
  });
});
