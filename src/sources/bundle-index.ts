/**
 * `index.json` of a bundle: which question got which answer. Version 1. One evidence has one spelling: members and
 * entries sorted, two-space indentation, one newline at the end; any other spelling is refused, so that no two readers
 * can see different things in one file (doubled keys, number forms) and its SHA-256 names the evidence.
 */
import { createHash } from "node:crypto";
import { hex } from "../bytes/hex.ts";
import { malformed } from "../errors.ts";
import type { Service } from "../run.ts";
import { isTime } from "./time.ts";

export interface BlobRef {
  readonly sha256: string;
  readonly size: number;
}
/** A digest or count that was measured over something too big to keep. */
export interface MeasuredFact {
  readonly what: string;
  readonly value: string;
  readonly tool: string;
  /** RFC 3339, UTC. */
  readonly at: string;
}
interface Question {
  readonly service: Service;
  readonly path: string;
  readonly post?: string;
}
export type Entry =
  | (Question &
      BlobRef & {
        readonly status: "ok";
        readonly at: string;
        readonly contentType?: string;
        readonly issuerChain?: string;
        readonly offered?: BlobRef;
      })
  | (Question & { readonly status: "unavailable" | "refused"; readonly reason: string });

export interface Index {
  readonly format: "pm-bundle";
  readonly version: 1;
  /** The capturer's word. */
  readonly capturedAt: string;
  readonly entries: readonly Entry[];
  readonly measured: readonly MeasuredFact[];
}

export const limits = {
  indexBytes: 4 * 1024 * 1024,
  blobBytes: 64 * 1024 * 1024,
  totalBytes: 256 * 1024 * 1024,
  entries: 10_000,
} as const;

export const sha256Hex = (bytes: Uint8Array): string => hex(createHash("sha256").update(bytes).digest());
const entryKey = (e: Pick<Entry, "service" | "path">): string => `${e.service} ${e.path}`;
/** Every blob that the index names, each digest once. */
export const blobsOf = (index: Index): ReadonlyMap<string, number> =>
  new Map(
    index.entries.flatMap((e) =>
      e.status === "ok"
        ? [e, ...(e.offered === undefined ? [] : [e.offered])].map((b) => [b.sha256, b.size] as const)
        : [],
    ),
  );

/** Sorts what has no order of its own and spells the index in its one way. */
export function encodeIndex(index: Omit<Index, "format" | "version">): Uint8Array {
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const sorted: Index = {
    format: "pm-bundle",
    version: 1,
    capturedAt: index.capturedAt,
    entries: index.entries.toSorted((a, b) => byText(entryKey(a), entryKey(b))),
    measured: index.measured.toSorted((a, b) => byText(a.what, b.what)),
  };
  return new TextEncoder().encode(`${JSON.stringify(sortedMembers(sorted), null, 2)}\n`);
}

const sortedMembers = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortedMembers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sortedMembers(member)]),
  );
};

/** @throws PmError PM_EVIDENCE_MALFORMED naming the entry */
export function decodeIndex(bytes: Uint8Array): Index {
  if (bytes.length > limits.indexBytes) throw bad("index.json", `more than ${limits.indexBytes} bytes`);
  const top = members(parse(bytes), "index.json", ["format", "version", "capturedAt", "entries", "measured"], []);
  if (top["format"] !== "pm-bundle") throw bad("index.json", "not the index of a pm bundle");
  if (top["version"] !== 1) throw bad("index.json", "a bundle version other than 1");
  const index: Index = {
    format: "pm-bundle",
    version: 1,
    capturedAt: time(top["capturedAt"], "index.json, capturedAt"),
    entries: list(top["entries"], "entries").map(decodeEntry),
    measured: list(top["measured"], "measured").map(decodeFact),
  };
  const keys = new Set<string>();
  for (const entry of index.entries) {
    if (keys.has(entryKey(entry))) throw bad(`entry "${entryKey(entry)}"`, "there twice");
    keys.add(entryKey(entry));
  }
  if (Buffer.compare(encodeIndex(index), bytes) !== 0)
    throw bad("index.json", "not spelled as pm spells it (order, white space, doubled members)");
  return index;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw bad("index.json", "not JSON in UTF-8");
  }
}

const serviceNames: Readonly<Record<Service, true>> = {
  "amd-kds": true,
  "intel-pcs": true,
  coordinator: true,
  published: true,
  memory: true,
  run: true,
};
const isService = (value: unknown): value is Service => typeof value === "string" && Object.hasOwn(serviceNames, value);

function decodeEntry(value: unknown, position: number): Entry {
  const numbered = `entry ${position}`;
  if (typeof value !== "object" || value === null || !("status" in value)) throw bad(numbered, "has no status");
  const { status } = value;
  const ok = status === "ok";
  if (!ok && status !== "unavailable" && status !== "refused") throw bad(numbered, "has an unknown status");
  const m = members(
    value,
    numbered,
    ["service", "path", "status", ...(ok ? ["at", "sha256", "size"] : ["reason"])],
    ["post", ...(ok ? ["contentType", "issuerChain", "offered"] : [])],
  );
  const service = m["service"];
  if (!isService(service)) throw bad(numbered, "has an unknown service");
  const path = text(m["path"], /^\/[\x21-\x7e]{0,2047}$/, `${numbered}, path`);
  const where = `entry "${service} ${path}"`;
  const post = m["post"] === undefined ? {} : { post: text(m["post"], /^[\s\S]{0,65536}$/, `${where}, post`) };
  if (!ok) return { service, path, ...post, status, reason: text(m["reason"], /^[\s\S]{1,4096}$/, `${where}, reason`) };
  const type = m["contentType"];
  const chain = m["issuerChain"];
  return {
    service,
    path,
    ...post,
    status,
    at: time(m["at"], `${where}, at`),
    ...(type === undefined ? {} : { contentType: text(type, /^[\x20-\x7e]{0,200}$/, `${where}, contentType`) }),
    ...(chain === undefined ? {} : { issuerChain: text(chain, /^[\s\S]{0,65536}$/, `${where}, issuerChain`) }),
    ...blob(m, where),
    ...(m["offered"] === undefined
      ? {}
      : { offered: blob(members(m["offered"], `${where}, offered`, ["sha256", "size"], []), where) }),
  };
}

function blob(m: Readonly<Record<string, unknown>>, where: string): BlobRef {
  const size = m["size"];
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0 || size > limits.blobBytes)
    throw bad(`${where}, size`, `not a number of bytes up to ${limits.blobBytes}`);
  return { sha256: text(m["sha256"], /^[0-9a-f]{64}$/, `${where}, sha256`), size };
}

function decodeFact(value: unknown, position: number): MeasuredFact {
  const where = `measured ${position}`;
  const m = members(value, where, ["what", "value", "tool", "at"], []);
  const line = (name: string): string => text(m[name], /^[\s\S]{1,4096}$/, `${where}, ${name}`);
  return { what: line("what"), value: line("value"), tool: line("tool"), at: time(m["at"], `${where}, at`) };
}

const bad = (where: string, what: string) => malformed(`bundle: ${where}: ${what}`);

function members(
  value: unknown,
  where: string,
  required: readonly string[],
  optional: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(where, "not an object");
  const m: Record<string, unknown> = { ...value };
  const missing = required.find((name) => !Object.hasOwn(m, name));
  if (missing !== undefined) throw bad(where, `lacks ${missing}`);
  if (Object.keys(m).some((name) => !required.includes(name) && !optional.includes(name)))
    throw bad(where, "has a member that pm does not know");
  return m;
}
function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(where, "not a list");
  if (value.length > limits.entries) throw bad(where, `more than ${limits.entries}`);
  return value;
}
function text(value: unknown, pattern: RegExp, where: string): string {
  if (typeof value !== "string" || !pattern.test(value)) throw bad(where, "missing or not in its form");
  return value;
}
function time(value: unknown, where: string): string {
  if (!isTime(value)) throw bad(where, "not an RFC 3339 time in UTC");
  return value;
}
