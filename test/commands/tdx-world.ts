/** Made Coordinators on TDX on loopback, each with everything that its auditor holds, and `pm` as the auditor runs it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../demo/server.ts";
import {
  makeTdxDeployment,
  type TdxDeployment,
  type TdxDeploymentOptions,
  type TdxManifest,
} from "../../fixtures/generator/intel-deployment.ts";
import { type ProfileOptions, type ProfileValue, profileBytes } from "../../fixtures/generator/profile.ts";
import { writeDeployment } from "../../fixtures/generator/write.ts";
import type { Report, ReportClaim } from "../../src/report/report.ts";
import { type Ran, reportOf, runPm } from "../command.ts";

export interface TdxWorld {
  readonly deployment: TdxDeployment;
  readonly server: RunningServer;
  /** Path of one of the auditor's files, or of one to write. */
  readonly path: (name: string) => string;
  readonly write: (name: string, content: string | Uint8Array) => string;
  /** Writes a profile that names the running Coordinator; returns its path. */
  readonly profile: (options?: ProfileOptions) => string;
  /** `--insecure-trust-root` and `--pcs-url`. */
  readonly trust: readonly string[];
  readonly root: readonly string[];
  /** Runs pm with `--json` and a cache of its own, unless a home is named that several runs share. */
  readonly judged: (args: readonly string[], home?: string) => Promise<Judged>;
  /** `pm verify` of the profile, live. */
  readonly verify: (options?: ProfileOptions, more?: readonly string[], home?: string) => Promise<Judged>;
  /** Folder of the collateral and the marks of a home. */
  readonly homeOf: (name: string) => string;
}
export interface Judged extends Ran {
  readonly report: Report;
  readonly claim: (id: string, subject?: string) => ReportClaim;
}

/** The wall clock of the test file: a live run judges for now. */
export const tdxNow: Date = new Date();
const worlds: { readonly server: RunningServer; readonly folder: string }[] = [];

/** Same seed, same keys: what is made by one world belongs to the same hierarchy as that of another. */
export async function startTdxWorld(options: Partial<TdxDeploymentOptions> = {}): Promise<TdxWorld> {
  const deployment = makeTdxDeployment("tdx chain", { now: tdxNow, ...options });
  const server = await startServer(deployment);
  const folder = mkdtempSync(join(tmpdir(), "pm-tdx-chain-"));
  worlds.push({ server, folder });
  const path = writeDeployment(deployment, folder);
  const root = ["--insecure-trust-root", path("sgx-root-ca.pem")];
  const trust = [...root, "--pcs-url", server.pcsUrl];
  let runs = 0;
  const homeOf = (name: string): string => join(folder, name);
  const write: TdxWorld["write"] = (name, content) => {
    writeFileSync(path(name), content);
    return path(name);
  };
  const profile: TdxWorld["profile"] = (of) =>
    write(`pm-${runs++}.yaml`, profileBytes(deployment, { coordinator: server.url, ...of }));
  const judged: TdxWorld["judged"] = async (args, home = `home-${runs++}`) => {
    const env = { HOME: homeOf(home), XDG_CACHE_HOME: join(homeOf(home), "cache") };
    return judgedOf(await runPm([...args, "--json"], { env }));
  };
  return {
    deployment,
    server,
    path,
    write,
    profile,
    trust,
    root,
    judged,
    verify: (of, more = [], home) => judged(["verify", profile(of), ...trust, ...more], home),
    homeOf,
  };
}

export async function stopTdxWorlds(): Promise<void> {
  for (const { server, folder } of worlds.splice(0)) {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function judgedOf(ran: Ran): Judged {
  const report = reportOf(ran);
  if (report.claims === undefined) throw new Error(`an error, status ${ran.status}: ${ran.stdout}${ran.stderr}`);
  return {
    ...ran,
    report,
    claim: (id, subject) => {
      const [only, ...more] = report.claims.filter((c) => c.id === id && (subject ?? c.subject) === c.subject);
      if (only === undefined || more.length > 0) throw new Error(`${more.length} more claims ${id}`);
      return only;
    },
  };
}

const owed = ({ report }: Pick<Judged, "report">): readonly ReportClaim[] => report.claims.filter((c) => c.owed);
/** Owed claims that say no, as `id code`. */
export const failedClaims = (judged: Pick<Judged, "report">): string[] =>
  owed(judged).flatMap((c) => (c.status === "fail" ? [`${c.id} ${c.code ?? "-"}`] : []));
/** Owed claims that did not pass, whatever they say. */
export const openClaims = (judged: Pick<Judged, "report">): string[] =>
  owed(judged).flatMap((c) => (c.status === "pass" ? [] : [c.id]));

/** A profile with other members in manifestValues; undefined leaves one out. */
export const withValues =
  (change: ProfileValue): NonNullable<ProfileOptions["change"]> =>
  (profile) => {
    const values = { ...(profile["manifestValues"] as ProfileValue), ...change };
    return {
      ...profile,
      manifestValues: Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)),
    };
  };

/** One thing changed in each TDX reference value of the manifest. */
export const withReference =
  (change: Readonly<Record<string, unknown>>) =>
  (manifest: TdxManifest): TdxManifest => ({
    ...manifest,
    ReferenceValues: { tdx: manifest.ReferenceValues.tdx.map((r) => ({ ...r, ...change })) },
  });
