/** Typed access to the members of one JSON object of Intel's collateral; every error is COLLATERAL_MALFORMED and names its place. */
import { type JsonNode, type JsonObject, member, repeated } from "../bytes/json.ts";
import { malformed, type PmError } from "../errors.ts";
import { collateralMalformed, hexOf } from "./signed-json.ts";

const instantForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

export class JsonFields {
  readonly what: string;
  readonly #object: JsonObject;

  private constructor(object: JsonObject, what: string) {
    this.#object = object;
    this.what = what;
  }

  static of(node: JsonNode, what: string): JsonFields {
    if (node.kind !== "object") throw malformed(`${what}: not an object`, collateralMalformed);
    const [twice] = repeated(node);
    if (twice !== undefined) throw malformed(`${what}: member ${twice.name} twice`, collateralMalformed);
    return new JsonFields(node, what);
  }

  #wrong(name: string, wanted: string): PmError {
    return malformed(`${this.what}: ${name} must be ${wanted}`, collateralMalformed);
  }
  #get(name: string): JsonNode | undefined {
    return member(this.#object, name);
  }

  string(name: string): string {
    const value = this.stringIfThere(name);
    if (value === undefined) throw this.#wrong(name, "a string");
    return value;
  }
  stringIfThere(name: string): string | undefined {
    const node = this.#get(name);
    if (node === undefined) return undefined;
    if (node.kind !== "string") throw this.#wrong(name, "a string");
    return node.value;
  }
  stringsIfThere(name: string): readonly string[] | undefined {
    const node = this.#get(name);
    if (node === undefined) return undefined;
    if (node.kind !== "array") throw this.#wrong(name, "a list of strings");
    return node.items.map((item) => {
      if (item.kind !== "string") throw this.#wrong(name, "a list of strings");
      return item.value;
    });
  }
  /** Numbers as they are written: 3.0 and 3e0 are not integers here. */
  integer(name: string, most: number): number {
    const node = this.#get(name);
    const value = node?.kind === "number" && /^(0|[1-9]\d{0,9})$/.test(node.text) ? Number(node.text) : undefined;
    if (value === undefined || value > most) throw this.#wrong(name, `an integer from 0 to ${most}`);
    return value;
  }
  hex(name: string, length: number): Uint8Array {
    return hexOf(this.string(name), length, `${this.what}: ${name}`);
  }
  /** RFC 3339 in UTC, whole seconds, a date that the calendar has. */
  instant(name: string): Date {
    const text = this.string(name);
    const time = new Date(instantForm.test(text) ? text : Number.NaN);
    if (!Number.isFinite(time.getTime()) || time.toISOString().slice(0, 19) !== text.slice(0, 19))
      throw this.#wrong(name, "a time such as 2026-01-12T16:27:21Z");
    return time;
  }
  object(name: string): JsonFields {
    const node = this.#get(name);
    if (node === undefined) throw this.#wrong(name, "an object");
    return JsonFields.of(node, `${this.what}: ${name}`);
  }
  objects(name: string): readonly JsonFields[] {
    const list = this.objectsIfThere(name);
    if (list === undefined) throw this.#wrong(name, "a list");
    return list;
  }
  objectsIfThere(name: string): readonly JsonFields[] | undefined {
    const node = this.#get(name);
    if (node === undefined) return undefined;
    if (node.kind !== "array") throw this.#wrong(name, "a list");
    return node.items.map((item, i) => JsonFields.of(item, `${this.what}: ${name}[${i}]`));
  }
}
