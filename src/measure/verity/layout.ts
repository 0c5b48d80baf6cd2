/**
 * dm-verity's geometry: which blocks a tree has and where they lie (kernel, Documentation/admin-guide/device-mapper/verity.rst;
 * cryptsetup, lib/verity). Parameters are the auditor's, never the disk's: src/verifiers/verity compares a superblock with them.
 */
import { hash } from "node:crypto";
import { usage } from "../../errors.ts";

export interface VerityParameters {
  /** 1: salt before the block. 0 (Chrome OS): salt after it. */
  readonly hashType: number;
  /** As a superblock names it: lower case. */
  readonly algorithm: string;
  /** Bytes. */
  readonly dataBlockSize: number;
  readonly hashBlockSize: number;
  /** 0 to 256 bytes. */
  readonly salt: Uint8Array;
  readonly dataBlocks: number;
}

export interface VerityLayout extends VerityParameters {
  /** Node's name of the algorithm. */
  readonly nodeAlgorithm: string;
  /** Bytes of a digest. */
  readonly digestSize: number;
  /** Bytes that a digest takes in a hash block. */
  readonly slotSize: number;
  /** Digests in a full hash block. */
  readonly arity: number;
  /** Hash blocks of each level, leaf level first; empty when there is one data block. On disk the order is the reverse. */
  readonly levels: readonly number[];
  /** Their sum. */
  readonly hashBlocks: number;
}

export type Strength = "strong" | "weak";
/** Names of the kernel's crypto API that veritysetup takes, Node's name where it is another, and whether a verdict may rest on it. */
const algorithms: Readonly<Record<string, { readonly node?: string; readonly strength: Strength }>> = {
  sha256: { strength: "strong" },
  sha384: { strength: "strong" },
  sha512: { strength: "strong" },
  "sha512-256": { strength: "strong" },
  "sha3-256": { strength: "strong" },
  "sha3-512": { strength: "strong" },
  "blake2b-512": { node: "blake2b512", strength: "strong" },
  "blake2s-256": { node: "blake2s256", strength: "strong" },
  sha224: { strength: "weak" },
  sha1: { strength: "weak" },
  md5: { strength: "weak" },
  ripemd160: { strength: "weak" },
  sm3: { strength: "weak" },
};
export const algorithmNames: readonly string[] = Object.keys(algorithms);

/** undefined: not known. */
export const strengthOf = (algorithm: string): Strength | undefined =>
  Object.hasOwn(algorithms, algorithm) ? algorithms[algorithm]?.strength : undefined;

/** What Privatemode's disks are made with (privatemode-public v1.40.0, verity/verity.sh): one zero byte of salt, not none. */
export const privatemodeDisk: Omit<VerityParameters, "dataBlocks"> = {
  hashType: 1,
  algorithm: "sha256",
  dataBlockSize: 4096,
  hashBlockSize: 4096,
  salt: new Uint8Array(1),
};

export const superblockBytes = 512;
const maxSaltBytes = 256;
/** ext4's and XFS's own limits are below; block numbers stay exact integers far beyond. */
const maxDataBlocks = 2 ** 44;

const isBlockSize = (n: number): boolean => Number.isInteger(n) && n >= 512 && n <= 524_288 && (n & (n - 1)) === 0;

/** @throws PmError PM_USAGE for parameters that no dm-verity device has */
export function layoutOf(parameters: VerityParameters): VerityLayout {
  const { hashType, algorithm, dataBlockSize, hashBlockSize, salt, dataBlocks } = parameters;
  if (hashType !== 0 && hashType !== 1) throw usage(`hash type ${hashType}: neither 0 nor 1`);
  for (const [name, size] of [
    ["data", dataBlockSize],
    ["hash", hashBlockSize],
  ] as const)
    if (!isBlockSize(size)) throw usage(`${name} block size ${size}: no power of two from 512 to 524288`);
  if (salt.length > maxSaltBytes) throw usage(`salt: ${salt.length} bytes, at most ${maxSaltBytes}`);
  if (!Number.isSafeInteger(dataBlocks) || dataBlocks < 1)
    throw usage(`${dataBlocks} data blocks: at least one whole block is needed`, "check the data size");
  if (dataBlocks > maxDataBlocks) throw usage(`${dataBlocks} data blocks: more than pm handles (${maxDataBlocks})`);
  if (strengthOf(algorithm) === undefined)
    throw usage(`hash algorithm ${algorithm}: not known`, `known: ${algorithmNames.join(", ")}`);
  const nodeAlgorithm = algorithms[algorithm]?.node ?? algorithm;
  const digestSize = hash(nodeAlgorithm, "", "buffer").length;
  // The digest's own size, not its slot's, for both types: kernel and veritysetup agree in this.
  const arity = 2 ** Math.floor(Math.log2(hashBlockSize / digestSize));
  if (arity < 2) throw usage(`hash block size ${hashBlockSize}: holds fewer than two digests of ${digestSize} bytes`);
  const levels: number[] = [];
  for (let blocks = dataBlocks; blocks > 1; ) {
    blocks = Math.ceil(blocks / arity);
    levels.push(blocks);
  }
  return {
    ...parameters,
    nodeAlgorithm,
    digestSize,
    slotSize: hashType === 1 ? 2 ** Math.ceil(Math.log2(digestSize)) : digestSize,
    arity,
    levels,
    hashBlocks: levels.reduce((sum, n) => sum + n, 0),
  };
}

/** Byte at which the tree begins: after the superblock's block, or, without one, the block that the offset lies in. */
export const treeOffset = ({ hashBlockSize }: VerityLayout, hashOffset: number, superblock: boolean): number =>
  (superblock ? Math.ceil((hashOffset + superblockBytes) / hashBlockSize) : Math.floor(hashOffset / hashBlockSize)) *
  hashBlockSize;
