/** A made-up deployment on loopback with everything that its auditor holds; each test may change one thing about it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type RunningServer, startServer } from "../../demo/server.ts";
import type { Deployment } from "../../fixtures/generator/deployment.ts";
import { sharedDeployment } from "../../fixtures/generator/shared.ts";
import { writeDeployment } from "../../fixtures/generator/write.ts";
import type { Report, ReportClaim } from "../../src/report/report.ts";
import { type Ran, type RunOptions, reportOf, runPm } from "../command.ts";

export interface World {
  readonly deployment: Deployment;
  readonly server: RunningServer;
  /** Temporary folder; removed when the test file is done. */
  readonly folder: string;
  /** Path of one of the auditor's files. */
  readonly file: (name: string) => string;
  /** Writes a file into the folder and returns its path. */
  readonly write: (name: string, content: string | Uint8Array) => string;
  /** `--insecure-trust-root`. */
  readonly root: readonly string[];
  /** Manifest and measurement. */
  readonly pins: readonly string[];
  /** `verify contrast` of the server under the test root. */
  readonly live: readonly string[];
  /** Runs pm with a cache that no other call shares, unless `env` names one. */
  readonly pm: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  /** The same with `--json`. */
  readonly judged: (args: readonly string[], options?: RunOptions) => Promise<Judged>;
  /** Everything back to normal. */
  readonly reset: () => void;
  /** A home and cache for several runs that share a memory. */
  readonly home: (name: string) => Record<string, string>;
}
export interface Judged extends Ran {
  readonly report: Report;
  readonly claim: (id: string, subject?: string) => ReportClaim;
}

/** Call it at the top level of a test file. */
export async function startWorld(deployment: Deployment = sharedDeployment(new Date())): Promise<World> {
  const server = await startServer(deployment);
  const folder = mkdtempSync(join(tmpdir(), "pm-attack-"));
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const file = writeDeployment(deployment, folder);
  const root = ["--insecure-trust-root", file("ark.pem")];
  let runs = 0;
  const home = (name: string) => ({ HOME: join(folder, name), XDG_CACHE_HOME: join(folder, name, "cache") });
  const pm: World["pm"] = (args, options = {}) =>
    runPm(args, { ...options, env: { ...home(`home-${runs++}`), ...options.env } });
  return {
    deployment,
    server,
    folder,
    file,
    write: (name, content) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    root,
    pins: ["--manifest", file("manifest.json"), "--measurement", deployment.measurement],
    live: ["verify", "contrast", "--coordinator", server.url, ...root, "--kds-url", server.kdsUrl],
    pm,
    judged: async (args, options) => judgedOf(await pm([...args, "--json"], options)),
    reset: () => {
      for (const name of Object.keys(server.hooks)) delete server.hooks[name as keyof typeof server.hooks];
    },
    home,
  };
}

function judgedOf(ran: Ran): Judged {
  let report: Report;
  try {
    report = reportOf(ran);
  } catch {
    throw new Error(`no report, status ${ran.status}: ${ran.stdout}${ran.stderr}`);
  }
  if (report.claims === undefined) throw new Error(`an error, status ${ran.status}: ${ran.stdout}`);
  return {
    ...ran,
    report,
    claim: (id, subject) => {
      const found = report.claims.filter((c) => c.id === id && (subject === undefined || c.subject === subject));
      const [only] = found;
      if (only === undefined || found.length > 1) throw new Error(`${found.length} claims ${id}`);
      return only;
    },
  };
}

/** Ids of the owed claims that did not pass, in output order. */
export const openIds = ({ report }: Pick<Judged, "report">): string[] =>
  report.claims.filter((c) => c.owed && c.status !== "pass").map((c) => c.id);
/** The last line for people. */
export const lastLine = ({ stdout }: Pick<Ran, "stdout">): string => stdout.trimEnd().split("\n").at(-1) ?? "";
