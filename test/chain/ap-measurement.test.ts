/** Reference values with APEIP: which measurements they stand for, and who must vouch for them. */
import { describe, expect, it } from "vitest";
import { answerBody, type Draft } from "../../fixtures/generator/answer.ts";
import { contrastIdKeyDigest } from "../../fixtures/generator/idkey.ts";
import { manifestBytes, type SnpReferenceValue } from "../../fixtures/generator/manifest.ts";
import { leafDefects, makeLeaf } from "../../fixtures/generator/mesh.ts";
import { sharedDeployment, sharedNow } from "../../fixtures/generator/shared.ts";
import { admit } from "../../src/chain/admit.ts";
import { expectedMeasurement, vouchesForApeip } from "../../src/chain/ap-measurement.ts";
import { auditChain, type ChainPlan } from "../../src/chain/chain.ts";
import { meshTee } from "../../src/chain/mesh-tee.ts";
import { nonceRequest } from "../../src/chain/nonce.ts";
import type { Sourced } from "../../src/claims/answer.ts";
import type { Look } from "../../src/run.ts";
import { decodeCa } from "../../src/verifiers/contrast/ca.ts";
import { explainValues, type ManifestValues } from "../../src/verifiers/contrast/explained.ts";
import { decodeManifest } from "../../src/verifiers/contrast/manifest.ts";
import { verifyEndpoint } from "../../src/verifiers/contrast/mesh.ts";
import { manifestRules } from "../../src/verifiers/contrast/rules.ts";
import { extendByAp } from "../../src/verifiers/snp/measure/index.ts";
import { describeEvidence, evidence, evidenceJson } from "../evidence.ts";

const main = manifestRules("main");
const v1_20 = manifestRules("v1.20");
const seed = "07".repeat(48);
const genoa = 0xa10f10;
const milan = 0xa00f11;
const apeip = "0080b004";
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The digest for this many vCPUs, one page at a time. */
function digestFor(vcpus: number, of = seed, eip = apeip, signature = genoa): string {
  let ld: Uint8Array = Buffer.from(of, "hex");
  for (let n = 1; n < vcpus; n++) ld = extendByAp(ld, Number.parseInt(eip, 16), signature);
  return hex(ld);
}
const entry = { trustedMeasurement: seed, apeip, productName: "Genoa" } as const;

describe("an entry with APEIP", () => {
  it.each([1, 2, 3, 8, 220])("stands for %i vCPUs", (vcpus) => {
    const digest = digestFor(vcpus);
    expect(expectedMeasurement(entry, main, digest)).toEqual({ digest, vcpus });
  });
  it.each([
    ["221 vCPUs", digestFor(221)],
    ["vCPUs of another product", digestFor(2, seed, apeip, milan)],
    ["another entry point", digestFor(2, seed, "0080b005")],
    ["another image", digestFor(2, "08".repeat(48))],
    ["nothing known", undefined],
  ])("does not stand for %s: the digest of one vCPU is compared", (_, measured) => {
    expect(expectedMeasurement(entry, main, measured)).toEqual({ digest: seed, vcpus: 1 });
  });
  it("is compared exactly by the rules of v1.20, and so is one without APEIP", () => {
    expect(expectedMeasurement(entry, v1_20, digestFor(2))).toEqual({ digest: seed, vcpus: undefined });
    expect(expectedMeasurement({ ...entry, apeip: undefined }, main, digestFor(2))).toEqual({
      digest: seed,
      vcpus: undefined,
    });
  });
});

describeEvidence("digests by the number of vCPUs", () => {
  interface Vectors {
    readonly seed_1vcpu: string;
    readonly ap_eip: string;
    readonly milan: Readonly<Record<string, string>>;
    readonly genoa: Readonly<Record<string, string>>;
  }
  const v = evidenceJson<Vectors>("contrast/vcpu-launch-digests.json");
  const rows = (["milan", "genoa"] as const).flatMap((p) =>
    Object.entries(v[p]).map(([n, digest]) => ({ p, n, digest })),
  );
  it.each(rows)("$p, $n", ({ p, n, digest }) => {
    const productName = p === "milan" ? "Milan" : "Genoa";
    const of = { trustedMeasurement: v.seed_1vcpu, apeip: v.ap_eip, productName } as const;
    expect(expectedMeasurement(of, main, digest)).toEqual({ digest, vcpus: Number(n) });
  });
  it("a manifest of the main branch has such an entry", () => {
    const decoded = decodeManifest(evidence("contrast/manifest-sdk-test-apeip.json"), main);
    const [first] = decoded.manifest?.snp ?? [];
    expect(first?.apeip).toMatch(/^[0-9a-f]{8}$/);
  });
});

const d = sharedDeployment();
const [plain] = d.manifestValue.ReferenceValues.snp;
if (plain === undefined) throw new Error("no reference value");
const workload = d.policies.find((p) => p.workload.name === "secret-service");
if (workload === undefined) throw new Error("no workload");
const { CPUs: _cpus, ...withoutCpus } = plain;
/** As main writes it: no CPUs, APEIP, one seed measurement. */
const apManifest = (change: Partial<SnpReferenceValue> & { readonly APEIP?: string } = {}): Uint8Array =>
  manifestBytes({
    ...d.manifestValue,
    ReferenceValues: { snp: [{ ...withoutCpus, APEIP: apeip, ...change } as unknown as SnpReferenceValue] },
  });
const nonce = new Uint8Array(32).fill(7);
/** A guest of this measurement, with the ID block that Contrast gives it. */
const measuredAs = (draft: Draft, measurement: string): Draft => {
  const bytes = new Uint8Array(Buffer.from(measurement, "hex"));
  const idKeyDigest = contrastIdKeyDigest(bytes, draft.fields.policy);
  return { ...draft, fields: { ...draft.fields, measurement: bytes, idKeyDigest } };
};
function documentOf(answer: Uint8Array): Uint8Array {
  const { raw_attestation_doc: text } = JSON.parse(Buffer.from(answer).toString("utf8")) as Record<string, string>;
  return new Uint8Array(Buffer.from(text ?? "", "base64"));
}
const testRoot = { file: "ark.der", bytes: d.authority.ark.certificate };
const offline: Look = () => ({ status: "unavailable", reason: "offline" });

describe("pm manifest admit by the rules of main", () => {
  function ask(measurement: string, edit: (draft: Draft) => Draft = (x) => x) {
    const draft = measuredAs(d.draft(nonce), measurement);
    const made = edit({ ...draft, fields: { ...draft.fields, hostData: workload?.hash ?? new Uint8Array() } });
    const manifest = { name: "manifest.json", bytes: apManifest(), sha256: "00".repeat(32) };
    const input = { evidence: documentOf(answerBody(made)), manifest, rules: main, policies: undefined, testRoot };
    const { judged, evidence: facts } = admit(input, offline, sharedNow);
    const one = (id: string) => judged.flatMap((j) => j.claims).find((c) => c.id === id);
    return { one, facts: facts["report"] as Record<string, unknown> };
  }
  it.each([1, 5])("a guest of %i vCPUs fits, and the number is told", (vcpus) => {
    const { one, facts } = ask(digestFor(vcpus, d.measurement));
    expect(one("chain.admission.entry")?.status).toBe("pass");
    expect(one("chain.admission.coordinator")?.status).toBe("pass");
    expect(one("snp.report.id_key_digest")?.status).toBe("pass");
    expect(one("snp.report.measurement")?.expected?.at).toContain(`APEIP, vCPUs: ${vcpus}`);
    expect(facts["vcpus"]).toBe(vcpus);
  });
  it("the ID key of one vCPU does not do for five", () => {
    const { one } = ask(digestFor(5, d.measurement), (x) => ({
      ...x,
      fields: { ...x.fields, idKeyDigest: d.fields.idKeyDigest },
    }));
    expect(one("snp.report.measurement")?.status).toBe("pass");
    expect(one("snp.report.id_key_digest")).toMatchObject({ status: "fail", code: "id-key-digest" });
  });
  it("another measurement fits nothing, and no number is told", () => {
    const { one, facts } = ask(digestFor(5, "09".repeat(48)));
    expect(one("snp.report.measurement")).toMatchObject({ status: "fail", code: "measurement" });
    expect(facts["vcpus"]).toBeUndefined();
  });
});

describe("a Coordinator of three vCPUs by the rules of main", () => {
  const three = digestFor(3, d.measurement);
  function ask(change: Partial<ChainPlan>, measurement = three) {
    const manifest = apManifest();
    const draft = measuredAs(d.draft(nonce), measurement);
    const answer = answerBody({
      ...draft,
      attested: { ...draft.attested, manifests: [manifest] },
      shown: { ...draft.shown, manifests: [manifest] },
    });
    const at = sharedNow.toISOString();
    const look: Look = ({ service, path }) =>
      service === "run" && path === nonceRequest.path
        ? { status: "ok", bytes: Buffer.from(JSON.stringify({ nonce: hex(nonce) })), at }
        : service === "coordinator"
          ? { status: "ok", bytes: answer, at }
          : service === "memory"
            ? { status: "ok", bytes: Buffer.from("null"), at }
            : { status: "unavailable", reason: "offline" };
    const plan = {
      form: "attest",
      contrastVersion: "main",
      manifest: { kind: "none" },
      freshness: { owed: false },
      testRoot,
      measurements: [],
      capturedAt: sharedNow,
      now: sharedNow,
      refreshed: false,
      ...change,
    } as unknown as ChainPlan;
    const { judged, evidence: facts } = auditChain(plan, look, sharedNow);
    const one = (id: string) => judged.flatMap((j) => j.claims).find((c) => c.id === id);
    return { one, facts: facts["coordinator report"] as Record<string, unknown> };
  }
  const sha256 = decodeManifest(apManifest(), main).sha256;
  const pinned = { kind: "given", sha256: { value: sha256, origin: { kind: "flag", name: "--manifest" } } } as const;
  const vouched = (...values: readonly string[]): Sourced[] =>
    values.map((value) => ({ value, origin: { kind: "flag", name: "--measurement" } }));
  const known = "chain.reference.measurement_known";

  it("has a known measurement where the seed is vouched for and the manifest pinned", () => {
    const { one, facts } = ask({ manifest: pinned, measurements: vouched(d.measurement) });
    expect(one(known)).toMatchObject({ status: "pass" });
    expect(one(known)?.expected?.at).toContain("vCPUs: 3");
    expect(one("snp.report.measurement")?.status).toBe("pass");
    expect(facts["vcpus"]).toBe(3);
  });
  it("has none where only the audited party says where further vCPUs start", () => {
    const { one } = ask({ measurements: vouched(d.measurement) });
    expect(one(known)).toMatchObject({ status: "fail", code: "measurement-unreferenced" });
    expect(one("snp.report.measurement")?.status).toBe("consistent");
  });
  it("has a known one in any case where the measurement itself is vouched for", () => {
    expect(ask({ measurements: vouched(three) }).one(known)?.status).toBe("pass");
    expect(ask({ manifest: pinned, measurements: vouched(d.measurement) }, d.measurement).one(known)?.status).toBe(
      "pass",
    );
  });
  it("has none where another image is vouched for", () => {
    const { one } = ask({ manifest: pinned, measurements: vouched("07".repeat(48)) });
    expect(one(known)).toMatchObject({ status: "fail", code: "measurement-unreferenced" });
  });
  it("is not the manifest's where the measurement is another", () => {
    const { one } = ask({ manifest: pinned, measurements: vouched(d.measurement) }, digestFor(3, "07".repeat(48)));
    expect(one(known)?.status).toBe("fail");
    expect(one("snp.report.measurement")?.status).toBe("fail");
  });
});

describe("an explained manifest with APEIP", () => {
  const { manifest } = decodeManifest(apManifest(), main);
  const [read] = manifest?.snp ?? [];
  if (manifest === undefined || read === undefined) throw new Error("no entry");
  const measurements = (...known: readonly string[]) => {
    const origin = { kind: "profile", name: "pm.yaml" } as const;
    const values: ManifestValues = {
      origin,
      measurements: known.map((value) => ({ value, origin })),
      tdx: [],
      minimumTcb: undefined,
      minTcbEvaluationDataNumber: undefined,
      minimumMitigationVector: undefined,
      guestPolicy: undefined,
      platformInfo: undefined,
      products: undefined,
      machinesDemanded: false,
      anyMachine: false,
      chipIds: undefined,
      piids: undefined,
      workloadOwners: [],
      seedshareOwners: [],
    };
    return explainValues(manifest, values, main, "manifest", vouchesForApeip)["contrast.explained.measurements"];
  };
  it("needs its seed vouched for, and a measurement that covers APEIP", () => {
    expect(measurements(d.measurement, digestFor(2, d.measurement)).status).toBe("pass");
    expect(measurements(d.measurement, digestFor(220, d.measurement)).status).toBe("pass");
    // The entry point is the same on the other product.
    expect(measurements(d.measurement, digestFor(2, d.measurement, apeip, milan)).status).toBe("pass");
  });
  it.each([
    ["the seed alone", [d.measurement], "does not cover it"],
    [
      "the seed and more vCPUs of another entry point",
      [d.measurement, digestFor(2, d.measurement, "0080b005")],
      "APEIP",
    ],
    ["more vCPUs without the seed", [digestFor(2, d.measurement)], "of one vCPU is not named"],
    ["another image", ["07".repeat(48)], "of one vCPU is not named"],
  ])("is not explained by %s", (_, known, reason) => {
    const answer = measurements(...known);
    expect(answer).toMatchObject({ status: "fail", code: "measurement-unexplained" });
    expect(answer.reason).toContain(reason);
  });
});

describe("a mesh certificate of a guest with further vCPUs", () => {
  const ask = (measurement: string, manifest: Uint8Array, rules = main) => {
    const ca = decodeCa(d.meshCa, "mesh_ca");
    if ("reason" in ca) throw new Error(ca.reason);
    const origin = { kind: "pinned", file: "f", sha256: "" } as const;
    const other = leafDefects.otherMeasurement;
    const leaf = makeLeaf(d, {
      defect: (l) => {
        const draft = other(l);
        const value = Buffer.concat([Buffer.from([4, 48]), Buffer.from(measurement, "hex")]);
        const extensions = draft.extensions.map((e) => (e.oid.endsWith("9901.2.1.22") ? { ...e, value } : e));
        return { ...draft, extensions };
      },
    }).certificate;
    const { answers } = verifyEndpoint(
      { status: "ok", bytes: leaf, at: sharedNow.toISOString() },
      {
        meshCa: { pem: d.meshCa, certificate: ca.certificate, name: "f", origin },
        manifest: { bytes: manifest, name: "manifest", origin },
        rules,
        tee: meshTee,
        at: sharedNow,
        san: undefined,
        workloadSecretId: undefined,
        publicKeySha256: undefined,
      },
    );
    return answers["contrast.mesh.measurement"];
  };
  it("is compared with the digest of as many", () => {
    expect(ask(digestFor(4, d.measurement), apManifest())).toMatchObject({ status: "pass" });
    expect(ask(digestFor(4, d.measurement), apManifest({ APEIP: "00000001" }))).toMatchObject({ code: "measurement" });
    expect(ask(digestFor(2, d.measurement), d.manifest, v1_20)).toMatchObject({ code: "measurement" });
  });
});
