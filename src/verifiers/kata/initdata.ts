/**
 * Initdata 0.1.0 (Kata Containers, initdata specification): a TOML document with version, algorithm and a table of
 * strings. Its digest is over the bytes as received; the same content through another encoder is another document.
 */
import { createHash } from "node:crypto";
import { unsupported } from "../../errors.ts";
import { decodeText, decodeToml, initdataMalformed, quoted } from "./toml.ts";

export type Algorithm = "sha256" | "sha384" | "sha512";

export interface Initdata {
  readonly kind: "initdata";
  readonly version: string;
  readonly algorithm: Algorithm;
  /** Table [data], in document order. */
  readonly data: ReadonlyMap<string, string>;
  /** The document as received. */
  readonly raw: Uint8Array;
  /** `algorithm` over `raw`: 32, 48 or 64 bytes. */
  readonly digest: Uint8Array;
}

export const initdataVersion = "0.1.0";
/** Writers use the names without dash; readers of Contrast take the names with one too. */
const algorithms: ReadonlyMap<unknown, Algorithm> = new Map<unknown, Algorithm>([
  ["sha256", "sha256"],
  ["sha384", "sha384"],
  ["sha512", "sha512"],
  ["sha-256", "sha256"],
  ["sha-384", "sha384"],
  ["sha-512", "sha512"],
]);
const members: ReadonlySet<string> = new Set(["version", "algorithm", "data"]);

export const digestOf = (algorithm: Algorithm, bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash(algorithm).update(bytes).digest());

/**
 * A missing table [data] is an empty one, as Contrast reads it; Kata's own reader refuses it.
 * @throws PmError initdata-malformed; PM_EVIDENCE_UNSUPPORTED for another version
 */
export function decodeInitdata(bytes: Uint8Array): Initdata {
  const document = decodeToml(decodeText(bytes, "initdata"), "initdata");
  const version = document["version"];
  if (typeof version !== "string") throw initdataMalformed("initdata: version is no string");
  if (version !== initdataVersion)
    throw unsupported(`initdata: version ${quoted(version)}, known: ${initdataVersion}`, "initdata-malformed");
  const unknown = Object.keys(document).find((key) => !members.has(key));
  if (unknown !== undefined) throw initdataMalformed(`initdata: unknown top-level key ${quoted(unknown)}`);
  const algorithm = algorithms.get(document["algorithm"]);
  if (algorithm === undefined)
    throw initdataMalformed(
      `initdata: algorithm ${quoted(String(document["algorithm"]))}, known: sha256, sha384, sha512`,
    );
  const data = stringTable(document["data"]);
  return { kind: "initdata", version, algorithm, data, raw: bytes, digest: digestOf(algorithm, bytes) };
}

/** TOML dates and arrays are objects too; only a table may pass for one. */
function stringTable(value: unknown): ReadonlyMap<string, string> {
  if (value === undefined) return new Map();
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Date)
    throw initdataMalformed("initdata: data is no table");
  return new Map(
    Object.entries(value).map(([key, text]: [string, unknown]) => {
      if (typeof text !== "string") throw initdataMalformed(`initdata: data ${quoted(key)} is no string`);
      return [key, text];
    }),
  );
}
