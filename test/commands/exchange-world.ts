/** `pm verify` of a Privatemode-shaped service on loopback, with its secret service in the same run. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../demo/server.ts";
import type { Deployment } from "../../fixtures/generator/deployment.ts";
import { workload } from "../../fixtures/generator/mesh.ts";
import { sharedDeployment } from "../../fixtures/generator/shared.ts";
import { writeDeployment } from "../../fixtures/generator/write.ts";
import { type Ran, runPm } from "../command.ts";

export const apiKey = "pm-test-key-0123456789";

export interface ExchangeWorld {
  readonly deployment: Deployment;
  readonly server: RunningServer;
  readonly folder: string;
  /** Members of the exchange in the profile, as YAML; null: none is demanded. */
  readonly profile: (exchange: string | null) => string;
  /** `pm verify TARGET --json` against the server, with a cache of its own. */
  readonly verify: (target: string, ...args: string[]) => Promise<Ran>;
  readonly run: (...args: string[]) => Promise<Ran>;
  readonly write: (name: string, content: string | Uint8Array) => string;
  /** Hooks back to normal. */
  readonly reset: () => void;
  readonly close: () => Promise<void>;
}

/** What the made-up deployment calls its secret service. */
export const demoNames = (d: Deployment): string =>
  `{ san: secret.demo.example, workloadSecretId: ${workload(d).workloadSecretId} }`;

export async function startExchangeWorld(): Promise<ExchangeWorld> {
  const deployment = sharedDeployment(new Date());
  const server = await startServer(deployment, { apiKey });
  const folder = mkdtempSync(join(tmpdir(), "pm-exchange-"));
  const file = writeDeployment(deployment, folder);
  const write = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const key = write("api-key.txt", apiKey);
  let profiles = 0;
  let homes = 0;
  const run: ExchangeWorld["run"] = (...args) => {
    const home = join(folder, `home-${homes++}`);
    return runPm(args, { env: { HOME: home, XDG_CACHE_HOME: join(home, "cache") } });
  };
  const trust = ["--insecure-trust-root", file("ark.pem"), "--kds-url", server.kdsUrl];
  return {
    deployment,
    server,
    folder,
    write,
    run,
    profile: (exchange) =>
      write(
        `profile-${profiles++}.yaml`,
        [
          "version: 1",
          "service: privatemode",
          `coordinator: { url: "${server.url}" }`,
          `manifest: { reference: pinned, file: manifest.json, url: "${server.url}/privatemode/v2/manifest.json" }`,
          `measurements: ["${deployment.measurement}"]`,
          ...(exchange === null ? [] : [`exchange: ${exchange}`]),
          "",
        ].join("\n"),
      ),
    verify: (target, ...args) => run("verify", target, "--json", "--api-key-file", key, ...trust, ...args),
    reset: () => {
      for (const name of Object.keys(server.hooks)) delete server.hooks[name as keyof typeof server.hooks];
      server.hooks.apiKey = apiKey;
    },
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
