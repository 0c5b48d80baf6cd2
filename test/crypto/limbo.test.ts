/** x509-limbo's path cases. The suite asks "is there a path?"; the search is this test's, the product only validates a given one. */
import { describe, expect, it } from "vitest";
import { type Certificate, decodeCertificates } from "../../src/crypto/certificate.ts";
import { sameName } from "../../src/crypto/name.ts";
import { type PathProblem, type PathProfile, validatePath } from "../../src/crypto/path.ts";
import { PmError } from "../../src/errors.ts";
import { describeEvidence, evidenceDir, evidenceJson } from "../evidence.ts";

interface Case {
  readonly id: string;
  readonly at: string;
  readonly expect: "SUCCESS" | "FAILURE";
  readonly ours: {
    readonly expect: "SUCCESS" | "FAILURE";
    readonly rules: readonly string[];
    readonly stricter?: true;
  };
  readonly roots: readonly string[];
  readonly intermediates: readonly string[];
  readonly leaf: string;
}
/** Suite answers SUCCESS and we refuse, with the rules that refuse. */
const falseRejects: Readonly<Record<string, readonly string[]>> = {
  // Its leaf has a critical subjectAltName, and its anchor is not self-signed.
  "cve::cve-2024-0567": ["anchor-not-self-signed", "critical-extension"],
  // A CA key is no attestation key.
  "rfc5280::ca-as-leaf": ["key-usage", "leaf-is-ca"],
  // 5 ms after notAfter; instants are compared exactly.
  "rfc5280::validity::notafter-fractional": ["expired"],
};

const profile: PathProfile = { algorithms: ["ecdsa-sha256", "ecdsa-sha384", "rsa-pkcs1-sha256"] };
const maxLength = 10;
const maxValidations = 50;

const decode = (pem: string): Certificate[] => {
  try {
    return decodeCertificates(new TextEncoder().encode(pem));
  } catch (error) {
    if (error instanceof PmError && error.code === "PM_EVIDENCE_MALFORMED") return [];
    throw error;
  }
};

/** Every chain of issuer names from the leaf to a root, shortest first, without repeating a certificate. */
function* chains(leaf: Certificate, intermediates: readonly Certificate[], roots: readonly Certificate[]) {
  let open: Certificate[][] = [[leaf]];
  for (let length = 1; length < maxLength && open.length > 0 && open.length < 1000; length++) {
    const longer: Certificate[][] = [];
    for (const chain of open) {
      const last = chain[chain.length - 1];
      if (last === undefined) continue;
      for (const root of roots) if (sameName(last.issuer, root.subject)) yield { path: [...chain, root], root };
      for (const next of intermediates)
        if (sameName(last.issuer, next.subject) && !chain.includes(next)) longer.push([...chain, next]);
    }
    open = longer;
  }
}

function answer(one: Case): { best: PathProblem[] | undefined } {
  const [leaf] = decode(one.leaf);
  if (leaf === undefined) return { best: undefined };
  const [intermediates, roots] = [one.intermediates.flatMap(decode), one.roots.flatMap(decode)];
  let best: PathProblem[] | undefined;
  let validations = 0;
  for (const { path, root } of chains(leaf, intermediates, roots)) {
    if (++validations > maxValidations) break;
    const problems = validatePath(path, root, new Date(one.at), profile);
    if (best === undefined || problems.length < best.length) best = problems;
  }
  return { best };
}

const cases = evidenceDir === undefined ? [] : evidenceJson<{ cases: Case[] }>("x509/limbo-path.json").cases;

describeEvidence("x509-limbo path cases", () => {
  const accepted = (one: Case): boolean => answer(one).best?.length === 0;

  it("has the 47 shared cases", () => {
    expect(cases).toHaveLength(47);
  });
  it("accepts none that the suite refuses", () => {
    expect(cases.filter((one) => one.expect === "FAILURE" && accepted(one)).map((one) => one.id)).toEqual([]);
  });
  it("refuses only the listed ones that the suite accepts", () => {
    const refused = cases.filter((one) => one.expect === "SUCCESS" && !accepted(one)).map((one) => one.id);
    expect(refused).toEqual(Object.keys(falseRejects));
  });
  describe("each case", () => {
    it.each(cases.map((one) => [one.id, one] as const))("%s", (id, one) => {
      const { best } = answer(one);
      expect(best?.length === 0 ? "SUCCESS" : "FAILURE").toBe(one.ours.expect);
      const rules = [...new Set((best ?? []).map((problem) => problem.rule))].sort();
      if (falseRejects[id] !== undefined) expect(rules).toEqual(falseRejects[id]);
      // Rows without a connected path have no rules of a path; the two nc-dos certificates exceed a decoder limit.
      else if (!one.ours.rules.includes("no-path") && !id.startsWith("pathological::nc-dos"))
        expect(rules).toEqual(one.ours.rules);
    });
  });
});
