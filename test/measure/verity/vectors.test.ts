/** Root hashes that veritysetup made, of disks up to 16 TiB, and the parameters that it refuses. */
import { hash } from "node:crypto";
import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type DeviceParameters, hashFile, veritySuperblock } from "../../../fixtures/generator/verity.ts";
import { type ImageRecipe, imageOf, markedBlock, markedBlockBytes } from "../../../fixtures/generator/verity-images.ts";
import { DataBlocks } from "../../../src/measure/verity/blocks.ts";
import { measureRoot } from "../../../src/measure/verity/hash.ts";
import { layoutOf, treeOffset, type VerityLayout } from "../../../src/measure/verity/layout.ts";
import { type Digest, digestHex, type OnBlock, TreeBuilder } from "../../../src/measure/verity/tree.ts";
import { blocksOf, rootOfUnits, unitPlan } from "../../../src/measure/verity/units.ts";
import { decodeSuperblock } from "../../../src/verifiers/verity/superblock.ts";
import { runPm } from "../../command.ts";
import { describeEvidence, evidenceJson } from "../../evidence.ts";
import { hexOf, worldFolder, writer } from "./world.ts";

interface Vector {
  readonly id: string;
  readonly note: string;
  readonly image: ImageRecipe;
  readonly image_sha256?: string;
  readonly params: {
    readonly hash_type: 0 | 1;
    readonly algorithm: string;
    readonly data_block_size: number;
    readonly hash_block_size: number;
    readonly salt_hex: string;
    /** null without a superblock. */
    readonly uuid: string | null;
    readonly data_blocks: number;
    readonly hash_offset: number;
    readonly superblock: boolean;
    readonly same_file: boolean;
  };
  readonly root_hash: string;
  readonly level_blocks_leaf_first: readonly number[];
  readonly hash_area_sha256?: string;
  readonly superblock_hex_first_96?: string;
  readonly whole_file_sha256?: string;
}
interface Rejected {
  readonly note: string;
  readonly veritysetup_options: readonly string[];
}
interface Vectors {
  readonly vectors: readonly Vector[];
  readonly rejected: readonly Rejected[];
}

/** Node has no such algorithm. */
const notInNode = "whirlpool";
/** Their hash areas have bytes that were on the disk before, or begin at another place than the offset: spec note, section 3. */
const oddAreas = new Set(["v058", "v060"]);
const path = worldFolder();
const file = writer(path);

function parametersOf({ params: p }: Vector): DeviceParameters {
  return {
    hashType: p.hash_type,
    algorithm: p.algorithm.toLowerCase(),
    dataBlockSize: p.data_block_size,
    hashBlockSize: p.hash_block_size,
    salt: new Uint8Array(Buffer.from(p.salt_hex, "hex")),
  };
}
const uuidOf = ({ params }: Vector): Uint8Array =>
  new Uint8Array(Buffer.from((params.uuid ?? "").replaceAll("-", ""), "hex"));
const layoutFor = (v: Vector): VerityLayout => layoutOf({ ...parametersOf(v), dataBlocks: v.params.data_blocks });

/** Data blocks at hand into a tree, by the engine's own parts. */
function pushAll(layout: VerityLayout, data: Uint8Array, builder: TreeBuilder): void {
  const blocks = new DataBlocks(layout);
  for (let at = 0; at < data.length; at += blocks.readBytes)
    blocks.digestsOf(data.subarray(at, at + blocks.readBytes), (digest) => builder.push(digest));
}
const dataOf = ({ params }: Vector, image: Buffer): Buffer =>
  image.subarray(0, params.data_blocks * params.data_block_size);

/** Superblock by the generator, the tree block by block as the engine's TreeBuilder hands it over. */
function hashArea(v: Vector, layout: VerityLayout, image: Buffer): { readonly root: string; readonly area: Buffer } {
  const { hash_offset: offset, superblock } = v.params;
  const levels = layout.levels.map((blocks) => Buffer.alloc(blocks * layout.hashBlockSize));
  const keep: OnBlock = (level, index, block) => void levels[level]?.set(block, index * layout.hashBlockSize);
  const builder = new TreeBuilder(layout, keep);
  pushAll(layout, dataOf(v, image), builder);
  const head = Buffer.alloc(Math.max(0, treeOffset(layout, offset, superblock) - offset));
  if (superblock) head.set(veritySuperblock(layout.dataBlocks, parametersOf(v), uuidOf(v)).subarray(0, 512));
  return { root: digestHex(builder.root()), area: Buffer.concat([head, ...levels.reverse()]) };
}

/** The root of a disk that is nowhere: one unit of zeros is hashed once, units with marked blocks by themselves. */
function giantRoot(layout: VerityLayout, marks: readonly number[]): string {
  const plan = unitPlan(layout);
  const unitDigest = (unit: number): Digest => {
    const { first, count } = blocksOf(plan, layout, unit);
    const data = Buffer.alloc(count * layout.dataBlockSize);
    for (const mark of marks.filter((m) => m >= first && m < first + count))
      data.set(markedBlock(mark), (mark - first) * markedBlockBytes);
    const builder = new TreeBuilder(layout);
    pushAll(layout, data, builder);
    return builder.digestAt(plan.depth);
  };
  const own = new Set([...marks.map((m) => Math.floor(m / plan.blocks)), plan.units - 1]);
  const unmarked = Array.from({ length: plan.units }, (_, i) => i).find((i) => !own.has(i));
  const zeros = unmarked === undefined ? "" : unitDigest(unmarked);
  function* digests(): Generator<Digest> {
    for (let unit = 0; unit < plan.units; unit++) yield own.has(unit) ? unitDigest(unit) : zeros;
  }
  return digestHex(rootOfUnits(layout, digests()));
}

describeEvidence("vectors of veritysetup", () => {
  const { vectors, rejected } = evidenceJson<Vectors>("verity/vectors.json");
  const usable = vectors.filter((v) => v.params.algorithm !== notInNode);
  const giants = usable.filter((v) => v.image.kind === "sparse");
  const whole = usable.filter((v) => v.image.kind !== "sparse");
  test("70 are there, and one alone is out of reach", () => {
    expect([vectors.length, usable.length, giants.length, rejected.length]).toEqual([70, 69, 7, 11]);
  });

  test.each(whole)("$id: $note", async (v) => {
    const image = imageOf(v.image);
    const layout = layoutFor(v);
    expect(hash("sha256", image)).toBe(v.image_sha256);
    expect(layout.levels).toEqual(v.level_blocks_leaf_first);
    const { root, area } = hashArea(v, layout, image);
    expect(root).toBe(v.root_hash);
    const { rootHash } = await measureRoot(file(`${v.id}.img`, image), layout, { jobs: 1 });
    expect(rootHash, "the same file over a worker").toBe(v.root_hash);
    rmSync(path(`${v.id}.img`));
    const { hash_offset: hashOffset, superblock } = v.params;
    const made = hashFile(dataOf(v, image), parametersOf(v), { hashOffset, superblock, uuid: uuidOf(v) });
    expect(made.subarray(hashOffset).equals(area) || v.id === "v058", "pm's tree is the generator's").toBe(true);
    if (v.superblock_hex_first_96 !== undefined) {
      expect(hexOf(area.subarray(0, 96))).toBe(v.superblock_hex_first_96);
      const { uuid, dataBlocks, reserved, ...read } = decodeSuperblock(new Uint8Array(area.subarray(0, 512)));
      expect(read).toEqual(parametersOf(v));
      expect([hexOf(uuid), Number(dataBlocks), reserved]).toEqual([hexOf(uuidOf(v)), v.params.data_blocks, undefined]);
    }
    if (oddAreas.has(v.id)) return;
    expect(hash("sha256", area)).toBe(v.hash_area_sha256);
    if (v.params.same_file) expect(hash("sha256", Buffer.concat([image, area]))).toBe(v.whole_file_sha256);
  });

  test.each(giants)("$id: $note, without the disk", (v) => {
    const layout = layoutFor(v);
    expect(layout.levels).toEqual(v.level_blocks_leaf_first);
    const { marks } = v.image as Extract<ImageRecipe, { kind: "sparse" }>;
    expect(giantRoot(layout, marks)).toBe(v.root_hash);
  });
  test("1 GiB of zeros as a file with one hole", async () => {
    const giant = giants.find((v) => v.id === "v070");
    writeFileSync(path("hole.img"), "");
    truncateSync(path("hole.img"), giant?.image.size);
    const ran = await runPm(["verity", "hash", path("hole.img"), "--preset", "privatemode", "--json"]);
    expect(JSON.parse(ran.stdout)).toMatchObject({ rootHash: giant?.root_hash });
  });

  /** What veritysetup was given, as pm's flags; the UUID takes no part in a root hash. */
  const flagFor: Readonly<Record<string, string | undefined>> = {
    hash: "algorithm",
    format: "hash-type",
    uuid: undefined,
  };
  function pmFlags({ note, veritysetup_options: options }: Rejected): string[] {
    return options.flatMap((option) => {
      const [, name = "", value = ""] = /^--([\w-]+)=(.*)$/.exec(option) ?? [];
      const flag = name in flagFor ? flagFor[name] : name;
      // The list shortens this one.
      const given = note === "salt 257" && name === "salt" ? "aa".repeat(257) : value;
      return flag === undefined ? [] : [`--${flag}`, given];
    });
  }
  const why: Readonly<Record<string, string>> = {
    "hash offset 100 (not a multiple of 512)": "no multiple of 512",
    "in place, overlapping": "0 data blocks: at least one whole block is needed",
    "in place, overlapping partially": "a hash area from byte 1224704 would end at byte 1245184",
    empty: "0 data blocks",
    "less than one block": "0 data blocks",
    "data blocks more than file": "the data alone are 45056",
    "block size 256": "block size 256",
    "block size 1048576": "block size 1048576",
    "block size 3000": "block size 3000",
    "salt 257": "salt: 257 bytes, at most 256",
    "format 2": "hash type 2: neither 0 nor 1",
  };
  const imageFor = ({ note }: Rejected): Buffer => {
    const size =
      note === "empty" ? 0 : note === "less than one block" ? 4095 : note.startsWith("data blocks") ? 40960 : 1228800;
    return imageOf({ kind: "sha256-counter", seed: "a300", size });
  };
  test.each(rejected)("refuses: $note", async (r) => {
    const image = file("rejected.img", imageFor(r));
    const ran = await runPm(["verity", "hash", image, ...pmFlags(r)]);
    expect([ran.status, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toContain(why[r.note]);
  });
  test("refuses data that overlap the hash area by one block, given as such", async () => {
    const image = file("overlap.img", imageOf({ kind: "sha256-counter", seed: "a300", size: 1228800 }));
    const ran = await runPm([
      "verity",
      "hash",
      image,
      "--preset",
      "privatemode",
      "--data-blocks",
      "300",
      "--hash-offset",
      "1224704",
    ]);
    expect([ran.status, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toContain("data and hash area overlap");
  });
});
