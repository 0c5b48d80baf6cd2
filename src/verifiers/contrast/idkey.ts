/**
 * Contrast's anonymous ID block (Contrast v1.20, ID block): nobody has its private key. A fixed signature (r = 2, s = 1)
 * is chosen, and the public key under which it is valid is recovered (SEC 1, 4.1.6). So ID_KEY_DIGEST pins the launch
 * measurement and the exact guest policy. The only module that uses the curve library: node:crypto cannot add points.
 */
import { createHash } from "node:crypto";
import { p384 } from "@noble/curves/nist.js";
import { hex } from "../../bytes/hex.ts";
import { PmError } from "../../errors.ts";
import type { GuestPolicy } from "./model.ts";

const sha384 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha384").update(bytes).digest());

/** POLICY as a 64-bit number (SEV-SNP ABI, GUEST_POLICY); bit 17 is always one. */
export function guestPolicyBits(policy: GuestPolicy): bigint {
  const bits: readonly (readonly [boolean, bigint])[] = [
    [policy.smt, 16n],
    [policy.migrateMa, 18n],
    [policy.debug, 19n],
    [policy.singleSocket, 20n],
    [policy.cxlAllowed, 21n],
    [policy.memAes256Xts, 22n],
    [policy.raplDis, 23n],
    [policy.cipherTextHidingDram, 24n],
    [policy.pageSwapDisable, 25n],
  ];
  const versions = BigInt(policy.abiMinor) | (BigInt(policy.abiMajor) << 8n) | (1n << 17n);
  return bits.reduce((sum, [set, bit]) => (set ? sum | (1n << bit) : sum), versions);
}

/** ID block, 96 bytes: launch digest | family id 01 | image id 02 | version 1 | guest SVN 2 | policy. */
export function idBlock(measurement: Uint8Array, policy: bigint): Uint8Array {
  if (measurement.length !== 48) throw new PmError("PM_BUG", `launch digest of ${measurement.length} bytes`);
  const block = new Uint8Array(96);
  const view = new DataView(block.buffer);
  block.set(measurement);
  block[48] = 1;
  block[64] = 2;
  view.setUint32(80, 1, true);
  view.setUint32(84, 2, true);
  view.setBigUint64(88, policy, true);
  return block;
}

const { Point } = p384;
const order = Point.Fn.ORDER;
/** 1 / r for r = 2. */
const half = (order + 1n) / 2n;
/** R / r: half of the point whose x is 2 and whose y is even. */
const halfR = Point.fromAffine({
  x: Point.Fp.ORDER - 1n,
  y: 0x732152442fb6ee5c3e6ce1d920c059bc623563814d79042b903ce60f1d4487fccd450a86da03f3e6ed525d02017bfdb3n,
});
// A point of its own: tables of multiples of the library's base point take longer to make than the few digests of a manifest save.
const base = Point.fromAffine(Point.BASE.toAffine());

/**
 * Q = (s R - z G) / r with s = 1 and R either point whose x is 2; of the two the one with the smaller x, then the smaller
 * y. R / r is the same for every block, so each digest costs one multiplication of the base point
 * (a third of what two plain recoveries cost).
 */
function recoveredKey(block: Uint8Array): { readonly x: bigint; readonly y: bigint } {
  const z = BigInt(`0x${hex(sha384(block))}`) % order;
  const zOverR = (z * half) % order;
  if (zOverR === 0n) throw new PmError("PM_BUG", "an ID block whose digest is zero");
  // Nothing here is secret, so it need not take the same time for every value.
  const zG = base.multiplyUnsafe(zOverR);
  const a = halfR.subtract(zG).toAffine();
  const b = halfR.negate().subtract(zG).toAffine();
  return a.x < b.x || (a.x === b.x && a.y < b.y) ? a : b;
}

/**
 * ID_KEY_DIGEST that Contrast's launch gives: SHA-384 of AMD's 0x404-byte form of the recovered key.
 * @param measurement launch digest, 48 bytes
 * @returns 48 bytes
 */
export const idKeyDigest = (measurement: Uint8Array, policy: GuestPolicy | bigint): Uint8Array =>
  sha384(recoveredIdKey(idBlock(measurement, typeof policy === "bigint" ? policy : guestPolicyBits(policy))));

/** The ID key under which r = 2, s = 1 signs this ID block of 96 bytes, in AMD's 0x404-byte form. */
export function recoveredIdKey(block: Uint8Array): Uint8Array {
  const { x, y } = recoveredKey(block);
  const key = new Uint8Array(0x404);
  key[0] = 2; // curve P-384
  key.set(littleEndian(x), 0x04);
  key.set(littleEndian(y), 0x4c);
  return key;
}

const littleEndian = (value: bigint): Uint8Array =>
  new Uint8Array(Buffer.from(value.toString(16).padStart(96, "0"), "hex").reverse());
