/** Hexadecimal and base64, exact: nothing is padded, trimmed or skipped. */
import { malformed } from "../errors.ts";

/** Lower-case hex of the bytes. */
export const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");

/** 0x-prefixed lower-case hex, zero-padded to `digits`; for fields that the documents write as one number. */
export const hexNumber = (value: number | bigint, digits = 1): string =>
  `0x${value.toString(16).padStart(digits, "0")}`;

/**
 * Hex text (either case, no prefix, no spaces) to exactly `length` bytes.
 * @throws PmError PM_EVIDENCE_MALFORMED naming `field`, the length wanted and the length given.
 */
export function fromHex(text: string, length: number | undefined, field: string): Uint8Array {
  if (!/^[0-9a-fA-F]*$/.test(text)) throw malformed(`${field}: not hexadecimal`);
  if (length === undefined ? text.length % 2 !== 0 : text.length !== length * 2)
    throw malformed(
      length === undefined
        ? `${field}: odd number of hex digits (${text.length})`
        : `${field}: needs ${length * 2} hex digits (${length} bytes), got ${text.length}`,
    );
  return new Uint8Array(Buffer.from(text, "hex"));
}

/**
 * Standard base64 (RFC 4648 section 4) in its one canonical spelling: padding there, no line breaks, trailing bits zero.
 * @throws PmError PM_EVIDENCE_MALFORMED naming `field`.
 */
export function fromBase64(text: string, field: string): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw malformed(`${field}: not canonical standard base64`);
  return new Uint8Array(bytes);
}

/** Compares byte strings; the values that pm compares are public, so no constant time is needed. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** True when every byte is zero (true for the empty string too). */
export const allZero = (bytes: Uint8Array): boolean => bytes.every((b) => b === 0);
