/** The mutation grid over two genuine reports: nothing passes, and the claim that says no is the right one. */
import { expect, it } from "vitest";
import { amdRoots, noReferences, type SnpJudgement, verifySnp } from "../../../src/verifiers/snp/index.ts";
import { describeEvidence, evidence } from "../../evidence.ts";
import { offline } from "./rows.ts";

const at = new Date("2026-03-01T00:00:00Z");
const signed = 0x2a0;

interface Sample {
  readonly name: string;
  readonly report: Uint8Array;
  readonly vek: Uint8Array;
}
const sample = (name: string): Sample => ({
  name,
  report: evidence(`snp/real/${name}.report.bin`),
  vek: evidence(`snp/real/${name}.vcek.der`),
});
const judge = (bytes: Uint8Array, vek: Uint8Array): SnpJudgement =>
  verifySnp({ bytes, given: { vek } }, offline, [noReferences], { roots: amdRoots, revocation: "allow-unchecked" }, at);

/** Bytes that must be zero, besides the signature's padding. */
function isReserved(offset: number, version: number): boolean {
  const inside = (from: number, to: number): boolean => offset >= from && offset <= to;
  return (
    inside(0x4c, 0x4f) ||
    inside(0x18b, 0x19f) ||
    offset === 0x1eb ||
    offset === 0x1ef ||
    inside(version >= 5 ? 0x208 : 0x1f8, 0x29f)
  );
}

/** The first claim, in catalogue order, that must say no when this bit of the signed part is flipped. */
function rightClaim(offset: number, bit: number, version: number): string {
  if (offset < 4 || (offset >= 0x34 && offset < 0x38) || isReserved(offset, version)) return "snp.report.format";
  if (offset === 0x48)
    return bit === 0 ? "snp.report.signature" : bit < 5 ? "snp.report.signing_key" : "snp.report.format";
  if (offset > 0x48 && offset < 0x4c) return "snp.report.format";
  // Another model may still be of the same line.
  if (offset === 0x188 || (offset === 0x189 && bit >= 4)) return "snp.product.line";
  return "snp.report.signature";
}

const firstOpen = ({ answers }: SnpJudgement): string | undefined =>
  Object.entries(answers).find(([, a]) => a.status === "fail" || a.status === "error")?.[0];

function flipped(report: Uint8Array, offset: number, bit: number): Uint8Array {
  const bytes = report.slice();
  bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
  return bytes;
}

const wrongBits = (s: Sample, from: number, to: number, right: (offset: number, bit: number) => string): string[] => {
  const wrong: string[] = [];
  for (let offset = from; offset < to; offset++)
    for (let bit = 0; bit < 8; bit++) {
      const judgement = judge(flipped(s.report, offset, bit), s.vek);
      const first = firstOpen(judgement);
      if (judgement.report !== undefined || first !== right(offset, bit))
        wrong.push(`0x${offset.toString(16)} bit ${bit}: ${first ?? "accepted"}`);
    }
  return wrong;
};

describeEvidence("mutation grid", () => {
  for (const name of ["genoa-v3-tinfoil", "milan-v5-gcp"]) {
    const s = sample(name);
    const version = s.report[0] ?? 0;

    it(`${name}: the genuine report passes authenticity`, () => {
      expect(judge(s.report, s.vek).report).toBeDefined();
    });
    it(`${name}: each bit of the signed bytes`, { timeout: 120_000 }, () => {
      expect(wrongBits(s, 0, signed, (offset, bit) => rightClaim(offset, bit, version))).toEqual([]);
    });
    it(`${name}: each bit of R and S`, { timeout: 60_000 }, () => {
      expect(wrongBits(s, signed, 0x330, () => "snp.report.signature")).toEqual([]);
    });
    it(`${name}: each bit of the signature's padding`, () => {
      expect(wrongBits(s, 0x330, 0x4a0, () => "snp.report.format")).toEqual([]);
    });
    it(`${name}: every truncation, and up to 2000 bytes more`, () => {
      const cut = Array.from({ length: 0x4a0 }, (_, n) => s.report.subarray(0, n));
      const longer = [1, 2, 4, 16, 23, 1000, 2000].map((n) => Buffer.concat([s.report, Buffer.alloc(n, 0xaa)]));
      for (const bytes of [...cut, ...longer, Buffer.concat([s.report, Buffer.alloc(1)])]) {
        const { answers, report } = judge(bytes, s.vek);
        expect([report, answers["snp.report.format"].status, answers["snp.report.format"].code]).toEqual([
          undefined,
          "fail",
          "report-size",
        ]);
      }
    });
  }
});
