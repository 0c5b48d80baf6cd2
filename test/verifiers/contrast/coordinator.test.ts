/** Each claim about a Coordinator passes and fails here; the CPU's evidence is a stub, and its gate is the real one. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hex } from "../../../src/bytes/hex.ts";
import {
  type Authenticated,
  all,
  equal,
  gate,
  type Sourced,
  skip,
  specified,
  unavailable,
} from "../../../src/claims/answer.ts";
import { judge } from "../../../src/claims/subject.ts";
import { conclude } from "../../../src/claims/verdict.ts";
import { behindTheGate } from "../../../src/verifiers/contrast/claims.ts";
import {
  type ApiForm,
  type Attested,
  type CoordinatorInput,
  type CoordinatorState,
  coordinator,
  decodeState,
  expectedReportData,
  manifestOrigin,
  manifestRules,
  readState,
  verifyCoordinator,
} from "../../../src/verifiers/contrast/index.ts";
import * as make from "../../crypto/make.ts";
import { describeEvidence, evidence, evidenceJson } from "../../evidence.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const at = new Date("2027-01-01T00:00:00Z");

/** A CA as Contrast makes it, with at most one defect. */
const keys = { root: make.ecKey("P-384"), mesh: make.ecKey("P-384"), p256: make.ecKey("P-256") };
function ca(cn: string, key: make.KeyPair, change: Partial<make.CertificateSpec> = {}): Uint8Array {
  const spec: make.CertificateSpec = {
    version: 3,
    serial: make.integer(7),
    issuer: make.name(cn),
    subject: make.name(cn),
    notBefore: make.time("2026-11-22T00:00:00Z"),
    notAfter: make.time("2036-11-22T00:00:00Z"),
    spki: make.spkiOf(key.publicKey),
    extensions: { ca: make.basicConstraints(true), usage: make.keyUsage(0b1000_0100) },
    algorithm: make.algorithms["ecdsa-sha384"],
    signer: key,
    hash: "sha384",
    ...change,
  };
  return encode(make.pem("CERTIFICATE", make.certificate(spec)));
}
const rootName = "system:coordinator:root";
const meshName = "system:coordinator:intermediate";
const rootCa = ca(rootName, keys.root);
const meshCa = ca(meshName, keys.mesh);

const bodies = ["coordinator policy", "workload policy"].map(encode);
const [coordinatorKey = "", workloadKey = ""] = bodies.map(sha256);
const manifestOf = (change: object = {}): Uint8Array =>
  encode(
    JSON.stringify({
      Policies: { [coordinatorKey]: { SANs: ["*"], Role: "coordinator" }, [workloadKey]: { SANs: ["*"] } },
      ReferenceValues: {
        snp: [
          {
            Platform: "Metal-QEMU-SNP",
            ProductName: "Genoa",
            TrustedMeasurement: "11".repeat(48),
            MinimumTCB: { BootloaderVersion: 10, TEEVersion: 0, SNPVersion: 28, MicrocodeVersion: 88 },
            GuestPolicy: { SMT: true },
            MinimumMitigationVector: 15,
            AllowedChipIDs: ["ab".repeat(64)],
            CPUs: 1,
          },
        ],
      },
      ...change,
    }),
  );
const manifest = manifestOf();

/** A protobuf of SNP form: fields 1.11 of 64 and 1.28 of 512 bytes. */
const snpDocument = Buffer.concat([
  Buffer.from("0ac604", "hex"),
  Buffer.from("5a40", "hex"),
  Buffer.alloc(64),
  Buffer.from("e2018004", "hex"),
  Buffer.alloc(512),
]);
const tdxDocument = Buffer.concat([Buffer.from("0a031881011242", "hex"), Buffer.from("6240", "hex"), Buffer.alloc(64)]);

const nonce = new Uint8Array(32).fill(9);
const capabilitiesBody = encode('{"apiVersions":["v1"]}\n');
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

interface World {
  readonly form: ApiForm;
  readonly manifests: readonly Uint8Array[];
  readonly policies: readonly Uint8Array[];
  readonly rootCa: Uint8Array;
  readonly meshCa: Uint8Array;
  readonly document: Uint8Array;
  readonly more: object;
  /** What the CPU signed: by default the right value over what is shown. */
  readonly reportData?: Uint8Array;
  readonly hostData: string;
  readonly input: Partial<CoordinatorInput>;
}
const honest: World = {
  form: "attest",
  manifests: [manifest],
  policies: bodies,
  rootCa,
  meshCa,
  document: snpDocument,
  more: { version: "v1.20.0" },
  hostData: coordinatorKey,
  input: {},
};
const pin = (bytes: Uint8Array, kind: "pinned" | "audited-party" = "pinned"): Sourced => ({
  value: sha256(bytes),
  origin:
    kind === "pinned" ? { kind, file: "manifest.json", sha256: sha256(bytes) } : { kind, name: "published manifest" },
});

function stubGate(attested: Attested): { readonly value: Authenticated<Attested> } {
  const genuine = equal(specified("genuine", "test", "stub"), { ...specified("genuine", "test", "stub") }, "stub");
  const opened = gate({ "stub.document.genuine": genuine }, attested);
  if ("blocked" in opened) throw new Error("the stub's gate is closed");
  return opened;
}
const stubbed = (state: CoordinatorState, n: Uint8Array, hostData: string, reportData?: Uint8Array) =>
  stubGate({
    tee: "snp",
    reportData: reportData ?? expectedReportData(state, n, capabilitiesBody) ?? new Uint8Array(64),
    hostData: new Uint8Array(Buffer.from(hostData, "hex")),
  });

function ask(change: Partial<World> = {}) {
  const world = { ...honest, ...change };
  const body = {
    raw_attestation_doc: base64(world.document),
    manifests: world.manifests.map(base64),
    policies: world.policies.map(base64),
    root_ca: base64(world.rootCa),
    mesh_ca: base64(world.meshCa),
    ...world.more,
  };
  const plain = encode(JSON.stringify(body));
  const bytes = world.form === "privatemode" ? encode(JSON.stringify({ AttestationDoc: base64(plain) })) : plain;
  const read = readState({ status: "ok", bytes, at: at.toISOString(), contentType: "application/json" }, world.form);
  const { state } = read;
  return answered({
    read,
    nonce,
    fresh: { notDrawn: "a recorded answer", owed: false },
    reference: pin(manifest),
    rules: manifestRules(),
    attested:
      state === undefined ? { blocked: skip("no evidence") } : stubbed(state, nonce, world.hostData, world.reportData),
    at,
    ...world.input,
  });
}
function answered(input: CoordinatorInput) {
  const judgement = verifyCoordinator(input);
  const judged = judge({ name: "coordinator", catalogue: coordinator, pinned: judgement.pinned }, judgement.answers);
  const conclusion = conclude([judged], { waivers: [], promoted: new Set(), now: at });
  return {
    ...judgement,
    verdict: conclusion.verdict,
    open: conclusion.open.map((c) => `${c.id.replace("contrast.", "")} ${c.code ?? c.status}`),
    findings: judged.claims
      .filter((c) => c.status === "fail" && coordinator[c.id as keyof typeof coordinator].owed === "advisory")
      .map((c) => c.code),
  };
}

describe("a Coordinator", () => {
  it("is verified when the manifest is pinned and the evidence binds everything", () => {
    expect(ask()).toMatchObject({ verdict: "verified", open: [], findings: [] });
    expect(ask({ form: "privatemode" })).toMatchObject({ verdict: "verified", open: [] });
  });
  it("is not asked about without a reference, and the rest is only consistent", () => {
    const result = ask({ input: { reference: undefined } });
    expect(result.verdict).toBe("inconclusive");
    expect(result.open).toEqual([
      "manifest.expected skip",
      "host_data.coordinator consistent",
      "policies.complete consistent",
      "policies.known consistent",
    ]);
  });
  it("is inconclusive when only the audited party vouches for the manifest", () => {
    const result = ask({ input: { reference: pin(manifest, "audited-party") } });
    expect(result.verdict).toBe("inconclusive");
    expect(result.open[0]).toBe("manifest.expected reference-published");
    expect(result.answers["contrast.nonce.bound"].status).toBe("pass");
    expect(manifestOrigin(sha256(manifest), undefined).kind).toBe("audited-party");
    expect(manifestOrigin("", pin(manifest)).kind).toBe("audited-party");
  });
  it("hands over each policy with its body and the manifest's origin", () => {
    expect(ask().policies.map((p) => [p.key.value, p.key.origin.kind, p.body === undefined])).toEqual([
      [coordinatorKey, "pinned", false],
      [workloadKey, "pinned", false],
    ]);
  });

  const older = manifestOf({ WorkloadOwnerPubKeys: null });
  const other = (index: number): Uint8Array => new Uint8Array(64).fill(index);
  it.each([
    [
      "an attacker's manifest",
      { manifests: [older] },
      [
        "manifest.expected manifest-differs",
        "host_data.coordinator consistent",
        "policies.complete consistent",
        "policies.known consistent",
      ],
    ],
    [
      "another manifest than the published one",
      { input: { reference: pin(older, "audited-party") } },
      [
        "manifest.expected manifest-differs",
        "host_data.coordinator consistent",
        "policies.complete consistent",
        "policies.known consistent",
      ],
    ],
    ["report data over something else", { reportData: other(1) }, ["nonce.bound history-hidden"]],
    ["host data of a workload", { hostData: workloadKey }, ["host_data.coordinator host-data-role"]],
    ["unknown host data", { hostData: "00".repeat(32) }, ["host_data.coordinator host-data-role"]],
    ["a missing policy body", { policies: bodies.slice(0, 1) }, ["policies.complete policy-body-missing"]],
    ["no policy bodies", { policies: [] }, ["policies.complete policy-body-missing", "policies.known error"]],
    ["a surplus policy body", { policies: [...bodies, encode("x")] }, ["policies.known policy-body-surplus"]],
    ["a doubled policy body", { policies: [...bodies, ...bodies.slice(0, 1)] }, ["policies.known policy-body-surplus"]],
    ["no root CA", { rootCa: new Uint8Array(0) }, ["root_ca.certificate root-ca"]],
    ["no mesh CA", { meshCa: new Uint8Array(0) }, ["mesh_ca.certificate mesh-ca"]],
    ["the root CA as mesh CA", { meshCa: rootCa }, ["mesh_ca.certificate mesh-ca"]],
    [
      "two root CA certificates",
      { rootCa: new Uint8Array(Buffer.concat([rootCa, rootCa])) },
      ["root_ca.certificate root-ca"],
    ],
    [
      "a root CA in DER",
      {
        rootCa: make.certificate({
          version: 3,
          serial: make.integer(7),
          issuer: make.name(rootName),
          subject: make.name(rootName),
          notBefore: make.time("2026-11-22T00:00:00Z"),
          notAfter: make.time("2036-11-22T00:00:00Z"),
          spki: make.spkiOf(keys.root.publicKey),
          extensions: {},
          algorithm: make.algorithms["ecdsa-sha384"],
          signer: keys.root,
          hash: "sha384",
        }),
      },
      ["root_ca.certificate root-ca"],
    ],
  ] satisfies [string, Partial<World>, string[]][])("fails with %s", (_name, change, open) => {
    expect(ask(change).open).toEqual(open);
  });

  it.each([
    ["no CA", { extensions: { ca: make.basicConstraints(false), usage: make.keyUsage(0b1000_0100) } }],
    ["no keyCertSign", { extensions: { ca: make.basicConstraints(true), usage: make.keyUsage(0b1000_0000) } }],
    [
      "an unknown critical extension",
      {
        extensions: {
          ca: make.basicConstraints(true),
          usage: make.keyUsage(0b1000_0100),
          x: make.extension("1.2.3", make.boolean(true), true),
        },
      },
    ],
    ["another issuer", { issuer: make.name(meshName) }],
    ["another subject", { subject: make.name("x"), issuer: make.name("x") }],
    ["a P-256 key", { spki: make.spkiOf(keys.p256.publicKey), signer: keys.p256 }],
    ["another's signature", { signer: keys.mesh }],
    ["SHA-256", { algorithm: make.algorithms["ecdsa-sha256"], hash: "sha256" }],
    ["a date in the future", { notBefore: make.time("2027-01-01T00:00:01Z") }],
    ["a date in the past", { notAfter: make.time("2026-12-31T23:59:59Z") }],
  ] satisfies [string, Partial<make.CertificateSpec>][])("fails with a root CA that has %s", (_name, change) => {
    const result = ask({ rootCa: ca(rootName, keys.root, change) });
    expect(result.open).toEqual(["root_ca.certificate root-ca"]);
  });

  it("asks for the root key, the history's length and a fresh nonce only when they are given", () => {
    const spki = sha256(make.spkiOf(keys.root.publicKey));
    const origin = { kind: "flag", name: "test" } as const;
    const ids = ["contrast.ca.key", "contrast.history.length", "contrast.nonce.fresh"] as const;
    const none = ask();
    expect(ids.map((id) => [none.answers[id].status, none.pinned.has(id)])).toEqual(ids.map(() => ["skip", false]));
    const given = (key: string, length: string, drawn: string) =>
      ask({
        input: {
          rootCaKey: { value: key, origin },
          historyLength: { value: length, origin },
          fresh: { drawn: { value: drawn, origin } },
        },
      });
    expect(given(spki, "1", hex(nonce))).toMatchObject({ verdict: "verified", open: [] });
    expect(given("00".repeat(32), "2", "00".repeat(32)).open).toEqual([
      "nonce.fresh nonce-not-fresh",
      "history.length history-length",
      "ca.key ca-key-changed",
    ]);
    expect(ask({ input: { fresh: { notDrawn: "a recorded answer", owed: true } } }).open).toEqual(["nonce.fresh skip"]);
  });
  it("is refused with a nonce of another length", () => {
    expect(ask({ input: { nonce: nonce.subarray(1) } }).open).toEqual(["nonce.bound history-hidden"]);
  });
});

describe("the attestation document", () => {
  it.each([
    ["an insecure one", { document: encode('{"reportData":"","hostData":""}') }, "fail"],
    ["none", { document: new Uint8Array(0) }, "fail"],
    ["an unknown one", { document: encode("x") }, "fail"],
    ["TDX", { document: tdxDocument }, "pass"],
    ["another than the named type", { more: { attestation_type: [1, 3, 9901, 2, 2] } }, "fail"],
    ["the named type", { more: { attestation_type: [1, 3, 9901, 2, 1] } }, "pass"],
  ] as const)("of %s", (_name, change, status) => {
    const { answers, verdict } = ask(change);
    expect(answers["contrast.document.type"].status).toBe(status);
    // Even with a gate that stands open, nothing is appraised behind a document that is no evidence.
    for (const id of behindTheGate) if (status !== "pass") expect(answers[id].status).toBe("skip");
    expect(verdict).toBe(status === "pass" ? "verified" : status === "fail" ? "failed" : "inconclusive");
  });
  it("blocks what its gate blocks", () => {
    const { answers, verdict } = ask({ input: { attested: { blocked: unavailable("no CRL") } } });
    for (const id of behindTheGate) expect(answers[id].status).toBe("unavailable");
    expect(verdict).toBe("unavailable");
  });
});

describe("the answer as a whole", () => {
  const from = (response: Parameters<typeof readState>[0]) =>
    answered({
      read: readState(response, "attest"),
      nonce,
      fresh: { notDrawn: "a recorded answer", owed: false },
      reference: pin(manifest),
      rules: manifestRules(),
      attested: { blocked: skip("no evidence") },
      at,
    });
  it("that does not come is unavailable throughout", () => {
    const { answers, verdict } = from({ status: "unavailable", reason: "no answer" });
    expect(answers).toEqual({
      ...all(coordinator, unavailable("not asked: the Coordinator gave no answer")),
      "contrast.response.format": unavailable("no answer"),
    });
    expect(verdict).toBe("unavailable");
  });
  it("that is refused is an error, never a pass", () => {
    expect(from({ status: "refused", reason: "412" }).verdict).toBe("inconclusive");
  });
  it("that is malformed fails its format, and the rest is an error", () => {
    const { open, verdict } = from({ status: "ok", bytes: encode("<html>"), at: at.toISOString() });
    expect(verdict).toBe("failed");
    expect(open[0]).toBe("response.format response-malformed");
    expect(open.slice(1).every((o) => o.endsWith(" error"))).toBe(true);
  });
  it("without a manifest fails and quotes the error body", () => {
    const { answers, open } = ask({ manifests: [], more: { error: "no manifest configured" } });
    expect(open[0]).toBe("history.present history-empty");
    expect(answers["contrast.history.present"].reason).toContain("no manifest configured");
  });
});

describe("the history", () => {
  const earlierBody = encode("earlier policy");
  const earlier = manifestOf({ Policies: { [sha256(earlierBody)]: { Role: "coordinator" } } });
  it("authenticates bodies of earlier manifests, once it is bound", () => {
    const change = { manifests: [earlier, manifest], policies: [...bodies, earlierBody] };
    const good = ask(change);
    expect(good).toMatchObject({ verdict: "verified", open: [] });
    expect(good.answers["contrast.policies.known"].expected?.origin.kind).toBe("evidence");
    const unbound = ask({ ...change, reportData: new Uint8Array(64) });
    expect(unbound.open).toEqual(["nonce.bound history-hidden", "policies.known consistent"]);
  });
  it("does not take the coordinator of an earlier manifest for the present one", () => {
    const result = ask({
      manifests: [earlier, manifest],
      policies: [...bodies, earlierBody],
      hostData: sha256(earlierBody),
    });
    expect(result.open).toEqual(["host_data.coordinator host-data-role"]);
    expect(result.answers["contrast.host_data.coordinator"].reason).toContain("earlier manifest only");
  });
  it("with garbage in an earlier place is reported", () => {
    const garbage = ask({ manifests: [encode("garbage"), manifest] });
    expect(garbage).toMatchObject({ verdict: "verified", findings: ["history-invalid"] });
    expect(
      ask({ manifests: [earlier, manifest], policies: [...bodies, earlierBody] }).answers["contrast.history.valid"]
        .status,
    ).toBe("pass");
  });
  it("with garbage in the last place fails", () => {
    expect(ask({ manifests: [manifest, encode("garbage")] }).open[0]).toBe("manifest.format manifest-malformed");
  });
});

describe("the form v1", () => {
  const capabilities = (body: string) => ({ status: "ok", bytes: encode(body), at: at.toISOString() }) as const;
  const v1 = (change: Partial<CoordinatorInput>) => ask({ form: "v1", input: change });
  it("binds the capabilities", () => {
    const good = v1({ capabilities: capabilities('{"apiVersions":["v1"]}\n') });
    expect(good).toMatchObject({ verdict: "verified", open: [] });
    expect(v1({ capabilities: capabilities('{"apiVersions":["v1"]}') }).open).toEqual(["nonce.bound history-hidden"]);
  });
  it("fails when the capabilities do not offer it", () => {
    expect(v1({ capabilities: capabilities('{"apiVersions":["v2"]}') }).open).toContain(
      "api.capabilities capabilities-downgrade",
    );
    expect(v1({ capabilities: capabilities("<html>") }).open).toContain("api.capabilities capabilities-downgrade");
  });
  it("cannot be judged without the capabilities", () => {
    expect(v1({})).toMatchObject({ verdict: "inconclusive", open: ["nonce.bound error", "api.capabilities error"] });
    const silent = v1({ capabilities: { status: "unavailable", reason: "no answer" } });
    expect(silent).toMatchObject({
      verdict: "unavailable",
      open: ["nonce.bound unavailable", "api.capabilities unavailable"],
    });
  });
  it("is not replaced by the older form", () => {
    const legacy = ask();
    const shown = decodeState(encode(JSON.stringify({ manifests: [base64(manifest)] })), "v1");
    expect(legacy.answers["contrast.api.capabilities"].status).toBe("skip");
    expect(expectedReportData(shown, nonce)).toBeUndefined();
  });
});

describe("findings", () => {
  it("name the server's version and unknown members", () => {
    expect(ask({ more: { version: "v1.21.0", extra: 1 } })).toMatchObject({
      verdict: "verified",
      findings: ["server-version", "response-unknown-member"],
    });
    expect(ask({ more: {} }).findings).toEqual(["server-version"]);
  });
});

describeEvidence("answers with an insecure document", () => {
  const expected = evidenceJson<{ host_data: string; report_data: string; nonce_b64: string }>(
    "contrast/attest-ok.expect.json",
  );
  const file = (name: string) => evidence(`contrast/${name}`);
  const manifestOfOk = decodeState(file("attest-ok.json"), "attest").manifests.at(-1) ?? new Uint8Array();
  /** The document of these files says what it would have attested; a stub verifier takes its word. */
  function judgeFile(name: string, stub: boolean, form: ApiForm = "attest") {
    const read = readState({ status: "ok", bytes: file(name), at: at.toISOString() }, form);
    const { state } = read;
    const n = new Uint8Array(Buffer.from(expected.nonce_b64, "base64"));
    const claimed =
      state && stub
        ? (JSON.parse(new TextDecoder().decode(state.document.bytes)) as { reportData: string; hostData: string })
        : undefined;
    const attested =
      claimed === undefined
        ? ({ blocked: skip("not asked: the document is no evidence") } as const)
        : stubGate({
            tee: "snp",
            reportData: new Uint8Array(Buffer.from(claimed.reportData, "base64")),
            hostData: new Uint8Array(Buffer.from(claimed.hostData, "base64")),
          });
    const shown =
      state !== undefined && stub
        ? { ...read, state: { ...state, document: { ...state.document, kind: "snp" as const } } }
        : read;
    return answered({
      read: shown as typeof read,
      nonce: n,
      fresh: { notDrawn: "a recorded answer", owed: false },
      reference: pin(manifestOfOk),
      rules: manifestRules(),
      attested,
      at,
      ...(name.includes("privatemode")
        ? { historyLength: { value: "1", origin: { kind: "profile", name: "privatemode" } } }
        : {}),
    });
  }
  it("are good apart from the document, which a stub shows", () => {
    expect(judgeFile("attest-ok.json", true)).toMatchObject({ verdict: "verified", open: [] });
    expect(judgeFile("privatemode-attest-ok.json", true, "privatemode")).toMatchObject({
      verdict: "verified",
      open: [],
    });
    expect(judgeFile("attest-ok.json", false).open[0]).toBe("document.type document-type");
    expect(judgeFile("privatemode-attest-ok.json", false, "privatemode").open[0]).toBe("document.type document-type");
    expect(judgeFile("attest-ok.json", true).answers["contrast.nonce.bound"].expected?.value).toBe(
      expected.report_data,
    );
  });
  it.each([
    ["neg-01-wrong-nonce.json", ["nonce.bound history-hidden"]],
    ["neg-02-manifest-swapped.json", ["manifest.expected manifest-differs", "nonce.bound history-hidden"]],
    ["neg-03-mesh-ca-swapped.json", ["nonce.bound history-hidden"]],
    ["neg-04-root-ca-swapped.json", ["nonce.bound history-hidden"]],
    ["neg-05-no-manifests.json", ["history.present history-empty"]],
    ["neg-06-history-hidden.json", ["nonce.bound history-hidden"]],
    ["neg-07-history-reordered.json", ["nonce.bound history-hidden"]],
    ["neg-08-wrong-host-data.json", ["host_data.coordinator host-data-role"]],
    ["neg-09-policy-missing.json", ["policies.complete policy-body-missing"]],
    ["neg-10-policy-extra.json", ["policies.known policy-body-surplus"]],
    ["neg-11-two-manifests-privatemode.json", ["history.length history-length"]],
    ["neg-12-case-variant-key.json", ["manifest.unambiguous manifest-ambiguous"]],
    ["neg-19-version-bad-types.json", ["response.format response-malformed"]],
  ])("%s fails for what it was made for", (name, reasons) => {
    const failed = judgeFile(name, name !== "neg-19-version-bad-types.json");
    expect(failed.verdict).toBe("failed");
    for (const reason of reasons) expect(failed.open).toContain(reason);
    const codes = evidenceJson<Record<string, { codes: string[] }>>("contrast/neg-expect.json")[name]?.codes ?? [];
    const real = judgeFile(name, false);
    expect(real.verdict).toBe("failed");
    expect(codes.some((code) => real.open.some((o) => o.endsWith(` ${code}`)))).toBe(true);
    if (name.startsWith("neg-19")) expect(real.answers["contrast.response.format"].reason).toContain("999.0.1");
  });
});
