/** `pm disk verify` as a user runs it. The claims one by one are in test/verifiers/verity and test/coverage. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { directory, file } from "../../fixtures/generator/erofs.ts";
import { erofsStates, withByte } from "../../fixtures/generator/erofs-damage.ts";
import { prng } from "../../fixtures/generator/prng.ts";
import { verifyDisk } from "../../src/audit/disk-verify.ts";
import { privatemodeDisk } from "../../src/measure/verity/layout.ts";
import { reportOf, runPm } from "../command.ts";
import { edited, expectText, freshPath, imageOf, removeDisks, rootOf, weights, written } from "../disk-world.ts";

afterAll(removeDisks);
const at = "2027-01-01T00:00:00Z";

/** Runs in this process: a verdict with its report. */
const verify = (
  image: string,
  more: { readonly expect?: string; readonly root?: string; readonly dataSize?: number } = {},
) =>
  verifyDisk({
    image,
    expect: more.expect ?? written("expect.json", expectText()),
    root: more.root,
    dataSize: more.dataSize,
    at: new Date(at),
    now: new Date(at),
    toolVersion: "test",
  });
const openIn = async (report: ReturnType<typeof verify>): Promise<string[]> =>
  (await report).claims.filter((c) => c.owed && c.status !== "pass").map((c) => `${c.id} ${c.status}`);

describe("a disk of the commit", () => {
  test("is verified, and the verdict says what was asked", async () => {
    const image = written("disk.img", imageOf());
    const list = written("expect.json", expectText());
    const ran = await runPm(["disk", "verify", image, "--expect", list, "--at", at]);
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain("verified (disk files)");
    expect(ran.stdout).toContain("content equal, image not reproduced");
  });

  test("gives the same bytes twice", async () => {
    const args = ["disk", "verify", written("disk.img", imageOf()), "--expect", written("e", expectText()), "--at", at];
    expect((await runPm([...args, "--json"])).stdout).toBe((await runPm([...args, "--json"])).stdout);
  });

  test("may have a hash area behind it, which is not looked at", async () => {
    const image = written("disk.img", imageOf());
    const { length } = imageOf();
    appendFileSync(image, Buffer.alloc(8192, 7));
    const root = rootOf(imageOf());
    expect(await openIn(verify(image, { root }))).toEqual([]);
    expect(await openIn(verify(image, { root, dataSize: length }))).toEqual([]);
  });

  test("with the expected root it is reproduced, and the report no longer says that it is not", async () => {
    const report = await verify(written("disk.img", imageOf()), { root: rootOf(imageOf()).toUpperCase() });
    expect(report.verdictLine).toBe("verified (disk files)");
    expect(report.claims.find((c) => c.id === "verity.files.root")).toMatchObject({ owed: true, status: "pass" });
    expect(report.notProven.join("\n")).not.toContain("not reproduced");
  });

  test("with another root it fails", async () => {
    const report = await verify(written("disk.img", imageOf()), { root: "ab".repeat(32) });
    expect(report.claims.find((c) => c.id === "verity.files.root")).toMatchObject({ code: "root-mismatch" });
    expect(report.exitCode).toBe(1);
  });

  test("with the root of the other layout it fails, and says that the content is equal", async () => {
    const other = Buffer.from(imageOf());
    // LZ4_0PADDING, as mkfs.erofs 1.9 sets it, with its own checksum.
    other[1104] = 1;
    const { withChecksum } = await import("../../fixtures/generator/erofs.ts");
    const [mine, theirs] = [written("1.8.img", imageOf()), written("1.9.img", withChecksum(other))];
    const roots = { mine: rootOf(imageOf()), theirs: rootOf(withChecksum(other)) };
    for (const [image, root] of [
      [mine, roots.theirs],
      [theirs, roots.mine],
    ] as const) {
      const report = await verify(image, { root });
      const claim = report.claims.find((c) => c.id === "verity.files.root");
      expect(claim).toMatchObject({ status: "fail", code: "root-other-layout" });
      expect(report.claims.find((c) => c.id === "verity.files.equal")?.status).toBe("pass");
      expect(report.exitCode).toBe(1);
    }
    expect(await openIn(verify(theirs, { root: roots.theirs }))).toEqual([]);
  });
});

describe("what is not there is not equal", () => {
  test.each<[string, Uint8Array]>([
    ["an empty image", new Uint8Array()],
    ["zeros", new Uint8Array(8192)],
    ["noise", weights],
    ["half an image", imageOf().slice(0, 4096)],
  ])("%s", async (_, bytes) => {
    const report = await verify(written("disk.img", bytes), { root: rootOf(imageOf()) });
    expect(report.exitCode).not.toBe(0);
    expect(report.claims.find((c) => c.id === "verity.files.equal")?.status).not.toBe("pass");
    expect(report.claims.find((c) => c.id === "verity.files.root")?.status).not.toBe("pass");
  });

  test("an image with a feature that pm does not read", async () => {
    const report = await verify(written("disk.img", erofsStates(prng("disk verify")).unsupported));
    expect(report.verdict).toBe("inconclusive");
    expect(report.claims.map((c) => c.status)).not.toContain("pass");
  });

  test("with a root, an image with any byte changed", async () => {
    const root = rootOf(imageOf());
    for (let i = 0; i < 12; i++) {
      const at = prng("flips").integer(String(i), 0, imageOf().length - 1);
      const bytes = withByte(imageOf(), at, (b) => b ^ 0x10);
      expect((await verify(written("disk.img", bytes), { root })).exitCode, `byte ${at}`).toBe(1);
    }
  });

  test("an image of empty folders", async () => {
    expect(await openIn(verify(written("disk.img", imageOf({ a: directory({}) }))))).toEqual([
      "verity.files.equal fail",
    ]);
  });

  test("a data size that leaves the files out, or reaches behind the image", async () => {
    const image = written("disk.img", imageOf());
    for (const dataSize of [4096, imageOf().length - 4096, imageOf().length + 4096, 5000]) {
      const report = await verify(image, { dataSize, root: rootOf(imageOf()) });
      expect(report.exitCode, String(dataSize)).not.toBe(0);
    }
  });

  test("a changed file is named in text and JSON", async () => {
    const image = written("disk.img", edited({ "config.json": file("[]\n") }));
    const args = ["disk", "verify", image, "--expect", written("expect.json", expectText())];
    const [text, json] = [await runPm(args), await runPm([...args, "--json"])];
    expect([text.status, json.status]).toEqual([1, 1]);
    expect(text.stdout).toContain("failed (disk files)");
    expect(text.stdout).toContain("config.json");
    expect(reportOf(json).evidence["disk"]).toMatchObject({
      differences: [{ code: "file-differs", path: "config.json" }],
    });
  });
});

describe("what cannot be used is a usage error, not a verdict", () => {
  test.each<[string, string]>([
    ["an empty list", ""],
    ["a list of no files", expectText({})],
    ["another version", expectText().replace('"schemaVersion": 1', '"schemaVersion": 2')],
    ["an LFS pointer as a list", "version https://git-lfs.github.com/spec/v1\n"],
  ])("%s", async (_, text) => {
    const image = written("disk.img", imageOf());
    const ran = await runPm(["disk", "verify", image, "--expect", written("expect.json", text), "--json"]);
    expect(ran.status).toBe(2);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: "PM_USAGE" } });
  });

  test("a short root, a missing image, a folder, stdin", async () => {
    const image = written("disk.img", imageOf());
    const folder = freshPath("folder");
    mkdirSync(folder);
    await expect(verify(image, { root: "abcd" })).rejects.toMatchObject({ code: "PM_USAGE" });
    for (const path of [freshPath("nothing"), folder, "-"])
      await expect(verify(path)).rejects.toMatchObject({ code: "PM_USAGE" });
  });
});

test("an image that changes while it is read is refused", async () => {
  const image = written("disk.img", imageOf());
  const asked = verify(image, { root: rootOf(imageOf()) });
  // The first await inside reads the list; by then the image has not been looked at, so it is changed a little later.
  const timer = setInterval(() => writeFileSync(image, imageOf()), 1);
  try {
    await expect(asked).rejects.toMatchObject({ code: expect.stringMatching(/PM_SOURCE_REFUSED|PM_USAGE/) });
  } finally {
    clearInterval(timer);
  }
});

test("the root is computed under Privatemode's parameters, whatever the image says", () => {
  expect(privatemodeDisk).toMatchObject({ hashType: 1, algorithm: "sha256", dataBlockSize: 4096, hashBlockSize: 4096 });
  expect([...privatemodeDisk.salt]).toEqual([0]);
});
