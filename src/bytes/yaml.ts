/**
 * YAML 1.2 (core schema) into the nodes of `json.ts`, for files whose meaning must not depend on the reader: positions
 * are kept, keys are unique, and what readers of YAML 1.1 and 1.2 take differently (directives, merge keys) is refused.
 * Bounded before it is parsed: structure, depth, aliases, entries of one collection.
 */
import { Composer, type CST, isAlias, isMap, isScalar, isSeq, LineCounter, Parser } from "yaml";
import { malformed, type PmError } from "../errors.ts";
import type { JsonMember, JsonNode, Place } from "./json.ts";

export interface YamlDocument {
  readonly root: JsonNode;
}
export interface YamlText {
  /** Documents of the text in order, empty ones left out. */
  readonly documents: readonly YamlDocument[];
  readonly place: (offset: number) => Place;
}
export interface YamlLimits {
  /** Names the text in messages. */
  readonly what: string;
  readonly reasonCode?: string;
  readonly maxBytes?: number;
}

const mebibyte = 1024 * 1024;
const maxDepth = 64;
const maxNodes = 200_000;
const maxAliases = 1000;
/** Entries of one mapping or list. */
const maxEntries = 10_000;
/** Characters that structure is made of; base64 and prose have few. The parser needs some 10 microseconds for each. */
const maxStructure = 300_000;
const structure = /[\n:,[\]{}&*!?|>#-]/g;

/**
 * @throws PmError PM_EVIDENCE_MALFORMED with line and column, also when a limit is passed (8 MiB, depth 64)
 */
export function readYaml(bytes: Uint8Array, limits: YamlLimits): YamlText {
  const { what, reasonCode, maxBytes = 8 * mebibyte } = limits;
  if (bytes.length > maxBytes)
    throw malformed(`${what}: ${bytes.length} bytes, more than the limit of ${maxBytes}`, reasonCode);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed(`${what}: not UTF-8`, reasonCode);
  }
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const fail: Fail = (offset, problem) => {
    const { line, column } = place(offset);
    return malformed(`${what}: line ${line}, column ${column}: ${problem}`, reasonCode);
  };
  if (structureOf(text) > maxStructure)
    throw malformed(`${what}: more structure than the limit of ${maxStructure} characters`, reasonCode);
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  bounded(tokens, fail);
  const reader = new NodeReader(fail);
  const documents = [...compose(tokens, text.length)].flatMap((document): YamlDocument[] => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw fail(problem.pos[0], shortly(problem.message));
    const root = reader.document(document.contents);
    return root.kind === "null" ? [] : [{ root }];
  });
  return { documents, place };
}

/** The library repeats what it found, which can be the whole text. */
const shortly = (message: string): string => {
  const [line = ""] = message.split("\n", 1);
  return line.length > 120 ? `${line.slice(0, 120)}...` : line;
};

type Fail = (offset: number, problem: string) => PmError;

function structureOf(text: string): number {
  let count = 0;
  structure.lastIndex = 0;
  while (count <= maxStructure && structure.test(text)) count++;
  return count;
}

const compose = (tokens: readonly CST.Token[], length: number) =>
  new Composer({
    version: "1.2",
    schema: "core",
    merge: false,
    // Compared here instead: the library compares each key with each other one.
    uniqueKeys: false,
    stringKeys: true,
    strict: true,
    prettyErrors: false,
    logLevel: "silent",
  }).compose(tokens, false, length);

/** The composer calls itself for each level, so depth is measured on the flat tokens before. */
function bounded(tokens: readonly CST.Token[], fail: Fail): void {
  const stack: { readonly token: CST.Token; readonly depth: number }[] = [];
  for (const token of tokens) {
    // A %YAML 1.1 directive would change what plain words such as "yes" mean.
    if (token.type === "directive") throw fail(token.offset, "a directive");
    stack.push({ token, depth: 0 });
  }
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { token, depth } = next;
    if (depth > maxDepth) throw fail("offset" in token ? token.offset : 0, `nested deeper than ${maxDepth}`);
    if ("items" in token && token.items.length > maxEntries)
      throw fail("offset" in token ? token.offset : 0, `more than ${maxEntries} entries in one collection`);
    for (const child of childrenOf(token)) stack.push({ token: child, depth: depth + 1 });
  }
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === "document") return token.value === undefined ? [] : [token.value];
  if (!("items" in token)) return [];
  return token.items.flatMap((item) => {
    const { key, value } = item as { readonly key?: CST.Token | null; readonly value?: CST.Token };
    return [key, value].filter((t) => t !== undefined && t !== null);
  });
}

const pointer = (parent: string, token: string | number): string =>
  `${parent}/${String(token).replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** Library nodes to ours; aliases are written out, within one budget for all documents. */
class NodeReader {
  readonly #fail: Fail;
  #nodes = maxNodes;
  #aliases = maxAliases;
  #anchors = new Map<string, unknown>();

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  /** Anchors belong to one document. */
  document(contents: unknown): JsonNode {
    this.#anchors = new Map();
    return this.#node(contents, "", 0);
  }

  #node(node: unknown, at: string, depth: number): JsonNode {
    const offset = offsetOf(node);
    if (this.#nodes-- <= 0) throw this.#fail(offset, "more values than the limit");
    // A cycle through an alias ends here too.
    if (depth > maxDepth) throw this.#fail(offset, `nested deeper than ${maxDepth}`);
    if (at.length > 4096) throw this.#fail(offset, "names longer than the limit");
    if (isAlias(node)) return this.#alias(node.source, offset, at, depth);
    if (typeof node === "object" && node !== null && "anchor" in node && typeof node.anchor === "string")
      this.#anchors.set(node.anchor, node);
    if (isMap(node)) return { kind: "object", members: this.#members(node.items, at, depth), at, offset };
    if (isSeq(node))
      return { kind: "array", items: node.items.map((n, i) => this.#node(n, pointer(at, i), depth + 1)), at, offset };
    if (isScalar(node)) return this.#scalar(node.value, node.source, at, offset);
    if (node === null || node === undefined) return { kind: "null", at, offset };
    throw this.#fail(offset, "a value of an unknown kind");
  }

  #alias(name: string, offset: number, at: string, depth: number): JsonNode {
    if (this.#aliases-- <= 0) throw this.#fail(offset, `more than ${maxAliases} aliases`);
    const target = this.#anchors.get(name);
    if (target === undefined) throw this.#fail(offset, "an alias of no anchor");
    return this.#node(target, at, depth + 1);
  }

  #members(items: readonly { readonly key: unknown; readonly value: unknown }[], at: string, depth: number) {
    const seen = new Set<string>();
    return items.map(({ key, value }): JsonMember => {
      const offset = offsetOf(key);
      if (!isScalar(key) || typeof key.value !== "string") throw this.#fail(offset, "a key that is no text");
      const name = key.value;
      if (name === "<<") throw this.#fail(offset, "a merge key, which not every reader resolves");
      if (seen.has(name)) throw this.#fail(offset, "a key that stood before in the same mapping");
      seen.add(name);
      return { name, offset, value: this.#node(value, pointer(at, name), depth + 1) };
    });
  }

  #scalar(value: unknown, source: string | undefined, at: string, offset: number): JsonNode {
    if (value === null) return { kind: "null", at, offset };
    if (typeof value === "string") return { kind: "string", value, at, offset };
    if (typeof value === "boolean") return { kind: "boolean", value, at, offset };
    if (typeof value === "number" || typeof value === "bigint")
      return { kind: "number", text: source ?? String(value), at, offset };
    throw this.#fail(offset, "a value of an unknown type");
  }
}

function offsetOf(node: unknown): number {
  const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
  return Array.isArray(range) ? Number(range[0]) : 0;
}
