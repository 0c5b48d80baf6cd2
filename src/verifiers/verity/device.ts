/** A disk with its tree, judged by what was measured of it. Parameters are the auditor's throughout. */

import { hex } from "../../bytes/hex.ts";
import {
  type Answers,
  all,
  broken,
  cannot,
  equal,
  graded,
  holds,
  observed,
  type Sourced,
  skip,
} from "../../claims/answer.ts";
import { PmError } from "../../errors.ts";
import type { veritySuperblock, verityTree } from "./device-claims.ts";
import { decodeSuperblock, uuidText, type VeritySuperblock } from "./superblock.ts";

/** What the disk must say of itself. */
export interface ExpectedDevice {
  readonly hashType: number;
  readonly algorithm: string;
  readonly dataBlockSize: number;
  readonly hashBlockSize: number;
  readonly dataBlocks: number;
  readonly salt: Uint8Array;
}

export interface Tally {
  readonly count: number;
  readonly first: number | undefined;
}
/** Bytes of the disk that no hash covers. */
export interface Uncovered {
  readonly at: number;
  readonly length: number;
}
export interface DeviceFacts {
  /** Lower-case hex: of the data, and of the top block as it is stored. */
  readonly computedRoot: string;
  readonly storedRoot: string;
  readonly data: Tally;
  /** By level, leaves first: hash blocks whose digests are not those of the data below. */
  readonly differ: readonly Tally[];
  /** By level: hash blocks whose own digest is not in the block above. */
  readonly unlinked: readonly Tally[];
  readonly spare: readonly Tally[];
  /** Byte at which each level begins. */
  readonly levelOffsets: readonly number[];
  readonly uncovered: readonly Uncovered[];
}
export interface SuperblockBytes {
  readonly bytes: Uint8Array;
  /** First byte between superblock and tree that is not zero. */
  readonly gapAt: number | undefined;
}

type Superblock = Answers<typeof veritySuperblock>;
type Tree = Answers<typeof verityTree>;

const fieldNames = ["hash type", "algorithm", "data block size", "hash block size", "data blocks", "salt"] as const;
type Fields = Readonly<Record<(typeof fieldNames)[number], string>>;
const saltText = (salt: Uint8Array): string => hex(salt) || "none";
const fieldsOf = (d: ExpectedDevice | VeritySuperblock): Fields => ({
  "hash type": String(d.hashType),
  algorithm: d.algorithm,
  "data block size": String(d.dataBlockSize),
  "hash block size": String(d.hashBlockSize),
  "data blocks": String(d.dataBlocks),
  salt: saltText(d.salt),
});
const fieldText = (fields: Fields): string => fieldNames.map((name) => `${name} ${fields[name]}`).join(", ");

/** Parameters as one line, in the order of the superblock. */
export const parametersText = (d: ExpectedDevice): string => fieldText(fieldsOf(d));
/** Each field of the superblock beside the expected one. */
export const comparedFields = (expected: ExpectedDevice, found: VeritySuperblock) =>
  fieldNames.map((field) => ({ field, expected: fieldsOf(expected)[field], found: fieldsOf(found)[field] }));

/**
 * @param expected with who says so
 * @param uuid text form; undefined: not asked
 */
export function superblockAnswers(
  found: SuperblockBytes,
  expected: { readonly device: ExpectedDevice; readonly origin: Sourced["origin"] },
  uuid: Sourced | undefined,
  catalogue: typeof veritySuperblock,
): Superblock {
  let superblock: VeritySuperblock;
  try {
    superblock = decodeSuperblock(found.bytes);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return {
      ...all(catalogue, cannot("not answered: the superblock could not be read")),
      "verity.superblock.format":
        error.code === "PM_EVIDENCE_MALFORMED" ? broken(error.message, "superblock-malformed") : cannot(error.message),
    };
  }
  const differing = comparedFields(expected.device, superblock).filter((f) => f.expected !== f.found);
  const { gapAt } = found;
  return {
    "verity.superblock.format": equal(
      { value: "version 1", origin: { kind: "spec", document: "cryptsetup", section: "struct verity_sb" } },
      observed("version 1", "superblock", "bytes 8 to 11"),
      "superblock-malformed",
    ),
    "verity.superblock.parameters": holds(
      differing.length === 0,
      { value: parametersText(expected.device), origin: expected.origin },
      observed(fieldText(fieldsOf(superblock)), "superblock", "bytes 12 to 343"),
      "parameters-differ",
      `differing: ${differing.map((f) => f.field).join(", ")}`,
    ),
    "verity.superblock.uuid":
      uuid === undefined
        ? skip("no reference value given")
        : equal(uuid, observed(uuidText(superblock.uuid), "superblock", "bytes 16 to 31"), "uuid-differs"),
    "verity.superblock.reserved": holds(
      superblock.reserved === undefined,
      { value: "all zero", origin: { kind: "spec", document: "cryptsetup", section: "struct verity_sb" } },
      observed(
        superblock.reserved === undefined ? "all zero" : `byte ${superblock.reserved} is not zero`,
        "superblock",
        "reserved bytes",
      ),
      "reserved-set",
    ),
    "verity.superblock.gap": graded(
      holds(
        gapAt === undefined,
        {
          value: "all zero",
          origin: { kind: "spec", document: "cryptsetup", section: "a file that was not used before" },
        },
        observed(gapAt === undefined ? "all zero" : `byte ${gapAt} is not zero`, "disk", "between superblock and tree"),
        "gap-used",
      ),
      "unknown",
    ),
  };
}

/** @param root 's value in lower-case hex */
export function treeAnswers(facts: DeviceFacts, root: Sourced): Tree {
  // The data are right by the root itself: then what differs in the tree is the tree's own, and can be named exactly.
  const dataRight = root.value !== "" && facts.computedRoot === root.value;
  const top = facts.levelOffsets.length - 1;
  const levels = (dataRight ? facts.differ : facts.unlinked).map((t, level) => ({ ...t, level }));
  const bad = levels.filter(({ count, level }) => count > 0 && level < top);
  return {
    "verity.data.blocks": dataBlocks(facts, root, dataRight, bad.length > 0),
    "verity.tree.levels": holds(
      bad.length === 0,
      { value: "no hash block below the top differs", origin: root.origin, at: `root hash ${root.value}` },
      observed(
        bad.length === 0
          ? "no hash block below the top differs"
          : bad.map(({ level, count, first }) => levelText(facts, level, count, first)).join("; "),
        "disk",
        "hash tree",
      ),
      "level-differs",
    ),
    "verity.tree.spare": spare(facts),
    "verity.root.equal": rootEqual(facts, root, dataRight),
    "verity.data.covered": covered(facts),
  };
}

const blocksText = (count: number): string => `${count} block${count === 1 ? "" : "s"}`;
const levelText = ({ levelOffsets }: DeviceFacts, level: number, count: number, first = 0): string =>
  `level ${level}: ${blocksText(count)}, the first is block ${first} of the level, which begins at byte ${levelOffsets[level]}`;

function dataBlocks(facts: DeviceFacts, root: Sourced, right: boolean, treeBad: boolean): Tree["verity.data.blocks"] {
  if (right)
    return equal(
      { ...root, value: `each block under root ${root.value}` },
      observed(`each block under root ${facts.computedRoot}`, "data", "digest of the data's own tree"),
      "data-differs",
    );
  const { count, first } = facts.data;
  if (facts.levelOffsets.length === 0)
    return equal(
      { ...root, value: `the block under root ${root.value}` },
      observed(`the block under root ${facts.computedRoot}`, "data", "digest of the one data block"),
      "data-differs",
    );
  // A slot of a damaged leaf block says nothing about the data below it.
  if (count > 0 && treeBad) return cannot("not answered: data and tree differ, and neither is known to be right");
  return holds(
    count === 0,
    { value: "no data block differs from the leaf level", origin: root.origin, at: `root hash ${root.value}` },
    observed(
      count === 0
        ? "no data block differs from the leaf level"
        : `${blocksText(count)}, the first is data block ${first}`,
      "data",
    ),
    "data-differs",
  );
}

function rootEqual(facts: DeviceFacts, root: Sourced, dataRight: boolean): Tree["verity.root.equal"] {
  const reason = dataRight
    ? "the data give the expected root: the tree's top block is damaged"
    : `the data give ${facts.computedRoot}`;
  const actual = observed(facts.storedRoot, "disk", "digest of the top block");
  return root.value === ""
    ? cannot("the reference value is empty")
    : holds(facts.storedRoot === root.value, root, actual, "root-differs", reason);
}

function spare(facts: DeviceFacts): Tree["verity.tree.spare"] {
  const bad = facts.spare.flatMap((t, level) => (t.count > 0 ? [levelText(facts, level, t.count, t.first)] : []));
  return holds(
    bad.length === 0,
    { value: "all zero", origin: { kind: "spec", document: "cryptsetup", section: "verify_zero" } },
    observed(bad.length === 0 ? "all zero" : bad.join("; "), "disk", "spare bytes of the hash tree"),
    "spare-set",
  );
}

function covered({ uncovered }: DeviceFacts): Tree["verity.data.covered"] {
  const text = uncovered.map(({ at, length }) => `${length} bytes from byte ${at}`).join("; ");
  return graded(
    holds(
      uncovered.length === 0,
      { value: "none left out", origin: { kind: "spec", document: "Linux", section: "verity.rst" } },
      observed(uncovered.length === 0 ? "none left out" : text, "disk", "outside data, superblock and tree"),
      "bytes-uncovered",
    ),
    "weaker",
  );
}

/** What the answers leave open, whatever they are. */
export const notProvenByDevice: readonly string[] = [
  "Superblock: the root hash does not cover it. Whoever opens the disk by its superblock believes the disk; the parameters here are yours.",
  "Levels: digests do not say at which height they stand, so one root fits the same tree one level shorter, with its leaf blocks in place of data. Number of data blocks and data size must be known from elsewhere.",
  "Meaning: that these are the bytes of a root hash says nothing of what they do; pm disk verify compares the files in them with a commit.",
];
