/**
 * Strict JSON (RFC 8259) over bytes, for documents that are hashed as bytes and read by somebody else's parser too:
 * nothing that another reader might read differently is resolved here. Members keep their order and their duplicates,
 * numbers stay as written, every node knows its place.
 */
import { malformed } from "../errors.ts";

interface Node {
  /** JSON pointer (RFC 6901); of a duplicate member the same as of the first. */
  readonly at: string;
  /** Index of the first character in the text, for `JsonDocument.place`. */
  readonly offset: number;
}
export interface JsonNull extends Node {
  readonly kind: "null";
}
export interface JsonBoolean extends Node {
  readonly kind: "boolean";
  readonly value: boolean;
}
export interface JsonNumber extends Node {
  readonly kind: "number";
  /** As written: 28.0, 2.8e1 and 18446744073709551615 stay what they are. */
  readonly text: string;
}
export interface JsonString extends Node {
  readonly kind: "string";
  readonly value: string;
}
export interface JsonArray extends Node {
  readonly kind: "array";
  readonly items: readonly JsonNode[];
}
export interface JsonMember {
  readonly name: string;
  /** Index of the name's quote. */
  readonly offset: number;
  readonly value: JsonNode;
}
export interface JsonObject extends Node {
  readonly kind: "object";
  /** In document order, duplicates included. */
  readonly members: readonly JsonMember[];
}
export type JsonNode = JsonNull | JsonBoolean | JsonNumber | JsonString | JsonArray | JsonObject;

/** Line and column, both from 1; a column counts UTF-16 units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}
export interface JsonDocument {
  readonly root: JsonNode;
  readonly place: (offset: number) => Place;
}
export interface JsonLimits {
  /** Names the document in messages. */
  readonly what: string;
  readonly reasonCode?: string;
  readonly maxBytes?: number;
  readonly maxDepth?: number;
  readonly maxNodes?: number;
}

const mebibyte = 1024 * 1024;

/**
 * One JSON value and nothing after it but white space. Refused: a byte order mark, bytes that are not UTF-8, half a
 * surrogate pair, control characters in strings.
 * @throws PmError PM_EVIDENCE_MALFORMED with line and column, also when a limit (16 MiB, depth 64, 200,000 nodes) is passed
 */
export function readJson(bytes: Uint8Array, limits: JsonLimits): JsonDocument {
  const { what, reasonCode, maxBytes = 16 * mebibyte } = limits;
  if (bytes.length > maxBytes)
    throw malformed(`${what}: ${bytes.length} bytes, more than the limit of ${maxBytes}`, reasonCode);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed(`${what}: not UTF-8`, reasonCode);
  }
  const place = placesOf(text);
  const parser = new Parser(text, limits.maxDepth ?? 64, limits.maxNodes ?? 200_000, (offset, problem) => {
    const { line, column } = place(offset);
    return malformed(`${what}: line ${line}, column ${column}: ${problem}`, reasonCode);
  });
  return { root: parser.document(), place };
}

const blockLength = 4096;

/**
 * The line index is made on first use: most documents have nothing to complain about. It keeps one entry a block, not
 * one a line, because a document of 16 MiB may consist of line breaks.
 */
function placesOf(text: string): (offset: number) => Place {
  let blocks: Place[] | undefined;
  return (offset) => {
    blocks ??= indexLines(text);
    const block = Math.floor(offset / blockLength);
    // In a block's entry the column is the index at which its line begins.
    let { line, column: start } = blocks[block] ?? { line: 1, column: 0 };
    for (let at = block * blockLength; at < offset; at++)
      if (text.charCodeAt(at) === 0x0a) {
        line++;
        start = at + 1;
      }
    return { line, column: offset - start + 1 };
  };
}

function indexLines(text: string): Place[] {
  const blocks: Place[] = [];
  let [line, start] = [1, 0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    while (blocks.length * blockLength <= at) blocks.push({ line, column: start });
    line++;
    start = at + 1;
  }
  while (blocks.length * blockLength <= text.length) blocks.push({ line, column: start });
  return blocks;
}

/** Members of an object by exact name; the first one wins, so ask `repeated` before trusting it. */
export const member = (object: JsonObject, name: string): JsonNode | undefined =>
  object.members.find((m) => m.name === name)?.value;

/** Members whose name stood before in the same object: readers differ on which one counts. */
export function repeated(object: JsonObject): JsonMember[] {
  const seen = new Set<string>();
  return object.members.filter((m) => {
    const again = seen.has(m.name);
    seen.add(m.name);
    return again;
  });
}

const pointer = (parent: string, token: string | number): string =>
  `${parent}/${typeof token === "number" ? token : token.replaceAll("~", "~0").replaceAll("/", "~1")}`;
/** Pointers repeat the names above them: without a cap a few long names would fill the memory. */
const maxPointer = 4096;
const literals = new Map([
  ["null", { kind: "null" }],
  ["true", { kind: "boolean", value: true }],
  ["false", { kind: "boolean", value: false }],
] as const);
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #fail: (offset: number, problem: string) => Error;
  #left: number;
  #at = 0;

  constructor(text: string, maxDepth: number, maxNodes: number, fail: (offset: number, problem: string) => Error) {
    this.#text = text;
    this.#maxDepth = maxDepth;
    this.#left = maxNodes;
    this.#fail = fail;
  }

  document(): JsonNode {
    if (this.#text.startsWith("\ufeff")) throw this.#fail(0, "begins with a byte order mark");
    const root = this.#value("", 0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#fail(this.#at, "something after the JSON value");
    return root;
  }

  #space(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.#at++;
    }
  }

  #value(at: string, depth: number): JsonNode {
    this.#space();
    const offset = this.#at;
    if (this.#left-- <= 0) throw this.#fail(offset, "more values than the limit");
    if (at.length > maxPointer) throw this.#fail(offset, "member names longer than the limit");
    const first = this.#text[offset];
    if (first === "{" || first === "[") {
      if (depth >= this.#maxDepth) throw this.#fail(offset, `nested deeper than ${this.#maxDepth}`);
      this.#at++;
      return first === "{"
        ? { kind: "object", members: this.#members(at, depth + 1), at, offset }
        : { kind: "array", items: this.#items(at, depth + 1), at, offset };
    }
    if (first === '"') return { kind: "string", value: this.#string(), at, offset };
    for (const [word, node] of literals)
      if (this.#text.startsWith(word, offset)) {
        this.#at += word.length;
        return { ...node, at, offset };
      }
    return { kind: "number", text: this.#number(), at, offset };
  }

  #members(at: string, depth: number): JsonMember[] {
    const members: JsonMember[] = [];
    this.#space();
    if (this.#take("}")) return members;
    do {
      this.#space();
      const offset = this.#at;
      if (this.#text[offset] !== '"') throw this.#fail(offset, "expected a member name in double quotes");
      const name = this.#string();
      this.#space();
      if (!this.#take(":")) throw this.#fail(this.#at, "expected a colon after the member name");
      members.push({ name, offset, value: this.#value(pointer(at, name), depth) });
      this.#space();
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#fail(this.#at, "expected a comma or a closing brace");
    return members;
  }

  #items(at: string, depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    this.#space();
    if (this.#take("]")) return items;
    do {
      items.push(this.#value(pointer(at, items.length), depth));
      this.#space();
    } while (this.#take(","));
    if (!this.#take("]")) throw this.#fail(this.#at, "expected a comma or a closing bracket");
    return items;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #number(): string {
    const form = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
    form.lastIndex = this.#at;
    const text = form.exec(this.#text)?.[0];
    if (text === undefined)
      throw this.#fail(
        this.#at,
        this.#at < this.#text.length ? "expected a JSON value" : "ends where a value was expected",
      );
    if (text.length > 64) throw this.#fail(this.#at, "a number of more than 64 characters");
    this.#at += text.length;
    return text;
  }

  #string(): string {
    const start = this.#at++;
    let value = "";
    for (;;) {
      const run = this.#at;
      this.#at = this.#plain();
      value += this.#text.slice(run, this.#at);
      const c = this.#text[this.#at];
      if (c === '"') break;
      if (c !== "\\")
        throw this.#fail(this.#at, c === undefined ? "a string without its end" : "a control character in a string");
      value += this.#escape();
    }
    this.#at++;
    if (!value.isWellFormed()) throw this.#fail(start, "half a surrogate pair in a string");
    return value;
  }

  /** Index of the next quote, backslash or control character; a loop over codes is the fastest form (16 MiB: 20 ms). */
  #plain(): number {
    let at = this.#at;
    for (; at < this.#text.length; at++) {
      const c = this.#text.charCodeAt(at);
      if (c === 0x22 || c === 0x5c || c < 0x20) break;
    }
    return at;
  }

  #escape(): string {
    const kind = this.#text[this.#at + 1] ?? "";
    if (kind === "u") {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#fail(this.#at, "\\u without four hex digits");
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const plain = Object.hasOwn(escapes, kind) ? escapes[kind] : undefined;
    if (plain === undefined) throw this.#fail(this.#at, "an unknown escape in a string");
    this.#at += 2;
    return plain;
  }
}

/** JSON pointer of a member that stands twice in its object, at any depth; the reader bounds the depth. */
export function firstRepeated(node: JsonNode): string | undefined {
  if (node.kind !== "array" && node.kind !== "object") return undefined;
  const twice = node.kind === "object" ? repeated(node)[0] : undefined;
  if (twice !== undefined) return twice.value.at;
  for (const inner of node.kind === "array" ? node.items : node.members.map((m) => m.value)) {
    const found = firstRepeated(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
