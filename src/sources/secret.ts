/** A credential that cannot be printed by accident. */
import { inspect } from "node:util";
import { usage } from "../errors.ts";

const shown = "[api key]";

/**
 * What base64 makes of a text inside a longer one, at its three possible alignments; the digits at either end that the
 * neighbours take part in are left out. Texts of fewer than 8 characters would match by chance.
 */
function inBase64(text: string): string[] {
  if (text.length < 8) return [];
  return [0, 1, 2].map((shift) => {
    const digits = Buffer.from("\0".repeat(shift) + text)
      .toString("base64")
      .replace(/=+$/, "");
    return digits.slice(shift === 0 ? 0 : shift + 1, (shift + text.length) % 3 === 0 ? undefined : -1);
  });
}

/** However it is printed, serialised or inspected, it shows `[api key]`; only `reveal` gives the text. */
export class ApiKey {
  readonly #value: string;

  /**
   * @param text content of the key file or of stdin; surrounding white space is dropped
   * @throws PmError PM_USAGE that does not repeat the text
   */
  constructor(text: string) {
    const value = text.trim();
    if (!/^[\x21-\x7e]{1,4096}$/.test(value))
      throw usage("API key: must be one line of 1 to 4096 visible ASCII characters");
    this.#value = value;
  }

  /** For the Authorization header, and for nothing else. */
  reveal(): string {
    return this.#value;
  }

  /** Whether the bytes repeat the key, as it is or as JSON, a URL or base64 would write it. */
  occursIn(bytes: Uint8Array): boolean {
    const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // JSON may spell any character as \\uXXXX; decoded, it would stand in the report.
    const unescaped = haystack.includes("\\u")
      ? Buffer.from(
          haystack
            .toString("latin1")
            .replace(/\\u00([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
          "latin1",
        )
      : undefined;
    const spellings = [this.#value, JSON.stringify(this.#value).slice(1, -1), encodeURIComponent(this.#value)];
    return [...spellings, ...inBase64(this.#value)].some(
      (spelling) => haystack.includes(spelling) || unescaped?.includes(spelling),
    );
  }

  toString(): string {
    return shown;
  }
  toJSON(): string {
    return shown;
  }
  [inspect.custom](): string {
    return shown;
  }
}
