/** An auditor who holds a deployment's files, and services that run, or are to run, the same or something else. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Hooks, startServer } from "../../demo/server.ts";
import { type ApiForm, answerBody } from "../../fixtures/generator/answer.ts";
import type { Deployment, Tamper } from "../../fixtures/generator/deployment.ts";
import type { HistoryOptions, Shape } from "../../fixtures/generator/history.ts";
import { ecKey } from "../../fixtures/generator/keys.ts";
import type { Manifest, PolicyEntry } from "../../fixtures/generator/manifest.ts";
import { sha256 } from "../../fixtures/generator/policies.ts";
import { prng } from "../../fixtures/generator/prng.ts";
import { type ProfileOptions, type ProfileValue, profileBytes } from "../../fixtures/generator/profile.ts";
import { variantDeployment } from "../../fixtures/generator/shared.ts";
import { writeDeployment } from "../../fixtures/generator/write.ts";
import { spki } from "../../fixtures/generator/x509.ts";
import { nonceRequest } from "../../src/chain/nonce.ts";
import type { Report } from "../../src/report/report.ts";
import type { Exchange, Request } from "../../src/run.ts";
import { writeBundle } from "../../src/sources/bundle.ts";
import { attestRequest } from "../../src/verifiers/contrast/index.ts";
import { type Ran, runPm } from "../command.ts";

const root = mkdtempSync(join(tmpdir(), "pm-release-"));
export const removeReleaseWorld = (): void => rmSync(root, { recursive: true, force: true });

let folders = 0;
function folder(): string {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
}
const write = (dir: string, name: string, content: Uint8Array | string): string => {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
};

/** In the past of any clock, so that a captured time can be in its order. */
export const recordedAt = new Date("2025-06-01T00:00:00Z");
const nonce = new Uint8Array(32).fill(0x5a);

const known = new Map<Shape, Deployment>();
/** The deployment that the auditor knows, on the day of the recorded runs. */
export function good(shape: Shape = "small"): Deployment {
  const made = known.get(shape) ?? changed({ shape });
  known.set(shape, made);
  return made;
}
/** What runs in its place: the same keys, and one thing is other. */
export const changed = (options: HistoryOptions): Deployment => variantDeployment({ now: recordedAt, ...options });

/** Merges into one member of the profile; null takes a member of it away. */
export const but =
  (member: string, more: Readonly<Record<string, unknown>>) =>
  (profile: ProfileValue): ProfileValue => {
    const merged = { ...(profile[member] as object | undefined), ...more };
    return { ...profile, [member]: Object.fromEntries(Object.entries(merged).filter(([, v]) => v !== null)) };
  };
/** The profile without a member. */
export const without =
  (...members: readonly string[]) =>
  (profile: ProfileValue): ProfileValue =>
    Object.fromEntries(Object.entries(profile).filter(([name]) => !members.includes(name)));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
/** What the fixtures write, and TDX. */
type ReferenceValues = Manifest["ReferenceValues"] & { readonly tdx?: readonly object[] };
type Snp = Manifest["ReferenceValues"]["snp"][number];
/** Edits of the manifest that is enforced, or to be set. */
export const references = (edit: (values: ReferenceValues) => ReferenceValues): HistoryOptions => ({
  manifest: (m) => ({ ...m, ReferenceValues: edit(m.ReferenceValues) }),
});
export const snp = (edit: (value: Snp) => Snp): HistoryOptions =>
  references(({ snp: list }) => ({ snp: list.map(edit) }));
export const policies = (
  edit: (entries: readonly (readonly [string, PolicyEntry])[]) => readonly (readonly [string, PolicyEntry])[],
): HistoryOptions => ({
  manifest: (m) => ({ ...m, Policies: Object.fromEntries(edit(Object.entries(m.Policies))) }),
});
/** So many bytes of one digit, as hex. */
export const bytes = (count: number, digit: string): string => digit.repeat(count * 2);
/** A reference value that demands all that can be demanded. */
export const tdx = {
  Platform: "Metal-QEMU-TDX",
  MinTCBEvaluationDataNumber: 19,
  MrTd: bytes(48, "a"),
  MrSeam: bytes(48, "b"),
  Rtmrs: ["1", "2", "3", "4"].map((digit) => bytes(48, digit)),
  Xfam: "e702060000000000",
  AllowedPIIDs: [bytes(16, "c")],
  MemoryIntegrity: true,
  SMTDisabled: true,
  StaticPlatform: true,
};
/** The profile knows that value. */
export const knownTdx = (profile: ProfileValue, more: object = {}): ProfileValue =>
  but("manifestValues", {
    tdx: [{ mrTd: tdx.MrTd, mrSeam: tdx.MrSeam, rtmrs: tdx.Rtmrs, ...more }],
    minTcbEvaluationDataNumber: tdx.MinTCBEvaluationDataNumber,
    piids: tdx.AllowedPIIDs,
  })(profile);
/** Somebody's, PKIX DER in hex. */
export const ownerKey = hex(spki(ecKey(prng("somebody").child("owner"))));

interface Asked {
  readonly shape?: Shape;
  /** Whose files the auditor holds; default the good deployment's. */
  readonly auditor?: Deployment;
  /** What runs or is to run; default the same. */
  readonly from?: Deployment;
  readonly profile?: ProfileOptions;
  readonly args?: readonly string[];
}

const handed = new Map<Deployment, (name: string) => string>();
/** Paths of a deployment's files, written once. */
function filesOf(d: Deployment): (name: string) => string {
  const file = handed.get(d) ?? writeDeployment(d, folder());
  handed.set(d, file);
  return file;
}
/** Beside the auditor's files, where its relative paths start; the same profile is the same file. */
export function profileFile(auditor: Deployment, options: ProfileOptions = {}): string {
  const bytes = profileBytes(auditor, options);
  return write(filesOf(auditor)("."), `${hex(sha256(bytes))}.yaml`, bytes);
}

export interface ReleaseQuestion extends Asked {
  /** The candidate manifest; default that of `from`. */
  readonly manifest?: Uint8Array | string;
  /** Bodies in place of those of `from`; null: the profile names none, so those in the deployment file. */
  readonly policies?: readonly Uint8Array[] | null;
}
/** `pm verify PROFILE --scope release --manifest FILE --json`. */
export function release(question: ReleaseQuestion = {}): Promise<Ran> {
  const { auditor = good(question.shape), profile = {}, args = [] } = question;
  const { from = auditor, policies = from.policies.map((p) => p.body) } = question;
  const dir = folder();
  policies?.forEach((body, i) => {
    write(dir, `${i}.toml`, body);
  });
  const bodies = but("deployment", { policies: policies === null ? null : dir });
  const change = (value: ProfileValue): ProfileValue => bodies(profile.change?.(value) ?? value);
  return runPm([
    ...["verify", profileFile(auditor, { ...profile, change }), "--scope", "release"],
    ...["--manifest", write(dir, "candidate.json", question.manifest ?? from.manifest)],
    ...["--at", recordedAt.toISOString(), "--json", ...args],
  ]);
}

/** `pm verify BUNDLE --profile FILE --json`, offline. */
export function replay(bundle: string, question: ReplayQuestion): Promise<Ran> {
  const { auditor, from = auditor, profile = {}, args = [] } = question;
  const file = typeof profile === "string" ? profile : profileFile(auditor, profile);
  return runPm([
    ...["verify", bundle, "--profile", file, "--json", "--offline"],
    ...["--insecure-trust-root", filesOf(from)("ark.pem"), ...args],
  ]);
}
export interface ReplayQuestion extends Omit<Asked, "profile"> {
  readonly auditor: Deployment;
  /** Text: a built-in profile by its name. */
  readonly profile?: ProfileOptions | string;
}

export interface RecordQuestion extends Asked {
  readonly tamper?: Tamper;
  /** In place of an answer: the Coordinator could not be reached. */
  readonly away?: boolean;
  /** More files in the bundle, which is then a folder. */
  readonly beside?: Readonly<Record<string, Uint8Array>>;
}
/** A replay of a bundle that is put together here. */
export async function record(question: RecordQuestion = {}): Promise<Ran> {
  const { auditor = good(question.shape), tamper, away = false, beside } = question;
  const { from = auditor } = question;
  const form: ApiForm = from.shape === "privatemode" ? "privatemode" : "attest";
  const at = recordedAt.toISOString();
  const ok = (request: Request, bytes: Uint8Array): Exchange => ({ request, response: { status: "ok", bytes, at } });
  const said = (value: object | null): Uint8Array => Buffer.from(JSON.stringify(value), "utf8");
  const draft = from.draft(nonce, form);
  const asked = attestRequest(form, nonce);
  const bundle = join(folder(), beside === undefined ? "bundle.tar" : "bundle");
  await writeBundle(bundle, {
    capturedAt: at,
    exchanges: [
      ok(nonceRequest, said({ nonce: hex(nonce) })),
      away
        ? { request: asked, response: { status: "unavailable", reason: "no connection" } }
        : ok(asked, answerBody(tamper?.(draft, from) ?? draft)),
      ok({ service: "amd-kds", path: "/vcek/v1/Genoa/crl", maxBytes: 1_000_000 }, from.crl),
      ok({ service: "memory", path: "/high-water/ARK-Genoa", maxBytes: 4096 }, said(null)),
    ],
  });
  for (const [name, content] of Object.entries(beside ?? {})) write(bundle, name, content);
  return replay(bundle, { ...question, auditor });
}

const startedAt = new Date();
/** A deployment of today, for live runs. */
export const changedToday = (options: HistoryOptions): Deployment => variantDeployment({ now: startedAt, ...options });
const knownToday = new Map<Shape, Deployment>();
export function today(shape: Shape = "small"): Deployment {
  const made = knownToday.get(shape) ?? changedToday({ shape });
  knownToday.set(shape, made);
  return made;
}

export interface LiveQuestion extends Asked {
  readonly hooks?: Hooks;
}
/** `pm verify PROFILE --json` of a running service, with a cache that this question alone has. */
export async function live(question: LiveQuestion = {}): Promise<Ran> {
  const { auditor = today(question.shape), profile = {}, hooks = {} } = question;
  const { from = auditor } = question;
  const dir = folder();
  const server = await startServer(from, { apiKey, ...hooks });
  const key = from.shape === "privatemode" ? ["--api-key-file", write(dir, "key.txt", apiKey)] : [];
  try {
    return await runPm(
      [
        ...["verify", profileFile(auditor, { ...profile, coordinator: server.url }), "--json"],
        ...["--insecure-trust-root", filesOf(from)("ark.pem"), "--kds-url", server.kdsUrl],
        ...key,
        ...(question.args ?? []),
      ],
      { env: { XDG_CACHE_HOME: join(dir, "cache") } },
    );
  } finally {
    await server.close();
  }
}
const apiKey = "pm-test-key-0123456789";
/** Path for a bundle that a run saves. */
export const savedBundle = (): string => join(folder(), "saved.tar");

/** Runs all of them, three at a time. */
export async function runAll<Name extends string>(
  runs: Readonly<Record<Name, () => Promise<Ran>>>,
): Promise<ReadonlyMap<Name, Ran>> {
  const left = Object.entries(runs) as [Name, () => Promise<Ran>][];
  const shown = new Map<Name, Ran>();
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) shown.set(next[0], await next[1]());
  };
  await Promise.all([work(), work(), work()]);
  return shown;
}

/** Owed claims with this status, as `id code`, each once and sorted. */
export function owed(report: Report, ...statuses: readonly string[]): string[] {
  if ("error" in report) throw new Error(`no report: ${JSON.stringify(report)}`);
  const found = report.claims.filter((c) => c.owed && statuses.includes(c.status));
  return [...new Set(found.map((c) => (c.code === undefined ? c.id : `${c.id} ${c.code}`)))].sort();
}
