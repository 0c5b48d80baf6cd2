/**
 * Reads JSON objects into named fields, and notes each place where Go's encoding/json, which Contrast uses, would read
 * something else than the text says: it matches names in any case, lets the last duplicate win, ignores unknown names,
 * reads null as the zero value and cuts fixed arrays.
 */
import { type JsonArray, type JsonNode, type JsonObject, repeated } from "../../bytes/json.ts";
import { folded } from "./folding.ts";
import type { Problems } from "./problems.ts";
import { type ManifestRules, namesOf, type Scope } from "./rules.ts";

const quoted = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
const maxUint64 = 2n ** 64n - 1n;
const maxInt64 = 2n ** 63n - 1n;

/** An object's known fields with readers for Contrast's types; each reader notes its problem and goes on. */
export class Fields {
  readonly node: JsonNode;
  readonly #values = new Map<string, JsonNode>();
  readonly #problems: Problems;

  constructor(node: JsonNode, scope: Scope, rules: ManifestRules, problems: Problems) {
    this.node = node;
    this.#problems = problems;
    const object = objectOf(node, problems);
    if (object === undefined) return;
    for (const { name, offset, value } of object.members) {
      const place = { at: value.at, offset };
      const known = rules.field(scope, name);
      if (known === "known") {
        if (this.#values.has(name)) problems.add("ambiguous", place, `${quoted(name)} is there twice`);
        this.#values.set(name, value);
      } else if (known !== "unknown") {
        const when = `a field of Contrast ${known.other}, not of ${rules.version}, which ignores it`;
        problems.add("ambiguous", place, `${quoted(name)}: ${when}`);
      } else {
        const meant = namesOf(scope).find((n) => folded(n) === folded(name));
        const how =
          meant === undefined ? "unknown field, which Contrast ignores" : `Contrast reads it as ${quoted(meant)}`;
        problems.add("ambiguous", place, `${quoted(name)}: ${how}`);
      }
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
  /** The value, or undefined when absent or null; Go reads both as the zero value. */
  get(name: string): JsonNode | undefined {
    const value = this.#values.get(name);
    return value?.kind === "null" ? undefined : value;
  }
  /** The place of a field, or of the object when it is absent. */
  place(name: string): JsonNode {
    return this.#values.get(name) ?? this.node;
  }

  string(name: string): string {
    const value = this.#scalar(name);
    return value === undefined ? "" : (stringOf(value, this.#problems) ?? "");
  }
  boolean(name: string): boolean {
    const value = this.#scalar(name);
    if (value === undefined) return false;
    if (value.kind === "boolean") return value.value;
    this.#problems.add("malformed", value, `needs true or false, got ${article(value)}`);
    return false;
  }
  /** Go's unsigned integers: no sign, fraction or exponent. */
  unsigned(name: string, max: bigint = maxUint64): bigint {
    return this.#integer(name, 0n, max);
  }
  /** Go's int on a 64-bit machine. */
  integer(name: string): bigint {
    return this.#integer(name, -maxInt64 - 1n, maxInt64);
  }
  #integer(name: string, min: bigint, max: bigint): bigint {
    const value = this.#scalar(name);
    if (value === undefined) return 0n;
    const text = value.kind === "number" ? value.text : undefined;
    // Go reads -0 as a signed zero, and refuses it as an unsigned number.
    const read =
      text !== undefined && /^-?\d+$/.test(text) && !(min === 0n && text.startsWith("-")) ? BigInt(text) : undefined;
    if (read !== undefined && read >= min && read <= max) return read;
    this.#problems.add("malformed", value, `needs an integer from ${min} to ${max}, got ${text ?? article(value)}`);
    return 0n;
  }
  /** A security version number: Go reads a float and cuts it to 0..255. Undefined when absent or null: "missing". */
  svn(name: string): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const read = value.kind === "number" ? Number(value.text) : Number.NaN;
    if (value.kind !== "number" || !(read >= 0 && read <= 255)) {
      const got = value.kind === "number" ? value.text : article(value);
      this.#problems.add("malformed", value, `needs a number from 0 to 255, got ${got}`);
      return undefined;
    }
    if (!/^\d+$/.test(value.text))
      this.#problems.add("ambiguous", value, `${value.text}: Contrast reads ${Math.trunc(read)}; write an integer`);
    return Math.trunc(read);
  }
  /** A list; absent and null are the empty list, as Go writes it. */
  list(name: string): readonly JsonNode[] {
    const value = this.get(name);
    return value === undefined ? [] : (listOf(value, this.#problems)?.items ?? []);
  }
  strings(name: string): readonly { readonly value: string; readonly node: JsonNode }[] {
    return this.list(name).flatMap((node): { readonly value: string; readonly node: JsonNode }[] => {
      if (node.kind === "null") {
        this.#problems.add("ambiguous", node, "null: Contrast reads the empty text");
        return [{ value: "", node }];
      }
      const value = stringOf(node, this.#problems);
      return value === undefined ? [] : [{ value, node }];
    });
  }

  /** Null where a text, number or truth value belongs is no value that anybody wrote on purpose. */
  #scalar(name: string): JsonNode | undefined {
    const value = this.#values.get(name);
    if (value?.kind !== "null") return value;
    this.#problems.add("ambiguous", value, "null: Contrast reads the zero value");
    return undefined;
  }
}

const article = (node: JsonNode): string =>
  node.kind === "array" || node.kind === "object"
    ? `an ${node.kind}`
    : node.kind === "null"
      ? "null"
      : `a ${node.kind}`;

/** Null is the empty object to Go; the caller says whether that is noted. */
function objectOf(node: JsonNode, problems: Problems): JsonObject | undefined {
  if (node.kind === "object") return node;
  if (node.kind !== "null") problems.add("malformed", node, `needs an object, got ${article(node)}`);
  return undefined;
}
function listOf(node: JsonNode, problems: Problems): JsonArray | undefined {
  if (node.kind === "array") return node;
  problems.add("malformed", node, `needs a list, got ${article(node)}`);
  return undefined;
}
function stringOf(node: JsonNode, problems: Problems): string | undefined {
  if (node.kind === "string") return node.value;
  problems.add("malformed", node, `needs a text, got ${article(node)}`);
  return undefined;
}

/** Entries of an object whose names are data, not fields: Go lets the last of two equal names replace the first. */
export function entriesOf(
  node: JsonNode | undefined,
  problems: Problems,
): readonly { name: string; value: JsonNode }[] {
  if (node === undefined) return [];
  const object = objectOf(node, problems);
  if (object === undefined) return [];
  for (const { name, offset, value } of repeated(object))
    problems.add("ambiguous", { at: value.at, offset }, `${quoted(name)} is there twice`);
  return object.members;
}
