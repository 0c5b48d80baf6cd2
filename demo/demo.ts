/**
 * The main job, end to end, on a made-up service of Privatemode's shape: AMD-shaped keys, a Coordinator, a secret
 * service and a key service on loopback, ten workloads with their deployment file, and `pm` as a user runs it; at the end
 * a smaller deployment under Intel-shaped keys, whose Coordinator runs on TDX. Each step announces its exit status and the
 * claims that say no, and fails the demo when it ends otherwise.
 * Usage: node demo/demo.ts [--seed SEED]
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Deployment, type DeploymentOptions, makeDeployment } from "../fixtures/generator/deployment.ts";
import { makeTdxDeployment } from "../fixtures/generator/intel-deployment.ts";
import { tdxTampers } from "../fixtures/generator/intel-tamper.ts";
import { exchangeTampers } from "../fixtures/generator/mesh.ts";
import { modelImage } from "../fixtures/generator/models.ts";
import { privatemodeDisks } from "../fixtures/generator/privatemode.ts";
import { profileBytes } from "../fixtures/generator/profile.ts";
import { tampers } from "../fixtures/generator/tamper.ts";
import { variants } from "../fixtures/generator/variants.ts";
import { writeDeployment } from "../fixtures/generator/write.ts";
import { type Hooks, startServer } from "./server.ts";

const { values } = parseArgs({ options: { seed: { type: "string" } } });
const seed = values.seed ?? randomBytes(4).toString("hex");
const bin = fileURLToPath(new URL("../bin/run.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pm-demo-"));
const now = new Date();
const apiKey = "demo-key";
let wrong = 0;
let number = 1;

interface Expected {
  readonly status: number;
  /** First words of the last line. */
  readonly line: string;
  /** Claims that must be named in it; when the line says what failed, no others may be. The CPU's and Contrast's verifier may both say one thing. */
  readonly claims?: readonly string[];
}

/** Runs pm, shows what it was asked and its last line, and compares. */
async function step(what: string, args: readonly string[], expected: Expected): Promise<string> {
  const { status, stdout, stderr } = await pm(args);
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  const words = last === "" ? stderr.trim() : last;
  const right = status === expected.status && words.startsWith(expected.line) && namesExactly(words, expected.claims);
  if (!right) wrong++;
  say(
    `\n${number++}. ${what}\n  $ pm ${args.map((a) => a.replace(`${folder}/`, "")).join(" ")}\n  ${words.replaceAll(`${folder}/`, "")}\n  exit ${status}`,
  );
  if (!right)
    say(
      `  WRONG: expected exit ${expected.status}, "${expected.line}"${expected.claims ? `, naming ${expected.claims.join(", ")}` : ""}\n${stderr}${stdout}`,
    );
  return stdout;
}

/** `…: 2 owed claims say no: a, b`. */
function namesExactly(line: string, claims: readonly string[] = []): boolean {
  const failed = /say(?:s)? no: (.*)$/.exec(line)?.[1]?.split(", ");
  if (failed === undefined) return claims.every((id) => line.includes(id));
  return failed.sort().join() === [...claims].sort().join();
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
const quoted = (text: string): string => text.replaceAll(`${folder}/`, "").replace(/^/gm, "  | ");

/** What the report says of the claims that are open. */
function openClaims(report: string): string {
  const from = report.indexOf("\nWhat is open");
  return report.slice(from + 1, report.search(/\n(Findings|Who can read|Evidence)/)).trimEnd();
}

/** A service that runs, and the auditor's files for it. */
interface Service {
  readonly args: readonly string[];
  readonly root: readonly string[];
  readonly hooks: Hooks;
  readonly path: (name: string) => string;
  close(): Promise<void>;
}

/** @param known whose files and profile the auditor holds: those of the service itself, or those of the right one */
async function serve(name: string, deployment: Deployment, known: Deployment = deployment): Promise<Service> {
  const server = await startServer(deployment, { apiKey });
  const at = join(folder, name);
  mkdirSync(at);
  const path = writeDeployment(known, at);
  writeFileSync(path("pm.yaml"), profileBytes(known, { coordinator: server.url, exchange: true, disks: true }));
  writeFileSync(path("key.txt"), `${apiKey}\n`);
  writeFileSync(path("root.pem"), deployment.files.get("ark.pem") ?? new Uint8Array());
  rmSync(join(folder, "cache"), { recursive: true, force: true });
  const root = ["--insecure-trust-root", path("root.pem")];
  return {
    args: ["--api-key-file", path("key.txt"), ...root, "--kds-url", server.kdsUrl],
    root,
    hooks: server.hooks,
    path,
    close: () => server.close(),
  };
}
const make = (options: Partial<DeploymentOptions> = {}): Deployment =>
  makeDeployment(seed, { now, shape: "privatemode", ...options });

const failed = (...claims: string[]): Expected => ({ status: 1, line: "TEST ROOT failed (live)", claims });
const inconclusive = (...claims: string[]): Expected => ({
  status: 3,
  line: "TEST ROOT inconclusive (live)",
  claims,
});

/** The right service: verified, replayed, and what is missing when the auditor knows less. */
async function honest(service: Service): Promise<void> {
  const { path, args, root } = service;
  const bundle = join(folder, "today.tar");
  const good = await step(
    "Everything is explained: from AMD's root over the whole manifest to each container, and a client's key exchange.",
    ["verify", path("pm.yaml"), ...args, "--save", bundle],
    { status: 0, line: "TEST ROOT verified (live)" },
  );
  say(quoted(good));
  await step(
    "Replay: the saved bytes under the auditor's demands, without a network.",
    ["verify", bundle, "--profile", path("pm.yaml"), ...root, "--offline"],
    { status: 0, line: "TEST ROOT verified (live) as recorded at" },
  );
  await step(
    "The gate before deployment: policies, candidate manifest and references, no Coordinator.",
    ["verify", path("pm.yaml"), "--scope", "release", "--manifest", path("manifest.json")],
    { status: 0, line: "verified (release)" },
  );
  await step(
    "The same service, judged by built-in facts alone: nobody vouches for manifest and measurement.",
    ["verify", bundle, "--profile", "privatemode", ...root, "--offline"],
    inconclusive("chain.reference.measurement_known", "contrast.manifest.expected"),
  );
  await step(
    "Capture: fetch and write down, judge nothing.",
    ["capture", path("pm.yaml"), ...args, "--save", join(folder, "captured")],
    { status: 0, line: "captured" },
  );
  const damaged = join(folder, "damaged.tar");
  const bytes = readFileSync(bundle);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 4096) ^ 1, bytes.length - 4096);
  writeFileSync(damaged, bytes);
  await step(
    "One bit of the saved bundle flipped.",
    ["verify", damaged, "--profile", path("pm.yaml"), ...root, "--offline"],
    { status: 1, line: "pm: bundle" },
  );
}

/** Model disks: one that the auditor holds, alone and in the gate, and what the operator's list or the image could hold instead. */
async function disks({ path }: Service, { random }: Deployment): Promise<void> {
  const granite = privatemodeDisks(random).find((d) => d.name === "granite");
  if (granite === undefined) throw new Error("the demo has no model granite");
  const image = path("disks/granite.img");
  const size = String(granite.hashOffset);
  await step(
    "A model disk: data, hash tree and superblock against the root hash that the policy pins.",
    ["verity", "verify", image, "--root", granite.root, "--preset", "privatemode", "--hash-offset", size],
    { status: 0, line: "verified (dm-verity disk)" },
  );
  await step(
    "The files in it against the model repository's commit.",
    ["disk", "verify", image, "--expect", path("disks/granite.json"), "--root", granite.root, "--data-size", size],
    { status: 0, line: "verified (disk files)" },
  );
  const list = readFileSync(path("models.yaml"), "utf8");
  const otherRoot = list.replace(granite.root, `${granite.root.slice(1)}0`);
  const otherCommit = list.replace(granite.commit, `${granite.commit.slice(1)}0`);
  const otherWeights = modelImage(random, "granite", (name, content) =>
    name === "model.safetensors" ? content.with(4711, (content[4711] ?? 0) ^ 1) : content,
  );
  const changes = [
    ["models.yaml", otherRoot, "the operator's list does not know the root hash", ["verity.disk.root_known"]],
    ["models.yaml", otherCommit, "the operator's list names another commit", ["verity.disk.commit"]],
    [
      "disks/granite.img",
      otherWeights,
      "the image that was rebuilt has one other bit of weights",
      ["verity.disk.rebuilt"],
    ],
  ] as const;
  for (const [name, content, what, claims] of changes) {
    const before = readFileSync(path(name));
    writeFileSync(path(name), content);
    await step(
      `Model disks: ${what}.`,
      ["verify", path("pm.yaml"), "--scope", "release", "--manifest", path("manifest.json")],
      { status: 1, line: "failed (release)", claims },
    );
    writeFileSync(path(name), before);
  }
}

/** What the same service could answer otherwise, or somebody between. */
async function lies(service: Service): Promise<void> {
  const { args, path, hooks } = service;
  const answers = [
    ["debug", ["snp.policy.debug"]],
    ["otherRoot", ["snp.vek.chain"]],
    ["hostDataOfWorkload", ["contrast.host_data.coordinator", "snp.report.host_data"]],
    ["meshCaSwapped", ["contrast.nonce.bound", "snp.report.report_data"]],
    ["historyHidden", ["contrast.nonce.bound", "snp.report.report_data"]],
    ["policyMissing", ["contrast.policies.complete"]],
    ["policySurplus", ["contrast.policies.known"]],
  ] as const;
  for (const [name, claims] of answers) {
    const { what, apply } = tampers[name];
    hooks.tamper = apply;
    await step(`Answer: ${what}.`, ["verify", path("pm.yaml"), ...args], failed(...claims));
  }
  hooks.tamper = undefined;
  const exchanges = [
    ["foreignMeshCa", "a certificate of another mesh CA", ["contrast.mesh.path"]],
    [
      "withoutServiceName",
      "a certificate without the secret service's name",
      ["contrast.mesh.sans", "contrast.mesh.expected_san"],
    ],
    ["otherPublicKey", "a signature over another client's key", ["contrast.exchange.signature"]],
  ] as const;
  for (const [name, what, claims] of exchanges) {
    hooks.exchange = exchangeTampers[name];
    await step(`Key exchange: ${what}.`, ["verify", path("pm.yaml"), ...args], failed(...claims));
  }
  hooks.exchange = undefined;
}

/** Services that really run something else, attested as such: only what is said about the content is wrong. */
async function others(right: Deployment): Promise<void> {
  const content = [
    ["imageDigest", ["kata.container.image"]],
    ["extraEnv", ["kata.container.env"]],
    ["envByRegex", ["kata.requests.env_regex"]],
    ["strangeWorkload", ["kata.manifest.explained"]],
    ["rulesChanged", ["kata.rules.known"]],
    ["diskRoot", ["kata.container.args"]],
    ["lowerTcb", ["contrast.explained.minimum_tcb"]],
    ["moreNames", ["kata.workload.sans"]],
  ] as const;
  for (const [name, claims] of content) {
    const { what, options } = variants[name];
    const service = await serve(name, make(options), right);
    const report = await step(
      `Runs: ${what}.`,
      ["verify", service.path("pm.yaml"), ...service.args],
      failed(...claims),
    );
    if (name === "diskRoot") say(quoted(openClaims(report)));
    await service.close();
  }
  const { what, options } = variants.adapterUnencrypted;
  const changed = make(options);
  const unencrypted = await serve("adapterUnencrypted", changed, changed);
  await step(
    `Runs: ${what}.`,
    ["verify", unencrypted.path("pm.yaml"), ...unencrypted.args],
    failed("kata.safety.adapter_type"),
  );
  await unencrypted.close();

  const byte = await serve("manifestByte", make(variants.manifestByte.options), right);
  await step(
    `Runs: ${variants.manifestByte.what}. Explained, it still is.`,
    ["verify", byte.path("pm.yaml"), ...byte.args],
    { status: 0, line: "TEST ROOT verified (live)" },
  );
  await step(
    "The same, but the auditor pinned the manifest's bytes.",
    ["verify", byte.path("pm.yaml"), ...byte.args, "--manifest", byte.path("manifest.json")],
    failed("contrast.manifest.expected"),
  );
  await byte.close();
}

/** The same questions under another vendor's root: Intel's documents in place of AMD's certificates. */
async function onTdx(): Promise<void> {
  const deployment = makeTdxDeployment(seed, { now });
  const server = await startServer(deployment);
  const at = join(folder, "tdx");
  mkdirSync(at);
  const path = writeDeployment(deployment, at);
  writeFileSync(path("pm.yaml"), profileBytes(deployment, { coordinator: server.url }));
  const root = ["--insecure-trust-root", path("sgx-root-ca.pem")];
  const bundle = join(folder, "tdx.tar");
  // A cache of its own for each answer: another platform's documents were never seen before.
  const verify = (...more: readonly string[]): readonly string[] => {
    rmSync(join(folder, "cache"), { recursive: true, force: true });
    return ["verify", path("pm.yaml"), ...root, "--pcs-url", server.pcsUrl, ...more];
  };
  await step(
    "A Coordinator on TDX: explained from Intel's root on, quote, module, platform and guest.",
    verify("--save", bundle),
    {
      status: 0,
      line: "TEST ROOT verified (live)",
    },
  );
  await step(
    "Replay: its quote and Intel's documents out of the bundle.",
    ["verify", bundle, "--profile", path("pm.yaml"), ...root, "--offline"],
    { status: 0, line: "TEST ROOT verified (live) as recorded at" },
  );
  const answers = [
    ["debug", "a trust domain that its host may debug", ["tdx.td.debug", "tdx.td.attributes"]],
    ["pckRevoked", "the platform's certificate is revoked", ["tdx.pck.revocation"]],
    ["platformOutOfDate", "the platform is out of date under a module that is not", ["tdx.tcb.status"]],
  ] as const;
  for (const [name, what, claims] of answers) {
    server.hooks.tdx = tdxTampers[name].apply;
    await step(`On TDX: ${what}.`, verify(), failed(...claims));
  }
  await server.close();
}

say(
  `seed ${seed}: making an AMD-shaped root, a processor, a guest, ten workloads, policies and a manifest (some seconds)`,
);
try {
  const right = make();
  const service = await serve("service", right);
  await honest(service);
  await disks(service, right);
  await lies(service);
  await service.close();
  await others(right);
  await onTdx();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
say(
  wrong === 0
    ? `\ndemo: every step ended as announced (seed ${seed})`
    : `\ndemo: ${wrong} steps ended otherwise (seed ${seed})`,
);
process.exitCode = wrong === 0 ? 0 : 1;
