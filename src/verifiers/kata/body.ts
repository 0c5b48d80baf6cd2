/** A policy body: an initdata document, or the bare Rego text that Contrast attested before it used initdata. */
import { beginsAsGzip, gunzipOne } from "../../bytes/gzip.ts";
import { once } from "../../bytes/once.ts";
import { beginsAsDevice, decodeAnnotationBase64, decodeInitdataDevice, initdataGzip } from "./carrier.ts";
import { decodeInitdata, digestOf, type Initdata } from "./initdata.ts";
import { decodeText, initdataMalformed } from "./toml.ts";

/** The old form: the policy's text, and its SHA-256 as host data. */
export interface PlainRego {
  readonly kind: "rego";
  readonly algorithm: "sha256";
  /** One key, policy.rego: the whole text. */
  readonly data: ReadonlyMap<string, string>;
  readonly raw: Uint8Array;
  readonly digest: Uint8Array;
}
export type PolicyBody = Initdata | PlainRego;

export const policyKey = "policy.rego";
const regoPackage = /package[ \t]+agent_policy(?![\w.[])/y;

/**
 * Both languages begin comments with "#"; what comes first after them decides, and no text is valid in both.
 * A loop over single lines: one expression for all of them would overflow its stack on a text of comments.
 */
function beginsAsRego(text: string): boolean {
  const blank = /[ \t\r\n]*(?:#[^\n]*\n)?/y;
  let at = -1;
  while (blank.lastIndex !== at) {
    at = blank.lastIndex;
    blank.test(text);
  }
  regoPackage.lastIndex = at;
  return regoPackage.test(text);
}

/**
 * @throws PmError initdata-malformed; PM_EVIDENCE_UNSUPPORTED for an initdata version that is not known
 */
export const decodePolicyBody = once((bytes: Uint8Array): PolicyBody => {
  const text = decodeText(bytes, "policy body");
  if (!beginsAsRego(text)) return decodeInitdata(bytes);
  if (text.includes("\0")) throw initdataMalformed("policy body: Rego text with a zero byte");
  return {
    kind: "rego",
    algorithm: "sha256",
    data: new Map([[policyKey, text]]),
    raw: bytes,
    digest: digestOf("sha256", bytes),
  };
});

export type Carrier = "document" | "annotation" | "device" | "gzip";

/**
 * A policy body in any form in which one can have it at hand; a text file's last line end is no part of an annotation.
 * @throws PmError as decodePolicyBody
 */
export function decodeCarried(bytes: Uint8Array): { readonly carrier: Carrier; readonly body: PolicyBody } {
  if (beginsAsDevice(bytes)) return { carrier: "device", body: decodePolicyBody(decodeInitdataDevice(bytes)) };
  if (beginsAsGzip(bytes))
    return { carrier: "gzip", body: decodePolicyBody(gunzipOne(bytes, initdataGzip("initdata"))) };
  if (!beginsAsBase64(bytes)) return { carrier: "document", body: decodePolicyBody(bytes) };
  const carried = decodeAnnotationBase64(
    Buffer.from(bytes)
      .toString("latin1")
      .replace(/\r?\n$/, ""),
  );
  const document = beginsAsGzip(carried) ? gunzipOne(carried, initdataGzip("annotation")) : carried;
  return { carrier: "annotation", body: decodePolicyBody(document) };
}

/** A document has a space, an equals sign or a line end within its first words; base64 of its size has none. */
function beginsAsBase64(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 64)).toString("latin1");
  return /^[A-Za-z0-9+/]{16,}={0,2}\s*$/.test(start);
}
