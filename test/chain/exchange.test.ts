/** The secret exchange in the run that attests: one defect a case, the claim and code that say so, and when it is asked at all. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Tamper } from "../../fixtures/generator/deployment.ts";
import { exchangeTampers as bad, type ExchangeTamper, secretAnswer, workload } from "../../fixtures/generator/mesh.ts";
import { sharedDeployment, variantDeployment } from "../../fixtures/generator/shared.ts";
import { tampers } from "../../fixtures/generator/tamper.ts";
import { drawExchangeKey } from "../../src/audit/exchange-key.ts";
import { auditChain, type ChainPlan } from "../../src/chain/chain.ts";
import {
  encodeExchangeKey,
  exchangeKeyRequest,
  exchangeKeySha256,
  lookExchangeKey,
} from "../../src/chain/exchange-key.ts";
import { encodeNonce } from "../../src/chain/nonce.ts";
import { noExchange } from "../../src/chain/unproven.ts";
import type { Origin, Sourced } from "../../src/claims/answer.ts";
import { owedIds } from "../../src/claims/verdict.ts";
import { type Exchange, type Response, run, type Source } from "../../src/run.ts";
import { recordedSource } from "../../src/sources/source.ts";
import { liveExchange } from "../../src/verifiers/contrast/mesh-claims.ts";
import { secretRequest } from "../../src/verifiers/contrast/requests.ts";

const d = sharedDeployment();
const nonce = new Uint8Array(32).fill(0x5a);
const publicKey = drawExchangeKey();
const flag: Origin = { kind: "flag", name: "a test" };
const said = (value: string): Sourced => ({ value, origin: flag });
const ok = (bytes: Uint8Array): Response => ({ status: "ok", bytes, at: d.now.toISOString() });
const text = (value: string): Response => ok(new Uint8Array(Buffer.from(value)));

const plan: ChainPlan = {
  form: "privatemode",
  contrastVersion: "v1.20",
  manifest: {
    kind: "given",
    sha256: {
      value: createHash("sha256").update(d.manifest).digest("hex"),
      origin: { kind: "pinned", file: "manifest.json", sha256: "00" },
    },
  },
  testRoot: { file: "ark.der", bytes: d.authority.ark.certificate },
  freshness: {
    drawn: said("5a".repeat(32)),
    exchangeKey: said(exchangeKeySha256(publicKey)),
  },
  measurements: [said(d.measurement)],
  capturedAt: d.now,
  now: d.now,
  refreshed: false,
  exchange: { san: said("secret.demo.example"), workloadSecretId: said(workload(d).workloadSecretId) },
};

interface Question {
  readonly plan?: Partial<ChainPlan>;
  readonly tamper?: ExchangeTamper;
  /** In place of the secret service's answer. */
  readonly answer?: Response;
  readonly attest?: Tamper;
  readonly key?: Response;
  readonly source?: Source;
}
async function ask(question: Question = {}) {
  const asked: string[] = [];
  const { key = ok(encodeExchangeKey(publicKey)) } = question;
  const answers: Readonly<Record<string, () => Response>> = {
    "run /nonce": () => ok(encodeNonce({ bytes: nonce })),
    "run /secret-exchange-key": () => key,
    "coordinator /privatemode/v1/attest": () => ok(d.respond(nonce, "privatemode", question.attest)),
    "coordinator /privatemode/v1/secret": () => question.answer ?? ok(secretAnswer(d, publicKey, question.tamper)),
    "amd-kds /vcek/v1/Genoa/crl": () => ok(d.crl),
    "memory /high-water/ARK-Genoa": () => text("null"),
  };
  const source: Source = question.source ?? {
    fetch: async ({ service, path }) => {
      asked.push(`${service} ${path}`);
      return answers[`${service} ${path}`]?.() ?? { status: "refused", reason: "no such thing" };
    },
  };
  const outcome = await run((look) => auditChain({ ...plan, ...question.plan }, look, d.now), source);
  const judged = outcome.result.judged.find(({ subject }) => subject.name === "secret exchange");
  const owed = new Set(judged === undefined ? [] : owedIds(judged, new Set()));
  const claims = judged?.claims ?? [];
  return {
    asked,
    outcome,
    owed,
    claims,
    claim: (id: keyof typeof liveExchange) => claims.find((c) => c.id === id),
    open: claims.filter((c) => owed.has(c.id) && c.status !== "pass").map((c) => c.id),
    failed: claims.filter((c) => c.status === "fail").map((c) => [c.id, c.code]),
    endpoint: outcome.result.notProven.find((line) => line.startsWith("Endpoint:")),
  };
}

describe("an exchange as demanded", () => {
  it("passes with its whole catalogue, freshness included", async () => {
    const ran = await ask();
    expect(ran.claims.map((c) => c.id)).toEqual(Object.keys(liveExchange));
    expect([ran.open, ran.failed]).toEqual([[], []]);
    expect([...ran.owed].sort()).toEqual(Object.keys(liveExchange).sort());
    expect(ran.endpoint).toMatch(/one key exchange was answered .* secret was not derived/);
  });
  it("leaves nothing else of the chain's subjects open", async () => {
    const { outcome } = await ask();
    const open = outcome.result.judged.flatMap((j) => {
      const ids = new Set(owedIds(j, new Set()));
      return j.claims.filter((c) => ids.has(c.id) && c.status !== "pass").map((c) => c.id);
    });
    expect(open).toEqual([]);
  });
  it("is asked only after the Coordinator's report is authentic and the nonce bound", async () => {
    const { asked } = await ask();
    expect(asked.filter((key) => key.endsWith("/secret"))).toHaveLength(1);
    expect(asked.indexOf("coordinator /privatemode/v1/secret")).toBeGreaterThan(
      asked.indexOf("coordinator /privatemode/v1/attest"),
    );
  });
  it("is no subject where the profile does not demand it, and nothing is asked", async () => {
    const { exchange: _, ...without } = plan;
    const { result, used } = await run(
      (look) => auditChain(without, look, d.now),
      recordedSource((await ask()).outcome.used),
    );
    expect(result.judged.map((j) => j.subject.name)).not.toContain("secret exchange");
    expect(used.map((e) => e.request.path).filter((p) => p.includes("secret"))).toEqual([]);
    expect(result.notProven).toContain(noExchange);
  });
  it("has the built-in names of Privatemode's secret service as the default", async () => {
    const ran = await ask({ plan: { exchange: {} } });
    expect(ran.failed).toEqual([
      ["contrast.mesh.expected_san", "san-missing"],
      ["contrast.mesh.expected_workload", "workload-unexpected"],
    ]);
    expect(ran.claim("contrast.mesh.expected_san")?.expected?.value).toBe("secret.privatemode.ai");
    expect(ran.claim("contrast.mesh.expected_workload")?.expected?.value).toMatch(/\/secret-service$/);
  });
  it("of a manifest that only the audited party vouches for is consistent, not passed", async () => {
    const ran = await ask({ plan: { manifest: { kind: "none" } } });
    expect(ran.claim("contrast.mesh.host_data")?.status).toBe("consistent");
    expect(ran.endpoint).toMatch(/did not pass/);
  });
});

describe("an answer with one defect", () => {
  it.each<[keyof typeof bad, readonly (readonly [keyof typeof liveExchange, string])[]]>([
    ["foreignMeshCa", [["contrast.mesh.path", "chain-root"]]],
    [
      "withoutServiceName",
      [
        ["contrast.mesh.sans", "sans"],
        ["contrast.mesh.expected_san", "san-missing"],
      ],
    ],
    ["expiredCertificate", [["contrast.mesh.validity", "chain-validity"]]],
    [
      "otherWorkload",
      [
        ["contrast.mesh.expected_san", "san-missing"],
        ["contrast.mesh.expected_workload", "workload-unexpected"],
      ],
    ],
    ["otherPublicKey", [["contrast.exchange.signature", "exchange-signature"]]],
    ["otherSigner", [["contrast.exchange.signature", "exchange-signature"]]],
    ["p1363", [["contrast.exchange.signature", "exchange-signature-form"]]],
    ["encapsulatedKeyChanged", [["contrast.exchange.signature", "exchange-signature"]]],
    ["encapsulatedKeyShort", [["contrast.exchange.lengths", "exchange-length"]]],
    ["encapsulatedKeyLong", [["contrast.exchange.lengths", "exchange-length"]]],
  ])("%s fails %j", async (name, failed) => {
    const ran = await ask({ tamper: bad[name] });
    expect(ran.failed).toEqual(failed);
    expect(ran.open.length).toBeGreaterThan(0);
    expect(ran.endpoint).toMatch(/did not pass/);
  });
  it("another name than the profile's alone fails the expected name", async () => {
    const ran = await ask({ plan: { exchange: { ...plan.exchange, san: said("secret.elsewhere.example") } } });
    expect(ran.failed).toEqual([["contrast.mesh.expected_san", "san-missing"]]);
  });
  it("a wildcard among the names stands for nothing but itself", async () => {
    const ran = await ask({ plan: { exchange: { ...plan.exchange, san: said("anything.example") } } });
    expect(ran.claim("contrast.mesh.expected_san")?.actual?.value).toContain("*");
    expect(ran.open).toEqual(["contrast.mesh.expected_san"]);
  });
});

describe("what is no answer", () => {
  it.each([
    ["malformed JSON", text("{")],
    ["JSON of another kind", text("null")],
    ["something behind the object", ok(Buffer.concat([secretAnswer(d, publicKey), Buffer.from("{}")]))],
    [
      "a member twice",
      text(`{"Signature":"AA==",${Buffer.from(secretAnswer(d, publicKey)).toString("utf8").slice(1)}`),
    ],
    [
      "a re-cased member",
      text(Buffer.from(secretAnswer(d, publicKey)).toString("utf8").replace("MeshCert", "meshcert")),
    ],
    ["base64url", text('{"EncapsulatedKey":"_-_-","Signature":"AA==","MeshCert":"AA=="}')],
    ["an HTML error page", text("<html><body>502 Bad Gateway</body></html>")],
    ["an empty 200", text("")],
    ["an empty object", text("{}")],
  ])("%s fails the format, and the rest cannot be answered", async (_, answer) => {
    const ran = await ask({ answer });
    expect(ran.failed).toEqual([["contrast.exchange.format", "exchange-malformed"]]);
    expect(ran.claim("contrast.exchange.signature")?.status).toBe("error");
    expect(ran.claim("contrast.mesh.path")?.status).toBe("error");
    expect(ran.claim("contrast.mesh.expected_san")?.status).not.toBe("pass");
  });
  it("a certificate that is none fails its format", async () => {
    const ran = await ask({ tamper: (e) => ({ ...e, certificate: e.certificate.slice(0, -1) }) });
    expect(ran.failed).toEqual([["contrast.mesh.format", "mesh-malformed"]]);
    expect(ran.claim("contrast.exchange.signature")?.status).toBe("skip");
  });
  it("empty members fail the format", async () => {
    const ran = await ask({ tamper: (e) => ({ ...e, signature: new Uint8Array() }) });
    expect(ran.claim("contrast.exchange.format")).toMatchObject({ status: "fail", code: "exchange-malformed" });
  });
  it.each([
    ["unavailable", "status 503"],
    ["refused", "status 401"],
  ] as const)("%s is said of every question about the answer", async (status, reason) => {
    const ran = await ask({ answer: { status, reason } });
    const word = status === "refused" ? "error" : "unavailable";
    expect(ran.claim("contrast.exchange.format")).toMatchObject({ status: word, reason });
    expect(ran.failed).toEqual([]);
    const ofAnswer = ran.claims.filter((c) => !/manifest|mesh_ca/.test(c.id)).map((c) => c.status);
    if (status === "unavailable") expect(new Set(ofAnswer)).toEqual(new Set(["unavailable"]));
    else expect(ofAnswer).not.toContain("pass");
    expect(ran.open).toContain("contrast.exchange.fresh");
  });
});

describe("behind the gate", () => {
  it.each<[string, Tamper]>([
    ["hidden history", tampers.historyHidden.apply],
    ["a swapped mesh CA", tampers.meshCaSwapped.apply],
  ])("%s: the nonce is not bound, every question is skipped and the service not asked", async (_, attest) => {
    const ran = await ask({ attest });
    expect(new Set(ran.claims.map((c) => c.status))).toEqual(new Set(["skip"]));
    expect(ran.claims[0]?.reason).toMatch(/contrast\.nonce\.bound is fail/);

    expect(ran.asked).not.toContain("coordinator /privatemode/v1/secret");
    expect(ran.open.length).toBe(ran.owed.size);
  });
  it("a report that nobody's root signed: skipped", async () => {
    const other = variantDeployment({}).rogue;
    const ran = await ask({ plan: { testRoot: { file: "other", bytes: other.ark.certificate } } });
    expect(new Set(ran.claims.map((c) => c.status))).toEqual(new Set(["skip"]));
    expect(ran.asked).not.toContain("coordinator /privatemode/v1/secret");
  });
  it("another form than Privatemode's has no such service", async () => {
    const ran = await ask({
      plan: { form: "attest" },
      source: {
        fetch: async ({ service, path }) =>
          path === "/attest"
            ? ok(d.respond(nonce, "attest"))
            : path === "/nonce"
              ? ok(encodeNonce({ bytes: nonce }))
              : service === "amd-kds"
                ? ok(d.crl)
                : path === exchangeKeyRequest.path
                  ? ok(encodeExchangeKey(publicKey))
                  : text("null"),
      },
    });
    expect(new Set(ran.claims.map((c) => c.status))).toEqual(new Set(["error"]));
  });
});

describe("a record", () => {
  const replayed = { notDrawn: "a record", owed: false } as const;
  const recorded = async (): Promise<readonly Exchange[]> => (await ask()).outcome.used;

  it("holds the key and the exchange, and replays with freshness shown as not asked", async () => {
    const ran = await ask({ plan: { freshness: replayed }, source: recordedSource(await recorded()) });
    expect([ran.open, ran.failed]).toEqual([[], []]);
    expect(ran.claim("contrast.exchange.fresh")).toMatchObject({ status: "skip" });
    expect(ran.owed.has("contrast.exchange.fresh")).toBe(false);
    expect(ran.claim("contrast.exchange.signature")?.status).toBe("pass");
  });
  it("under --require-fresh owes what it cannot answer", async () => {
    const ran = await ask({
      plan: { freshness: { ...replayed, owed: true } },
      source: recordedSource(await recorded()),
    });
    expect(ran.open).toEqual(["contrast.exchange.fresh"]);
  });
  it("of the key that is named passes, and is still a record", async () => {
    const freshness = { ...replayed, exchangeKey: said(exchangeKeySha256(publicKey)) };
    const ran = await ask({ plan: { freshness }, source: recordedSource(await recorded()) });
    expect([ran.open, ran.claim("contrast.exchange.public_key")?.status]).toEqual([[], "pass"]);
    expect(ran.claim("contrast.exchange.fresh")?.status).toBe("skip");
  });
  it("of another key than the named one fails", async () => {
    const freshness = { ...replayed, exchangeKey: said("ab".repeat(32)) };
    const ran = await ask({ plan: { freshness }, source: recordedSource(await recorded()) });
    expect(ran.failed).toEqual([
      ["contrast.exchange.public_key", "exchange-public-key"],
      ["contrast.exchange.fresh", "exchange-not-fresh"],
    ]);
    expect(ran.open).toContain("contrast.exchange.public_key");
  });
  it("with the answer to another question answers nothing", async () => {
    const exchanges = (await recorded()).map((e) =>
      e.request.path === exchangeKeyRequest.path ? { ...e, response: ok(encodeExchangeKey(drawExchangeKey())) } : e,
    );
    const ran = await ask({ plan: { freshness: replayed }, source: recordedSource(exchanges) });
    expect(ran.claim("contrast.exchange.format")?.status).toBe("unavailable");
  });
  it("without the exchange is unavailable, never passed", async () => {
    const exchanges = (await recorded()).filter((e) => !e.request.path.includes("secret"));
    const ran = await ask({ plan: { freshness: replayed }, source: recordedSource(exchanges) });
    expect(new Set(ran.claims.map((c) => c.status))).toEqual(new Set(["unavailable"]));
  });
});

describe("the public key", () => {
  it("is drawn anew each time, 1216 bytes, with no private part beside it", () => {
    const [a, b] = [drawExchangeKey(), drawExchangeKey()];
    expect([a.length, b.length]).toEqual([1216, 1216]);
    expect(Buffer.compare(a, b)).not.toBe(0);
    expect(Buffer.compare(a.subarray(1184), b.subarray(1184))).not.toBe(0);
  });
  it.each(["", "null", "{}", '{"publicKey":1}', '{"publicKey":"AA=="}', '{"publicKey":"*"}', "\ufeff{}"])(
    "a record %j holds none",
    async (record) => {
      const bytes = new Uint8Array(Buffer.from(record));
      expect(lookExchangeKey(() => ok(bytes))).toMatchObject({ status: "refused" });
      const ran = await ask({ key: ok(bytes) });
      expect(new Set(ran.claims.map((c) => c.status))).toEqual(new Set(["error"]));
    },
  );
  it("is sent as the one member PublicKey, in base64", () => {
    const { post = "" } = secretRequest(publicKey);
    expect(JSON.parse(post)).toEqual({ PublicKey: Buffer.from(publicKey).toString("base64") });
  });
});
