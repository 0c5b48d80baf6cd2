/** The public key of a secret exchange: drawn here, or chosen by somebody who keeps the private key. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { fromBase64 } from "../bytes/hex.ts";
import { exchangeKeyBytes } from "../chain/exchange-key.ts";
import { PmError, usage } from "../errors.ts";
import { readInput } from "../input.ts";

/** FIPS 203: encapsulation key of ML-KEM-768. */
const mlKemBytes = 1184;
/** RFC 7748. */
const x25519Bytes = 32;

/**
 * A fresh MLKEM768-X25519 public key: the ML-KEM-768 encapsulation key, then the X25519 key. That Privatemode has them in
 * this order is not confirmed. The signature covers the bytes whatever they mean, so no claim rests on it; a service that
 * reads them otherwise refuses. Both private keys are dropped here: nobody can derive the secret.
 */
export function drawExchangeKey(): Uint8Array {
  const mlKem = generateKeyPairSync("ml-kem-768").publicKey;
  const x25519 = generateKeyPairSync("x25519").publicKey;
  return new Uint8Array(Buffer.concat([rawKey(mlKem, mlKemBytes), rawKey(x25519, x25519Bytes)]));
}

/** SubjectPublicKeyInfo ends with the key's bytes, for both algorithms. */
const rawKey = (key: KeyObject, bytes: number): Uint8Array =>
  key.export({ type: "spki", format: "der" }).subarray(-bytes);

/**
 * A file with the 1216 bytes as they are, or in base64 as requests carry them.
 * @throws PmError PM_USAGE
 */
export async function loadExchangeKey(path: string): Promise<Uint8Array> {
  const { name, bytes } = await readInput(path, "a public key", 16 * 1024);
  if (bytes.length === exchangeKeyBytes) return bytes;
  const wrong = `--exchange-public-key: ${name}: not a public key of ${exchangeKeyBytes} bytes, nor its base64`;
  const hint = "MLKEM768-X25519, as a client sends it in PublicKey";
  try {
    const key = fromBase64(Buffer.from(bytes).toString("latin1").trim(), "PublicKey");
    if (key.length === exchangeKeyBytes) return key;
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
  }
  throw usage(wrong, hint);
}
