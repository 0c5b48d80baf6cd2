/**
 * Strict DER (X.690, the distinguished encoding): one encoding a value, nothing else is read.
 * Why strict: two readers that disagree about one encoding are how a certificate gets two meanings. Refused are indefinite
 * and non-minimal lengths, multi-byte tags, padded integers, BOOLEANs other than 00 and FF, times without seconds or `Z`,
 * and bytes that are left over.
 */
import { malformed, type PmError } from "../errors.ts";
import { oidText } from "./oid.ts";
import { generalizedTime, utcTime } from "./time.ts";

/** Identifier octets (X.690 8.1.2) of the universal types that certificates use. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Context-specific tag [n]; constructed for EXPLICIT and for implicit constructed types. */
export const contextTag = (n: number, constructed: boolean): number => (constructed ? 0xa0 : 0x80) | n;

/** No format here nests deeper; the limit keeps a reader that recurses from being driven by the input. */
const maxDepth = 24;
const tagText = (tag: number): string => `0x${tag.toString(16).padStart(2, "0")}`;

/** One element; both are views of the bytes that were given. */
export interface Element {
  readonly tag: number;
  /** Identifier, length and content octets. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

/** Reads the elements of one constructed value in order. Every error is PM_EVIDENCE_MALFORMED and names field and offset. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #depth: number;
  #at: number;
  #content = 0;

  private constructor(bytes: Uint8Array, at: number, end: number, depth: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.#depth = depth;
  }

  /** A reader over all of `bytes`; values it hands out are views of them. */
  static over(bytes: Uint8Array): DerReader {
    return new DerReader(bytes, 0, bytes.length, 0);
  }

  get more(): boolean {
    return this.#at < this.#end;
  }
  /** Offset of the next element in the outermost bytes. */
  get offset(): number {
    return this.#at;
  }
  /** Tag of the next element; undefined at the end. */
  get tag(): number | undefined {
    return this.#at < this.#end ? this.#bytes[this.#at] : undefined;
  }

  #octet(at: number, limit: number, field: string): number {
    const octet = at < limit ? this.#bytes[at] : undefined;
    if (octet === undefined) throw malformed(`${field}: ends inside its header at offset ${at}`);
    return octet;
  }

  /** Steps over one element and returns the offset of its start; #content and #at are then the bounds of its content. */
  #step(expected: number | undefined, field: string): number {
    const start = this.#at;
    if (start >= this.#end) throw malformed(`${field}: missing at offset ${start}`);
    const tag = this.#octet(start, this.#end, field);
    if (expected !== undefined && tag !== expected)
      throw malformed(`${field}: needs tag ${tagText(expected)} at offset ${start}, got ${tagText(tag)}`);
    if ((tag & 0x1f) === 0x1f) throw malformed(`${field}: multi-byte tag at offset ${start}`);
    let content = start + 2;
    let length = this.#octet(start + 1, this.#end, field);
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0 || octets > 4)
        throw malformed(`${field}: length form ${tagText(length)} at offset ${start + 1}`);
      content += octets;
      length = 0;
      for (let i = start + 2; i < content; i++) length = length * 256 + this.#octet(i, this.#end, field);
      if (length < 0x80 || length < 256 ** (octets - 1))
        throw malformed(`${field}: length not in its shortest form at offset ${start + 1}`);
    }
    if (length > this.#end - content)
      throw malformed(`${field}: needs ${length} bytes at offset ${content}, ${this.#end - content} left`);
    this.#content = content;
    this.#at = content + length;
    return start;
  }

  #fail(field: string, what: string): PmError {
    return malformed(`${field}: ${what} at offset ${this.#content}`);
  }

  /** The next element, whatever it is, or only if it has this tag. */
  element(field: string, tag?: number): Element {
    const start = this.#step(tag, field);
    return {
      tag: this.#bytes[start] ?? 0,
      whole: this.#bytes.subarray(start, this.#at),
      content: this.#bytes.subarray(this.#content, this.#at),
    };
  }
  /** Content octets of the next element, which must have this tag. */
  content(tag: number, field: string): Uint8Array {
    this.#step(tag, field);
    return this.#bytes.subarray(this.#content, this.#at);
  }
  /** Identifier, length and content octets of the next element, which must have this tag. */
  whole(tag: number, field: string): Uint8Array {
    const start = this.#step(tag, field);
    return this.#bytes.subarray(start, this.#at);
  }
  /** A reader over the content of the next element, which must have this (constructed) tag. */
  enter(tag: number, field: string): DerReader {
    if (this.#depth >= maxDepth) throw malformed(`${field}: nested deeper than ${maxDepth} at offset ${this.#at}`);
    this.#step(tag, field);
    return new DerReader(this.#bytes, this.#content, this.#at, this.#depth + 1);
  }
  /** The same, with the bytes of the whole element. */
  open(tag: number, field: string): { readonly whole: Uint8Array; readonly inner: DerReader } {
    const start = this.#at;
    const inner = this.enter(tag, field);
    return { whole: this.#bytes.subarray(start, this.#at), inner };
  }
  sequence(field: string): DerReader {
    return this.enter(tags.sequence, field);
  }

  /** Content octets of an INTEGER (or another type with its encoding): two's complement, big-endian, shortest form. */
  integer(field: string, tag: number = tags.integer): Uint8Array {
    const octets = this.content(tag, field);
    const [first, second] = octets;
    if (first === undefined) throw this.#fail(field, "integer without content");
    if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
      throw this.#fail(field, "integer not in its shortest form");
    return octets;
  }
  /** A non-negative INTEGER of at most `max` (below 2^31). */
  smallInteger(field: string, max: number, tag: number = tags.integer): number {
    const octets = this.integer(field, tag);
    let value = octets.length > 5 || (octets[0] ?? 0x80) >= 0x80 ? Number.POSITIVE_INFINITY : 0;
    for (const octet of octets) value = value * 256 + octet;
    if (value > max) throw this.#fail(field, `integer outside 0 to ${max}`);
    return value;
  }
  boolean(field: string): boolean {
    const octets = this.content(tags.boolean, field);
    if (octets.length !== 1 || (octets[0] !== 0 && octets[0] !== 0xff))
      throw this.#fail(field, "boolean that is neither 00 nor FF");
    return octets[0] === 0xff;
  }
  /** Dotted decimal form. */
  oid(field: string): string {
    const text = oidText(this.content(tags.oid, field));
    if (text === undefined) throw this.#fail(field, "object identifier not in its one form");
    return text;
  }
  octetString(field: string): Uint8Array {
    return this.content(tags.octetString, field);
  }
  /** BIT STRING of whole octets. */
  octetsOfBitString(field: string): Uint8Array {
    const octets = this.content(tags.bitString, field);
    if (octets[0] !== 0) throw this.#fail(field, "bit string that is not of whole octets");
    return octets.subarray(1);
  }
  /**
   * BIT STRING with named bits; bit 0 is the first. Unused bits must be zero. Trailing zero bits, which DER leaves out
   * (X.690 11.2.2), are read: the keyUsage of AMD's ASKs and ASVKs has them.
   */
  namedBits(field: string): ReadonlySet<number> {
    const octets = this.content(tags.bitString, field);
    const unused = octets[0] ?? 8;
    const last = octets.length > 1 ? (octets[octets.length - 1] ?? 0) : 0;
    if (unused > 7 || (octets.length === 1 && unused !== 0) || (last & ((1 << unused) - 1)) !== 0)
      throw this.#fail(field, "bit string whose unused bits are not zero");
    const set = new Set<number>();
    octets.subarray(1).forEach((octet, i) => {
      for (let bit = 0; bit < 8; bit++) if (octet & (0x80 >> bit)) set.add(i * 8 + bit);
    });
    return set;
  }
  /**
   * UTCTime until 2049, GeneralizedTime from 2050, both `...SSZ` without fraction (RFC 5280 4.1.2.5).
   * A date that the calendar does not have is refused, not carried over.
   */
  time(field: string): Date {
    const isUtc = this.tag === tags.utcTime;
    const octets = this.content(isUtc ? tags.utcTime : tags.generalizedTime, field);
    const time = isUtc ? utcTime(octets) : generalizedTime(octets);
    if (time === undefined) throw this.#fail(field, `${isUtc ? "UTCTime" : "GeneralizedTime"} that RFC 5280 rules out`);
    return time;
  }

  /** Refuses leftovers. */
  end(what: string): void {
    if (this.more)
      throw malformed(`${what}: ${this.#end - this.#at} bytes more than the format has, from offset ${this.#at}`);
  }
}

/** Reads `bytes` as exactly one value. @throws PmError PM_EVIDENCE_MALFORMED also for what is left over. */
export function decodeWhole<T>(bytes: Uint8Array, field: string, read: (reader: DerReader) => T): T {
  const reader = DerReader.over(bytes);
  const value = read(reader);
  reader.end(field);
  return value;
}
