import { expect, it } from "vitest";
import type { Status } from "../../../src/claims/answer.ts";
import { decodeCertificates } from "../../../src/crypto/certificate.ts";
import { validatePath } from "../../../src/crypto/path.ts";
import { codeOfRule } from "../../../src/crypto/path-codes.ts";
import { amdPath } from "../../../src/verifiers/snp/chain.ts";
import { amdRoots } from "../../../src/verifiers/snp/index.ts";
import { uncheckedRevocation } from "../../../src/verifiers/snp/relaxed.ts";
import { describeEvidence, evidence, evidenceJson } from "../../evidence.ts";
import { allRows, judgeRow, openAnswers } from "./rows.ts";

interface Classes {
  readonly classes: Readonly<Record<"malformed" | "unsupported" | "unavailable", { readonly reasons: string[] }>>;
}

describeEvidence("rows of snp/cases.json with a report", () => {
  const { classes } = evidenceJson<Classes>("snp/cases.json");
  const statusOf = (reason: string): Status =>
    classes.unsupported.reasons.includes(reason)
      ? "error"
      : classes.unavailable.reasons.includes(reason)
        ? "unavailable"
        : "fail";
  for (const { folder, row } of allRows()) {
    if (row.report === null) continue;
    it(`${row.expect}s ${row.id}${row.expect === "reject" ? ` (${row.reason})` : ""}`, () => {
      const judgement = judgeRow(folder, row);
      const open = openAnswers(judgement);
      const codes = open.flatMap(({ answer }) => answer.code ?? []);
      const right = [row.reason, ...(row.reasonAlso ?? [])];
      // Nothing that is false of the evidence is said of it.
      expect(codes.filter((code) => !right.includes(code))).toEqual([]);
      if (row.expect === "accept") {
        expect(open).toEqual([]);
        expect(judgement.report).toBeDefined();
        expect(uncheckedRevocation(judgement.answers)).toBe(row.crl === null);
        return;
      }
      expect(codes).not.toEqual([]);
      const first = open.find(({ answer }) => answer.code === row.reason);
      if (first !== undefined) expect(first.answer.status).toBe(statusOf(row.reason));
    });
  }
});

describeEvidence("rows of snp/cases.json without a report: the path alone", () => {
  for (const { folder, row } of allRows()) {
    if (row.report !== null || row.vek === null) continue;
    const [vek, intermediate] = [row.vek, row.intermediate].map((f) => decodeCertificates(evidence(folder + f))[0]);
    const pinned = Object.values(amdRoots).find((r) => row.root.includes(r.line.toLowerCase()));
    it(`${row.expect}s ${row.id}`, () => {
      const [root] = decodeCertificates(pinned?.certificate ?? new Uint8Array());
      if (vek === undefined || intermediate === undefined || root === undefined) throw new Error("certificate missing");
      const problems = validatePath([vek, intermediate, root], root, new Date(row.at), amdPath);
      const codes = [...new Set(problems.map((p) => codeOfRule(p.rule)))];
      expect(codes).toEqual(row.expect === "accept" ? [] : [row.reason]);
    });
  }
});
