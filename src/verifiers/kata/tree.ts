/** Typed reading of a JSON or YAML tree: absent and null are undefined, another type than the asked one is malformed. */
import { type JsonNode, member, type Place } from "../../bytes/json.ts";
import { malformed, type PmError } from "../../errors.ts";

export interface TreeSource {
  /** Names the document in messages. */
  readonly what: string;
  readonly code: string;
  readonly place: (offset: number) => Place;
}

export class Tree {
  readonly node: JsonNode;
  readonly #source: TreeSource;

  constructor(node: JsonNode, source: TreeSource) {
    this.node = node;
    this.#source = source;
  }

  /** JSON pointer. */
  get at(): string {
    return this.node.at || "/";
  }
  /** `line 12, /spec/template`: what a reader finds fastest. */
  get where(): string {
    return `line ${this.#source.place(this.node.offset).line}, ${this.at}`;
  }

  fail(problem: string): PmError {
    const { line, column } = this.#source.place(this.node.offset);
    const { what, code } = this.#source;
    return malformed(`${what}: line ${line}, column ${column}: ${this.at}: ${problem}`, code);
  }

  /** A member of an object. @throws PmError when this is no object */
  get(name: string): Tree | undefined {
    if (this.node.kind !== "object") throw this.fail("needs an object");
    const found = member(this.node, name);
    return found === undefined || found.kind === "null" ? undefined : new Tree(found, this.#source);
  }

  /** Members in document order. @throws PmError when this is no object */
  members(): readonly { readonly name: string; readonly value: Tree }[] {
    if (this.node.kind !== "object") throw this.fail("needs an object");
    return this.node.members.map(({ name, value }) => ({ name, value: new Tree(value, this.#source) }));
  }

  items(): Tree[] {
    if (this.node.kind !== "array") throw this.fail("needs a list");
    return this.node.items.map((item) => new Tree(item, this.#source));
  }

  string(): string {
    if (this.node.kind !== "string") throw this.fail("needs a text");
    return this.node.value;
  }

  boolean(): boolean {
    if (this.node.kind !== "boolean") throw this.fail("needs true or false");
    return this.node.value;
  }

  /** A decimal integer that a double holds exactly. */
  integer(): number {
    const text = this.node.kind === "number" ? this.node.text : "";
    if (!/^-?(0|[1-9][0-9]{0,14})$/.test(text)) throw this.fail("needs a whole number");
    return Number(text);
  }

  text(name: string): string | undefined {
    return this.get(name)?.string();
  }
  flag(name: string): boolean | undefined {
    return this.get(name)?.boolean();
  }
  number(name: string): number | undefined {
    return this.get(name)?.integer();
  }
  list(name: string): Tree[] | undefined {
    return this.get(name)?.items();
  }
  strings(name: string): string[] | undefined {
    return this.list(name)?.map((item) => item.string());
  }
  /** Object of texts; absent: empty. */
  map(name: string): ReadonlyMap<string, string> {
    const found = this.get(name);
    return new Map(found?.members().map((m) => [m.name, m.value.string()]));
  }
}
