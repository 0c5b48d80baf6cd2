/**
 * Git as a store of objects: which refs there are, and the bytes of objects by id. Whoever made the folder wrote its
 * configuration too, so git is asked by two plumbing commands only, neither of which reads the index, checks anything
 * out, or runs filters; ids go in by stdin, and no name out of the folder reaches a command line.
 */
import { realpath } from "node:fs/promises";
import { delimiter, dirname } from "node:path";
import { PmError, usage } from "../errors.ts";
import { systemReason } from "../system-reason.ts";
import { absoluteFolders, type ChildResult, onPath, runChild } from "./child.ts";
import { type GitObject, hasItsId } from "./git-objects.ts";

export interface GitRef {
  /** In full: refs/tags/v1. */
  readonly name: string;
  /** Of a commit, an annotated tag, or whatever else. */
  readonly id: string;
}
/** Why an object's bytes are not at hand. */
export interface Unread {
  readonly code: "object-missing" | "object-size" | "object-damaged";
  readonly reason: string;
}
/** By git's word alone. */
export interface Stated {
  readonly type: string;
  readonly sizeBytes: number;
}
export interface Repository {
  /** Tags when `prefix` is refs/tags/. Further, what git said about refs that it left out. */
  refs(prefix: "refs/" | "refs/tags/"): Promise<{ readonly refs: readonly GitRef[]; readonly left: readonly string[] }>;
  /** Each id once: what the folder says of its objects, which nothing was made again of. */
  sizes(ids: readonly string[]): Promise<ReadonlyMap<string, Stated | Unread>>;
  /** Each id once. An object whose bytes have another id is not handed out. */
  read(ids: readonly string[], maxBytes: number): Promise<ReadonlyMap<string, GitObject | Unread>>;
}

const mebibyte = 1024 * 1024;
const maxRefBytes = 32 * mebibyte;
/** Objects that one run of git hands over. */
const chunkBytes = 64 * mebibyte;
const chunkObjects = 5000;
/** Git ends at an object that it cannot read; it is left out and the others are asked for again, this often. */
const maxRestarts = 32;
/** `ID TYPE SIZE` and two line ends. */
const maxHeader = 128;
/** All of git together. */
const timeLimitMs = 120_000;

/** Whatever the folder's configuration says: no program is started, and nothing is fetched. */
const config = ["core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat", "protocol.allow=never"];
const always = ["--no-pager", "--no-replace-objects", "--no-optional-locks", ...config.flatMap((c) => ["-c", c])];

/** None of the caller's own: GIT_DIR and its like would lead elsewhere. */
const environment = (folder: string): Record<string, string> => ({
  PATH: absoluteFolders(process.env["PATH"] ?? "").join(delimiter),
  HOME: "/dev/null",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  // An object that a partial clone lacks is missing. Older git does not know the first; the second allows no protocol.
  GIT_NO_LAZY_FETCH: "1",
  GIT_ALLOW_PROTOCOL: "",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_GRAFT_FILE: "/dev/null",
  // The folder itself, and none above it: those may be somebody else's.
  GIT_CEILING_DIRECTORIES: dirname(folder),
});

/**
 * @param folder a working tree, a linked one, or a bare repository
 * @param flag what named the folder, for messages
 * @throws PmError PM_USAGE without git or where the folder is none
 */
export async function openRepository(folder: string, signal?: AbortSignal, flag = "--repo"): Promise<Repository> {
  const git = await onPath("git");
  if (git === undefined)
    throw usage("git was not found on PATH", "install git, or put it into an absolute folder of PATH");
  const real = await realpath(folder).catch((error: unknown) => {
    throw usage(`${flag}: ${folder}: ${systemReason(error)}`, "name a folder with a git repository");
  });
  const env = environment(real);
  const deadline = Date.now() + timeLimitMs;
  const run = async (args: readonly string[], maxBytes: number, stdin?: string): Promise<ChildResult> => {
    const timeoutMs = Math.max(1, deadline - Date.now());
    const options = { cwd: real, env, maxBytes, timeoutMs };
    const more = { ...(stdin === undefined ? {} : { stdin }), ...(signal === undefined ? {} : { signal }) };
    const result = await runChild(git, [...always, ...args], { ...options, ...more }).catch((error: unknown) => {
      throw usage(`${git}: ${systemReason(error)}`, `check that git runs, and that ${folder} is a folder`);
    });
    if (result.timedOut) throw refused(`git took longer than ${timeLimitMs / 1000} seconds`);
    return result;
  };
  return {
    refs: async (prefix) => {
      // The pattern is a constant: names are chosen here, not by git.
      const result = await run(["for-each-ref", "--format=%(objectname) %(refname)", prefix], maxRefBytes);
      if (result.truncated) throw refused(`git lists more than ${maxRefBytes} bytes of refs`);
      if (result.status !== 0) throw gitFailed(folder, result);
      return { refs: refsOf(result.stdout), left: linesOf(result.stderr) };
    },
    sizes: (ids) => sizesOf(run, ids),
    read: (ids, maxBytes) => readObjects(run, ids, maxBytes),
  };
}

type Run = (args: readonly string[], maxBytes: number, stdin?: string) => Promise<ChildResult>;

const refused = (message: string): PmError => new PmError("PM_SOURCE_REFUSED", message);
const linesOf = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");
const firstLine = (text: string): string => linesOf(text)[0] ?? "it gave no reason";

function gitFailed(folder: string, { stderr }: ChildResult): PmError {
  if (stderr.includes("dubious ownership"))
    return usage(
      `${folder}: the repository belongs to another user, and git does not read it`,
      "clone it yourself, or run pm as its owner; pm switches this check of git's off for nobody",
    );
  if (stderr.includes("not a git repository"))
    return usage(`${folder}: no git repository`, "name the top folder of a clone, or a bare repository");
  return refused(`${folder}: git could not list its refs: ${firstLine(stderr)}`);
}

function refsOf(stdout: Uint8Array): GitRef[] {
  return linesOf(new TextDecoder().decode(stdout)).map((line) => {
    const [, id, name] = /^([0-9a-f]{40}|[0-9a-f]{64}) (refs\/.+)$/.exec(line) ?? [];
    if (id === undefined || name === undefined) throw refused("git lists refs in a form that pm does not know");
    return { id, name };
  });
}

interface Sized {
  readonly id: string;
  readonly sizeBytes: number;
}

async function sizesOf(run: Run, ids: readonly string[]): Promise<ReadonlyMap<string, Stated | Unread>> {
  const wanted = [...new Set(ids)];
  const text = wanted.map((id) => `${id}\n`).join("");
  const checked = wanted.length === 0 ? undefined : await run(["cat-file", "--batch-check"], wanted.length * 256, text);
  const lines = linesOf(Buffer.from(checked?.stdout ?? []).toString("latin1"));
  return new Map(
    wanted.map((id, index): readonly [string, Stated | Unread] => {
      const [, own, type, size] = /^(\w+) ([a-z]+) (\d{1,15})$/.exec(lines[index] ?? "") ?? [];
      return own !== id || type === undefined || size === undefined
        ? [id, { code: "object-missing", reason: `object ${id} is not in this repository` }]
        : [id, { type, sizeBytes: Number(size) }];
    }),
  );
}

/** Sizes first: nothing is asked for that is too large. */
async function readObjects(
  run: Run,
  ids: readonly string[],
  maxBytes: number,
): Promise<ReadonlyMap<string, GitObject | Unread>> {
  const found = new Map<string, GitObject | Unread>();
  const sized: Sized[] = [];
  for (const [id, stated] of await sizesOf(run, ids)) {
    if ("reason" in stated) found.set(id, stated);
    else if (stated.sizeBytes > maxBytes)
      found.set(id, { code: "object-size", reason: `${stated.sizeBytes} bytes, more than the limit of ${maxBytes}` });
    else sized.push({ id, sizeBytes: stated.sizeBytes });
  }
  let restarts = 0;
  for (let at = 0; at < sized.length; ) {
    const chunk = chunkFrom(sized, at);
    const limit = chunk.reduce((sum, o) => sum + o.sizeBytes + maxHeader, 0);
    const asked = chunk.map((o) => `${o.id}\n`).join("");
    const result = await run(["cat-file", "--batch"], limit, asked);
    const objects = objectsOf(result.stdout, chunk);
    for (const object of objects) found.set(object.id, hasItsId(object) ? object : damaged(object.id));
    at += objects.length;
    if (objects.length === chunk.length) continue;
    const broken = chunk[objects.length];
    restarts++;
    if (restarts > maxRestarts)
      throw refused(`git could not read objects of this repository: ${firstLine(result.stderr)}`);
    if (broken !== undefined)
      found.set(broken.id, { code: "object-damaged", reason: `object ${broken.id}: ${firstLine(result.stderr)}` });
    at++;
  }
  return found;
}

const damaged = (id: string): Unread => ({
  code: "object-damaged",
  reason: `object ${id}: its bytes have another id: the repository's folder was changed, or is broken`,
});

function chunkFrom(list: readonly Sized[], from: number): readonly Sized[] {
  let [to, bytes] = [from, 0];
  while (to < list.length && to - from < chunkObjects) {
    bytes += list[to]?.sizeBytes ?? 0;
    if (to > from && bytes > chunkBytes) break;
    to++;
  }
  return list.slice(from, to);
}

/** The objects that came whole, in the order of the question; the first one that did not ends the list. */
function objectsOf(stdout: Uint8Array, asked: readonly Sized[]): GitObject[] {
  const bytes = Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength);
  const objects: GitObject[] = [];
  let at = 0;
  for (const { id } of asked) {
    const line = bytes.indexOf(0x0a, at);
    const [, own, type, size] =
      /^(\w+) ([a-z]+) (\d{1,15})$/.exec(line < 0 ? "" : bytes.toString("latin1", at, Math.min(line, at + 256))) ?? [];
    const end = line + 1 + Number(size ?? 0);
    if (own !== id || type === undefined || bytes[end] !== 0x0a) return objects;
    objects.push({ id, type, content: new Uint8Array(bytes.subarray(line + 1, end)) });
    at = end + 1;
  }
  return objects;
}
