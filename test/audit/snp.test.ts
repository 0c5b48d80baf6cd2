/** `pm snp verify` from its flags to the report: exit status and reason code of every row that has a report. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditSnp, referencesOf, type SnpFlags } from "../../src/audit/snp.ts";
import { decodeSnpPolicy, parseMinimumTcb } from "../../src/audit/snp-policy.ts";
import { PmError } from "../../src/errors.ts";
import type { Report } from "../../src/report/report.ts";
import { describeEvidence, evidence, evidenceJson, evidencePath } from "../evidence.ts";
import { allRows, mutated, type Row } from "../verifiers/snp/rows.ts";

const folder = mkdtempSync(join(tmpdir(), "pm-snp-"));
const before = process.env["XDG_CACHE_HOME"];
beforeAll(() => {
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
});
afterAll(() => {
  if (before === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = before;
  rmSync(folder, { recursive: true });
});

const file = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name.replaceAll("/", "_"));
  writeFileSync(path, content);
  return path;
};
const audit = (path: string, flags: SnpFlags): Promise<Report> =>
  auditSnp(path, { offline: true, ...flags }, { toolVersion: "0", now: new Date(), notice: () => undefined });
const real = "snp/real/genoa-v3-tinfoil";
const at = "2026-03-01T00:00:00Z";
const good: SnpFlags = { at, "allow-unchecked-revocation": true };
const withVek = (): SnpFlags => ({ ...good, vek: evidencePath(`${real}.vcek.der`) });
const report = (): string => evidencePath(`${real}.report.bin`);
const measurement = "09ef32acf90fcfeb6206d1a46c13145cef736ebbb83f18eaff680b686232031546ff5fd39c44599699ee8734cbbeb519";
const reportData =
  "71c31f35d2b06077bbae7c1ddf0cc4020408c8f39c68b04cf3d029d40bdd45e73565781f4ee796cfb144df2a31a3ae5e87747bb5ba91aafc6b80e2e268b8603d";

function flagsOf(base: string, row: Row): SnpFlags {
  const vek = row.vek === null ? undefined : mutated(evidence(base + row.vek), row.vekOps);
  return {
    at: row.at,
    "authentic-only": true,
    chain: evidencePath(base + row.intermediate),
    ...(vek && { vek: file(`${row.id}.vek`, vek) }),
    ...(row.crl === null ? { "allow-unchecked-revocation": true } : { crl: evidencePath(base + row.crl) }),
    ...(row.anchor === "amd-pinned" ? {} : { "insecure-trust-root": evidencePath(base + row.root) }),
    ...(row.policy && { "policy-file": file(`${row.id}.json`, JSON.stringify(row.policy)) }),
  };
}

describeEvidence("rows of cases.json through the flags", () => {
  const { classes } = evidenceJson<{ classes: Record<string, { exit: string; reasons: string[] }> }>("snp/cases.json");
  const exits: Readonly<Record<string, number>> = { failed: 1, inconclusive: 3, unavailable: 4 };
  for (const { folder: base, row } of allRows()) {
    if (row.report === null) continue;
    it(row.id, async () => {
      const bytes = mutated(evidence(base + row.report), row.ops);
      const result = await audit(file(`${row.id}.report`, bytes), flagsOf(base, row));
      if (row.expect === "accept") {
        expect([result.exitCode, result.verdictLine]).toEqual([
          0,
          `${row.anchor === "amd-pinned" ? "" : "TEST ROOT "}authentic (snp report)`,
        ]);
        return;
      }
      const word = Object.values(classes).find((c) => c.reasons.includes(row.reason))?.exit ?? "failed";
      expect(result.exitCode).toBe(exits[word]);
      const codes = result.claims.filter((c) => c.owed && c.status !== "pass").map((c) => c.code);
      expect([row.reason, ...(row.reasonAlso ?? [])].some((code) => codes.includes(code))).toBe(true);
    });
  }
});

describeEvidence("pins and relaxations", () => {
  const open = (r: Report): string[] => r.claims.filter((c) => c.owed && c.status !== "pass").map((c) => c.id);

  it("without pins the report is inconclusive and says which are missing", async () => {
    const result = await audit(report(), withVek());
    expect([result.exitCode, open(result)]).toEqual([3, ["snp.pins.what_runs", "snp.pins.for_whom"]]);
  });
  it("with one pin of each group it is verified", async () => {
    const result = await audit(report(), { ...withVek(), measurement, "report-data": reportData });
    expect([result.exitCode, result.verdictLine]).toEqual([0, "verified (snp report)"]);
  });
  it("a wrong pin fails its claim and its group", async () => {
    const result = await audit(report(), { ...withVek(), measurement: "00".repeat(48), "report-data": reportData });
    expect([result.exitCode, open(result)]).toEqual([1, ["snp.report.measurement", "snp.pins.what_runs"]]);
  });
  it("a pin given beside --authentic-only is still owed", async () => {
    const result = await audit(report(), { ...withVek(), "authentic-only": true, "host-data": "11".repeat(32) });
    expect([result.exitCode, open(result)]).toEqual([1, ["snp.report.host_data"]]);
  });
  it("without the relaxation a missing revocation list is unavailable", async () => {
    const { "allow-unchecked-revocation": _, ...rest } = withVek();
    const result = await audit(report(), { ...rest, "authentic-only": true });
    expect([result.exitCode, open(result)]).toEqual([4, ["snp.chain.revocation"]]);
    expect(result.relaxations).toEqual([]);
  });
  it("the relaxation shows, and so does the question that it left open", async () => {
    const result = await audit(report(), { ...withVek(), "authentic-only": true });
    expect(result.relaxations.map((r) => r.name)).toEqual(["allow-unchecked-revocation"]);
    const revocation = result.claims.find((c) => c.id === "snp.chain.revocation");
    expect([revocation?.status, revocation?.owed]).toEqual(["skip", false]);
  });
  it("the relaxation covers no list that is there: the one of another root still fails", async () => {
    const crl = evidencePath("snp/synthetic/clean.crl.der");
    const result = await audit(report(), { ...withVek(), "authentic-only": true, crl });
    expect([result.exitCode, open(result)]).toEqual([1, ["snp.chain.revocation"]]);
  });
  it("a debuggable guest is refused whatever the policy file says", async () => {
    const base = "snp/real/milan-v2-debug";
    const policy = file("debug.json", '{"debug": true, "migrateMa": true}');
    const flags = { ...good, vek: evidencePath(`${base}.vcek.der`), "policy-file": policy, "authentic-only": true };
    const result = await audit(evidencePath(`${base}.report.bin`), flags);
    expect([result.exitCode, open(result)]).toEqual([1, ["snp.policy.debug"]]);
    expect(result.relaxations.map((r) => r.name)).toContain("allow-migration-agent");
  });
});

describe("usage", () => {
  const input = (text: string) => ({ name: "policy.json", bytes: new TextEncoder().encode(text), sha256: "00" });
  const refused = (f: () => unknown): void => {
    let error: unknown;
    try {
      f();
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(PmError);
    expect(error instanceof PmError && error.code).toBe("PM_USAGE");
  };

  it.each([
    ["measurement", 48],
    ["report-data", 64],
    ["host-data", 32],
    ["id-key-digest", 48],
    ["author-key-digest", 48],
    ["family-id", 16],
    ["image-id", 16],
    ["chip-id", 64],
  ])("--%s of any length but %i bytes is refused", (flag, length) => {
    for (const wrong of [length - 1, length + 1, 0]) refused(() => referencesOf({ [flag]: "ab".repeat(wrong) }, {}));
    refused(() => referencesOf({ [flag]: "zz".repeat(length) }, {}));
    expect(() => referencesOf({ [flag]: "AB".repeat(length) }, {})).not.toThrow();
  });
  it.each([
    "bl=1",
    "bl=1,tee=0,snp=1,ucode=256",
    "bl=1,bl=1,tee=0,snp=1,ucode=1",
    "bl=1,tee=0,snp=1,ucode=1,x=1",
    "toString=1",
    "",
    "bl=01,tee=0,snp=1,ucode=1",
  ])("--min-tcb %s is refused", (text) => refused(() => parseMinimumTcb(text)));
  it("reads --min-tcb", () => {
    expect(parseMinimumTcb("bl=10,tee=0,snp=28,ucode=88")).toEqual({ bootloader: 10, tee: 0, snp: 28, microcode: 88 });
    expect(parseMinimumTcb("fmc=1,bl=1,tee=1,snp=4,ucode=81")).toHaveProperty("fmc", 1);
  });
  it.each([
    "{",
    "[]",
    '{"unknown": 1}',
    '{"vmpl": 4}',
    '{"vmpl": 0.0}',
    '{"vmpl": "0"}',
    '{"vmpl": 0, "vmpl": 1}',
    '{"debug": 1}',
    '{"provisional": null}',
    '{"minimumTcb": {"bootloader": 1, "tee": 0, "snp": 1}}',
    '{"minimumTcb": {"bootloader": 1, "tee": 0, "snp": 1, "microcode": 1, "mocrocode": 1}}',
    '{"minimumMitigationVector": "18446744073709551616"}',
    '{"minimumMitigationVector": -1}',
    '{"allowedChipIds": ["ab"]}',
    '{"allowedChipIds": "ab"}',
  ])("a policy file %s is refused", (text) => refused(() => decodeSnpPolicy(input(text))));
  it("reads every member of a policy file", () => {
    const text =
      '{"vmpl":1,"debug":true,"migrateMa":true,"provisional":false,"requireIdBlock":true,"minimumMitigationVector":"18446744073709551615","minimumTcb":{"bootloader":1,"tee":2,"snp":3,"microcode":4},"allowedChipIds":[]}';
    const policy = decodeSnpPolicy(input(text));
    expect(policy).toMatchObject({ vmpl: { value: 1 }, provisional: false, migrateMa: { allowed: true } });
    expect(policy.minimumMitigationVector?.value).toBe((1n << 64n) - 1n);
    expect(Object.keys(policy)).not.toContain("debug");
  });
  it("a value given by flag and policy file is refused", () =>
    refused(() => referencesOf({ vmpl: 0 }, decodeSnpPolicy(input('{"vmpl":0}')))));
});
