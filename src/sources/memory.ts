/**
 * What this installation saw before: per issuer the highest CRL number and the latest thisUpdate. It stops a roll-back
 * by whoever can play an older, still valid CRL. One JSON file, only ever raised.
 */
import { mkdir, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PmError, usage } from "../errors.ts";
import type { Request, Response } from "../run.ts";
import { errorCode, type LoadedFile, loadBounded, writeWhole } from "./files.ts";
import { isTime } from "./time.ts";

/** Of a CRL whose signature was verified under the pinned root; nothing else may become a mark. */
export interface HighWaterMark {
  /** The verifier's name for the issuer, as in the request path (before percent-encoding). */
  readonly issuer: string;
  /** CRL number in decimal; null where the CRL has none. */
  readonly number: string | null;
  /** RFC 3339, UTC. */
  readonly thisUpdate: string;
}

const fileName = "high-water.json";
const maxFileBytes = 1_048_576;
const prefix = "/high-water/";

/** Path of the request whose answer is the JSON of the mark `{"number","thisUpdate"}`, or `null` where there is none. */
export const highWaterPath = (issuer: string): string => `${prefix}${encodeURIComponent(issuer)}`;

export const isHighWater = (request: Request): boolean =>
  request.service === "memory" && request.path.startsWith(prefix);

function issuerOf(path: string): string | undefined {
  if (!path.startsWith(prefix)) return undefined;
  try {
    return decodeURIComponent(path.slice(prefix.length)) || undefined;
  } catch {
    return undefined; // a broken percent-encoding
  }
}

type Marks = ReadonlyMap<string, Omit<HighWaterMark, "issuer">>;

/** Answers service `memory` from the folder; without a folder nothing was ever seen. */
export function memoryFetcher(dir: string | undefined, now: () => Date): (request: Request) => Promise<Response> {
  return async (request) => {
    const issuer = issuerOf(request.path);
    if (issuer === undefined) return { status: "refused", reason: "pm remembers no such thing" };
    const file = dir === undefined ? undefined : await loadMarks(dir);
    if (file !== undefined && "damaged" in file) return { status: "refused", reason: file.damaged };
    const mark = file?.marks.get(issuer);
    const bytes = new TextEncoder().encode(JSON.stringify(mark ?? null));
    return { status: "ok", bytes, at: (file?.modified ?? now()).toISOString(), contentType: "application/json" };
  };
}

/**
 * Raises the marks of these issuers; number and date each keep their highest value. Safe among processes.
 * @param dir the same folder as the run's source (`collateralDir`), so that test roots never raise a genuine mark
 * @throws PmError PM_USAGE when the file is damaged, locked for 10 s or cannot be written
 */
export async function recordHighWater(dir: string, marks: readonly HighWaterMark[]): Promise<void> {
  for (const mark of marks)
    if (!isMark(mark) || mark.issuer === "") throw new PmError("PM_BUG", "high-water mark with an invalid value");
  if (marks.length === 0) return;
  const path = join(dir, fileName);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await locked(`${path}.lock`, async () => {
      const file = await loadMarks(dir);
      if (file !== undefined && "damaged" in file) throw usage(file.damaged);
      const raised = new Map(file?.marks ?? []);
      for (const { issuer, ...mark } of marks) raised.set(issuer, highest(raised.get(issuer), mark));
      await writeWhole(path, encodeMarks(raised));
    });
  } catch (error) {
    if (error instanceof PmError) throw error;
    throw usage(`high-water marks: ${path} cannot be written (${errorCode(error)})`);
  }
}

function highest(a: Omit<HighWaterMark, "issuer"> | undefined, b: Omit<HighWaterMark, "issuer">): typeof b {
  if (a === undefined) return b;
  const number = a.number === null || (b.number !== null && BigInt(b.number) > BigInt(a.number)) ? b.number : a.number;
  return { number, thisUpdate: Date.parse(b.thisUpdate) > Date.parse(a.thisUpdate) ? b.thisUpdate : a.thisUpdate };
}

/** undefined: no file. A file that is there but cannot be read must not read as "nothing seen". */
async function loadMarks(dir: string): Promise<{ marks: Marks; modified: Date } | { damaged: string } | undefined> {
  const path = join(dir, fileName);
  const there = await stat(path).then(
    () => true,
    (error: unknown) => errorCode(error) !== "ENOENT",
  );
  if (!there) return undefined;
  const file = await loadBounded(path, maxFileBytes);
  const marks = file === undefined ? undefined : decodeMarks(file);
  return file === undefined || marks === undefined
    ? { damaged: `high-water marks: ${path} is damaged; look at it, then delete it to start afresh` }
    : { marks, modified: file.modified };
}

function decodeMarks(file: LoadedFile): Marks | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.bytes));
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value["version"] !== 1 || !isRecord(value["marks"])) return undefined;
  const entries = Object.entries(value["marks"]);
  const marks = entries.flatMap(([issuer, mark]) => (isMark(mark) ? [[issuer, pick(mark)] as const] : []));
  return marks.length === entries.length ? new Map(marks) : undefined;
}

const encodeMarks = (marks: Marks): Uint8Array =>
  new TextEncoder().encode(
    `${JSON.stringify({ version: 1, marks: Object.fromEntries([...marks].sort(([a], [b]) => (a < b ? -1 : 1))) }, null, 2)}\n`,
  );

const pick = ({ number, thisUpdate }: Omit<HighWaterMark, "issuer">) => ({ number, thisUpdate });
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isMark = (value: unknown): value is Omit<HighWaterMark, "issuer"> =>
  isRecord(value) &&
  (value["number"] === null || (typeof value["number"] === "string" && /^\d{1,60}$/.test(value["number"]))) &&
  isTime(value["thisUpdate"]);

/** Two runs that end together must not lose one's mark. A lock left by a process that died is broken after 30 s. */
async function locked(lock: string, action: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await (await open(lock, "wx", 0o600)).close();
      break;
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      const since = await stat(lock).then(
        (s) => s.mtimeMs,
        () => Date.now(),
      );
      if (Date.now() - since > 30_000) await rm(lock, { force: true });
      else if (tries >= 200) throw usage(`high-water marks: ${lock} is held by another run; delete it if none runs`);
      else await sleep(50);
    }
  }
  try {
    await action();
  } finally {
    await rm(lock, { force: true });
  }
}
