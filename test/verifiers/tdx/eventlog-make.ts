/** Event logs as firmware and dstack write them, from a list of events. */
import { createHash } from "node:crypto";

export interface Made {
  /** RTMR; -1 is MRTD. */
  readonly register: number;
  readonly type: number;
  readonly data: Uint8Array;
  /** Where it is not SHA-384 of the data. */
  readonly digest?: Uint8Array;
}
const sha384 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha384").update(bytes).digest());
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, "latin1"));
const u32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, v] of values.entries()) bytes.writeUInt32LE(v >>> 0, 4 * i);
  return bytes;
};
const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);

/** Events into every register, of kinds whose digest covers their data and of kinds whose does not. */
export const logEvents = (): Made[] => [
  { register: 0, type: 0x8000000b, data: text("hob"), digest: sha384(text("the real hob")) },
  { register: 0, type: 0x4, data: new Uint8Array(4) },
  { register: 1, type: 0x80000007, data: text("Calling EFI Application from Boot Option") },
  { register: 2, type: 0xd, data: text("grub_cmd: set default=2\0"), digest: sha384(text("set default=2")) },
  { register: 3, type: 0x6, data: text("tag"), digest: sha384(text("initrd")) },
];

const digestOf = ({ digest, data }: Made): Uint8Array => digest ?? sha384(data);

/** A CCEL without fill. */
export function ccel(events: readonly Made[]): Uint8Array {
  const spec = Buffer.concat([
    text("Spec ID Event03\0"),
    Buffer.alloc(4),
    Buffer.from([0, 2, 0, 2]),
    u32(1),
    u16(0x0c),
    u16(48),
    Buffer.alloc(1),
  ]);
  const header = Buffer.concat([u32(1, 3), Buffer.alloc(20), u32(spec.length), spec]);
  const rest = events.map((e) =>
    Buffer.concat([u32(e.register + 1, e.type, 1), u16(0x0c), digestOf(e), u32(e.data.length), e.data]),
  );
  return new Uint8Array(Buffer.concat([header, ...rest]));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export const dstackLog = (events: readonly Made[]): Uint8Array =>
  text(
    JSON.stringify(
      events.map((e) => ({
        imr: e.register,
        event_type: e.type,
        digest: hex(digestOf(e)),
        event: "",
        event_payload: hex(e.data),
      })),
    ),
  );

/** A runtime event of version 1. */
export function dstackEvent(event: string, payload: string) {
  const preimage = Buffer.concat([u32(0x08000001), Buffer.from(`:${event}:`), Buffer.from(payload, "hex")]);
  return { imr: 3, event_type: 0x08000001, digest: hex(sha384(preimage)), event, event_payload: payload };
}
