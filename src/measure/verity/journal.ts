/**
 * Finished units of a long run, one line each: a run that was cut off goes on from there. It is a cache and no evidence:
 * it fits one disk in one state, and a sample of its units is hashed again before any of them counts.
 */
import { randomInt } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
  writeSync,
} from "node:fs";
import { crc32 } from "node:zlib";
import { PmError, usage } from "../../errors.ts";
import { systemReason } from "../../system-reason.ts";
import type { VerityLayout } from "./layout.ts";
import type { SourceFile } from "./source-file.ts";
import { type Digest, digestHex, digestOf } from "./tree.ts";
import type { UnitPlan } from "./units.ts";

export interface Journal {
  /** Whole units of an earlier run. */
  readonly units: ReadonlyMap<number, Digest>;
  /** There was one. */
  readonly resumed: boolean;
  /** Units that must be hashed again first. */
  readonly sample: readonly number[];
  append(unit: number, digest: Digest): void;
  refuse(reason: string): PmError;
  close(): void;
}

const otherFile = "name a journal, or a file that does not exist yet";
const samples = 8;
const syncMs = 5000;
/** 16 TiB in units of 64 MiB, twice. */
const maxBytes = 64 * 1024 * 1024;

const lineOf = (unit: number, digest: string): string => {
  const text = `${unit} ${digest}`;
  return `${text} ${crc32(text).toString(16).padStart(8, "0")}\n`;
};

/**
 * @throws PmError PM_USAGE for a file that is no journal or cannot be written, PM_SOURCE_REFUSED for a journal of another
 * disk, of other parameters, or of the same disk before it changed
 */
export function openJournal(path: string, source: SourceFile, layout: VerityLayout, plan: UnitPlan): Journal {
  const header = headerOf(source, layout, plan);
  const refuse = (reason: string): PmError =>
    new PmError("PM_SOURCE_REFUSED", `${path}: the journal does not fit ${source.path}: ${reason}`, {
      hint: "name another journal, or delete this one and start again",
    });
  const before = contentOf(path);
  const { units, length } =
    before === undefined
      ? { units: new Map<number, Digest>(), length: 0 }
      : decode(path, before, header, plan, layout, refuse);
  const fd = opened(path);
  let written = length;
  const write = (text: string): void => {
    written += writeSync(fd, text, written);
  };
  if (before === undefined) write(header);
  // A line that was cut off goes; what comes takes its place.
  else ftruncateSync(fd, length);
  let synced = Date.now();
  return {
    units,
    resumed: before !== undefined,
    sample: sampleOf([...units.keys()]),
    append: (unit, digest) => {
      write(lineOf(unit, digestHex(digest)));
      if (Date.now() - synced < syncMs) return;
      fsyncSync(fd);
      synced = Date.now();
    },
    refuse,
    close: () => {
      fsyncSync(fd);
      closeSync(fd);
    },
  };
}

function headerOf(source: SourceFile, layout: VerityLayout, { depth, units }: UnitPlan): string {
  const { hashType, algorithm, dataBlockSize, hashBlockSize, salt, dataBlocks } = layout;
  const form = { kind: "pm-verity-journal", version: 1, file: realpathSync(source.path), state: source.identity };
  const parameters = { hashType, algorithm, dataBlockSize, hashBlockSize, salt: Buffer.from(salt).toString("hex") };
  const text = JSON.stringify({ ...form, ...parameters, dataBlocks, depth, units });
  // ASCII alone, so that a place in the text is a place in the file.
  return `${text.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}

function contentOf(path: string): string | undefined {
  try {
    // Looked at before it is opened: a pipe or a device may have no end, and a disk is no journal.
    const stat = statSync(path);
    if (!stat.isFile()) throw usage(`${path}: the journal cannot be written: not a file`, otherFile);
    if (stat.size > maxBytes) throw usage(`${path}: ${stat.size} bytes, too long for a journal`, otherFile);
    const bytes = readFileSync(path);
    return bytes.length === 0 ? undefined : bytes.toString("latin1");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    if (error instanceof PmError) throw error;
    throw usage(`${path}: ${systemReason(error)}`, otherFile);
  }
}

function opened(path: string): number {
  try {
    return openSync(path, "r+");
  } catch {
    // Not there yet.
  }
  try {
    return openSync(path, "wx");
  } catch (error) {
    throw usage(
      `${path}: the journal cannot be written: ${systemReason(error)}`,
      "name a file in a folder of your own",
    );
  }
}

function decode(
  path: string,
  text: string,
  header: string,
  { units }: UnitPlan,
  { digestSize }: VerityLayout,
  refuse: (reason: string) => PmError,
): { readonly units: ReadonlyMap<number, Digest>; readonly length: number } {
  if (!text.startsWith('{"kind":"pm-verity-journal",'))
    throw usage(`${path}: not a journal of pm verity hash`, otherFile);
  if (!text.startsWith(header)) throw refuse("another file, the file changed since, or other parameters");
  const found = new Map<number, Digest>();
  const line = new RegExp(`^(\\d{1,9}) ([0-9a-f]{${digestSize * 2}}) [0-9a-f]{8}\\n$`);
  let at = header.length;
  for (let number = 2; ; number++) {
    const end = text.indexOf("\n", at) + 1;
    // The last line of a run that was cut off.
    if (end === 0) return { units: found, length: at };
    const whole = text.slice(at, end);
    const [, unit, digest] = line.exec(whole) ?? [];
    const known = unit === undefined || digest === undefined || lineOf(Number(unit), digest) !== whole;
    if (known || Number(unit) >= units) throw refuse(`line ${number} is damaged`);
    found.set(Number(unit), digestOf(Buffer.from(digest, "hex")));
    at = end;
  }
}

function sampleOf(units: number[]): number[] {
  const picked: number[] = [];
  while (picked.length < samples && units.length > 0) picked.push(...units.splice(randomInt(units.length), 1));
  return picked;
}
