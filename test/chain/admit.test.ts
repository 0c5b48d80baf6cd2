/** Evidence against a manifest as the mesh sees it: one defect a case, the claim and code that say so, and the Coordinator's own word. */
import { describe, expect, it } from "vitest";
import { makeAmdCrl } from "../../fixtures/generator/amd.ts";
import { answerBody, type Draft } from "../../fixtures/generator/answer.ts";
import { certificateGuid, certificateTable, extendedReport } from "../../fixtures/generator/carriers.ts";
import { makeGuest, sealed } from "../../fixtures/generator/guest.ts";
import { contrastIdKeyDigest } from "../../fixtures/generator/idkey.ts";
import { guestPolicy, type Manifest, manifestBytes } from "../../fixtures/generator/manifest.ts";
import { policyBit, signingKey } from "../../fixtures/generator/report.ts";
import { sharedDeployment, sharedNow } from "../../fixtures/generator/shared.ts";
import { tampers } from "../../fixtures/generator/tamper.ts";
import { tcbBytes } from "../../fixtures/generator/tcb.ts";
import { type AdmissionInput, admit } from "../../src/chain/admit.ts";
import { PmError } from "../../src/errors.ts";
import type { Look, Request } from "../../src/run.ts";
import { manifestRules } from "../../src/verifiers/contrast/rules.ts";
import { describeEvidence, evidence } from "../evidence.ts";

const d = sharedDeployment();
const workload = d.policies.find((p) => p.workload.name === "secret-service");
if (workload === undefined) throw new Error("no workload");
const { hash: hostData, key } = workload;
const nonce = new Uint8Array(32).fill(7);
const offline: Look = () => ({ status: "unavailable", reason: "offline" });

/** raw_attestation_doc of an answer: the go-sev-guest protobuf. */
function documentOf(answer: Uint8Array): Uint8Array {
  const { raw_attestation_doc: text } = JSON.parse(Buffer.from(answer).toString("utf8")) as Record<string, string>;
  return new Uint8Array(Buffer.from(text ?? "", "base64"));
}
const good = (): Draft => {
  const draft = d.draft(nonce);
  return { ...draft, fields: { ...draft.fields, hostData } };
};
const evidenceOf = (change: (draft: Draft) => Draft = (x) => x): Uint8Array => documentOf(answerBody(change(good())));

interface Question {
  readonly evidence?: Uint8Array;
  readonly manifest?: Uint8Array;
  readonly policies?: readonly Uint8Array[];
  readonly look?: Look;
  readonly at?: Date;
  readonly root?: Uint8Array;
}
function ask(q: Question = {}) {
  const input: AdmissionInput = {
    evidence: q.evidence ?? evidenceOf(),
    manifest: { name: "manifest.json", bytes: q.manifest ?? d.manifest, sha256: "00".repeat(32) },
    rules: manifestRules(),
    policies: q.policies,
    testRoot: { file: "ark.der", bytes: q.root ?? d.authority.ark.certificate },
  };
  const { judged, evidence: facts } = admit(input, q.look ?? offline, q.at ?? sharedNow);
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
    one,
    /** Owed and not passed, `id code` or `id status`. */
    open: owed.filter((c) => c.status !== "pass").map((c) => `${c.id} ${c.code ?? c.status}`),
    coordinator: one("chain.admission.coordinator")?.status,
    laxer: one("chain.admission.coordinator_checks")?.code,
  };
}
const refused = "chain.admission.coordinator coordinator-refuses";
const noEntry = "chain.admission.entry no-entry-fits";
const withEntries = (...entries: readonly Partial<Manifest["ReferenceValues"]["snp"][number]>[]): Uint8Array => {
  const [first] = d.manifestValue.ReferenceValues.snp;
  if (first === undefined) throw new Error("no reference value");
  return manifestBytes({ ...d.manifestValue, ReferenceValues: { snp: entries.map((e) => ({ ...first, ...e })) } });
};

describe("a workload of the manifest", () => {
  it("is admitted, as whom and by which reference value", () => {
    const { open, facts, coordinator } = ask();
    expect(open).toEqual([]);
    expect(coordinator).toBe("pass");
    expect(facts).toMatchObject({
      policyKey: key,
      sans: ["secret-service", "*", "secret.demo.example"],
      workloadSecretId: workload.workloadSecretId,
      role: "",
      referenceValue: "/ReferenceValues/snp/0",
      coordinator: "lets in",
    });
  });
  it("needs no REPORT_DATA, and does not say that it was compared", () => {
    const { one } = ask();
    expect(one("snp.report.report_data")?.status).toBe("skip");
    expect(one("snp.pins.for_whom")?.status).toBe("pass");
  });
  it("is admitted by the second reference value where the first does not fit", () => {
    const other = withEntries({ TrustedMeasurement: "77".repeat(48) }, {});
    expect(ask({ manifest: other })).toMatchObject({ open: [], facts: { referenceValue: "/ReferenceValues/snp/1" } });
  });
  it("is admitted in any carrier", () => {
    const report = sealed({ ...d.fields, hostData }, d.vcek.key);
    const look: Look = ({ path }: Request) => ({
      status: "ok",
      at: sharedNow.toISOString(),
      bytes: path.endsWith("/crl")
        ? d.crl
        : path.endsWith("/cert_chain")
          ? (d.files.get("cert_chain.pem") ?? d.crl)
          : d.vcek.certificate,
    });
    expect(ask({ evidence: report, look }).open).toEqual([]);
    expect(ask({ evidence: new Uint8Array(Buffer.from(Buffer.from(report).toString("hex"))), look }).open).toEqual([]);
  });
});

describe("what is not admitted", () => {
  it("a workload whose policy is no key of the manifest", () => {
    const stranger = hostData.map((b, i) => (i === 0 ? b ^ 1 : b));
    const { open, facts } = ask({
      evidence: evidenceOf((x) => ({ ...x, fields: { ...x.fields, hostData: stranger } })),
    });
    expect(open).toEqual([
      "chain.admission.workload_known workload-unknown",
      refused,
      "snp.report.host_data host-data",
      "snp.pins.for_whom host-data",
    ]);
    expect(facts).toMatchObject({ policyKey: null, coordinator: "refuses" });
  });
  it("a report that meets each half of two reference values, and none as a whole", () => {
    const tcb = (SNPVersion: number) => ({ BootloaderVersion: 0, TEEVersion: 0, SNPVersion, MicrocodeVersion: 0 });
    const halves = withEntries({ MinimumTCB: tcb(255) }, { TrustedMeasurement: "77".repeat(48), MinimumTCB: tcb(0) });
    const { open, facts } = ask({ manifest: halves });
    expect(open).toEqual([noEntry, refused, "snp.tcb.minimum tcb-minimum"]);
    expect(facts["referenceValue"]).toBeNull();
  });
  it.each<readonly [keyof typeof tampers, readonly string[]]>([
    ["measurement", ["snp.report.measurement measurement"]],
    ["chipNotListed", ["snp.chip.allowed chip-id-mismatch"]],
    ["chipMasked", ["snp.chip.allowed chip-id-mismatch"]],
    ["tcbBelowMinimum", ["snp.tcb.minimum tcb-minimum"]],
    ["launchTcb", ["snp.tcb.minimum tcb-minimum"]],
    ["mitigation", ["snp.mitigation.vectors mitigation"]],
    ["noIdBlock", ["snp.report.id_key_digest id-key-digest"]],
    ["smt", ["snp.platform.info platform-info"]],
    ["vmpl", ["snp.report.vmpl vmpl"]],
  ])("%s: no reference value fits, and the Coordinator refuses", (name, open) => {
    const tampered = ask({ evidence: evidenceOf((x) => tampers[name].apply(x, d)) });
    const pins = tampered.open.filter((id) => !id.startsWith("snp.pins."));
    expect(pins).toEqual([noEntry, refused, ...open]);
    expect(tampered.laxer).toBeUndefined();
  });
  it("a report whose signature is wrong says nothing at all", () => {
    const { one, open } = ask({ evidence: evidenceOf((x) => tampers.signatureBit.apply(x)) });
    expect(open).toContain("snp.report.signature signature");
    for (const id of ["workload_known", "entry", "coordinator", "coordinator_checks"])
      expect(one(`chain.admission.${id}`)?.status).toBe("skip");
  });
  it("a report that a VLEK signed, which is genuine: the Coordinator has no root for it", () => {
    const vlek = makeGuest("shared", "Genoa", sharedNow, { vlek: true });
    const { measurement, policy, platformInfo, idKeyDigest, familyId, imageId } = d.fields;
    const report = sealed(
      {
        ...vlek.fields,
        measurement,
        policy,
        platformInfo,
        idKeyDigest,
        familyId,
        imageId,
        hostData,
        flags: signingKey.vlek,
      },
      vlek.vek.key,
    );
    const table = certificateTable([
      [certificateGuid.vlek, vlek.vek.certificate],
      [certificateGuid.ask, vlek.authority.asvk.certificate],
    ]);
    const look: Look = ({ path }) =>
      path.endsWith("/crl")
        ? { status: "ok", bytes: makeAmdCrl(vlek.authority), at: sharedNow.toISOString() }
        : { status: "unavailable", reason: "none" };
    const zero = { BootloaderVersion: 0, TEEVersion: 0, SNPVersion: 0, MicrocodeVersion: 0 };
    const manifest = withEntries({ AllowedChipIDs: null, MinimumTCB: zero });
    const asked = ask({
      evidence: extendedReport(report, table),
      manifest,
      look,
      root: vlek.authority.ark.certificate,
    });
    expect(asked.open).toEqual([refused]);
    expect(asked.one("chain.admission.coordinator")?.reason).toContain("VLEK");
  });
  it("anything under a manifest without SNP reference values, or one that pm cannot compare with", () => {
    const none = new Uint8Array(Buffer.from(JSON.stringify({ ...d.manifestValue, ReferenceValues: {} })));
    expect(ask({ manifest: none }).open).toEqual(expect.arrayContaining([noEntry, refused, "snp.pins.what_runs skip"]));
    expect(ask({ manifest: withEntries({ ProductName: "Turin" }) }).one("chain.admission.entry")?.status).toBe("error");
  });
  it("a manifest that can be read in two ways answers nothing", () => {
    const twice = new Uint8Array(
      Buffer.from(Buffer.from(d.manifest).toString("utf8").replace('"Policies"', '"policies"')),
    );
    const { open, one } = ask({ manifest: twice });
    expect(open).toContain("contrast.manifest.unambiguous manifest-ambiguous");
    for (const id of ["workload_known", "entry", "coordinator"])
      expect(one(`chain.admission.${id}`)?.status).toBe("error");
  });
  it("TDX evidence is not judged under AMD's test root", () => {
    const quote = new Uint8Array(5000);
    quote.set([4, 0, 2, 0, 0x81, 0, 0, 0]);
    const asked = () => ask({ evidence: quote });
    expect(asked).toThrow(PmError);
    expect(asked).toThrow(expect.objectContaining({ code: "PM_USAGE" }) as Error);
  });
  it("bytes that are no report", () => {
    expect(ask({ evidence: new Uint8Array(10) }).open).toContain("snp.report.format report-size");
  });
});

describe("where the Coordinator looks less closely", () => {
  const laxer = "coordinator-laxer";
  it("a revoked report key: the Coordinator lets it in", () => {
    const asked = ask({ evidence: evidenceOf((x) => tampers.crlRevokesVcek.apply(x, d)) });
    expect(asked).toMatchObject({ open: ["snp.chain.revocation revoked"], coordinator: "pass", laxer });
  });
  it("a revoked intermediate: both refuse", () => {
    const asked = ask({ evidence: evidenceOf((x) => tampers.crlRevokesAsk.apply(x, d)) });
    expect(asked).toMatchObject({ open: [refused, "snp.chain.revocation revoked"], laxer: undefined });
  });
  it("a list out of date: it depends on the list that the Coordinator fetches", () => {
    const crl = makeAmdCrl(d.authority, { thisUpdate: -60, nextUpdate: -7 });
    const asked = ask({ evidence: evidenceOf((x) => ({ ...x, chain: { ...x.chain, crl } })) });
    expect(asked).toMatchObject({
      open: ["chain.admission.coordinator error", "snp.chain.revocation crl-expired"],
      laxer,
    });
  });
  it("a manifest and a guest that allow debugging: the Coordinator lets it in", () => {
    const policy = d.fields.policy | policyBit.debug;
    const idKeyDigest = contrastIdKeyDigest(d.fields.measurement, policy);
    const asked = ask({
      evidence: evidenceOf((x) => ({ ...x, fields: { ...x.fields, policy, idKeyDigest } })),
      manifest: withEntries({ GuestPolicy: { ...guestPolicy, Debug: true } }),
    });
    expect(asked).toMatchObject({
      open: ["snp.policy.debug policy-debug", "contrast.manifest.valid manifest-invalid"],
      coordinator: "pass",
      laxer,
    });
  });
  it("a guest that may be debugged under a manifest that does not allow it: both refuse", () => {
    const asked = ask({ evidence: evidenceOf((x) => tampers.debug.apply(x, d)) });
    expect(asked.open).toContain(refused);
    expect(asked.laxer).toBeUndefined();
  });
  it("COMMITTED_TCB alone below the minimum: the Coordinator lets it in", () => {
    const committedTcb = tcbBytes("Genoa", { ...d.tcb, snp: 0 });
    const asked = ask({ evidence: evidenceOf((x) => ({ ...x, fields: { ...x.fields, committedTcb } })) });
    expect(asked).toMatchObject({ open: [noEntry, "snp.tcb.minimum tcb-minimum"], coordinator: "pass", laxer });
  });
  it("without any list the answer is unavailable, here and there", () => {
    const asked = ask({ evidence: evidenceOf((x) => ({ ...x, chain: { ...x.chain, crl: undefined } })) });
    expect(asked).toMatchObject({
      open: ["chain.admission.coordinator unavailable", "snp.chain.revocation crl-unavailable"],
    });
  });
});

describe("the policy that HOST_DATA names", () => {
  const bodies = d.policies.map((p) => p.body);
  it("is judged when it is among the files", () => {
    const { open, one } = ask({ policies: [new Uint8Array(3), ...bodies] });
    expect(open).toEqual([]);
    expect(one("kata.initdata.digest")).toMatchObject({ status: "pass", subject: `policy ${key}` });
  });
  it("is open when it is not", () => {
    const { open } = ask({ policies: bodies.filter((b) => b !== workload.body) });
    expect(open).toEqual(["format", "digest", "keys", "debug"].map((id) => `kata.initdata.${id} skip`));
  });
});

interface Expected {
  readonly files: Readonly<Record<string, { readonly sdk_v1_20_0?: string }>>;
}
describeEvidence("Contrast's own client on recorded evidence", () => {
  const file = (name: string): Uint8Array => {
    const bytes = evidence(`contrast/snp-full/${name}`);
    if (bytes === undefined) throw new Error(`no ${name}`);
    return bytes;
  };
  const expected = JSON.parse(Buffer.from(file("expect.json")).toString("utf8")) as Expected;
  // 01: a workload's HOST_DATA, which joins the mesh, is refused from a Coordinator. 30: REPORT_DATA. Both are asked elsewhere.
  const elsewhere = ["neg-01-host-data.json", "neg-30-manifest-newline.json"];
  const answers = Object.entries(expected.files).filter(
    ([name, e]) => e.sdk_v1_20_0 !== undefined && !elsewhere.includes(name),
  );
  const look: Look = ({ path }) => ({
    status: "ok",
    at: sharedNow.toISOString(),
    bytes: path.endsWith("/crl")
      ? file("crl.der")
      : path.endsWith("/cert_chain")
        ? file("ask-ark.pem")
        : file("vcek.der"),
  });
  it.each(answers.map(([name, e]) => [name, e.sdk_v1_20_0 ?? ""] as const))("%s: %s", (name, sdk) => {
    const manifest = file(name.includes("v2-report") ? "manifest-v2-report.json" : "manifest.json");
    const needsKds = name === "ok-no-chain.json";
    const product = name.includes("milan")
      ? new Uint8Array(Buffer.from(Buffer.from(manifest).toString("utf8").replaceAll('"Genoa"', '"Milan"')))
      : manifest;
    const asked = ask({
      evidence: documentOf(file(name)),
      manifest: product,
      root: file("ark.pem"),
      ...(needsKds ? { look } : {}),
    });
    const accepts = asked.coordinator === "pass";
    // Without a service both clients have only what was attached; the fetched list is what the answer then depends on.
    if (name === "neg-20-crl-expired.json") expect(asked.coordinator).toBe("error");
    else if (needsKds) expect(asked.open).toEqual([]);
    else
      expect(accepts, `${asked.open.join(", ")}; ${asked.one("chain.admission.coordinator")?.reason}`).toBe(
        sdk === "accept",
      );
  });
});
