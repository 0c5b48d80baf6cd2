/**
 * Collateral for one quote in one JSON file, in the forms that tools write (spec notes tdx.md 6 and 8):
 * - QuoteCollateralV3: `tcb_info` and `qe_identity` are the signed JSON texts, their signatures stand beside them in hex,
 *   CRLs are hex of DER or (older files) arrays of numbers.
 * - Intel's struct sgx_ql_qve_collateral_t as JSON, and Contrast's `{"Collateral": ...}` of it: `TCBInfo` and `QEIdentity`
 *   are the whole responses with the signature in them, byte strings are base64.
 * Members are found by their names without case and underscores.
 */
import { fromBase64, fromHex } from "../bytes/hex.ts";
import { type JsonNode, type JsonObject, readJson, repeated } from "../bytes/json.ts";
import { PmError, usage } from "../errors.ts";
import type { PcsKind } from "./pcs-path.ts";

export interface SetPart {
  readonly kind: PcsKind;
  /** As the service would send it. */
  readonly bytes: Uint8Array;
  readonly issuerChain?: string;
}

/** Document, its kind, its signature where that stands apart, its issuer chain. */
const parts = [
  ["tcbinfo", "tcb-info", "tcbInfo", "tcbinfosignature", "tcbinfoissuerchain"],
  ["qeidentity", "qe-identity", "enclaveIdentity", "qeidentitysignature", "qeidentityissuerchain"],
  ["pckcrl", "pck-crl", undefined, undefined, "pckcrlissuerchain"],
  ["rootcacrl", "root-crl", undefined, undefined, undefined],
] as const;

type Fields = ReadonlyMap<string, JsonNode>;

/**
 * undefined when the JSON is something else. What a file leaves out is left out here; what is in it is handed on as it is,
 * damaged or not, for the verifier to judge.
 * @throws PmError PM_USAGE when a member stands there twice, in whatever spelling
 */
export function decodeSet(bytes: Uint8Array, file: string): readonly SetPart[] | undefined {
  const root = jsonObject(bytes);
  const inner = root?.members.find((m) => m.name.toLowerCase() === "collateral")?.value;
  const object = inner?.kind === "object" ? inner : root;
  if (object === undefined) return undefined;
  const known = object.members.filter((m) => parts.some(([name]) => plainName(m.name) === name));
  if (known.length < 2 || !known.every(({ value }) => ["string", "array", "null"].includes(value.kind)))
    return undefined;
  const fields = new Map<string, JsonNode>();
  for (const { name, value } of object.members) {
    if (fields.has(plainName(name)))
      throw usage(
        `collateral: ${file}: ${JSON.stringify(name)} stands there twice`,
        "readers differ on which one counts",
      );
    fields.set(plainName(name), value);
  }
  return parts.flatMap((part) => partOf(part, fields, file));
}

const plainName = (name: string): string => name.replaceAll("_", "").toLowerCase();

function jsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const { root } = readJson(bytes, { what: "collateral" });
    return root.kind === "object" ? root : undefined;
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  }
}

function partOf(
  [name, kind, body, signatureName, chainName]: (typeof parts)[number],
  fields: Fields,
  file: string,
): SetPart[] {
  const document = bytesOf(fields.get(name));
  if (document === undefined) return [];
  const chain = chainName === undefined ? undefined : bytesOf(fields.get(chainName));
  const signature = signatureName === undefined ? undefined : fields.get(signatureName);
  const whole = body === undefined || isResponse(document, body);
  return [
    {
      kind,
      bytes: whole ? document : response(body, document, signature?.kind === "string" ? signature.value : null),
      ...(chain === undefined ? {} : { issuerChain: chainText(chain, file) }),
    },
  ];
}

/** The response that the signed text was cut out of: exactly its bytes between the two members. */
function response(body: string, signed: Uint8Array, signature: string | null): Uint8Array {
  const text = new TextEncoder();
  const [before, after] = [text.encode(`{"${body}":`), text.encode(`,"signature":${JSON.stringify(signature)}}`)];
  return new Uint8Array(Buffer.concat([before, signed, after]));
}

const isResponse = (bytes: Uint8Array, body: string): boolean => {
  const object = jsonObject(bytes);
  return object !== undefined && repeated(object).length === 0 && object.members.some((m) => m.name === body);
};

/** undefined: there is none. A NUL at the end is the C string's (tdx.md 6). */
function bytesOf(node: JsonNode | undefined): Uint8Array | undefined {
  if (node === undefined || node.kind === "null") return undefined;
  const bytes =
    node.kind === "string" ? bytesOfText(node.value) : node.kind === "array" ? octets(node.items) : undefined;
  // JSON and PEM; DER may end in a zero byte of its own.
  const isText = bytes !== undefined && (bytes[0] === 0x7b || bytes[0] === 0x2d);
  const trimmed = isText && bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes;
  return trimmed === undefined || trimmed.length === 0 ? undefined : trimmed;
}

/** Hex, base64, or (JSON, PEM, anything else) the text itself. */
function bytesOfText(text: string): Uint8Array {
  if (/^(?:[0-9a-fA-F]{2})+$/.test(text)) return fromHex(text, undefined, "collateral");
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text))
    try {
      return fromBase64(text, "collateral");
    } catch (error) {
      if (!(error instanceof PmError)) throw error;
    }
  return new TextEncoder().encode(text);
}

function octets(items: readonly JsonNode[]): Uint8Array {
  const values = items.map((item) => (item.kind === "number" && /^\d{1,3}$/.test(item.text) ? Number(item.text) : 256));
  // A list of anything else stays something that no decoder takes.
  return values.every((value) => value < 256)
    ? Uint8Array.from(values)
    : new TextEncoder().encode("not a list of bytes");
}

const maxChain = 65_536;

/**
 * PEM text, of a header's value (URL-encoded) or plain.
 * @throws PmError PM_USAGE for more than 64 KiB or a broken URL encoding
 */
export function chainText(bytes: Uint8Array, file: string): string {
  if (bytes.length > maxChain) throw usage(`collateral: ${file}: an issuer chain of more than ${maxChain} bytes`);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text.trim());
  } catch {
    throw usage(`collateral: ${file}: an issuer chain with a broken URL encoding`);
  }
}
