/** Protocol Buffers wire format, the part that evidence in protobuf needs, read strictly: each field at most once. */
import { malformed } from "../errors.ts";

/** What a field must look like. `u32` and `u64` are varints; `map` is the only kind that may repeat. */
export type FieldKind = "u32" | "u64" | "bytes" | "map";
export interface FieldRule {
  readonly name: string;
  readonly kind: FieldKind;
}
export interface Message {
  readonly numbers: ReadonlyMap<string, bigint>;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly repeated: ReadonlyMap<string, readonly Uint8Array[]>;
}
const maxRepeats = 64;

/**
 * @param rules field number to rule; any other field is refused, because what is not understood cannot be judged
 * @throws PmError PM_EVIDENCE_MALFORMED with `reasonCode`
 */
export function decodeMessage(
  bytes: Uint8Array,
  rules: Readonly<Record<number, FieldRule>>,
  what: string,
  reasonCode: string,
): Message {
  const fail = (text: string) => malformed(`${what}: ${text}`, reasonCode);
  const numbers = new Map<string, bigint>();
  const blobs = new Map<string, Uint8Array>();
  const repeated = new Map<string, Uint8Array[]>();
  let at = 0;
  const varint = (): bigint => {
    const start = at;
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw fail(`varint at offset ${start} is cut off`);
      value |= BigInt(byte & 0x7f) << shift;
      if ((byte & 0x80) !== 0 && at - start < 10) continue;
      if (byte & 0x80 || value >= 1n << 64n || (byte === 0 && at - start > 1))
        throw fail(`varint at offset ${start} is not a shortest 64-bit one`);
      return value;
    }
  };
  while (at < bytes.length) {
    const start = at;
    const tag = varint();
    const rule = rules[Number(tag >> 3n)];
    if (rule === undefined) throw fail(`unknown field ${tag >> 3n} at offset ${start}`);
    const wire = Number(tag & 7n);
    if (wire !== (rule.kind === "u32" || rule.kind === "u64" ? 0 : 2))
      throw fail(`${rule.name} at offset ${start} has wire type ${wire}`);
    if (numbers.has(rule.name) || blobs.has(rule.name)) throw fail(`${rule.name} occurs twice`);
    const value = varint();
    if (wire === 0) {
      if (rule.kind === "u32" && value >> 32n !== 0n) throw fail(`${rule.name}: ${value} needs more than 32 bits`);
      numbers.set(rule.name, value);
      continue;
    }
    const left = bytes.length - at;
    if (value > BigInt(left)) throw fail(`${rule.name}: needs ${value} bytes at offset ${at}, ${left} left`);
    const blob = bytes.slice(at, at + Number(value));
    at += blob.length;
    if (rule.kind !== "map") blobs.set(rule.name, blob);
    else {
      const list = repeated.get(rule.name) ?? [];
      if (list.length === maxRepeats) throw fail(`${rule.name}: more than ${maxRepeats} entries`);
      repeated.set(rule.name, [...list, blob]);
    }
  }
  return { numbers, blobs, repeated };
}
