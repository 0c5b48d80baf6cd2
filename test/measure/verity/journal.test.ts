/** A run that was cut off goes on from its journal; a journal that does not fit is refused, and a resumed run says so. */
import { spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { type DeviceParameters, verityRoot } from "../../../fixtures/generator/verity.ts";
import { madeData } from "../../../fixtures/generator/verity-images.ts";
import { PmError } from "../../../src/errors.ts";
import { type HashOptions, measureRoot } from "../../../src/measure/verity/hash.ts";
import { unitPlan } from "../../../src/measure/verity/units.ts";
import { runPm } from "../../command.ts";
import { flagsOf, layout, worldFolder, writer } from "./world.ts";

const bin = fileURLToPath(new URL("../../../bin/run.js", import.meta.url));
const path = worldFolder();
const file = writer(path);

/** 1024 digests in a hash block: the smallest unit that there is, 512 KiB. */
const small: DeviceParameters = {
  hashType: 1,
  algorithm: "sha256",
  dataBlockSize: 512,
  hashBlockSize: 32768,
  salt: Uint8Array.of(7, 7),
};
const unitBlocks = 1024;
const units = 6;
const data = madeData("journal", units * unitBlocks - 3, 512);
const root = verityRoot(data, small);

/** A disk with its journal, finished or cut down to some lines; each test has its own. */
let number = 0;
async function finished(options: HashOptions = {}): Promise<{ readonly disk: string; readonly journal: string }> {
  number++;
  const disk = file(`disk-${number}`, data);
  const journal = path(`journal-${number}`);
  await hashed(disk, { ...options, journal });
  return { disk, journal };
}
const hashed = (disk: string, options: HashOptions, parameters = small) =>
  measureRoot(disk, layout(data.length / 512, parameters), { jobs: 1, ...options });
const text = (journal: string): string => readFileSync(journal, "latin1");
const linesOf = (journal: string): string[] => text(journal).split("\n");

async function refused(work: Promise<unknown>): Promise<PmError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PmError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a journal of a whole run", () => {
  test("has a line a unit, and the next run takes all of them but the first, which it needs itself", async () => {
    expect(unitPlan(layout(data.length / 512, small)).units).toBe(units);
    const { disk, journal } = await finished();
    expect(linesOf(journal).length).toBe(1 + units + 1);
    const again = await hashed(disk, { journal });
    expect([again.rootHash, again.resumed]).toEqual([root, { units, checked: units }]);
    expect(linesOf(journal).length).toBe(1 + units + 1);
  });
  test("is used through another name of the same file", async () => {
    const { disk, journal } = await finished();
    const other = `${path("")}/../${disk.split("/").slice(-2).join("/")}`;
    expect((await hashed(other, { journal })).resumed?.units).toBe(units);
  });
  test("is named as a relaxation by the run that goes on from it, and not by the one that wrote it", async () => {
    const disk = file("named", data);
    const args = ["verity", "hash", disk, ...flagsOf(small), "--journal", path("named.journal"), "--json"];
    const [first, second] = [await runPm(args), await runPm(args)];
    expect(JSON.parse(first.stdout)).toMatchObject({ rootHash: root, relaxations: [] });
    expect(JSON.parse(second.stdout)).toMatchObject({
      rootHash: root,
      relaxations: [
        { name: "journal", meaning: expect.stringContaining(`${units} units were not hashed in this run`) },
      ],
    });
  });
});

describe("a journal that ends early", () => {
  test.each([
    ["after its header", 1, 0],
    ["after two units", 3, 2],
  ])("%s is gone on from", async (_, keep, known) => {
    const { disk, journal } = await finished();
    writeFileSync(journal, `${linesOf(journal).slice(0, keep).join("\n")}\n`);
    const again = await hashed(disk, { journal });
    expect([again.rootHash, again.resumed?.units]).toEqual([root, known]);
    expect(linesOf(journal).length).toBe(1 + units + 1);
  });
  test.each([1, 5, 70])("with %i bytes of the last line missing, that line is hashed again", async (cut) => {
    const { disk, journal } = await finished();
    truncateSync(journal, statSync(journal).size - cut);
    const again = await hashed(disk, { journal });
    expect([again.rootHash, again.resumed?.units]).toEqual([root, units - 1]);
    expect((await hashed(disk, { journal })).resumed?.units).toBe(units);
  });
  test("in its header is no journal of this disk", async () => {
    const { disk, journal } = await finished();
    truncateSync(journal, 60);
    expect(await refused(hashed(disk, { journal }))).toMatchObject({ code: "PM_SOURCE_REFUSED" });
  });
  test("before its first byte is a new one", async () => {
    const { disk, journal } = await finished();
    truncateSync(journal, 0);
    expect(await hashed(disk, { journal })).toMatchObject({ rootHash: root, resumed: undefined });
  });
});

describe("a journal is refused", () => {
  const cases: Readonly<Record<string, (disk: string) => void>> = {
    "of a file that was touched since": (disk) => utimesSync(disk, 1, 1),
    "of a file that grew since": (disk) => truncateSync(disk, data.length + 512),
    "of a file of which one byte was changed, its time put back": (disk) => {
      const { atime, mtime } = statSync(disk);
      writeFileSync(disk, data.with(5000, (data[5000] ?? 0) ^ 1));
      utimesSync(disk, atime, mtime);
    },
  };
  test.each(Object.entries(cases))("%s", async (_, change) => {
    const { disk, journal } = await finished();
    change(disk);
    const error = await refused(hashed(disk, { journal }));
    expect(error).toMatchObject({ code: "PM_SOURCE_REFUSED", hint: expect.stringContaining("start again") });
    expect(error.message).toContain("the file changed since");
    expect(linesOf(journal).length, "it stays as it was").toBe(1 + units + 1);
  });
  test("of another disk of the same size", async () => {
    const { journal } = await finished();
    expect((await refused(hashed(file("another", data), { journal }))).message).toContain("another file");
  });
  test.each<[string, Partial<DeviceParameters>]>([
    ["salt", { salt: Uint8Array.of(7) }],
    ["hash type", { hashType: 0 }],
    ["algorithm of the same length", { algorithm: "sha3-256" }],
    ["hash block size", { hashBlockSize: 65536 }],
  ])("of another %s", async (_, change) => {
    const { disk, journal } = await finished();
    const error = await refused(hashed(disk, { journal }, { ...small, ...change }));
    expect([error.code, error.message]).toEqual(["PM_SOURCE_REFUSED", expect.stringContaining("other parameters")]);
  });
  test("of another number of blocks", async () => {
    const { disk, journal } = await finished();
    const error = await refused(measureRoot(disk, layout(5000, small), { journal }));
    expect(error.message).toContain("other parameters");
  });
  test.each<[string, (line: string) => string]>([
    ["another digit of a digest", (line) => line.replace(/^(\d+) ./, (_, n) => `${n} g`)],
    ["a digest of another unit", (line) => line.replace(/^\d+/, "5")],
    ["a unit that the disk has not", (line) => line.replace(/^\d+/, "99")],
    ["no check sum", (line) => line.slice(0, -9)],
    ["nothing", () => ""],
    ["two lines in one", (line) => `${line} ${line}`],
  ])("when a line holds %s", async (_, damage) => {
    const { disk, journal } = await finished();
    const lines = linesOf(journal);
    writeFileSync(journal, lines.map((line, i) => (i === 2 ? damage(line) : line)).join("\n"));
    const error = await refused(hashed(disk, { journal }));
    expect([error.code, error.message]).toEqual(["PM_SOURCE_REFUSED", expect.stringMatching(/line 3 is damaged$/)]);
  });
  test.each<[string, (name: string) => void]>([
    ["a text", (name) => writeFileSync(name, "hello\n")],
    ["a disk", (name) => writeFileSync(name, data)],
    ["a folder", (name) => mkdirSync(name)],
    [
      "too long",
      (name) => {
        writeFileSync(name, "");
        truncateSync(name, 65 * 1024 * 1024);
      },
    ],
  ])("when it is %s", async (what, make) => {
    const name = path(`no journal: ${what}`);
    make(name);
    const error = await refused(hashed(file("plain", data), { journal: name }));
    expect([error.code, error.hint]).toEqual(["PM_USAGE", expect.stringContaining("does not exist yet")]);
  });
  test.each(["/dev/zero", "/dev/null"])("when it is %s, which has no lines to come back to", async (name) => {
    expect((await refused(hashed(file("plain", data), { journal: name }))).message).toContain("not a file");
  });
  test("when it cannot be written", async () => {
    const error = await refused(hashed(file("plain", data), { journal: path("no/folder/here") }));
    expect([error.code, error.message]).toEqual(["PM_USAGE", expect.stringContaining("the journal cannot be written")]);
  });
  test("when it is the disk itself, which stays as it is", async () => {
    const disk = file("itself", data);
    expect((await refused(hashed(disk, { journal: disk }))).code).toBe("PM_USAGE");
    expect(readFileSync(disk).equals(data)).toBe(true);
  });
});

/** Somebody who can write the journal can write its header, too. */
describe("a journal that was made to fit", () => {
  test("is found out by the units that are hashed again: with eight or fewer, by each", async () => {
    const { disk, journal } = await finished();
    const before = linesOf(journal);
    writeFileSync(disk, data.with(3 * unitBlocks * 512, (data[3 * unitBlocks * 512] ?? 0) ^ 1));
    const fresh = path("fresh");
    await hashed(disk, { journal: fresh });
    writeFileSync(journal, [linesOf(fresh)[0], ...before.slice(1)].join("\n"));
    const error = await refused(hashed(disk, { journal }));
    expect([error.code, error.message]).toEqual([
      "PM_SOURCE_REFUSED",
      expect.stringContaining("unit 3 has other bytes"),
    ]);
  });
});

describe("a run that is cut off", () => {
  const slow: DeviceParameters = { ...small, algorithm: "sha3-512", hashBlockSize: 65536, salt: new Uint8Array(256) };
  const args = (disk: string, journal: string): string[] => [
    ...["verity", "hash", disk, ...flagsOf(slow), "--journal", journal, "--jobs", "1", "--json"],
  ];
  let disk = "";
  let want = "";
  beforeAll(() => {
    const bytes = randomFillSync(Buffer.alloc(64 * 1024 * 1024));
    disk = file("long", bytes);
    want = verityRoot(bytes, slow);
  });
  const lines = (journal: string): number => (existsSync(journal) ? linesOf(journal).length : 0);

  /** Sends the signal once some units stand in the journal. */
  function cutOff(journal: string, signal: "SIGKILL" | "SIGINT") {
    return new Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }>(
      (resolve) => {
        const child = spawn(process.execPath, [bin, ...args(disk, journal)], { timeout: 60_000 });
        const watch = setInterval(() => {
          // Once: a second Ctrl-C would end it the hard way.
          if (lines(journal) > 4 && child.kill(signal)) clearInterval(watch);
        }, 2);
        let [stdout, stderr] = ["", ""];
        child.stdout.on("data", (part) => (stdout += String(part)));
        child.stderr.on("data", (part) => (stderr += String(part)));
        child.on("close", (status) => {
          clearInterval(watch);
          resolve({ status, stdout, stderr });
        });
      },
    );
  }
  test.each<["SIGKILL" | "SIGINT", number | null]>([
    ["SIGKILL", null],
    ["SIGINT", 130],
  ])("by %s goes on to the same root hash and says what it did not hash", async (signal, status) => {
    const journal = path(`${signal}.journal`);
    const cut = await cutOff(journal, signal);
    expect([cut.status, cut.stdout.includes("rootHash")]).toEqual([status, false]);
    if (signal === "SIGINT") expect(JSON.parse(cut.stdout)).toMatchObject({ error: { code: "PM_INTERRUPTED" } });
    const known = lines(journal) - 2;
    expect(known).toBeGreaterThan(0);
    expect(known).toBeLessThan(128);
    const again = await runPm(args(disk, journal));
    expect([again.status, again.stderr]).toEqual([0, ""]);
    const { rootHash, relaxations } = JSON.parse(again.stdout);
    expect(rootHash).toBe(want);
    const meaning = `${known} units were not hashed in this run but taken from ${journal}, ${Math.min(8, known)} of them hashed again.`;
    expect(relaxations).toEqual([{ name: "journal", meaning }]);
  });
});
