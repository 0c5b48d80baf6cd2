/**
 * What a model disk should hold: the files of one commit of the model's repository, by their git blob ids and, where the
 * commit holds an LFS pointer, by the SHA-256 that the pointer names. `pm disk expect` writes it, the auditor keeps it.
 */
import { type JsonArray, type JsonNode, type JsonObject, type Place, readJson, repeated } from "../../bytes/json.ts";
import { malformed, unsupported } from "../../errors.ts";
import { excluder } from "./exclude.ts";
import type { LfsPointer } from "./lfs-pointer.ts";

export type ObjectFormat = "sha1" | "sha256";
/** Of a tree's entry: file, executable file, symbolic link. */
export type FileMode = "100644" | "100755" | "120000";

export interface ExpectedFile {
  /** From the top of the commit, parts joined by "/". */
  readonly path: string;
  readonly mode: FileMode;
  /** Id of the blob in the commit, lower-case hex; of an LFS file that is the pointer. */
  readonly blob: string;
  /** Of that blob. */
  readonly sizeBytes: number;
  /** What the pointer names. */
  readonly lfs?: LfsPointer;
}
export interface ExpectedFiles {
  /** In full, lower-case hex. */
  readonly commit: string;
  readonly objectFormat: ObjectFormat;
  /** Patterns of files that were left out. */
  readonly excluded: readonly string[];
  /** What the disk should hold, and at least one. */
  readonly files: readonly ExpectedFile[];
  /** What the patterns leave out. */
  readonly excludedFiles: readonly ExpectedFile[];
  /** Paths at which the commit names another repository's commit: empty folders in a checkout. */
  readonly submodules: readonly string[];
}

const expectKind = "pm-disk-expect";
/** Far more than a model's repository has. */
export const maxFiles = 100_000;
export const maxExpectBytes = 64 * 1024 * 1024;
const maxNodes = 2_000_000;
/** PATH_MAX and NAME_MAX of Linux. */
const maxPathBytes = 4096;
const maxNameBytes = 255;
export const maxDepth = 64;

/** Why no checkout can hold a file of this name; undefined: it can. */
export function pathProblem(path: string): string | undefined {
  if (Buffer.byteLength(path) > maxPathBytes) return `a path of more than ${maxPathBytes} bytes`;
  if (path.includes("\0")) return "a path with a NUL character";
  const names = path.split("/");
  if (names.length > maxDepth) return `a path of more than ${maxDepth} parts`;
  const wrong = names.find((name) => ["", ".", "..", ".git"].includes(name));
  if (wrong !== undefined) return `not a path from the top of a checkout: it has a part "${wrong}"`;
  return names.some((name) => Buffer.byteLength(name) > maxNameBytes)
    ? `a path with a part of more than ${maxNameBytes} bytes`
    : undefined;
}

/** By UTF-16 units: one order for the same files wherever it is made. */
const byPath = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Members in fixed order, files sorted: the same files give the same bytes. */
export function encodeExpect(expected: ExpectedFiles): string {
  const files = (list: readonly ExpectedFile[]) =>
    [...list]
      .sort((a, b) => byPath(a.path, b.path))
      .map(({ path, mode, blob, sizeBytes, lfs }) => ({
        ...{ path, mode, blob, sizeBytes },
        ...(lfs === undefined ? {} : { lfs: { sha256: lfs.sha256, sizeBytes: lfs.sizeBytes } }),
      }));
  const document = {
    schemaVersion: 1,
    kind: expectKind,
    commit: expected.commit,
    objectFormat: expected.objectFormat,
    excluded: expected.excluded,
    files: files(expected.files),
    excludedFiles: files(expected.excludedFiles),
    submodules: [...expected.submodules].sort(byPath),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

type Fail = (node: Pick<JsonNode, "offset">, problem: string) => Error;

/**
 * @param name of the file, for messages
 * @throws PmError PM_EVIDENCE_MALFORMED with line and column; PM_EVIDENCE_UNSUPPORTED for another schemaVersion
 */
export function decodeExpect(bytes: Uint8Array, name: string): ExpectedFiles {
  const { root, place } = readJson(bytes, { what: name, maxBytes: maxExpectBytes, maxNodes });
  const shown = ({ line, column }: Place): string => `line ${line}, column ${column}`;
  const fail: Fail = (node, problem) => malformed(`${name}: ${shown(place(node.offset))}: ${problem}`);
  const top = objectOf(root, fail);
  const kind = top.members.find((m) => m.name === "kind")?.value;
  if (kind?.kind !== "string" || kind.value !== expectKind)
    throw fail(kind ?? root, `kind is not ${expectKind}: make the file with pm disk expect`);
  const version = top.members.find((m) => m.name === "schemaVersion")?.value;
  if (version?.kind !== "number") throw fail(version ?? root, "schemaVersion is no number");
  if (version.text !== "1") throw unsupported(`${name}: schemaVersion ${version.text}; known: 1`);
  const get = membersOf(top, topMembers, [], fail);
  const objectFormat = textOf(get("objectFormat"), /^sha(1|256)$/, "sha1 or sha256", fail) as ObjectFormat;
  const id = new RegExp(`^[0-9a-f]{${objectFormat === "sha256" ? 64 : 40}}$`);
  const decoded: ExpectedFiles = {
    commit: textOf(get("commit"), id, `a whole ${objectFormat} id in lower-case hex`, fail),
    objectFormat,
    excluded: listOf(get("excluded"), fail).items.map((i) => textOf(i, /^[^\s,]+$/, "one pattern", fail)),
    files: listOf(get("files"), fail).items.map((i) => fileOf(i, id, fail)),
    excludedFiles: listOf(get("excludedFiles"), fail).items.map((i) => fileOf(i, id, fail)),
    submodules: listOf(get("submodules"), fail).items.map((i) => pathOf(i, fail)),
  };
  if (decoded.files.length === 0) throw fail(get("files"), "no file: a disk cannot be compared with nothing");
  if (decoded.files.length + decoded.excludedFiles.length + decoded.submodules.length > maxFiles)
    throw fail(get("files"), `more than ${maxFiles} files`);
  const problem = contradiction(decoded);
  if (problem !== undefined) throw fail(get("files"), problem);
  return decoded;
}

const topMembers = [
  ...["schemaVersion", "kind", "commit", "objectFormat"],
  ...["excluded", "files", "excludedFiles", "submodules"],
];

/** What no commit with these patterns gives. */
function contradiction({ excluded, files, excludedFiles, submodules }: ExpectedFiles): string | undefined {
  const paths = [...files, ...excludedFiles].map((f) => f.path).concat(submodules);
  const leaves = new Set(paths);
  if (leaves.size < paths.length) {
    const seen = new Set<string>();
    return `${paths.find((p) => seen.has(p) || seen.add(p) === undefined)} stands there twice`;
  }
  for (const path of paths) {
    const file = foldersOf(path).find((folder) => leaves.has(folder));
    if (file !== undefined) return `${path} lies below ${file}, which is no folder`;
  }
  const out = excluder(excluded);
  const kept = files.find((f) => out(f.path));
  if (kept !== undefined) return `${kept.path}: among the files, and a pattern leaves it out`;
  const left = excludedFiles.find((f) => !out(f.path));
  return left === undefined ? undefined : `${left.path}: among the excluded files, and no pattern leaves it out`;
}

/** The folders that a path lies in, outermost first, without the top itself. */
export function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) folders.push(path.slice(0, at));
  return folders;
}

function fileOf(node: JsonNode, id: RegExp, fail: Fail): ExpectedFile {
  const get = membersOf(objectOf(node, fail), ["path", "mode", "blob", "sizeBytes"], ["lfs"], fail);
  const mode = textOf(get("mode"), /^(100644|100755|120000)$/, "100644, 100755 or 120000", fail) as FileMode;
  const file = {
    path: pathOf(get("path"), fail),
    mode,
    blob: textOf(get("blob"), id, "a whole object id in lower-case hex", fail),
    sizeBytes: sizeOf(get("sizeBytes"), fail),
  };
  const lfs = objectOf(node, fail).members.find((m) => m.name === "lfs")?.value;
  if (lfs === undefined) return file;
  if (mode === "120000") throw fail(lfs, "a symbolic link is no LFS file");
  const pointer = membersOf(objectOf(lfs, fail), ["sha256", "sizeBytes"], [], fail);
  const sha256 = textOf(pointer("sha256"), /^[0-9a-f]{64}$/, "64 hex digits in lower case", fail);
  return { ...file, lfs: { sha256, sizeBytes: sizeOf(pointer("sizeBytes"), fail) } };
}

function objectOf(node: JsonNode, fail: Fail): JsonObject {
  if (node.kind !== "object") throw fail(node, "not an object");
  const [twice] = repeated(node);
  if (twice !== undefined) throw fail(twice, `member ${twice.name} twice`);
  return node;
}
function listOf(node: JsonNode, fail: Fail): JsonArray {
  if (node.kind !== "array") throw fail(node, "not a list");
  return node;
}
/** All of `needed`, of the rest none but `allowed`. */
function membersOf(
  object: JsonObject,
  needed: readonly string[],
  allowed: readonly string[],
  fail: Fail,
): (name: string) => JsonNode {
  const unknown = object.members.find((m) => !needed.includes(m.name) && !allowed.includes(m.name));
  if (unknown !== undefined)
    throw fail(unknown, `unknown member ${unknown.name}; known: ${[...needed, ...allowed].join(", ")}`);
  const missing = needed.find((n) => !object.members.some((m) => m.name === n));
  if (missing !== undefined) throw fail(object, `without ${missing}`);
  return (name) => object.members.find((m) => m.name === name)?.value ?? object;
}
function textOf(node: JsonNode, form: RegExp, wanted: string, fail: Fail): string {
  if (node.kind !== "string" || !form.test(node.value)) throw fail(node, `not ${wanted}`);
  return node.value;
}
function sizeOf(node: JsonNode, fail: Fail): number {
  const size = node.kind === "number" && /^(0|[1-9][0-9]{0,15})$/.test(node.text) ? Number(node.text) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw fail(node, "not a number of bytes");
  return size;
}
function pathOf(node: JsonNode, fail: Fail): string {
  const problem = node.kind === "string" ? pathProblem(node.value) : "not a text";
  if (node.kind !== "string" || problem !== undefined) throw fail(node, problem ?? "not a text");
  return node.value;
}
