/** `pm verify` with `exchange` in the profile: live, recorded, and answered by whoever should not. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { pem } from "../../fixtures/generator/der.ts";
import { exchangeTampers as bad, makeLeaf } from "../../fixtures/generator/mesh.ts";
import { tampers } from "../../fixtures/generator/tamper.ts";
import type { Report, ReportClaim } from "../../src/report/report.ts";
import { readBundle } from "../../src/sources/bundle.ts";
import { type Ran, reportOf } from "../command.ts";
import { apiKey, demoNames, startExchangeWorld } from "./exchange-world.ts";

const world = await startExchangeWorld();
const { deployment, server } = world;
const profile = world.profile(demoNames(deployment));
afterEach(() => world.reset());
afterAll(() => world.close());

const subject = "secret exchange";
const of = (report: Report): ReportClaim[] => report.claims.filter((c) => c.subject === subject);
const claim = (ran: Ran, id: string): ReportClaim | undefined => of(reportOf(ran)).find((c) => c.id === id);
const failed = (ran: Ran) =>
  reportOf(ran)
    .claims.filter((c) => c.status === "fail" && c.owed)
    .map((c) => [c.subject, c.id, c.code]);
const open = (ran: Ran) =>
  reportOf(ran)
    .claims.filter((c) => c.owed && c.status !== "pass")
    .map((c) => c.id);
const endpointLine = (ran: Ran) => reportOf(ran).notProven.find((line) => line.startsWith("Endpoint:"));

describe("live", () => {
  it("is verified with the exchange among its claims", async () => {
    const ran = await world.verify(profile);
    expect([ran.status, reportOf(ran).verdictLine, open(ran)]).toEqual([0, "TEST ROOT verified (live)", []]);
    expect(of(reportOf(ran)).filter((c) => !c.owed)).toEqual([]);
    expect(claim(ran, "contrast.exchange.fresh")?.status).toBe("pass");
    expect(reportOf(ran).freshness).toMatch(/drew the nonce; it drew the public key of the secret exchange/);
    expect(endpointLine(ran)).toMatch(/secret was not derived/);
  });
  it("asks with a new key of 1216 bytes each time", async () => {
    await world.verify(profile);
    await world.verify(profile);
    const keys = server.requests
      .filter((r) => r.path.endsWith("/secret"))
      .map((r) => JSON.parse(Buffer.from(r.body).toString("utf8")).PublicKey as string);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.every((k) => Buffer.from(k, "base64").length === 1216)).toBe(true);
  });
  it("asks with the key that somebody else keeps", async () => {
    const key = Buffer.alloc(1216, 7);
    for (const content of [key, `${key.toString("base64")}\n`]) {
      const ran = await world.verify(profile, "--exchange-public-key", world.write("key", content));
      expect([ran.status, open(ran)]).toEqual([0, []]);
      expect(claim(ran, "contrast.exchange.public_key")?.expected?.origin).toEqual({
        kind: "flag",
        name: "--exchange-public-key",
      });
    }
  });
  it("without the member in the profile asks for no secret, and says so", async () => {
    const before = server.requests.length;
    const ran = await world.verify(world.profile(null));
    expect([ran.status, of(reportOf(ran))]).toEqual([0, []]);
    expect(server.requests.slice(before).filter((r) => r.path.endsWith("/secret"))).toEqual([]);
    expect(endpointLine(ran)).toMatch(/no key exchange of a client was made/);
  });
  it("with the built-in names fails on a deployment that has others", async () => {
    expect(failed(await world.verify(world.profile("{}")))).toEqual([
      [subject, "contrast.mesh.expected_san", "san-missing"],
      [subject, "contrast.mesh.expected_workload", "workload-unexpected"],
    ]);
  });
});

describe("an answer with one defect: failed, 1", () => {
  it.each<[keyof typeof bad, readonly [string, string][]]>([
    ["foreignMeshCa", [["contrast.mesh.path", "chain-root"]]],
    [
      "withoutServiceName",
      [
        ["contrast.mesh.sans", "sans"],
        ["contrast.mesh.expected_san", "san-missing"],
      ],
    ],
    [
      "otherWorkload",
      [
        ["contrast.mesh.expected_san", "san-missing"],
        ["contrast.mesh.expected_workload", "workload-unexpected"],
      ],
    ],
    ["otherPublicKey", [["contrast.exchange.signature", "exchange-signature"]]],
    ["p1363", [["contrast.exchange.signature", "exchange-signature-form"]]],
    ["encapsulatedKeyChanged", [["contrast.exchange.signature", "exchange-signature"]]],
    ["encapsulatedKeyShort", [["contrast.exchange.lengths", "exchange-length"]]],
  ])("%s", async (name, claims) => {
    server.hooks.exchange = bad[name];
    const ran = await world.verify(profile);
    expect([ran.status, failed(ran)]).toEqual([1, claims.map(([id, code]) => [subject, id, code])]);
    expect(endpointLine(ran)).toMatch(/did not pass/);
  });
  it.each([
    ["malformed JSON", "{"],
    ["an HTML error page", "<html>error</html>"],
    ["an empty 200", ""],
  ])("%s", async (_, body) => {
    server.hooks.answer = (request, answer) =>
      request.path.endsWith("/secret") ? { ...answer, body: new Uint8Array(Buffer.from(body)) } : undefined;
    const ran = await world.verify(profile);
    expect([ran.status, failed(ran)]).toEqual([1, [[subject, "contrast.exchange.format", "exchange-malformed"]]]);
  });
});

describe("no answer", () => {
  it.each([401, 404] as const)("status %i: inconclusive, 3", async (status) => {
    server.hooks.exchangeStatus = status;
    const ran = await world.verify(profile);
    expect([ran.status, failed(ran)]).toEqual([3, []]);
    expect(claim(ran, "contrast.exchange.format")?.status).toBe("error");
  });
  it("status 503: unavailable, 4", async () => {
    server.hooks.exchangeStatus = 503;
    const ran = await world.verify(profile);
    expect(ran.status).toBe(4);
    expect(claim(ran, "contrast.exchange.format")?.reason).toMatch(/status 503/);
  });
  it("the connection closed: unavailable, 4", async () => {
    server.hooks.answer = (request) => (request.path.endsWith("/secret") ? null : undefined);
    expect((await world.verify(profile)).status).toBe(4);
  });
  it("16 MiB: refused by its length, 3", async () => {
    server.hooks.answer = (request, answer) =>
      request.path.endsWith("/secret") ? { ...answer, body: new Uint8Array(16 * 1024 * 1024) } : undefined;
    const ran = await world.verify(profile);
    expect(ran.status).toBe(3);
    expect(claim(ran, "contrast.exchange.format")?.reason).toMatch(/more than the 262144 bytes allowed/);
  });
  it("where the attestation is not bound: skipped, and the service not asked", async () => {
    server.hooks.tamper = tampers.meshCaSwapped.apply;
    const before = server.requests.length;
    const ran = await world.verify(profile);
    expect(ran.status).toBe(1);
    expect(new Set(of(reportOf(ran)).map((c) => c.status))).toEqual(new Set(["skip"]));
    expect(server.requests.slice(before).some((r) => r.path.endsWith("/secret"))).toBe(false);
  });
});

describe("a record", () => {
  const bundle = join(world.folder, "run.tar");
  const replay = (...args: string[]) => world.verify(bundle, "--profile", profile, "--offline", ...args);

  it("is judged by the same questions, without freshness", async () => {
    const live = await world.verify(profile, "--save", bundle);
    const ran = await replay();
    expect([live.status, ran.status, open(ran)]).toEqual([0, 0, []]);
    expect(claim(ran, "contrast.exchange.fresh")).toMatchObject({ status: "skip", owed: false });
    const judged = (r: Ran) => of(reportOf(r)).filter((c) => c.owed && c.id !== "contrast.exchange.public_key");
    expect(judged(ran)).toEqual(judged(live).filter((c) => c.id !== "contrast.exchange.fresh"));
    expect((await replay()).stdout).toBe(ran.stdout);
  });
  it("holds no credential and no private key", async () => {
    const { exchanges } = await readBundle(bundle);
    const key = exchanges.find((e) => e.request.path === "/secret-exchange-key")?.response;
    expect(key?.status === "ok" && Object.keys(JSON.parse(Buffer.from(key.bytes).toString("utf8")))).toEqual([
      "publicKey",
    ]);
    expect(readFileSync(bundle).includes(apiKey)).toBe(false);
  });
  it("owes freshness under --require-fresh", async () => {
    const ran = await replay("--require-fresh");
    expect([ran.status, open(ran)]).toEqual([3, ["contrast.nonce.fresh", "contrast.exchange.fresh"]]);
  });
  it("of another key than the named one fails", async () => {
    const ran = await replay("--exchange-public-key", world.write("other", new Uint8Array(1216)));
    expect([ran.status, failed(ran)]).toEqual([
      1,
      [
        [subject, "contrast.exchange.public_key", "exchange-public-key"],
        [subject, "contrast.exchange.fresh", "exchange-not-fresh"],
      ],
    ]);
  });
  it("made without the exchange is never verified under a profile that demands it", async () => {
    const without = join(world.folder, "without.tar");
    await world.verify(world.profile(null), "--save", without);
    const ran = await world.verify(without, "--profile", profile, "--offline");
    expect([ran.status, reportOf(ran).verdict]).toEqual([4, "unavailable"]);
  });
  it("stands behind pm endpoint verify as a subject of its own", async () => {
    const leaf = world.write("leaf.pem", pem(makeLeaf(deployment).certificate));
    const args = ["--bundle", bundle, "--profile", profile, "--insecure-trust-root", join(world.folder, "ark.pem")];
    const ran = await world.run("endpoint", "verify", "--certificate", leaf, "--json", "--offline", ...args);
    const subjects = new Set(reportOf(ran).claims.map((c) => c.subject));
    expect([ran.status, subjects.has(subject), subjects.has("endpoint")]).toEqual([0, true, true]);
  });
});

describe("usage: 2", () => {
  it.each([
    ["a key of another length", profile, Buffer.alloc(1215)],
    ["a key without a profile that demands the exchange", world.profile(null), Buffer.alloc(1216)],
  ])("%s", async (_, target, content) => {
    const ran = await world.verify(target, "--exchange-public-key", world.write("wrong", content));
    expect(ran.status).toBe(2);
    expect(ran.stdout).toMatch(/--exchange-public-key/);
  });
});
