/** Distinguished names (RFC 5280 4.1.2.4). Compared by their raw bytes only; the attributes are for reading. */
import { hex, sameBytes } from "../bytes/hex.ts";
import { malformed } from "../errors.ts";
import { type DerReader, type Element, tags } from "./der.ts";

export interface Name {
  /** The whole Name, DER. */
  readonly raw: Uint8Array;
  /** In the order of the encoding. A value that is not UTF-8 or ASCII text is `#` and the hex of its DER (RFC 4514 2.4). */
  readonly attributes: readonly { readonly oid: string; readonly value: string }[];
}

const maxAttributes = 64;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function text(value: Element, field: string): string {
  switch (value.tag) {
    case tags.utf8String:
      try {
        return utf8.decode(value.content);
      } catch {
        throw malformed(`${field}: UTF8String that is not UTF-8`);
      }
    case tags.printableString:
    case tags.ia5String:
    case tags.numericString: {
      const ascii = Buffer.from(value.content.buffer, value.content.byteOffset, value.content.byteLength);
      if (ascii.some((octet) => octet >= 0x80)) throw malformed(`${field}: ASCII string with an octet above 7F`);
      return ascii.toString("latin1");
    }
    default:
      return `#${hex(value.whole)}`;
  }
}

/** Reads one Name: SEQUENCE OF SET OF { type, value }. @throws PmError PM_EVIDENCE_MALFORMED */
export function readName(reader: DerReader, field: string): Name {
  const { whole, inner } = reader.open(tags.sequence, field);
  const attributes: { oid: string; value: string }[] = [];
  while (inner.more) {
    const rdn = inner.enter(tags.set, field);
    let before: Uint8Array | undefined;
    do {
      const { whole: encoded, inner: attribute } = rdn.open(tags.sequence, field);
      if (before !== undefined && Buffer.compare(before, encoded) >= 0)
        throw malformed(`${field}: attributes of a SET not in ascending order`); // X.690 11.6
      before = encoded;
      const oid = attribute.oid(field);
      attributes.push({ oid, value: text(attribute.element(field), field) });
      attribute.end(field);
      if (attributes.length > maxAttributes) throw malformed(`${field}: more than ${maxAttributes} attributes`);
    } while (rdn.more);
  }
  return { raw: whole, attributes };
}

/** Byte for byte. */
export const sameName = (a: Name, b: Name): boolean => sameBytes(a.raw, b.raw);

/** The common name (2.5.4.3); undefined unless there is exactly one. */
export function commonName(name: Name): string | undefined {
  const names = name.attributes.filter((attribute) => attribute.oid === "2.5.4.3");
  return names.length === 1 ? names[0]?.value : undefined;
}

/** Control and format characters, line and paragraph separators: they could rewrite the line that a message is printed on. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;
const maxText = 120;

/** For messages only: the common name or all values, unprintable characters escaped, cut at 120 characters. */
export function nameText(name: Name): string {
  const text = commonName(name) ?? name.attributes.map((attribute) => attribute.value).join(", ");
  const safe = text.replace(unprintable, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
  if (safe === "") return "(empty name)";
  return safe.length > maxText ? `${safe.slice(0, maxText)}...` : safe;
}
