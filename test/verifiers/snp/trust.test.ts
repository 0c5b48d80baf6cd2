import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commonName, decodeCertificates } from "../../../src/crypto/certificate.ts";
import { PmError } from "../../../src/errors.ts";
import { amdRoots, testRoot } from "../../../src/verifiers/snp/index.ts";
import { productLines } from "../../../src/verifiers/snp/product.ts";
import * as genoa from "../../../src/verifiers/snp/trust/genoa.ts";
import * as milan from "../../../src/verifiers/snp/trust/milan.ts";
import * as turin from "../../../src/verifiers/snp/trust/turin.ts";
import { describeEvidence, evidence, evidencePath } from "../../evidence.ts";

const constants = { Milan: milan, Genoa: genoa, Turin: turin };
const digest = (b: Uint8Array): string => createHash("sha256").update(b).digest("hex");
const roles = ["ark", "ask", "asvk"] as const;

describe("AMD's certificates", () => {
  for (const line of productLines)
    for (const role of roles)
      it(`${line} ${role} has the digest beside it and the name of its place`, () => {
        const { der, sha256 } = constants[line][role];
        const bytes = new Uint8Array(Buffer.from(der, "base64"));
        expect(digest(bytes)).toBe(sha256);
        const names = { ark: `ARK-${line}`, ask: `SEV-${line}`, asvk: `SEV-VLEK-${line}` };
        const [certificate] = decodeCertificates(bytes);
        expect(certificate && commonName(certificate.subject)).toBe(names[role]);
      });
  it("pins a root for each line by its bytes", () => {
    for (const line of productLines) {
      const root = amdRoots[line];
      expect(root && digest(root.certificate)).toBe(root?.sha256);
      expect(root?.sha256).toBe(constants[line].ark.sha256);
    }
  });
});

describeEvidence("AMD's certificates against other copies", () => {
  it.each(productLines.flatMap((line) => roles.map((role) => [line, role] as const)))("%s %s", (line, role) => {
    const file = evidence(`snp/roots/${line.toLowerCase()}-${role}.der`);
    expect(digest(file)).toBe(constants[line][role].sha256);
    const chain = evidence(`snp/roots/kds-${role === "asvk" ? "vlek" : "vcek"}-${line.toLowerCase()}-cert_chain.pem`);
    expect(decodeCertificates(chain).map((c) => digest(c.raw))).toContain(constants[line][role].sha256);
  });
  it("the written fingerprints are the same", () => {
    const notes = readFileSync(evidencePath("../spec/snp.md"), "utf8");
    for (const line of productLines)
      for (const role of roles) expect(notes).toContain(`| ${line} ${role.toUpperCase()} | 0x`);
    for (const line of productLines) for (const role of roles) expect(notes).toContain(constants[line][role].sha256);
  });
});

describeEvidence("test roots", () => {
  const usage = (bytes: Uint8Array): string | undefined => {
    try {
      testRoot(bytes, "file");
    } catch (error) {
      return error instanceof PmError ? error.code : "another error";
    }
    return undefined;
  };
  it("replace the roots of every line", () => {
    const roots = testRoot(evidence("snp/synthetic/ark.der"), "ark.der");
    expect(Object.keys(roots)).toEqual(["Genoa"]);
    expect(roots.Genoa?.intermediates).toBeUndefined();
    expect(roots.Genoa?.origin).toEqual({ kind: "flag", name: "--insecure-trust-root ark.der" });
  });
  it("are one certificate with the name of a root", () => {
    expect(usage(evidence("snp/synthetic/ask.der"))).toBe("PM_USAGE");
    expect(usage(evidence("snp/roots/kds-vcek-genoa-cert_chain.pem"))).toBe("PM_USAGE");
    expect(usage(new Uint8Array(10))).toBe("PM_USAGE");
  });
});
