/** Whatever a server, a cache file or a given file holds: a value or nothing, never an exception of the runtime. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { collateralJson } from "../../fixtures/generator/intel-collateral.ts";
import { PmError } from "../../src/errors.ts";
import { decodeSet } from "../../src/sources/intel-set.ts";
import { decodeAnswer, encodeAnswer } from "../../src/sources/pcs-cache.ts";
import { crlSubjectOf, decodeDocument } from "../../src/sources/pcs-document.ts";
import { decodePcsPath } from "../../src/sources/pcs-path.ts";
import { collateral } from "./pcs-world.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const samples: readonly Uint8Array[] = [
  collateral.tcbInfo.body,
  collateral.qeIdentity.body,
  collateral.pckCrl ?? new Uint8Array(),
  collateral.rootCrl ?? new Uint8Array(),
  bytes(collateralJson(collateral)),
  bytes(collateral.pckCrlIssuerChain),
  encodeAnswer({
    path: "/IntelSGXRootCA.der",
    at: "2026-06-10T12:00:00Z",
    bytes: collateral.rootCrl ?? new Uint8Array(),
  }),
  bytes('{"tcbInfo":{"id":"constructor","fmspc":"__proto__"},"signature":""}'),
  bytes('{"__proto__":{"tcbInfo":{}},"signature":""}'),
];
const total = (input: Uint8Array): void => {
  decodeDocument(input);
  decodeAnswer(input);
  crlSubjectOf(Buffer.from(input).toString("latin1"));
  decodePcsPath(Buffer.from(input).toString("latin1"));
  try {
    decodeSet(input, "file");
  } catch (error) {
    if (!(error instanceof PmError) || error.code !== "PM_USAGE") throw error;
  }
};

describe("reading what others wrote is total", () => {
  test("on any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), total), { numRuns: 300 });
  });
  test("on genuine files with a few bytes changed, or cut", () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.array(change, { maxLength: 4 }), fc.nat(), (sample, changes, cut) => {
        const input = sample.slice(0, cut % 3 === 0 ? cut % (sample.length + 1) : sample.length);
        for (const [at, value] of changes) if (input.length > 0) input[at % input.length] = value;
        total(input);
      }),
      { numRuns: 400 },
    );
  });
  test("an answer in the cache comes back as it was, text and binary", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string().map(bytes)), (body) => {
        const answer = { path: "/IntelSGXRootCA.der", at: "2026-06-10T12:00:00Z", issuerChain: "x", bytes: body };
        const again = decodeAnswer(encodeAnswer(answer));
        expect({ ...again, bytes: [...(again?.bytes ?? [])] }).toEqual({ ...answer, bytes: [...body] });
      }),
      { numRuns: 200 },
    );
  });
  test("nested without end it is refused", () => {
    for (const text of ["[".repeat(100_000), '{"tcbInfo":'.repeat(50_000)])
      expect(() => total(bytes(text))).not.toThrow();
  });
});
