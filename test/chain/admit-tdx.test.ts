/** TDX evidence against a manifest as the mesh sees it: one defect a case, the claim and code that say so, and the Coordinator's own word. */
import { describe, expect, it } from "vitest";
import { makeTdxDeployment, type TdxManifest } from "../../fixtures/generator/intel-deployment.ts";
import { evaluationNumber } from "../../fixtures/generator/intel-documents.ts";
import {
  header,
  type IntelEdit,
  launched,
  levelStatus,
  modules,
  same,
  td,
} from "../../fixtures/generator/intel-edits.ts";
import { type IntelDraft, intelDraft, makeIntelEvidence } from "../../fixtures/generator/intel-evidence.ts";
import { pcsResponse } from "../../fixtures/generator/intel-pcs.ts";
import { tdxTampers } from "../../fixtures/generator/intel-tamper.ts";
import { workload as workloadOf } from "../../fixtures/generator/mesh.ts";
import { sharedDeployment, sharedNow } from "../../fixtures/generator/shared.ts";
import { type AdmissionInput, admit } from "../../src/chain/admit.ts";
import { tdxEvidence } from "../../src/chain/admit-tdx.ts";
import type { Look } from "../../src/run.ts";
import { manifestRules } from "../../src/verifiers/contrast/rules.ts";
import { describeEvidence, evidence, evidenceJson } from "../evidence.ts";

const d = makeTdxDeployment("shared", { now: sharedNow });
const workload = workloadOf(d);
const [entry] = d.manifestValue.ReferenceValues.tdx;
if (entry === undefined) throw new Error("no reference value");

/** Evidence of the workload on the Coordinator's kind of TD. */
const good = (): IntelDraft =>
  td({ mrConfigId: new Uint8Array(Buffer.concat([workload.hash, Buffer.alloc(16)])) })(d.evidence);
const nonce = new Uint8Array(32).fill(7);
/** The edit of the evidence that a tampered answer makes. */
const tampered =
  (name: keyof typeof tdxTampers): IntelEdit =>
  (draft) =>
    tdxTampers[name].apply({ ...d.draft(nonce), evidence: draft }, d).evidence;

interface Question {
  readonly edit?: IntelEdit;
  /** In place of the protobuf. */
  readonly bytes?: (made: ReturnType<typeof makeIntelEvidence>) => Uint8Array;
  readonly manifest?: Uint8Array;
  readonly policies?: readonly Uint8Array[];
  readonly look?: Look;
  readonly rules?: string;
  readonly at?: Date;
}
function ask(q: Question = {}) {
  const draft = (q.edit ?? same)(good());
  const made = makeIntelEvidence(draft);
  const state = { collateral: [made.collateral], authority: draft.authority };
  const input: AdmissionInput = {
    evidence: q.bytes?.(made) ?? made.quote,
    manifest: { name: "manifest.json", bytes: q.manifest ?? d.manifest, sha256: "00".repeat(32) },
    rules: manifestRules(q.rules),
    policies: q.policies,
    testRoot: { file: "root.der", bytes: d.evidence.authority.root.certificate },
  };
  const look: Look = q.look ?? (({ path }) => pcsResponse(state, path, sharedNow));
  const { judged, evidence: facts } = admit(input, look, q.at ?? sharedNow);
  const claims = judged.flatMap((j) => j.claims);
  const owed = judged.flatMap(({ subject, claims: list }) =>
    list.filter(({ id }) => {
      const how = subject.catalogue[id]?.owed;
      return how === "always" || (how === "pinned" && subject.pinned.has(id));
    }),
  );
  const one = (id: string) => claims.find((c) => c.id === id);
  return {
    facts: facts["admission"] as Record<string, unknown>,
    subjects: judged.map((j) => j.subject.name),
    one,
    /** Owed and not passed, `id code` or `id status`. */
    open: owed
      .filter((c) => c.status !== "pass" && !c.id.startsWith("tdx.pins."))
      .map((c) => `${c.id} ${c.code ?? c.status}`),
    coordinator: one("chain.admission.coordinator")?.status,
    laxer: one("chain.admission.coordinator_checks")?.code,
  };
}
const refused = "chain.admission.coordinator coordinator-refuses";
const depends = "chain.admission.coordinator error";
const noEntry = "chain.admission.entry no-entry-fits";
const laxer = "coordinator-laxer";
const withEntries = (...entries: readonly Partial<typeof entry>[]): Uint8Array => {
  const value: TdxManifest = {
    ...d.manifestValue,
    ReferenceValues: { tdx: entries.map((e) => ({ ...entry, ...e })) },
  };
  return new Uint8Array(Buffer.from(`${JSON.stringify(value, null, 2)}\n`));
};

describe("a workload of the manifest on TDX", () => {
  it("is admitted, as whom and by which reference value", () => {
    const { open, facts, coordinator, laxer: less, subjects } = ask();
    expect(open).toEqual([]);
    expect([coordinator, less]).toEqual(["pass", undefined]);
    expect(subjects).toEqual(["admission", "quote", "manifest"]);
    expect(facts).toMatchObject({
      policyKey: workload.key,
      sans: workload.workload.sans,
      workloadSecretId: workload.workloadSecretId,
      referenceValue: "/ReferenceValues/tdx/0",
      coordinator: "lets in",
    });
  });
  it("needs no REPORTDATA, and does not say that it was compared", () => {
    const { one } = ask();
    expect(one("tdx.td.report_data")?.status).toBe("skip");
    expect(one("tdx.pins.for_whom")?.status).toBe("pass");
    expect(one("tdx.pins.what_runs")?.status).toBe("pass");
  });
  it("is admitted raw, as hex and as base64, too", () => {
    const text = (coding: "hex" | "base64") => (made: { readonly raw: Uint8Array }) =>
      new Uint8Array(Buffer.from(Buffer.from(made.raw).toString(coding)));
    for (const bytes of [(made: { readonly raw: Uint8Array }) => made.raw, text("hex"), text("base64")])
      expect(ask({ bytes }).open).toEqual([]);
  });
  it("is admitted by the second reference value where the first does not fit", () => {
    const other = withEntries({ MrTd: "77".repeat(48) }, {});
    expect(ask({ manifest: other })).toMatchObject({ open: [], facts: { referenceValue: "/ReferenceValues/tdx/1" } });
  });
  it("is not asked for options of the platform of which the reference value demands none", () => {
    const none = { MemoryIntegrity: false, SMTDisabled: false, StaticPlatform: false };
    const { open, one } = ask({ manifest: withEntries(none) });
    expect([open, one("tdx.pck.options")?.status]).toEqual([[], "skip"]);
    for (const name of ["MemoryIntegrity", "SMTDisabled", "StaticPlatform"])
      expect(ask({ manifest: withEntries({ ...none, [name]: true }) }).one("tdx.pck.options")?.status).toBe("pass");
  });
  it("has its policy judged when that is among the files", () => {
    const { open, one } = ask({ policies: d.policies.map((p) => p.body) });
    expect(open).toEqual([]);
    expect(one("kata.initdata.digest")).toMatchObject({ status: "pass", subject: `policy ${workload.key}` });
  });
});

describe("what is not admitted", () => {
  it("a workload whose policy is no key of the manifest", () => {
    const { open, facts } = ask({ edit: td({ mrConfigId: new Uint8Array(48).fill(0xab) }) });
    expect(open).toEqual([
      "chain.admission.workload_known workload-unknown",
      refused,
      "tdx.td.mrconfigid MRCONFIGID_MISMATCH",
    ]);
    expect(facts).toMatchObject({ policyKey: null, coordinator: "refuses" });
  });
  it("a quote that meets each half of two reference values, and none as a whole", () => {
    const halves = withEntries({ MrSeam: "77".repeat(48) }, { MrTd: "77".repeat(48) });
    const { open, facts } = ask({ manifest: halves });
    expect(open).toEqual([noEntry, refused, "tdx.module.mrseam MRSEAM_MISMATCH"]);
    expect(facts["referenceValue"]).toBeNull();
  });
  it.each<readonly [keyof typeof tdxTampers, readonly string[]]>([
    ["mrTd", ["tdx.td.mrtd MRTD_MISMATCH"]],
    ["mrSeam", ["tdx.module.mrseam MRSEAM_MISMATCH"]],
    ["rtmr0", ["tdx.td.rtmrs RTMR_MISMATCH"]],
    ["rtmr3", ["tdx.td.rtmrs RTMR_MISMATCH"]],
    ["xfam", ["tdx.td.xfam XFAM_MISMATCH"]],
    ["xfamCet", ["tdx.td.xfam XFAM_MISMATCH"]],
    ["piid", ["tdx.pck.piid PIID_NOT_ALLOWED"]],
    ["sgxType", ["tdx.pck.options PCK_OPTIONS_MISMATCH"]],
    ["smt", ["tdx.pck.options PCK_OPTIONS_MISMATCH"]],
    ["dynamicPlatform", ["tdx.pck.options PCK_OPTIONS_MISMATCH"]],
    ["septVe", ["tdx.td.sept_ve_disable sept-ve-enabled", "tdx.td.attributes TD_ATTRIBUTES_MISMATCH"]],
  ])("%s: no reference value fits, and the Coordinator refuses", (name, open) => {
    const asked = ask({ edit: tampered(name) });
    expect(asked.open).toEqual([noEntry, refused, ...open]);
    expect(asked.laxer).toBeUndefined();
  });
  it("a debug TD: both refuse", () => {
    const asked = ask({ edit: tampered("debug") });
    expect(asked.open).toEqual([noEntry, refused, "tdx.td.debug TD_DEBUG", "tdx.td.attributes TD_ATTRIBUTES_MISMATCH"]);
  });
  it.each([
    ["quoteSignature", "tdx.quote.signature QUOTE_SIGNATURE_INVALID"],
    ["otherRoot", "tdx.pck.chain ROOT_UNTRUSTED"],
    ["vendor", "tdx.quote.qe_vendor QE_VENDOR_UNKNOWN"],
  ] as const)("%s: evidence that is not authentic says nothing at all", (name, open) => {
    const asked = ask({ edit: tampered(name), policies: [workload.body] });
    expect(asked.open).toContain(open);
    for (const id of ["workload_known", "entry", "coordinator", "coordinator_checks"])
      expect(asked.one(`chain.admission.${id}`)?.status).toBe("skip");
    expect(asked.facts["policyKey"]).toBeNull();
  });
  it.each([
    ["pckRevoked", "tdx.pck.revocation PCK_REVOKED"],
    ["intermediateRevoked", "tdx.pck.revocation INTERMEDIATE_REVOKED"],
  ] as const)("%s: both refuse", (name, open) => {
    expect(ask({ edit: tampered(name) })).toMatchObject({ open: [refused, open], laxer: undefined });
  });
  it.each([
    ["moduleOutOfDate", ["tdx.tcb.status TCB_OUT_OF_DATE"]],
    ["moduleBelowLowest", ["tdx.tcb.level TCB_NOT_SUPPORTED", "tdx.tcb.status TCB_NOT_SUPPORTED"]],
  ] as const)("%s: both refuse", (name, open) => {
    const asked = ask({ edit: tampered(name) });
    expect(asked.open).toEqual([refused, ...open]);
    expect(asked.laxer).toBeUndefined();
  });
  it("anything under a manifest with SNP reference values alone, and SNP evidence under one with TDX alone", () => {
    const { snp } = sharedDeployment().manifestValue.ReferenceValues;
    const manifest = new Uint8Array(Buffer.from(JSON.stringify({ ...d.manifestValue, ReferenceValues: { snp } })));
    const asked = ask({ manifest });
    expect(asked.open).toEqual([noEntry, refused]);
    expect(asked.one("tdx.pins.what_runs")?.status).toBe("skip");
  });
  it("what begins as a quote and breaks off, and a quote of an enclave", () => {
    expect(ask({ bytes: ({ raw }) => raw.subarray(0, 700) }).open).toContain("tdx.quote.format QUOTE_MALFORMED");
    // Not TDX evidence, and then judged as SNP evidence under the root of another vendor.
    const enclave = makeIntelEvidence(intelDraft("shared", sharedNow, { tee: "sgx" })).raw;
    expect(() => ask({ bytes: () => enclave })).toThrow(expect.objectContaining({ code: "PM_USAGE" }) as Error);
  });
  it("a version 5 quote, which pm reads: the Coordinator does not", () => {
    const asked = ask({ edit: (draft) => ({ ...header({ version: 5 })(draft), form: "quote" }) });
    expect(asked.open).toEqual([refused]);
    expect(asked.one("chain.admission.coordinator")?.reason).toContain("version 4 only");
  });
});

describe("where the Coordinator looks less closely", () => {
  it("a platform out of date under an UpToDate module: the Coordinator lets it in", () => {
    const asked = ask({ edit: tampered("platformOutOfDate") });
    expect(asked).toMatchObject({ open: ["tdx.tcb.status TCB_OUT_OF_DATE"], coordinator: "pass", laxer });
    expect(asked.facts["referenceValue"]).toBe("/ReferenceValues/tdx/0");
  });
  it.each(["swHardening", "revokedLevel"] as const)("%s of the platform: likewise", (name) => {
    const asked = ask({ edit: tampered(name) });
    expect([asked.coordinator, asked.laxer]).toEqual(["pass", laxer]);
    expect(asked.open).toContain(`tdx.tcb.status ${tdxTampers[name].codes[0]}`);
  });
  it("with a module of major version 0 the platform's status counts: both refuse", () => {
    const edit: IntelEdit = (draft) => levelStatus("OutOfDate")(launched(5, 0)(draft));
    const asked = ask({ edit });
    expect(asked.open).toContain(refused);
    expect(asked.laxer).toBeUndefined();
  });
  it("what follows the key in MRCONFIGID: the mesh API does not look at it", () => {
    const asked = ask({ edit: tampered("mrConfigIdTail") });
    expect(asked).toMatchObject({ open: ["tdx.td.mrconfigid MRCONFIGID_MISMATCH"], coordinator: "pass", laxer });
    expect(asked.facts["policyKey"]).toBe(workload.key);
  });
  it("an old QE identity: Contrast asks for the number of the TCB info alone", () => {
    const asked = ask({ edit: tampered("evaluationQeIdentity") });
    expect(asked).toMatchObject({
      open: [noEntry, "tdx.tcb.evaluation TCB_EVALUATION_TOO_LOW"],
      coordinator: "pass",
      laxer,
    });
  });
  it("an old TCB info: it depends on what Intel answers for the demanded number", () => {
    const asked = ask({ edit: tampered("evaluationTcbInfo") });
    expect(asked).toMatchObject({
      open: [noEntry, depends, "tdx.tcb.evaluation TCB_EVALUATION_TOO_LOW"],
      laxer: undefined,
    });
    expect(evaluationNumber).toBeGreaterThan(0);
  });
  it("CET bits that the manifest does not have: main lets them in, a release does not", () => {
    const asked = ask({ edit: tampered("xfamCet"), rules: "main" });
    expect(asked).toMatchObject({ open: [noEntry, "tdx.td.xfam XFAM_MISMATCH"], coordinator: "pass", laxer });
    expect(ask({ edit: tampered("xfam"), rules: "main" }).open).toContain(refused);
  });
  it("half of CET that the manifest has, too", () => {
    const half = "e70a060000000000";
    const asked = ask({
      edit: td({ xfam: new Uint8Array(Buffer.from(half, "hex")) }),
      manifest: withEntries({ Xfam: half }),
    });
    expect(asked).toMatchObject({ open: ["tdx.td.xfam_fixed XFAM_MISMATCH"], coordinator: "pass", laxer });
  });
  it("documents that cannot be had or are out of date: it depends on what the Coordinator gets", () => {
    const none = ask({ look: () => ({ status: "unavailable", reason: "offline" }) });
    expect(none.coordinator).toBe("unavailable");
    expect(none.open.filter((line) => !/unavailable|REVOCATION_UNAVAILABLE/.test(line))).toEqual([
      "chain.admission.entry error",
    ]);
    const late = ask({ at: new Date(sharedNow.getTime() + 60 * 86_400_000) });
    expect(late.open).toContain("tdx.tcb_info.window TCB_INFO_EXPIRED");
    expect(late.coordinator).toBe("error");
    const early = ask({ at: new Date(sharedNow.getTime() - 3 * 86_400_000) });
    expect(early.open).toContain("tdx.tcb_info.window TCB_INFO_NOT_YET_VALID");
    expect([early.coordinator, early.laxer]).toEqual(["error", laxer]);
  });
  it("a TCB info without the module's identity is never admitted", () => {
    const asked = ask({ edit: modules(() => []) });
    expect(asked.open.some((line) => line.startsWith("tdx.module.identity "))).toBe(true);
    expect(asked.coordinator).not.toBe("pass");
  });
});

describe("which TEE the evidence is of", () => {
  const raw = makeIntelEvidence(good()).raw;
  it.each([
    ["a quote", raw, true],
    ["hex", new Uint8Array(Buffer.from(`${Buffer.from(raw).toString("hex")}\n`)), true],
    ["a protobuf", makeIntelEvidence(good()).quote, true],
    ["TEE type of SGX", raw.map((b, i) => (i === 4 ? 0 : b)), false],
    ["TEE type above one byte", raw.map((b, i) => (i === 7 ? 1 : b)), false],
    ["version 3", raw.map((b, i) => (i === 0 ? 3 : b)), false],
    ["no key type, as an SNP report's version", raw.map((b, i) => (i === 2 ? 0 : b)), false],
    ["nothing", new Uint8Array(), false],
    ["a JSON object", new Uint8Array(Buffer.from("{}")), false],
  ] as const)("%s", (_, bytes, is) => expect(tdxEvidence(bytes) !== undefined).toBe(is));
});

interface Expected {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly response?: string;
        readonly collateral: string;
        readonly sdk_v1_20_0?: string;
        readonly codes?: string[];
      }
    >
  >;
}
describeEvidence("Contrast's own client on recorded TDX evidence", () => {
  const { files } = evidenceJson<Expected>("contrast/tdx-full/expect.json");
  // A workload's MRCONFIGID joins the mesh and is refused from a Coordinator; REPORTDATA is asked elsewhere.
  const elsewhere = ["neg-01-host-data.json", "neg-10-nonce.json", "neg-33-manifest-newline.json"];
  const rows = Object.entries(files).filter(([name, e]) => e.sdk_v1_20_0 !== undefined && !elsewhere.includes(name));
  const documentOf = (name: string): Uint8Array => {
    const { raw_attestation_doc: text } = evidenceJson<Record<string, string>>(`contrast/tdx-full/${name}`);
    return new Uint8Array(Buffer.from(text ?? "", "base64"));
  };
  const lookIn = (name: string): Look => {
    const c = evidenceJson<Record<string, string>>(`contrast/tdx-full/${name}`);
    const at = sharedNow.toISOString();
    const ok = (bytes: Buffer, chain: string | undefined) =>
      ({
        status: "ok",
        bytes: new Uint8Array(bytes),
        at,
        ...(chain === undefined ? {} : { issuerChain: chain }),
      }) as const;
    const signed = (member: string, of: string) =>
      ok(Buffer.from(`{"${member}":${c[of]},"signature":"${c[`${of}_signature`]}"}`), c[`${of}_issuer_chain`]);
    return ({ path }) =>
      path.includes("/tcb?")
        ? signed("tcbInfo", "tcb_info")
        : path.includes("/qe/identity")
          ? signed("enclaveIdentity", "qe_identity")
          : path.includes("/pckcrl?")
            ? ok(Buffer.from(c["pck_crl"] ?? "", "hex"), c["pck_crl_issuer_chain"])
            : ok(Buffer.from(c["root_ca_crl"] ?? "", "hex"), undefined);
  };
  it.each(rows)("%s", (name, e) => {
    const { judged } = admit(
      {
        evidence: documentOf(e.response ?? name),
        manifest: {
          name: "manifest.json",
          bytes: evidence("contrast/tdx-full/manifest.json"),
          sha256: "00".repeat(32),
        },
        rules: manifestRules(),
        policies: undefined,
        testRoot: { file: "root-ca.pem", bytes: evidence("contrast/tdx-full/root-ca.pem") },
      },
      lookIn(e.collateral),
      sharedNow,
    );
    const claims = judged.flatMap((j) => j.claims);
    const own = claims.find((c) => c.id === "chain.admission.coordinator");
    expect(own?.status === "pass", own?.reason).toBe(e.sdk_v1_20_0 === "accept");
    if (e.codes !== undefined) {
      const failed = claims.filter((c) => c.status === "fail").map((c) => c.code ?? "");
      expect(
        failed.some((code) => e.codes?.includes(code)),
        failed.join(", "),
      ).toBe(true);
    }
  });
});
