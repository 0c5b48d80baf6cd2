import { generateKeyPairSync, sign, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hex } from "../../src/bytes/hex.ts";
import { decodeCertificate, publicKeyOf } from "../../src/crypto/certificate.ts";
import { derSignature, ecdsaVerify, p384SignatureFromAmd } from "../../src/crypto/ecdsa.ts";
import { describeEvidence, evidence } from "../evidence.ts";

const order = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n;
const littleEndian = (n: bigint): Uint8Array =>
  new Uint8Array(Buffer.from(n.toString(16).padStart(144, "0"), "hex").reverse());

describe("AMD's form of a P-384 signature", () => {
  it("turns into R and S, big-endian, 48 octets each", () => {
    const p1363 = p384SignatureFromAmd(littleEndian(2n), littleEndian(order - 1n));
    expect(p1363 && hex(p1363)).toBe(`${"00".repeat(47)}02${(order - 1n).toString(16)}`);
  });
  it.each<[string, bigint]>([
    ["zero", 0n],
    ["the order", order],
    ["above the order", order + 1n],
    ["48 octets of FF", 2n ** 384n - 1n],
    ["an octet above the 48th", 2n ** 384n + 1n],
    ["the highest octet", 2n ** 568n + 1n],
  ])("refuses %s for R and for S", (_, n) => {
    expect(p384SignatureFromAmd(littleEndian(n), littleEndian(1n))).toBeUndefined();
    expect(p384SignatureFromAmd(littleEndian(1n), littleEndian(n))).toBeUndefined();
  });
  it.each([0, 48, 71, 73])("refuses %i octets", (length) => {
    const one = new Uint8Array(length).fill(1);
    expect(p384SignatureFromAmd(one, littleEndian(1n))).toBeUndefined();
    expect(p384SignatureFromAmd(littleEndian(1n), one)).toBeUndefined();
  });
});

describe("a signature in DER", () => {
  const number = (n: bigint): Uint8Array => new Uint8Array(Buffer.from(n.toString(16).padStart(64, "0"), "hex"));
  const der = (r: bigint, s: bigint): string => hex(derSignature(Buffer.concat([number(r), number(s)])));
  it("has the shortest positive INTEGERs", () => {
    expect(der(1n, 0x7fn)).toBe("300602010102017f");
    expect(der(0x80n, 0x100n)).toBe("30080202008002020100");
    expect(der(0n, 0n)).toBe("3006020100020100");
    expect(der(2n ** 256n - 1n, 2n ** 255n)).toBe(`3046022100${"ff".repeat(32)}02210080${"00".repeat(31)}`);
  });
  it("is what node:crypto makes of the same numbers, and stays wrong when it was", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    for (let i = 0; i < 64; i++) {
      const data = Uint8Array.of(i);
      const signature = new Uint8Array(sign("sha256", data, { key: privateKey, dsaEncoding: "ieee-p1363" }));
      expect(verify("sha256", data, publicKey, derSignature(signature))).toBe(true);
      signature[i] = (signature[i] ?? 0) ^ 1;
      expect(verify("sha256", data, publicKey, derSignature(signature))).toBe(false);
      expect(verify("sha256", data, publicKey, derSignature(new Uint8Array(64)))).toBe(false);
    }
  });
});

describe("ECDSA over raw bytes", () => {
  const data = new TextEncoder().encode("signed");
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const made = (key: typeof p384, hash: string) =>
    new Uint8Array(sign(hash, data, { key: key.privateKey, dsaEncoding: "ieee-p1363" }));
  it("verifies with the right key, hash and data only", () => {
    const signature = made(p384, "sha384");
    expect(ecdsaVerify("sha384", data, signature, p384.publicKey)).toBe(true);
    expect(ecdsaVerify("sha256", data, signature, p384.publicKey)).toBe(false);
    expect(ecdsaVerify("sha384", data.subarray(1), signature, p384.publicKey)).toBe(false);
    expect(ecdsaVerify("sha384", data, signature, p256.publicKey)).toBe(false);
    expect(ecdsaVerify("sha256", data, made(p256, "sha256"), p256.publicKey)).toBe(true);
  });
  it("answers false for other lengths and other keys, never an error", () => {
    const signature = made(p384, "sha384");
    for (const wrong of [
      signature.subarray(1),
      Uint8Array.from([...signature, 0]),
      new Uint8Array(0),
      new Uint8Array(96),
    ])
      expect(ecdsaVerify("sha384", data, wrong, p384.publicKey)).toBe(false);
    const der = new Uint8Array(sign("sha384", data, p384.privateKey));
    expect(ecdsaVerify("sha384", data, der, p384.publicKey)).toBe(false);
    expect(ecdsaVerify("sha384", data, signature, p384.privateKey)).toBe(false);
    for (const key of [
      generateKeyPairSync("ed25519").publicKey,
      generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey,
      generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey,
    ])
      expect(ecdsaVerify("sha256", data, new Uint8Array(64).fill(1), key)).toBe(false);
  });
});

describeEvidence("a genuine SNP report", () => {
  it("verifies over its first 672 bytes with its VCEK, in the one byte order", () => {
    const report = evidence("snp/real/turin-v5.report.bin");
    const key = publicKeyOf(decodeCertificate(evidence("snp/real/turin-v5.vcek.der")));
    const [r, s] = [report.subarray(672, 744), report.subarray(744, 816)];
    const signature = p384SignatureFromAmd(r, s);
    expect(signature !== undefined && ecdsaVerify("sha384", report.subarray(0, 672), signature, key)).toBe(true);
    expect(p384SignatureFromAmd(Uint8Array.from(r).reverse(), s)).toBeUndefined();
    const swapped = p384SignatureFromAmd(s, r);
    expect(swapped !== undefined && ecdsaVerify("sha384", report.subarray(0, 672), swapped, key)).toBe(false);
  });
});
