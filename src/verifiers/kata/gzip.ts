/**
 * gzip, RFC 1952: exactly one member. node:zlib alone would join further members and pass over what follows them, so
 * that two readers could see two documents in one annotation.
 */
import { crc32, inflateRawSync } from "node:zlib";
import { Reader } from "../../bytes/reader.ts";
import { initdataMalformed, maxDocumentBytes } from "./toml.ts";

const code = "initdata-malformed";
const flag = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

export const beginsAsGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Content of the one member; CRC-32 and length are checked, nothing may follow.
 * @throws PmError initdata-malformed, also when the content is longer than an initdata document may be
 */
export function gunzipOne(bytes: Uint8Array, what: string): Uint8Array {
  const start = headerLength(bytes, what);
  const { content, used } = inflate(bytes.subarray(start), what);
  const r = new Reader(bytes.subarray(start + used), code);
  const crc = r.u32le(`${what}: gzip CRC32`);
  const size = r.u32le(`${what}: gzip ISIZE`);
  if (crc !== crc32(content)) throw initdataMalformed(`${what}: gzip CRC32 does not fit the content`);
  if (size !== content.length)
    throw initdataMalformed(`${what}: gzip ISIZE ${size}, content has ${content.length} bytes`);
  r.end(`${what}: gzip`);
  return content;
}

/** RFC 1952 2.3: ten fixed bytes, then what FLG announces. */
function headerLength(bytes: Uint8Array, what: string): number {
  const r = new Reader(bytes, code);
  const magic = r.u16le(`${what}: gzip ID`);
  if (magic !== 0x8b1f) throw initdataMalformed(`${what}: not gzip`);
  const method = r.u8("gzip CM");
  if (method !== 8) throw initdataMalformed(`${what}: gzip compression method ${method}, 8 wanted`);
  const flags = r.u8("gzip FLG");
  if ((flags & flag.reserved) !== 0) throw initdataMalformed(`${what}: reserved gzip flags are set`);
  r.bytes(6, "gzip MTIME, XFL, OS");
  if ((flags & flag.extra) !== 0) r.bytes(r.u16le("gzip XLEN"), "gzip FEXTRA");
  for (const field of [flag.name, flag.comment]) if ((flags & field) !== 0) while (r.u8("gzip text") !== 0);
  if ((flags & flag.headerCrc) !== 0) {
    const wanted = crc32(bytes.subarray(0, r.offset)) & 0xffff;
    if (r.u16le("gzip CRC16") !== wanted) throw initdataMalformed(`${what}: gzip header CRC16 does not fit`);
  }
  return r.offset;
}

/** `used` is the length of the deflate stream itself: what stands behind it is not its content. */
function inflate(deflated: Uint8Array, what: string): { content: Uint8Array; used: number } {
  try {
    // With `info` node:zlib returns the engine too, whose bytesWritten counts the input that the stream took.
    const out: unknown = inflateRawSync(deflated, { info: true, maxOutputLength: maxDocumentBytes });
    if (typeof out === "object" && out !== null && "buffer" in out && "engine" in out) {
      const { buffer, engine } = out;
      if (buffer instanceof Uint8Array && typeof engine === "object" && engine !== null && "bytesWritten" in engine)
        return { content: new Uint8Array(buffer), used: Number(engine.bytesWritten) };
    }
  } catch (error) {
    const tooLong = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    throw initdataMalformed(
      tooLong ? `${what}: inflates to more than ${maxDocumentBytes} bytes` : `${what}: broken deflate stream`,
    );
  }
  throw initdataMalformed(`${what}: deflate stream of unknown length`);
}
