/** A replay repeats the judgement of the recorded bytes, and opens nothing. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { dayFrom, makeAmdCrl } from "../../fixtures/generator/amd.ts";
import { tampers } from "../../fixtures/generator/tamper.ts";
import type { Report } from "../../src/report/report.ts";
import { lastLine, openIds, startWorld } from "../attacks/world.ts";
import { spawnNode } from "../exit/spawn.ts";

const world = await startWorld();
const { deployment, server, live, pins, root } = world;
const bin = fileURLToPath(new URL("../../bin/run.js", import.meta.url));
const [folder, tar] = [join(world.folder, "saved"), join(world.folder, "saved.tar")];
const replay = (bundle: string, ...more: string[]) => [
  "verify",
  bundle,
  "--profile",
  "contrast",
  ...root,
  ...pins,
  ...more,
];
let first: Report;
beforeAll(async () => {
  const ran = await world.judged([...live, ...pins, "--save", folder]);
  expect(ran.status).toBe(0);
  first = ran.report;
});
afterEach(() => world.reset());

/** Members that say where the bytes came from; nothing else may differ between a run and its replay. */
const sourceFields = ["target", "freshness", "profileSha256"] as const;
function comparable(report: Report) {
  const { claims, verdictLine, ...rest } = report;
  const left = Object.fromEntries(Object.entries(rest).filter(([name]) => !sourceFields.some((s) => s === name)));
  return {
    ...left,
    verdictLine: verdictLine.replace(/ as recorded at \S+, time asserted by NOBODY$/, ""),
    claims: claims.filter((c) => c.id !== "contrast.nonce.fresh"),
  };
}
/** SHA-256 of all files below, by name. */
function filesOf(path: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((e) => e.isFile())
      .map((e) => join(e.parentPath, e.name))
      .map((file): [string, string] => [
        file.slice(path.length),
        createHash("sha256").update(readFileSync(file)).digest("hex"),
      ])
      .sort(),
  );
}

describe("the same judgement", () => {
  test("live and replay differ in the source fields, contrast.nonce.fresh and the freshness line, and in nothing else", async () => {
    const { report } = await world.judged(replay(folder));
    expect(comparable(report)).toEqual(comparable(first));
    expect(report.capturedAt).toBe(first.capturedAt);
    expect(report.bundleSha256).toBe(first.bundleSha256);
    const fresh = (r: Report) => r.claims.find((c) => c.id === "contrast.nonce.fresh");
    expect(fresh(first)).toMatchObject({ status: "pass", owed: true });
    expect(fresh(report)).toMatchObject({ status: "skip", owed: false });
    expect(report.freshness).not.toBe(first.freshness);
  });
  test.each(["debug", "otherRoot", "policySurplus", "historyHidden", "noChain", "insecureDocument"] as const)(
    "for the tampered service %s too",
    async (name) => {
      server.hooks.tamper = tampers[name].apply;
      const saved = join(world.folder, `tampered-${name}`);
      const ran = await world.judged([...live, ...pins, "--save", saved]);
      const again = await world.judged(replay(saved));
      expect(comparable(again.report)).toEqual(comparable(ran.report));
      expect([again.status, again.status === 0]).toEqual([ran.status, tampers[name].codes.length === 0]);
    },
  );
  test.each([
    ["a Coordinator that hangs up", "coordinator"],
    ["a key service that hangs up", "kds"],
  ])("failures are part of it: %s", async (_what, service) => {
    server.hooks.answer = (request) => (request.service === service ? null : undefined);
    server.hooks.tamper = tampers.noChain.apply;
    const saved = join(world.folder, `silent-${service}`);
    const ran = await world.judged([...live, ...pins, "--save", saved]);
    const again = await world.judged(replay(saved));
    expect([ran.status, again.status]).toEqual([4, 4]);
    expect(comparable(again.report)).toEqual(comparable(ran.report));
  });
  test("a folder and a tar name the same evidence", async () => {
    const saved = await world.judged(replay(folder, "--save", tar));
    const again = await world.judged(replay(tar));
    expect([saved.report.bundleSha256, again.report.bundleSha256]).toEqual([first.bundleSha256, first.bundleSha256]);
    expect({ ...again.report, target: "" }).toEqual({ ...saved.report, target: "" });
  });
  test("saving a replay gives the same bytes again", async () => {
    const copy = join(world.folder, "copy");
    await world.judged(replay(folder, "--save", copy));
    expect(filesOf(copy)).toEqual(filesOf(folder));
    const [one, two] = ["one.tar", "two.tar"].map((name) => join(world.folder, name));
    await world.judged(replay(folder, "--save", one ?? ""));
    await world.judged(replay(one ?? "", "--save", two ?? ""));
    expect(readFileSync(two ?? "").equals(readFileSync(one ?? ""))).toBe(true);
  });
  test("two replays print the same bytes, for people and for machines", async () => {
    for (const form of [[], ["--json"]]) {
      const [one, two] = [await world.pm(replay(folder, ...form)), await world.pm(replay(folder, ...form))];
      expect(two.stdout).toBe(one.stdout);
    }
  });
  test("capture, then judge: the same as judging at once", async () => {
    const captured = join(world.folder, "captured.tar");
    const ran = await world.pm(["capture", ...live.slice(1), "--save", captured, "--json"]);
    expect([ran.status, ran.stdout.includes("verified")]).toEqual([0, false]);
    const again = await world.judged(replay(captured));
    expect(again.status).toBe(0);
    expect(again.report.claims.map((c) => [c.id, c.status, c.owed])).toEqual(
      first.claims.map((c) => (c.id === "contrast.nonce.fresh" ? [c.id, "skip", false] : [c.id, c.status, c.owed])),
    );
  });
});

describe("another time, other collateral", () => {
  test("judged for a time after its certificates: failed, and the capture time stands beside it", async () => {
    const at = dayFrom(deployment.now, 40).toISOString();
    const ran = await world.judged(replay(folder, "--at", at));
    expect(ran.status).toBe(1);
    expect([Date.parse(ran.report.judgedAt), ran.report.capturedAt]).toEqual([Date.parse(at), first.capturedAt]);
    expect(openIds(ran)).toContain("snp.chain.revocation");
  });
  test("by default it is judged for the time of its capture, never for now", async () => {
    const { report } = await world.judged(replay(folder));
    expect(report.judgedAt).toBe(first.capturedAt);
  });
  test("--refresh-collateral asks the vendor, and nobody else", async () => {
    const args = ["--refresh-collateral", "--kds-url", server.kdsUrl, "--at", new Date().toISOString()];
    const before = server.requests.length;
    const good = await world.judged(replay(folder, ...args));
    const asked = server.requests.slice(before);
    expect([good.status, new Set(asked.map((r) => r.service))]).toEqual([0, new Set(["kds"])]);
    server.hooks.crl = makeAmdCrl(deployment.authority, { revoked: [deployment.authority.ask.serial] });
    const revoked = await world.judged(replay(folder, ...args));
    expect([revoked.status, revoked.claim("snp.chain.revocation").code]).toEqual([1, "revoked"]);
    expect((await world.judged(replay(folder))).status).toBe(0);
  });
  test("--refresh-collateral needs a time, and is for bundles", async () => {
    expect((await world.pm(replay(folder, "--refresh-collateral"))).status).toBe(2);
    expect((await world.pm([...live, ...pins, "--refresh-collateral", "--at", "1790000000"])).status).toBe(2);
  });
  test("collateral that the auditor holds goes before the bundle's", async () => {
    const revoking = makeAmdCrl(deployment.authority, { revoked: [deployment.authority.ask.serial] });
    const path = world.write("revoking.crl", revoking);
    const ran = await world.judged(replay(folder, "--collateral", path));
    expect([ran.status, ran.claim("snp.chain.revocation").code]).toEqual([1, "revoked"]);
  });
});

describe("a run with a revocation list that the auditor holds", () => {
  const held = world.write("held.crl", makeAmdCrl(deployment.authority));
  const saved = join(world.folder, "held");
  let ran: Awaited<ReturnType<typeof world.judged>>;
  beforeAll(async () => {
    ran = await world.judged([...live, ...pins, "--collateral", held, "--save", saved]);
  });
  test("owes no roll-back claim, and is the same in a replay with that list", async () => {
    expect([ran.status, ran.claim("chain.collateral.not_rolled_back").status]).toEqual([0, "skip"]);
    const again = await world.judged(replay(saved, "--collateral", held));
    expect(again.status).toBe(0);
    expect(comparable(again.report)).toEqual(comparable(ran.report));
  });
  test("can be judged without the list: it is then the capturer's, and held against the recorded marks", async () => {
    const again = await world.judged(replay(saved));
    expect([again.status, again.claim("chain.collateral.not_rolled_back").status]).toEqual([0, "pass"]);
  });
});

describe("no socket is opened", () => {
  /** Whatever opens one, or starts a program, throws and leaves a trace that no catch can hide. */
  const guard = world.write(
    "guard.mjs",
    `import { appendFileSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
const require = createRequire(import.meta.url);
const log = process.env.GUARD_LOG;
const names = {
  "node:net": ["connect", "createConnection", "createServer"],
  "node:tls": ["connect", "createServer", "TLSSocket"],
  "node:dgram": ["createSocket", "Socket"],
  "node:dns": ["lookup", "resolve", "resolve4", "resolve6", "Resolver"],
  "node:http": ["request", "get", "createServer"],
  "node:https": ["request", "get", "createServer"],
  "node:http2": ["connect", "createServer"],
  "node:child_process": ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"],
  "node:worker_threads": ["Worker"],
};
for (const [module, members] of Object.entries(names)) {
  const loaded = require(module);
  for (const member of members)
    loaded[member] = function () {
      appendFileSync(log, module + " " + member + "\\n");
      throw new Error("opened: " + module + " " + member);
    };
}
// The standard streams are sockets too, so only connecting is an offence.
require("node:net").Socket.prototype.connect = () => { appendFileSync(log, "connect\\n"); throw new Error("opened: connect"); };
globalThis.fetch = globalThis.WebSocket = () => { appendFileSync(log, "fetch\\n"); throw new Error("opened"); };
syncBuiltinESMExports();
`,
  );
  const guarded = async (name: string, args: readonly string[]) => {
    const log = world.write(`${name}.log`, "");
    const node = ["--import", pathToFileURL(guard).href, bin, ...args];
    const ran = await spawnNode(node, { env: { ...world.home(name), GUARD_LOG: log } });
    return { ...ran, opened: readFileSync(log, "utf8") };
  };
  test("the guard catches a live run, so that it would catch a replay", async () => {
    const ran = await guarded("live", [...live, ...pins]);
    expect(ran.opened).toContain("node:http request");
    expect(ran.status).not.toBe(0);
  });
  test.each([
    ["verify of a bundle", () => replay(folder), 0],
    [
      "with --offline, --save, --journal and --json",
      () =>
        replay(
          folder,
          "--offline",
          "--save",
          join(world.folder, "g.tar"),
          "--journal",
          join(world.folder, "g.log"),
          "--json",
        ),
      0,
    ],
    ["a live run with --offline", () => [...live, ...pins, "--offline"], 4],
    ["coordinator attest with --offline", () => ["coordinator", "attest", server.url, "--offline", ...root], 4],
    [
      "capture with --offline",
      () => ["capture", ...live.slice(1), "--offline", "--save", join(world.folder, "off")],
      4,
    ],
    ["inspect", () => ["inspect", world.file("manifest.json")], 0],
    ["manifest check", () => ["manifest", "check", world.file("manifest.json")], 0],
    ["explain", () => ["explain", "crl-rollback"], 0],
    ["help", () => ["--help"], 0],
  ] as const)("%s", async (what, args, status) => {
    const ran = await guarded(what.replaceAll(/\W/g, "-"), args());
    expect([ran.status, ran.opened], ran.stderr).toEqual([status, ""]);
  });

  const flags = ["-rn", "-n"].find((f) => spawnSync("unshare", [f, "true"]).status === 0);
  if (flags === undefined) process.stderr.write("notice: unshare -n is not permitted here; that test is skipped\n");
  test.skipIf(flags === undefined)("the whole command line without any network (unshare -n)", async () => {
    const isolated = (args: readonly string[]) =>
      spawnNode([flags ?? "", process.execPath, bin, ...args], { command: "unshare", env: world.home("unshared") });
    const ran = await isolated(replay(folder));
    expect([ran.status, lastLine(ran)]).toEqual([0, expect.stringContaining("as recorded at")]);
    expect((await isolated([...live, ...pins])).status).toBe(4);
  });
});

describe("what a bundle keeps", () => {
  test("a live run with a third party's nonce and one with a beacon", async () => {
    const nonce = createHash("sha256").update("third party").digest("hex");
    const given = join(world.folder, "given");
    const ran = await world.judged([...live, ...pins, "--nonce", nonce, "--save", given]);
    expect([ran.status, ran.claim("contrast.nonce.fresh").expected?.value]).toEqual([0, nonce]);
    const beacon = join(world.folder, "beacon");
    expect((await world.judged([...live, ...pins, "--beacon", "round 4711", "--save", beacon])).status).toBe(0);
    expect((await world.judged(replay(beacon, "--beacon", "round 4711"))).claim("chain.nonce.beacon").status).toBe(
      "pass",
    );
    const other = await world.judged(replay(beacon, "--beacon", "round 4712"));
    expect([other.status, openIds(other)]).toEqual([1, ["chain.nonce.beacon"]]);
    const none = await world.judged(replay(folder, "--beacon", "round 4711"));
    expect([none.status, openIds(none)]).toEqual([3, ["chain.nonce.beacon"]]);
  });
  test("the journal links both runs, and a changed line is noticed", async () => {
    const journal = join(world.folder, "journal.jsonl");
    for (let i = 0; i < 2; i++) expect((await world.pm(replay(folder, "--journal", journal))).status).toBe(0);
    const [one = "", two = ""] = readFileSync(journal, "utf8").split("\n");
    expect((JSON.parse(two) as { previous: string }).previous).toBe(createHash("sha256").update(one).digest("hex"));
    writeFileSync(journal, `${one.replace("verified", "failed  ")}\n${two}\n`);
    expect((await world.pm(replay(folder, "--journal", journal))).status).toBe(2);
  });
});
