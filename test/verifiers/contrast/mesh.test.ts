/** Names as Contrast makes them of a manifest's strings, and readers that answer any bytes with a value or a PmError. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exchangeDraft, exchangeJson, makeLeaf } from "../../../fixtures/generator/mesh.ts";
import { sharedDeployment } from "../../../fixtures/generator/shared.ts";
import { decodeCertificate } from "../../../src/crypto/certificate.ts";
import { PmError } from "../../../src/errors.ts";
import { decodeExchange } from "../../../src/verifiers/contrast/mesh-exchange.ts";
import { readLeaf } from "../../../src/verifiers/contrast/mesh-leaf.ts";
import { areNamesOf, ipText, namesText, sortedNames } from "../../../src/verifiers/contrast/mesh-names.ts";

describe("subject alternative names", () => {
  test.each([
    [["coordinator", "*"], "DNS:coordinator, DNS:*"],
    [["10.0.0.1", "a.example"], "DNS:a.example, IP:10.0.0.1"],
    [["2001:DB8:0::1", "::ffff:1.2.3.4"], "IP:2001:db8::1, IP:::ffff:102:304"],
    [["spiffe://cluster/ns/a"], "URI:spiffe://cluster/ns/a"],
    [["010.0.0.1", "1.2.3", "1.2.3.256"], "DNS:010.0.0.1, DNS:1.2.3, DNS:1.2.3.256"],
    [[], "none"],
  ] as const)("%j are %s", (sans, text) => {
    expect(namesText(sortedNames(sans))).toBe(text);
  });
  test("an IPv6 address has one text, however it is written", () => {
    const octets = Uint8Array.from([0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 1]);
    expect(ipText(octets)).toBe(sortedNames(["2001:0db8:0000::0001"]).ip[0]);
    expect(() => ipText(new Uint8Array(5))).toThrow(PmError);
  });

  const entry = sortedNames(["a", "*", "10.0.0.1"]);
  test.each([
    [["a", "*", "10.0.0.1"], true],
    [["a", "*", "10.0.0.1", "10.0.0.2"], true],
    [["a", "*", "10.0.0.2"], false],
    [["a", "*"], false],
    [["a", "*", "10.0.0.2", "10.0.0.1"], false],
    [["a", "*", "10.0.0.1", "10.0.0.2", "10.0.0.3"], false],
    [["*", "a", "10.0.0.1"], false],
    [["a", "a", "*", "10.0.0.1"], false],
    [["A", "*", "10.0.0.1"], false],
    [["a", "*", "10.0.0.1", "x:y"], false],
  ] as const)("%j are those of an entry: %s", (found, same) => {
    expect(areNamesOf(sortedNames(found), entry)).toBe(same);
  });
});

describe("readers", () => {
  const d = sharedDeployment();
  const leaf = makeLeaf(d);
  const json = Buffer.from(exchangeJson(exchangeDraft(d, leaf)));
  const answers = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      expect(error).toBeInstanceOf(PmError);
    }
  };
  const edits = (bytes: Uint8Array) =>
    fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(bytes.length)).map(([at, to, end]) => {
      const copy = new Uint8Array(bytes);
      copy[at] = to;
      return end % 3 === 0 ? copy.slice(0, end) : copy;
    });

  test("of a mesh certificate answer any edit with a value or a PmError", () => {
    fc.assert(fc.property(edits(leaf.certificate), (bytes) => answers(() => readLeaf(decodeCertificate(bytes)))));
  });
  test("of a secret exchange answer any edit, and any bytes, with a value or a PmError", () => {
    fc.assert(fc.property(edits(json), (bytes) => answers(() => decodeExchange(bytes))));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => answers(() => decodeExchange(bytes))));
  });
  test("of a secret exchange see a name that only Go's reader takes for a known one", () => {
    const twice = json.toString().replace('"EncapsulatedKey"', '"Encapsulated\u212aey":"","EncapsulatedKey"');
    expect(() => decodeExchange(Buffer.from(twice))).toThrow(/not there once/);
  });
});
