/** SGX quotes: made states with one thing wrong each, the real set, and pins. */
import { expect, it } from "vitest";
import type { IntelCase } from "../../../fixtures/generator/intel-edits.ts";
import { intelDraft, makeIntelEvidence } from "../../../fixtures/generator/intel-evidence.ts";
import { pcsResponse } from "../../../fixtures/generator/intel-pcs.ts";
import { intelNow, intelStateNames, intelStates, makeIntelState } from "../../../fixtures/generator/intel-states.ts";
import type { Answer, Sourced } from "../../../src/claims/answer.ts";
import { judge } from "../../../src/claims/subject.ts";
import { conclude } from "../../../src/claims/verdict.ts";
import { intelRoot, intelTestRoot } from "../../../src/dcap/root.ts";
import type { AcceptedTcb } from "../../../src/dcap/tcb-answers.ts";
import type { Look } from "../../../src/run.ts";
import {
  noReferences,
  pinnedBy,
  type SgxReferences,
  type SgxTrust,
  sgx,
  sgxAuthentic,
  verifySgx,
  withoutCollateral,
} from "../../../src/verifiers/sgx/index.ts";
import { describeEvidence, evidence, evidenceJson } from "../../evidence.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const flag = (value: string): Sourced => ({ value, origin: { kind: "flag", name: "--x" } });
const number = (value: number) => ({ value, origin: { kind: "flag", name: "--x" } as const });

const made = makeIntelEvidence(intelDraft("sgx", intelNow, { tee: "sgx" }));
const draft = intelDraft("sgx", intelNow, { tee: "sgx" });
const root = intelTestRoot(made.root, "root.der");
const trust: SgxTrust = { root, collateral: "required", accepted: [] };
const lookAt =
  (e: { readonly collateral: typeof made.collateral; readonly at: Date }): Look =>
  ({ path }) =>
    pcsResponse({ collateral: [e.collateral] }, path, e.at);
type Answers = Readonly<Record<string, Answer>>;
const failed = (answers: Answers): string[] =>
  Object.values(answers).flatMap((a) => (a.status === "fail" && a.code !== undefined ? [a.code] : []));
const coded = (answers: Answers): string[] => Object.values(answers).flatMap((a) => a.code ?? []);

function run(want: SgxReferences, e = made, t = trust, at = e.at) {
  const judgement = verifySgx({ bytes: e.quote, form: e.form }, lookAt(e), [want], t, at);
  const subject = { name: "quote", catalogue: sgx, pinned: pinnedBy(want) };
  const rules = { waivers: [], promoted: new Set<string>(), now: intelNow };
  const { verdict } = conclude([judge(subject, judgement.answers)], rules);
  return { ...judgement, verdict };
}
const enclave = draft.sgx;
const all: SgxReferences = {
  mrEnclave: flag(hex(enclave.mrEnclave)),
  mrSigner: flag(hex(enclave.mrSigner)),
  isvProdId: number(enclave.isvProdId),
  minimumIsvSvn: number(enclave.isvSvn),
  reportData: flag(hex(enclave.reportData)),
  configId: flag(hex(enclave.configId)),
  configSvn: number(enclave.configSvn),
  isvExtProdId: flag(hex(enclave.isvExtProdId)),
  isvFamilyId: flag(hex(enclave.isvFamilyId)),
  attributes: { value: enclave.attributes, mask: new Uint8Array(16).fill(255), source: flag("") },
  miscSelect: number(enclave.miscSelect),
  minimumTcbEvaluation: number(1),
};

it("verifies a quote whose every value is the expected one", () => {
  const { answers, verdict } = run(all);
  expect(Object.entries(answers).filter(([, a]) => a.status !== "pass")).toEqual([]);
  expect(verdict).toBe("verified");
});

it.each<[keyof SgxReferences, SgxReferences, string]>([
  ["mrEnclave", { mrEnclave: flag("ab".repeat(32)) }, "MRENCLAVE_MISMATCH"],
  ["mrSigner", { mrSigner: flag("ab".repeat(32)) }, "MRSIGNER_MISMATCH"],
  ["isvProdId", { isvProdId: number(enclave.isvProdId + 1) }, "isv-prod-id-mismatch"],
  ["minimumIsvSvn", { minimumIsvSvn: number(enclave.isvSvn + 1) }, "ISV_SVN_TOO_LOW"],
  ["reportData", { reportData: flag("ab".repeat(64)) }, "REPORT_DATA_MISMATCH"],
  ["configId", { configId: flag("ab".repeat(64)) }, "CONFIG_ID_MISMATCH"],
  ["configSvn", { configSvn: number(1) }, "config-svn-mismatch"],
  ["isvExtProdId", { isvExtProdId: flag("ab".repeat(16)) }, "isv-ext-prod-id-mismatch"],
  ["isvFamilyId", { isvFamilyId: flag("ab".repeat(16)) }, "isv-family-id-mismatch"],
  [
    "attributes",
    { attributes: { value: new Uint8Array(16), mask: new Uint8Array(16).fill(1), source: flag("") } },
    "attributes-mismatch",
  ],
  ["miscSelect", { miscSelect: number(1) }, "misc-select-mismatch"],
  ["minimumTcbEvaluation", { minimumTcbEvaluation: number(99) }, "TCB_EVALUATION_TOO_LOW"],
])("fails another %s, although everything else is as expected", (_, change, code) => {
  const { answers, verdict } = run({ ...all, ...change });
  expect(new Set(failed(answers))).toEqual(new Set([code]));
  expect(verdict).toBe("failed");
});

it("takes a longer or shorter value for another one", () => {
  const { answers } = run({ ...all, mrEnclave: flag(hex(enclave.mrEnclave).slice(0, 32)) });
  expect(answers["sgx.enclave.mrenclave"].status).toBe("fail");
});

it("compares attributes under the mask, and not through a mask of zero or values outside it", () => {
  const attributes = (value: string, mask: string) =>
    run({ attributes: { value: Buffer.from(value, "hex"), mask: Buffer.from(mask, "hex"), source: flag("") } }).answers[
      "sgx.enclave.attributes"
    ].status;
  const zero = "00".repeat(15);
  expect(attributes(`01${zero}`, `03${zero}`)).toBe("pass");
  expect(attributes(`02${zero}`, `02${zero}`)).toBe("fail");
  expect(attributes(`00${zero}`, `00${zero}`)).toBe("error");
  expect(attributes(`05${zero}`, `01${zero}`)).toBe("error");
});

it.each<[string, SgxReferences, string, string]>([
  ["nothing", {}, "skip", "skip"],
  ["MRENCLAVE", { mrEnclave: all.mrEnclave ?? flag("") }, "pass", "skip"],
  ["REPORTDATA", { reportData: all.reportData ?? flag("") }, "skip", "pass"],
  ["MRSIGNER alone", { mrSigner: all.mrSigner ?? flag("") }, "skip", "skip"],
  [
    "MRSIGNER without a version",
    { mrSigner: all.mrSigner ?? flag(""), isvProdId: all.isvProdId ?? number(0) },
    "skip",
    "skip",
  ],
  [
    "MRSIGNER, product and version",
    {
      mrSigner: all.mrSigner ?? flag(""),
      isvProdId: all.isvProdId ?? number(0),
      minimumIsvSvn: all.minimumIsvSvn ?? number(0),
    },
    "pass",
    "skip",
  ],
  ["product and version without MRSIGNER", { isvProdId: number(3), minimumIsvSvn: number(0) }, "skip", "skip"],
])("says with %s given what is still open", (_, want, runs, whom) => {
  const { answers, verdict } = run(want);
  expect([answers["sgx.pins.what_runs"].status, answers["sgx.pins.for_whom"].status]).toEqual([runs, whom]);
  expect(verdict).toBe("inconclusive");
});

it("shows the candidate with the fewest open answers, and passes nothing without one", () => {
  const other = { ...all, mrEnclave: flag("ab".repeat(32)) };
  const of = (candidates: readonly SgxReferences[]) =>
    verifySgx({ bytes: made.quote, form: "quote" }, lookAt(made), candidates, trust, made.at);
  expect(of([other, all]).candidate).toBe(1);
  expect(of([]).answers["sgx.enclave.debug"].status).toBe("error");
});

it("closes the gate for every seventh bit of header and report, and so passes nothing of the enclave", () => {
  for (let at = 0; at < 432 * 8; at += 7) {
    const bytes = made.quote.slice();
    bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
    const { answers, quote } = verifySgx({ bytes, form: "quote" }, lookAt(made), [all], trust, made.at);
    // In version 3 the bytes 4 to 7 are reserved, but signed all the same.
    expect(quote).toBeUndefined();
    expect(answers["sgx.pins.what_runs"].status).not.toBe("pass");
    expect(answers["sgx.tcb.status"].status).not.toBe("pass");
  }
});

it("asks nothing of Intel's documents with the relaxation, and owes none of it", () => {
  const asked: string[] = [];
  const look: Look = ({ path }) => {
    asked.push(path);
    return { status: "unavailable", reason: "no network" };
  };
  const want = { ...all };
  delete (want as { minimumTcbEvaluation?: unknown }).minimumTcbEvaluation;
  const { answers } = verifySgx(
    { bytes: made.quote, form: "quote" },
    look,
    [want],
    { ...trust, collateral: "skip" },
    made.at,
  );
  expect(asked).toEqual([]);
  const rules = { waivers: [], promoted: new Set<string>(), now: intelNow };
  const verdictOf = (catalogue: typeof sgx) =>
    conclude([judge({ name: "quote", catalogue, pinned: pinnedBy(want) }, answers)], rules).verdict;
  expect(verdictOf(withoutCollateral(sgx))).toBe("verified");
  expect(verdictOf(sgx)).toBe("inconclusive");
  expect(answers["sgx.tcb.status"].status).toBe("skip");
});

it("is unavailable where Intel cannot be reached, and never verified", () => {
  const look: Look = () => ({ status: "unavailable", reason: "no network" });
  const { answers } = verifySgx({ bytes: made.quote, form: "quote" }, look, [all], trust, made.at);
  const rules = { waivers: [], promoted: new Set<string>(), now: intelNow };
  const { verdict } = conclude([judge({ name: "quote", catalogue: sgx, pinned: pinnedBy(all) }, answers)], rules);
  expect(verdict).toBe("unavailable");
  expect(coded(answers)).toEqual(["REVOCATION_UNAVAILABLE", "REVOCATION_UNAVAILABLE"]);
});

const names = intelStateNames.filter((name) => (intelStates[name] as IntelCase).options?.tee === "sgx");
it.each(names.map((n) => [n, (intelStates[n] as IntelCase).what] as const))("answers the made state %s: %s", (name) => {
  const state = makeIntelState(name);
  const { answers } = verifySgx(
    { bytes: state.quote, form: state.form },
    lookAt(state),
    [noReferences],
    { ...trust, root: intelTestRoot(state.root, "root.der") },
    state.at,
  );
  const { verdict, codes } = state.expected;
  const subject = { name: "quote", catalogue: sgxAuthentic, pinned: pinnedBy(noReferences) };
  const rules = { waivers: [], promoted: new Set<string>(), now: intelNow };
  const words = { accept: "verified", fail: "failed", error: "inconclusive", unavailable: "unavailable" };
  expect(conclude([judge(subject, answers)], rules).verdict).toBe(words[verdict]);
  const open = verdict === "fail" ? failed(answers) : coded(answers);
  if (codes.length > 0)
    expect(
      open.some((c) => codes.includes(c)),
      open.join(", "),
    ).toBe(true);
  if (verdict === "accept") expect(failed(answers)).toEqual([]);
});

interface CollateralJson {
  readonly [field: string]: string;
}
interface Row {
  readonly id: string;
  readonly quote: string;
  readonly collateral: string;
  readonly at: string;
  readonly tee: string;
  readonly policy?: { readonly acceptTcb?: readonly string[] };
  readonly ops?: string;
  readonly expect: string;
  readonly reason: string;
  readonly tcb?: string;
}
/** Reads QuoteCollateralV3 by itself: the command's own reader is tested elsewhere. */
function recorded(c: CollateralJson, at: string): Look {
  const document = (member: string, raw: string, signature: string, chain: string) =>
    ({
      status: "ok",
      bytes: new TextEncoder().encode(`{"${member}":${c[raw]},"signature":"${c[signature]}"}`),
      at,
      issuerChain: c[chain] ?? "",
    }) as const;
  const crl = (field: string) => ({ status: "ok", bytes: Buffer.from(c[field] ?? "", "hex"), at }) as const;
  return ({ path }) =>
    path.includes("/tcb?")
      ? document("tcbInfo", "tcb_info", "tcb_info_signature", "tcb_info_issuer_chain")
      : path.includes("/qe/identity")
        ? document("enclaveIdentity", "qe_identity", "qe_identity_signature", "qe_identity_issuer_chain")
        : crl(path.includes("/pckcrl") ? "pck_crl" : "root_ca_crl");
}

describeEvidence("real SGX evidence", () => {
  const { cases } = evidenceJson<{ cases: readonly Row[] }>("tdx/cases.json");
  const intel: SgxTrust = { root: intelRoot(), collateral: "required", accepted: [] };
  const accepted = (row: Row): AcceptedTcb[] =>
    (row.policy?.acceptTcb ?? []).map((status) => ({ status: status as AcceptedTcb["status"], source: flag(status) }));
  it.each(cases.filter((c) => c.tee === "sgx" && c.ops === undefined).map((c) => [c.id, c] as const))(
    "%s",
    (_, row) => {
      const { answers, evidence: facts } = verifySgx(
        { bytes: evidence(`tdx/${row.quote}`), form: "quote" },
        recorded(evidenceJson(`tdx/${row.collateral}`), row.at),
        [noReferences],
        { ...intel, accepted: accepted(row) },
        new Date(row.at),
      );
      expect(failed(answers)).toEqual(row.expect === "accept" ? [] : [row.reason]);
      expect(facts).toMatchObject({ tcb: { status: row.tcb } });
    },
  );
  it("reads the status and the advisories of the version 3 set as the notes do", () => {
    const [row] = cases.filter((c) => c.id === "v3-sgx-processorca-00a0");
    if (row === undefined) throw new Error("no such case");
    const look = recorded(evidenceJson(`tdx/${row.collateral}`), row.at);
    const bytes = evidence(`tdx/${row.quote}`);
    const { evidence: facts } = verifySgx({ bytes, form: "quote" }, look, [noReferences], intel, new Date(row.at));
    const { advisories } = (facts as unknown as { tcb: { advisories: readonly { id: string }[] } }).tcb;
    expect(advisories.map((a) => a.id)).toEqual(["INTEL-SA-00289", "INTEL-SA-00615"]);
  });
  it.each(["sets/v4-uptodate-b0c0", "sets/v5-uptodate-90c0"])(
    "refuses the TD's quote of %s as another TEE's",
    (set) => {
      const look = recorded(evidenceJson(`tdx/${set}/collateral.json`), "2026-01-27T00:00:00Z");
      const at = new Date("2026-01-27T00:00:00Z");
      const { answers } = verifySgx(
        { bytes: evidence(`tdx/${set}/quote.bin`), form: "quote" },
        look,
        [noReferences],
        intel,
        at,
      );
      expect(answers["sgx.quote.tee_type"]).toMatchObject({ status: "fail", code: "TEE_TYPE_UNEXPECTED" });
      expect(answers["sgx.enclave.debug"].status).toBe("skip");
    },
  );
});
