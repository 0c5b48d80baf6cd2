/**
 * gzip, RFC 1952: exactly one member, bounded. node:zlib alone would join further members and pass over what follows
 * them, so that two readers could see two contents in one file.
 */
import { crc32, inflateRawSync } from "node:zlib";
import { malformed } from "../errors.ts";
import { Reader } from "./reader.ts";

export interface GzipLimits {
  /** Names the content in messages. */
  readonly what: string;
  readonly reasonCode: string;
  /** Most bytes of content. */
  readonly maxBytes: number;
}
const flag = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

export const beginsAsGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Content of the one member; CRC-32 and length are checked, nothing may follow.
 * @throws PmError PM_EVIDENCE_MALFORMED with the reason code, also when the content is longer than the limit
 */
export function gunzipOne(bytes: Uint8Array, limits: GzipLimits): Uint8Array {
  const { what, reasonCode } = limits;
  const start = headerLength(bytes, limits);
  const { content, used } = inflate(bytes.subarray(start), limits);
  const r = new Reader(bytes.subarray(start + used), reasonCode);
  const crc = r.u32le(`${what}: gzip CRC32`);
  const size = r.u32le(`${what}: gzip ISIZE`);
  if (crc !== crc32(content)) throw malformed(`${what}: gzip CRC32 does not fit the content`, reasonCode);
  if (size !== content.length)
    throw malformed(`${what}: gzip ISIZE ${size}, content has ${content.length} bytes`, reasonCode);
  r.end(`${what}: gzip`);
  return content;
}

/** RFC 1952 2.3: ten fixed bytes, then what FLG announces. */
function headerLength(bytes: Uint8Array, { what, reasonCode }: GzipLimits): number {
  const r = new Reader(bytes, reasonCode);
  if (r.u16le(`${what}: gzip ID`) !== 0x8b1f) throw malformed(`${what}: not gzip`, reasonCode);
  const method = r.u8("gzip CM");
  if (method !== 8) throw malformed(`${what}: gzip compression method ${method}, 8 wanted`, reasonCode);
  const flags = r.u8("gzip FLG");
  if ((flags & flag.reserved) !== 0) throw malformed(`${what}: reserved gzip flags are set`, reasonCode);
  r.bytes(6, "gzip MTIME, XFL, OS");
  if ((flags & flag.extra) !== 0) r.bytes(r.u16le("gzip XLEN"), "gzip FEXTRA");
  for (const field of [flag.name, flag.comment]) if ((flags & field) !== 0) while (r.u8("gzip text") !== 0);
  if ((flags & flag.headerCrc) !== 0) {
    const wanted = crc32(bytes.subarray(0, r.offset)) & 0xffff;
    if (r.u16le("gzip CRC16") !== wanted) throw malformed(`${what}: gzip header CRC16 does not fit`, reasonCode);
  }
  return r.offset;
}

/** `used` is the length of the deflate stream itself: what stands behind it is not its content. */
function inflate(
  deflated: Uint8Array,
  { what, reasonCode, maxBytes }: GzipLimits,
): { content: Uint8Array; used: number } {
  try {
    // With `info` node:zlib returns the engine too, whose bytesWritten counts the input that the stream took.
    const out: unknown = inflateRawSync(deflated, { info: true, maxOutputLength: maxBytes });
    if (typeof out === "object" && out !== null && "buffer" in out && "engine" in out) {
      const { buffer, engine } = out;
      if (buffer instanceof Uint8Array && typeof engine === "object" && engine !== null && "bytesWritten" in engine)
        return { content: new Uint8Array(buffer), used: Number(engine.bytesWritten) };
    }
  } catch (error) {
    const tooLong = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    throw malformed(
      tooLong ? `${what}: inflates to more than ${maxBytes} bytes` : `${what}: broken deflate stream`,
      reasonCode,
    );
  }
  throw malformed(`${what}: deflate stream of unknown length`, reasonCode);
}
