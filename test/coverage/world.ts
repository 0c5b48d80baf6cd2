/** What the runs share: a folder, made-up deployments and guests, and ways to put a question to `pm`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../../demo/server.ts";
import { makeAmdCrl } from "../../fixtures/generator/amd.ts";
import { type ApiForm, answerBody } from "../../fixtures/generator/answer.ts";
import type { Deployment, Tamper } from "../../fixtures/generator/deployment.ts";
import { pem } from "../../fixtures/generator/der.ts";
import { sharedDeployment, sharedGuest, sharedNow, variantDeployment } from "../../fixtures/generator/shared.ts";
import { writeDeployment } from "../../fixtures/generator/write.ts";
import { nonceRequest } from "../../src/chain/nonce.ts";
import type { Exchange, Request } from "../../src/run.ts";
import { writeBundle } from "../../src/sources/bundle.ts";
import { attestRequest } from "../../src/verifiers/contrast/index.ts";
import { type Ran, runPm } from "../command.ts";

const root = mkdtempSync(join(tmpdir(), "pm-coverage-"));
export const removeWorld = (): void => rmSync(root, { recursive: true, force: true });

let folders = 0;
/** A folder for one run, so that runs can go on beside each other. */
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
const json = (args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
  runPm([...args, "--json"], { env });

/** Genoa, a version 5 report, judged at a fixed time. */
export const guest = sharedGuest("Genoa");
export const atShared = ["--at", sharedNow.toISOString(), "--offline"];

export interface SnpQuestion {
  /** Default: the guest's own. */
  readonly report?: Uint8Array;
  /** null: none given. */
  readonly vek?: Uint8Array | null;
  readonly crl?: Uint8Array | null;
  /** PEM list; default the ASK. */
  readonly chain?: string;
  readonly ark?: Uint8Array;
  /** A policy file's object. */
  readonly policy?: object;
  readonly args?: readonly string[];
}
/** `pm snp verify` of a report with its certificates as files. */
export function snp(question: SnpQuestion = {}): Promise<Ran> {
  const dir = folder();
  const { vek = guest.vek.certificate, crl = makeAmdCrl(guest.authority), args = ["--authentic-only"] } = question;
  return json([
    ...["snp", "verify", write(dir, "report.bin", question.report ?? guest.report)],
    ...(vek === null ? [] : ["--vek", write(dir, "vek.der", vek)]),
    ...["--chain", write(dir, "chain.pem", question.chain ?? pem(guest.authority.ask.certificate))],
    ...(crl === null ? [] : ["--crl", write(dir, "crl.der", crl)]),
    ...["--insecure-trust-root", write(dir, "ark.der", question.ark ?? guest.authority.ark.certificate)],
    ...(question.policy === undefined
      ? []
      : ["--policy-file", write(dir, "policy.json", JSON.stringify(question.policy))]),
    ...atShared,
    ...args,
  ]);
}

export const deployment = sharedDeployment();
const nonce = new Uint8Array(32).fill(0x5a);

export interface AttestQuestion {
  readonly from?: Deployment;
  readonly tamper?: Tamper;
  /** Edits the body of the answer. */
  readonly body?: (body: Uint8Array) => Uint8Array;
  /** The manifest that the auditor pins; default the deployment's. */
  readonly manifest?: Uint8Array;
  readonly args?: readonly string[];
}
/** `pm coordinator attest` of a recorded exchange. */
export function attest({ from = deployment, tamper, body = (b) => b, ...more }: AttestQuestion = {}): Promise<Ran> {
  const dir = folder();
  const request = write(dir, "request.json", JSON.stringify({ nonce: Buffer.from(nonce).toString("base64") }));
  const response = write(dir, "response.json", body(from.respond(nonce, "attest", tamper)));
  const ark = write(dir, "ark.pem", pem(from.authority.ark.certificate));
  return json([
    ...["coordinator", "attest", "--response", response, "--request", request],
    ...["--manifest", write(dir, "manifest.json", more.manifest ?? from.manifest)],
    ...["--insecure-trust-root", ark, ...atShared, ...(more.args ?? [])],
  ]);
}

/** `pm manifest check`. */
export const check = (manifest: Uint8Array | string, ...args: string[]): Promise<Ran> =>
  json(["manifest", "check", write(folder(), "manifest.json", manifest), ...args]);

/** In the past of any clock, so that a captured time can be in its order. */
const recordedAt = new Date("2025-06-01T00:00:00Z");
let recordedDeployment: Deployment | undefined;
/** The deployment that bundles are made from. */
export const recorded = (): Deployment => {
  recordedDeployment ??= variantDeployment({ now: recordedAt });
  return recordedDeployment;
};

export interface BundleQuestion {
  readonly form?: ApiForm;
  readonly tamper?: Tamper;
  /** Default the deployment's own day. */
  readonly capturedAt?: string;
  /** Day on which the manifest's pin was taken over on first sight. */
  readonly firstUse?: string;
  /** Members of the profile beside version, service and manifest. */
  readonly profile?: string;
  /** Body of GET /capabilities. */
  readonly capabilities?: Uint8Array;
  readonly nonceRecord?: object;
  /** What this installation saw of the ARK's lists before. */
  readonly mark?: object;
  readonly args?: readonly string[];
}
/** `pm verify BUNDLE --profile FILE` of a bundle put together here. */
export async function replay(question: BundleQuestion): Promise<Ran> {
  const dir = folder();
  const d = recorded();
  const form = question.form ?? "attest";
  const ok = (request: Request, bytes: Uint8Array): Exchange => ({
    request,
    response: { status: "ok", bytes, at: recordedAt.toISOString() },
  });
  const said = (value: object | null): Uint8Array => Buffer.from(JSON.stringify(value), "utf8");
  const draft = d.draft(nonce, form);
  const crl = { service: "amd-kds", path: "/vcek/v1/Genoa/crl", maxBytes: 1_000_000 } as const;
  const mark = { service: "memory", path: "/high-water/ARK-Genoa", maxBytes: 4096 } as const;
  const capabilities = { service: "coordinator", path: "/capabilities", maxBytes: 64 * 1024 } as const;
  const bundle = join(dir, "bundle.tar");
  await writeBundle(bundle, {
    capturedAt: question.capturedAt ?? recordedAt.toISOString(),
    exchanges: [
      ok(nonceRequest, said(question.nonceRecord ?? { nonce: Buffer.from(nonce).toString("hex") })),
      ok(attestRequest(form, nonce), answerBody(question.tamper?.(draft, d) ?? draft)),
      ok(crl, d.crl),
      ok(mark, said(question.mark ?? null)),
      ...(question.capabilities === undefined ? [] : [ok(capabilities, question.capabilities)]),
    ],
  });
  const manifest = write(dir, "manifest.json", d.manifest);
  const firstUse = question.firstUse === undefined ? "" : `, firstUse: ${question.firstUse}`;
  const profile = `version: 1\nservice: contrast\nmanifest: { reference: pinned, file: ${manifest}${firstUse} }\n${question.profile ?? ""}`;
  return json([
    ...["verify", bundle, "--profile", write(dir, "pm.yaml", profile)],
    ...["--insecure-trust-root", write(dir, "ark.pem", pem(d.authority.ark.certificate))],
    ...["--at", recordedAt.toISOString(), "--offline", ...(question.args ?? [])],
  ]);
}

/** A live Coordinator and key service; `ask` runs `pm verify` against them with a cache that this run alone has. */
export async function live(
  ask: (verify: (...args: string[]) => Promise<Ran>, server: Awaited<ReturnType<typeof startServer>>) => Promise<Ran>,
): Promise<Ran> {
  const dir = folder();
  const d = sharedDeployment(new Date());
  const file = writeDeployment(d, dir);
  const server = await startServer(d);
  const base = ["verify", "contrast", "--coordinator", server.url, "--kds-url", server.kdsUrl];
  const pins = ["--manifest", file("manifest.json"), "--measurement", d.measurement];
  const verify = (...args: string[]): Promise<Ran> =>
    json([...base, "--insecure-trust-root", file("ark.pem"), ...pins, ...args], { XDG_CACHE_HOME: join(dir, "cache") });
  try {
    return await ask(verify, server);
  } finally {
    await server.close();
  }
}
