/** The only user of the TOML library: bounded, strict UTF-8, errors with line and column. */
import { parse, TomlError } from "smol-toml";
import { malformed, type PmError } from "../../errors.ts";

/** A table or inline table; its prototype is null, so any key is safe to look up. */
export type TomlTable = Readonly<Record<string, unknown>>;

/** A document holds one policy, which is far below this even with dozens of containers. */
export const maxDocumentBytes = 4 * 1024 * 1024;
/** An initdata document needs a dozen. The library spends seconds and gigabytes on a document made of keys or dots. */
const maxSyntax = 4096;
const maxDepth = 8;

export const initdataMalformed = (message: string): PmError => malformed(message, "initdata-malformed");

/** Text out of evidence for a message: short, and nothing that a terminal obeys. */
export const quoted = (text: string): string =>
  `"${(text.length > 80 ? `${text.slice(0, 80)}...` : text).replace(/[^\x20-\x7e]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`)}"`;

/**
 * Strict UTF-8 within the size limit. A byte order mark is refused: readers disagree about whether it is content.
 * @throws PmError initdata-malformed
 */
export function decodeText(bytes: Uint8Array, what: string): string {
  if (bytes.length > maxDocumentBytes)
    throw initdataMalformed(`${what}: ${bytes.length} bytes, at most ${maxDocumentBytes} allowed`);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    throw initdataMalformed(`${what}: begins with a byte order mark`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw initdataMalformed(`${what}: not UTF-8`);
  }
}

/**
 * One TOML document.
 * @throws PmError initdata-malformed with line and column
 */
export function decodeToml(text: string, what: string): TomlTable {
  if (syntaxOf(text) > maxSyntax)
    throw initdataMalformed(`${what}: more keys and values than an initdata document has`);
  try {
    return parse(text, { maxDepth });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
    const at = error instanceof TomlError ? ` at line ${error.line}, column ${error.column}` : "";
    throw initdataMalformed(`${what}: no valid TOML${at}: ${quoted(reason.replace(/^Invalid TOML document: /, ""))}`);
  }
}

const opener = /"""|'''|["']|#|[=.,[{]/g;
const closers: Readonly<Record<string, RegExp>> = {
  // A long string may end in one or two quotes of its own before the three that close it.
  '"""': /\\[\s\S]|"{3,5}/g,
  "'''": /'{3,5}/g,
  '"': /\\[\s\S]|["\n]/g,
  "'": /['\n]/g,
  "#": /\n/g,
};

/** Counts what structure is made of, outside strings and comments: an upper bound on keys and depth, before parsing. */
function syntaxOf(text: string): number {
  let count = 0;
  opener.lastIndex = 0;
  for (let found = opener.exec(text); found !== null && count <= maxSyntax; found = opener.exec(text)) {
    const close = closers[found[0]];
    if (close === undefined) count++;
    else opener.lastIndex = afterClose(text, close, opener.lastIndex);
  }
  return count;
}

/** Offset after the end of a string or comment; an end that is missing is the parser's to report. */
function afterClose(text: string, close: RegExp, from: number): number {
  close.lastIndex = from;
  let end = close.exec(text);
  while (end?.[0].startsWith("\\")) end = close.exec(text);
  return end === null ? text.length : close.lastIndex;
}
