/** What is asked of the Coordinator. */
import { fromBase64 } from "../../bytes/hex.ts";
import { readJson } from "../../bytes/json.ts";
import { malformed } from "../../errors.ts";
import type { Request } from "../../run.ts";
import type { ApiForm } from "./types.ts";

/** Policies can be megabytes, each sent as base64. */
const maxResponseBytes = 16 * 1024 * 1024;
const paths: Readonly<Record<ApiForm, string>> = {
  attest: "/attest",
  v1: "/v1/attest",
  privatemode: "/privatemode/v1/attest",
};

/** @param nonce 32 bytes; Privatemode spells the member with a capital letter. */
export function attestRequest(form: ApiForm, nonce: Uint8Array): Request {
  const text = Buffer.from(nonce).toString("base64");
  const body = form === "privatemode" ? { Nonce: text } : { nonce: text };
  return { service: "coordinator", path: paths[form], maxBytes: maxResponseBytes, post: JSON.stringify(body) };
}

/** Contrast after v1.20; its digest is in the report data of /v1/attest. */
export const capabilitiesRequest: Request = { service: "coordinator", path: "/capabilities", maxBytes: 64 * 1024 };

/** An answer has some 5 KB; the limit is that of a record. */
const maxSecretBytes = 256 * 1024;

/** Privatemode's secret exchange. @param publicKey HPKE KEM MLKEM768-X25519, 1216 bytes */
export const secretRequest = (publicKey: Uint8Array): Request => ({
  service: "coordinator",
  path: "/privatemode/v1/secret",
  maxBytes: maxSecretBytes,
  post: JSON.stringify({ PublicKey: Buffer.from(publicKey).toString("base64") }),
});

export interface RecordedRequest {
  /** Exactly 32 bytes. */
  readonly nonce: Uint8Array;
  /** The member is spelt as Privatemode's wrapper spells it. */
  readonly wrapped: boolean;
}

/**
 * The nonce of a recorded request, `{"nonce": base64}` or `{"Nonce": base64}`.
 * @throws PmError PM_EVIDENCE_MALFORMED
 */
export function decodeAttestRequest(bytes: Uint8Array): RecordedRequest {
  const what = "attestation request";
  const { root } = readJson(bytes, { what, reasonCode: "response-malformed", maxBytes: 64 * 1024, maxNodes: 64 });
  const [only, ...more] = root.kind === "object" ? root.members : [];
  const named = only?.name === "nonce" || only?.name === "Nonce";
  if (only === undefined || !named || more.length > 0 || only.value.kind !== "string")
    throw malformed(`${what}: needs an object with the one text member "nonce"`, "response-malformed");
  const nonce = fromBase64(only.value.value, `${what}: nonce`);
  if (nonce.length !== 32) throw malformed(`${what}: nonce of ${nonce.length} bytes, needs 32`, "response-malformed");
  return { nonce, wrapped: only.name === "Nonce" };
}
