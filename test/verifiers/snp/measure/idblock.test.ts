/** ID blocks and authentication pages: made with fresh keys, with Contrast's fixed signature, and those of the evidence. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fromHex, hex } from "../../../../src/bytes/hex.ts";
import { PmError } from "../../../../src/errors.ts";
import { policyOfWords } from "../../../../src/facts/recovered-key.ts";
import { idBlock, idKeyDigest, recoveredIdKey } from "../../../../src/verifiers/contrast/idkey.ts";
import {
  authorKeyDigest,
  decodeIdAuth,
  decodeIdBlock,
  idKeyDigestOf,
  signedByAuthor,
  signedByIdKey,
} from "../../../../src/verifiers/snp/measure/index.ts";
import { sha384 } from "../../../../src/verifiers/snp/measure/page.ts";
import { describeEvidence, evidenceJson } from "../../../evidence.ts";

const keyPair = () => generateKeyPairSync("ec", { namedCurve: "P-384" });
const reversed = (text: string): Buffer => Buffer.from(text, "base64url").reverse();
function keyForm(key: KeyObject): Uint8Array {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const form = new Uint8Array(0x404);
  form[0] = 2;
  form.set(reversed(x), 4);
  form.set(reversed(y), 0x4c);
  return form;
}
function signatureForm(data: Uint8Array, key: KeyObject): Uint8Array {
  const raw = sign("sha384", data, { key, dsaEncoding: "ieee-p1363" });
  const form = new Uint8Array(512);
  form.set(raw.subarray(0, 48).reverse());
  form.set(raw.subarray(48).reverse(), 72);
  return form;
}
function authPage(block: Uint8Array): Uint8Array {
  const [id, author] = [keyPair(), keyPair()];
  const page = new Uint8Array(4096);
  page[0] = 1;
  page[4] = 1;
  const idKey = keyForm(id.publicKey);
  page.set(signatureForm(block, id.privateKey), 0x40);
  page.set(idKey, 0x240);
  page.set(signatureForm(idKey, author.privateKey), 0x680);
  page.set(keyForm(author.publicKey), 0x880);
  return page;
}
const block = idBlock(new Uint8Array(48).fill(7), 0x30000n);
const page = authPage(block);
const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

describe("an ID block with its authentication page", () => {
  it("is signed by its ID key, and that by the author key", () => {
    const auth = decodeIdAuth(page);
    expect(signedByIdKey(decodeIdBlock(block), auth)).toBe(true);
    expect(signedByAuthor(auth)).toBe(true);
    expect(hex(idKeyDigestOf(auth))).toBe(hex(sha384(page.slice(0x240, 0x644))));
    expect(hex(authorKeyDigest(auth) ?? new Uint8Array())).toBe(hex(sha384(page.slice(0x880, 0xc84))));
  });
  it("is not, with one bit of either changed", () => {
    for (const at of [0, 47, 48, 64, 84, 88, 95])
      expect(signedByIdKey(decodeIdBlock(flipped(block, at)), decodeIdAuth(page))).toBe(false);
    expect(signedByIdKey(decodeIdBlock(block), decodeIdAuth(flipped(page, 0x40)))).toBe(false);
    expect(signedByAuthor(decodeIdAuth(flipped(page, 0x680)))).toBe(false);
  });
  it.each([
    ["a block of 95 bytes", () => decodeIdBlock(block.slice(1))],
    ["a block of version 2", () => decodeIdBlock(flipped(flipped(block, 80), 81))],
    ["a page of 4095 bytes", () => decodeIdAuth(page.slice(1))],
    ["another algorithm", () => decodeIdAuth(flipped(page, 0))],
    ["an author without an algorithm", () => decodeIdAuth(flipped(page, 4))],
    ...[0x08, 0x3f, 0x40 + 144, 0x23f, 0x644, 0x67f, 0xc84, 0xfff].map(
      (at) => [`reserved byte ${at}`, () => decodeIdAuth(flipped(page, at))] as const,
    ),
    ["another curve", () => signedByIdKey(decodeIdBlock(block), decodeIdAuth(flipped(page, 0x240)))],
    ["a point off the curve", () => signedByIdKey(decodeIdBlock(block), decodeIdAuth(flipped(page, 0x244)))],
  ] as const)("refuses %s", (_, call) => {
    expect(call).toThrow(PmError);
  });
  it("holds under Contrast's fixed signature, with the recovered key and no author", () => {
    const contrast = new Uint8Array(4096);
    contrast[0] = 1;
    contrast[0x40] = 2; // R
    contrast[0x40 + 72] = 1; // S
    contrast.set(recoveredIdKey(block), 0x240);
    const auth = decodeIdAuth(contrast);
    expect(signedByIdKey(decodeIdBlock(block), auth)).toBe(true);
    expect(signedByAuthor(auth)).toBeUndefined();
    expect(hex(idKeyDigestOf(auth))).toBe(hex(idKeyDigest(new Uint8Array(48).fill(7), 0x30000n)));
  });
});

describe("a policy in words", () => {
  it.each([
    ["", 0x20000n],
    ["smt", 0x30000n],
    ["smt,page-swap-disable", 0x2030000n],
    ["abi=0.31,smt", 0x3001fn],
    ["abi=1.2,debug", 0xa0102n],
  ] as const)("%j", (words, bits) => expect(policyOfWords(words)).toBe(bits));
  it.each(["smt,smt", "SMT", "abi=1", "abi=0.256", "abi=0.1,abi=0.1", "swap"])("refuses %j", (words) => {
    expect(() => policyOfWords(words)).toThrow(PmError);
  });
});

describeEvidence("ID keys and blocks of the evidence", () => {
  const file = evidenceJson("snp/measure/vectors.json") as {
    readonly contrastIdKey: readonly {
      readonly id: string;
      readonly launchDigest: string;
      readonly policy: string;
      readonly familyId: string;
      readonly imageId: string;
      readonly guestSvn: number;
      readonly idKeyX?: string;
      readonly idKeyY?: string;
      readonly idKeyDigest?: string;
      readonly idKeyXLittleEndian48?: string;
      readonly idKeyYLittleEndian48?: string;
    }[];
    readonly idBlock: readonly {
      readonly launchDigest: string;
      readonly policy: string;
      readonly guestSvn: number;
      readonly idBlockBase64: string;
    }[];
  };
  it.each(file.contrastIdKey.map((v) => [v.id, v] as const))("recovers the key of %s", (_, v) => {
    const bytes = idBlock(fromHex(v.launchDigest, 48, "LD"), BigInt(v.policy));
    bytes.set(fromHex(v.familyId, 16, "family"), 48);
    bytes.set(fromHex(v.imageId, 16, "image"), 64);
    expect(decodeIdBlock(bytes)).toMatchObject({ guestSvn: v.guestSvn, policy: BigInt(v.policy) });
    const form = recoveredIdKey(bytes);
    const little = (big: string | undefined): string | undefined =>
      big === undefined ? undefined : Buffer.from(big, "hex").reverse().toString("hex");
    expect(hex(form.slice(4, 52))).toBe(v.idKeyXLittleEndian48 ?? little(v.idKeyX));
    expect(hex(form.slice(0x4c, 0x4c + 48))).toBe(v.idKeyYLittleEndian48 ?? little(v.idKeyY));
    if (v.idKeyDigest !== undefined) expect(hex(sha384(form))).toBe(v.idKeyDigest);
  });
  it("reads an ID block made elsewhere", () => {
    for (const v of file.idBlock) {
      const read = decodeIdBlock(new Uint8Array(Buffer.from(v.idBlockBase64, "base64")));
      expect([hex(read.ld), read.policy, read.guestSvn]).toEqual([v.launchDigest, BigInt(v.policy), v.guestSvn]);
    }
  });
  it("gives Contrast's ID key digests", () => {
    const vectors = evidenceJson("contrast/idkey-vectors.json") as readonly {
      readonly launch_digest: string;
      readonly guest_policy_u64: string;
      readonly id_block: string;
      readonly id_key_digest: string;
    }[];
    for (const v of vectors) {
      const ld = fromHex(v.launch_digest, 48, "LD");
      expect(hex(idBlock(ld, BigInt(v.guest_policy_u64)))).toBe(v.id_block);
      expect(hex(idKeyDigest(ld, BigInt(v.guest_policy_u64)))).toBe(v.id_key_digest);
    }
  });
});
