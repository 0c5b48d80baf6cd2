/**
 * Privatemode's secret exchange (v1.40.0, POST /privatemode/v1/secret): the bodies of question and answer, and the
 * signature that ties both keys to the mesh certificate. The secret itself is not derived: that needs the private key.
 */
import { createHash, type KeyObject, verify } from "node:crypto";
import { fromBase64, hex } from "../../bytes/hex.ts";
import { type JsonNode, readJson } from "../../bytes/json.ts";
import { type Answers, broken, equal, holds, observed, type Sourced, skip, specified } from "../../claims/answer.ts";
import { type Certificate, publicKeyOf } from "../../crypto/certificate.ts";
import { decodeWhole } from "../../crypto/der.ts";
import { malformed, PmError } from "../../errors.ts";
import { folded } from "./folding.ts";
import type { exchangeQuestions } from "./mesh-claims.ts";

type Exchange = Answers<typeof exchangeQuestions>;

export interface SecretExchange {
  /** HPKE KEM MLKEM768-X25519, 1216 bytes in a right exchange. */
  readonly publicKey: Uint8Array;
  /** 1120 bytes. */
  readonly encapsulatedKey: Uint8Array;
  /** ASN.1 DER. */
  readonly signature: Uint8Array;
  /** DER of the leaf. */
  readonly meshCert: Uint8Array;
}

const reasonCode = "exchange-malformed";
/** Two keys, a signature and a certificate in base64: some 10 KB. */
const maxBytes = 256 * 1024;
const lengths = { PublicKey: 1216, EncapsulatedKey: 1120 } as const;
const document = "Privatemode v1.40.0";
const section = "secret exchange";

/** Go reads names in any letters and takes the last of several: two of one name are refused. */
function member(node: JsonNode, name: string): JsonNode {
  if (node.kind !== "object") throw malformed(`exchange: ${node.at || "/"} is no object`, reasonCode);
  const same = node.members.filter((m) => folded(m.name) === folded(name));
  const [one] = same;
  if (one === undefined || one.name !== name || same.length > 1)
    throw malformed(
      `exchange: ${node.at}/${name} ${same.length === 0 ? "is missing" : "is not there once"}`,
      reasonCode,
    );
  return one.value;
}
function octets(node: JsonNode, name: string): Uint8Array {
  const value = member(node, name);
  if (value.kind !== "string") throw malformed(`exchange: ${value.at} is no text`, reasonCode);
  return fromBase64(value.value, `exchange: ${value.at}`);
}

/**
 * `{"request": {PublicKey}, "response": {EncapsulatedKey, Signature, MeshCert}}`, each in canonical base64; other members
 * are the recorder's notes and are not read.
 * @throws PmError PM_EVIDENCE_MALFORMED
 */
export function decodeExchange(bytes: Uint8Array): SecretExchange {
  const { root } = readJson(bytes, { what: "exchange", reasonCode, maxBytes });
  const [request, response] = [member(root, "request"), member(root, "response")];
  return {
    publicKey: octets(request, "PublicKey"),
    encapsulatedKey: octets(response, "EncapsulatedKey"),
    signature: octets(response, "Signature"),
    meshCert: octets(response, "MeshCert"),
  };
}

/**
 * The body of an answer to a public key of ours: `{EncapsulatedKey, Signature, MeshCert}`.
 * @throws PmError PM_EVIDENCE_MALFORMED
 */
export function decodeAnswer(publicKey: Uint8Array, bytes: Uint8Array): SecretExchange {
  const { root } = readJson(bytes, { what: "exchange", reasonCode, maxBytes });
  return {
    publicKey,
    encapsulatedKey: octets(root, "EncapsulatedKey"),
    signature: octets(root, "Signature"),
    meshCert: octets(root, "MeshCert"),
  };
}

/** The exchange, or what its format claim says. */
export type ReadExchange =
  | { readonly exchange: SecretExchange; readonly format: Exchange["contrast.exchange.format"] }
  | { readonly reason: string };

/** @param decode one of the two decoders */
export function readExchange(decode: () => SecretExchange): ReadExchange {
  try {
    const exchange = decode();
    const members = "PublicKey, EncapsulatedKey, Signature, MeshCert";
    return {
      exchange,
      format: holds(
        exchange.meshCert.length > 0 && exchange.signature.length > 0,
        specified(`${members}, none empty`, document, section),
        observed(
          `${members}: ${[exchange.publicKey, exchange.encapsulatedKey, exchange.signature, exchange.meshCert].map((b) => b.length).join(", ")} bytes`,
          "exchange",
          "/request, /response",
        ),
        reasonCode,
      ),
    };
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { reason: error.message };
  }
}

export function keyLengths(exchange: SecretExchange): Exchange["contrast.exchange.lengths"] {
  const text = (publicKey: number, encapsulated: number): string =>
    `PublicKey ${publicKey} bytes, EncapsulatedKey ${encapsulated} bytes`;
  return equal(
    specified(text(lengths.PublicKey, lengths.EncapsulatedKey), document, section),
    observed(text(exchange.publicKey.length, exchange.encapsulatedKey.length), "exchange", "/request, /response"),
    "exchange-length",
  );
}

/** @param expected lower-case hex of SHA-256 over the public key that the auditor drew */
export function publicKeyIs(
  { publicKey }: SecretExchange,
  expected: Sourced | undefined,
): Exchange["contrast.exchange.public_key"] {
  if (expected === undefined) return skip("no reference value given");
  const actual = hex(createHash("sha256").update(publicKey).digest());
  return equal(expected, observed(actual, "exchange", "SHA-256 of /request/PublicKey"), "exchange-public-key");
}

/** ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } (RFC 3279 2.2.3), both positive, in strict DER. */
function formProblem(signature: Uint8Array): string | undefined {
  try {
    decodeWhole(signature, "Signature", (whole) => {
      const pair = whole.sequence("Signature");
      for (const name of ["r", "s"]) {
        const [first, second] = pair.integer(name);
        if ((first ?? 0x80) >= 0x80 || (first === 0 && second === undefined)) throw malformed(`${name}: not positive`);
      }
      pair.end("Signature");
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return error.message;
  }
}

function verifies(data: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  if (key.asymmetricKeyType !== "ec") return false;
  try {
    return verify("sha256", data, { key, dsaEncoding: "der" }, signature);
  } catch {
    // OpenSSL reports some signatures as errors; whatever it says, the signature did not verify.
    return false;
  }
}

/** @param leaf a certificate whose path to the mesh CA passed: its key speaks for the workload */
export function exchangeSignature(
  exchange: SecretExchange,
  leaf: Certificate,
): Exchange["contrast.exchange.signature"] {
  const { publicKey, encapsulatedKey, signature } = exchange;
  const problem = formProblem(signature);
  if (problem !== undefined) return broken(problem, "exchange-signature-form");
  const data = new Uint8Array(Buffer.concat([publicKey, encapsulatedKey]));
  const sha256 = (bytes: Uint8Array): string => hex(createHash("sha256").update(bytes).digest());
  const valid = verifies(data, signature, publicKeyOf(leaf));
  const by = `by the key with SHA-256 ${sha256(leaf.spki)}`;
  return holds(
    valid,
    {
      value: `signature over SHA-256 ${sha256(data)} ${by}`,
      origin: { kind: "recomputed", name: "SHA-256 over PublicKey and EncapsulatedKey" },
    },
    observed(
      valid ? `signature over SHA-256 ${sha256(data)} ${by}` : `signature ${hex(signature)}, not ${by} over these keys`,
      "exchange",
      "/response/Signature",
    ),
    "exchange-signature",
  );
}

/** Name of the secret at the service: base64 of SHA-256 over the public key. */
export const secretIdOf = ({ publicKey }: SecretExchange): string =>
  createHash("sha256").update(publicKey).digest("base64");
