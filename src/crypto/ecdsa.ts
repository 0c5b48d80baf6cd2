/** ECDSA signatures as attestation evidence carries them: two fixed-length numbers instead of a DER structure. */
import { type KeyObject, verify } from "node:crypto";

/** Order of the group of P-384, big-endian (FIPS 186-5, SP 800-186 3.2.1.4). */
const p384Order = Buffer.from(
  "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
  "hex",
);
const p384Bytes = 48;
const amdBytes = 72;

/** Octets of one number for each curve that pm verifies with. */
const numberBytes: Readonly<Record<string, number>> = { prime256v1: 32, secp384r1: 48 };

function p384Number(littleEndian: Uint8Array): Buffer | undefined {
  if (littleEndian.length !== amdBytes) return undefined;
  if (littleEndian.subarray(p384Bytes).some((octet) => octet !== 0)) return undefined;
  const number = Buffer.from(littleEndian.subarray(0, p384Bytes)).reverse();
  const positive = number.some((octet) => octet !== 0);
  return positive && Buffer.compare(number, p384Order) < 0 ? number : undefined;
}

/**
 * R and S of an SEV-SNP signature (72 octets each, little-endian) to the 96 octets of IEEE P1363.
 * @returns undefined when a length is wrong, an octet above the 48th is set, or a number is not in 1 to n-1
 */
export function p384SignatureFromAmd(r72: Uint8Array, s72: Uint8Array): Uint8Array | undefined {
  const r = p384Number(r72);
  const s = p384Number(s72);
  return r === undefined || s === undefined ? undefined : new Uint8Array(Buffer.concat([r, s]));
}

/** A non-negative INTEGER in DER: no leading zero octets but the one that keeps it positive. */
function derInteger(bigEndian: Uint8Array): number[] {
  const first = bigEndian.findIndex((octet) => octet !== 0);
  const octets = first < 0 ? [0] : [...bigEndian.subarray(first)];
  if ((octets[0] ?? 0) >= 0x80) octets.unshift(0);
  return [0x02, octets.length, ...octets];
}

/**
 * Ecdsa-Sig-Value (RFC 3279 2.2.3) of R then S, big-endian, of equal length up to 48 octets each.
 * node:crypto makes it too, but spends a quarter of the verification on asking the key for its curve (Node 24, P-256).
 */
export function derSignature(p1363: Uint8Array): Uint8Array {
  const half = p1363.length / 2;
  const numbers = [...derInteger(p1363.subarray(0, half)), ...derInteger(p1363.subarray(half))];
  return Uint8Array.from([0x30, numbers.length, ...numbers]);
}

/**
 * Verifies an ECDSA signature in IEEE P1363 form (R then S, big-endian, each as long as the curve's order).
 * False for any other length, a key that is not a public EC key on P-256 or P-384, and whatever OpenSSL refuses.
 */
export function ecdsaVerify(
  hash: "sha256" | "sha384",
  data: Uint8Array,
  signature: Uint8Array,
  key: KeyObject,
): boolean {
  if (key.type !== "public" || key.asymmetricKeyType !== "ec") return false;
  const octets = numberBytes[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (octets === undefined || signature.length !== 2 * octets) return false;
  try {
    return verify(hash, data, { key, dsaEncoding: "ieee-p1363" }, signature);
  } catch {
    return false;
  }
}
