/** Reads an evidence bundle, strictly: every blob checked, nothing beside what the index names (format: bundle.ts). */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { malformed, usage } from "../errors.ts";
import type { Exchange, Response } from "../run.ts";
import {
  type BlobRef,
  blobsOf,
  decodeIndex,
  type Entry,
  type Index,
  limits,
  type MeasuredFact,
  sha256Hex,
} from "./bundle-index.ts";
import { errorCode, loadBounded } from "./files.ts";
import { decodeTar } from "./tar.ts";

export interface Bundle {
  /** RFC 3339, the capturer's word. */
  readonly capturedAt: string;
  /** Sorted by key. `maxBytes` of a request is the length of its answer. */
  readonly exchanges: readonly Exchange[];
  readonly measured: readonly MeasuredFact[];
  /** SHA-256 of the index bytes, hex: it names the evidence, whether in a folder or a tar. */
  readonly sha256: string;
}

const indexName = "index.json";
const blobFolder = "blobs/sha256";

/**
 * From a folder, a tar file, or the bytes of a tar.
 * @throws PmError PM_USAGE when there is no such file; PM_EVIDENCE_MALFORMED naming what is wrong
 */
export async function readBundle(source: string | Uint8Array): Promise<Bundle> {
  if (typeof source !== "string") return decodeBundle(source);
  const status = await stat(source).catch((error: unknown) => {
    throw usage(`bundle: ${source}: cannot be read (${errorCode(error)})`);
  });
  if (status.isDirectory()) return assemble(await loadFolder(source));
  // Headers and padding come on top of the content: at most two blocks a file.
  const file = await loadBounded(source, limits.totalBytes + limits.entries * 2048);
  if (file === undefined) throw malformed(`bundle: ${source}: not a file, or more than ${limits.totalBytes} bytes`);
  return decodeBundle(file.bytes);
}

/** Bytes of a tar to a bundle, every blob's digest checked. @throws PmError PM_EVIDENCE_MALFORMED */
export const decodeBundle = (tar: Uint8Array): Bundle => assemble(decodeTar(tar, limits.entries * 2 + 1));

async function loadFolder(folder: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  let left: number = limits.totalBytes;
  const load = async (name: string, maxBytes: number): Promise<void> => {
    const file = await loadBounded(join(folder, name), Math.min(maxBytes, left));
    if (file === undefined) throw malformed(`bundle: ${name}: missing, unreadable or too large`);
    left -= file.bytes.length;
    files.set(name, file.bytes);
  };
  await only(
    folder,
    "",
    new Map([
      [indexName, "file"],
      ["blobs", "folder"],
    ]),
  );
  await load(indexName, limits.indexBytes);
  const named = blobsOf(decodeIndex(files.get(indexName) ?? new Uint8Array()));
  await only(folder, "blobs", new Map([["sha256", "folder"]]));
  await only(folder, blobFolder, new Map([...named.keys()].map((digest) => [digest, "file"])));
  for (const digest of named.keys()) await load(`${blobFolder}/${digest}`, limits.blobBytes);
  return files;
}

/** Refuses whatever else lies in the folder, links included; what is missing is noticed when it is read. */
async function only(folder: string, inside: string, allowed: ReadonlyMap<string, "file" | "folder">): Promise<void> {
  const entries = await readdir(join(folder, inside), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const kind = entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other";
    const name = inside === "" ? entry.name : `${inside}/${entry.name}`;
    if (allowed.get(entry.name) !== kind) throw malformed(`bundle: ${JSON.stringify(name)}: does not belong there`);
  }
}

function assemble(files: ReadonlyMap<string, Uint8Array>): Bundle {
  const bytes = files.get(indexName);
  if (bytes === undefined) throw malformed("bundle: index.json: missing");
  const index: Index = decodeIndex(bytes);
  const named = blobsOf(index);
  for (const name of files.keys())
    if (name !== indexName && !(name.startsWith(`${blobFolder}/`) && named.has(name.slice(blobFolder.length + 1))))
      throw malformed(`bundle: "${name}": not named by the index`);
  const checked = new Map<string, Uint8Array>();
  let total = 0;
  const blob = (ref: BlobRef, entry: Entry): Uint8Array => {
    const where = `bundle: entry "${entry.service} ${entry.path}": blob ${ref.sha256}`;
    const content = checked.get(ref.sha256) ?? files.get(`${blobFolder}/${ref.sha256}`);
    if (content === undefined) throw malformed(`${where}: missing`);
    if (content.length !== ref.size) throw malformed(`${where}: ${content.length} bytes, the index says ${ref.size}`);
    if (!checked.has(ref.sha256)) {
      total += content.length;
      if (total > limits.totalBytes) throw malformed(`bundle: more than ${limits.totalBytes} bytes`);
      if (sha256Hex(content) !== ref.sha256) throw malformed(`${where}: its content has another SHA-256`);
      checked.set(ref.sha256, new Uint8Array(content));
    }
    return checked.get(ref.sha256) ?? content;
  };
  const exchanges = index.entries.map((entry) => toExchange(entry, blob));
  return { capturedAt: index.capturedAt, exchanges, measured: index.measured, sha256: sha256Hex(bytes) };
}

function toExchange(entry: Entry, blob: (ref: BlobRef, entry: Entry) => Uint8Array): Exchange {
  const { service, path } = entry;
  const post = entry.post === undefined ? {} : { post: entry.post };
  if (entry.status !== "ok")
    return {
      request: { service, path, maxBytes: 0, ...post },
      response: { status: entry.status, reason: entry.reason },
    };
  const bytes = blob(entry, entry);
  const response: Response = {
    status: "ok",
    bytes,
    at: entry.at,
    ...(entry.contentType === undefined ? {} : { contentType: entry.contentType }),
    ...(entry.issuerChain === undefined ? {} : { issuerChain: entry.issuerChain }),
    ...(entry.offered === undefined ? {} : { offered: blob(entry.offered, entry) }),
  };
  return { request: { service, path, maxBytes: bytes.length, ...post }, response };
}
