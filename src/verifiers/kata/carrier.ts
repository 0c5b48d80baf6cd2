/** How an initdata document travels: as a pod annotation (base64 of gzip) and as a small block device in the guest. */
import { type GzipLimits, gunzipOne } from "../../bytes/gzip.ts";
import { Reader } from "../../bytes/reader.ts";
import { initdataMalformed, maxDocumentBytes } from "./toml.ts";

/** The annotation's base64 text cannot be longer than this: gzip adds a few bytes at most to what it cannot shrink. */
export const maxCarrierBytes = Math.ceil((maxDocumentBytes + 4096) / 3) * 4;
const magic = "initdata";

/** `what` names the carrier in messages. */
export const initdataGzip = (what: string): GzipLimits => ({
  what,
  reasonCode: "initdata-malformed",
  maxBytes: maxDocumentBytes,
});
/** Block size of the device. */
const block = 512;

/** The bytes of an annotation's base64 text. */
export function decodeAnnotationBase64(text: string): Uint8Array {
  if (text.length > maxCarrierBytes) throw initdataMalformed(`annotation: longer than ${maxCarrierBytes} characters`);
  const bytes = Buffer.from(text, "base64");
  if (text === "" || bytes.toString("base64") !== text)
    throw initdataMalformed("annotation: not canonical standard base64");
  return new Uint8Array(bytes);
}

/**
 * Annotation io.katacontainers.config.hypervisor.cc_init_data, without a line end: standard base64 of one gzip member.
 * @returns the document's bytes, not yet read as one
 * @throws PmError initdata-malformed
 */
export const decodeAnnotation = (text: string): Uint8Array =>
  gunzipOne(decodeAnnotationBase64(text), initdataGzip("annotation"));

/** The magic, and a zero byte in the length field, which a text cannot hold. */
export const beginsAsDevice = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.subarray(0, magic.length)).toString("latin1") === magic && bytes.subarray(8, 16).includes(0);

/**
 * Block device: "initdata", length of the gzip member (u64, little endian), the member, zeros up to the next 512 bytes.
 * @returns the document's bytes, not yet read as one
 * @throws PmError initdata-malformed
 */
export function decodeInitdataDevice(bytes: Uint8Array): Uint8Array {
  const r = new Reader(bytes, "initdata-malformed");
  if (Buffer.from(r.bytes(magic.length, "device magic")).toString("latin1") !== magic)
    throw initdataMalformed(`initdata device: does not begin with "${magic}"`);
  const length = r.u64le("device length");
  if (length > BigInt(r.left)) throw initdataMalformed(`initdata device: length ${length}, ${r.left} bytes left`);
  const member = r.bytes(Number(length), "device content");
  r.zeros((block - (r.offset % block)) % block, "device padding");
  r.end("initdata device");
  return gunzipOne(member, initdataGzip("initdata device"));
}
