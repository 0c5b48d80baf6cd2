/** `pm tdx replay` from its flags to the report. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { intelDraft, makeIntelEvidence } from "../../fixtures/generator/intel-evidence.ts";
import { intelNow } from "../../fixtures/generator/intel-states.ts";
import { auditReplay, type ReplayFlags } from "../../src/audit/tdx-replay.ts";
import type { Report } from "../../src/report/report.ts";
import { decodeEventLog, replay } from "../../src/verifiers/tdx/eventlog/index.ts";
import { describeEvidence, evidenceJson, evidencePath } from "../evidence.ts";
import { ccel, logEvents } from "../verifiers/tdx/eventlog-make.ts";
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
const audit = (path: string, flags: ReplayFlags): Promise<Report> =>
  auditReplay(path, flags, { toolVersion: "0", now: new Date(), notice: () => undefined });
const open = (r: Report): string[] => r.claims.filter((c) => c.owed && c.status !== "pass").map((c) => c.id);

const bytes = ccel(logEvents());
const log = intelFile("ccel.bin", bytes);
const [r0, r1, r2, r3] = replay(decodeEventLog(bytes)).registers;
if (r0 === undefined || r1 === undefined || r2 === undefined || r3 === undefined) throw new Error("four registers");
const plain = intelDraft("replay", intelNow);
const draft = { ...plain, td: { ...plain.td, rtmrs: [r0, r1, r2, r3] as const } };
const { quote, flags } = written(makeIntelEvidence(draft));
const withQuote: ReplayFlags = { ...flags, quote };
const withFlags: ReplayFlags = { rtmr0: hex(r0), rtmr1: hex(r1), rtmr2: hex(r2), rtmr3: hex(r3) };

describe("a made log", () => {
  it("is verified against the quote that holds its registers, and against registers given by hand", async () => {
    const report = await audit(log, withQuote);
    expect([report.exitCode, report.verdictLine]).toEqual([0, "TEST ROOT verified (event log)"]);
    const byHand = await audit(log, withFlags);
    expect([byHand.exitCode, byHand.verdictLine]).toEqual([0, "verified (event log)"]);
    expect(byHand.notProven.join()).toContain("given by hand");
  });
  it("is not compared with a quote that is not authentic", async () => {
    const forged = makeIntelEvidence(draft).raw.map((b, i) => (i === 600 ? b ^ 1 : b));
    const report = await audit(log, { ...withQuote, quote: intelFile("forged.bin", forged) });
    expect(report.claims.find((c) => c.id === "tdx.eventlog.rtmr0")?.status).toBe("skip");
    expect(open(report)).toContain("tdx.quote.signature");
    expect(report.exitCode).toBe(1);
    const { "insecure-trust-root": _, ...intel } = withQuote;
    const foreign = await audit(log, intel);
    expect(foreign.claims.find((c) => c.id === "tdx.eventlog.rtmr0")?.status).toBe("skip");
    expect(foreign.exitCode).toBe(1);
  });
  it("is not verified by an enclave's quote, a debuggable TD's, or what is no quote of a known version", async () => {
    const enclave = written(makeIntelEvidence(intelDraft("replay", intelNow, { tee: "sgx" })));
    expect((await audit(log, { ...enclave.flags, quote: enclave.quote })).exitCode).toBe(1);
    const debug = { ...draft, td: { ...draft.td, tdAttributes: draft.td.tdAttributes.with(0, 1) } };
    const td = written(makeIntelEvidence(debug));
    const report = await audit(log, { ...td.flags, quote: td.quote });
    expect([report.exitCode, open(report)]).toEqual([1, ["tdx.td.debug"]]);
    expect((await audit(log, { ...flags, quote: log })).exitCode).toBe(3);
  });
  it("is unavailable offline without collateral, and says loudly when none is wanted", async () => {
    const { collateral: _, ...bare } = withQuote;
    expect((await audit(log, bare)).exitCode).toBe(4);
    const report = await audit(log, { ...bare, "skip-collateral": true });
    expect([report.exitCode, report.verdictLine]).toEqual([
      0,
      "TEST ROOT verified (event log, quote without collateral)",
    ]);
    expect(report.relaxations.map((r) => r.name)).toEqual(["insecure-trust-root", "skip-collateral"]);
  });
  it("names the event whose data was changed, and the register that differs", async () => {
    const events = logEvents();
    const changed = intelFile(
      "changed.bin",
      ccel(events.map((e, i) => (i === 2 ? { ...e, data: e.data.with(0, 0x63) } : e))),
    );
    const report = await audit(changed, withFlags);
    expect(report.exitCode).toBe(1);
    expect(open(report)).toEqual(["tdx.eventlog.rtmr1"]);
    const kept = bytes.slice();
    const at = Buffer.from(bytes).indexOf("Calling EFI");
    kept[at] = 0x63;
    const rewritten = await audit(intelFile("rewritten.bin", kept), withFlags);
    expect(open(rewritten)).toEqual(["tdx.eventlog.event_data"]);
    expect(rewritten.claims.find((c) => c.id === "tdx.eventlog.event_data")?.reason).toContain("event 2 EV_EFI_ACTION");
  });
  it.each<[string, ReplayFlags]>([
    ["nothing to compare with", {}],
    ["a quote and a register", { ...withQuote, rtmr0: hex(r0) }],
    ["a register of 47 bytes", { rtmr0: hex(r0).slice(2) }],
    ["TCB states without a TCB", { ...withQuote, "accept-tcb": "OutOfDate", "skip-collateral": true }],
  ])("refuses %s as a usage error", async (_, wrong) => {
    await expect(audit(log, wrong)).rejects.toMatchObject({ code: "PM_USAGE" });
  });
  it("is inconclusive while a register is left out", async () => {
    const report = await audit(log, { rtmr0: hex(r0), rtmr1: hex(r1), rtmr2: hex(r2) });
    expect([report.exitCode, open(report)]).toEqual([3, ["tdx.eventlog.rtmr3"]]);
  });
});

describeEvidence("real logs with their quotes", () => {
  it("replays the CCEL of a real machine to its quote", async () => {
    const set = "tdx/sets/v4-gcp-cos-skip01-0080";
    const report = await audit(evidencePath("tdx/eventlogs/gcp-cos-113/ccel_data.dat"), {
      offline: true,
      at: "2025-06-26T21:50:26Z",
      quote: evidencePath("tdx/eventlogs/gcp-cos-113/quote.bin"),
      collateral: evidencePath(`${set}/collateral.json`),
    });
    expect([report.exitCode, report.verdictLine]).toEqual([0, "verified (event log)"]);
  });
  it("replays dstack's log to its quote, and fails against another TD's", async () => {
    const path = evidencePath("tdx/eventlogs/dstack-0.5/quote-report.json");
    const { quote: text } = evidenceJson<{ quote: string }>("tdx/eventlogs/dstack-0.5/quote-report.json");
    const set = "tdx/sets/v4-dstack-eventlog-90c0";
    const at = "2026-01-27T15:54:59Z";
    const collateral = evidencePath(`${set}/collateral.json`);
    expect((await audit(path, { offline: true, at, quote: intelFile("quote.hex", text), collateral })).exitCode).toBe(
      0,
    );
    const other = evidencePath("tdx/sets/v4-contrast-90c0/quote.bin");
    const report = await audit(path, { offline: true, at, quote: other, collateral });
    expect(report.exitCode).toBe(1);
    expect(open(report)).toContain("tdx.eventlog.rtmr0");
  });
});
