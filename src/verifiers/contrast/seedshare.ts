/**
 * SeedshareOwnerPubKeys of a manifest that was made anew (Contrast v1.20): in an empty folder the CLI makes a key of its
 * own, so without a supplied key that one member differs in each run and is compared apart.
 */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { hex } from "../../bytes/hex.ts";
import { type JsonObject, member, readJson, repeated } from "../../bytes/json.ts";
import { type Answers, cannot, equal, type Sourced, skip } from "../../claims/answer.ts";
import { malformed, PmError } from "../../errors.ts";
import type { GenerateInput } from "./generate.ts";
import type { generated } from "./generate-claims.ts";

type A = Answers<typeof generated>;
const field = "SeedshareOwnerPubKeys";
const maxManifestBytes = 4 * 1024 * 1024;

/**
 * An RSA public key as PEM (SubjectPublicKeyInfo or PKCS#1), as the manifest writes it: hex of PKCS#1 DER.
 * @throws PmError PM_EVIDENCE_MALFORMED for anything else, above all for a private key
 */
export function seedshareKeyHex(pem: Uint8Array, name: string): string {
  const text = Buffer.from(pem).toString("latin1");
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map((m) => m[1] ?? "");
  if (blocks.some((b) => b.includes("PRIVATE")))
    throw malformed(`${name}: holds a private key; only its public part belongs here`);
  if (blocks.length !== 1 || !["PUBLIC KEY", "RSA PUBLIC KEY"].includes(blocks[0] ?? ""))
    throw malformed(`${name}: not one public key as PEM`);
  let key: KeyObject;
  try {
    key = createPublicKey({ key: text, format: "pem" });
  } catch {
    throw malformed(`${name}: a public key that cannot be read`);
  }
  if (key.asymmetricKeyType !== "rsa") throw malformed(`${name}: not an RSA key, as seed share owners have`);
  // Node 24 cannot write a key as PKCS#1 that it read as PKCS#1; by way of JWK it can.
  const plain = createPublicKey({ key: key.export({ format: "jwk" }), format: "jwk" });
  return hex(plain.export({ type: "pkcs1", format: "der" }));
}

export function seedshareOwners(
  manifest: Uint8Array,
  { seedshareKey, expected, maker }: GenerateInput,
): A["contrast.generate.seedshare"] {
  if (seedshareKey === undefined)
    return expected === undefined
      ? skip("no seed share key and no manifest to compare with was given")
      : cannot(`no key was supplied, so ${field} of ${expected.name} was compared with nothing`, "seedshare-apart");
  const owners = member(topLevel(manifest, "generated manifest"), field);
  const found =
    owners?.kind === "array" ? owners.items.map((i) => (i.kind === "string" ? i.value.toLowerCase() : "")) : [];
  return equal(
    { ...seedshareKey, value: JSON.stringify([seedshareKey.value]) },
    { value: JSON.stringify(found), origin: maker, at: `/${field}` },
    "seedshare-differs",
  );
}

export function comparedManifest(
  manifest: Uint8Array,
  { seedshareKey, expected, maker }: GenerateInput,
): A["contrast.generate.equal"] {
  if (expected === undefined) return skip("no manifest to compare with was given");
  const held: Sourced["origin"] = { kind: "pinned", file: expected.name, sha256: expected.sha256 };
  if (seedshareKey !== undefined)
    return equal(
      { value: sha256(manifest), origin: maker },
      { value: expected.sha256, origin: held },
      "generated-differs",
    );
  try {
    return equal(
      { value: apart(manifest, "generated manifest"), origin: maker },
      { value: apart(expected.bytes, expected.name), origin: held },
      "generated-differs",
    );
  } catch (error) {
    if (error instanceof PmError) return cannot(error.message);
    throw error;
  }
}

const sha256 = (bytes: Uint8Array | string): string => hex(createHash("sha256").update(bytes).digest());

/** Of every byte but those of the one value. */
const apart = (bytes: Uint8Array, name: string): string =>
  `${sha256(withoutValue(bytes, name))}, SHA-256 of the bytes without the value of ${field}`;

/** The text with nothing in the place of the value: everything else keeps its bytes. */
function withoutValue(bytes: Uint8Array, name: string): string {
  const root = topLevel(bytes, name);
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const index = root.members.findIndex((m) => m.name === field);
  const found = root.members[index];
  if (found === undefined) return text;
  // Up to the next member or the object's end; what follows the value there is white space and a comma.
  let end = root.members[index + 1]?.offset ?? text.lastIndexOf("}");
  while (end > found.value.offset && " \t\r\n,".includes(text.charAt(end - 1))) end--;
  return text.slice(0, found.value.offset) + text.slice(end);
}

/** @throws PmError PM_EVIDENCE_MALFORMED for what is not one object with each member once */
function topLevel(bytes: Uint8Array, name: string): JsonObject {
  const { root } = readJson(bytes, { what: name, maxBytes: maxManifestBytes });
  if (root.kind !== "object" || repeated(root).length > 0)
    throw malformed(`${name}: not one object with each member once`);
  return root;
}
