/** Exit statuses 0, 1, 2, 3, 4, 70 and 130, for people and with --json; and what a shell does to a command. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, truncateSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { tampers } from "../../fixtures/generator/tamper.ts";
import { lastLine, startWorld } from "../attacks/world.ts";
import type { Ran } from "../command.ts";
import { spawnNode } from "./spawn.ts";

const world = await startWorld();
const { deployment, live, pins, root, server } = world;
const bin = fileURLToPath(new URL("../../bin/run.js", import.meta.url));
const bundle = join(world.folder, "bundle.tar");
const replay = ["verify", bundle, "--profile", "contrast", ...root, ...pins];

/** Takes connections and says nothing. */
const silent = createServer(() => undefined);
await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
const address = silent.address();
const silentUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
afterAll(() => void silent.close());
afterEach(() => world.reset());
beforeAll(async () => {
  expect((await world.pm([...live, ...pins, "--save", bundle])).status).toBe(0);
});

/** A bug, without touching the program: reading JSON out of bytes throws what no code expects. */
const buggy = world.write(
  "buggy.mjs",
  'import crypto from "node:crypto"; import { syncBuiltinESMExports } from "node:module"; crypto.createHash = () => { throw new TypeError("a bug for the test"); }; syncBuiltinESMExports();',
);
const withBug = (args: readonly string[]): Promise<Ran> =>
  spawnNode(["--import", pathToFileURL(buggy).href, bin, ...args], { env: world.home("buggy") });
/** SIGINT as soon as the run waits for the server. */
const interrupted = (args: readonly string[], signal: NodeJS.Signals = "SIGINT"): Promise<Ran> =>
  spawnNode([bin, ...args], {
    env: world.home("interrupted"),
    started: (child) => silent.once("connection", () => setTimeout(() => child.kill(signal), 50)),
  });
const waiting = ["verify", "contrast", "--coordinator", silentUrl, ...root, ...pins];

interface Case {
  readonly status: number;
  readonly what: string;
  readonly run: (more: readonly string[]) => Promise<Ran>;
  /** Last line, or the message on stderr. */
  readonly says: string;
  /** `verdict` of a report, or the code of an error. */
  readonly word: string;
}
const cases: readonly Case[] = [
  {
    status: 0,
    what: "verified",
    run: (m) => world.pm([...live, ...pins, ...m]),
    says: "TEST ROOT verified (live)",
    word: "verified",
  },
  {
    status: 1,
    what: "failed",
    run: (m) => {
      server.hooks.tamper = tampers.debug.apply;
      return world.pm([...live, ...pins, ...m]);
    },
    says: "TEST ROOT failed (live)",
    word: "failed",
  },
  {
    status: 1,
    what: "a bundle that breaks its format",
    run: (m) =>
      world.pm(["verify", world.write("broken.tar", readFileSync(bundle).subarray(0, 5000)), ...replay.slice(2), ...m]),
    says: "bundle",
    word: "PM_EVIDENCE_MALFORMED",
  },
  {
    status: 2,
    what: "an unknown flag",
    run: (m) => world.pm([...live, "--verified", ...m]),
    says: "--verified",
    word: "PM_USAGE",
  },
  { status: 2, what: "an unknown command", run: (m) => world.pm(["verfiy", ...m]), says: "verfiy", word: "PM_USAGE" },
  {
    status: 2,
    what: "a scope that is not built",
    run: (m) => world.pm([...live, "--scope", "full", ...m]),
    says: "--scope=full",
    word: "PM_USAGE",
  },
  {
    status: 2,
    what: "a value that is cut off",
    run: (m) => world.pm([...live, "--measurement", "00", ...m]),
    says: "--measurement",
    word: "PM_USAGE",
  },
  {
    status: 2,
    what: "a report of nothing",
    run: (m) => world.pm(["coordinator", "attest", ...m]),
    says: "URL",
    word: "PM_USAGE",
  },
  {
    status: 3,
    what: "inconclusive",
    run: (m) => world.pm([...live, "--manifest", world.file("manifest.json"), ...m]),
    says: "TEST ROOT inconclusive (live)",
    word: "inconclusive",
  },
  {
    status: 4,
    what: "unavailable",
    run: (m) => world.pm([...waiting, "--timeout", "0.3", ...m]),
    says: "TEST ROOT unavailable (live)",
    word: "unavailable",
  },
  {
    status: 70,
    what: "a bug",
    run: (m) => withBug([...live, ...pins, ...m]),
    says: "a bug for the test",
    word: "PM_BUG",
  },
  {
    status: 130,
    what: "interrupted",
    run: (m) => interrupted([...waiting, ...m]),
    says: "interrupted by SIGINT",
    word: "PM_INTERRUPTED",
  },
  {
    status: 130,
    what: "terminated",
    run: (m) => interrupted([...waiting, ...m], "SIGTERM"),
    says: "interrupted by SIGTERM",
    word: "PM_INTERRUPTED",
  },
];

describe.each(cases)("$status: $what", ({ status, run, says, word }) => {
  const isError = word.startsWith("PM_");
  test("for people", async () => {
    const ran = await run([]);
    expect(ran.status).toBe(status);
    if (isError) expect([ran.stdout, ran.stderr]).toEqual(["", expect.stringContaining(says)]);
    else expect(lastLine(ran)).toContain(says);
    expect(ran.stderr).not.toMatch(/\n {4}at /);
  });
  test("with --json: one document on stdout", async () => {
    const ran = await run(["--json"]);
    const document = JSON.parse(ran.stdout) as Record<string, unknown>;
    expect(ran.status).toBe(status);
    expect(ran.stdout.endsWith("}\n")).toBe(true);
    if (isError) expect(document).toMatchObject({ error: { code: word, message: expect.any(String) } });
    else
      expect(document).toMatchObject({ verdict: word, exitCode: status, verdictLine: expect.stringContaining(says) });
  });
  test("with --output json=FILE the status is the same", async () => {
    const ran = await run(["--output", `json=${world.folder}/out.json`, "--output", "human"]);
    expect(ran.status).toBe(status);
  });
});

describe("what a shell does", () => {
  const sh = (line: string, env: Record<string, string> = {}) =>
    spawnSync("bash", ["-c", `set -o pipefail; ${line}`], {
      encoding: "utf8",
      env: {
        ...process.env,
        ...world.home("shell"),
        PM: `${process.execPath} ${bin}`,
        ARGS: replay.slice(1).join(" "),
        ...env,
      },
    });
  test.each([
    ["| head -n 1 > /dev/null", 0],
    ["--json | head -c 1 > /dev/null", 0],
    ["| true", 0],
    ["2>&1 | true", 0],
    [">&- ", 0],
  ])("a closed pipe keeps the status: %s", (rest, status) => {
    const ran = sh(`$PM verify $ARGS ${rest}; echo "\${PIPESTATUS[0]}" >&2`);
    expect(ran.stderr.trim().split("\n").at(-1)).toBe(String(status));
  });
  test("a closed pipe does not turn failed into verified", () => {
    for (const rest of ["| head -n 1 > /dev/null", "--json | true", "2>&1 | true"]) {
      const ran = sh(
        `$PM verify $ARGS --measurement ${"00".repeat(48)} --manifest-sha256 ${"00".repeat(32)} ${rest}; echo "\${PIPESTATUS[0]}" >&2`,
      );
      expect(ran.stderr.trim().split("\n").at(-1)).not.toBe("0");
    }
  });
  test("a full disk is no verdict", () => {
    const ran = sh(`$PM verify $ARGS --json > /dev/full; echo "$?" >&2`);
    expect(ran.stderr.trim().split("\n").at(-1)).not.toBe("0");
  });
  test("stdin: a profile, a manifest and a key as -", async () => {
    const profile = [
      "version: 1",
      "service: contrast",
      `manifest: {reference: pinned, sha256: "${"00".repeat(32)}"}`,
      `measurements: ["${deployment.measurement}"]`,
    ].join("\n");
    const one = await world.pm(["verify", bundle, "--profile", "-", ...root, "--json"], { stdin: profile });
    expect([one.status, one.stdout]).toEqual([1, expect.stringContaining("manifest-differs")]);
    const two = await world.pm(
      ["verify", bundle, "--profile", "contrast", ...root, "--measurement", deployment.measurement, "--manifest", "-"],
      {
        stdin: readFileSync(world.file("manifest.json")),
      },
    );
    expect(two.status).toBe(0);
    const three = await world.pm(["verify", "privatemode", "--api-key-file", "-", "--offline", ...pins], {
      stdin: "key-of-somebody\n",
    });
    expect(three.status).toBe(4);
  });
  test("no colour for a pipe, a narrow terminal, or NO_COLOR", async () => {
    for (const env of [{ COLUMNS: "40" }, { COLUMNS: "0" }, { COLUMNS: "x" }, { FORCE_COLOR: "1", NO_COLOR: "1" }]) {
      const ran = await world.pm(replay, { env });
      expect([ran.status, ran.stdout.includes("\u001b[")]).toEqual([0, false]);
    }
    const narrow = await world.pm(replay, { env: { COLUMNS: "40" } });
    // The verdict is one line, and values are never cut.
    const lines = narrow.stdout.trimEnd().split("\n").slice(0, -1);
    const prose = lines.filter((line) => !/[0-9a-f]{16}|\S{30}/.test(line));
    expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(60);
  });
});

describe("files that are none", () => {
  const folder = join(world.folder, "a-folder");
  mkdirSync(folder);
  const empty = world.write("empty", "");
  const huge = world.write("huge", "");
  truncateSync(huge, 5 * 1024 ** 3);
  const missing = join(world.folder, "nothing");
  const root2 = ["--profile", "contrast", ...root];
  test.each([
    ["a folder for a bundle", ["verify", folder, ...root2], 2],
    ["nothing for a bundle", ["verify", `${missing}.tar`, ...root2], 2],
    ["an empty tar", ["verify", world.write("empty.tar", ""), ...root2], 1],
    ["a huge tar", ["verify", world.write("x", "") && `${huge}.tar`, ...root2], 2],
    ["a folder for a profile", ["verify", bundle, "--profile", folder], 2],
    ["an empty profile", ["verify", bundle, "--profile", empty], 2],
    ["a huge profile", ["verify", bundle, "--profile", huge], 2],
    ["a folder for a manifest", [...live, "--manifest", folder], 2],
    ["nothing for a manifest", [...live, "--manifest", missing], 2],
    ["a huge manifest", [...live, "--manifest", huge], 2],
    ["an endless manifest", [...live, "--manifest", "/dev/zero"], 2],
    ["an empty manifest", [...live, "--manifest", empty], 1],
    ["a folder for a root", ["verify", "contrast", "--coordinator", server.url, "--insecure-trust-root", folder], 2],
    ["an empty root", ["verify", "contrast", "--coordinator", server.url, "--insecure-trust-root", empty], 2],
    [
      "a manifest for a root",
      ["verify", "contrast", "--coordinator", server.url, "--insecure-trust-root", world.file("manifest.json")],
      2,
    ],
    ["a folder for a key", ["verify", "privatemode", "--api-key-file", folder], 2],
    ["an empty key", ["verify", "privatemode", "--api-key-file", empty], 2],
    ["a huge key", ["verify", "privatemode", "--api-key-file", huge], 2],
    ["nothing for collateral", [...live, ...pins, "--collateral", missing], 2],
    ["an empty folder for collateral", [...live, ...pins, "--collateral", folder], 2],
    ["an empty file for collateral", [...live, ...pins, "--collateral", empty], 2],
    ["a bundle to save where a folder is missing", [...live, ...pins, "--save", `${missing}/x.tar`], 2],
    ["a bundle over a file that is none", [...live, ...pins, "--save", world.file("manifest.json")], 2],
    ["a journal that is a folder", [...live, ...pins, "--journal", folder], 2],
    ["a journal that is none", [...live, ...pins, "--journal", world.file("manifest.json")], 2],
    ["an output that is a folder", [...live, ...pins, "--output", `json=${folder}`], 2],
    ["an output that is nowhere", [...live, ...pins, "--output", `json=${missing}/x.json`], 2],
    ["a recorded response without its request", ["coordinator", "attest", "--response", empty], 2],
    ["an empty recorded exchange", ["coordinator", "attest", "--response", empty, "--request", empty], 2],
    ["an empty manifest to check", ["manifest", "check", empty], 1],
    ["an empty policy", ["policy", "hash", folder], 2],
    ["an empty report", ["snp", "verify", empty, "--offline", "--authentic-only"], 1],
    ["a folder for a report", ["snp", "verify", folder, "--offline"], 2],
    ["a huge report", ["snp", "verify", huge, "--offline"], 2],
  ])("%s: %j", async (_what, args, status) => {
    const ran = await world.pm(
      [...args, "--timeout=5"].filter((a) => !(a.startsWith("--timeout") && /^(manifest|policy)$/.test(args[0] ?? ""))),
    );
    expect([ran.status, ran.stderr.length > 0 || ran.status !== 2], ran.stdout + ran.stderr).toEqual([status, true]);
    expect(readFileSync(world.file("manifest.json")).equals(Buffer.from(deployment.manifest))).toBe(true);
  });
});
