/** Policy bodies that an auditor has at hand: a folder of .toml files, or an evidence bundle with a Coordinator's answer. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { PmError, usage } from "../errors.ts";
import { readInput } from "../input.ts";
import { readBundle } from "../sources/bundle.ts";
import { systemReason } from "../system-reason.ts";
import { type ApiForm, attestRequest, decodeState } from "../verifiers/contrast/index.ts";

const maxBodyBytes = 4 * 1024 * 1024;
const maxBodies = 1000;
const forms: readonly ApiForm[] = ["attest", "v1", "privatemode"];

/**
 * Names mean nothing: a body is found by its digest. What a Coordinator's answer holds beside the bodies is not judged.
 * @throws PmError PM_USAGE for what cannot be read, or holds no body; PM_EVIDENCE_MALFORMED for a bundle that is broken
 */
export async function policyBodies(path: string): Promise<Uint8Array[]> {
  const status = await stat(path).catch((error: unknown) => {
    throw usage(`${path}: ${systemReason(error)}`, "a folder of .toml files, or an evidence bundle");
  });
  const names = status.isDirectory() ? await readdir(path) : [];
  const bodies =
    status.isDirectory() && !names.includes("index.json") ? await fromFolder(path, names) : await fromBundle(path);
  if (bodies.length === 0)
    throw usage(`${path}: no policy body in it`, "bodies are files that end in .toml, named anything");
  return bodies;
}

async function fromFolder(folder: string, names: readonly string[]): Promise<Uint8Array[]> {
  const files = names.filter((name) => name.endsWith(".toml")).sort();
  if (files.length > maxBodies) throw usage(`${folder}: more than ${maxBodies} files`);
  const bodies: Uint8Array[] = [];
  for (const name of files) bodies.push((await readInput(join(folder, name), "a policy body", maxBodyBytes)).bytes);
  return bodies;
}

async function fromBundle(path: string): Promise<Uint8Array[]> {
  const { exchanges } = await readBundle(path);
  for (const form of forms) {
    const asked = attestRequest(form, new Uint8Array(32)).path;
    const answer = exchanges.find(({ request }) => request.service === "coordinator" && request.path === asked);
    if (answer?.response.status === "ok") return [...decodeState(answer.response.bytes, form).policies];
  }
  throw new PmError("PM_EVIDENCE_MALFORMED", `${path}: the bundle holds no answer of a Coordinator`);
}
