import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeKdsPath } from "../../src/sources/kds-path.ts";
import { type LiveOptions, liveSource } from "../../src/sources/source.ts";
import {
  bytesOf,
  chain,
  chainPath,
  chipId,
  crlPath,
  hexOf,
  makeCrl,
  request,
  scratch,
  serve,
  textOf,
  vcek,
  vcekPath,
} from "./world.ts";

const now = new Date("2026-06-10T12:00:00Z");
const hour = 3600 * 1000;
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * hour);
const vcekFile = `vcek/Genoa/${chipId}/bl10-tee0-snp28-ucode88.der`;

const ask = (path: string, options: Omit<LiveOptions, "now">, at = now) =>
  liveSource({ now: () => at, timeoutMs: 2000, ...options }).fetch(request("amd-kds", path));
function put(dir: string, name: string, bytes: Uint8Array | string, at = now): void {
  mkdirSync(dirname(join(dir, name)), { recursive: true });
  writeFileSync(join(dir, name), bytes);
  utimesSync(join(dir, name), at, at);
}
const filesIn = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();

describe("paths of the key distribution service", () => {
  test("a TCB is the same whether its parts are padded or not, in any order", () => {
    const item = { kind: "vcek", line: "Genoa", hwid: chipId, tcb: "bl10-tee0-snp28-ucode88" };
    expect(decodeKdsPath(vcekPath)).toEqual(item);
    expect(decodeKdsPath(`/vcek/v1/Genoa/${chipId.toUpperCase()}?teeSPL=00&blSPL=10&ucodeSPL=88&snpSPL=28`)).toEqual(
      item,
    );
  });
  test("Turin has eight bytes of chip id and an FMC part", () => {
    const path = "/vcek/v1/Turin/0011223344556677?fmcSPL=1&blSPL=1&teeSPL=1&snpSPL=4&ucodeSPL=81";
    expect(decodeKdsPath(path)).toMatchObject({ hwid: "0011223344556677", tcb: "fmc1-bl1-tee1-snp4-ucode81" });
  });
  test.each([
    "/vcek/v1/Genoa/../../../etc/passwd",
    "/vcek/v1/../crl",
    "/vcek/v1/Genoa/crl?x=1",
    "/vcek/v2/Genoa/crl",
    `/vlek/v1/Genoa/${chipId}?blSPL=10&teeSPL=0&snpSPL=28&ucodeSPL=88`,
    `/vcek/v1/Genoa/${chipId}?blSPL=10&teeSPL=0&snpSPL=28`,
    `/vcek/v1/Genoa/${chipId}?blSPL=10&blSPL=11&teeSPL=0&snpSPL=28&ucodeSPL=88`,
    `/vcek/v1/Genoa/${chipId}?blSPL=256&teeSPL=0&snpSPL=28&ucodeSPL=88`,
    `/vcek/v1/Genoa/${chipId}?blSPL=1&teeSPL=0&snpSPL=28&ucodeSPL=88&constructor=1`,
    `/vcek/v1/Genoa/${chipId.slice(2)}?blSPL=10&teeSPL=0&snpSPL=28&ucodeSPL=88`,
  ])("%s is none of them, and nobody is asked", async (path) => {
    expect(decodeKdsPath(path)).toBeUndefined();
    const kds = await serve();
    expect(await ask(path, { kdsUrl: kds.url })).toMatchObject({ status: "refused" });
    expect(kds.asked).toEqual([]);
  });
});

describe("the cache", () => {
  test("a VCEK and a chain are asked for once, and kept under readable names for their owner only", async () => {
    const [dir, kds] = [join(scratch(), "deep", "er"), await serve({ [vcekPath]: vcek, [chainPath]: chain })];
    for (let i = 0; i < 2; i++) {
      expect(bytesOf(await ask(vcekPath, { kdsUrl: kds.url, cacheDir: dir }))).toBe(hexOf(vcek));
      expect(bytesOf(await ask(chainPath, { kdsUrl: kds.url, cacheDir: dir }))).toBe(hexOf(chain));
    }
    expect(kds.asked.map((a) => a.path)).toEqual([vcekPath, chainPath]);
    expect(filesIn(dir)).toEqual([vcekFile, "vcek/Genoa/cert_chain.pem"]);
    expect(statSync(join(dir, vcekFile)).mode & 0o777).toBe(0o600);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, "vcek", "Genoa", chipId)).mode & 0o777).toBe(0o700);
  });

  test("without a folder nothing is kept", async () => {
    const kds = await serve({ [vcekPath]: vcek });
    await ask(vcekPath, { kdsUrl: kds.url });
    await ask(vcekPath, { kdsUrl: kds.url });
    expect(kds.asked).toHaveLength(2);
  });

  test.each([
    ["an HTML page", "<html>sign in</html>"],
    ["an empty body", ""],
    ["a certificate with a byte more", new Uint8Array([...vcek, 0])],
  ])("%s is never kept as a certificate", async (_, body) => {
    const [dir, kds] = [scratch(), await serve({ [vcekPath]: body, [crlPath]: body, [chainPath]: body })];
    for (const path of [vcekPath, crlPath, chainPath])
      expect(await ask(path, { kdsUrl: kds.url, cacheDir: dir })).toMatchObject({
        status: "refused",
        reason: expect.stringContaining("something that is not a"),
      });
    expect(filesIn(dir)).toEqual([]);
  });

  test("an error status is never kept either, and its reason says what to look at", async () => {
    const [dir, kds] = [scratch(), await serve({ [vcekPath]: 404, [crlPath]: 503 })];
    expect(textOf(await ask(vcekPath, { kdsUrl: kds.url, cacheDir: dir }))).toContain(
      "wrong product line, chip id or TCB",
    );
    expect(await ask(crlPath, { kdsUrl: kds.url, cacheDir: dir })).toMatchObject({ status: "unavailable" });
    expect(filesIn(dir)).toEqual([]);
  });

  test("a damaged, cut or oversized file counts as absent and is replaced", async () => {
    for (const damaged of [vcek.slice(0, 100), "", new Uint8Array(100_000)]) {
      const [dir, kds] = [scratch(), await serve({ [vcekPath]: vcek })];
      put(dir, vcekFile, damaged);
      expect(bytesOf(await ask(vcekPath, { kdsUrl: kds.url, cacheDir: dir }))).toBe(hexOf(vcek));
      expect(hexOf(readFileSync(join(dir, vcekFile)))).toBe(hexOf(vcek));
    }
  });

  test("a folder that cannot be written costs a notice, not the run", async () => {
    const [dir, kds] = [scratch(), await serve({ [vcekPath]: vcek })];
    writeFileSync(join(dir, "file"), "");
    const notices: string[] = [];
    const got = await ask(vcekPath, { kdsUrl: kds.url, cacheDir: join(dir, "file"), notice: (n) => notices.push(n) });
    expect(got.status).toBe("ok");
    expect(notices).toEqual(["the collateral cache cannot be written (ENOTDIR)"]);
  });

  test("twenty runs at once leave one whole file and nothing beside it", async () => {
    const [dir, kds] = [scratch(), await serve({ [vcekPath]: vcek })];
    const all = await Promise.all(Array.from({ length: 20 }, () => ask(vcekPath, { kdsUrl: kds.url, cacheDir: dir })));
    expect(all.map(bytesOf)).toEqual(Array.from({ length: 20 }, () => hexOf(vcek)));
    expect(filesIn(dir)).toEqual([vcekFile]);
  });
});

describe("CRLs", () => {
  const old = makeCrl("2026-06-01T00:00:00Z", 5);
  const recent = makeCrl("2026-06-09T00:00:00Z", 6);
  const file = "vcek/Genoa/crl.der";
  const withCached = async (cached: Uint8Array, fetchedAt: Date, live: Uint8Array | string | number | undefined) => {
    const [dir, kds] = [scratch(), await serve(live === undefined ? {} : { [crlPath]: live })];
    put(dir, file, cached, fetchedAt);
    const got = await ask(crlPath, { kdsUrl: kds.url, cacheDir: dir });
    return { got, asked: kds.asked.length, kept: hexOf(readFileSync(join(dir, file))) };
  };

  test("one fetched within 24 h is used without asking", async () => {
    const { got, asked } = await withCached(old, hoursAgo(23.9), recent);
    expect([bytesOf(got), asked]).toEqual([hexOf(old), 0]);
    expect(got).toMatchObject({ at: hoursAgo(23.9).toISOString() });
  });
  test.each([
    ["older than 24 h", hoursAgo(24.1)],
    ["of the future", hoursAgo(-1)],
  ])("one %s is asked for again, and the newer one is used and kept", async (_, at) => {
    const { got, asked, kept } = await withCached(old, at, recent);
    expect([bytesOf(got), asked, kept]).toEqual([hexOf(recent), 1, hexOf(recent)]);
    expect(got).not.toHaveProperty("offered");
  });
  test("one past its nextUpdate is asked for again however fresh it is", async () => {
    const expired = makeCrl("2026-05-01T00:00:00Z", 4, "ARK-Genoa", "2026-06-10T11:00:00Z");
    const { got, asked } = await withCached(expired, hoursAgo(2), recent);
    expect([bytesOf(got), asked]).toEqual([hexOf(recent), 1]);
  });
  test("an older one that the service offers does not displace the newer, and is shown as offered", async () => {
    const { got, kept } = await withCached(recent, hoursAgo(30), old);
    expect([bytesOf(got), kept]).toEqual([hexOf(recent), hexOf(recent)]);
    expect(got).toMatchObject({ offered: new Uint8Array(old), at: hoursAgo(30).toISOString() });
  });
  test("of two with the same date the higher number is newer", async () => {
    const higher = makeCrl("2026-06-01T00:00:00Z", 6);
    expect(bytesOf((await withCached(higher, hoursAgo(30), old)).got)).toBe(hexOf(higher));
    expect(bytesOf((await withCached(old, hoursAgo(30), higher)).got)).toBe(hexOf(higher));
  });
  test("one of another issuer in the cache does not stand against the service's", async () => {
    const foreign = makeCrl("2026-06-09T00:00:00Z", 99, "ARK-Milan");
    expect(bytesOf((await withCached(foreign, hoursAgo(30), old)).got)).toBe(hexOf(old));
  });
  test.each([
    ["no answer", 503],
    ["a refusal", 404],
    ["an error page", "<html>"],
  ])("the stale one stays where the service gives %s", async (_, live) => {
    const { got, asked, kept } = await withCached(old, hoursAgo(2000), live);
    expect([bytesOf(got), asked, kept]).toEqual([hexOf(old), 1, hexOf(old)]);
  });
});

describe("--offline", () => {
  test("answers from the cache whatever its age, and opens no socket", async () => {
    const [dir, kds] = [scratch(), await serve({ [vcekPath]: vcek })];
    const crl = makeCrl("2026-01-01T00:00:00Z", 1);
    put(dir, "vcek/Genoa/crl.der", crl, hoursAgo(5000));
    expect(bytesOf(await ask(crlPath, { kdsUrl: kds.url, cacheDir: dir, offline: true }))).toBe(hexOf(crl));
    expect(await ask(vcekPath, { kdsUrl: kds.url, cacheDir: dir, offline: true })).toEqual({
      status: "unavailable",
      reason: "offline: AMD's key distribution service was not asked",
    });
    expect(kds.asked).toEqual([]);
  });
});

describe("the URL", () => {
  test.each([
    "http://kds.example",
    "ftp://127.0.0.1/",
    "https://user:canary@kds.example",
    "https://kds.example/?key=canary",
    "not a url canary",
  ])("%s is refused without being repeated", (kdsUrl) => {
    expect(() => liveSource({ kdsUrl })).toThrow(expect.objectContaining({ code: "PM_USAGE" }));
    expect(() => liveSource({ kdsUrl })).not.toThrow(/canary/);
  });
  test("a mirror's path stays in front", async () => {
    const kds = await serve({ [`/mirror${chainPath}`]: chain });
    expect((await ask(chainPath, { kdsUrl: `${kds.url}/mirror/` })).status).toBe("ok");
  });
});
