/**
 * The Privatemode proxy's log of manifests: a folder with `log.txt`, a line "RFC 3339 time, space, path" for each
 * manifest that it was given, and the manifests as `0.json`, `1.json` and so on beside it. Paths in the log are the
 * proxy's: only their last part is used, so that no line can name a file elsewhere.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { usage } from "../errors.ts";
import { loadBounded } from "./files.ts";

export interface LoggedManifest {
  /** Line in log.txt, from 1. */
  readonly line: number;
  /** As written. */
  readonly time: string;
  /** Name of the file in the folder. */
  readonly file: string;
  /** Undefined: the file is missing, is no file, or longer than any manifest. */
  readonly bytes: Uint8Array | undefined;
}
export interface ManifestLog {
  readonly entries: readonly LoggedManifest[];
  /** What is wrong with the log itself, with its line. */
  readonly problems: readonly string[];
}

const logName = "log.txt";
const maxLogBytes = 4 * 1024 * 1024;
const maxManifestBytes = 4 * 1024 * 1024;
const maxEntries = 10_000;
const maxTotalBytes = 256 * 1024 * 1024;

/** Whether the folder looks like one. */
export const isManifestLog = async (folder: string): Promise<boolean> =>
  (await readdir(folder).catch((): string[] => [])).includes(logName);

/** @throws PmError PM_USAGE when the log cannot be read, or is longer than any log */
export async function readManifestLog(folder: string): Promise<ManifestLog> {
  const log = await loadBounded(join(folder, logName), maxLogBytes);
  if (log === undefined) throw usage(`${folder}: ${logName} cannot be read, or has more than ${maxLogBytes} bytes`);
  const lines = new TextDecoder().decode(log.bytes).split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length > maxEntries) throw usage(`${folder}: ${logName}: more than ${maxEntries} lines`);
  const problems: string[] = [];
  const entries: LoggedManifest[] = [];
  const files = new Map<string, Uint8Array | undefined>();
  let total = 0;
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    const [, time = "", path = ""] = /^(\S+) (.+?)\r?$/.exec(text) ?? [];
    const file = path.split(/[/\\]/).at(-1) ?? "";
    if (!isTime(time) || !/^\d{1,10}\.json$/.test(file)) {
      problems.push(`${logName} line ${line}: not a time and the path of a manifest N.json`);
      continue;
    }
    if (!files.has(file)) {
      const bytes = (await loadBounded(join(folder, file), maxManifestBytes))?.bytes;
      total += bytes?.length ?? 0;
      if (total > maxTotalBytes) throw usage(`${folder}: more than ${maxTotalBytes} bytes of manifests`);
      files.set(file, bytes);
    }
    const bytes = files.get(file);
    if (bytes === undefined)
      problems.push(`${logName} line ${line}: ${file} is missing, or no file of a manifest's size`);
    entries.push({ line, time, file, bytes });
  }
  return { entries, problems: [...problems, ...unsorted(entries), ...(await unnamed(folder, files))] };
}

/** RFC 3339, in any zone: the proxy writes its own. */
const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text) && Number.isFinite(Date.parse(text));

/** The proxy only appends: a time before the one above it means that somebody edited the log, or its clock. */
const unsorted = (entries: readonly LoggedManifest[]): string[] =>
  entries.flatMap((entry, i) => {
    const before = entries[i - 1];
    return before !== undefined && Date.parse(entry.time) < Date.parse(before.time)
      ? [`${logName} line ${entry.line}: ${entry.time} is earlier than ${before.time} in line ${before.line}`]
      : [];
  });

async function unnamed(folder: string, files: ReadonlyMap<string, unknown>): Promise<string[]> {
  const there = (await readdir(folder)).filter((name) => /^\d{1,10}\.json$/.test(name) && !files.has(name));
  return there.sort().map((name) => `${name}: no line of ${logName} names it`);
}
