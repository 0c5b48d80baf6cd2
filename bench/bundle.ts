/** CPU time of `pm verify` on recorded bundles of ten workloads (design: below one second, start-up included). */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startServer } from "../demo/server.ts";
import { makeDeployment } from "../fixtures/generator/deployment.ts";
import { profileBytes } from "../fixtures/generator/profile.ts";
import { writeDeployment } from "../fixtures/generator/write.ts";
import { tenWorkloads } from "./fixture.ts";
import { bin, cleanEnv, type Row, runAsync } from "./measure.ts";

const rounds = 5;
const preload = fileURLToPath(new URL("cpu-at-exit.mjs", import.meta.url));

/** Seconds of user and system time of one child that must end with 0. */
function cpuSeconds(args: readonly string[]): number {
  const stdio = ["ignore", "ignore", "pipe", "pipe"] as const;
  const child = spawnSync(process.execPath, ["--import", preload, bin, ...args], { env: cleanEnv, stdio: [...stdio] });
  if (child.status !== 0) throw new Error(`pm ${args[0]}: ended with ${child.status}: ${child.stderr}`);
  return Number(String(child.output[3])) / 1e6;
}

const leastCpuSeconds = (args: readonly string[]): number =>
  Math.min(...Array.from({ length: rounds }, () => cpuSeconds(args)));

/** The manifest pinned: attestation and policy bodies. */
export async function bundle(folder: string): Promise<Row> {
  const deployment = tenWorkloads();
  const file = writeDeployment(deployment, folder);
  const root = ["--insecure-trust-root", file("ark.pem")];
  const saved = join(folder, "ten.tar");
  const server = await startServer(deployment);
  try {
    const service = ["--coordinator", server.url, "--kds-url", server.kdsUrl];
    await runAsync([bin, "capture", "contrast", ...service, ...root, "--save", saved]);
  } finally {
    await server.close();
  }
  const pins = ["--manifest", file("manifest.json"), "--measurement", deployment.measurement];
  const replay = ["verify", saved, "--profile", "contrast", ...root, ...pins, "--offline"];
  const seconds = leastCpuSeconds(replay);
  const sizes = deployment.policies.map((p) => p.body.length);
  const kib = Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1024);
  return {
    what: `CPU seconds of pm verify BUNDLE, ${sizes.length - 1} workloads, ${kib} KiB of policies, minimum of ${rounds}`,
    ratio: seconds,
    target: 1,
  };
}

/** The demo's service, each value of its manifest explained, the secret exchange included. */
export async function explainedBundle(folder: string): Promise<Row> {
  const deployment = makeDeployment("shared", { now: new Date(), shape: "privatemode" });
  const file = writeDeployment(deployment, folder);
  const root = ["--insecure-trust-root", file("ark.pem")];
  const saved = join(folder, "explained.tar");
  const profile = join(folder, "pm.yaml");
  const apiKey = "bench-key";
  const server = await startServer(deployment, { apiKey });
  try {
    writeFileSync(profile, profileBytes(deployment, { coordinator: server.url, exchange: true }));
    writeFileSync(join(folder, "key.txt"), `${apiKey}\n`);
    const service = ["--api-key-file", join(folder, "key.txt"), "--kds-url", server.kdsUrl];
    await runAsync([bin, "capture", profile, ...service, ...root, "--save", saved]);
  } finally {
    await server.close();
  }
  const containers = deployment.policies.reduce((sum, p) => sum + p.workload.containers.length, 0);
  return {
    what: `CPU seconds of pm verify BUNDLE, manifest explained: ${deployment.policies.length} workloads, ${containers} containers, minimum of ${rounds}`,
    ratio: leastCpuSeconds(["verify", saved, "--profile", profile, ...root, "--offline"]),
    target: 1,
  };
}
