/** A part of a disk's units as a file: a fleet hashes one part each, and `pm verity join` puts the root together. */
import { createHash } from "node:crypto";
import { fromHex } from "../../bytes/hex.ts";
import { usage } from "../../errors.ts";
import { layoutOf, type VerityLayout } from "./layout.ts";
import type { Range } from "./pool.ts";
import { type Digest, digestHex, digestOf } from "./tree.ts";
import { unitPlan } from "./units.ts";

export interface Shard {
  readonly layout: VerityLayout;
  readonly range: Range;
  readonly digests: readonly Digest[];
  /** Bytes of the disk that was read. */
  readonly sizeBytes: number;
  /** Digest of unit 0 with the other layout's first block, where unit 0 is here and the disk has such a layout. */
  readonly otherFirstUnit: Digest | undefined;
}

const kind = "pm-verity-shard";
/** 16 TiB in one shard. */
export const maxShardBytes = 64 * 1024 * 1024;

/** `2/8`: the second of eight, counted from 1. @throws PmError PM_USAGE */
export function shardRange(text: string, units: number): Range {
  const [, index, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const [i, n] = [Number(index), Number(of)];
  if (!(i >= 1 && i <= n)) throw usage(`--shard: not a part of a whole: ${text}`, "such as 1/8 for the first of eight");
  return { from: Math.floor(((i - 1) * units) / n), to: Math.floor((i * units) / n) };
}

/** The text of a shard's file; its last member is a digest over the others, against a file that was cut or mixed up. */
export function encodeShard({ layout, range, digests, sizeBytes, otherFirstUnit }: Shard): string {
  const { hashType, algorithm, dataBlockSize, hashBlockSize, salt, dataBlocks } = layout;
  const form = { kind, version: 1, sizeBytes, hashType, algorithm, dataBlockSize, hashBlockSize };
  const document = {
    ...form,
    salt: Buffer.from(salt).toString("hex"),
    dataBlocks,
    units: unitPlan(layout).units,
    ...range,
    otherFirstUnit: otherFirstUnit === undefined ? null : digestHex(otherFirstUnit),
    digests: digests.map(digestHex),
  };
  return `${JSON.stringify({ ...document, sha256: sumOf(document) }, null, 1)}\n`;
}

const sumOf = (document: object): string => createHash("sha256").update(JSON.stringify(document)).digest("hex");

/** @throws PmError PM_USAGE for what is no shard, or one that was damaged */
export function decodeShard(bytes: Uint8Array, name: string): Shard {
  const wrong = (reason: string) => usage(`${name}: ${reason}`, "name files that pm verity hash --shard wrote");
  let document: Record<string, unknown>;
  let sum: string;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Record<string, unknown>;
    const { sha256: _, ...rest } = document;
    // Throws a RangeError, too: what is nested too deep can be parsed and not be written.
    sum = sumOf(rest);
  } catch {
    throw wrong("not a shard of pm verity hash");
  }
  if (document?.["kind"] !== kind) throw wrong("not a shard of pm verity hash");
  if (document["version"] !== 1) throw wrong("a shard of another version of pm");
  if (document["sha256"] !== sum) throw wrong("damaged: its own SHA-256 is another");
  const number = (member: string): number => {
    const value = document[member];
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw wrong(`${member}: not a number`);
    return value;
  };
  const text = (value: unknown, member: string): string => {
    if (typeof value !== "string") throw wrong(`${member}: not a text`);
    return value;
  };
  const bytesOf = (value: unknown, length: number | undefined, member: string): Uint8Array => {
    try {
      return fromHex(text(value, member), length, member);
    } catch (error) {
      throw wrong(error instanceof Error ? error.message : member);
    }
  };
  const layout = layoutOf({
    hashType: number("hashType"),
    algorithm: text(document["algorithm"], "algorithm"),
    dataBlockSize: number("dataBlockSize"),
    hashBlockSize: number("hashBlockSize"),
    salt: bytesOf(document["salt"], undefined, "salt"),
    dataBlocks: number("dataBlocks"),
  });
  const range = { from: number("from"), to: number("to") };
  const { units } = unitPlan(layout);
  const list = document["digests"];
  if (number("units") !== units || range.from > range.to || range.to > units)
    throw wrong("from, to: not units of this disk");
  if (!Array.isArray(list) || list.length !== range.to - range.from) throw wrong("digests: not one a unit");
  const digest = (value: unknown): Digest => digestOf(bytesOf(value, layout.digestSize, "digests"));
  const other = document["otherFirstUnit"];
  return {
    layout,
    range,
    digests: list.map(digest),
    sizeBytes: number("sizeBytes"),
    otherFirstUnit: other === null ? undefined : digest(other),
  };
}

/**
 * Digests of all units, each from one shard.
 * @throws PmError PM_USAGE for shards of several disks or parameters, a unit that none has, or one that two have
 */
export function joinShards(shards: readonly { readonly name: string; readonly shard: Shard }[]): Shard {
  const [first] = shards;
  if (first === undefined) throw usage("no shard to join", "name the files that pm verity hash --shard wrote");
  const whole = (s: Shard): string =>
    JSON.stringify([{ ...s.layout, salt: Buffer.from(s.layout.salt).toString("hex") }, s.sizeBytes]);
  const digests: Digest[] = [];
  for (const { name, shard } of shards.toSorted(
    (a, b) => a.shard.range.from - b.shard.range.from || a.shard.range.to - b.shard.range.to,
  )) {
    if (whole(shard) !== whole(first.shard))
      throw usage(`${name}: of another disk, or with other parameters, than ${first.name}`);
    const { from } = shard.range;
    if (from !== digests.length)
      throw usage(
        from < digests.length
          ? `${name}: unit ${from} is in another shard, too`
          : `units ${digests.length} to ${from - 1}: in none of the shards`,
        "give each part once, and all of them",
      );
    digests.push(...shard.digests);
  }
  const { units } = unitPlan(first.shard.layout);
  if (digests.length !== units)
    throw usage(`units ${digests.length} to ${units - 1}: in none of the shards`, "give all parts");
  const otherFirstUnit = shards.find(({ shard }) => shard.otherFirstUnit !== undefined)?.shard.otherFirstUnit;
  return { ...first.shard, range: { from: 0, to: units }, digests, otherFirstUnit };
}
