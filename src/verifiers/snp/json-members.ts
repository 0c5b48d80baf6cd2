/** Members of the JSON carriers: each has one meaning, or the evidence is malformed. */
import { fromBase64 } from "../../bytes/hex.ts";
import { type JsonNode, type JsonObject, repeated } from "../../bytes/json.ts";
import { malformed, PmError } from "../../errors.ts";

const shape = "report-size";

/** An object whose members all have one meaning. */
export function objectOf(node: JsonNode | undefined, what: string): JsonObject {
  if (node?.kind !== "object") throw malformed(`${what}: not an object`, shape);
  const twice = repeated(node)[0];
  if (twice !== undefined) throw malformed(`${what}: member ${JSON.stringify(twice.name)} stands twice`, shape);
  return node;
}

/** What is not known could change the meaning of what is. */
export function only(object: JsonObject, what: string, known: readonly string[]): void {
  const other = object.members.find(({ name }) => !known.includes(name));
  if (other !== undefined) throw malformed(`${what}: unknown member ${JSON.stringify(other.name)}`, shape);
}

export function textOf(node: JsonNode | undefined, what: string): string {
  if (node?.kind !== "string") throw malformed(`${what}: not text`, shape);
  return node.value;
}

export function base64Of(node: JsonNode | undefined, what: string, code: string): Uint8Array {
  try {
    return fromBase64(textOf(node, what), what);
  } catch (error) {
    throw error instanceof PmError ? malformed(error.message, code) : error;
  }
}

/** base64url without padding, in its one spelling. */
export function base64Url(node: JsonNode | undefined, what: string, code: string): Uint8Array {
  const text = textOf(node, what);
  const bytes = Buffer.from(text, "base64url");
  if (bytes.toString("base64url") !== text) throw malformed(`${what}: not canonical base64url`, code);
  return new Uint8Array(bytes);
}

/** A list of numbers, 0 to 255 each, or base64. */
export function bytesOf(node: JsonNode | undefined, what: string, code = shape): Uint8Array {
  if (node?.kind === "string") return base64Of(node, what, code);
  if (node?.kind !== "array") throw malformed(`${what}: not a list of bytes`, code);
  return Uint8Array.from(
    node.items.map((item, i) => {
      if (item.kind !== "number" || !/^\d{1,3}$/.test(item.text) || Number(item.text) > 255)
        throw malformed(`${what}[${i}]: not a byte`, code);
      return Number(item.text);
    }),
  );
}
