/** CPU time of `pm verify` on a recorded bundle of ten workloads (design: below one second, start-up included). */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startServer } from "../demo/server.ts";
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
  const seconds = Math.min(...Array.from({ length: rounds }, () => cpuSeconds(replay)));
  const sizes = deployment.policies.map((p) => p.body.length);
  const kib = Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1024);
  return {
    what: `CPU seconds of pm verify BUNDLE, ${sizes.length - 1} workloads, ${kib} KiB of policies, minimum of ${rounds}`,
    ratio: seconds,
    target: 1,
  };
}
