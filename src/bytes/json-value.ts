/** JSON nodes as plain values, for output and for comparing what two documents mean. */
import type { Json } from "../report/report.ts";
import type { JsonNode } from "./json.ts";

/**
 * The value of a node whose objects have no doubled members. A number that JavaScript would round stays text as written;
 * an object is made entry by entry, so that a member named __proto__ is a member like any other.
 */
export function plain(node: JsonNode): Json {
  switch (node.kind) {
    case "null":
      return null;
    case "boolean":
    case "string":
      return node.value;
    case "number":
      return String(Number(node.text)) === node.text ? Number(node.text) : node.text;
    case "array":
      return node.items.map(plain);
    case "object":
      return Object.fromEntries(node.members.map((m) => [m.name, plain(m.value)]));
    default:
      return node satisfies never;
  }
}

/** One text for one meaning: members sorted, no white space, numbers as written. */
export function canonical(node: JsonNode): string {
  switch (node.kind) {
    case "null":
      return "null";
    case "boolean":
    case "string":
      return JSON.stringify(node.value);
    case "number":
      return node.text;
    case "array":
      return `[${node.items.map(canonical).join(",")}]`;
    case "object": {
      const members = node.members.map((m): readonly [string, string] => [m.name, canonical(m.value)]);
      return `{${members
        .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
        .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
        .join(",")}}`;
    }
    default:
      return node satisfies never;
  }
}
