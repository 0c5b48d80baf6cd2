import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pcsAnswer } from "../../fixtures/generator/intel-pcs.ts";
import { markName, pckCrlRequest, qeIdentityRequest, rootCrlRequest, tcbInfoRequest } from "../../src/dcap/requests.ts";
import { writeBundle } from "../../src/sources/bundle.ts";
import { readBundle } from "../../src/sources/bundle-read.ts";
import { memoryFetcher, recordHighWater } from "../../src/sources/memory.ts";
import { decodePcsPath } from "../../src/sources/pcs-path.ts";
import { liveSource, refreshSource, replaySource } from "../../src/sources/source.ts";
import {
  ask,
  but,
  collateral,
  collateralAt,
  fmspc,
  good,
  later,
  now,
  older,
  type Served,
  servePcs,
} from "./pcs-world.ts";
import { bytesOf, hexOf, request, scratch } from "./world.ts";

const tcb = tcbInfoRequest("tdx", fmspc);
const qe = qeIdentityRequest("tdx");
const crl = pckCrlRequest("platform");
const chainName = "tcb-info-issuer-chain";
const filesIn = (dir: string): string[] => readdirSync(dir, { recursive: true }).map(String).sort();

describe("paths of the certification service", () => {
  test("are those of PCS v4, to the letter", () => {
    expect(tcbInfoRequest("tdx", Uint8Array.of(0x90, 0xc0, 0x6f, 0, 0, 0)).path).toBe(
      "/tdx/certification/v4/tcb?fmspc=90c06f000000",
    );
    expect(tcbInfoRequest("sgx", "90C06F000000", { update: "early" }).path).toBe(
      "/sgx/certification/v4/tcb?fmspc=90c06f000000&update=early",
    );
    expect(qeIdentityRequest("tdx", { update: "standard" }).path).toBe(
      "/tdx/certification/v4/qe/identity?update=standard",
    );
    expect(qeIdentityRequest("sgx").path).toBe("/sgx/certification/v4/qe/identity");
    expect(pckCrlRequest("processor").path).toBe("/sgx/certification/v4/pckcrl?ca=processor&encoding=der");
    expect(rootCrlRequest.path).toBe("/IntelSGXRootCA.der");
  });
  test.each([
    `/tdx/certification/v4/tcb?fmspc=${fmspc.slice(2)}`,
    `/tdx/certification/v4/tcb?fmspc=${fmspc}&update=both`,
    `/tdx/certification/v4/tcb?fmspc=${fmspc}&tcbEvaluationDataNumber=18`,
    `/tdx/certification/v4/tcb?fmspc=${fmspc}&update=early&tcbEvaluationDataNumber=18`,
    `/tdx/certification/v4/tcb?update=early&fmspc=${fmspc}`,
    `/tdx/certification/v3/tcb?fmspc=${fmspc}`,
    "/tdx/certification/v4/qe/identity?",
    "/tdx/certification/v4/tcbevaluationdatanumbers",
    "/sgx/certification/v4/pckcrl?ca=platform",
    "/sgx/certification/v4/pckcrl?ca=root&encoding=der",
    "/tdx/certification/v4/pckcrl?ca=platform&encoding=der",
    "/sgx/certification/v4/pckcert?encrypted_ppid=00",
    "/sgx/certification/v4/rootcacrl",
    "/IntelSGXRootCA.der?x",
    "/../secret",
  ])("%s is none of them, and nobody is asked", async (path) => {
    expect(decodePcsPath(path)).toBeUndefined();
    const pcs = await servePcs(good());
    expect(await ask(request("intel-pcs", path), { pcsUrl: pcs.url })).toMatchObject({ status: "refused" });
    expect(pcs.asked).toEqual([]);
  });
});

describe("the client", () => {
  test("gets each document with its issuer chain, and sends no credential", async () => {
    const pcs = await servePcs(good());
    expect(await ask(tcb, { pcsUrl: pcs.url })).toMatchObject({
      status: "ok",
      issuerChain: collateral.tcbInfo.issuerChain,
      bytes: collateral.tcbInfo.body,
    });
    expect(await ask(qe, { pcsUrl: pcs.url })).toMatchObject({ issuerChain: collateral.qeIdentity.issuerChain });
    expect(await ask(crl, { pcsUrl: pcs.url })).toMatchObject({ issuerChain: collateral.pckCrlIssuerChain });
    expect(pcs.asked.map((a) => `${a.method} ${a.path}`)).toEqual([tcb, qe, crl].map((r) => `GET ${r.path}`));
    for (const { headers } of pcs.asked)
      expect(Object.keys(headers).sort()).toEqual(["accept-encoding", "connection", "host", "user-agent"]);
  });
  test("asks a PCCS for the root CA's CRL under its own path, and takes its hex text", async () => {
    const pcs = await servePcs(good());
    const got = await ask(rootCrlRequest, { pcsUrl: `${pcs.url}/` });
    expect(got.status === "ok" && Buffer.from(got.bytes).toString()).toBe(
      hexOf(collateral.rootCrl ?? new Uint8Array()),
    );
    expect(got).not.toHaveProperty("issuerChain");
    expect(pcs.asked.map((a) => a.path)).toEqual(["/sgx/certification/v4/rootcacrl"]);
  });
  test("appends to the base of a reverse proxy, and takes the older name of the chain's header", async () => {
    const pcs = await servePcs((path) => {
      const answer = pcsAnswer({ collateral: [collateral] }, path.replace("/proxy", ""));
      return { ...answer, headers: { "SGX-TCB-Info-Issuer-Chain": answer.headers[chainName] ?? "" } };
    });
    expect(await ask(tcb, { pcsUrl: `${pcs.url}/proxy` })).toMatchObject({
      issuerChain: collateral.tcbInfo.issuerChain,
    });
    expect(pcs.asked[0]?.path).toBe(`/proxy${tcb.path}`);
  });

  const encoded = encodeURIComponent(collateral.tcbInfo.issuerChain);
  const chains = (value: string | string[]) => but((answer) => ({ ...answer, headers: { [chainName]: value } }));
  const status = (code: number, headers: Record<string, string> = {}) =>
    but(() => ({ status: code, headers, body: "x" }));
  const body = (text: string | Uint8Array) => but((answer) => ({ ...answer, body: text }));
  test.each([
    ["HTML", body("<html>sign in</html>"), "refused", /not TCB info/],
    ["another document", body(collateral.qeIdentity.body), "refused", /not TCB info/],
    ["a CRL", body(collateral.pckCrl ?? ""), "refused", /not TCB info/],
    ["nothing", body(""), "refused", /not TCB info/],
    ["a mebibyte more than allowed", body("x".repeat(2 << 20)), "refused", /more than the 1048576 bytes/],
    ["400", status(400), "refused", /status 400: the service does not take this question/],
    ["404", status(404), "refused", /status 404: unknown FMSPC/],
    ["410", status(410), "refused", /status 410: the service no longer serves/],
    ["401", status(401), "refused", /status 401/],
    ["429", status(429), "unavailable", /status 429$/],
    [
      "429 with a time to wait",
      status(429, { "retry-after": "30" }),
      "unavailable",
      /status 429, and asks to wait 30 s/,
    ],
    ["429 with nonsense to wait", status(429, { "retry-after": "\tcanary" }), "unavailable", /status 429$/],
    ["500", status(500), "unavailable", /status 500/],
    ["503", status(503, { "retry-after": "7" }), "unavailable", /status 503, and asks to wait 7 s/],
    ["a redirect to another host", status(302, { location: "http://127.0.0.2:9/" }), "unavailable", /another host/],
    ["no chain", but(({ headers: _, ...answer }) => ({ ...answer, headers: {} })), "refused", /no issuer chain/],
    ["two chains", chains([encoded, encoded]), "refused", /2 issuer chains/],
    [
      "a chain under each name",
      but((answer) => ({ ...answer, headers: { [chainName]: encoded, "sgx-tcb-info-issuer-chain": encoded } })),
      "refused",
      /2 issuer chains/,
    ],
    ["two chains in one line", chains(`${encoded}, ${encoded}`), "refused", /not PEM/],
    ["a broken URL encoding", chains("-----BEGIN%20CERTIFICATE-----%0"), "refused", /broken URL encoding/],
    ["a URL encoding of no UTF-8", chains("-----BEGIN%20CERTIFICATE-----%ff"), "refused", /broken URL encoding/],
    ["a chain that is no PEM", chains("hello"), "refused", /not PEM/],
    ["an empty chain", chains(""), "refused", /not PEM/],
    ["a chain with terminal codes", chains(`${encoded}%1b%5b2J`), "refused", /not PEM/],
    ["a chain larger than headers may be", chains(encoded.padEnd(15_000, "A").padEnd(40_000, "A")), "refused", /bytes/],
  ] as const)("%s: %s", async (_, serve, wanted, reason) => {
    const pcs = await servePcs(serve);
    const got = await ask(tcb, { pcsUrl: pcs.url, cacheDir: scratch() });
    expect(got).toMatchObject({ status: wanted, reason: expect.stringMatching(reason) });
  });
  test.each([
    ["no answer", (): "hang" => "hang"],
    ["an answer without end", (): "drip" => "drip"],
  ] as const)("%s is unavailable in time", async (_, serve) => {
    const pcs = await servePcs(serve);
    const got = await ask(tcb, { pcsUrl: pcs.url, timeoutMs: 300 });
    expect(got).toMatchObject({ status: "unavailable" });
  });
  test("follows a redirect on the same host", async () => {
    const elsewhere: Served = { status: 307, headers: { location: "/moved" }, body: "" };
    const pcs = await servePcs((path) => (path === "/moved" ? good()(tcb.path) : elsewhere));
    expect(await ask(tcb, { pcsUrl: pcs.url })).toMatchObject({ status: "ok" });
  });
  test("offline opens no socket and says what to do", async () => {
    const pcs = await servePcs(good());
    expect(await ask(tcb, { pcsUrl: pcs.url, offline: true })).toEqual({
      status: "unavailable",
      reason: "offline: Intel's certification service was not asked; give TCB info with --collateral FILE|DIR",
    });
    expect(pcs.asked).toEqual([]);
  });
  test.each(["http://pccs.example", "ftp://x", "https://user:canary@pccs.example", "https://pccs.example/?key=canary"])(
    "%s is a usage error that does not repeat it",
    (pcsUrl) => {
      expect(() => liveSource({ pcsUrl })).toThrow(expect.objectContaining({ code: "PM_USAGE" }));
      expect(() => liveSource({ pcsUrl })).not.toThrow(/canary/);
    },
  );
});

describe("the cache", () => {
  test("answers for a day, chain and all, and then asks again", async () => {
    const [dir, pcs] = [scratch(), await servePcs(good())];
    const options = { pcsUrl: pcs.url, cacheDir: dir };
    for (const wanted of [tcb, qe, crl, rootCrlRequest]) {
      const first = await ask(wanted, options);
      const { contentType: _, ...kept } = first as { contentType?: string };
      expect(await ask(wanted, options, later(23))).toEqual(kept);
    }
    expect(pcs.asked).toHaveLength(4);
    expect(filesIn(dir).filter((name) => name.endsWith(".json"))).toHaveLength(4);
    await ask(tcb, options, later(25));
    expect(pcs.asked).toHaveLength(5);
  });
  test("a clock that was set back makes it ask", async () => {
    const [dir, pcs] = [scratch(), await servePcs(good())];
    await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir });
    await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir }, later(-1));
    expect(pcs.asked).toHaveLength(2);
  });
  test("each question has an answer of its own", async () => {
    const [dir, pcs] = [scratch(), await servePcs(good())];
    const asked = [
      tcb,
      tcbInfoRequest("tdx", fmspc, { update: "early" }),
      tcbInfoRequest("tdx", fmspc, { update: "standard" }),
    ];
    for (const one of [...asked, ...asked])
      expect(await ask(one, { pcsUrl: pcs.url, cacheDir: dir })).toMatchObject({ status: "ok" });
    expect(pcs.asked).toHaveLength(3);
  });
  test("what one service said is not kept for another", async () => {
    const [dir, one, two] = [scratch(), await servePcs(good()), await servePcs(good())];
    await ask(tcb, { pcsUrl: one.url, cacheDir: dir });
    await ask(tcb, { pcsUrl: two.url, cacheDir: dir });
    expect(two.asked).toHaveLength(1);
  });
  test("a document outside its own window is not used, whoever cannot be reached", async () => {
    const [dir, pcs] = [scratch(), await servePcs(good())];
    await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir });
    pcs.state.answer = () => ({ status: 500, headers: {}, body: "" });
    expect(await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir }, later(48))).toMatchObject({ status: "ok" });
    expect(await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir }, later(31 * 24))).toMatchObject({ status: "unavailable" });
    const offline = { pcsUrl: pcs.url, cacheDir: dir, offline: true };
    expect(await ask(tcb, offline, later(48))).toMatchObject({ status: "ok" });
    expect(await ask(tcb, offline, later(31 * 24))).toMatchObject({ status: "unavailable" });
  });
  test("does not cover up that the service says no", async () => {
    const [dir, pcs] = [scratch(), await servePcs(good())];
    await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir });
    pcs.state.answer = () => ({ status: 410, headers: {}, body: "" });
    expect(await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir }, later(25))).toMatchObject({ status: "refused" });
  });
  test.each([
    ["an earlier TCB info", tcb, older],
    ["an earlier PCK CRL", crl, older],
    ["a TCB info of today with a lower TCB evaluation data number", tcb, collateralAt(later(24), "tdx", 17)],
  ] as const)("%s does not displace the newer one, which is at hand", async (_, wanted, offered) => {
    const [dir, pcs] = [scratch(), await servePcs(good())];
    const options = { pcsUrl: pcs.url, cacheDir: dir };
    const first = await ask(wanted, options);
    pcs.state.answer = good(offered);
    const got = await ask(wanted, options, later(25));
    expect(bytesOf(got)).toBe(bytesOf(first));
    const response = pcsAnswer({ collateral: [offered] }, wanted.path);
    expect(got.status === "ok" && got.offered !== undefined && hexOf(got.offered)).toBe(hexOf(response.body));
    pcs.state.answer = good(collateralAt(later(26)));
    expect(bytesOf(await ask(wanted, options, later(27)))).not.toBe(bytesOf(first));
  });
  test("the document of another platform, or of another time, is handed on and not kept", async () => {
    const [dir, pcs] = [scratch(), await servePcs(good(collateralAt(later(-90 * 24))))];
    expect(await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir })).toMatchObject({ status: "ok" });
    pcs.state.answer = () => pcsAnswer({ collateral: [collateralAt(now, "sgx")] }, tcbInfoRequest("sgx", fmspc).path);
    expect(await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir })).toMatchObject({ status: "ok" });
    expect(filesIn(dir)).toEqual([]);
  });
  test.each([
    ["cut", (text: string) => text.slice(0, -10)],
    ["of another question", (text: string) => text.replace(fmspc, "000000000000")],
    ["of another version", (text: string) => text.replace('"version": 1', '"version": 2')],
    ["emptied", () => ""],
  ])("a file that is %s counts as absent", async (_, damage) => {
    const [dir, pcs] = [scratch(), await servePcs(good())];
    await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir });
    const [name = ""] = filesIn(dir).filter((n) => n.endsWith(".json"));
    writeFileSync(join(dir, name), damage(readFileSync(join(dir, name), "utf8")));
    await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir });
    expect(pcs.asked).toHaveLength(2);
  });
  test("a cache that cannot be written costs a notice", async () => {
    const [dir, pcs, notices] = [scratch(), await servePcs(good()), [] as string[]];
    writeFileSync(join(dir, "pcs"), "a file");
    chmodSync(dir, 0o700);
    const got = await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir, notice: (n) => notices.push(n) });
    expect(got.status).toBe("ok");
    expect(notices).toEqual([expect.stringContaining("cannot be written")]);
  });
  test("a mark is kept for each question", async () => {
    const dir = scratch();
    mkdirSync(dir, { recursive: true });
    await recordHighWater(dir, [{ issuer: markName(tcb), number: "18", thisUpdate: "2026-06-10T00:00:00Z" }]);
    const path = `/high-water/${encodeURIComponent(markName(tcb))}`;
    const got = await memoryFetcher(dir, () => now)(request("memory", path));
    expect(got.status === "ok" && JSON.parse(Buffer.from(got.bytes).toString())).toEqual({
      number: "18",
      thisUpdate: "2026-06-10T00:00:00Z",
    });
    expect(markName(tcbInfoRequest("tdx", fmspc, { update: "early" }))).not.toBe(markName(tcb));
  });
});

describe("a bundle", () => {
  test("keeps issuer chains, and a replay gives the same answers without a socket", async () => {
    const pcs = await servePcs(good());
    const wanted = [tcb, qe, crl, rootCrlRequest, tcbInfoRequest("tdx", "00a06d080000")];
    const exchanges = await Promise.all(
      wanted.map(async (r) => ({ request: r, response: await ask(r, { pcsUrl: pcs.url }) })),
    );
    const [a, b] = [join(scratch(), "a.tar"), join(scratch(), "b.tar")];
    const capturedAt = now.toISOString();
    expect(await writeBundle(a, { capturedAt, exchanges })).toBe(
      await writeBundle(b, { capturedAt, exchanges: exchanges.toReversed() }),
    );
    const count = pcs.asked.length;
    const bundle = await readBundle(a);
    const replay = replaySource(bundle);
    for (const { request: r, response } of exchanges) {
      const { contentType: _, ...again } = (await replay.fetch(r)) as { contentType?: string; bytes?: Uint8Array };
      const { contentType: __, ...before } = response as { contentType?: string };
      expect({ ...again, ...(again.bytes && { bytes: hexOf(again.bytes) }) }).toEqual({
        ...before,
        ...(response.status === "ok" && { bytes: hexOf(response.bytes) }),
      });
    }
    expect(pcs.asked).toHaveLength(count);
    expect(Buffer.from(readFileSync(a)).includes("issuerChain")).toBe(true);
    await refreshSource(bundle, liveSource({ pcsUrl: pcs.url, now: () => now })).fetch(tcb);
    expect(pcs.asked).toHaveLength(count + 1);
  });
  test("no header that a service adds gets into it", async () => {
    const canary = "canary-8d1f0e";
    const pcs = await servePcs(
      but((answer) => ({
        ...answer,
        headers: {
          ...answer.headers,
          "set-cookie": canary,
          authorization: canary,
          "request-id": canary,
          warning: canary,
        },
      })),
    );
    const dir = scratch();
    const exchanges = [{ request: tcb, response: await ask(tcb, { pcsUrl: pcs.url, cacheDir: dir }) }];
    expect(exchanges[0]?.response.status).toBe("ok");
    const target = join(scratch(), "b.tar");
    await writeBundle(target, { capturedAt: now.toISOString(), exchanges });
    expect(readFileSync(target).includes(canary)).toBe(false);
    for (const name of filesIn(dir).filter((n) => n.endsWith(".json")))
      expect(readFileSync(join(dir, name)).includes(canary)).toBe(false);
  });
});
