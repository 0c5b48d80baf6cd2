/** AMD's own chains: compatibility with real certificates, and the leaf relaxations switched off one at a time. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hex } from "../../src/bytes/hex.ts";
import {
  type Certificate,
  commonName,
  decodeCertificate,
  decodeCertificates,
  keyDescription,
} from "../../src/crypto/certificate.ts";
import { type PathProfile, validatePath, verifySignature } from "../../src/crypto/path.ts";
import { describeEvidence, evidence, evidenceDir, evidencePath } from "../evidence.ts";

const amd: PathProfile = {
  algorithms: ["rsa-pss-sha384"],
  keys: ["EC P-384", "RSA 4096", "RSA 4096"],
  length: 3,
  leaf: { serialZero: true, withoutKeyIdentifiers: true },
};
const der = (path: string): Certificate => decodeCertificate(evidence(`snp/${path}`));
const veks =
  evidenceDir === undefined
    ? []
    : readdirSync(evidencePath("snp/real")).filter((file) => /\.v[cl]ek.*\.der$/.test(file));

function chainOf(vek: Certificate): readonly [Certificate, Certificate, Certificate] {
  const issuer = commonName(vek.issuer) ?? "";
  const [, vlek, line] = /^SEV-(VLEK-)?(Milan|Genoa|Turin)$/.exec(issuer) ?? [];
  if (line === undefined) throw new Error(`issuer ${issuer}`);
  return [
    vek,
    der(`roots/${line.toLowerCase()}-${vlek ? "asvk" : "ask"}.der`),
    der(`roots/${line.toLowerCase()}-ark.der`),
  ];
}
const middle = (vek: Certificate): Date => new Date((vek.notBefore.getTime() + vek.notAfter.getTime()) / 2);
const judge = (path: readonly Certificate[], at: Date, profile = amd): string[] => {
  const root = path[path.length - 1];
  if (root === undefined) throw new Error("empty path");
  return validatePath(path, root, at, profile).map((p) => `${p.rule}@${p.certificate}`);
};

describeEvidence("AMD certificate chains", () => {
  it.each(veks)("%s chains to the root of its line", (file) => {
    const vek = der(`real/${file}`);
    expect(["SEV-VCEK", "SEV-VLEK"]).toContain(commonName(vek.subject));
    const path = chainOf(vek);
    expect(path.map(keyDescription)).toEqual(amd.keys);
    expect(judge(path, middle(vek))).toEqual([]);
  });

  it("come in both encodings of the same PSS parameters, and both verify", () => {
    const encodings = new Set(veks.map((file) => hex(der(`real/${file}`).signatureAlgorithm).length / 2));
    expect(encodings).toEqual(new Set([67, 72]));
  });

  it("need both leaf relaxations, each alone is not enough", () => {
    const path = chainOf(der("real/turin-v5.vcek.der"));
    const at = middle(path[0]);
    const { leaf: _, ...strict } = amd;
    expect(judge(path, at, strict)).toEqual(["serial-zero@0", "aki-missing@0"]);
    expect(judge(path, at, { ...strict, leaf: { serialZero: true } })).toEqual(["aki-missing@0"]);
    expect(judge(path, at, { ...strict, leaf: { withoutKeyIdentifiers: true } })).toEqual(["serial-zero@0"]);
  });

  it("fail with another algorithm allowed, another line's root, without the intermediate, or in another order", () => {
    const [vek, ask, ark] = chainOf(der("real/genoa-v3-tinfoil.vcek.der"));
    const at = middle(vek);
    expect(judge([vek, ask, ark], at, { ...amd, algorithms: ["rsa-pkcs1-sha384"] })).toEqual([
      "algorithm@0",
      "algorithm@1",
      "algorithm@2",
    ]);
    const turin = der("roots/turin-ark.der");
    expect(validatePath([vek, ask, ark], turin, at, amd).map((p) => p.rule)).toEqual(["root"]);
    expect(judge([vek, ask, turin], at)).toEqual(["name@1", "aki-mismatch@1", "signature@1"]);
    expect(judge([vek, der("roots/genoa-asvk.der"), ark], at)).toEqual(["name@0", "signature@0"]);
    expect(judge([vek, ark], at)).toContain("signature@0");
    expect(judge([vek, ark, ask], at)).toContain("anchor-not-self-signed@2");
  });

  it("fail for each bit flipped in signature or signed bytes of the VCEK, sampled", () => {
    const [vek, ask] = chainOf(der("real/milan-v3-azure.vcek.der"));
    const verdict = (tbs: Uint8Array, signature: Uint8Array) =>
      verifySignature(tbs, vek.signatureAlgorithm, signature, ask, amd.algorithms);
    expect(verdict(vek.tbs, vek.signature)).toBe("valid");
    for (let bit = 0; bit < vek.tbs.length * 8; bit += 61) {
      const tbs = Uint8Array.from(vek.tbs);
      tbs[bit >> 3] = (tbs[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verdict(tbs, vek.signature)).toBe("invalid");
    }
    for (let bit = 0; bit < vek.signature.length * 8; bit += 61) {
      const signature = Uint8Array.from(vek.signature);
      signature[bit >> 3] = (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verdict(vek.tbs, signature)).toBe("invalid");
    }
    for (const length of [0, 1, 511, 513]) {
      const signature = new Uint8Array(length);
      signature.set(vek.signature.subarray(0, length));
      expect(verdict(vek.tbs, signature)).toBe("invalid");
    }
  });

  it.each(["invalid-milan-vcek-badsig.der", "invalid-milan-vcek-hwid-octetstring.der"])(
    "%s: signature only",
    (file) => {
      const path = chainOf(der(`certs/${file}`));
      expect(judge(path, middle(path[0]))).toEqual(["signature@0"]);
    },
  );

  it.each(["genoa-vcek.der", "milan-vlek-useast.der", "turin-vcek-fmc0.der"])("certs/%s chains to its root", (file) => {
    const path = chainOf(der(`certs/${file}`));
    expect(judge(path, middle(path[0]))).toEqual([]);
    expect(judge(path, new Date(path[0].notAfter.getTime() + 1000))).toEqual(["expired@0"]);
  });

  it.each(["vcek-milan", "vcek-genoa", "vcek-turin", "vlek-milan", "vlek-genoa", "vlek-turin"])(
    "KDS answer %s: intermediate, then the root",
    (name) => {
      const [, line] = name.split("-");
      const chain = decodeCertificates(evidence(`snp/roots/kds-${name}-cert_chain.pem`));
      expect(chain.map((one) => hex(one.raw))).toEqual(
        [name.startsWith("vcek") ? "ask" : "asvk", "ark"].map((which) =>
          hex(evidence(`snp/roots/${line}-${which}.der`)),
        ),
      );
    },
  );
});

describeEvidence("synthetic AMD-shaped certificates", () => {
  const at = new Date("2026-03-01T00:00:00Z");
  const rules = (vek: string, intermediate = "ask.der") =>
    judge([der(`synthetic/${vek}`), der(`synthetic/${intermediate}`), der("synthetic/ark.der")], at);
  describe("one defect each", () => {
    it.each([
      ["vcek-good.der", "ask.der", []],
      ["vlek-good.der", "asvk.der", []],
      ["vcek-good.der", "ask-expired.der", ["expired@1"]],
      ["vcek-expired.der", "ask.der", ["expired@0"]],
      ["vcek-future.der", "ask.der", ["not-yet-valid@0"]],
      ["vcek-p256.der", "ask.der", ["key@0"]],
      ["vcek-pkcs1.der", "ask.der", ["algorithm@0"]],
      ["vcek-dup.der", "ask.der", ["extension-duplicate@0"]],
      ["vcek-by-ark.der", "ask.der", ["name@0", "signature@0"]],
      ["vcek-by-asvk.der", "ask.der", ["name@0", "signature@0"]],
      // Defects in AMD's extensions are not the path's.
      ["vcek-no-hwid.der", "ask.der", []],
      ["vcek-hwid-mismatch.der", "ask.der", []],
    ])("%s under %s: %j", (vek, intermediate, expected) => {
      expect(rules(vek, intermediate)).toEqual(expected);
    });
  });
});
