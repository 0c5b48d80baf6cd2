/**
 * Tells the forms of raw_attestation_doc apart (Contrast v1.20, raw_attestation_doc) without decoding them: SNP is a
 * protobuf whose field 1.11 (report data) has 64 bytes and 1.28 (signature) 512; TDX has 1.3 (TEE type) 0x81 and 2.12
 * (report data) of 64 bytes; the insecure form of tests is a JSON object.
 */
import type { AttestationDocument } from "./types.ts";

type Value = bigint | Uint8Array;
type Message = ReadonlyMap<number, readonly Value[]>;

const maxFields = 4096;

/** Object identifiers in attestation_type. */
export const attestationTypes = { snp: "1.3.9901.2.1", tdx: "1.3.9901.2.2" } as const;

export function documentOf(bytes: Uint8Array): AttestationDocument {
  if (bytes.length === 0) return { kind: "unknown", bytes, because: "no attestation document" };
  if (bytes[0] === 0x7b) return { kind: "insecure", bytes, because: "a JSON object, which carries no signature" };
  const document = fieldsOf(bytes);
  const report = document && messageIn(document, 1);
  if (document === undefined || report === undefined)
    return { kind: "unknown", bytes, because: "neither JSON nor a protobuf with a report" };
  const snp = lengthOf(report, 11) === 64 && lengthOf(report, 28) === 512;
  const body = messageIn(document, 2);
  const tdx = only(report, 3) === 0x81n && body !== undefined && lengthOf(body, 12) === 64;
  if (snp && !tdx) return { kind: "snp", bytes, because: "protobuf with SNP report data and signature" };
  if (tdx && !snp) return { kind: "tdx", bytes, because: "protobuf with TEE type 0x81 and TD report data" };
  return { kind: "unknown", bytes, because: "a protobuf of neither SNP nor TDX form" };
}

const only = (message: Message, field: number): Value | undefined => {
  const values = message.get(field);
  return values?.length === 1 ? values[0] : undefined;
};
const lengthOf = (message: Message, field: number): number | undefined => {
  const value = only(message, field);
  return value instanceof Uint8Array ? value.length : undefined;
};
const messageIn = (message: Message, field: number): Message | undefined => {
  const value = only(message, field);
  return value instanceof Uint8Array ? fieldsOf(value) : undefined;
};

/** Fields of one protobuf message, without descending; undefined when it is none. */
function fieldsOf(bytes: Uint8Array): Message | undefined {
  const fields = new Map<number, Value[]>();
  let at = 0;
  let count = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  const take = (length: bigint | undefined): Uint8Array | undefined => {
    if (length === undefined || length > BigInt(bytes.length - at)) return undefined;
    const value = bytes.subarray(at, at + Number(length));
    at += Number(length);
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === undefined || tag >> 3n === 0n || tag > 0xffffffffn || ++count > maxFields) return undefined;
    const wire = Number(tag & 7n);
    const value =
      wire === 0 ? varint() : wire === 1 ? take(8n) : wire === 2 ? take(varint()) : wire === 5 ? take(4n) : undefined;
    if (value === undefined) return undefined;
    const field = Number(tag >> 3n);
    const values = fields.get(field);
    if (values === undefined) fields.set(field, [value]);
    else values.push(value);
  }
  return fields;
}
