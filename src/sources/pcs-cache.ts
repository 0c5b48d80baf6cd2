/**
 * The cache of Intel's answers: `pcs/<what>.json`, one file an answer with its issuer chain, because the two belong
 * together and a run that is cut off must not leave one of them behind. It saves round trips and proves nothing: what
 * comes out of it is verified at each use.
 */
import { join } from "node:path";
import { fromBase64 } from "../bytes/hex.ts";
import { PmError } from "../errors.ts";
import { loadBounded, writeWhole } from "./files.ts";
import { decodeDocument, type PcsDocument } from "./pcs-document.ts";
import { decodePcsPath, nameOf, type PcsItem, subjectOf } from "./pcs-path.ts";
import { isTime } from "./time.ts";

export interface PcsAnswer {
  /** Path and query that were asked. */
  readonly path: string;
  /** RFC 3339, UTC: when it was received. */
  readonly at: string;
  readonly issuerChain?: string;
  readonly bytes: Uint8Array;
}
export interface CachedAnswer extends PcsAnswer {
  readonly document: PcsDocument;
}

const format = "pm-pcs-answer";
/** JSON text in JSON text may take six characters a byte; the wrapper and the chain come on top. */
const fileLimit = (maxBytes: number): number => maxBytes * 6 + 131_072;

/** Folder of answers below the collateral cache. */
export const pcsFolder = "pcs";

const fileOf = (dir: string, item: PcsItem): string => join(dir, `${nameOf(item)}.json`);

/** What the cache holds for the item; damaged, misplaced and larger files count as absent. */
export async function loadAnswer(dir: string, item: PcsItem, maxBytes: number): Promise<CachedAnswer | undefined> {
  const file = await loadBounded(fileOf(dir, item), fileLimit(maxBytes));
  const answer = file === undefined ? undefined : decodeAnswer(file.bytes);
  if (answer === undefined || answer.bytes.length > maxBytes) return undefined;
  const asked = decodePcsPath(answer.path);
  const document = decodeDocument(answer.bytes);
  if (asked === undefined || nameOf(asked) !== nameOf(item) || document?.subject !== subjectOf(item)) return undefined;
  return { ...answer, document };
}

/** @throws the file system's error */
export const keepAnswer = (dir: string, item: PcsItem, answer: PcsAnswer): Promise<void> =>
  writeWhole(fileOf(dir, item), encodeAnswer(answer));

export function encodeAnswer({ path, at, issuerChain, bytes }: PcsAnswer): Uint8Array {
  const text = utf8(bytes);
  const body = text === undefined ? { base64: Buffer.from(bytes).toString("base64") } : { text };
  const chain = issuerChain === undefined ? {} : { issuerChain };
  return new TextEncoder().encode(`${JSON.stringify({ format, version: 1, path, at, ...chain, ...body }, null, 2)}\n`);
}

/** undefined for anything that `encodeAnswer` did not make. */
export function decodeAnswer(file: Uint8Array): PcsAnswer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file));
  } catch {
    return undefined; // no JSON
  }
  if (typeof value !== "object" || value === null || !("format" in value) || value.format !== format) return undefined;
  const m: Record<string, unknown> = { ...value };
  const { path, at, issuerChain } = m;
  const bytes = bodyOf(m);
  if (m["version"] !== 1 || typeof path !== "string" || !isTime(at) || bytes === undefined) return undefined;
  if (issuerChain !== undefined && typeof issuerChain !== "string") return undefined;
  return { path, at, bytes, ...(issuerChain === undefined ? {} : { issuerChain }) };
}

function bodyOf({ text, base64 }: Record<string, unknown>): Uint8Array | undefined {
  if (typeof text === "string" && base64 === undefined) return new TextEncoder().encode(text);
  if (typeof base64 !== "string" || text !== undefined) return undefined;
  try {
    return fromBase64(base64, "answer");
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  }
}

/** Text that gives the same bytes again. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // DER
  }
}
