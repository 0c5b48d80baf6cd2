/** Certificate and CRL extensions (RFC 5280 4.2, 5.2): the list as it stands, and the four that path validation reads. */
import { malformed } from "../errors.ts";
import { contextTag, type DerReader, decodeWhole, tags } from "./der.ts";

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** Content of extnValue. */
  readonly value: Uint8Array;
}

export const extensionOids = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  basicConstraints: "2.5.29.19",
  crlNumber: "2.5.29.20",
  reasonCode: "2.5.29.21",
  deltaCrlIndicator: "2.5.29.27",
  issuingDistributionPoint: "2.5.29.28",
  nameConstraints: "2.5.29.30",
  policyMappings: "2.5.29.33",
  authorityKeyIdentifier: "2.5.29.35",
  policyConstraints: "2.5.29.36",
  inhibitAnyPolicy: "2.5.29.54",
} as const;

/** Numbers of the bits (RFC 5280 4.2.1.3). */
export const keyUsageBits = { keyCertSign: 5, crlSign: 6 } as const;

const maxExtensions = 64;

/** Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension. A repeated one is kept, for the path validation to refuse. */
export function readExtensions(reader: DerReader, field: string): Extension[] {
  const list = reader.sequence(field);
  const extensions: Extension[] = [];
  do {
    const one = list.sequence(field);
    const oid = one.oid(field);
    const critical = one.tag === tags.boolean && one.boolean(`${field} ${oid} critical`);
    const value = one.octetString(`${field} ${oid}`);
    one.end(`${field} ${oid}`);
    extensions.push({ oid, critical, value });
    if (extensions.length > maxExtensions) throw malformed(`${field}: more than ${maxExtensions}`);
  } while (list.more);
  return extensions;
}

/** First OID that occurs twice. */
export function duplicateOid(extensions: readonly Extension[]): string | undefined {
  const seen = new Set<string>();
  for (const { oid } of extensions) {
    if (seen.has(oid)) return oid;
    seen.add(oid);
  }
  return undefined;
}

/** What the path validation asks of a certificate's extensions; undefined or empty where the extension is absent. */
export interface StandardExtensions {
  readonly basicConstraints:
    | { readonly ca: boolean; readonly critical: boolean; readonly pathLength?: number }
    | undefined;
  readonly keyUsage: ReadonlySet<number> | undefined;
  readonly subjectKeyId: Uint8Array | undefined;
  /** keyIdentifier only: an issuer and serial instead of it names no key. */
  readonly authorityKeyId: Uint8Array | undefined;
}

function basicConstraints({ value, critical }: Extension): StandardExtensions["basicConstraints"] {
  return decodeWhole(value, "basicConstraints", (whole) => {
    const reader = whole.sequence("basicConstraints");
    const ca = reader.tag === tags.boolean && reader.boolean("cA");
    const pathLength = reader.more ? reader.smallInteger("pathLenConstraint", 2 ** 31 - 1) : undefined;
    reader.end("basicConstraints");
    return { ca, critical, ...(pathLength === undefined ? {} : { pathLength }) };
  });
}

function authorityKeyId({ value }: Extension): Uint8Array | undefined {
  return decodeWhole(value, "authorityKeyIdentifier", (whole) => {
    const reader = whole.sequence("authorityKeyIdentifier");
    let keyId: Uint8Array | undefined;
    for (const [n, constructed] of [
      [0, false],
      [1, true],
      [2, false],
    ] as const) {
      const tag = contextTag(n, constructed);
      if (reader.tag !== tag) continue;
      const content = reader.content(tag, "authorityKeyIdentifier");
      if (n === 0) keyId = content;
    }
    reader.end("authorityKeyIdentifier");
    return keyId;
  });
}

/**
 * Decodes the four extensions that path validation reads. Where one is repeated the first counts, except that any
 * basicConstraints with CA true makes the certificate a CA; the repetition is a path problem of its own.
 * @throws PmError PM_EVIDENCE_MALFORMED when one of them is not strict DER
 */
export function standardExtensions(extensions: readonly Extension[]): StandardExtensions {
  const all = (oid: string) => extensions.filter((extension) => extension.oid === oid);
  const constraints = all(extensionOids.basicConstraints).map(basicConstraints);
  const usages = all(extensionOids.keyUsage).map((e) =>
    decodeWhole(e.value, "keyUsage", (r) => r.namedBits("keyUsage")),
  );
  const subjectIds = all(extensionOids.subjectKeyIdentifier).map((e) =>
    decodeWhole(e.value, "subjectKeyIdentifier", (r) => r.octetString("subjectKeyIdentifier")),
  );
  const authorityIds = all(extensionOids.authorityKeyIdentifier).map(authorityKeyId);
  return {
    basicConstraints: constraints.find((one) => one?.ca) ?? constraints[0],
    keyUsage: usages[0],
    subjectKeyId: subjectIds[0],
    authorityKeyId: authorityIds[0],
  };
}
