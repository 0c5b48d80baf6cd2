/**
 * Intel signs the exact bytes of one member of a JSON response (spec notes tdx.md 3, step 4). The member is cut out of the
 * response as received, never parsed and written again: one space more breaks the signature.
 */
import { fromHex } from "../bytes/hex.ts";
import { readJson } from "../bytes/json.ts";
import { malformed } from "../errors.ts";

export interface SignedJson {
  /** From its { to the matching }: exactly the bytes that are signed. */
  readonly raw: Uint8Array;
  /** r and s, big-endian, 32 bytes each. */
  readonly signature: Uint8Array;
}

export const collateralMalformed = "COLLATERAL_MALFORMED";
export const maxDocumentBytes = 1 << 20;

const isSpace = (c: number): boolean => c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
const [quote, backslash, open, close, listOpen, listClose] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];

/** Finds where each top-level member's value begins and ends. It knows strings and brackets only; what it cuts out is read strictly afterwards. */
class Cutter {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  #fail(problem: string): Error {
    return malformed(`${this.#what}: ${problem} at byte ${this.#at}`, collateralMalformed);
  }
  #space(): void {
    while (isSpace(this.#bytes[this.#at] ?? 0)) this.#at++;
  }
  #take(c: number): boolean {
    this.#space();
    if (this.#bytes[this.#at] !== c) return false;
    this.#at++;
    return true;
  }
  #string(): Uint8Array {
    const from = this.#at;
    if (this.#bytes[this.#at] !== quote) throw this.#fail("no string");
    for (this.#at++; this.#at < this.#bytes.length; this.#at++) {
      const c = this.#bytes[this.#at];
      if (c === backslash) this.#at++;
      else if (c === quote) return this.#bytes.subarray(from, ++this.#at);
    }
    throw this.#fail("a string without its end");
  }
  #value(): Uint8Array {
    this.#space();
    const from = this.#at;
    const first = this.#bytes[from];
    if (first === quote) return this.#string();
    if (first !== open && first !== listOpen) throw this.#fail("a member that is neither string, object nor list");
    let depth = 0;
    for (; this.#at < this.#bytes.length; this.#at++) {
      const c = this.#bytes[this.#at];
      if (c === quote) {
        this.#string();
        this.#at--;
      } else if (c === open || c === listOpen) depth++;
      else if ((c === close || c === listClose) && --depth === 0) return this.#bytes.subarray(from, ++this.#at);
    }
    throw this.#fail("an object without its end");
  }

  members(): Map<string, Uint8Array> {
    const found = new Map<string, Uint8Array>();
    if (!this.#take(open)) throw this.#fail("no JSON object");
    do {
      this.#space();
      const name = text(this.#string(), this.#what);
      if (!this.#take(0x3a)) throw this.#fail("no colon after a member name");
      if (found.has(name)) throw this.#fail(`member ${name} twice`);
      found.set(name, this.#value());
    } while (this.#take(0x2c));
    if (!this.#take(close)) throw this.#fail("no closing brace");
    this.#space();
    if (this.#at < this.#bytes.length) throw this.#fail("something after the JSON object");
    return found;
  }
}

function text(json: Uint8Array, what: string): string {
  const { root } = readJson(json, { what, reasonCode: collateralMalformed, maxBytes: 4096 });
  if (root.kind !== "string") throw malformed(`${what}: not a string`, collateralMalformed);
  return root.value;
}

/**
 * @param member "tcbInfo" or "enclaveIdentity"; beside it "signature" and nothing else
 * @throws PmError PM_EVIDENCE_MALFORMED COLLATERAL_MALFORMED
 */
export function cutSigned(response: Uint8Array, member: string, what: string): SignedJson {
  if (response.length > maxDocumentBytes)
    throw malformed(`${what}: ${response.length} bytes, at most ${maxDocumentBytes}`, collateralMalformed);
  const bytes = new Uint8Array(response);
  const members = new Cutter(bytes, what).members();
  const raw = members.get(member);
  const signature = members.get("signature");
  if (raw === undefined || signature === undefined || members.size !== 2)
    throw malformed(
      `${what}: needs the members ${member} and signature, has ${[...members.keys()].join(", ")}`,
      collateralMalformed,
    );
  if (raw[0] !== open) throw malformed(`${what}: ${member} is not an object`, collateralMalformed);
  return { raw, signature: hexOf(text(signature, `${what}: signature`), 64, `${what}: signature`) };
}

/** Hex of exactly `length` bytes, in either case. @throws PmError COLLATERAL_MALFORMED */
export function hexOf(value: string, length: number, field: string): Uint8Array {
  if (value.length !== length * 2 || !/^[0-9a-fA-F]*$/.test(value))
    throw malformed(`${field}: needs ${length * 2} hex digits`, collateralMalformed);
  return fromHex(value, length, field);
}
