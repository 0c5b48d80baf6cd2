/** Questions to `pm endpoint verify` about the shared deployment, each in a folder of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Deployment, Tamper } from "../../fixtures/generator/deployment.ts";
import { pem } from "../../fixtures/generator/der.ts";
import { makeTdxDeployment, type TdxDeployment } from "../../fixtures/generator/intel-deployment.ts";
import {
  type ExchangeDraft,
  exchangeDraft,
  exchangeJson,
  type LeafDefect,
  makeLeaf,
  workload,
} from "../../fixtures/generator/mesh.ts";
import { makeTdxLeaf, type TdxLeafDefect } from "../../fixtures/generator/mesh-tdx.ts";
import { sha256 } from "../../fixtures/generator/policies.ts";
import { sharedDeployment, sharedNow, variantDeployment } from "../../fixtures/generator/shared.ts";
import { nonceRequest } from "../../src/chain/nonce.ts";
import type { Exchange, Request } from "../../src/run.ts";
import { writeBundle } from "../../src/sources/bundle.ts";
import { attestRequest } from "../../src/verifiers/contrast/index.ts";
import { type Ran, runPm } from "../command.ts";

const root = mkdtempSync(join(tmpdir(), "pm-endpoint-"));
export const removeEndpoints = (): void => rmSync(root, { recursive: true, force: true });

let folders = 0;
export function folder(): string {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
}
export const write = (dir: string, name: string, content: Uint8Array | string): string => {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
};

export interface EndpointFiles {
  readonly from?: Pick<Deployment, "meshCa" | "manifest" | "now">;
  readonly meshCa?: Uint8Array | string;
  readonly manifest?: Uint8Array | string;
  readonly args?: readonly string[];
}
/** `pm endpoint verify ... --json` with the pins of the deployment. */
export function verifyEndpoint(dir: string, what: readonly string[], files: EndpointFiles = {}): Promise<Ran> {
  const { from = sharedDeployment(), args = [] } = files;
  return runPm([
    ...["endpoint", "verify", ...what, "--json"],
    ...["--mesh-ca", write(dir, "mesh-ca.pem", files.meshCa ?? from.meshCa)],
    ...["--manifest", write(dir, "manifest.json", files.manifest ?? from.manifest)],
    ...(args.includes("--at") ? [] : ["--at", from.now.toISOString()]),
    ...args,
  ]);
}

export interface CertificateQuestion extends EndpointFiles {
  readonly from?: Deployment;
  readonly defect?: LeafDefect;
  /** In place of the leaf. */
  readonly bytes?: Uint8Array | string;
  /** PEM blocks behind the leaf. */
  readonly chain?: string;
}
/** A leaf of the secret service, or what stands in its place, as a file. */
export function certificate(question: CertificateQuestion = {}): Promise<Ran> {
  const dir = folder();
  const { from = sharedDeployment(), defect, chain = "" } = question;
  const leaf = makeLeaf(from, defect === undefined ? {} : { defect }).certificate;
  const file = write(dir, "leaf.pem", question.bytes ?? `${pem(leaf)}${chain}`);
  return verifyEndpoint(dir, ["--certificate", file, "--offline"], question);
}

let onTdx: TdxDeployment | undefined;
/** The deployment whose workloads run on TDX. */
export const tdxDeployment = (): TdxDeployment => {
  onTdx ??= makeTdxDeployment("shared", { now: sharedNow });
  return onTdx;
};
/** A leaf of its secret service as a file. */
export function tdxCertificate(defect?: TdxLeafDefect, args: readonly string[] = []): Promise<Ran> {
  const dir = folder();
  const from = tdxDeployment();
  const leaf = makeTdxLeaf(from, defect === undefined ? {} : { defect }).certificate;
  return verifyEndpoint(dir, ["--certificate", write(dir, "leaf.pem", pem(leaf)), "--offline"], { from, args });
}

export const demo = {
  san: "secret.demo.example",
  workloadSecretId: workload(sharedDeployment()).workloadSecretId,
} as const;
export const demoPins = ["--san", demo.san, "--workload-secret-id", demo.workloadSecretId] as const;

export interface ExchangeQuestion extends EndpointFiles {
  readonly from?: Deployment;
  readonly defect?: LeafDefect;
  readonly edit?: (draft: ExchangeDraft, deployment: Deployment) => ExchangeDraft;
  readonly lengths?: Parameters<typeof exchangeDraft>[2];
  /** The record's text, edited. */
  readonly text?: (json: string) => string;
  /** Certificate and key of another workload. */
  readonly workload?: string;
}
/** A recorded exchange with the deployment's secret service, whose names are given by flag. */
export function exchange(question: ExchangeQuestion = {}): Promise<Ran> {
  const dir = folder();
  const { from = sharedDeployment(), defect, edit = (d) => d, text = (t) => t } = question;
  const policy = question.workload === undefined ? {} : { policy: workload(from, question.workload) };
  const leaf = makeLeaf(from, { ...policy, ...(defect === undefined ? {} : { defect }) });
  const record = text(exchangeJson(edit(exchangeDraft(from, leaf, question.lengths), from)));
  const file = write(dir, "exchange.json", record);
  return verifyEndpoint(dir, ["--exchange", file, "--offline"], { args: demoPins, ...question });
}

/** SHA-256 of the public key in the plain exchange. */
export const exchangeKeySha256 = (): string => {
  const d = sharedDeployment();
  return Buffer.from(sha256(exchangeDraft(d, makeLeaf(d)).publicKey)).toString("hex");
};

/** In the past of any clock, so that a captured time can be in its order. */
const recordedAt = new Date("2025-06-01T00:00:00Z");
const nonce = new Uint8Array(32).fill(0x5a);
let remembered: Deployment | undefined;
/** The deployment of the recorded run. */
export const recorded = (): Deployment => {
  remembered ??= variantDeployment({ now: recordedAt });
  return remembered;
};

export interface BundleQuestion {
  readonly tamper?: Tamper;
  readonly defect?: LeafDefect;
  /** Launch measurement that the profile vouches for; null: none. */
  readonly measurement?: string | null;
  /** A live endpoint, judged now, in place of a certificate as a file. */
  readonly live?: { readonly address: string; readonly from: Deployment };
  readonly args?: readonly string[];
}
/** A certificate under the mesh CA of a recorded run, `pm endpoint verify --bundle`. */
export async function underBundle(question: BundleQuestion = {}): Promise<Ran> {
  const { live } = question;
  const [dir, d] = [folder(), live?.from ?? recorded()];
  const at = d.now.toISOString();
  const { measurement = d.measurement } = question;
  const ok = (request: Request, bytes: Uint8Array): Exchange => ({
    request,
    response: { status: "ok", bytes, at },
  });
  const said = (value: object | null): Uint8Array => Buffer.from(JSON.stringify(value), "utf8");
  const bundle = join(dir, "bundle.tar");
  await writeBundle(bundle, {
    capturedAt: at,
    exchanges: [
      ok(nonceRequest, said({ nonce: Buffer.from(nonce).toString("hex") })),
      ok(attestRequest("attest", nonce), d.respond(nonce, "attest", question.tamper)),
      ok({ service: "amd-kds", path: "/vcek/v1/Genoa/crl", maxBytes: 1_000_000 }, d.crl),
      ok({ service: "memory", path: "/high-water/ARK-Genoa", maxBytes: 4096 }, said(null)),
    ],
  });
  const profile = [
    "version: 1",
    "service: contrast",
    `manifest: { reference: pinned, file: ${write(dir, "manifest.json", d.manifest)} }`,
    ...(measurement === null ? [] : [`measurements: [${JSON.stringify(measurement)}]`]),
    "",
  ];
  const leaf = makeLeaf(d, question.defect === undefined ? {} : { defect: question.defect }).certificate;
  return runPm([
    ...["endpoint", "verify", "--json"],
    ...(live === undefined ? ["--certificate", write(dir, "leaf.der", leaf), "--offline"] : [live.address]),
    ...["--bundle", bundle, "--profile", write(dir, "pm.yaml", profile.join("\n"))],
    ...["--insecure-trust-root", write(dir, "ark.pem", pem(d.authority.ark.certificate))],
    ...(question.args ?? []),
  ]);
}
