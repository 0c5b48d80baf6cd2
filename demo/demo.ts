/**
 * The main job, end to end, on a made-up deployment: AMD-shaped keys, a Coordinator and a key service on loopback, and
 * `pm` as a user runs it. Each step announces its exit status and fails the demo when it ends otherwise.
 * Usage: node demo/demo.ts [--seed SEED]
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeDeployment } from "../fixtures/generator/deployment.ts";
import { tampers } from "../fixtures/generator/tamper.ts";
import { writeDeployment } from "../fixtures/generator/write.ts";
import { startServer } from "./server.ts";

const { values } = parseArgs({ options: { seed: { type: "string" } } });
const seed = values.seed ?? randomBytes(4).toString("hex");
const bin = fileURLToPath(new URL("../bin/run.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pm-demo-"));

say(`seed ${seed}: making an AMD-shaped root, a processor, a guest, policies and a manifest (some seconds)`);
const deployment = makeDeployment(seed, { now: new Date() });
const file = writeDeployment(deployment, folder);
const server = await startServer(deployment);
const bundle = join(folder, "today.tar");
const root = ["--insecure-trust-root", file("ark.pem")];
const trust = [...root, "--kds-url", server.kdsUrl];
const pins = ["--manifest", file("manifest.json"), "--measurement", deployment.measurement];
const live = ["verify", "contrast", "--coordinator", server.url, ...trust];
let wrong = 0;

interface Expected {
  readonly status: number;
  /** First words of the last line. */
  readonly line: string;
  /** Claim that must be named in it. */
  readonly claim?: string;
}

/** Runs pm, shows what it was asked and its last line, and compares. */
async function step(what: string, args: readonly string[], expected: Expected): Promise<string> {
  const { status, stdout, stderr } = await pm(args);
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  const claim = expected.claim === undefined || last.includes(expected.claim);
  const words = last === "" ? stderr.trim() : last;
  const right = status === expected.status && words.startsWith(expected.line) && claim;
  if (!right) wrong++;
  say(
    `\n${what}\n  $ pm ${args.map((a) => a.replace(`${folder}/`, "")).join(" ")}\n  ${words.replaceAll(`${folder}/`, "")}\n  exit ${status}`,
  );
  if (!right)
    say(
      `  WRONG: expected exit ${expected.status}, "${expected.line}"${expected.claim ? `, naming ${expected.claim}` : ""}\n${stderr}${stdout}`,
    );
  return stdout;
}

function pm(args: readonly string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  // A home of its own: the demo reads and leaves nothing in the user's cache.
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache"), NO_COLOR: "1", COLUMNS: "100" };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (part: Buffer) => (stdout += part.toString("utf8")));
    child.stderr.on("data", (part: Buffer) => (stderr += part.toString("utf8")));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What the report says of the claims that are open. */
function openClaims(report: string): string {
  const from = report.indexOf("\nWhat is open");
  return report.slice(from + 1, report.indexOf("\nEvidence", from)).trimEnd();
}

try {
  const good = await step(
    "1. Everything is as the auditor demands: from AMD's root over HOST_DATA and policy bodies to image digests.",
    [...live, ...pins, "--save", bundle],
    { status: 0, line: "TEST ROOT verified (live)" },
  );
  say(good.replaceAll(`${folder}/`, "").replace(/^/gm, "  | "));

  await step(
    "2. The same without a measurement that somebody apart from the manifest vouches for.",
    [...live, "--manifest", file("manifest.json")],
    { status: 3, line: "TEST ROOT inconclusive (live)", claim: "chain.reference.measurement_known" },
  );
  await step(
    "3. The same without a manifest that somebody else vouches for.",
    [...live, "--measurement", deployment.measurement],
    {
      status: 3,
      line: "TEST ROOT inconclusive (live)",
      claim: "contrast.manifest.expected",
    },
  );

  const captured = join(folder, "captured");
  await step(
    "4. Capture: fetch and write down, judge nothing.",
    ["capture", "contrast", "--coordinator", server.url, ...trust, "--save", captured],
    {
      status: 0,
      line: "captured",
    },
  );
  await step(
    "5. Replay: the captured bytes under the auditor's demands, without a network.",
    ["verify", captured, "--profile", "contrast", ...root, ...pins, "--offline"],
    {
      status: 0,
      line: "TEST ROOT verified (live) as recorded at",
    },
  );

  const damaged = join(folder, "damaged.tar");
  const bytes = readFileSync(bundle);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 4096) ^ 1, bytes.length - 4096);
  writeFileSync(damaged, bytes);
  await step(
    "6. One bit of the saved bundle flipped.",
    ["verify", damaged, "--profile", "contrast", ...root, ...pins],
    {
      status: 1,
      line: "pm: bundle",
    },
  );

  const hostile = [
    ["debug", "snp.policy.debug"],
    ["otherRoot", "snp.vek.chain"],
    ["hostDataOfWorkload", "contrast.host_data.coordinator"],
    ["meshCaSwapped", "contrast.nonce.bound"],
    ["historyHidden", "contrast.nonce.bound"],
    ["policySurplus", "contrast.policies.known"],
  ] as const;
  let number = 7;
  for (const [name, claim] of hostile) {
    const { what, apply } = tampers[name];
    server.hooks.tamper = apply;
    const report = await step(`${number++}. Tampered: ${what}.`, [...live, ...pins], {
      status: 1,
      line: "TEST ROOT failed (live)",
      claim,
    });
    if (name === "debug") say(openClaims(report).replace(/^/gm, "  | "));
  }
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
say(
  wrong === 0
    ? `\ndemo: every step ended as announced (seed ${seed})`
    : `\ndemo: ${wrong} steps ended otherwise (seed ${seed})`,
);
process.exitCode = wrong === 0 ? 0 : 1;
