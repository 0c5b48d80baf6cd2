/** `pm manifest generate` with a stand-in for the Contrast CLI: one defect a case, and the one claim that names it. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { type Ran, reportOf } from "../command.ts";
import {
  command,
  deploymentText,
  editing,
  editsText,
  folder,
  followed,
  type GenerateQuestion,
  generate,
  goodManifest,
  keyHex,
  keyPem,
  preceded,
  privatePem,
  removeGenerated,
  sha256,
  standIn,
} from "./generate-world.ts";

afterAll(removeGenerated);

const claim = (ran: Ran, name: string) => reportOf(ran).claims.find((c) => c.id === `contrast.generate.${name}`);
const facts = (ran: Ran) => reportOf(ran).evidence["manifest recomputed"] as Record<string, unknown>;
/** Owed claims that did not pass, with status and code. */
const open = (ran: Ran): string[] =>
  reportOf(ran)
    .claims.filter((c) => c.owed && c.status !== "pass")
    .map((c) => `${c.id.replace("contrast.generate.", "")} ${c.status} ${c.code ?? "-"}`);
const quoted = (text: string): string => JSON.stringify(text);

describe("a manifest made anew", () => {
  test("is verified with the CLI's digest, the edits' values and the seed share key", async () => {
    const ran = await generate({ expected: await goodManifest() });
    expect(open(ran)).toEqual([]);
    expect(ran.status).toBe(0);
    expect(reportOf(ran).verdictLine).toBe("verified (manifest recomputed)");
  });
  test("is written, and its digests and the command line are recorded", async () => {
    const f = folder();
    const file = join(f.path, "out.json");
    const ran = await generate({ in: f, args: ["--save", file] });
    const bytes = readFileSync(file);
    expect(facts(ran)).toMatchObject({
      cli: { sha256: sha256(standIn), run: true, version: "v1.20.0" },
      commandLine:
        "contrast generate --disable-updates --reference-values metal-qemu-snp-gpu --add-seedshare-owner-key supplied-seedshare-owner.pem deployment.yaml",
      layersCache: { before: "absent", sha256After: sha256("[]\n") },
      settingsSha256: sha256('{"common":{}}\n'),
      rulesSha256: sha256("package agent_policy\n"),
      deployment: { sha256: sha256(deploymentText) },
      manifest: { sha256: sha256(bytes), bytes: bytes.length },
      writtenTo: file,
    });
    expect(ran.stderr).toContain(`manifest written to ${file}`);
    expect(reportOf(ran).notProven.join()).toContain("ever run against: none yet");
  });
  test("has Privatemode's names, one reference value a TEE, 64-bit numbers whole, and no owner key", async () => {
    const text = Buffer.from(await goodManifest()).toString("utf8");
    const manifest = JSON.parse(text);
    const sans = Object.values(manifest.Policies as Record<string, { SANs: string[] }>).map((p) => p.SANs);
    expect(sans).toContainEqual(["coordinator", "*"]);
    expect(sans).toContainEqual(["continuum-etcd-client", "workload-one", "*"]);
    expect(sans.find((s) => s[0] === "root")).toContain("347e1b.secret.privatemode.ai");
    expect(manifest.ReferenceValues.snp).toMatchObject([{ ProductName: "Genoa", CPUs: 1 }]);
    expect(text).toContain('"MinimumMitigationVector": 18446744073709551615');
    expect(Object.keys(manifest)).toEqual(["Policies", "ReferenceValues", "SeedshareOwnerPubKeys"]);
    expect(manifest.SeedshareOwnerPubKeys).toEqual([keyHex]);
    expect(text.endsWith("}\n")).toBe(true);
  });
  test("keeps the CLI's bytes where the service makes no edit", async () => {
    const f = folder();
    const file = join(f.path, "out.json");
    const odd = standIn.replace(/`\$\{JSON.stringify\(manifest, null, 2\)\}\\n`/, "JSON.stringify(manifest)");
    const args = ["--save", file, "--reference-values", "metal-qemu-snp"];
    const ran = await generate({ in: f, cli: odd, service: "contrast", edits: null, args });
    expect(ran.status).toBe(0);
    expect(facts(ran)).toMatchObject({ generatedManifestSha256: sha256(readFileSync(file)), edits: [] });
    expect(readFileSync(file, "utf8")).not.toContain("\n");
  });
  test("comes from the contrast on PATH when none is named", async () => {
    const ran = await generate({ onPath: true });
    expect(open(ran)).toEqual([]);
    expect(claim(ran, "cli_known")?.actual?.value).toBe(sha256(standIn));
  });
  test("has the same report on each run", async () => {
    const f = folder();
    const [a, b] = [await generate({ in: f }), await generate({ in: f })];
    expect(a.status).toBe(0);
    expect(b.stdout).toBe(a.stdout);
  });
});

describe("the CLI's digest", () => {
  const marks = (f: { path: string }): string => join(f.path, "was-run");
  const marking = (f: { path: string }): string =>
    preceded(`require("node:fs").writeFileSync(${quoted(marks(f))}, "");`);

  test("that differs fails, and the CLI is not run", async () => {
    const f = folder();
    const ran = await generate({ in: f, cli: marking, cliSha256: "ab".repeat(32) });
    expect(open(ran)[0]).toBe("cli_known fail cli-differs");
    expect(ran.status).toBe(1);
    expect(existsSync(marks(f))).toBe(false);
    expect(claim(ran, "ran")).toMatchObject({
      status: "skip",
      reason: "not asked: contrast.generate.cli_known is fail",
    });
    expect(facts(ran)).toMatchObject({ cli: { run: false }, manifest: null });
  });
  test("that nobody names is an error, whatever the CLI made", async () => {
    const f = folder();
    const ran = await generate({ in: f, cli: marking, cliSha256: null });
    expect(open(ran)).toEqual(["cli_known error cli-unknown"]);
    expect(ran.status).toBe(3);
    expect(existsSync(marks(f))).toBe(true);
  });
  test("is of the copy that is run: a CLI that replaces the named file changes nothing", async () => {
    const f = folder();
    const swap = (g: { path: string }) =>
      preceded(`require("node:fs").writeFileSync(${quoted(join(g.path, "contrast"))}, "x");`);
    const ran = await generate({ in: f, cli: swap });
    expect(open(ran)).toEqual([]);
    expect(readFileSync(join(f.path, "contrast"), "utf8")).toBe("x");
  });
});

const early = (code: string): string => preceded(`if (process.argv[2] === "-v") { ${code} }`);
const late = (code: string): string => preceded(`if (process.argv[2] === "generate") { ${code} }`);
const fs = 'const fs = require("node:fs");';
const manifestFrom = (text: string): string => followed(`fs.writeFileSync("manifest.json", ${text});`);

const cases: readonly (readonly [what: string, question: GenerateQuestion, first: string, status: number])[] = [
  [
    "finds a layer cache that stood there before it generated",
    { cli: early(`${fs} fs.writeFileSync("layers-cache.json", "[1]");`) },
    "cache_empty fail folder-not-empty",
    1,
  ],
  [
    "finds a cache in its home",
    {
      cli: early(
        `${fs} fs.mkdirSync(process.env.XDG_CACHE_HOME); fs.writeFileSync(process.env.XDG_CACHE_HOME + "/x", "");`,
      ),
    },
    "cache_empty fail folder-not-empty",
    1,
  ],
  ["ends with another status", { cli: late("process.exit(3);") }, "ran fail generate-failed", 1],
  [
    "is ended by a signal",
    { cli: late('process.kill(process.pid, "SIGTERM"); for (;;);') },
    "ran fail generate-failed",
    1,
  ],
  ["cannot be started", { cli: "#!/no/such/interpreter\n" }, "ran fail generate-failed", 1],
  ["never ends", { cli: late("for (;;);"), args: ["--timeout", "1"] }, "ran error generate-timeout", 3],
  [
    "floods its output",
    { cli: late('for (;;) require("node:fs").writeSync(1, "x".repeat(65536));') },
    "ran error generate-output",
    3,
  ],
  ["leaves no manifest", { cli: late("process.exit(0);") }, "ran fail generated-missing", 1],
  [
    "leaves a link in place of a manifest",
    { cli: late(`${fs} fs.symlinkSync("deployment.yaml", "manifest.json"); process.exit(0);`) },
    "ran fail generated-missing",
    1,
  ],
  [
    "leaves a pipe in place of a manifest",
    { cli: late('require("node:child_process").spawnSync("mkfifo", ["manifest.json"]); process.exit(0);') },
    "ran fail generated-missing",
    1,
  ],
  ["leaves a manifest of 5 MiB", { cli: manifestFrom('" ".repeat(5 << 20)') }, "ran fail generated-missing", 1],
  ["writes no JSON", { cli: manifestFrom('"{"') }, "edits fail generated-malformed", 1],
  [
    "writes a member twice",
    { cli: manifestFrom(`'{"Policies":{"a":{"SANs":[],"SANs":[]}}}'`) },
    "edits fail generated-malformed",
    1,
  ],
  ["is given no values for the service's edits", { edits: null }, "edits error edits-incomplete", 3],
  ["is given no chip ids", { edits: editsText.replace(/^chipIds.*\n/m, "") }, "edits error edits-incomplete", 3],
  ["is given no PIIDs", { edits: editsText.replace(/^piids.*\n/m, "") }, "edits error edits-incomplete", 3],
  [
    "writes no reference value for one vCPU",
    { cli: editing("m.ReferenceValues.snp = m.ReferenceValues.snp.filter((e) => e.CPUs !== 1);") },
    "edits fail edit-impossible",
    1,
  ],
  [
    "writes reference values of Milan alone",
    { cli: editing('m.ReferenceValues.snp = m.ReferenceValues.snp.filter((e) => e.ProductName === "Milan");') },
    "edits fail edit-impossible",
    1,
  ],
  ["writes no reference values", { cli: editing("m.ReferenceValues = {};") }, "edits fail edit-impossible", 1],
  [
    "writes other names than the workload's own",
    { cli: editing("for (const p of Object.values(m.Policies)) p.SANs.push('x');") },
    "edits fail edit-impossible",
    1,
  ],
  [
    "is given a deployment without the service's workloads",
    { deployment: deploymentText.split("---\n").at(-1) ?? "" },
    "edits fail edit-impossible",
    1,
  ],
  [
    "changes the deployment file in the checkout",
    { cli: (f) => late(`${fs} fs.appendFileSync(${quoted(join(f.path, "deployment.yaml"))}, "\\n");`) },
    "checkout_untouched fail checkout-changed",
    1,
  ],
  [
    "removes the deployment file in the checkout",
    { cli: (f) => late(`${fs} fs.rmSync(${quoted(join(f.path, "deployment.yaml"))});`) },
    "checkout_untouched fail checkout-changed",
    1,
  ],
  [
    "adds a key of its own to the supplied one",
    { cli: editing("m.SeedshareOwnerPubKeys.push('3082');") },
    "seedshare fail seedshare-differs",
    1,
  ],
  [
    "drops the supplied key",
    { cli: editing("m.SeedshareOwnerPubKeys = null;") },
    "seedshare fail seedshare-differs",
    1,
  ],
];

describe("a CLI that", () => {
  test.each(cases)("%s: the claim says so alone", async (_what, question, first, status) => {
    const f = folder();
    const ran = await generate({ in: f, ...question });
    const [found, ...rest] = open(ran);
    expect(found).toBe(first);
    // What could not be asked any more says which claim closed the way.
    expect(rest.filter((line) => !line.includes(" skip "))).toEqual([]);
    expect(ran.status).toBe(status);
    expect(readdirSync(f.temporary)).toEqual([]);
  });

  test("fails says why in its last lines, without terminal control or the folder's name", async () => {
    const said = `process.stderr.write("one\\n\\u001b[31mpull \\u0007failed in " + process.cwd() + "/x\\u001b[0m\\nhttp://name:word@proxy refused\\n");`;
    const ran = await generate({ cli: late(`${said} process.exitCode = 2; return;`) });
    expect(claim(ran, "ran")?.reason).toBe("last lines: one | pull  failed in work/x | http://proxy refused");
    expect(claim(ran, "ran")?.actual?.value).toBe("exit status 2");
  });
  test("takes its time ends with all that it started", async () => {
    const f = folder();
    const pid = join(f.path, "pid");
    const starts = `const c = require("node:child_process").spawn("sleep", ["60"]); require("node:fs").writeFileSync(${quoted(pid)}, String(c.pid)); for (;;);`;
    await generate({ in: f, cli: late(starts), args: ["--timeout", "1"] });
    expect(gone(Number(readFileSync(pid, "utf8")))).toBe(true);
  });
  test("leaves something running in the background leaves nothing behind", async () => {
    const f = folder();
    const pid = join(f.path, "pid");
    const starts = `const c = require("node:child_process").spawn("sleep", ["60"], { stdio: "ignore" }); c.unref(); require("node:fs").writeFileSync(${quoted(pid)}, String(c.pid));`;
    const ran = await generate({ in: f, cli: late(starts) });
    expect(ran.status).toBe(0);
    expect(gone(Number(readFileSync(pid, "utf8")))).toBe(true);
  });
  test("is run gets an empty home, no secrets, and nothing of the caller's environment but PATH and proxies", async () => {
    const f = folder();
    const file = join(f.path, "env.json");
    const cli = late(
      `require("node:fs").writeFileSync(${quoted(file)}, JSON.stringify({ ...process.env, cwd: process.cwd() }));`,
    );
    const env = { SECRET_TOKEN: "x", DOCKER_CONFIG: "/nowhere", HTTPS_PROXY: "http://proxy.example", NODE_OPTIONS: "" };
    await generate({ in: f, cli, env });
    const { cwd, HOME, PATH, TMPDIR, ...rest } = JSON.parse(readFileSync(file, "utf8"));
    expect(Object.keys(rest).sort()).toEqual([
      "HTTPS_PROXY",
      "XDG_CACHE_HOME",
      "XDG_CONFIG_HOME",
      "XDG_DATA_HOME",
      "XDG_STATE_HOME",
    ]);
    for (const place of [cwd, HOME, TMPDIR]) expect(place.startsWith(f.temporary)).toBe(true);
    expect(PATH.split(":").every((p: string) => p.startsWith("/"))).toBe(true);
  });
});

/** A moment is left to the system for ending it. */
function gone(pid: number): boolean {
  for (let i = 0; i < 50; i++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  return false;
}

describe("compared with a manifest at hand", () => {
  const edit = async (change: (text: string) => string): Promise<string> =>
    change(Buffer.from(await goodManifest()).toString("utf8"));

  test.each<[string, (text: string) => string]>([
    ["a newline more", (t) => `${t}\n`],
    ["another nibble in a policy key", (t) => t.replace(/"([0-9a-f]{63})[0-9a-f]": \{/, '"$10": {')],
    ["a lower minimum", (t) => t.replace('"SNPVersion": 28', '"SNPVersion": 27')],
    ["another seed share owner", (t) => t.replace(keyHex, `${keyHex.slice(0, -1)}0`)],
  ])("%s fails", async (_what, change) => {
    const ran = await generate({ expected: await edit(change) });
    expect(open(ran)).toEqual(["equal fail generated-differs"]);
    expect(ran.status).toBe(1);
  });
  test("the differences are named with their direction", async () => {
    const ran = await generate({ expected: await edit((t) => t.replace('"SNPVersion": 28', '"SNPVersion": 27')) });
    expect(facts(ran)["differences"]).toMatchObject([{ grade: "weaker", generated: 28, expected: 27 }]);
  });
  test("without a supplied key everything but the owners is equal, and the owners stay open", async () => {
    const ran = await generate({ key: null, expected: await goodManifest() });
    expect(open(ran)).toEqual(["seedshare error seedshare-apart"]);
    expect(claim(ran, "equal")).toMatchObject({ status: "pass" });
    expect(claim(ran, "equal")?.actual?.value).toContain("without the value of SeedshareOwnerPubKeys");
    expect(ran.status).toBe(3);
  });
  test.each<[string, (text: string) => string]>([
    ["a blank more beside the owners", (t) => t.replace(/\n\}\n$/, "\n }\n")],
    ["a lower minimum", (t) => t.replace('"SNPVersion": 28', '"SNPVersion": 27')],
    ["no owners member", (t) => t.replace(/,\n {2}"SeedshareOwnerPubKeys": \[[^\]]*\]/, "")],
  ])("without a supplied key %s still fails", async (_what, change) => {
    const ran = await generate({ key: null, expected: await edit(change) });
    expect(open(ran)).toEqual(["seedshare error seedshare-apart", "equal fail generated-differs"]);
    expect(ran.status).toBe(1);
  });
  test("without a supplied key a manifest that is no JSON cannot be compared", async () => {
    const ran = await generate({ key: null, expected: "no json" });
    expect(open(ran)).toEqual(["seedshare error seedshare-apart", "equal error -"]);
    expect(ran.status).toBe(3);
  });
});

describe("what cannot be used ends with 2", () => {
  test.each<[string, GenerateQuestion, RegExp]>([
    ["a digest of 63 digits", { cliSha256: "a".repeat(63) }, /--cli-sha256/],
    ["no program", { onPath: true, env: { PATH: "/nonexistent" } }, /no program contrast on PATH/],
    ["a private key", { key: privatePem }, /holds a private key/],
    ["a private key beside a public one", { key: keyPem + privatePem }, /holds a private key/],
    ["no key at all", { key: "x" }, /not one public key/],
    ["an unknown edit", { edits: "chipIDs: []\n" }, /unknown member chipIDs/],
    ["an empty list of chips", { edits: editsText.replace(/chipIds: .*/, "chipIds: []") }, /at least one entry/],
    ["a short chip id", { edits: editsText.replace(/AB"/, 'A"') }, /128 hex digits/],
    ["an SVN of 256", { edits: editsText.replace("microcode: 88", "microcode: 256") }, /0 to 255/],
    ["an SVN in hex", { edits: editsText.replace("microcode: 88", "microcode: 0x58") }, /0 to 255/],
    ["a part of the TCB missing", { edits: editsText.replace(", microcode: 88", "") }, /without microcode/],
    ["an unknown policy bit", { edits: editsText.replace("SMT: true", "Smt: true") }, /unknown member Smt/],
    ["more than one word as platform", { args: ["--reference-values", "metal x"] }, /not a platform/],
    ["a platform that nobody names", { service: "contrast" }, /no usual platform/],
    ["a time limit of nothing", { args: ["--timeout", "0"] }, /--timeout/],
    ["force without a file", { args: ["--force"] }, /save/],
  ])("%s", async (_what, question, message) => {
    const ran = await generate(question);
    expect(ran.status).toBe(2);
    expect(JSON.parse(ran.stdout).error).toMatchObject({ code: "PM_USAGE", message: expect.stringMatching(message) });
  });
  test("a deployment file out of stdin", async () => {
    const { args, env } = command();
    const { runPm } = await import("../command.ts");
    const ran = await runPm(
      args.map((a) => (a.endsWith("deployment.yaml") ? "-" : a)),
      { env, stdin: deploymentText },
    );
    expect(ran.status).toBe(2);
  });
  test("a file that exists, a folder, and the deployment file itself; --force replaces a file", async () => {
    const f = folder();
    const there = f.write("there.json", "old");
    mkdirSync(join(f.path, "dir"));
    symlinkSync(join(f.path, "deployment.yaml"), join(f.path, "link"));
    const save = (name: string, ...more: string[]) =>
      generate({ in: f, args: ["--save", join(f.path, name), ...more] });
    for (const ran of [await save("there.json"), await save("dir", "--force"), await save("link", "--force")])
      expect(ran.status).toBe(2);
    expect((await save("deployment.yaml", "--force")).stdout).toContain("is the deployment file");
    expect(readFileSync(there, "utf8")).toBe("old");
    expect((await save("there.json", "--force")).status).toBe(0);
    expect(sha256(readFileSync(there))).toBe(sha256(await goodManifest()));
  });
  test("nothing is written where an edit is missing", async () => {
    const f = folder();
    const ran = await generate({ in: f, edits: null, args: ["--save", join(f.path, "out.json")] });
    expect(facts(ran)["writtenTo"]).toBeNull();
    expect(existsSync(join(f.path, "out.json"))).toBe(false);
  });
});

describe("an interrupted run", () => {
  const bin = fileURLToPath(new URL("../../bin/run.js", import.meta.url));
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("by %s ends the CLI and removes the folder", async (signal) => {
    const f = folder();
    const pid = join(f.path, "pid");
    const { args, env } = command({
      in: f,
      cli: late(`require("node:fs").writeFileSync(${quoted(pid)}, String(process.pid)); for (;;);`),
    });
    writeFileSync(pid, "");
    const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...env }, stdio: "ignore" });
    const status = new Promise((resolve) => child.once("exit", resolve));
    while (readFileSync(pid, "utf8") === "" && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill(signal);
    expect(await status).toBe(130);
    expect(gone(Number(readFileSync(pid, "utf8")))).toBe(true);
    expect(readdirSync(f.temporary)).toEqual([]);
  });
});

test("says for people where the manifest is", async () => {
  const f = folder();
  const file = join(f.path, "out.json");
  const ran = await generate({ in: f, json: false, args: ["--save", file] });
  expect(ran.stdout).toContain(file);
  expect(ran.stdout).toContain(sha256(await goodManifest()));
  expect(ran.stdout.trimEnd().split("\n").at(-1)).toBe("verified (manifest recomputed)");
});
