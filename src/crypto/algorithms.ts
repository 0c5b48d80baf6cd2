/**
 * Signature algorithms of certificates and CRLs, told by the exact bytes of their AlgorithmIdentifier. Comparing whole
 * encodings leaves no parameters to interpret: another hash, salt length or mask function is simply not in the table.
 */
import { constants, type KeyObject, verify } from "node:crypto";
import { hex } from "../bytes/hex.ts";
import { PmError } from "../errors.ts";
import { type Certificate, publicKeyOf } from "./certificate.ts";

export type SignatureAlgorithm =
  | "rsa-pss-sha384"
  | "rsa-pkcs1-sha256"
  | "rsa-pkcs1-sha384"
  | "ecdsa-sha256"
  | "ecdsa-sha384";

/** RSASSA-PSS, SHA-384, MGF1 with SHA-384, salt length 48 (RFC 4055 3.1), without and with the trailer field. */
const pss = (length: string, parameters: string, trailer: string) =>
  `30${length}06092a864886f70d01010a30${parameters}a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130${trailer}`;

const byEncoding: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  [pss("41", "34", ""), "rsa-pss-sha384"],
  // Not DER, since 1 is the default of trailerField, but AMD's certificates until about 2024 have it (snp.md 4.3).
  [pss("46", "39", "a303020101"), "rsa-pss-sha384"],
  ["300d06092a864886f70d01010b0500", "rsa-pkcs1-sha256"], // RFC 4055 5
  ["300d06092a864886f70d01010c0500", "rsa-pkcs1-sha384"],
  ["300a06082a8648ce3d040302", "ecdsa-sha256"], // RFC 5758 3.2
  ["300a06082a8648ce3d040303", "ecdsa-sha384"],
]);

/** The algorithm of a raw AlgorithmIdentifier; undefined when pm does not know exactly these bytes. */
export const signatureAlgorithm = (algorithm: Uint8Array): SignatureAlgorithm | undefined =>
  byEncoding.get(hex(algorithm));

function verifies(algorithm: SignatureAlgorithm, tbs: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  const hash = algorithm.endsWith("sha256") ? "sha256" : "sha384";
  // The key's own kind decides in node:crypto which scheme runs, so it must be the one that the algorithm names.
  if (key.asymmetricKeyType !== (algorithm.startsWith("ecdsa") ? "ec" : "rsa")) return false;
  switch (algorithm) {
    case "rsa-pss-sha384":
      return verify(hash, tbs, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }, signature);
    case "rsa-pkcs1-sha256":
    case "rsa-pkcs1-sha384":
      return verify(hash, tbs, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
    case "ecdsa-sha256":
    case "ecdsa-sha384":
      // DER is what a bare key stands for; naming it in an object costs a fifth of the verification (Node 24, P-256).
      return verify(hash, tbs, key, signature);
  }
}

/**
 * Does `signature` over the raw bytes `tbs` verify with the issuer's key? `algorithm` is the raw AlgorithmIdentifier.
 * Answers about the signature only; the issuer's right to sign is the caller's question.
 * @returns "algorithm" when it is unknown or not in `allowed`; "invalid" also when the key is unusable or of another kind
 */
export function verifySignature(
  tbs: Uint8Array,
  algorithm: Uint8Array,
  signature: Uint8Array,
  issuer: Certificate,
  allowed: readonly SignatureAlgorithm[],
): "valid" | "invalid" | "algorithm" {
  const known = signatureAlgorithm(algorithm);
  if (known === undefined || !allowed.includes(known)) return "algorithm";
  let key: KeyObject;
  try {
    key = publicKeyOf(issuer);
  } catch (error) {
    if (error instanceof PmError) return "invalid";
    throw error;
  }
  try {
    return verifies(known, tbs, signature, key) ? "valid" : "invalid";
  } catch {
    // OpenSSL reports some malformed signatures as errors; whatever it says, the signature did not verify.
    return "invalid";
  }
}
