/** Mesh certificates of workloads on TDX, and the secret exchange under one: one defect a case, the claim and code that say so. */
import { describe, expect, it } from "vitest";
import { makeTdxDeployment, type TdxManifest } from "../../../fixtures/generator/intel-deployment.ts";
import { exchangeDraft, exchangeJson, leafDefects, makeLeaf, workload } from "../../../fixtures/generator/mesh.ts";
import { tdxLeafDefects as bad, makeTdxLeaf, type TdxLeafDefect } from "../../../fixtures/generator/mesh-tdx.ts";
import { sharedDeployment, sharedNow } from "../../../fixtures/generator/shared.ts";
import { meshTee } from "../../../src/chain/mesh-tee.ts";
import { judge } from "../../../src/claims/subject.ts";
import { owedIds } from "../../../src/claims/verdict.ts";
import { decodeCa } from "../../../src/verifiers/contrast/ca.ts";
import { type MeshInput, verifyEndpoint, verifyExchange } from "../../../src/verifiers/contrast/mesh.ts";
import { meshEndpoint, secretExchange } from "../../../src/verifiers/contrast/mesh-claims.ts";
import { manifestRules } from "../../../src/verifiers/contrast/rules.ts";

const d = makeTdxDeployment("shared", { now: sharedNow });
const [entry] = d.manifestValue.ReferenceValues.tdx;
if (entry === undefined) throw new Error("no reference value");

function inputOf(from: { readonly meshCa: Uint8Array }, manifest: Uint8Array, version?: string): MeshInput {
  const ca = decodeCa(from.meshCa, "mesh_ca");
  if ("reason" in ca) throw new Error(ca.reason);
  return {
    meshCa: {
      pem: from.meshCa,
      certificate: ca.certificate,
      name: "mesh-ca.pem",
      origin: { kind: "pinned", file: "mesh-ca.pem", sha256: "" },
    },
    manifest: { bytes: manifest, name: "manifest", origin: { kind: "pinned", file: "manifest.json", sha256: "" } },
    rules: manifestRules(version),
    tee: meshTee,
    at: sharedNow,
    san: undefined,
    workloadSecretId: undefined,
    publicKeySha256: undefined,
  };
}
const withEntries = (...entries: readonly Partial<typeof entry>[]): Uint8Array => {
  const value: TdxManifest = {
    ...d.manifestValue,
    ReferenceValues: { tdx: entries.map((e) => ({ ...entry, ...e })) },
  };
  return new Uint8Array(Buffer.from(`${JSON.stringify(value, null, 2)}\n`));
};
const ok = (bytes: Uint8Array) => ({ status: "ok", bytes, at: sharedNow.toISOString() }) as const;

function ask(defect?: TdxLeafDefect, manifest = d.manifest, version?: string) {
  const leaf = makeTdxLeaf(d, defect === undefined ? {} : { defect }).certificate;
  const { answers, pinned, evidence } = verifyEndpoint(ok(leaf), inputOf(d, manifest, version));
  const judged = judge({ name: "endpoint", catalogue: meshEndpoint, pinned }, answers);
  const owed = new Set(owedIds(judged, new Set()));
  return {
    answers,
    pinned,
    evidence,
    open: judged.claims
      .filter((c) => owed.has(c.id) && c.status !== "pass")
      .map((c) => `${c.id} ${c.code ?? c.status}`),
  };
}
const mesh = (id: string, code: string): string => `contrast.mesh.${id} ${code}`;

describe("a mesh certificate of a workload on TDX", () => {
  it("passes whole, and says that the TCB is not in it", () => {
    const { open, answers, evidence } = ask();
    expect(open).toEqual([]);
    expect(answers["contrast.mesh.measurement"].status).toBe("pass");
    expect(answers["contrast.mesh.chip"].status).toBe("pass");
    expect(answers["contrast.mesh.tcb"]).toMatchObject({ status: "skip" });
    expect(answers["contrast.mesh.tcb"].reason).toContain("no TCB status");
    expect(evidence).toMatchObject({ tee: "TDX", mrTd: entry.MrTd, rtmrs: entry.Rtmrs });
  });
  it.each<readonly [keyof typeof bad, readonly string[]]>([
    ["otherMrTd", [mesh("measurement", "MRTD_MISMATCH")]],
    ["otherMrSeam", [mesh("measurement", "MRSEAM_MISMATCH")]],
    ["otherRtmr0", [mesh("measurement", "RTMR_MISMATCH")]],
    ["otherRtmr3", [mesh("measurement", "RTMR_MISMATCH")]],
    ["debug", [mesh("measurement", "TD_ATTRIBUTES_MISMATCH")]],
    ["septVe", [mesh("measurement", "TD_ATTRIBUTES_MISMATCH")]],
    ["otherXfam", [mesh("measurement", "XFAM_MISMATCH")]],
    ["cet", [mesh("measurement", "XFAM_MISMATCH")]],
    ["shortXfam", [mesh("extensions", "mesh-extension-malformed"), mesh("measurement", "error")]],
    ["noMrTd", [mesh("extensions", "mesh-extension-missing"), mesh("measurement", "error")]],
    ["noRtmr2", [mesh("extensions", "mesh-extension-missing"), mesh("measurement", "error")]],
    ["twoMrTds", [mesh("extensions", "mesh-extension-duplicate"), mesh("measurement", "error")]],
    [
      "hostDataTail",
      ["host_data host-data", "sans error", "workload_secret_id error"].map((x) => `contrast.mesh.${x}`),
    ],
    [
      "unknownHostData",
      ["host_data host-data", "sans error", "workload_secret_id error"].map((x) => `contrast.mesh.${x}`),
    ],
    ["noPckChain", [mesh("chip", "error")]],
    ["brokenPckChain", [mesh("chip", "error")]],
    ["otherLeaf", [mesh("chip", "error")]],
    ["otherPiid", [mesh("chip", "PIID_NOT_ALLOWED")]],
    ["sgxType", [mesh("chip", "PCK_OPTIONS_MISMATCH")]],
    ["smt", [mesh("chip", "PCK_OPTIONS_MISMATCH")]],
    ["dynamic", [mesh("chip", "PCK_OPTIONS_MISMATCH")]],
  ])("%s", (name, open) => expect(ask(bad[name]).open).toEqual(open));
  it("values of two TEEs are those of neither, and owe the questions of both", () => {
    const { open, pinned } = ask(bad.snpToo);
    expect(open).toContain(mesh("extensions", "mesh-extension-duplicate"));
    expect(open).toContain(mesh("measurement", "error"));
    expect(open).toContain(mesh("tcb", "error"));
    expect(pinned.has("contrast.mesh.chip")).toBe(true);
  });
  it("compares with one reference value as a whole", () => {
    const other = "77".repeat(48);
    const halves = withEntries({ MrSeam: other }, { MrTd: other });
    expect(ask(undefined, halves).open).toHaveLength(1);
    expect(ask(undefined, withEntries({ MrTd: other }, {})).open).toEqual([]);
    const machines = withEntries({ MrTd: other }, { AllowedPIIDs: ["ab".repeat(16)] });
    expect(ask(undefined, machines).open).toEqual([mesh("chip", "PIID_NOT_ALLOWED")]);
  });
  it("owes nothing of a machine that no reference value names", () => {
    const any = { AllowedPIIDs: null, MemoryIntegrity: false, SMTDisabled: false, StaticPlatform: false };
    const { open, answers } = ask(bad.noPckChain, withEntries(any));
    expect(open).toEqual([]);
    expect(answers["contrast.mesh.chip"].status).toBe("skip");
    const options = withEntries({ ...any, SMTDisabled: true });
    expect(ask(undefined, options).open).toEqual([]);
    expect(ask(bad.smt, options).open).toEqual([mesh("chip", "PCK_OPTIONS_MISMATCH")]);
  });
  it("is nothing under a manifest with SNP reference values alone", () => {
    const snp = sharedDeployment().manifestValue.ReferenceValues;
    const manifest = new Uint8Array(Buffer.from(JSON.stringify({ ...d.manifestValue, ReferenceValues: snp })));
    expect(ask(undefined, manifest).open).toEqual([mesh("measurement", "error")]);
  });
  it("the audited party's own manifest makes the comparison only consistent", () => {
    const input = inputOf(d, d.manifest);
    const own = { ...input.manifest, origin: { kind: "audited-party", name: "response" } } as const;
    const { answers } = verifyEndpoint(ok(makeTdxLeaf(d).certificate), { ...input, manifest: own });
    expect(answers["contrast.mesh.measurement"].status).toBe("consistent");
    expect(answers["contrast.mesh.chip"].status).toBe("consistent");
  });
});

describe("a certificate of the other TEE", () => {
  it("SNP under a manifest with TDX reference values alone", () => {
    const s = sharedDeployment();
    const manifest = new Uint8Array(
      Buffer.from(JSON.stringify({ ...s.manifestValue, ReferenceValues: d.manifestValue.ReferenceValues })),
    );
    const { answers, pinned } = verifyEndpoint(ok(makeLeaf(s).certificate), inputOf(s, manifest));
    expect(answers["contrast.mesh.measurement"].status).toBe("error");
    expect(pinned.has("contrast.mesh.tcb")).toBe(true);
  });
  it("SNP that names MRCONFIGID alone in place of its own values", () => {
    const s = sharedDeployment();
    const leaf = makeLeaf(s, { defect: leafDefects.tdx }).certificate;
    const { answers } = verifyEndpoint(ok(leaf), inputOf(s, s.manifest));
    expect(answers["contrast.mesh.extensions"].code).toBe("mesh-extension-missing");
    expect(answers["contrast.mesh.measurement"].status).toBe("error");
  });
});

describe("a secret exchange with a service on TDX", () => {
  const exchange = (defect?: TdxLeafDefect) => {
    const leaf = makeTdxLeaf(d, defect === undefined ? {} : { defect });
    const record = new Uint8Array(Buffer.from(exchangeJson(exchangeDraft(d, leaf))));
    const { answers, pinned } = verifyExchange(record, {
      ...inputOf(d, d.manifest),
      workloadSecretId: { value: workload(d).workloadSecretId, origin: { kind: "flag", name: "--workload-secret-id" } },
    });
    const judged = judge({ name: "exchange", catalogue: secretExchange, pinned }, answers);
    const owed = new Set(owedIds(judged, new Set()));
    return judged.claims.filter((c) => owed.has(c.id) && c.status !== "pass").map((c) => c.code ?? c.status);
  };
  it("passes", () => expect(exchange()).toEqual([]));
  it("fails under the certificate of another image", () => expect(exchange(bad.otherMrTd)).toEqual(["MRTD_MISMATCH"]));
});
