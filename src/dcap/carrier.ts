/** The forms in which a quote arrives: as it is, as hex or base64 text, as go-tdx-guest's protobuf. */
import { fromBase64, fromHex } from "../bytes/hex.ts";
import { malformed } from "../errors.ts";
import { rebuildQuote } from "./protobuf.ts";
import { decodeQuote, maxQuoteBytes, type Quote, quoteMalformed } from "./quote.ts";

/** `protobuf`: tdx.QuoteV4. */
export type QuoteForm = "quote" | "protobuf";
export interface QuoteEvidence {
  readonly bytes: Uint8Array;
  readonly form: QuoteForm;
}

/** Fields 1 to 5 of QuoteV4 are length-delimited but for number 3. A quote begins with its version, a small 16-bit number. */
const isProtobuf = (bytes: Uint8Array): boolean =>
  [0x0a, 0x12, 0x18, 0x22, 0x2a].includes(bytes[0] ?? 0) && (bytes[1] ?? 0) !== 0;

const formOf = (bytes: Uint8Array): QuoteEvidence => ({ bytes, form: isProtobuf(bytes) ? "protobuf" : "quote" });

/**
 * Tells the forms apart by their first bytes; nothing is trimmed but one line end after text.
 * @throws PmError PM_EVIDENCE_MALFORMED QUOTE_MALFORMED for text that is not hex or canonical base64, or too long
 */
export function recogniseQuote(bytes: Uint8Array): QuoteEvidence & { readonly carrier: string } {
  if (bytes.length > 3 * maxQuoteBytes)
    throw malformed(`quote: ${bytes.length} bytes are more than any known quote has`, quoteMalformed);
  const text = quoteText(bytes);
  if (text === undefined) {
    const raw = formOf(bytes);
    return { ...raw, carrier: raw.form === "protobuf" ? "protobuf" : "raw" };
  }
  const isHex = /^[0-9a-fA-F]+$/.test(text);
  const found = formOf(decodeText(text, isHex));
  return { ...found, carrier: `${found.form === "protobuf" ? "protobuf " : ""}${isHex ? "hex" : "base64"}` };
}

function quoteText(bytes: Uint8Array): string | undefined {
  if (bytes.length < 64) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("latin1")
    .replace(/\r?\n$/, "");
  return /^[0-9A-Za-z+/]+={0,2}$/.test(text) ? text : undefined;
}

function decodeText(text: string, isHex: boolean): Uint8Array {
  try {
    return isHex ? fromHex(text, undefined, "quote") : fromBase64(text, "quote");
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : "quote: not hex or base64", quoteMalformed);
  }
}

/** The quote of either form; of a protobuf, `trailing` is its extra_bytes. @throws PmError as decodeQuote does */
export function decodeEvidence({ bytes, form }: QuoteEvidence): Quote {
  if (form === "quote") return decodeQuote(bytes);
  if (bytes.length > maxQuoteBytes)
    throw malformed(`quote: ${bytes.length} bytes are more than any known quote has`, quoteMalformed);
  const { quote, extra } = rebuildQuote(bytes);
  return { ...decodeQuote(quote), trailing: extra };
}
