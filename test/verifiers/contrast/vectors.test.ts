/** Digests that Contrast's clients compute; vectors are of public test data and of our own, checked with other tools. */
import { expect, it } from "vitest";
import { hex } from "../../../src/bytes/hex.ts";
import { latestTransition, transitions } from "../../../src/verifiers/contrast/history.ts";
import { guestPolicyBits, idBlock, idKeyDigest } from "../../../src/verifiers/contrast/idkey.ts";
import type { GuestPolicy } from "../../../src/verifiers/contrast/model.ts";
import { withDigest } from "../../../src/verifiers/contrast/reportdata.ts";
import { describeEvidence, evidenceJson } from "../../evidence.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const noBits: GuestPolicy = {
  abiMinor: 0,
  abiMajor: 0,
  smt: false,
  migrateMa: false,
  debug: false,
  singleSocket: false,
  cxlAllowed: false,
  memAes256Xts: false,
  raplDis: false,
  cipherTextHidingDram: false,
  pageSwapDisable: false,
};

it("an empty history has no transition", () => {
  expect(latestTransition([])).toBeUndefined();
});
it("the first transition follows 32 zero bytes, and order matters", () => {
  const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
  expect(hex(transitions([a])[0]?.previous ?? a)).toBe("00".repeat(32));
  expect(latestTransition([a, b])).not.toEqual(latestTransition([b, a]));
});
it.each([
  ["smt", 0x30000n],
  ["migrateMa", 0x60000n],
  ["debug", 0xa0000n],
  ["singleSocket", 0x120000n],
  ["cxlAllowed", 0x220000n],
  ["memAes256Xts", 0x420000n],
  ["raplDis", 0x820000n],
  ["cipherTextHidingDram", 0x1020000n],
  ["pageSwapDisable", 0x2020000n],
] as const)("GuestPolicy %s is bit %s beside the reserved one", (name, bits) => {
  expect(guestPolicyBits({ ...noBits, [name]: true })).toBe(bits);
});
it("GuestPolicy holds the ABI version in its low bytes", () => {
  expect(guestPolicyBits({ ...noBits, abiMajor: 1, abiMinor: 0x37 })).toBe(0x20137n);
});

describeEvidence("vectors", () => {
  it("transitions.json", () => {
    type Vector = { manifests_b64: string[]; chain: Record<string, string>[]; latest_transition: string };
    const vectors = evidenceJson<Vector[]>("contrast/transitions.json");
    expect(vectors.length).toBeGreaterThan(0);
    for (const v of vectors) {
      const chain = transitions(v.manifests_b64.map((m) => new Uint8Array(Buffer.from(m, "base64"))));
      expect(
        chain.map((t) => ({ manifest_sha256: hex(t.manifest), previous: hex(t.previous), transition: hex(t.digest) })),
      ).toEqual(v.chain);
      expect(hex(chain.at(-1)?.digest ?? new Uint8Array())).toBe(v.latest_transition);
    }
  });
  it("reportdata-golden.json, both forms", () => {
    const v = evidenceJson<Record<string, string>>("contrast/reportdata-golden.json");
    const at = (name: string): string => v[name] ?? "";
    const input = {
      nonce: bytes(at("nonce")),
      transition: bytes(at("transition_digest")),
      rootCa: new TextEncoder().encode(at("root_ca")),
      meshCa: new TextEncoder().encode(at("mesh_ca")),
    };
    expect(hex(withDigest(input, undefined))).toBe(at("legacy_report_data"));
    expect(hex(withDigest(input, bytes(at("capabilities_digest"))))).toBe(at("v1_report_data"));
  });
  it("idkey-vectors.json", () => {
    type Vector = { launch_digest: string; guest_policy_u64: string; id_block: string; id_key_digest: string };
    const vectors = evidenceJson<Vector[]>("contrast/idkey-vectors.json");
    expect(vectors.length).toBeGreaterThan(0);
    for (const v of vectors) {
      const [measurement, policy] = [bytes(v.launch_digest), BigInt(v.guest_policy_u64)];
      expect(hex(idBlock(measurement, policy))).toBe(v.id_block);
      expect(hex(idKeyDigest(measurement, policy))).toBe(v.id_key_digest);
    }
  });
});
