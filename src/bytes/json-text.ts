/** JSON nodes as text: two spaces an indent and a final newline, as Contrast's CLI writes a manifest. */
import type { JsonNode } from "./json.ts";

/** Numbers stand as they were read, members keep their order. */
export const jsonText = (node: JsonNode): string => `${textOf(node, "\n")}\n`;

/** @param line a newline with the indent of the line on which the value begins */
function textOf(node: JsonNode, line: string): string {
  const inner = `${line}  `;
  switch (node.kind) {
    case "null":
      return "null";
    case "boolean":
    case "string":
      return JSON.stringify(node.value);
    case "number":
      return node.text;
    case "array":
      if (node.items.length === 0) return "[]";
      return `[${node.items.map((item) => `${inner}${textOf(item, inner)}`).join(",")}${line}]`;
    case "object":
      if (node.members.length === 0) return "{}";
      return `{${node.members
        .map((m) => `${inner}${JSON.stringify(m.name)}: ${textOf(m.value, inner)}`)
        .join(",")}${line}}`;
    default:
      return node satisfies never;
  }
}
