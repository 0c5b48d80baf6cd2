/**
 * dstack's event log: a JSON list of {imr, event_type, digest, event, event_payload}, alone or as the member `event_log`
 * of a quote's answer, there as a list or as JSON text. `imr` is 0 to 3 for RTMR0 to RTMR3.
 * Seen in real logs: the form of version 1. `version` and `preimage` of newer ones are read from their source only.
 */
import { createHash } from "node:crypto";
import { fromHex } from "../../../bytes/hex.ts";
import { type JsonNode, type JsonObject, member, readJson, repeated } from "../../../bytes/json.ts";
import { PmError } from "../../../errors.ts";
import {
  digestSize,
  type EventLog,
  eventType,
  type LogEvent,
  logMalformed,
  logUnsupported,
  maxEvents,
} from "./event.ts";

const limits = { what: "event log", reasonCode: "eventlog-malformed", maxDepth: 16 } as const;

/** @throws PmError PM_EVIDENCE_MALFORMED; PM_EVIDENCE_UNSUPPORTED for a version whose digest rule is not known */
export function decodeDstack(bytes: Uint8Array): EventLog {
  const { root } = readJson(bytes, limits);
  const list = root.kind === "object" ? inAnswer(root) : root;
  if (list.kind !== "array") throw logMalformed("event log: needs a JSON list of events, or an object with event_log");
  if (list.items.length > maxEvents) throw logMalformed(`event log: more than ${maxEvents} events`);
  const events = list.items.map(oneEvent);
  return {
    form: "dstack",
    events: events.filter((e) => e.type !== eventType.noAction).map((e, index) => ({ ...e, index })),
    notExtended: events.filter((e) => e.type === eventType.noAction).length,
  };
}

function inAnswer(object: JsonObject): JsonNode {
  once(object);
  const log = member(object, "event_log");
  if (log === undefined) throw logMalformed("event log: a JSON object without event_log");
  return log.kind === "string" ? readJson(new TextEncoder().encode(log.value), limits).root : log;
}

/** A doubled member is read differently by different programs. */
function once(object: JsonObject): void {
  const [again] = repeated(object);
  if (again !== undefined) throw logMalformed(`${object.at || "event log"}: member ${again.name} twice`);
}

const known = new Set(["imr", "event_type", "digest", "event", "event_payload", "version", "preimage"]);

function oneEvent(node: JsonNode, index: number): LogEvent {
  const place = node.at;
  if (node.kind !== "object") throw logMalformed(`${place}: not an object`);
  once(node);
  const unknown = node.members.find((m) => !known.has(m.name));
  if (unknown !== undefined) throw logMalformed(`${place}: unknown member ${unknown.name}`);
  const type = integer(node, "event_type", 0xffffffff);
  const register = integer(node, "imr", 3);
  const name = text(node, "event") ?? "";
  const data = hexMember(node, "event_payload");
  const preimage = hexMember(node, "preimage");
  const runtime = type === eventType.dstackRuntime;
  ruleKnown(node, runtime, preimage);
  const own = hexMember(node, "digest");
  if (own !== undefined && own.length !== 0 && own.length !== digestSize)
    throw logMalformed(`${place}/digest: ${own.length} bytes, needs ${digestSize}`);
  // Some versions leave the digest of runtime events out: then it is what the rule makes of the shown fields.
  const stated = own?.length === digestSize;
  const digest = stated ? own : runtime ? runtimeDigest(name, data) : undefined;
  if (digest === undefined) throw logMalformed(`${place}: no digest`);
  return {
    index,
    register,
    type,
    name,
    digest,
    stated,
    // Boot events may come without their payload; a runtime event without one says that it is empty, and is held to it.
    data: runtime ? (data ?? new Uint8Array()) : data?.length === 0 ? undefined : data,
    ...(preimage === undefined ? {} : { preimage }),
    place,
  };
}

/** Version 1 is the one that real logs have; a newer one is checkable only through the preimage that it brings along. */
function ruleKnown(object: JsonObject, runtime: boolean, preimage: Uint8Array | undefined): void {
  const version = member(object, "version");
  if (!runtime || version === undefined || preimage !== undefined) return;
  const said = version.kind === "number" ? version.text : version.kind === "string" ? version.value : version.kind;
  if (!/^v?1$/i.test(said)) throw logUnsupported(`${object.at}/version: ${said} without a preimage; known: 1`);
}

/** SHA-384 over the type (little-endian), a colon, the name, a colon and the payload. */
export function runtimeDigest(name: string, payload: Uint8Array | undefined): Uint8Array {
  const type = Buffer.alloc(4);
  type.writeUInt32LE(eventType.dstackRuntime);
  const hash = createHash("sha384").update(type).update(`:${name}:`);
  return new Uint8Array(hash.update(payload ?? new Uint8Array()).digest());
}

function integer(object: JsonObject, name: string, max: number): number {
  const node = member(object, name);
  const value = node?.kind === "number" && /^\d{1,10}$/.test(node.text) ? Number(node.text) : Number.NaN;
  if (!(value <= max)) throw logMalformed(`${object.at}/${name}: needs an integer from 0 to ${max}`);
  return value;
}

function text(object: JsonObject, name: string): string | undefined {
  const node = member(object, name);
  if (node === undefined) return undefined;
  if (node.kind !== "string") throw logMalformed(`${object.at}/${name}: not a string`);
  return node.value;
}

function hexMember(object: JsonObject, name: string): Uint8Array | undefined {
  const value = text(object, name);
  if (value === undefined) return undefined;
  try {
    return fromHex(value, undefined, `${object.at}/${name}`);
  } catch (error) {
    if (error instanceof PmError) throw logMalformed(error.message);
    throw error;
  }
}
