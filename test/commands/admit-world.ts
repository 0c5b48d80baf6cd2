/** `pm manifest admit` as a user runs it: evidence of a workload of the shared deployment, with at most one thing wrong. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerBody, type Draft } from "../../fixtures/generator/answer.ts";
import { pem } from "../../fixtures/generator/der.ts";
import { sharedDeployment, sharedNow } from "../../fixtures/generator/shared.ts";
import { type Ran, runPm } from "../command.ts";

const root = mkdtempSync(join(tmpdir(), "pm-admit-"));
export const removeAdmitWorld = (): void => rmSync(root, { recursive: true, force: true });

export const deployment = sharedDeployment();
const found = deployment.policies.find((p) => p.workload.name === "secret-service");
if (found === undefined) throw new Error("the deployment has no secret service");
/** The workload that wants to join. */
export const workload = found;
const nonce = new Uint8Array(32).fill(7);

/** The go-sev-guest protobuf of the workload's report, with certificates and CRL. */
export function evidenceOf(change: (draft: Draft) => Draft = (draft) => draft): Uint8Array {
  const draft = deployment.draft(nonce);
  const answer = answerBody(change({ ...draft, fields: { ...draft.fields, hostData: workload.hash } }));
  const { raw_attestation_doc: text } = JSON.parse(Buffer.from(answer).toString("utf8")) as Record<string, string>;
  return new Uint8Array(Buffer.from(text ?? "", "base64"));
}

export interface AdmitQuestion {
  readonly evidence?: Uint8Array;
  readonly manifest?: Uint8Array | string;
  /** Files of the folder that --policies names. */
  readonly policies?: Readonly<Record<string, Uint8Array>>;
  readonly args?: readonly string[];
}

let folders = 0;
export function admitted({ args = ["--json"], ...q }: AdmitQuestion = {}): Promise<Ran> {
  const dir = join(root, String(folders++));
  mkdirSync(join(dir, "policies"), { recursive: true });
  const write = (name: string, content: Uint8Array | string): string => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  for (const [name, body] of Object.entries(q.policies ?? {})) write(`policies/${name}`, body);
  return runPm([
    ...["manifest", "admit", "--evidence", write("evidence.bin", q.evidence ?? evidenceOf())],
    ...["--manifest", write("manifest.json", q.manifest ?? deployment.manifest)],
    ...["--insecure-trust-root", write("ark.pem", pem(deployment.authority.ark.certificate))],
    ...["--at", sharedNow.toISOString(), "--offline"],
    ...(q.policies === undefined ? [] : ["--policies", join(dir, "policies")]),
    ...args,
  ]);
}
