/** SubjectPublicKeyInfo (RFC 5280 4.1.2.7): which kinds of key pm uses, told by their exact AlgorithmIdentifier. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { hex } from "../bytes/hex.ts";
import { malformed, PmError } from "../errors.ts";
import { type DerReader, decodeWhole, tags } from "./der.ts";

/**
 * Whole AlgorithmIdentifiers, DER. An EC key with explicit curve parameters is none of them: such a key can name a generator
 * of its choice and so match a foreign public point.
 */
const kinds: Readonly<Record<string, "RSA" | "EC P-256" | "EC P-384" | "EC P-521" | "Ed25519">> = {
  "300d06092a864886f70d0101010500": "RSA", // rsaEncryption, NULL (RFC 3279 2.3.1)
  "301306072a8648ce3d020106082a8648ce3d030107": "EC P-256", // id-ecPublicKey, named curve (RFC 5480 2.1.1)
  "301006072a8648ce3d020106052b81040022": "EC P-384",
  "301006072a8648ce3d020106052b81040023": "EC P-521",
  "300506032b6570": "Ed25519", // RFC 8410 3
};
/** Length of the BIT STRING's content: an uncompressed point (RFC 5480 2.2), or the 32 bytes of RFC 8410 4. */
const pointBytes: Readonly<Record<string, number>> = { "EC P-256": 65, "EC P-384": 97, "EC P-521": 133, Ed25519: 32 };

function readSpki(whole: DerReader): { kind: string; known: boolean; key: Uint8Array } {
  const spki = whole.sequence("subjectPublicKeyInfo");
  const { whole: algorithm, inner } = spki.open(tags.sequence, "subjectPublicKeyInfo.algorithm");
  const key = spki.octetsOfBitString("subjectPublicKey");
  spki.end("subjectPublicKeyInfo");
  const kind = kinds[hex(algorithm)];
  return { kind: kind ?? inner.oid("subjectPublicKeyInfo.algorithm"), known: kind !== undefined, key };
}

/** Bits of the modulus and the public exponent, capped (RSAPublicKey, RFC 8017 A.1.1). */
function rsaSize(key: Uint8Array): { bits: number; exponent: number } {
  return decodeWhole(key, "RSAPublicKey", (whole) => {
    const reader = whole.sequence("RSAPublicKey");
    const modulus = reader.integer("modulus");
    const exponent = reader.smallInteger("publicExponent", 2 ** 31 - 1);
    reader.end("RSAPublicKey");
    const first = modulus.findIndex((octet) => octet !== 0);
    if (first < 0 || (modulus[0] ?? 0) >= 0x80) throw malformed("modulus: not positive");
    return { bits: (modulus.length - first) * 8 - Math.clz32(modulus[first] ?? 0) + 24, exponent };
  });
}

/** Kind and size as encoded; never throws. */
export function describeKey(spki: Uint8Array): string {
  try {
    const { kind, known, key } = decodeWhole(spki, "subjectPublicKeyInfo", readSpki);
    if (!known) return `key of algorithm ${kind}`;
    return kind === "RSA" ? `RSA ${rsaSize(key).bits}` : kind;
  } catch (error) {
    if (error instanceof PmError) return "unreadable key";
    throw error;
  }
}

/**
 * Imports a key of a kind in the table: RSA of 2048 to 8192 bits with an odd exponent from 65537 on, an uncompressed point on
 * a named curve, Ed25519.
 * @throws PmError PM_EVIDENCE_MALFORMED otherwise
 */
export function importKey(spki: Uint8Array): KeyObject {
  const { kind, known, key } = decodeWhole(spki, "subjectPublicKeyInfo", readSpki);
  if (!known) throw malformed(`subjectPublicKeyInfo: algorithm ${kind} with these parameters is not used`);
  if (kind === "RSA") {
    const { bits, exponent } = rsaSize(key);
    if (bits < 2048 || bits > 8192) throw malformed(`subjectPublicKeyInfo: RSA key of ${bits} bits`);
    if (exponent < 65537 || exponent % 2 === 0) throw malformed(`subjectPublicKeyInfo: RSA exponent ${exponent}`);
  } else if (key.length !== pointBytes[kind] || (kind !== "Ed25519" && key[0] !== 4))
    throw malformed(`subjectPublicKeyInfo: ${kind} key not in its uncompressed form`);
  try {
    return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  } catch (cause) {
    throw new PmError("PM_EVIDENCE_MALFORMED", `subjectPublicKeyInfo: ${kind} key that cannot be used`, { cause });
  }
}
