/** Decoded facts as text and JSON. Nothing here judges, and no word of a verdict occurs in it. */

import type { Decoder } from "./decoders.ts";
import { PmError, unsupported } from "./errors.ts";
import type { Input } from "./input.ts";
import type { Json } from "./report/report.ts";
import { safe, safeJson, wrap } from "./report/text.ts";

export interface Inspected {
  readonly schemaVersion: 1;
  /** Id of the decoder that read the bytes. */
  readonly kind: string;
  /** Of the input as a whole, lower-case hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  readonly decoded: Json;
}

/**
 * The first decoder, most specific first, that recognises the bytes and can read them. When none can, the most specific
 * one says why.
 * @throws PmError PM_EVIDENCE_MALFORMED; PM_EVIDENCE_UNSUPPORTED naming the kinds that are known
 */
export async function inspect(input: Input, decoders: readonly Decoder[]): Promise<Inspected> {
  if (input.bytes.length === 0)
    throw new PmError("PM_EVIDENCE_MALFORMED", `${input.name}: empty`, { hint: "check how the file was made" });
  let refused: PmError | undefined;
  for (const decoder of decoders.filter((d) => d.recognises(input.bytes))) {
    const decode = await decoder.load();
    try {
      const decoded = decode(input.bytes);
      return { schemaVersion: 1, kind: decoder.id, sha256: input.sha256, size: input.bytes.length, decoded };
    } catch (error) {
      if (!(error instanceof PmError)) throw error;
      refused ??= new PmError(error.code, `${input.name}: read as ${decoder.id}: ${error.message}`, {
        ...(error.reasonCode === undefined ? {} : { reasonCode: error.reasonCode }),
        cause: error,
      });
    }
  }
  if (refused !== undefined) throw refused;
  const { message, code } = unsupported(`${input.name}: none of the kinds that pm can decode`);
  throw new PmError(code, message, { hint: `known kinds: ${decoders.map((d) => d.media).join("; ")}` });
}

const trailer = "Decoded only. Nothing here was authenticated, compared or judged.";

/** For people: the name of the kind, then keys and values; values are never cut. */
export function renderInspected({ kind, sha256, size, decoded }: Inspected, media: string, width: number): string {
  const head = { kind: `${kind} (${media})`, size: `${size} bytes`, sha256 };
  return `${[...tree(head, width), "", ...tree(decoded, width), "", ...wrap(trailer, width, "", "")].join("\n")}\n`;
}

/** One document, two spaces, and nothing in it that a terminal obeys. */
export const factsJson = (value: object): string => `${safeJson(JSON.stringify(value, null, 2))}\n`;

const isLeaf = (value: Json): value is string | number | boolean | null => typeof value !== "object" || value === null;
const leaf = (value: string | number | boolean | null): string =>
  value === null || value === "" ? "(none)" : safe(String(value));

/**
 * Lines of an indented tree. Keys of one object are aligned; a value that does not fit beside its key stands whole on a
 * line of its own, so that it can be copied. A line never begins with text out of evidence but for a key's name.
 */
export function tree(value: Json, width: number, indent = 0): string[] {
  const pad = " ".repeat(indent);
  if (isLeaf(value)) return [`${pad}${leaf(value)}`];
  if (Array.isArray(value)) return list(value, width, indent);
  const entries = Object.entries(value);
  if (entries.length === 0) return [`${pad}(none)`];
  const names = entries.filter(([, v]) => isLeaf(v)).map(([k]) => safe(k).length);
  const column = Math.min(Math.max(0, ...names) + 2, Math.max(12, Math.floor(width / 3)));
  return entries.flatMap(([key, v]) => {
    const name = safe(key);
    if (!isLeaf(v)) return empty(v) ? [`${pad}${name}: (none)`] : [`${pad}${name}:`, ...tree(v, width, indent + 2)];
    const text = leaf(v);
    const beside = `${pad}${`${name}:`.padEnd(column)} ${text}`;
    return beside.length <= width ? [beside] : [`${pad}${name}:`, `${pad}    ${text}`];
  });
}

const empty = (value: Json): boolean => typeof value === "object" && value !== null && Object.keys(value).length === 0;

function list(items: readonly Json[], width: number, indent: number): string[] {
  const pad = " ".repeat(indent);
  if (items.length === 0) return [`${pad}(none)`];
  return items.flatMap((item) => {
    const [first = "", ...rest] = tree(item, width, indent + 2);
    return [`${pad}- ${first.slice(indent + 2)}`, ...rest];
  });
}
