/** A recorded bundle as the audited party's means: what it may say, and what is never taken from it. */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { dayFrom, makeAmdCrl } from "../../fixtures/generator/amd.ts";
import { encodeIndex, type Index } from "../../src/sources/bundle-index.ts";
import { openIds, startWorld } from "./world.ts";

const world = await startWorld();
const { deployment, root, pins } = world;
const now = deployment.now;
const original = join(world.folder, "bundle");
const replay = (bundle: string, ...more: string[]) => [
  "verify",
  bundle,
  "--profile",
  "contrast",
  ...root,
  ...pins,
  ...more,
];
const iso = (days: number): string => dayFrom(now, days).toISOString();

beforeAll(async () => {
  // No list attached: the bundle's one comes from the vendor's service, and is easy to replace.
  const ran = await world.judged([...world.live, ...pins, "--save", original]);
  expect(ran.report.verdictLine).toBe("TEST ROOT verified (live)");
});
afterEach(() => world.reset());

let copies = 0;
/** A copy with another index and further blobs; everything else stays well-formed. */
function forged(
  change: (index: Index, blob: (bytes: Uint8Array) => { sha256: string; size: number }) => Index,
): string {
  const folder = join(world.folder, `forged-${copies++}`);
  cpSync(original, folder, { recursive: true });
  const blob = (bytes: Uint8Array) => {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(folder, "blobs", "sha256", sha256), bytes);
    return { sha256, size: bytes.length };
  };
  const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as Index;
  writeFileSync(join(folder, "index.json"), encodeIndex(change(index, blob)));
  return folder;
}
const withTime = (capturedAt: string): string => forged((index) => ({ ...index, capturedAt }));
const blobOf = (service: string, path: RegExp): Uint8Array => {
  const index = JSON.parse(readFileSync(join(original, "index.json"), "utf8")) as Index;
  const entry = index.entries.find((e) => e.service === service && path.test(e.path));
  if (entry?.status !== "ok") throw new Error(`no ${service} ${path}`);
  return readFileSync(join(original, "blobs", "sha256", entry.sha256));
};
/** The same blob replaced in the index; the old one is taken out of the folder. */
function withAnswer(service: string, path: RegExp, bytes: Uint8Array): string {
  const old = createHash("sha256").update(blobOf(service, path)).digest("hex");
  const folder = forged((index, blob) => ({
    ...index,
    entries: index.entries.map((e) =>
      e.service === service && path.test(e.path) && e.status === "ok" ? { ...e, ...blob(bytes) } : e,
    ),
  }));
  const index = readFileSync(join(folder, "index.json"), "utf8");
  if (!index.includes(old)) writeFileSync(join(folder, "blobs", "sha256", old), "", { flag: "w" });
  return index.includes(old) ? folder : without(folder, old);
}
function without(folder: string, digest: string): string {
  const clean = `${folder}-clean`;
  cpSync(folder, clean, { recursive: true, filter: (from) => !from.endsWith(digest) });
  return clean;
}

test("the honest old bundle is verified, as recorded, time asserted by nobody", async () => {
  const { status, report } = await world.judged(replay(original));
  expect(status).toBe(0);
  expect(report.verdictLine).toMatch(/^TEST ROOT verified \(live\) as recorded at \S+, time asserted by NOBODY$/);
  expect(report.freshness).toContain("this run drew no nonce");
});
test("--require-fresh: no recorded answer is enough", async () => {
  const ran = await world.judged(replay(original, "--require-fresh"));
  expect([ran.status, openIds(ran)]).toEqual([3, ["contrast.nonce.fresh"]]);
});

describe("an invented time", () => {
  test.each([
    ["before the list", iso(-10), 1],
    ["after the list", iso(40), 1],
    ["before the VEK", iso(-200), 1],
    ["before the root", iso(-10 * 365), 1],
    ["tomorrow", iso(1.5), 1],
  ])("%s", async (_what, capturedAt, status) => {
    const ran = await world.judged(replay(withTime(capturedAt)));
    expect(ran.status).toBe(status);
    expect(ran.claim("chain.capture.time")).toMatchObject({ status: "fail", code: "capture-time", owed: true });
  });
  test.each([
    ["before the list", iso(-10)],
    ["tomorrow", iso(1.5)],
  ])("%s, and --at says the honest time", async (_what, capturedAt) => {
    const ran = await world.judged(replay(withTime(capturedAt), "--at", new Date().toISOString()));
    expect([ran.status, openIds(ran)]).toEqual([1, ["chain.capture.time"]]);
  });
  test("an old report with an old list, which were good together, under the time of today", async () => {
    const old = makeAmdCrl(deployment.authority, { thisUpdate: -60, nextUpdate: -30 });
    world.server.hooks.tamper = (draft) => ({ ...draft, chain: { ...draft.chain, crl: old } });
    world.server.hooks.crl = old;
    const saved = join(world.folder, "old");
    const then = await world.judged([...world.live, ...pins, "--save", saved]);
    expect(then.claim("snp.chain.revocation")).toMatchObject({ status: "fail", code: "crl-expired" });
    const ran = await world.judged(replay(saved, "--at", iso(-40)));
    expect([ran.status, ran.claim("snp.chain.revocation").status]).toEqual([1, "pass"]);
    expect(ran.claim("chain.capture.time")).toMatchObject({ status: "fail", code: "capture-time" });
  });
  test("--refresh-collateral does not make good a time outside the certificates", async () => {
    const args = ["--refresh-collateral", "--kds-url", world.server.kdsUrl, "--at", new Date().toISOString()];
    const ran = await world.judged(replay(withTime(iso(-200)), ...args));
    expect([ran.status, openIds(ran)]).toEqual([1, ["chain.capture.time"]]);
  });
});

describe("authority inside a bundle", () => {
  test.each([
    "pm.yaml",
    "profile.yaml",
    "ark.pem",
    "manifest.json",
    "waivers.json",
    "blobs/index.json",
    "blobs/sha256/pm.yaml",
  ])("%s beside the index: refused, nothing is read from it", async (name) => {
    const folder = forged((index) => index);
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), "version: 1\nservice: contrast\n");
    const ran = await world.pm([...replay(folder), "--json"]);
    expect(ran.status).toBe(1);
    expect(ran.stdout).toContain("does not belong there");
  });
  test.each(["profile", "owed", "waivers", "roots", "verdict", "__proto__"])("member %s of the index", async (name) => {
    const folder = forged((index) => index);
    const path = join(folder, "index.json");
    writeFileSync(path, readFileSync(path, "utf8").replace("{\n", `{\n  ${JSON.stringify(name)}: {},\n`));
    const ran = await world.pm([...replay(folder), "--json"]);
    expect([ran.status, JSON.parse(ran.stdout)]).toMatchObject([1, { error: { code: "PM_EVIDENCE_MALFORMED" } }]);
  });
  test("a bundle without the auditor's profile is not judged at all", async () => {
    const ran = await world.pm(["verify", original]);
    expect([ran.status, ran.stderr]).toEqual([2, expect.stringContaining("--profile")]);
  });
  test("the folder's own profile is used only when the auditor names it, and its hash is in the report", async () => {
    const lax = world.write("lax.yaml", "version: 1\nservice: contrast\n");
    const { report } = await world.judged(["verify", original, "--profile", lax, ...root]);
    expect(report.profileSha256).toBe(createHash("sha256").update(readFileSync(lax)).digest("hex"));
    expect(report.exitCode).toBe(3);
  });
  test("without the test root on the command line, the recorded one is nobody's", async () => {
    const ran = await world.judged(["verify", original, "--profile", "contrast", ...pins]);
    expect(ran.status).toBe(1);
    expect(ran.claim("snp.vek.chain")).toMatchObject({ status: "fail", code: "chain-root" });
  });
});

describe("answers moved about inside a bundle", () => {
  test("the recorded nonce is another than the one that was asked with", async () => {
    const other = Buffer.from(`${JSON.stringify({ nonce: "11".repeat(32) })}\n`);
    const ran = await world.judged(replay(withAnswer("run", /nonce/, other)));
    expect(ran.status).not.toBe(0);
    expect(ran.claim("contrast.nonce.bound").status).not.toBe("pass");
  });
  test("nonce and question are both changed: the report answers neither", async () => {
    const nonce = Buffer.alloc(32, 0x11);
    const folder = withAnswer("run", /nonce/, Buffer.from(`${JSON.stringify({ nonce: nonce.toString("hex") })}\n`));
    const path = join(folder, "index.json");
    const index = JSON.parse(readFileSync(path, "utf8")) as Index;
    const entries = index.entries.map((e) =>
      e.service === "coordinator" ? { ...e, post: JSON.stringify({ nonce: nonce.toString("base64") }) } : e,
    );
    writeFileSync(path, encodeIndex({ ...index, entries }));
    const ran = await world.judged(replay(folder));
    expect(ran.status).toBe(1);
    expect(ran.claim("contrast.nonce.bound")).toMatchObject({ status: "fail", code: "history-hidden" });
  });
  test.each([
    ["no nonce", "null"],
    ["a nonce of 31 bytes", JSON.stringify({ nonce: "11".repeat(31) })],
    ["two nonces", `{"nonce":"${"11".repeat(32)}","nonce":"${"22".repeat(32)}"}`],
    ["no JSON", "nonce"],
  ])("the nonce record holds %s", async (_what, text) => {
    const ran = await world.pm([...replay(withAnswer("run", /nonce/, Buffer.from(text))), "--json"]);
    expect(ran.status).not.toBe(0);
    expect(ran.status).not.toBe(70);
  });
  test.each(["coordinator", "run", "amd-kds", "memory"])("every answer of %s left out", async (service) => {
    const folder = forged((index) => ({ ...index, entries: index.entries.filter((e) => e.service !== service) }));
    const index = readFileSync(join(folder, "index.json"), "utf8");
    let clean = folder;
    for (const name of new Set(readFileSync(join(original, "index.json"), "utf8").match(/[0-9a-f]{64}/g)))
      if (!index.includes(name)) clean = without(clean, name);
    const ran = await world.judged(replay(clean));
    // The Coordinator attaches certificates and list itself, so the vendor's service may be silent.
    if (service === "amd-kds") expect(ran.claim("chain.collateral.not_rolled_back").status).toBe("pass");
    else expect(ran.status).not.toBe(0);
  });
  test("the list replaced by one that somebody else signed", async () => {
    const rogue = makeAmdCrl(deployment.rogue);
    world.server.hooks.tamper = (draft) => ({ ...draft, chain: { ...draft.chain, crl: undefined } });
    world.server.hooks.crl = rogue;
    const ran = await world.judged([...world.live, ...pins]);
    expect(ran.status).toBe(1);
    expect(ran.claim("snp.chain.revocation")).toMatchObject({ status: "fail", code: "crl-signature" });
  });
  test("a high-water mark inside the bundle that cannot be read is no mark that passed", async () => {
    const ran = await world.judged(replay(withAnswer("memory", /high-water/, Buffer.from('{"thisUpdate":"soon"}'))));
    expect([ran.status, openIds(ran)]).toEqual([3, ["chain.collateral.not_rolled_back"]]);
  });
});
