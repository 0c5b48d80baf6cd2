/** `pm sgx verify` from its flags to the report. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { intelDraft, makeIntelEvidence } from "../../fixtures/generator/intel-evidence.ts";
import { intelNow } from "../../fixtures/generator/intel-states.ts";
import { parseAcceptTcb } from "../../src/audit/accept-tcb.ts";
import { auditSgx, type SgxFlags, sgxReferences } from "../../src/audit/sgx.ts";
import type { Report } from "../../src/report/report.ts";
import { describeEvidence, evidenceJson, evidencePath } from "../evidence.ts";
import { intelFile, intelFolder, written } from "./intel-files.ts";

const before = process.env["XDG_CACHE_HOME"];
beforeAll(() => {
  process.env["XDG_CACHE_HOME"] = join(intelFolder, "cache");
});
afterAll(() => {
  if (before === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = before;
  rmSync(intelFolder, { recursive: true, force: true });
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const audit = (path: string, flags: SgxFlags): Promise<Report> =>
  auditSgx(path, flags, { toolVersion: "0", now: new Date(), notice: () => undefined });
const open = (r: Report): string[] => r.claims.filter((c) => c.owed && c.status !== "pass").map((c) => c.id);

const draft = intelDraft("sgx audit", intelNow, { tee: "sgx", version: 4 });
const { sgx } = draft;
const { quote, flags } = written(makeIntelEvidence(draft));
const good = { ...flags, mrenclave: hex(sgx.mrEnclave), "report-data": hex(sgx.reportData) };

describe("a made quote with its collateral in a file", () => {
  it("is verified with what runs and for whom, and names the test root", async () => {
    const report = await audit(quote, good);
    expect([report.exitCode, report.verdictLine]).toEqual([0, "TEST ROOT verified (sgx quote)"]);
    expect(open(report)).toEqual([]);
  });
  it("is the same quote as hex, base64 and with its author's pins", async () => {
    const bytes = makeIntelEvidence(draft).raw;
    const signer = {
      ...flags,
      mrsigner: hex(sgx.mrSigner),
      "isv-prod-id": sgx.isvProdId,
      "min-isv-svn": sgx.isvSvn - 1,
      "report-data": good["report-data"],
      attributes: hex(sgx.attributes),
      "misc-select": "00000000",
      "config-id": hex(sgx.configId),
      "config-svn": sgx.configSvn,
      "min-tcb-evaluation": 1,
    };
    for (const text of [hex(bytes), Buffer.from(bytes).toString("base64"), `${hex(bytes)}\n`])
      expect((await audit(intelFile("quote.txt", text), signer)).exitCode).toBe(0);
  });
  it("is inconclusive without pins, and authentic when only that is asked", async () => {
    expect(open(await audit(quote, flags))).toEqual(["sgx.pins.what_runs", "sgx.pins.for_whom"]);
    const report = await audit(quote, { ...flags, "authentic-only": true });
    expect([report.exitCode, report.verdictLine]).toEqual([0, "TEST ROOT authentic (sgx quote)"]);
    const pinned = await audit(quote, { ...flags, "authentic-only": true, mrenclave: "ab".repeat(32) });
    expect([pinned.exitCode, open(pinned)]).toEqual([1, ["sgx.enclave.mrenclave"]]);
  });
  it("is not verified under Intel's own root", async () => {
    const { "insecure-trust-root": _, ...intel } = good;
    const report = await audit(quote, intel);
    expect(report.claims.find((c) => c.id === "sgx.pck.chain")).toMatchObject({
      status: "fail",
      code: "ROOT_UNTRUSTED",
    });
    expect(report.exitCode).toBe(1);
  });
  it("is unavailable offline without collateral, and says loudly when none is wanted", async () => {
    const { collateral: _, ...bare } = good;
    expect((await audit(quote, bare)).exitCode).toBe(4);
    const report = await audit(quote, { ...bare, "skip-collateral": true });
    expect([report.exitCode, report.verdictLine]).toEqual([0, "TEST ROOT verified (sgx quote without collateral)"]);
    expect(report.relaxations.map((r) => r.name)).toEqual(["insecure-trust-root", "skip-collateral"]);
  });
  it("fails before the collateral's time and after it, each document by name", async () => {
    const later = await audit(quote, { ...good, at: "2028-06-01T00:00:00Z" });
    expect(open(later)).toContain("sgx.tcb_info.window");
    expect(later.exitCode).toBe(1);
    expect((await audit(quote, { ...good, at: "2026-06-01T00:00:00Z" })).exitCode).toBe(1);
  });
  it.each<[string, SgxFlags]>([
    ["a value that is too short", { mrenclave: "ab" }],
    ["text in place of hex", { "report-data": "z".repeat(128) }],
    ["attributes outside their mask", { attributes: "ff".repeat(16), "attributes-mask": "01".repeat(16) }],
    ["a mask of zero", { attributes: "00".repeat(16), "attributes-mask": "00".repeat(16) }],
    ["TCB states without a TCB", { "accept-tcb": "OutOfDate", "skip-collateral": true }],
    ["an evaluation number without documents", { "min-tcb-evaluation": 3, "skip-collateral": true }],
    ["Revoked as an accepted state", { "accept-tcb": "Revoked" }],
    ["an unknown state", { "accept-tcb": "Fine" }],
    ["a date that is none", { "accept-tcb": "OutOfDate@2024-02-31" }],
  ])("refuses %s as a usage error", async (_, wrong) => {
    await expect(audit(quote, { ...flags, ...wrong })).rejects.toMatchObject({ code: "PM_USAGE" });
  });
  it("fails the format of what is no quote, and does not end as a usage error", async () => {
    for (const bytes of [new Uint8Array(), new Uint8Array(600), Buffer.from("zz".repeat(400))]) {
      const report = await audit(intelFile("none.bin", bytes), good);
      expect(report.claims.find((c) => c.id === "sgx.quote.format")?.status).not.toBe("pass");
      expect([1, 3]).toContain(report.exitCode);
    }
  });
});

it("reads flags as exact values", () => {
  expect(sgxReferences({ "misc-select": "00000001" }).miscSelect?.value).toBe(1);
  expect(sgxReferences({ attributes: "05".repeat(16) }).attributes?.mask).toEqual(new Uint8Array(16).fill(255));
  expect(sgxReferences({})).toEqual({});
});

it("reads TCB states with dates and advisories", () => {
  const [first, second] = parseAcceptTcb("outofdate@2024-03-13:INTEL-SA-1+INTEL-SA-2,SWHardeningNeeded:");
  expect(first).toMatchObject({ status: "OutOfDate", advisories: ["INTEL-SA-1", "INTEL-SA-2"] });
  expect(first?.since?.toISOString()).toBe("2024-03-13T00:00:00.000Z");
  expect(second).toMatchObject({ status: "SWHardeningNeeded", advisories: [] });
  expect(parseAcceptTcb(undefined)).toEqual([]);
});

describeEvidence("the real SGX set through the flags", () => {
  const set = "tdx/sets/v3-sgx-processorca-00a0";
  const at = "2025-07-04T10:28:44Z";
  const real = () => ({
    offline: true,
    at,
    collateral: evidencePath(`${set}/collateral.json`),
    "authentic-only": true,
  });
  it("fails for its TCB state alone, and passes where that is accepted by name", async () => {
    const path = evidencePath(`${set}/quote.bin`);
    const report = await audit(path, real());
    expect([report.exitCode, open(report)]).toEqual([1, ["sgx.tcb.status"]]);
    const status = "ConfigurationAndSWHardeningNeeded";
    const accepted = await audit(path, { ...real(), "accept-tcb": status });
    expect([accepted.exitCode, accepted.verdictLine]).toEqual([0, "authentic (sgx quote)"]);
    const advisories = "INTEL-SA-00289+INTEL-SA-00615";
    expect((await audit(path, { ...real(), "accept-tcb": `${status}:${advisories}` })).exitCode).toBe(0);
    expect((await audit(path, { ...real(), "accept-tcb": `${status}:INTEL-SA-00289` })).exitCode).toBe(1);
    expect((await audit(path, { ...real(), "accept-tcb": `${status}@2100-01-01` })).exitCode).toBe(1);
  });
  it("shows platform and quoting enclave as the notes have them", async () => {
    const report = await audit(evidencePath(`${set}/quote.bin`), real());
    const { pck, qeReport } = evidenceJson<Expected>(`${set}/expected.json`);
    expect(report.evidence["quote"]).toMatchObject({
      pck: { fmspc: pck.fmspc, pceId: pck.pceid, ppid: pck.ppid, pceSvn: pck.pcesvn, cpuSvn: pck.cpusvn },
      quote: {
        qeReport: { mrEnclave: qeReport.mre, mrSigner: qeReport.mrs, isvProdId: qeReport.prod, isvSvn: qeReport.svn },
      },
    });
  });
});

interface Expected {
  readonly pck: Readonly<Record<"fmspc" | "pceid" | "ppid" | "cpusvn", string>> & { readonly pcesvn: number };
  readonly qeReport: { readonly mre: string; readonly mrs: string; readonly prod: number; readonly svn: number };
}
