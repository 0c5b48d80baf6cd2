/** The parameters of a dm-verity disk as flags give them: never taken from the disk, none of them guessed. */
import type { Origin } from "../claims/answer.ts";
import { usage } from "../errors.ts";
import { hexFlag } from "../flags.ts";
import {
  layoutOf,
  privatemodeDisk,
  strengthOf,
  superblockBytes,
  treeOffset,
  type VerityLayout,
  type VerityParameters,
} from "../measure/verity/layout.ts";
import type { SourceFile } from "../measure/verity/source-file.ts";
import type { Relaxation } from "../report/report.ts";

export interface ParameterFlags {
  readonly preset?: string | undefined;
  readonly "hash-type"?: number | undefined;
  readonly algorithm?: string | undefined;
  readonly "data-block-size"?: number | undefined;
  readonly "hash-block-size"?: number | undefined;
  readonly salt?: string | undefined;
  readonly "data-size"?: string | undefined;
  readonly "data-blocks"?: string | undefined;
  readonly "hash-offset"?: string | undefined;
  readonly "no-superblock"?: boolean;
  readonly "allow-weak-algorithm"?: boolean;
}
export interface DiskParameters {
  readonly layout: VerityLayout;
  /** Where the hash area begins; undefined: not on this disk. */
  readonly hashOffset: number | undefined;
  readonly superblock: boolean;
  readonly origin: Origin;
  readonly relaxations: readonly Relaxation[];
}

/** Of Privatemode's disks (verity/verity.sh of v1.40.0). */
export const privatemodeUuid = "00000000-0000-0000-0000-000000000000";

/** Decimal bytes or blocks. @throws PmError PM_USAGE */
function numberFlag(text: string, flag: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw usage(`--${flag}: not a decimal number: ${text}`);
  return value;
}

/** `-` is no salt, as veritysetup writes it. */
function saltOf(text: string): Uint8Array {
  if (text === "-") return new Uint8Array(0);
  if (text === "" || text.length % 2 !== 0)
    throw usage(`--salt: not whole bytes of hex: ${text}`, "give - for no salt");
  return hexFlag(text, text.length / 2, "--salt");
}

const own = ["hash-type", "algorithm", "data-block-size", "hash-block-size", "salt"] as const;

/** How blocks are hashed. @throws PmError PM_USAGE for parameters that are missing or contradict each other */
export function hashParameters(flags: ParameterFlags): Omit<VerityParameters, "dataBlocks"> {
  const preset = flags.preset === "privatemode" ? privatemodeDisk : undefined;
  const twice = own.filter((name) => flags[name] !== undefined);
  if (preset !== undefined && twice.length > 0)
    throw usage(`--preset and --${twice[0]}: the preset has one`, "leave one of them out");
  const salt = flags.salt === undefined ? preset?.salt : saltOf(flags.salt);
  if (salt === undefined)
    throw usage("no salt: it takes part in each digest", "give --salt HEX, --salt - for none, or --preset privatemode");
  return {
    hashType: flags["hash-type"] ?? privatemodeDisk.hashType,
    algorithm: flags.algorithm?.toLowerCase() ?? privatemodeDisk.algorithm,
    dataBlockSize: flags["data-block-size"] ?? privatemodeDisk.dataBlockSize,
    hashBlockSize: flags["hash-block-size"] ?? privatemodeDisk.hashBlockSize,
    salt,
  };
}

/** Bytes that the flags call data; undefined: they do not say. @throws PmError PM_USAGE */
export const dataBytesOf = (flags: ParameterFlags, dataBlockSize: number): number | undefined =>
  flags["data-blocks"] !== undefined
    ? numberFlag(flags["data-blocks"], "data-blocks") * dataBlockSize
    : flags["data-size"] !== undefined
      ? numberFlag(flags["data-size"], "data-size")
      : undefined;

/** @throws PmError PM_USAGE for what is no place of a superblock */
export function hashOffsetOf(flags: ParameterFlags): number | undefined {
  const hashOffset = flags["hash-offset"] === undefined ? undefined : numberFlag(flags["hash-offset"], "hash-offset");
  if (hashOffset !== undefined && hashOffset % superblockBytes !== 0)
    throw usage(`--hash-offset: ${hashOffset} is no multiple of ${superblockBytes}`);
  return hashOffset;
}

/**
 * @param source the disk that holds the data
 * @param sameFile whether --hash-offset is a place on this disk
 * @throws PmError PM_USAGE for parameters that are missing, contradict each other, or that no device has
 */
export function diskParameters(flags: ParameterFlags, source: SourceFile, sameFile: boolean): DiskParameters {
  const parameters = hashParameters(flags);
  const { dataBlockSize } = parameters;
  const hashOffset = hashOffsetOf(flags);
  const here = sameFile ? hashOffset : undefined;
  const dataBytes = dataBytesOf(flags, dataBlockSize) ?? here ?? source.sizeBytes;
  const layout = layoutOf({ ...parameters, dataBlocks: Math.floor(dataBytes / dataBlockSize) });
  if (here !== undefined) noOverlap(layout.dataBlocks, dataBlockSize, here);
  const names = own.filter((name) => flags[name] !== undefined).map((name) => `--${name}`);
  return {
    layout,
    hashOffset,
    superblock: flags["no-superblock"] !== true,
    origin: { kind: "flag", name: flags.preset === undefined ? names.join(", ") : `--preset ${flags.preset}` },
    relaxations: weakness(layout, flags["allow-weak-algorithm"] === true),
  };
}

/** @throws PmError PM_USAGE */
export function noOverlap(dataBlocks: number, dataBlockSize: number, hashOffset: number): void {
  const end = dataBlocks * dataBlockSize;
  if (end > hashOffset)
    throw usage(
      `${dataBlocks} data blocks end at byte ${end}, behind the hash offset ${hashOffset}: data and hash area overlap`,
    );
}

export function weakness({ algorithm }: VerityLayout, allowed: boolean): Relaxation[] {
  if (strengthOf(algorithm) === "strong" || !allowed) return [];
  return [
    {
      name: "weak-algorithm",
      meaning: `${algorithm} stops nobody who looks for another disk of the same root: equal roots say little.`,
    },
  ];
}

/** Nothing is compared under an algorithm that somebody can find collisions of. @throws PmError PM_USAGE */
export function demandStrong({ layout, relaxations }: Pick<DiskParameters, "layout" | "relaxations">): void {
  if (strengthOf(layout.algorithm) !== "strong" && relaxations.length === 0)
    throw usage(
      `${layout.algorithm}: too weak for a comparison`,
      "--allow-weak-algorithm compares nevertheless, and the report says so",
    );
}

export type HashArea = Pick<DiskParameters, "layout" | "superblock">;
/** First byte behind the tree. */
export const hashAreaEnd = ({ layout, superblock }: HashArea, hashOffset: number): number =>
  treeOffset(layout, hashOffset, superblock) + layout.hashBlocks * layout.hashBlockSize;
