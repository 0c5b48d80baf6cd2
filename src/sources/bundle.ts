/**
 * Evidence bundle: the exact questions and answers of a run, failures included, as a folder or a tar of `index.json`
 * and `blobs/sha256/<hex>`. It is evidence and never authority: no profile, root, owed list or waiver is in it.
 * The same evidence gives the same bytes.
 */
import { createWriteStream } from "node:fs";
import { lstat, mkdir, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { PmError, usage } from "../errors.ts";
import type { Exchange } from "../run.ts";
import {
  type BlobRef,
  decodeIndex,
  type Entry,
  encodeIndex,
  limits,
  type MeasuredFact,
  sha256Hex,
} from "./bundle-index.ts";
import { readBundle } from "./bundle-read.ts";
import { errorCode, temporaryName } from "./files.ts";

export type { MeasuredFact } from "./bundle-index.ts";
export { type Bundle, decodeBundle, readBundle } from "./bundle-read.ts";

const indexName = "index.json";

export interface BundleContent {
  /** RFC 3339, UTC. */
  readonly capturedAt: string;
  readonly exchanges: readonly Exchange[];
  readonly measured?: readonly MeasuredFact[];
}

/**
 * A tar where `target` ends in `.tar`, else a folder; under a temporary name first, so that `target` is whole or absent.
 * An older bundle there is replaced, anything else is not.
 * @returns SHA-256 of the index, hex
 * @throws PmError PM_USAGE when the target cannot be written
 */
export async function writeBundle(target: string, content: BundleContent): Promise<string> {
  if (/\.(tgz|gz|zip|xz|zst)$/.test(target))
    throw usage(`bundle: ${target}: is written as a folder or as .tar, never compressed`);
  const files = encodeFiles(content);
  const index = files.get(indexName) ?? new Uint8Array();
  const temporary = temporaryName(target);
  try {
    await mayReplace(target);
    await (target.endsWith(".tar") ? writeTar(temporary, files) : writeFolder(temporary, files));
    await putInPlace(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    if (error instanceof PmError) throw error;
    throw usage(`bundle: ${target}: cannot be written (${errorCode(error)})`);
  }
  return sha256Hex(index);
}

/** SHA-256 of the index that a bundle of this content has, hex; whether it is written or not. */
export const bundleSha256 = (content: BundleContent): string =>
  sha256Hex(encodeFiles(content).get(indexName) ?? new Uint8Array());

/** Names and content, in the order in which a tar holds them: the index first, then blobs by digest. */
function encodeFiles(content: BundleContent): ReadonlyMap<string, Uint8Array> {
  const blobs = new Map<string, Uint8Array>();
  const keep = (bytes: Uint8Array): BlobRef => {
    const sha256 = sha256Hex(bytes);
    blobs.set(sha256, bytes);
    return { sha256, size: bytes.length };
  };
  const entries = content.exchanges.flatMap((exchange) => toEntry(exchange, keep));
  const index = encodeIndex({ capturedAt: content.capturedAt, entries, measured: content.measured ?? [] });
  const total = [...blobs.values()].reduce((sum, bytes) => sum + bytes.length, index.length);
  if (total > limits.totalBytes) throw usage(`bundle: more than ${limits.totalBytes} bytes of evidence`);
  decodeIndex(index); // what pm would not read back, it does not write
  const named = [...blobs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([d, bytes]) => [`blobs/sha256/${d}`, bytes] as const);
  return new Map([[indexName, index], ...named]);
}

/** By allow-list: service, path and POST body of the request, and nothing that was sent beside them. */
function toEntry({ request, response }: Exchange, keep: (bytes: Uint8Array) => BlobRef): Entry[] {
  const { service } = request;
  // What pm itself computed is no evidence, and is computed again in a replay.
  if (service === "policy-engine") return [];
  const asked = {
    service,
    path: request.path,
    ...(request.post === undefined ? {} : { post: request.post }),
  };
  if (response.status !== "ok") return [{ ...asked, status: response.status, reason: response.reason }];
  const entry: Entry = {
    ...asked,
    status: "ok",
    at: response.at,
    ...(response.contentType === undefined ? {} : { contentType: response.contentType }),
    ...(response.issuerChain === undefined ? {} : { issuerChain: response.issuerChain }),
    ...keep(response.bytes),
    ...(response.offered === undefined ? {} : { offered: keep(response.offered) }),
  };
  return [entry];
}

async function writeFolder(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await mkdir(join(folder, "blobs", "sha256"), { recursive: true });
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes, { flag: "wx" });
}

async function writeTar(file: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const { pack } = await import("tar-stream");
  const tar = pack();
  // Everything that a tar header could say about the machine or the moment is fixed.
  const header = { mode: 0o644, uid: 0, gid: 0, uname: "", gname: "", mtime: new Date(0), type: "file" } as const;
  for (const [name, bytes] of files)
    tar.entry({ ...header, name, size: bytes.length }, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  tar.finalize();
  await pipeline(tar, createWriteStream(file, { flags: "wx" }));
}

/** @throws PmError PM_USAGE when something is there that is neither an intact bundle nor an empty folder */
async function mayReplace(target: string): Promise<void> {
  const there = await lstat(target).catch(() => undefined);
  if (there === undefined) {
    await lstat(dirname(target)); // says which folder is missing
    return;
  }
  if (there.isDirectory() && (await readdir(target)).length === 0) return rmdir(target);
  const intact = await readBundle(target).then(
    () => !there.isSymbolicLink(),
    () => false,
  );
  if (!intact || there.isDirectory() === target.endsWith(".tar"))
    throw usage(`bundle: ${target}: is there already and is not a bundle of this form`, "give another name");
}

/** A folder cannot be renamed over a full one: the old one steps aside first and comes back if that fails. */
async function putInPlace(temporary: string, target: string): Promise<void> {
  const there = await lstat(target).catch(() => undefined);
  if (there === undefined || !there.isDirectory()) return rename(temporary, target);
  const aside = temporaryName(target);
  await rename(target, aside);
  try {
    await rename(temporary, target);
  } catch (error) {
    await rename(aside, target);
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}
