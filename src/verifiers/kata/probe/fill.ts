/** A request as the guest's serialisation shows it to the policy: every field of the message is present. */
import { shapes } from "./shapes.ts";

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What an unset field looks like: scalars zero, texts empty, lists [], maps {}, messages and enums null. */
function unset(type: string): unknown {
  if (type.startsWith("[]") || type === "bytes") return [];
  switch (type) {
    case "map":
      return {};
    case "string":
      return "";
    case "bool":
      return false;
    default:
      return /^u?int(32|64)$/.test(type) ? 0 : null;
  }
}

/** Adds the fields that are not there; fields that the message does not have stay. The value itself is left as it is. */
export function fill(type: string, value: unknown): unknown {
  const fields = Object.hasOwn(shapes, type) ? shapes[type] : undefined;
  if (fields === undefined || !isObject(value)) return value ?? null;
  const given = new Map(Object.entries(value));
  for (const [name, of] of Object.entries(fields)) {
    const found = given.get(name);
    if (found === undefined) given.set(name, unset(of));
    else if (of.startsWith("[]"))
      given.set(name, Array.isArray(found) ? found.map((v) => fill(of.slice(2), v)) : found);
    else given.set(name, fill(of, found));
  }
  return Object.fromEntries(given);
}
