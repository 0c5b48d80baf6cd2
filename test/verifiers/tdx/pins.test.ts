/** Reference values of a TDX quote: each fails alone, what is not given is not proven, and nothing makes DEBUG acceptable. */
import { expect, it } from "vitest";
import { pcsResponse } from "../../../fixtures/generator/intel-pcs.ts";
import { intelNow, makeIntelState } from "../../../fixtures/generator/intel-states.ts";
import type { Answer, Sourced } from "../../../src/claims/answer.ts";
import { judge } from "../../../src/claims/subject.ts";
import { conclude } from "../../../src/claims/verdict.ts";
import { intelTestRoot } from "../../../src/dcap/root.ts";
import type { Look } from "../../../src/run.ts";
import {
  noReferences,
  pinnedBy,
  type TdxReferences,
  tdx,
  verifyTdx,
  withoutCollateral,
} from "../../../src/verifiers/tdx/index.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const flag = (value: string): Sourced => ({ value, origin: { kind: "flag", name: "--x" } });
const made = makeIntelState("atIssueDate");
const root = intelTestRoot(made.root, "root.der");
const look: Look = ({ path }) => pcsResponse({ collateral: [made.collateral] }, path, made.at);
const rules = { waivers: [], promoted: new Set<string>(), now: intelNow };

function run(want: TdxReferences, source: Look = look, state = made, collateral: "required" | "skip" = "required") {
  const trust = { root: intelTestRoot(state.root, "root.der"), collateral };
  const judgement = verifyTdx({ bytes: state.quote, form: state.form }, source, [want], trust, state.at);
  const catalogue = collateral === "skip" ? withoutCollateral(tdx) : tdx;
  const subject = { name: "quote", catalogue, pinned: pinnedBy(want) };
  const { verdict, open } = conclude([judge(subject, judgement.answers)], rules);
  return { ...judgement, verdict, failed: open.flatMap((c) => (c.status === "fail" ? [c.id] : [])) };
}
const { decoded } = run(noReferences);
if (decoded === undefined || decoded.body.kind === "sgx-report") throw new Error("no TD report");
const td = decoded.body;

const all: TdxReferences = {
  ...noReferences,
  mrTd: flag(hex(td.mrTd)),
  rtmr0: [flag("ab".repeat(48)), flag(hex(td.rtmrs[0]))],
  rtmr1: flag(hex(td.rtmrs[1])),
  rtmr2: flag(hex(td.rtmrs[2])),
  rtmr3: flag(hex(td.rtmrs[3])),
  mrSeam: [flag("ab".repeat(48)), flag(hex(td.mrSeam))],
  mrSignerSeam: flag(hex(td.mrSignerSeam)),
  tdAttributes: flag(hex(td.tdAttributes)),
  xfam: flag(hex(td.xfam)),
  mrConfigId: flag(hex(td.mrConfigId)),
  mrOwner: flag(hex(td.mrOwner)),
  mrOwnerConfig: flag(hex(td.mrOwnerConfig)),
  reportData: flag(hex(td.reportData)),
  minimumTeeTcbSvn: flag(hex(td.teeTcbSvn)),
  minimumEvaluation: { value: 1, origin: { kind: "flag", name: "--x" } },
  septVeDisable: flag("set"),
};

it("verifies a quote whose every value is the expected one", () => {
  const { verdict, answers } = run(all);
  const odd = Object.entries(answers).filter(([, a]: [string, Answer]) => a.status !== "pass" && a.status !== "skip");
  expect(odd).toEqual([]);
  expect(verdict).toBe("verified");
});

it.each<[string, Partial<TdxReferences>, string[]]>([
  ["mrTd", { mrTd: flag("ab".repeat(48)) }, ["tdx.td.mrtd", "tdx.pins.what_runs"]],
  ["mrTd cut", { mrTd: flag(hex(td.mrTd).slice(0, 64)) }, ["tdx.td.mrtd", "tdx.pins.what_runs"]],
  ["rtmr3", { rtmr3: flag("ab".repeat(48)) }, ["tdx.td.rtmrs"]],
  ["rtmr0 of several", { rtmr0: [flag("ab".repeat(48)), flag("cd".repeat(48))] }, ["tdx.td.rtmrs"]],
  ["mrSeam", { mrSeam: [flag("ab".repeat(48))] }, ["tdx.module.mrseam"]],
  ["mrSignerSeam", { mrSignerSeam: flag("ab".repeat(48)) }, ["tdx.module.mrsignerseam"]],
  ["tdAttributes", { tdAttributes: flag("ab".repeat(8)) }, ["tdx.td.attributes"]],
  ["xfam", { xfam: flag("ab".repeat(8)) }, ["tdx.td.xfam"]],
  ["mrConfigId", { mrConfigId: flag("ab".repeat(48)) }, ["tdx.td.mrconfigid"]],
  ["mrOwner", { mrOwner: flag("ab".repeat(48)) }, ["tdx.td.mrowner"]],
  ["mrOwnerConfig", { mrOwnerConfig: flag("ab".repeat(48)) }, ["tdx.td.mrownerconfig"]],
  ["mrServiceTd", { mrServiceTd: flag("ab".repeat(48)) }, ["tdx.td.mrservicetd"]],
  ["reportData", { reportData: flag("ab".repeat(64)) }, ["tdx.td.report_data"]],
  ["minimumTeeTcbSvn", { minimumTeeTcbSvn: flag(`00${"ff".repeat(15)}`) }, ["tdx.tcb.tee_svn"]],
  ["fmspc", { fmspc: flag("ab".repeat(6)) }, ["tdx.pck.fmspc"]],
  ["piid", { allowedPiids: { values: ["ab".repeat(16)], source: flag("") } }, ["tdx.pck.piid"]],
  ["evaluation", { minimumEvaluation: { value: 9999, origin: { kind: "flag", name: "--x" } } }, ["tdx.tcb.evaluation"]],
])("fails another %s, although everything else is as expected", (_, change, ids) => {
  const { verdict, failed } = run({ ...all, ...change });
  expect(failed.sort()).toEqual(ids.sort());
  expect(verdict).toBe("failed");
});

it("names CET where nothing else differs, and allows it by a named relaxation only", () => {
  const bytes = Buffer.from(td.xfam);
  bytes[1] = (bytes[1] ?? 0) ^ 0x18;
  const want = { ...all, xfam: flag(bytes.toString("hex")) };
  const { answers, verdict } = run(want);
  expect([answers["tdx.td.xfam"].status, verdict]).toEqual(["fail", "failed"]);
  expect(answers["tdx.td.xfam"].reason).toContain("CET");
  expect(run({ ...want, cetDifference: flag("") }).verdict).toBe("verified");
  const half = Buffer.from(td.xfam);
  half[1] = (half[1] ?? 0) ^ 0x08;
  expect(run({ ...all, xfam: flag(half.toString("hex")), cetDifference: flag("") }).verdict).toBe("failed");
});

it("does not take the audited party's word as proof, one register's included", () => {
  const word = (value: string): Sourced => ({ value, origin: { kind: "audited-party", name: "manifest" } });
  expect(run({ ...all, rtmr2: word(hex(td.rtmrs[2])) }).answers["tdx.td.rtmrs"].status).toBe("consistent");
  expect(run({ ...all, mrTd: word(hex(td.mrTd)) }).verdict).toBe("inconclusive");
});

it.each<[string, Partial<TdxReferences>, string, string]>([
  ["nothing", {}, "skip", "skip"],
  ["MRTD", { mrTd: flag(hex(td.mrTd)) }, "pass", "skip"],
  ["registers alone", { rtmr1: flag(hex(td.rtmrs[1])) }, "skip", "skip"],
  ["REPORTDATA", { reportData: flag(hex(td.reportData)) }, "skip", "pass"],
  ["MRCONFIGID", { mrConfigId: flag(hex(td.mrConfigId)) }, "skip", "pass"],
])("says with %s given what is still open", (_, want, runs, whom) => {
  const { answers, verdict } = run({ ...noReferences, ...want });
  expect([answers["tdx.pins.what_runs"].status, answers["tdx.pins.for_whom"].status]).toEqual([runs, whom]);
  expect(verdict).toBe("inconclusive");
});

it("does not pass options of which none is demanded", () => {
  const pckOptions = { memoryIntegrity: false, smtDisabled: false, staticPlatform: false, source: flag("none") };
  const { answers, verdict } = run({ ...all, pckOptions });
  expect(answers["tdx.pck.options"]).toMatchObject({ status: "error", reason: "no option is demanded" });
  expect(verdict).toBe("inconclusive");
});

it("refuses DEBUG although TDATTRIBUTES is exactly the expected value", () => {
  const debug = makeIntelState("debug");
  const debugLook: Look = ({ path }) => pcsResponse({ collateral: [debug.collateral] }, path, debug.at);
  const body = run(noReferences, debugLook, debug).decoded?.body;
  if (body === undefined || body.kind === "sgx-report") throw new Error("no TD report");
  const { answers, failed } = run({ ...noReferences, tdAttributes: flag(hex(body.tdAttributes)) }, debugLook, debug);
  expect(answers["tdx.td.attributes"].status).toBe("pass");
  expect(failed).toEqual(["tdx.td.debug"]);
});

it("is unavailable where Intel cannot be reached, and cannot be answered where it refuses", () => {
  expect(run(all, () => ({ status: "unavailable", reason: "no network" })).verdict).toBe("unavailable");
  expect(run(all, () => ({ status: "refused", reason: "unknown FMSPC" })).verdict).toBe("inconclusive");
});

it("asks nothing of Intel's documents with the relaxation, and owes none of it", () => {
  const asked: string[] = [];
  const { minimumEvaluation: _, ...want } = all;
  const silent: Look = ({ path }) => {
    asked.push(path);
    return { status: "unavailable", reason: "no network" };
  };
  const { verdict, answers } = run(want, silent, made, "skip");
  expect([asked, verdict, answers["tdx.tcb.status"].status]).toEqual([[], "verified", "skip"]);
});

it("shows the candidate with the fewest open answers, and passes nothing without one", () => {
  const of = (candidates: readonly TdxReferences[]) =>
    verifyTdx({ bytes: made.quote, form: made.form }, look, candidates, { root, collateral: "required" }, made.at);
  expect(of([{ ...all, mrTd: flag("ab".repeat(48)) }, all]).candidate).toBe(1);
  expect(of([]).answers["tdx.td.debug"].status).toBe("error");
});
