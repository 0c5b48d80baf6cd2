/**
 * The answer to POST /attest, read strictly (Contrast v1.20). Go's reader lets through doubled and re-cased members,
 * line breaks in base64, null elements and whatever follows the object; each of them would let two readers see two
 * different states, so here each breaks the form. Members that later servers add are listed and not judged.
 */

import { fromBase64 } from "../../bytes/hex.ts";
import { type JsonNode, type JsonObject, member, readJson, repeated } from "../../bytes/json.ts";
import { type Answer, broken, cannot, equal, observed, specified, unavailable } from "../../claims/answer.ts";
import { malformed, PmError } from "../../errors.ts";
import type { Response } from "../../run.ts";
import { documentOf } from "./document.ts";
import { folded } from "./folding.ts";
import type { ApiForm, CoordinatorState, StateResult } from "./types.ts";

const code = "response-malformed";
const what = "response";
const known = [
  "version",
  "raw_attestation_doc",
  "attestation_type",
  "manifests",
  "policies",
  "root_ca",
  "mesh_ca",
  "error",
  "status_code",
  "code",
];
const wrapper = ["AttestationDoc"];

/** What an answer of the source means for the claims; never throws for what is in the bytes. */
export function readState(response: Response, form: ApiForm): StateResult {
  if (response.status === "unavailable")
    return { format: unavailable(response.reason), blocked: unavailable("not asked: the Coordinator gave no answer") };
  if (response.status === "refused")
    return { format: cannot(response.reason), blocked: cannot("not asked: the Coordinator refused") };
  try {
    const type = contentType(response.contentType, form);
    const state = decodeState(response.bytes, form);
    const expected = specified(type.expected, "Contrast v1.20, POST /attest", "response");
    const format: Answer<typeof code> = equal(expected, observed(type.actual, what), code);
    if (format.status !== "pass") return { format, blocked: notRead };
    return { state, format };
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { format: broken(error.message, code), blocked: notRead };
  }
}
const notRead = cannot("not answered: the response is malformed");

/** The media type is compared with its document; a recorded file has none. Privatemode's proxy is not known to set it. */
function contentType(given: string | undefined, form: ApiForm): { readonly expected: string; readonly actual: string } {
  const expected = "application/json, one JSON object of the attestation API";
  const media = given?.split(";")[0]?.trim().toLowerCase() ?? "application/json";
  const right = media === "application/json" || (form === "privatemode" && media === "text/plain");
  return {
    expected,
    actual: right ? expected : `${media || "no content type"}, one JSON object of the attestation API`,
  };
}

/**
 * The response body to the state it shows. Absent and null members are empty, as the server writes them.
 * @throws PmError PM_EVIDENCE_MALFORMED (response-malformed), naming the server's version where it can be read
 */
export function decodeState(bytes: Uint8Array, form: ApiForm): CoordinatorState {
  if (form !== "privatemode") return stateOf(objectIn(bytes, what), form, []);
  const outer = objectIn(bytes, "Privatemode's wrapper");
  const unknown = surveyed(outer, wrapper, "Privatemode's wrapper", "");
  const inner = member(outer, "AttestationDoc");
  if (inner?.kind !== "string") throw malformed("Privatemode's wrapper: /AttestationDoc: needs a text", code);
  const body = base64(inner, "");
  return stateOf(objectIn(body, "response in Privatemode's wrapper"), form, unknown);
}

/** A JSON null is what an empty Go value is written as: an object without members. */
function objectIn(bytes: Uint8Array, name: string): JsonObject {
  if (bytes.length === 0) throw malformed(`${name}: empty body`, code);
  const { root } = readJson(bytes, { what: name, reasonCode: code });
  if (root.kind === "null") return { kind: "object", members: [], at: "", offset: 0 };
  if (root.kind !== "object") throw malformed(`${name}: needs a JSON object`, code);
  return root;
}

function stateOf(body: JsonObject, form: ApiForm, unknownOutside: readonly string[]): CoordinatorState {
  const given = body.members.filter((m) => m.name === "version");
  const named = given[0]?.value.kind === "string" ? given[0].value.value.slice(0, 64) : undefined;
  // Contrast's client names the version too: a form that cannot be read is most often another release's.
  const server = ` (server version ${named ?? "unknown"})`;
  const unknown = surveyed(body, known, what, server);
  return {
    form,
    version: text(body, "version", server),
    document: documentOf(blob(body, "raw_attestation_doc", server)),
    attestationType: objectIdentifier(body, server),
    manifests: blobs(body, "manifests", server),
    policies: blobs(body, "policies", server),
    rootCa: blob(body, "root_ca", server),
    meshCa: blob(body, "mesh_ca", server),
    unknownKeys: [...unknownOutside, ...unknown],
    error: text(body, "error", server),
  };
}

/** Unknown names; doubled ones and those that Go would take for a known one break the form. */
function surveyed(body: JsonObject, names: readonly string[], name: string, server: string): string[] {
  const [twice] = repeated(body);
  if (twice !== undefined) throw malformed(`${name}: ${JSON.stringify(twice.name)} is there twice${server}`, code);
  const unknown = body.members.map((m) => m.name).filter((n) => !names.includes(n));
  const variant = unknown.find((n) => names.some((k) => folded(k) === folded(n)));
  if (variant !== undefined)
    throw malformed(`${name}: ${JSON.stringify(variant)}: a known name in other letters${server}`, code);
  return unknown;
}

const wrong = (node: JsonNode, needs: string, server: string): PmError =>
  malformed(`${what}: ${node.at}: needs ${needs}, got ${node.kind}${server}`, code);

function value(body: JsonObject, name: string): JsonNode | undefined {
  const node = member(body, name);
  return node?.kind === "null" ? undefined : node;
}
function text(body: JsonObject, name: string, server: string): string | undefined {
  const node = value(body, name);
  if (node === undefined) return undefined;
  if (node.kind !== "string") throw wrong(node, "a text", server);
  return node.value;
}
function base64(node: JsonNode, server: string): Uint8Array {
  if (node.kind !== "string") throw wrong(node, "base64 text", server);
  try {
    return fromBase64(node.value, node.at);
  } catch (error) {
    const reason = error instanceof PmError ? error.message : "not base64";
    throw malformed(`${what}: ${reason}${server}`, code);
  }
}
function blob(body: JsonObject, name: string, server: string): Uint8Array {
  const node = value(body, name);
  return node === undefined ? new Uint8Array(0) : base64(node, server);
}
function blobs(body: JsonObject, name: string, server: string): Uint8Array[] {
  const node = value(body, name);
  if (node === undefined) return [];
  if (node.kind !== "array") throw wrong(node, "a list", server);
  return node.items.map((item) => base64(item, server));
}
/** attestation_type: the arcs as a list of numbers. */
function objectIdentifier(body: JsonObject, server: string): string | undefined {
  const node = value(body, "attestation_type");
  if (node === undefined) return undefined;
  if (node.kind !== "array" || node.items.length === 0) throw wrong(node, "a list of numbers", server);
  return node.items
    .map((arc) => {
      if (arc.kind !== "number" || !/^\d{1,10}$/.test(arc.text)) throw wrong(arc, "a whole number", server);
      return arc.text;
    })
    .join(".");
}
