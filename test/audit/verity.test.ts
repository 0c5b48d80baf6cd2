/** `pm verity verify` and `hash --hash-offset`: each byte that is another is found, and named by the claims that it breaks. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type DeviceParameters,
  finishedDisk,
  hashFile,
  veritySuperblock as madeSuperblock,
  privatemode,
  verityLevels,
  verityRoot,
} from "../../fixtures/generator/verity.ts";
import { flipped, placesOf, replaced } from "../../fixtures/generator/verity-damage.ts";
import { madeData } from "../../fixtures/generator/verity-images.ts";
import { hashDisk } from "../../src/audit/verity-hash.ts";
import type { HashFlags } from "../../src/audit/verity-run.ts";
import { type VerifyFlags, verifyDisk } from "../../src/audit/verity-verify.ts";
import type { PmError } from "../../src/errors.ts";
import type { Report } from "../../src/report/report.ts";
import { superblockAnswers } from "../../src/verifiers/verity/device.ts";
import { veritySuperblock } from "../../src/verifiers/verity/device-claims.ts";
import { runPm } from "../command.ts";
import { flagsOf, hexOf, worldFolder, writer } from "../measure/verity/world.ts";

const path = worldFolder();
const file = writer(path);

/** Three levels (35, 2 and 1 blocks of 32 digests), each with spare bytes, and 512 bytes between superblock and tree. */
const own: DeviceParameters = {
  hashType: 1,
  algorithm: "sha256",
  dataBlockSize: 512,
  hashBlockSize: 1024,
  salt: Uint8Array.of(1, 2, 3, 4),
};
const data = madeData("audit", 1100, 512);
const disk = finishedDisk(data, own);
const places = placesOf(data, own);
const root = verityRoot(data, own);
const uuid = "00000000-0000-0000-0000-000000000000";
const now = new Date("2027-01-01T00:00:00Z");

const parameters = (p: DeviceParameters): Partial<VerifyFlags> => ({
  "hash-type": p.hashType,
  algorithm: p.algorithm,
  "data-block-size": p.dataBlockSize,
  "hash-block-size": p.hashBlockSize,
  salt: hexOf(p.salt) || "-",
});
const verify = (bytes: Uint8Array, more: Partial<VerifyFlags> = {}): Promise<Report> =>
  verifyDisk(
    file("disk.img", bytes),
    { root, ...parameters(own), "hash-offset": String(data.length), uuid, jobs: 1, ...more },
    "test",
    now,
  );
/** What does not pass, by claim. */
const open = ({ claims }: Report): Record<string, string> =>
  Object.fromEntries(claims.filter((c) => c.status !== "pass").map((c) => [c.id, c.code ?? c.status]));
const said = (report: Report, id: string): string => report.claims.find((c) => c.id === id)?.actual?.value ?? "";

const format = { "verity.superblock.format": "superblock-malformed" };
const unread = Object.fromEntries(
  ["parameters", "uuid", "reserved", "gap"].map((name) => [`verity.superblock.${name}`, "error"]),
);
const differs = { "verity.superblock.parameters": "parameters-differ" };
const reserved = { "verity.superblock.reserved": "reserved-set" };
const rootDiffers = { "verity.root.equal": "root-differs" };
const level = { "verity.tree.levels": "level-differs" };
const spare = { "verity.tree.spare": "spare-set" };
const block = { "verity.data.blocks": "data-differs" };

test("a disk as it should be is verified, and every claim passes", async () => {
  const report = await verify(disk);
  expect(open(report)).toEqual({});
  expect([report.verdict, report.exitCode]).toEqual(["verified", 0]);
  expect(places.levels.map((l) => l.blocks)).toEqual([35, 2, 1]);
});

describe("a flipped bit in the data", () => {
  test.each<[string, number, number]>([
    ["first", 0, 0],
    ["middle", 555 * 512 + 100, 555],
    ["last", data.length - 1, 1099],
  ])("of the %s block is that block alone", async (_, at, number) => {
    const report = await verify(flipped(disk, at));
    expect(open(report)).toEqual(block);
    expect(said(report, "verity.data.blocks")).toBe(`1 block, the first is data block ${number}`);
    expect(report.exitCode).toBe(1);
  });
  test("of several blocks is counted", async () => {
    const report = await verify(flipped(flipped(flipped(disk, 70 * 512), 900 * 512), 71 * 512));
    expect(said(report, "verity.data.blocks")).toBe("3 blocks, the first is data block 70");
  });
});

describe("a flipped bit in the tree", () => {
  test.each([0, 1])("in a digest of level %i is that level's", async (number) => {
    const at = (places.levels[number]?.at ?? 0) + 1024 + 40;
    const report = await verify(flipped(disk, at));
    expect(open(report)).toEqual(level);
    expect(said(report, "verity.tree.levels")).toBe(
      `level ${number}: 1 block, the first is block 1 of the level, which begins at byte ${places.levels[number]?.at}`,
    );
  });
  test("in a digest of the top block is another root", async () => {
    const report = await verify(flipped(disk, places.levels[2]?.at ?? 0));
    expect(open(report)).toEqual(rootDiffers);
    expect(report.claims.find((c) => c.id === "verity.root.equal")?.reason).toContain("top block is damaged");
  });
  test.each([0, 1])("in the spare bytes of level %i breaks the digest above, too", async (number) => {
    const report = await verify(flipped(disk, places.levels[number]?.spareAt ?? Number.NaN));
    expect(open(report)).toMatchObject(spare);
    expect(said(report, "verity.tree.spare")).toContain(`level ${number}: 1 block`);
    expect(report.exitCode).toBe(1);
  });
  test("in the spare bytes of the top block gives another root", async () => {
    expect(open(await verify(flipped(disk, places.levels[2]?.spareAt ?? Number.NaN)))).toEqual({
      ...spare,
      ...rootDiffers,
    });
  });
  test("and in the data: neither is taken for right, and nothing is verified", async () => {
    const report = await verify(flipped(flipped(disk, 0), places.levels[0]?.at ?? 0));
    expect(open(report)).toEqual({ ...level, "verity.data.blocks": "error" });
    expect(report.exitCode).toBe(1);
  });
  test("gone altogether leaves data under the root, and is no tree", async () => {
    const report = await verify(replaced(disk, places.tree, new Uint8Array(disk.length - places.tree)));
    expect(open(report)).toEqual({ ...level, ...rootDiffers });
  });
});

describe("a root that was made with the spare bytes in it", () => {
  test("is its tree's root, and the spare bytes fail nevertheless", async () => {
    const levels = verityLevels(data, own);
    const top = flipped(levels[2] ?? new Uint8Array(0), 1000);
    const bytes = replaced(disk, places.levels[2]?.at ?? 0, top);
    const theirs = verityRoot(Buffer.from(top), { ...own, dataBlockSize: 1024 });
    expect(open(await verify(bytes, { root: theirs }))).toEqual(spare);
  });
});

describe("the superblock", () => {
  const at = places.superblock;
  const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
  test.each<[string, number, Uint8Array, Record<string, string>, string]>([
    ["signature", 0, Uint8Array.of(0x56), { ...format, ...unread }, "signature"],
    ["padding of the signature", 7, Uint8Array.of(1), { ...format, ...unread }, "signature"],
    ["version", 8, u32(2), { "verity.superblock.format": "error", ...unread }, "version 2"],
    ["version 0", 8, u32(0), { "verity.superblock.format": "error", ...unread }, "version 0"],
    ["hash type", 12, u32(0), differs, "differing: hash type"],
    ["hash type 2", 12, u32(2), { ...format, ...unread }, "hash type: 2"],
    ["UUID", 16, Uint8Array.of(1), { "verity.superblock.uuid": "uuid-differs" }, ""],
    ["last byte of the UUID", 31, Uint8Array.of(1), { "verity.superblock.uuid": "uuid-differs" }, ""],
    ["algorithm", 32, Buffer.from("sha512"), differs, "differing: algorithm"],
    ["algorithm in upper case", 32, Buffer.from("SHA256"), { ...format, ...unread }, "lower case"],
    ["algorithm that is empty", 32, new Uint8Array(6), { ...format, ...unread }, "hash algorithm"],
    ["bytes behind the algorithm", 60, Uint8Array.of(65), { ...format, ...unread }, "behind the end of the name"],
    ["data block size", 64, u32(1024), differs, "differing: data block size"],
    ["hash block size", 68, u32(4096), differs, "differing: hash block size"],
    ["number of data blocks", 72, u32(1099), differs, "differing: data blocks"],
    ["high half of the number of data blocks", 76, u32(1), differs, "differing: data blocks"],
    ["salt length", 80, Uint8Array.of(3), { ...differs, ...reserved }, "differing: salt"],
    ["salt length of 257", 80, Uint8Array.of(1, 1), { ...format, ...unread }, "salt length: 257"],
    ["longer salt", 80, Uint8Array.of(5), differs, "differing: salt"],
    ["reserved bytes before the salt", 82, Uint8Array.of(1), reserved, ""],
    ["last reserved byte before the salt", 87, Uint8Array.of(1), reserved, ""],
    ["salt", 91, Uint8Array.of(5), differs, "differing: salt"],
    ["rest of the salt", 92, Uint8Array.of(5), reserved, ""],
    ["last byte of the salt's room", 343, Uint8Array.of(5), reserved, ""],
    ["reserved bytes at the end", 344, Uint8Array.of(5), reserved, ""],
    ["last byte", 511, Uint8Array.of(5), reserved, ""],
    ["gap's first byte", 512, Uint8Array.of(5), { "verity.superblock.gap": "gap-used" }, ""],
    ["gap's last byte", 1023, Uint8Array.of(5), { "verity.superblock.gap": "gap-used" }, ""],
  ])("%s", async (_, offset, by, expected, text) => {
    const report = await verify(replaced(disk, at + offset, by));
    expect(open(report)).toEqual(expected);
    const reasons = report.claims.filter((c) => c.id in expected).map((c) => c.reason ?? "");
    expect(reasons.join("\n")).toContain(text);
    if ("verity.superblock.gap" in expected && !("verity.superblock.format" in expected))
      expect(report.exitCode).toBe(0);
    else expect(report.exitCode).not.toBe(0);
  });
  test("each of its bits is found", () => {
    const origin = { kind: "flag", name: "--salt" } as const;
    const device = { device: { ...own, dataBlocks: 1100 }, origin };
    const good = disk.subarray(at, at + 512);
    const answers = (bytes: Uint8Array) =>
      Object.values(superblockAnswers({ bytes, gapAt: undefined }, device, { value: uuid, origin }, veritySuperblock));
    expect(answers(good).filter((a) => a.status !== "pass")).toEqual([]);
    const unfound: number[] = [];
    for (let bit = 0; bit < 512 * 8; bit++)
      if (answers(flipped(good, bit >> 3, 1 << (bit & 7))).every((a) => a.status === "pass")) unfound.push(bit);
    expect(unfound).toEqual([]);
  });
  test("without a UUID expected is asked for all but that", async () => {
    const { uuid: _, ...rest } = { uuid, root, ...parameters(own), "hash-offset": String(data.length), jobs: 1 };
    const report = await verifyDisk(file("u.img", flipped(disk, at + 16)), rest, "test", now);
    expect([report.exitCode, open(report)]).toEqual([0, { "verity.superblock.uuid": "skip" }]);
  });
});

/** The disk's own words fit the disk's own tree: veritysetup by its superblock opens each of these. */
describe("a disk that lies in all of its parts alike", () => {
  const hash = (bytes: Uint8Array, more: Partial<HashFlags> = {}) =>
    hashDisk(file("lie.img", bytes), {
      ...(parameters(own) as Partial<HashFlags>),
      "hash-offset": String(data.length),
      jobs: 1,
      ...more,
    });
  const fewer = (): Uint8Array => {
    const kept = data.subarray(0, 1000 * 512);
    const area = hashFile(kept, own, { hashOffset: data.length });
    // Room for a tree of all blocks, so that its size alone betrays nothing.
    return replaced(
      disk,
      data.length,
      Buffer.concat([area.subarray(data.length), Buffer.alloc(disk.length - area.length)]),
    );
  };
  const otherSalt = { ...own, salt: Uint8Array.of(9, 9, 9, 9) };
  const lies: readonly [string, Uint8Array, string][] = [
    ["salt", finishedDisk(data, otherSalt), verityRoot(data, otherSalt)],
    ["number of blocks", fewer(), verityRoot(data.subarray(0, 1000 * 512), own)],
    ["hash type", finishedDisk(data, { ...own, hashType: 0 }), verityRoot(data, { ...own, hashType: 0 })],
  ];
  test.each(lies)("about its %s is refused under your root", async (name, bytes) => {
    const report = await verify(bytes);
    expect(report.exitCode).toBe(1);
    expect(open(report)).toMatchObject({ ...differs, ...rootDiffers });
    const reason = report.claims.find((c) => c.id === "verity.superblock.parameters")?.reason;
    expect(reason).toBe(`differing: ${name === "number of blocks" ? "data blocks" : name}`);
  });
  test.each(lies)("about its %s is refused under its own root, too", async (_, bytes, theirs) => {
    const report = await verify(bytes, { root: theirs });
    expect(report.exitCode).toBe(1);
    expect(open(report)).toMatchObject(differs);
    expect(open(report)).not.toEqual(differs);
  });
  test.each(lies)("about its %s is named by pm verity hash, which ends with 1", async (name, bytes, theirs) => {
    const result = await hash(bytes);
    expect(result.exitCode).toBe(1);
    const json = JSON.stringify(result.json());
    expect(json).toContain(root);
    expect(json).not.toContain(theirs);
    expect(json).toContain(`the superblock differs: ${name === "number of blocks" ? "data blocks" : name}`);
  });
  test("is not verified by pm verity hash although the expected root is right", async () => {
    const lying = replaced(disk, data.length, madeSuperblock(1099, own).subarray(0, 512));
    expect((await hash(lying, { expect: [root] })).exitCode).toBe(1);
    expect((await hash(disk, { expect: [root] })).exitCode).toBe(0);
  });
});

describe("the same root one level higher", () => {
  test("is that of the leaf blocks as data, and does not fit the number of blocks", async () => {
    const levels = verityLevels(data, own);
    const leaves = new Uint8Array(levels[0] ?? Buffer.alloc(0));
    const p = { ...own, dataBlockSize: 1024 };
    expect(verityRoot(leaves, p), "no domain separation between levels").toBe(root);
    // Their bytes where data are expected, with their tree and superblock.
    const shorter = Buffer.alloc(disk.length);
    shorter.set(leaves);
    shorter.set(hashFile(leaves, p, { hashOffset: data.length }).subarray(data.length), data.length);
    const report = await verify(new Uint8Array(shorter));
    expect(report.exitCode).toBe(1);
    expect(open(report)).toMatchObject({ ...differs });
    expect(open(report)).toHaveProperty(["verity.tree.levels"]);
  });
});

describe("roots", () => {
  test("another one fails, with both shown", async () => {
    const report = await verify(disk, { root: "ab".repeat(32) });
    expect(open(report)).toMatchObject(rootDiffers);
    const claim = report.claims.find((c) => c.id === "verity.root.equal");
    expect([claim?.expected?.value, claim?.actual?.value]).toEqual(["ab".repeat(32), root]);
  });
  test("in upper case are the same", async () =>
    expect((await verify(disk, { root: root.toUpperCase() })).exitCode).toBe(0));
  test.each(["", "ab", root.slice(2), `${root}00`, `${root.slice(1)}g`, `0x${root}`])("refuses %j", async (text) => {
    await expect(verify(disk, { root: text })).rejects.toMatchObject({ code: "PM_USAGE" });
  });
  test("a disk of one block has no tree: the root is the block's digest", async () => {
    const one = data.subarray(0, 512);
    const bytes = finishedDisk(one, own);
    const flags = { root: verityRoot(one, own), "hash-offset": "512" };
    expect(open(await verify(bytes, flags))).toEqual({});
    expect(open(await verify(flipped(bytes, 3), flags))).toEqual({ ...block, ...rootDiffers });
  });
});

describe("bytes that nothing covers", () => {
  const covered = { "verity.data.covered": "bytes-uncovered" };
  test("behind the tree are a finding, with their place", async () => {
    const report = await verify(new Uint8Array([...disk, 0, 0, 0]));
    expect([open(report), report.exitCode]).toEqual([covered, 0]);
    expect(said(report, "verity.data.covered")).toBe(`3 bytes from byte ${disk.length}`);
  });
  test("behind the data, too", async () => {
    const bytes = finishedDisk(data.subarray(0, 1000 * 512), own, {});
    const area = bytes.subarray(1000 * 512);
    const tail = new Uint8Array(Buffer.concat([data.subarray(0, 1000 * 512), Buffer.alloc(1024, 7), area]));
    const flags = {
      root: verityRoot(data.subarray(0, 1000 * 512), own),
      "data-blocks": "1000",
      "hash-offset": "513024",
    };
    const report = await verify(tail, flags);
    expect(open(report)).toEqual(covered);
    expect(said(report, "verity.data.covered")).toBe("1024 bytes from byte 512000");
  });
});

describe("places", () => {
  test("a tree in a file of its own", async () => {
    const hashes = file("own.hash", hashFile(data, own));
    const flags = { "hash-file": hashes, "hash-offset": undefined };
    expect(open(await verify(data, flags))).toEqual({});
    expect(open(await verify(flipped(data, 0), flags))).toEqual(block);
    file("own.hash", flipped(hashFile(data, own), 88));
    expect(open(await verify(data, flags))).toEqual(differs);
  });
  test("a tree without a superblock, about which nothing is asked", async () => {
    const bytes = new Uint8Array(Buffer.concat([data, ...verityLevels(data, own).reverse()]));
    const report = await verify(bytes, { "no-superblock": true });
    expect(open(report)).toEqual({});
    expect(report.claims.filter((c) => c.id.startsWith("verity.superblock")).length).toBe(0);
    expect((await verify(disk, { "no-superblock": true })).exitCode, "with one there, it is no tree").toBe(1);
    await expect(verify(bytes), "and without the flag there is not room enough").rejects.toMatchObject({
      code: "PM_USAGE",
    });
  });
  test.each<[string, Partial<VerifyFlags>, string]>([
    ["no hash offset", { "hash-offset": undefined }, "no hash offset"],
    ["one that is no multiple of 512", { "hash-offset": "563300" }, "no multiple of 512"],
    ["one behind the end", { "hash-offset": "56320000" }, "the data alone|ends at byte"],
    ["one that is negative", { "hash-offset": "-512" }, "not a decimal number"],
    ["one before the end of the data", { "hash-offset": "512", "data-blocks": "1100" }, "overlap"],
    ["no salt", { salt: undefined }, "no salt"],
    ["a preset beside a salt", { preset: "privatemode" }, "--preset and --"],
    ["a UUID that is none", { uuid: "00" }, "--uuid"],
    ["a hash file that is a folder", { "hash-file": path("") }, "is a directory"],
    ["a hash file that is missing", { "hash-file": path("gone") }, "no such file"],
    ["a hash file that is too short", { "hash-file": "/dev/null" }, "neither a file nor a block device"],
  ])("refuses %s", async (_, flags, text) => {
    const error: PmError = await verify(disk, flags).then(
      () => Promise.reject(new Error("nothing was refused")),
      (e: unknown) => e as PmError,
    );
    expect([error.code, error.message]).toEqual(["PM_USAGE", expect.stringMatching(new RegExp(text, "i"))]);
  });
});

describe("weak algorithms", () => {
  test.each(["sha1", "md5", "sha224", "ripemd160", "sm3"])(
    "%s compares nothing without the flag, and is named with it",
    async (algorithm) => {
      const p = { ...own, algorithm };
      const bytes = finishedDisk(data, p);
      const flags = { ...parameters(p), root: verityRoot(data, p) };
      await expect(verify(bytes, flags)).rejects.toMatchObject({ code: "PM_USAGE" });
      const report = await verify(bytes, { ...flags, "allow-weak-algorithm": true });
      expect(report.relaxations.map((r) => r.name)).toEqual(["weak-algorithm"]);
      expect([report.exitCode, report.relaxations[0]?.meaning]).toEqual([
        0,
        expect.stringContaining(`${algorithm} stops nobody`),
      ]);
      const args = ["verity", "hash", file("weak.img", data), ...flagsOf(p), "--expect", flags.root];
      expect((await runPm(args)).status).toBe(2);
      expect((await runPm([...args.slice(0, 3), ...flagsOf(p)])).status, "computed alone").toBe(0);
    },
  );
});

describe("what is no disk", () => {
  const commands: readonly [string, readonly string[]][] = [
    ["verify", ["--root", verityRoot(madeData("x", 1)), "--preset", "privatemode", "--hash-offset", "4096"]],
    ["hash", ["--preset", "privatemode"]],
    ["dump", []],
  ];
  const fifo = path("fifo");
  execFileSync("mkfifo", [fifo]);
  mkdirSync(path("folder"));
  symlinkSync("itself", path("itself"));
  const names: readonly [string, string][] = [
    ["a folder", path("folder")],
    ["an empty file", file("empty", "")],
    ["a pipe with a name", fifo],
    ["a missing file", path("missing")],
    ["a link to itself", path("itself")],
    ["/dev/null", "/dev/null"],
    ["/dev/zero", "/dev/zero"],
    ["no name", ""],
  ];
  test.each(names)("%s is refused by every command, at once", async (what, name) => {
    for (const [command, flags] of commands) {
      const ran = await runPm(["verity", command, name, ...flags], { timeoutMs: 20_000 });
      // An empty file can be looked at: there is no superblock in it.
      expect([command, ran.status === 1 ? (what === "an empty file" ? 2 : 1) : ran.status, ran.stdout]).toEqual([
        command,
        2,
        "",
      ]);
      expect(ran.stderr).not.toBe("");
    }
  });
});

/** Needs root and a loop device. */
describe("a block device", () => {
  const loop = (): string | undefined => {
    try {
      return execFileSync(
        "losetup",
        ["--find", "--show", "--read-only", file("loop.img", finishedDisk(madeData("loop", 64)))],
        {
          stdio: ["ignore", "pipe", "ignore"],
          encoding: "utf8",
        },
      ).trim();
    } catch {
      process.stderr.write('notice: skipped "a block device": no loop device can be made\n');
      return undefined;
    }
  };
  // Made by the test itself: one that is not run would leave a device behind.
  test("is read to its end, like a file", async ({ skip }) => {
    const device = loop() ?? skip();
    try {
      const bytes = madeData("loop", 64);
      const args = [device, "--preset", "privatemode", "--hash-offset", String(bytes.length)];
      const ran = await runPm(["verity", "verify", ...args, "--root", verityRoot(bytes)]);
      expect([ran.status, ran.stderr]).toEqual([0, ""]);
      expect((await runPm(["verity", "hash", ...args])).stdout).toContain(verityRoot(bytes, privatemode));
    } finally {
      execFileSync("losetup", ["--detach", device]);
    }
  });
});
