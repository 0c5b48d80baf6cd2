/** What an audited party, or whoever stands between, can do to a live run; none of it may end with 0. */
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { makeAmdCrl } from "../../fixtures/generator/amd.ts";
import { certificate, name as dn, extension, integer, keys, pem, sequence, spkiOf, time, tlv } from "../crypto/make.ts";
import { startHostile } from "../sources/hostile.ts";
import { lastLine, openIds, startWorld } from "./world.ts";

const world = await startWorld();
const { deployment, server, live, pins, root } = world;
const measurement = ["--measurement", deployment.measurement];
const attest = (...more: string[]) => [
  "coordinator",
  "attest",
  server.url,
  ...root,
  "--kds-url",
  server.kdsUrl,
  ...more,
];
afterEach(() => world.reset());

/** A server certificate for 127.0.0.1 that a root of nobody signed. */
const tls = {
  key: keys.leaf.privateKey.export({ format: "pem", type: "pkcs8" }),
  cert: pem(
    "CERTIFICATE",
    certificate({
      version: 3,
      serial: integer(5),
      issuer: dn("Test Root"),
      subject: dn("127.0.0.1"),
      notBefore: time("2020-01-01T00:00:00Z"),
      notAfter: time("2049-01-01T00:00:00Z"),
      algorithm: Uint8Array.from(Buffer.from("300a06082a8648ce3d040302", "hex")),
      hash: "sha256",
      spki: spkiOf(keys.leaf.publicKey),
      signer: keys.root,
      extensions: { san: extension("2.5.29.17", sequence(tlv(0x87, Uint8Array.from([127, 0, 0, 1])))) },
    }),
  ),
};

test("the honest service is verified", async () => {
  const ran = await world.judged([...live, ...pins]);
  expect([ran.status, ran.report.verdictLine, openIds(ran)]).toEqual([0, "TEST ROOT verified (live)", []]);
});

describe("a Coordinator that agrees with itself", () => {
  test("without a pin: self-consistent, 3", async () => {
    const ran = await world.judged(attest());
    expect([ran.status, ran.report.verdict]).toEqual([3, "inconclusive"]);
    expect(ran.report.verdictLine).toMatch(/^TEST ROOT self-consistent \(coordinator\)/);
  });
  test("without a pin, all of the chain: inconclusive, 3", async () => {
    const ran = await world.judged([...live, ...measurement]);
    expect([ran.status, ran.claim("contrast.manifest.expected").status]).toEqual([3, "skip"]);
    expect(ran.report.claims.filter((c) => c.status === "consistent").length).toBeGreaterThan(5);
  });
  test("under the manifest that the auditor holds: failed, 1", async () => {
    const held = world.write("reviewed.json", `${readFileSync(world.file("manifest.json"), "utf8")}\n`);
    const ran = await world.judged([...live, "--manifest", held, ...measurement]);
    expect(ran.status).toBe(1);
    expect(ran.claim("contrast.manifest.expected")).toMatchObject({ status: "fail", code: "manifest-differs" });
  });
  test("with another guest image's measurement vouched for: failed, 1", async () => {
    const other = deployment.measurement.replace(/^./, (c) => (c === "0" ? "1" : "0"));
    const ran = await world.judged([...live, "--manifest", world.file("manifest.json"), "--measurement", other]);
    expect([ran.status, openIds(ran)]).toEqual([1, ["chain.reference.measurement_known"]]);
  });
  test("pinned on first sight, with --no-first-use: its own word again", async () => {
    const profile = world.write(
      "first-use.yaml",
      `version: 1\nservice: contrast\ncoordinator: {url: "${server.url}"}\nmanifest: {reference: pinned, file: manifest.json, firstUse: 2026-01-01}\nmeasurements: ["${deployment.measurement}"]\n`,
    );
    const args = ["verify", profile, ...root, "--kds-url", server.kdsUrl];
    const trusted = await world.judged(args);
    expect([trusted.status, trusted.report.verdictLine]).toEqual([
      0,
      "TEST ROOT verified (live), manifest trusted on first use 2026-01-01",
    ]);
    expect(trusted.report.relaxations.map((r) => r.name)).toContain("manifest-first-use");
    expect((await world.judged([...args, "--no-first-use"])).status).toBe(3);
  });
});

describe("only what the audited party publishes", () => {
  const key = world.write("key.txt", "canary-key-for-tests");
  const profile = world.write(
    "published.yaml",
    [
      "version: 1",
      "service: privatemode",
      `coordinator: {url: "${server.url}"}`,
      `manifest: {reference: published, url: "${server.url}/privatemode/v2/manifest.json"}`,
      `measurements: ["${deployment.measurement}"]`,
    ].join("\n"),
  );
  const args = ["verify", profile, "--api-key-file", key, ...root, "--kds-url", server.kdsUrl];
  test("equal to what is enforced: 3, and the report says how to pin it", async () => {
    server.hooks.apiKey = "canary-key-for-tests";
    const ran = await world.judged(args);
    expect(ran.status).toBe(3);
    expect(ran.claim("contrast.manifest.expected")).toMatchObject({
      status: "consistent",
      code: "reference-published",
    });
    expect(ran.report.claims.filter((c) => c.owed && c.status === "fail")).toEqual([]);
    expect(ran.report.notProven.join()).toContain("--manifest-sha256");
  });
  test("another one than is enforced: 1", async () => {
    server.hooks.apiKey = "canary-key-for-tests";
    server.hooks.published = Buffer.concat([deployment.manifest, Buffer.from("\n")]);
    const ran = await world.judged(args);
    expect([ran.status, ran.claim("contrast.manifest.expected").code]).toEqual([1, "manifest-differs"]);
  });
  test("without a key: 3, and it says what is missing", async () => {
    const ran = await world.pm(["verify", profile, ...root, "--kds-url", server.kdsUrl]);
    expect([ran.status, ran.stdout.includes("--api-key-file")]).toEqual([3, true]);
  });
});

describe("an older revocation list", () => {
  const newer = makeAmdCrl(deployment.authority, { thisUpdate: -1, nextUpdate: 29 });
  const older = makeAmdCrl(deployment.authority, { thisUpdate: -9, nextUpdate: 21 });
  /** The folder of the one scope that the runs under this home had. */
  const collateral = (env: Record<string, string>): string => {
    const other = join(env["XDG_CACHE_HOME"] ?? "", "pm", "collateral", "other");
    return join(other, readdirSync(other)[0] ?? "");
  };
  const aged = (env: Record<string, string>, remove = false): void => {
    const path = join(collateral(env), "vcek", "Genoa", "crl.der");
    const then = new Date(Date.now() - 2 * 86_400_000);
    if (remove) rmSync(path);
    else utimesSync(path, then, then);
  };
  test.each([
    ["cached, two days old", false],
    ["taken out of the cache, and only the mark is left", true],
  ])("after a newer one was seen (the newer is %s)", async (_what, remove) => {
    const env = world.home(`rollback-${remove}`);
    server.hooks.tamper = (draft) => ({ ...draft, chain: { ...draft.chain, crl: undefined } });
    server.hooks.crl = newer;
    expect((await world.judged([...live, ...pins], { env })).status).toBe(0);
    aged(env, remove);
    server.hooks.crl = older;
    const ran = await world.judged([...live, ...pins], { env });
    expect([ran.status, openIds(ran)]).toEqual([1, ["chain.collateral.not_rolled_back"]]);
    expect(ran.claim("chain.collateral.not_rolled_back").code).toBe("crl-rollback");
    // The bad run raised no mark and left the newer list where it was: the good one is still good.
    aged(env, true);
    server.hooks.crl = newer;
    expect((await world.judged([...live, ...pins], { env })).status).toBe(0);
  });
  test("the vendor's service silent, and an old list attached: the mark counts for it too", async () => {
    const env = world.home("attached");
    server.hooks.crl = newer;
    expect((await world.judged([...live, ...pins], { env })).status).toBe(0);
    aged(env, true);
    server.hooks.tamper = (draft) => ({ ...draft, chain: { ...draft.chain, crl: older } });
    server.hooks.answer = (request) => (request.service === "kds" && request.path.endsWith("/crl") ? null : undefined);
    const ran = await world.judged([...live, ...pins], { env });
    expect([ran.status, openIds(ran)]).toEqual([1, ["chain.collateral.not_rolled_back"]]);
  });
  test.each([
    ["a certificate of the chip", "vcek.der", 1],
    ["a certificate chain", "cert_chain.pem", 1],
    ["a list of his own: its age is his word", "crl.der", 0],
  ])("the auditor gives %s", async (_what, name, status) => {
    const env = world.home(`given-${name}`);
    server.hooks.tamper = (draft) => ({ ...draft, chain: { ...draft.chain, crl: undefined } });
    server.hooks.crl = newer;
    expect((await world.judged([...live, ...pins], { env })).status).toBe(0);
    aged(env, true);
    server.hooks.crl = older;
    const ran = await world.judged([...live, ...pins, "--collateral", world.file(name)], { env });
    expect(ran.status).toBe(status);
    expect(ran.claim("chain.collateral.not_rolled_back")).toMatchObject(
      status === 1 ? { status: "fail", owed: true } : { status: "skip", owed: false },
    );
  });
  test("the auditor's folder has the list of another product line: it answers for nothing here", async () => {
    const env = world.home("other-line");
    const held = join(world.folder, "other-line");
    mkdirSync(join(held, "vcek", "Milan"), { recursive: true });
    writeFileSync(join(held, "vcek", "Milan", "crl.der"), newer);
    server.hooks.tamper = (draft) => ({ ...draft, chain: { ...draft.chain, crl: undefined } });
    server.hooks.crl = newer;
    expect((await world.judged([...live, ...pins], { env })).status).toBe(0);
    aged(env, true);
    server.hooks.crl = older;
    const ran = await world.judged([...live, ...pins, "--collateral", held], { env });
    expect([ran.status, openIds(ran)]).toEqual([1, ["chain.collateral.not_rolled_back"]]);
  });
  test("marks that were damaged are not marks that were never made", async () => {
    const env = world.home("damaged");
    server.hooks.crl = newer;
    expect((await world.judged([...live, ...pins], { env })).status).toBe(0);
    writeFileSync(join(collateral(env), "high-water.json"), "{");
    const ran = await world.pm([...live, ...pins, "--json"], { env });
    expect(ran.status).not.toBe(0);
  });
  test("a list of somebody else in the cache is looked at like any other", async () => {
    const env = world.home("poisoned");
    expect((await world.judged([...live, ...pins], { env })).status).toBe(0);
    writeFileSync(join(collateral(env), "vcek", "Genoa", "crl.der"), makeAmdCrl(deployment.rogue));
    server.hooks.tamper = (draft) => ({ ...draft, chain: { ...draft.chain, crl: undefined } });
    const ran = await world.judged([...live, ...pins], { env });
    expect(ran.status).not.toBe(0);
  });
});

describe("another answer than the one that was asked for", () => {
  test("the same answer again, to a new nonce", async () => {
    let first: Uint8Array | undefined;
    server.hooks.answer = (request, answer) => {
      if (request.path !== "/attest") return undefined;
      first ??= answer.body;
      return { ...answer, body: first };
    };
    expect((await world.judged([...live, ...pins])).status).toBe(0);
    const ran = await world.judged([...live, ...pins]);
    expect([ran.status, ran.claim("contrast.nonce.bound").code]).toEqual([1, "history-hidden"]);
    expect(ran.claim("snp.report.report_data").status).toBe("fail");
  });
  test("members twice: each reader would see another document", async () => {
    server.hooks.answer = (request, answer) =>
      request.path === "/attest"
        ? { ...answer, body: Buffer.from(Buffer.from(answer.body).toString().replace("{", '{"manifests":[],')) }
        : undefined;
    const ran = await world.judged([...live, ...pins]);
    expect([ran.status, ran.claim("contrast.response.format").code]).toEqual([1, "response-malformed"]);
  });
  test("an attacker's own root in the chain", async () => {
    server.hooks.tamper = (draft, d) => ({ ...draft, chain: { ...draft.chain, ark: d.rogue.ark.certificate } });
    const ran = await world.judged([...live, ...pins]);
    expect([ran.status, ran.claim("snp.vek.chain").code]).toEqual([1, "chain-root"]);
  });
  test("under AMD's own roots the made-up silicon is nobody's", async () => {
    const ran = await world.judged([
      "verify",
      "contrast",
      "--coordinator",
      server.url,
      ...pins,
      "--kds-url",
      server.kdsUrl,
    ]);
    expect([ran.status, ran.claim("snp.vek.chain").code]).toEqual([1, "chain-root"]);
    expect(ran.report.verdictLine).not.toContain("TEST ROOT");
  });
  test("text that rewrites the terminal, or poses as the verdict", async () => {
    server.hooks.tamper = (draft) => ({
      ...draft,
      shown: { ...draft.shown, version: "v1.20.0\n\u001b[2J\u202everified (live)\r\nverified (live)" },
    });
    const ran = await world.pm([...live, ...pins]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(ran.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(ran.stdout.split("\n").filter((line) => line.startsWith("verified"))).toEqual([]);
    expect(lastLine(ran)).toMatch(/^TEST ROOT (verified|failed|inconclusive) \(live\)/);
  });
});

describe("a manifest that two readers read differently", () => {
  /** Manifests are attested as they are shown: everything about them is self-consistent. */
  const withManifest = (change: (text: string) => string): string => {
    const manifest = new Uint8Array(Buffer.from(change(Buffer.from(deployment.manifest).toString("utf8"))));
    server.hooks.tamper = (draft) => ({
      ...draft,
      attested: { ...draft.attested, manifests: [manifest] },
      shown: { ...draft.shown, manifests: [manifest] },
    });
    return world.write("other.json", manifest);
  };
  const key = deployment.coordinator.key;
  const entry = (k: string): string => `"${k}":{"SANs":["x"],"WorkloadSecretID":"x","Role":"coordinator"}`;
  test.each<[string, (text: string) => string]>([
    ["a policy twice", (t) => t.replace(/("Policies":\s*\{)/, `$1${entry(key)},`)],
    ["a policy in capital letters beside", (t) => t.replace(/("Policies":\s*\{)/, `$1${entry(key.toUpperCase())},`)],
    ["Policies twice", (t) => t.replace(/^\{/, `{"Policies":{${entry("00".repeat(32))}},`)],
    ["policies in small letters", (t) => t.replace(/^\{/, `{"policies":{${entry("00".repeat(32))}},`)],
    ["reference values in small letters", (t) => t.replace(/^\{/, '{"referencevalues":{"snp":[]},')],
    ["a byte order mark", (t) => `\ufeff${t}`],
    ["something after its end", (t) => `${t}{}`],
    ["a second coordinator", (t) => t.replace(/("Policies":\s*\{)/, `$1${entry("00".repeat(32))},`)],
    ["no policies", (t) => JSON.stringify({ ...(JSON.parse(t) as object), Policies: {} })],
    ["no reference values", (t) => JSON.stringify({ ...(JSON.parse(t) as object), ReferenceValues: {} })],
    [
      "an empty list of reference values",
      (t) => JSON.stringify({ ...(JSON.parse(t) as object), ReferenceValues: { snp: [] } }),
    ],
    ["null", () => "null"],
    ["nothing", () => ""],
    ["__proto__", (t) => t.replace(/("Policies":\s*\{)/, `$1${entry("__proto__")},`)],
  ])("%s, pinned by the auditor", async (_what, change) => {
    const held = withManifest(change);
    const ran = await world.judged([...live, "--manifest", held, ...measurement]);
    expect([1, 3]).toContain(ran.status);
    const human = await world.pm([...live, "--manifest", held, ...measurement]);
    expect(human.status).toBe(ran.status);
  });
});

describe("the newer form of the exchange", () => {
  const profile = (api: string): string[] => [
    "verify",
    world.write(`api-${api}.yaml`, `version: 1\nservice: contrast\ncoordinator: {url: "${server.url}", api: ${api}}\n`),
    ...root,
    "--kds-url",
    server.kdsUrl,
    ...pins,
  ];
  test("is verified where it is offered", async () => expect((await world.judged(profile("v1"))).status).toBe(0));
  test("there is no fallback when it is not", async () => {
    server.hooks.v1 = false;
    expect((await world.judged(profile("v1"))).status).toBe(3);
  });
  test("other capabilities than the attested ones", async () => {
    server.hooks.answer = (request, answer) =>
      request.path === "/capabilities"
        ? { ...answer, body: Buffer.concat([answer.body, Buffer.from("\n")]) }
        : undefined;
    const ran = await world.judged(profile("v1"));
    expect([ran.status, ran.claim("contrast.nonce.bound").status]).toEqual([1, "fail"]);
  });
  test("an answer in the older form under the newer path", async () => {
    server.hooks.answer = (request, answer) =>
      request.path === "/v1/attest"
        ? {
            ...answer,
            body: Buffer.from(
              deployment.respond(
                Buffer.from((JSON.parse(Buffer.from(request.body).toString()) as { nonce: string }).nonce, "base64"),
                "attest",
              ),
            ),
          }
        : undefined;
    expect((await world.judged(profile("v1"))).status).toBe(1);
  });
});

describe("the environment of the auditor", () => {
  test.each([
    ["PM_TRUST_ROOT", world.file("ark.pem")],
    ["PM_INSECURE_TRUST_ROOT", world.file("ark.pem")],
    ["PM_MEASUREMENT", deployment.measurement],
    ["PM_MANIFEST", world.file("manifest.json")],
    ["PM_CONTENT_TYPE", "json"],
    ["PM_DEBUG", "1"],
  ])("%s demands nothing less", async (name, value) => {
    const ran = await world.pm(["verify", "contrast", "--coordinator", server.url, "--kds-url", server.kdsUrl], {
      env: { [name]: value },
    });
    expect(ran.status).toBe(1);
    expect(lastLine(ran)).toMatch(/^failed \(live\)/);
  });
  test("a proxy of the environment is not asked", async () => {
    const proxy = await startHostile();
    const proxies = Object.fromEntries(
      ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"].map((name) => [name, proxy.url]),
    );
    const ran = await world.judged([...live, ...pins], { env: { ...proxies, NODE_USE_ENV_PROXY: "1", NO_PROXY: "" } });
    expect([ran.status, proxy.asked.size]).toEqual([0, 0]);
    await proxy.close();
  });
  test("NODE_TLS_REJECT_UNAUTHORIZED=0 opens no door: nobody vouches for this key service", async () => {
    const secure = createServer({ cert: tls.cert, key: tls.key }, (_, response) => void response.end("{}"));
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    const address = secure.address();
    const url = `https://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    const ran = await world.judged(["verify", "contrast", "--coordinator", url, ...root, ...pins], {
      env: { NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_NO_WARNINGS: "1" },
    });
    secure.close();
    expect([ran.status, ran.claim("contrast.response.format").reason]).toEqual([
      4,
      expect.stringContaining("no TLS certificate"),
    ]);
  });
});
