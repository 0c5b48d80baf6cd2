/**
 * Whether an event's data is authenticated by its digest. A replay proves only that the digests are the ones that were
 * extended: data is whatever the log's author wrote, unless its digest is computed again from it. The event's type and,
 * for TCG events, its place in a register are never inside the digest.
 */
import { createHash } from "node:crypto";
import { sameBytes } from "../../../bytes/hex.ts";
import { member, readJson } from "../../../bytes/json.ts";
import { Reader } from "../../../bytes/reader.ts";
import { PmError } from "../../../errors.ts";
import { runtimeDigest } from "./dstack.ts";
import { eventType, type LogEvent } from "./event.ts";

/** What the digest covers: the whole data, the variable's value alone, text behind a fixed word, dstack's named payload. */
export type Covered =
  | "data"
  | "variable value"
  | "text behind grub_cmd:"
  | "text behind kernel_cmdline:"
  | "name and payload";

export interface Coverage {
  /** undefined: the data is not authenticated by the digest. */
  readonly covered: Covered | undefined;
  /** The type says that the digest is made from the data: where the log shows both, another digest means changed data. */
  readonly demanded: boolean;
}

const sha384 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha384").update(bytes).digest());

/** Types whose digest is over the whole data in every log seen. Others (TD HOB, CFV, ACPI, PE images, IPL) measure more than they show. */
const wholeTypes: ReadonlySet<number> = new Set([
  eventType.separator,
  eventType.action,
  eventType.variableDriverConfig,
  eventType.gpt,
]);
const prefixes = { "grub_cmd: ": "text behind grub_cmd:", "kernel_cmdline: ": "text behind kernel_cmdline:" } as const;

export function coverageOf(event: LogEvent): Coverage {
  const { type, data, digest } = event;
  if (type === eventType.dstackRuntime) return runtimeCoverage(event);
  const demanded = wholeTypes.has(type) || type === eventType.variableBoot;
  if (data === undefined) return { covered: undefined, demanded };
  if (sameBytes(sha384(data), digest)) return { covered: "data", demanded };
  if (type === eventType.variableBoot) {
    const value = variableValue(data);
    const same = value !== undefined && sameBytes(sha384(value), digest);
    return { covered: same ? "variable value" : undefined, demanded };
  }
  return { covered: type === eventType.ipl ? commandText(data, digest) : undefined, demanded };
}

/** GRUB logs a command behind a word and with a final zero, and measures the command alone. */
function commandText(data: Uint8Array, digest: Uint8Array): Covered | undefined {
  const text = Buffer.from(data.at(-1) === 0 ? data.subarray(0, -1) : data);
  for (const [prefix, covered] of Object.entries(prefixes))
    if (text.subarray(0, prefix.length).toString("latin1") === prefix)
      return sameBytes(sha384(text.subarray(prefix.length)), digest) ? covered : undefined;
  return undefined;
}

/** UEFI_VARIABLE_DATA: GUID 16, name length in characters u64, value length u64, name in UTF-16, value. */
function variableValue(data: Uint8Array): Uint8Array | undefined {
  try {
    const r = new Reader(data);
    r.bytes(16, "VariableName");
    const characters = r.u64le("UnicodeNameLength");
    const length = r.u64le("VariableDataLength");
    r.bytes(Number(characters) * 2, "UnicodeName");
    const value = r.bytes(Number(length), "VariableData");
    r.end("UEFI_VARIABLE_DATA");
    return value;
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  }
}

/** By the rule of version 1, or through a preimage that says exactly the shown fields: a preimage alone shows nothing of them. */
function runtimeCoverage({ name, data, digest, preimage }: LogEvent): Coverage {
  if (sameBytes(runtimeDigest(name, data), digest)) return { covered: "name and payload", demanded: true };
  const said = preimage !== undefined && sameBytes(sha384(preimage), digest) && saysFields(preimage, name, data);
  return { covered: said ? "name and payload" : undefined, demanded: true };
}

function saysFields(preimage: Uint8Array, name: string, data: Uint8Array | undefined): boolean {
  try {
    const { root } = readJson(preimage, { what: "preimage", maxDepth: 2, maxBytes: 1 << 20 });
    if (root.kind !== "object" || root.members.length !== 3) return false;
    const [saidName, saidType, payload] = [member(root, "name"), member(root, "type"), member(root, "payload")];
    return (
      saidName?.kind === "string" &&
      saidName.value === name &&
      saidType?.kind === "number" &&
      saidType.text === String(eventType.dstackRuntime) &&
      payload?.kind === "string" &&
      payload.value.toLowerCase() === Buffer.from(data ?? new Uint8Array()).toString("hex")
    );
  } catch (error) {
    if (error instanceof PmError) return false;
    throw error;
  }
}
