/**
 * Contrast's anonymous ID block (Contrast v1.20, ID block): nobody has its private key. A fixed signature (r = 2, s = 1)
 * is chosen, and the public key under which it is valid is recovered (SEC 1, 4.1.6). So ID_KEY_DIGEST pins the launch
 * measurement and the exact guest policy. The only module that uses the curve library: node:crypto cannot add points.
 */
import { createHash } from "node:crypto";
import { p384 } from "@noble/curves/nist.js";
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

/** The recovered key with the smaller x, then the smaller y. */
function recoveredKey(block: Uint8Array): { readonly x: bigint; readonly y: bigint } {
  const digest = sha384(block);
  const keys = [0, 1].map((bit) => new p384.Signature(2n, 1n, bit).recoverPublicKey(digest).toAffine());
  const [smallest] = keys.sort((a, b) => (a.x === b.x ? (a.y < b.y ? -1 : 1) : a.x < b.x ? -1 : 1));
  if (smallest === undefined) throw new PmError("PM_BUG", "no key was recovered");
  return smallest;
}

/**
 * ID_KEY_DIGEST that Contrast's launch gives: SHA-384 of AMD's 0x404-byte form of the recovered key.
 * @param measurement launch digest, 48 bytes
 * @returns 48 bytes
 */
export function idKeyDigest(measurement: Uint8Array, policy: GuestPolicy | bigint): Uint8Array {
  const block = idBlock(measurement, typeof policy === "bigint" ? policy : guestPolicyBits(policy));
  const { x, y } = recoveredKey(block);
  const key = new Uint8Array(0x404);
  key[0] = 2; // curve P-384
  key.set(littleEndian(x), 0x04);
  key.set(littleEndian(y), 0x4c);
  return sha384(key);
}

const littleEndian = (value: bigint): Uint8Array =>
  new Uint8Array(Buffer.from(value.toString(16).padStart(96, "0"), "hex").reverse());
