/**
 * The Contrast CLI, driven in an empty folder. `src/measure` turns what is too big or too foreign for a verifier into
 * small facts: it alone starts other programs, and it never compares and never judges.
 *
 * The CLI edits what it is given in place, keeps a manifest.json that it finds, and takes layers from a cache that it
 * finds (Contrast v1.20, generate). So it gets a folder that nobody used before, with copies only, and a home of its own.
 */
import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { chmod, copyFile, mkdir, open, readdir, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { usage } from "../errors.ts";
import { systemReason } from "../system-reason.ts";
import { absoluteFolders, type ChildResult, onPath, runChild } from "./child.ts";
import { type PrivateFolder, withPrivateFolder } from "./private-folder.ts";

/** How a program ended. */
export type Ended =
  | { readonly kind: "exit"; readonly status: number; readonly lastLines: string }
  | { readonly kind: "signal"; readonly signal: string; readonly lastLines: string }
  | { readonly kind: "timeout"; readonly seconds: number }
  /** It wrote more than the limit to stdout. */
  | { readonly kind: "flood"; readonly limitBytes: number }
  /** The system would not start it. */
  | { readonly kind: "start"; readonly reason: string };

export interface PreparedCli {
  /** Where it was found. */
  readonly file: string;
  /** Of the very copy that is run, lower-case hex. */
  readonly sha256: string;
  /** What `contrast -v` says, such as v1.20.0; undefined: nothing of that form. */
  version(): Promise<string | undefined>;
  /** Puts a file beside the deployment file. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  run(args: readonly string[]): Promise<Ended>;
  /** Every file that the CLI can find in its folders, sorted, folder first. */
  contents(): Promise<readonly string[]>;
  /** A regular file that the CLI wrote beside the deployment file; undefined: none, or longer than the limit. */
  read(name: string, maxBytes: number): Promise<Uint8Array | undefined>;
}
export interface CliOptions {
  /** Undefined: the program `contrast` on PATH. */
  readonly file: string | undefined;
  /** For everything that is run, together. */
  readonly timeoutMs: number;
  readonly notice: (text: string) => void;
}

/** A release has some 150 MB. */
const maxCliBytes = 1024 * 1024 * 1024;
const maxOutputBytes = 8 * 1024 * 1024;
const maxNames = 1000;
const maxVersionMs = 30_000;
const maxLines = 5;
const maxLineLength = 300;

/**
 * Copies the CLI into a private folder, hands it over, and removes the folder.
 * @throws PmError PM_USAGE when there is no such program
 */
export async function withContrastCli<T>(options: CliOptions, use: (cli: PreparedCli) => Promise<T>): Promise<T> {
  const file = await findCli(options.file);
  return withPrivateFolder(async (folder) => {
    for (const name of ["bin", "work", "home", "tmp"]) await mkdir(join(folder.path, name), { mode: 0o700 });
    const copy = join(folder.path, "bin", "contrast");
    try {
      await copyFile(file, copy, constants.COPYFILE_EXCL);
      await chmod(copy, 0o500);
    } catch (error) {
      throw usage(`${file}: cannot be copied: ${systemReason(error)}`);
    }
    return use(prepared({ file, copy, sha256: await sha256Of(copy) }, folder, options.timeoutMs));
  }, options.notice);
}

async function findCli(named: string | undefined): Promise<string> {
  const file = named === undefined ? await onPath("contrast") : resolve(named);
  if (file === undefined)
    throw usage("no program contrast on PATH", "install the release that the service names, or name it with --cli");
  const status = await stat(file).catch((error: unknown) => {
    throw usage(`${named ?? file}: ${systemReason(error)}`, "--cli names the Contrast CLI");
  });
  if (!status.isFile()) throw usage(`${named ?? file}: is no regular file`, "--cli names the Contrast CLI");
  if (status.size > maxCliBytes) throw usage(`${named ?? file}: more than ${maxCliBytes} bytes, no Contrast CLI`);
  return file;
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

interface Copied {
  readonly file: string;
  readonly copy: string;
  readonly sha256: string;
}

function prepared({ file, copy, sha256 }: Copied, folder: PrivateFolder, timeoutMs: number): PreparedCli {
  const work = join(folder.path, "work");
  const env = environment(folder.path);
  const end = performance.now() + timeoutMs;
  const start = (args: readonly string[], mostMs = timeoutMs): Promise<ChildResult> => {
    const left = Math.min(mostMs, Math.max(1, Math.ceil(end - performance.now())));
    const running = runChild(copy, args, { cwd: work, env, maxBytes: maxOutputBytes, timeoutMs: left });
    folder.outliveChild();
    return running;
  };
  return {
    file,
    sha256,
    version: async () => {
      const said = await start(["-v"], maxVersionMs).catch(() => undefined);
      const text = said === undefined ? "" : Buffer.from(said.stdout).toString("utf8");
      return /^contrast version (v\d{1,3}\.\d{1,3}\.\d{1,3}[0-9A-Za-z.+-]{0,40})\s*$/m.exec(text)?.[1];
    },
    put: (name, bytes) => writeFile(join(work, name), bytes, { flag: "wx", mode: 0o600 }),
    run: (args) =>
      start(args).then(
        (result) => ended(result, timeoutMs, folder.path),
        (error: unknown): Ended => ({ kind: "start", reason: plainText(systemReason(error), folder.path) }),
      ),
    contents: () => contentsOf(folder.path),
    read: (name, maxBytes) => readWritten(join(work, name), maxBytes),
  };
}

/** What a registry client needs and nothing else: no credentials, no configuration, no cache of the person who runs pm. */
function environment(root: string): Record<string, string> {
  const home = join(root, "home");
  const passed = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  const proxies = passed.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(proxies),
    // Relative folders would lie in the folder of the deployment's copy.
    PATH: absoluteFolders(process.env["PATH"] ?? "").join(":"),
    HOME: home,
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local", "share"),
    XDG_STATE_HOME: join(home, ".local", "state"),
    TMPDIR: join(root, "tmp"),
  };
}

function ended(result: ChildResult, timeoutMs: number, root: string): Ended {
  if (result.timedOut) return { kind: "timeout", seconds: timeoutMs / 1000 };
  if (result.truncated) return { kind: "flood", limitBytes: maxOutputBytes };
  const said =
    result.stderr.trim() === "" ? Buffer.from(result.stdout.slice(-64 * 1024)).toString("utf8") : result.stderr;
  const lastLines = plainText(said, root);
  return result.status === null
    ? { kind: "signal", signal: result.signal ?? "unknown", lastLines }
    : { kind: "exit", status: result.status, lastLines };
}

/** The last lines on one, without terminal control, and without the folder's name, which is another in each run. */
function plainText(text: string, root: string): string {
  return (
    text
      .replaceAll(`${root}/`, "")
      .replaceAll(root, ".")
      // A proxy's name and password.
      .replace(/\/\/[^\s/@]*@/g, "//")
      .split(/\r?\n/)
      .map((line) =>
        line
          // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences are what is taken out
          .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "")
          .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, " ")
          .trim(),
      )
      .filter((line) => line !== "")
      .slice(-maxLines)
      .map((line) => (line.length > maxLineLength ? `${line.slice(0, maxLineLength)}...` : line))
      .join(" | ")
  );
}

async function contentsOf(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ["bin", "work", "home", "tmp"])
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isDirectory()) continue;
      found.push(join(entry.parentPath, entry.name).slice(root.length + 1));
      if (found.length > maxNames) return [...found.sort(), `more than ${maxNames} files`];
    }
  return found.sort();
}

/** A link or a pipe in the place of a file is no file. */
async function readWritten(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > maxBytes) return undefined;
    const bytes = await file.readFile();
    return bytes.length > maxBytes ? undefined : new Uint8Array(bytes);
  } finally {
    await file.close();
  }
}
