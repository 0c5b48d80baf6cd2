/** ID block and ID authentication page (SEV-SNP ABI 56860, SNP_LAUNCH_FINISH; notes 10.8): who may launch what. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { allZero } from "../../../bytes/hex.ts";
import { Reader } from "../../../bytes/reader.ts";
import { ecdsaVerify, p384SignatureFromAmd } from "../../../crypto/ecdsa.ts";
import { malformed, unsupported } from "../../../errors.ts";
import { sha384 } from "./page.ts";

const code = "id-block-malformed";
export const idBlockSize = 96;
export const idAuthSize = 4096;
const keySize = 0x404;
const curveP384 = 2;

export interface IdBlock {
  /** Launch digest, 48 bytes. */
  readonly ld: Uint8Array;
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  /** Of the structure; 1. */
  readonly version: number;
  readonly guestSvn: number;
  readonly policy: bigint;
  /** The 96 bytes: what ID_BLOCK_SIG covers. */
  readonly raw: Uint8Array;
}
interface Signature {
  /** Little-endian, 72 bytes each. */
  readonly r: Uint8Array;
  readonly s: Uint8Array;
}
export interface IdAuth {
  readonly idBlockSig: Signature;
  /** The 0x404 bytes: what ID_KEY_SIG covers, and what ID_KEY_DIGEST is the SHA-384 of. */
  readonly idKey: Uint8Array;
  /** Undefined where there is none. */
  readonly author: { readonly idKeySig: Signature; readonly key: Uint8Array } | undefined;
}

/** @throws PmError PM_EVIDENCE_MALFORMED id-block-malformed; PM_EVIDENCE_UNSUPPORTED for another version */
export function decodeIdBlock(bytes: Uint8Array): IdBlock {
  if (bytes.length !== idBlockSize)
    throw malformed(`ID block: ${idBlockSize} bytes wanted, ${bytes.length} given`, code);
  const r = new Reader(bytes, code);
  const block = {
    ld: r.bytes(48, "LD"),
    familyId: r.bytes(16, "FAMILY_ID"),
    imageId: r.bytes(16, "IMAGE_ID"),
    version: r.u32le("VERSION"),
    guestSvn: r.u32le("GUEST_SVN"),
    policy: r.u64le("POLICY"),
    raw: new Uint8Array(bytes),
  };
  if (block.version !== 1) throw unsupported(`ID block: version ${block.version}, 1 is known`, code);
  return block;
}

/** @throws PmError PM_EVIDENCE_MALFORMED id-block-malformed; PM_EVIDENCE_UNSUPPORTED for another algorithm */
export function decodeIdAuth(bytes: Uint8Array): IdAuth {
  if (bytes.length !== idAuthSize) throw malformed(`ID auth: ${idAuthSize} bytes wanted, ${bytes.length} given`, code);
  const r = new Reader(bytes, code);
  const [idAlgorithm, authorAlgorithm] = [r.u32le("ID_KEY_ALGO"), r.u32le("AUTHOR_KEY_ALGO")];
  if (idAlgorithm !== 1 || authorAlgorithm > 1)
    throw unsupported(`ID auth: algorithms ${idAlgorithm} and ${authorAlgorithm}; 1 (ECDSA P-384) is known`, code);
  r.zeros(56, "ID auth reserved 0x08");
  const idBlockSig = decodeSignature(r, "ID_BLOCK_SIG");
  const idKey = r.bytes(keySize, "ID_KEY");
  r.zeros(60, "ID auth reserved 0x644");
  const sigBytes = r.bytes(512, "ID_KEY_SIG");
  const key = r.bytes(keySize, "AUTHOR_KEY");
  r.zeros(892, "ID auth reserved 0xc84");
  r.end("ID auth");
  // Older Contrast releases name an algorithm and leave key and signature empty.
  const empty = allZero(sigBytes) && allZero(key);
  if (authorAlgorithm === 0 && !empty)
    throw malformed("ID auth: AUTHOR_KEY_ALGO is 0, but there is an author key or signature", code);
  const author = empty ? undefined : { idKeySig: decodeSignature(new Reader(sigBytes, code), "ID_KEY_SIG"), key };
  return { idBlockSig, idKey, author };
}

function decodeSignature(r: Reader, field: string): Signature {
  const signature = { r: r.bytes(72, `${field}.R`), s: r.bytes(72, `${field}.S`) };
  r.zeros(368, `${field} padding`);
  return signature;
}

/** AMD's public key form: u32 curve, QX and QY little-endian in 72 bytes each, zeros. @throws PmError id-block-malformed */
function publicKey(form: Uint8Array, field: string): KeyObject {
  const r = new Reader(form, code);
  const curve = r.u32le(`${field} curve`);
  if (curve !== curveP384) throw unsupported(`${field}: curve ${curve}, ${curveP384} (P-384) is known`, code);
  const coordinate = (name: string): string => {
    const value = r.bytes(48, name);
    r.zeros(24, `${name}, above 384 bits`);
    return Buffer.from(value).reverse().toString("base64url");
  };
  const [x, y] = [coordinate(`${field} QX`), coordinate(`${field} QY`)];
  r.zeros(0x370, `${field} padding`);
  try {
    return createPublicKey({ key: { kty: "EC", crv: "P-384", x, y }, format: "jwk" });
  } catch {
    throw malformed(`${field}: no point on P-384`, code);
  }
}

const verifies = (data: Uint8Array, { r, s }: Signature, key: KeyObject): boolean => {
  const signature = p384SignatureFromAmd(r, s);
  return signature !== undefined && ecdsaVerify("sha384", data, signature, key);
};

/** ID_BLOCK_SIG is the ID key's over the 96 bytes. @throws PmError id-block-malformed for a key that is none */
export const signedByIdKey = (block: IdBlock, { idBlockSig, idKey }: IdAuth): boolean =>
  verifies(block.raw, idBlockSig, publicKey(idKey, "ID_KEY"));

/** ID_KEY_SIG is the author key's over the ID key; undefined without an author. @throws PmError id-block-malformed */
export const signedByAuthor = ({ idKey, author }: IdAuth): boolean | undefined =>
  author === undefined ? undefined : verifies(idKey, author.idKeySig, publicKey(author.key, "AUTHOR_KEY"));

/** ID_KEY_DIGEST of the reports of a guest launched with this page. */
export const idKeyDigestOf = ({ idKey }: IdAuth): Uint8Array => sha384(idKey);
/** AUTHOR_KEY_DIGEST; undefined without an author. */
export const authorKeyDigest = ({ author }: IdAuth): Uint8Array | undefined =>
  author === undefined ? undefined : sha384(author.key);
