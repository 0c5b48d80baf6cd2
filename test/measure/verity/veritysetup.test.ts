/** The same root, superblock and tree, byte for byte, as the installed veritysetup makes, and the same answers. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type DeviceParameters, hashFile, privatemode } from "../../../fixtures/generator/verity.ts";
import { flipped } from "../../../fixtures/generator/verity-damage.ts";
import { madeData } from "../../../fixtures/generator/verity-images.ts";
import { DataBlocks } from "../../../src/measure/verity/blocks.ts";
import { treeOffset } from "../../../src/measure/verity/layout.ts";
import { digestHex, TreeBuilder } from "../../../src/measure/verity/tree.ts";
import { decodeSuperblock } from "../../../src/verifiers/verity/superblock.ts";
import { runPm } from "../../command.ts";
import { flagsOf, hexOf, layout, worldFolder, writer } from "./world.ts";

/** Not on the path of everybody. */
const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, LC_ALL: "C" };
const installed = spawnSync("veritysetup", ["--version"], { env }).status === 0;
if (!installed)
  process.stderr.write(
    'notice: skipped "veritysetup": not installed (Debian: cryptsetup-bin; npm run test:packages)\n',
  );

const path = worldFolder();
const file = writer(path);
const uuid = "01234567-89ab-cdef-0123-456789abcdef";
const optionsOf = (p: DeviceParameters): string[] => [
  ...[`--format=${p.hashType}`, `--hash=${p.algorithm}`, `--salt=${hexOf(p.salt) || "-"}`],
  ...[`--data-block-size=${p.dataBlockSize}`, `--hash-block-size=${p.hashBlockSize}`],
];
const setup = (...args: string[]): string => execFileSync("veritysetup", args, { env, encoding: "utf8" });
const rootIn = (text: string): string => /^Root hash:\s*([0-9a-f]+)$/m.exec(text)?.[1] ?? "";

/** The tree as pm's own engine makes it, top level first. */
function treeOf(data: Buffer, p: DeviceParameters): { readonly root: string; readonly tree: Buffer } {
  const own = layout(data.length / p.dataBlockSize, p);
  const levels = own.levels.map((blocks) => Buffer.alloc(blocks * p.hashBlockSize));
  const builder = new TreeBuilder(
    own,
    (level, index, block) => void levels[level]?.set(block, index * p.hashBlockSize),
  );
  const blocks = new DataBlocks(own);
  for (let at = 0; at < data.length; at += blocks.readBytes)
    blocks.digestsOf(data.subarray(at, at + blocks.readBytes), (digest) => builder.push(digest));
  return { root: digestHex(builder.root()), tree: Buffer.concat(levels.reverse()) };
}

const shapes: readonly [string, DeviceParameters, number][] = [
  ["one block", privatemode, 1],
  ["two blocks", privatemode, 2],
  ["a full leaf block", privatemode, 128],
  ["one block more than that", privatemode, 129],
  ["two levels, the upper one full", { ...privatemode, dataBlockSize: 512 }, 128 * 128],
  ["three levels", { ...privatemode, dataBlockSize: 512 }, 128 * 128 + 1],
  ["type 0", { ...privatemode, hashType: 0, salt: Uint8Array.of(1, 2, 3) }, 300],
  ["type 0, whose digests are packed", { ...privatemode, hashType: 0, algorithm: "sha1" }, 300],
  ["type 1, whose digests have room between them", { ...privatemode, algorithm: "sha384" }, 300],
  ["no salt", { ...privatemode, salt: new Uint8Array(0) }, 200],
  ["the longest salt", { ...privatemode, salt: new Uint8Array(256).fill(0xa5) }, 200],
  ["sha512 in blocks of 512", { ...privatemode, algorithm: "sha512", dataBlockSize: 512, hashBlockSize: 512 }, 600],
  ["hash blocks smaller than data blocks", { ...privatemode, hashBlockSize: 1024 }, 200],
  ["hash blocks larger than data blocks", { ...privatemode, dataBlockSize: 1024 }, 2000],
];

describe.skipIf(!installed)("veritysetup", () => {
  test.each(shapes)("format and pm give the same of %s", async (name, p, blocks) => {
    const data = madeData(name, blocks, p.dataBlockSize);
    const [image, hashes] = [file("data.img", data), file("hash.img", "")];
    const root = rootIn(setup("format", image, hashes, ...optionsOf(p), `--uuid=${uuid}`));
    const { root: own, tree } = treeOf(data, p);
    expect(root).toBe(own);
    const made = readFileSync(hashes);
    const own512 = decodeSuperblock(new Uint8Array(made.subarray(0, 512)));
    expect({ ...own512, uuid: undefined }).toEqual({
      ...p,
      dataBlocks: BigInt(blocks),
      reserved: undefined,
      uuid: undefined,
    });
    const start = treeOffset(layout(blocks, p), 0, true);
    expect(made.subarray(start).equals(tree), "the tree, byte for byte").toBe(true);
    const generated = hashFile(data, p, { uuid: Buffer.from(uuid.replaceAll("-", ""), "hex") });
    // A disk of one block has no tree: how far the superblock's block is written depends on the version.
    expect(made.subarray(0, 512).equals(generated.subarray(0, 512))).toBe(true);
    if (blocks > 1) expect(made.equals(generated)).toBe(true);
    const weak = p.algorithm === "sha1" ? ["--allow-weak-algorithm"] : [];
    const args = [...flagsOf(p), ...weak];
    const where = ["--hash-file", hashes, "--uuid", uuid];
    const verified = await runPm(["verity", "verify", image, "--root", root, ...args, ...where]);
    expect([verified.status, verified.stderr]).toEqual([0, ""]);
    const hashed = await runPm(["verity", "hash", image, ...args, "--expect", root]);
    expect(hashed.status).toBe(0);
  });

  test("makes Privatemode's disks of one file as pm sees them, and verifies the generator's", async () => {
    const data = madeData("privatemode", 500);
    const image = file("disk.img", data);
    const zero = "00000000-0000-0000-0000-000000000000";
    const place = ["--salt=00", `--hash-offset=${data.length}`];
    const root = rootIn(setup("format", image, image, `--uuid=${zero}`, ...place));
    const made = readFileSync(image);
    expect(
      made.equals(
        Buffer.concat([data, hashFile(data, privatemode, { hashOffset: data.length }).subarray(data.length)]),
      ),
    ).toBe(true);
    const args = ["--preset", "privatemode", "--hash-offset", String(data.length)];
    const report = await runPm(["verity", "verify", image, "--root", root, ...args]);
    expect([report.status, report.stderr]).toEqual([0, ""]);
    const hashed = await runPm(["verity", "hash", image, ...args, "--file-hash", "--expect", root, "--json"]);
    expect(JSON.parse(hashed.stdout)).toMatchObject({ image: { sizeBytes: statSync(image).size }, uncovered: null });
  });

  test.each<[string, (disk: Uint8Array, data: number) => Uint8Array]>([
    ["a data byte", (disk) => flipped(disk, 5000)],
    ["a leaf digest", (disk, data) => flipped(disk, data + 4096 + 4096)],
    ["a digest of the top block", (disk, data) => flipped(disk, data + 4096)],
    ["a spare byte", (disk) => flipped(disk, disk.length - 1)],
    ["the salt", (disk, data) => flipped(disk, data + 88)],
    ["the number of blocks", (disk, data) => flipped(disk, data + 72)],
    ["the signature", (disk, data) => flipped(disk, data)],
    ["a reserved byte, which veritysetup lets pass", (disk, data) => flipped(disk, data + 400)],
  ])("and pm both refuse a disk with another %s", async (what, damage) => {
    const data = madeData("refused", 500);
    const good = new Uint8Array(
      Buffer.concat([data, hashFile(data, privatemode, { hashOffset: data.length }).subarray(data.length)]),
    );
    const { root } = treeOf(data, privatemode);
    const theirs = (name: string): number | null =>
      spawnSync("veritysetup", ["verify", name, name, root, `--hash-offset=${data.length}`], { env }).status;
    const ours = async (name: string): Promise<number | null> =>
      (
        await runPm([
          "verity",
          "verify",
          name,
          "--root",
          root,
          "--preset",
          "privatemode",
          "--hash-offset",
          String(data.length),
        ])
      ).status;
    const name = file("good.img", good);
    expect([theirs(name), await ours(name)]).toEqual([0, 0]);
    const bad = file("bad.img", damage(good, data.length));
    expect(theirs(bad) === 0).toBe(what.includes("lets pass"));
    expect(await ours(bad)).toBe(1);
  });
});
