import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PmError } from "../../../src/errors.ts";
import type { Response } from "../../../src/run.ts";
import { decodeCapabilities } from "../../../src/verifiers/contrast/capabilities.ts";
import { documentOf } from "../../../src/verifiers/contrast/document.ts";
import { attestRequest, decodeAttestRequest } from "../../../src/verifiers/contrast/requests.ts";
import { decodeState, readState } from "../../../src/verifiers/contrast/response.ts";
import type { ApiForm } from "../../../src/verifiers/contrast/types.ts";
import { describeEvidence, evidence, evidenceJson } from "../../evidence.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64");
const ok = (body: string | Uint8Array, contentType?: string): Response => ({
  status: "ok",
  bytes: typeof body === "string" ? encode(body) : body,
  at: "2027-01-01T00:00:00Z",
  ...(contentType === undefined ? {} : { contentType }),
});
/** What contrast.response.format says: the status, and the reason or code. */
const format = (body: string | Uint8Array, contentType?: string, form: ApiForm = "attest"): string => {
  const { format: answer } = readState(ok(body, contentType), form);
  return answer.status === "pass" ? "pass" : `${answer.code}: ${answer.reason ?? answer.actual?.value}`;
};
const m = base64("{}");

describe("readState", () => {
  it("takes absent and null members for empty ones", () => {
    for (const body of [
      "{}",
      "null",
      '{"manifests":null,"policies":null,"root_ca":null,"version":null}',
      '{"manifests":[]}',
    ]) {
      const { state } = readState(ok(body), "attest");
      expect(state).toMatchObject({ manifests: [], policies: [], rootCa: new Uint8Array(0), version: undefined });
    }
  });
  it("reads what is there", () => {
    const body = `{"version":"v1.20.0","raw_attestation_doc":"eA==","manifests":["${m}"],"policies":["eA=="],"root_ca":"eA==","mesh_ca":"eQ==","attestation_type":[1,3,9901,2,1],"later":{}}`;
    expect(decodeState(encode(body), "attest")).toMatchObject({
      version: "v1.20.0",
      manifests: [encode("{}")],
      policies: [encode("x")],
      rootCa: encode("x"),
      meshCa: encode("y"),
      attestationType: "1.3.9901.2.1",
      unknownKeys: ["later"],
    });
  });
  it.each([
    ["", "response: empty body"],
    ["<html></html>", "expected a JSON value"],
    ["[]", "needs a JSON object"],
    ['"x"', "needs a JSON object"],
    [`{"manifests":["${m}"]} trailing`, "something after the JSON value"],
    [`{"Manifests":["${m}"]}`, '"Manifests": a known name in other letters'],
    [`{"manife\u017fts":["${m}"]}`, "a known name in other letters"],
    [`{"manifests":["${m}"],"manifests":["${m}"]}`, '"manifests" is there twice'],
    ['{"later":1,"later":2}', '"later" is there twice'],
    ['{"manifests":[null]}', "/manifests/0: needs base64 text, got null"],
    ['{"manifests":"e30="}', "/manifests: needs a list, got string"],
    ['{"manifests":["-_8="]}', "/manifests/0: not canonical standard base64"],
    ['{"manifests":["eA"]}', "not canonical"],
    ['{"manifests":["eA==\\n"]}', "not canonical"],
    ['{"root_ca":"eB=="}', "not canonical"],
    ['{"root_ca":1}', "/root_ca: needs base64 text, got number"],
    ['{"attestation_type":"1.3"}', "/attestation_type: needs a list of numbers"],
    ['{"attestation_type":[1.5]}', "needs a whole number"],
    ['{"version":"999.0.1","policies":"x"}', "(server version 999.0.1)"],
    ['{"version":1}', "/version: needs a text, got number (server version unknown)"],
  ])("refuses %s", (body, message) => {
    expect(format(body)).toContain(message);
    expect(format(body)).toMatch(/^response-malformed: /);
    const { blocked } = readState(ok(body), "attest") as { blocked: { status: string } };
    expect(blocked.status).toBe("error");
  });
  it("demands application/json where a content type is known", () => {
    expect(format("{}")).toBe("pass");
    expect(format("{}", "application/json; charset=utf-8")).toBe("pass");
    expect(format("{}", "text/html")).toMatch(/^response-malformed: text\/html/);
    expect(format("{}", "text/plain")).toMatch(/^response-malformed/);
    expect(format("{}", "")).toMatch(/^response-malformed/);
    expect(format(`{"AttestationDoc":"${m}"}`, "text/plain; charset=utf-8", "privatemode")).toBe("pass");
    expect(format(`{"AttestationDoc":"${m}"}`, "text/html", "privatemode")).toMatch(/^response-malformed/);
  });
  it.each([
    ["{}", "/AttestationDoc: needs a text"],
    ['{"attestationDoc":"e30="}', "a known name in other letters"],
    ['{"AttestationDoc":"e30=","AttestationDoc":"e30="}', "is there twice"],
    ['{"AttestationDoc":"e30"}', "not canonical"],
    [`{"AttestationDoc":"${base64("{} {}")}"}`, "something after"],
    ['{"AttestationDoc":""}', "empty body"],
  ])("refuses the wrapper %s", (body, message) => {
    expect(format(body, undefined, "privatemode")).toContain(message);
  });
  it("says error of a refusal and unavailable of silence, and so do the later claims", () => {
    for (const [status, word] of [
      ["refused", "error"],
      ["unavailable", "unavailable"],
    ] as const) {
      const read = readState({ status, reason: "412: no manifest set" }, "attest");
      expect(read.format).toMatchObject({ status: word, reason: "412: no manifest set" });
      expect(read).toMatchObject({ blocked: { status: word } });
    }
  });
  it("gives an answer for any bytes", () => {
    const known = fc.constantFrom("manifests", "policies", "root_ca", "AttestationDoc", "version", "attestation_type");
    const object = fc.dictionary(known, fc.jsonValue()).map((v) => encode(JSON.stringify(v)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), object), fc.constantFrom("attest", "v1", "privatemode"), (bytes, form) => {
        expect(["pass", "fail"]).toContain(readState(ok(bytes), form as ApiForm).format.status);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("requests", () => {
  const nonce = new Uint8Array(32).fill(7);
  it("carry 32 bytes and come back", () => {
    for (const form of ["attest", "v1", "privatemode"] as const)
      expect(decodeAttestRequest(encode(attestRequest(form, nonce).post ?? ""))).toEqual({
        nonce,
        wrapped: form === "privatemode",
      });
    expect(attestRequest("privatemode", nonce)).toMatchObject({
      service: "coordinator",
      path: "/privatemode/v1/attest",
    });
    expect(JSON.parse(attestRequest("privatemode", nonce).post ?? "")).toEqual({ Nonce: base64(nonce) });
  });
  it.each([
    ["31 bytes", JSON.stringify({ nonce: base64(nonce.subarray(1)) })],
    ["33 bytes", JSON.stringify({ nonce: base64(new Uint8Array(33)) })],
    ["another name", JSON.stringify({ NONCE: base64(nonce) })],
    ["both names", JSON.stringify({ nonce: base64(nonce), Nonce: base64(nonce) })],
    ["no text", '{"nonce":1}'],
    ["base64url", JSON.stringify({ nonce: Buffer.alloc(32, 255).toString("base64url") })],
    ["no object", "[]"],
    ["nothing", ""],
  ])("are refused with %s", (_name, body) => {
    expect(() => decodeAttestRequest(encode(body))).toThrow(PmError);
  });
});

describe("documentOf", () => {
  const field = (n: number, content: Uint8Array): Uint8Array => {
    const tag = n < 16 ? [(n << 3) | 2] : [((n << 3) & 0x7f) | 0x82, n >> 4];
    const length = content.length < 128 ? [content.length] : [(content.length & 0x7f) | 0x80, content.length >> 7];
    return new Uint8Array(Buffer.concat([Uint8Array.from([...tag, ...length]), content]));
  };
  const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
  const snp = field(1, join(field(11, new Uint8Array(64)), field(28, new Uint8Array(512))));
  const tdx = join(field(1, Uint8Array.of(0x18, 0x81, 0x01)), field(2, field(12, new Uint8Array(64))));
  it("tells the forms apart", () => {
    expect(documentOf(snp).kind).toBe("snp");
    expect(documentOf(tdx).kind).toBe("tdx");
    expect(documentOf(encode('{"reportData":""}')).kind).toBe("insecure");
    for (const bytes of [new Uint8Array(0), encode("x"), join(snp, snp), snp.subarray(1), new Uint8Array(1184).fill(5)])
      expect(documentOf(bytes).kind).toBe("unknown");
  });
  it("gives a value for any bytes", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => documentOf(bytes).bytes === bytes));
  });
});

describe("decodeCapabilities", () => {
  it.each([
    ['{"apiVersions":["v1"]}\n', { newest: "v1" }],
    ['{"api_versions":["v1","v2"]}', { newest: "v1" }],
    ['{"apiVersions":["v2"]}', { newest: "none" }],
    ['{"apiVersions":[]}', { newest: "none" }],
  ])("reads %s", (body, expected) => {
    expect(decodeCapabilities(encode(body))).toEqual(expected);
  });
  it.each(["", "{}", '{"apiVersions":"v1"}', '{"apiVersions":[1]}', '{"apiVersions":["v1"],"api_versions":[]}'])(
    "refuses %j",
    (body) => {
      expect(decodeCapabilities(encode(body))).toHaveProperty("reason");
    },
  );
});

describeEvidence("responses of the evidence", () => {
  type Variant = { name: string; response?: string; nonce_length: number; strict_verifier: string };
  const set = evidenceJson<{ manifest_base: string; responses: Variant[] }>("contrast/sdk-variants.json");
  /** How each is refused where its form alone is well. */
  const later: Readonly<Record<string, string>> = {
    minimal: "no CA certificates: contrast.root_ca.certificate, after the document",
    "nonce 31": "decodeAttestRequest",
    "nonce 33": "decodeAttestRequest",
    "empty object": "contrast.history.present",
    "JSON null": "contrast.history.present",
    "manifests null": "contrast.history.present",
    "error body with status 200": "contrast.history.present",
    "last manifest garbage": "contrast.manifest.format",
  };
  it("there are 20", () => {
    expect(set.responses.length).toBe(20);
  });
  it.each(set.responses.map((v) => [v.name, v.strict_verifier, v] as const))("%s: %s", (name, rule, v) => {
    const body = (v.response ?? "").replace("@", base64(set.manifest_base));
    const passes = !rule.startsWith("reject") || name in later;
    expect(format(body)).toMatch(passes ? /^pass$/ : /^response-malformed: /);
    const request = encode(JSON.stringify({ nonce: base64(new Uint8Array(v.nonce_length)) }));
    if (v.nonce_length === 32) expect(decodeAttestRequest(request).nonce.length).toBe(32);
    else expect(() => decodeAttestRequest(request)).toThrow(`nonce of ${v.nonce_length} bytes`);
  });
  it("Privatemode's wrapper holds the plain answer", () => {
    const { form: _a, ...inner } = decodeState(evidence("contrast/privatemode-attest-ok.json"), "privatemode");
    const { form: _b, ...plain } = decodeState(evidence("contrast/attest-ok.json"), "attest");
    expect(inner).toEqual(plain);
    expect(decodeAttestRequest(evidence("contrast/privatemode-attest-request.json")).nonce).toEqual(
      decodeAttestRequest(evidence("contrast/attest-request.json")).nonce,
    );
  });
  it("genuine forms are told from the insecure one", () => {
    const kind = (file: string) => decodeState(evidence(`contrast/${file}`), "attest").document.kind;
    expect([kind("snp-full/attest.json"), kind("tdx-full/attest.json"), kind("attest-ok.json")]).toEqual([
      "snp",
      "tdx",
      "insecure",
    ]);
  });
});
