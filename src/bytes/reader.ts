/** Bounded little-endian and big-endian reads that name the field, the offset, the need and what is left. */
import { malformed } from "../errors.ts";

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #code: string | undefined;
  #offset = 0;

  /** `reasonCode` goes into every error, so that the stage boundary knows which defect it is. */
  constructor(bytes: Uint8Array, reasonCode?: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#code = reasonCode;
  }

  get offset(): number {
    return this.#offset;
  }
  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  #take(length: number, field: string): number {
    if (!Number.isSafeInteger(length) || length < 0 || length > this.left)
      throw malformed(`${field}: needs ${length} bytes at offset ${this.#offset}, ${this.left} left`, this.#code);
    const at = this.#offset;
    this.#offset += length;
    return at;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#take(1, field));
  }
  u16le(field: string): number {
    return this.#view.getUint16(this.#take(2, field), true);
  }
  u32le(field: string): number {
    return this.#view.getUint32(this.#take(4, field), true);
  }
  u64le(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field), true);
  }
  /** A copy, so that a later change of the input changes nothing here. */
  bytes(length: number, field: string): Uint8Array {
    const at = this.#take(length, field);
    return this.#bytes.slice(at, at + length);
  }
  /** Reserved bytes that the document says are zero. */
  zeros(length: number, field: string, reasonCode = this.#code): void {
    const start = this.#offset;
    const at = this.bytes(length, field).findIndex((b) => b !== 0);
    if (at >= 0) throw malformed(`${field}: reserved byte at offset ${start + at} is not zero`, reasonCode);
  }
  /** Refuses leftovers. */
  end(what: string): void {
    if (this.left > 0)
      throw malformed(`${what}: ${this.left} bytes more than the format has, from offset ${this.#offset}`, this.#code);
  }
}
