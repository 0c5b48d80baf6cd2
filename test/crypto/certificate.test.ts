import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  commonName,
  decodeCertificate,
  decodeCertificates,
  keyDescription,
  publicKeyOf,
} from "../../src/crypto/certificate.ts";
import { crlProblems, decodeCrl } from "../../src/crypto/crl.ts";
import { nameText } from "../../src/crypto/name.ts";
import { validatePath } from "../../src/crypto/path.ts";
import { PmError } from "../../src/errors.ts";
import {
  algorithms,
  ascii,
  bytes,
  concat,
  crl,
  extension,
  fromHex,
  integer,
  intermediateCertificate,
  keys,
  leafCertificate,
  name,
  oid,
  pem,
  rootCertificate,
  sequence,
  set,
  time,
  tlv,
  utf8,
} from "./make.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const refusal = (decode: () => unknown): string => {
  try {
    decode();
  } catch (error) {
    if (error instanceof PmError && error.code === "PM_EVIDENCE_MALFORMED") return error.message;
    throw error;
  }
  return "accepted";
};

describe("decoding a certificate", () => {
  it("gives the fields and exactly the signed bytes, in a copy", () => {
    const der = leafCertificate();
    const given = Buffer.from(der);
    const one = decodeCertificate(given);
    given.fill(0);
    expect(one.raw).toEqual(der);
    expect(one.version).toBe(3);
    expect([...one.serial]).toEqual([0x77]);
    expect(commonName(one.subject)).toBe("Test Leaf");
    expect(one.notAfter.toISOString()).toBe("2027-01-01T00:00:00.000Z");
    expect(one.extensions.map((e) => [e.oid, e.critical])).toEqual([
      ["2.5.29.15", true],
      ["2.5.29.35", false],
    ]);
    expect(keyDescription(one)).toBe("EC P-256");
    expect(publicKeyOf(one)).toBe(publicKeyOf(one));
  });

  const attribute = (value: Uint8Array) => set(sequence(oid("2.5.4.3"), value));
  it.each<[string, Uint8Array, RegExp]>([
    ["nothing", bytes(), /^certificate: Certificate: missing/],
    ["one byte more", concat(leafCertificate(), bytes(0)), /1 bytes more/],
    ["one byte less", leafCertificate().subarray(0, -1), /needs \d+ bytes/],
    ["over 64 KiB", new Uint8Array(65537), /65537 bytes/],
    ["a padded serial", leafCertificate({ serial: tlv(2, bytes(0, 1)) }), /serialNumber.*shortest/],
    ["an empty serial", leafCertificate({ serial: tlv(2) }), /serialNumber/],
    [
      "a time of the wrong type",
      leafCertificate({ notAfter: ascii(0x18, "20270101000000Z") }),
      /notAfter: GeneralizedTime/,
    ],
    [
      "critical FALSE as 01",
      leafCertificate({ extensions: { odd: sequence(oid("1.2"), tlv(1, bytes(1)), tlv(4)) } }),
      /boolean/,
    ],
    [
      "extension with something more",
      leafCertificate({ extensions: { odd: sequence(oid("1.2"), tlv(4), tlv(5)) } }),
      /more than/,
    ],
    [
      "basicConstraints that are no SEQUENCE",
      leafCertificate({ extensions: { odd: extension("2.5.29.19", integer(1)) } }),
      /basicConstraints/,
    ],
    [
      "basicConstraints with something more",
      leafCertificate({ extensions: { odd: extension("2.5.29.19", concat(sequence(), bytes(5, 0))) } }),
      /basicConstraints/,
    ],
    [
      "a negative path length",
      intermediateCertificate({
        extensions: { basic: extension("2.5.29.19", sequence(tlv(1, bytes(255)), integer(-1))) },
      }),
      /pathLenConstraint/,
    ],
    [
      "keyUsage with set unused bits",
      leafCertificate({ extensions: { usage: extension("2.5.29.15", fromHex("03020107")) } }),
      /keyUsage/,
    ],
    [
      "an authority key identifier with an unknown member",
      leafCertificate({ extensions: { aki: extension("2.5.29.35", sequence(tlv(0x83, bytes(1)))) } }),
      /authorityKeyIdentifier/,
    ],
    [
      "a name that is not UTF-8",
      leafCertificate({ subject: sequence(attribute(tlv(0x0c, bytes(0xff)))) }),
      /subject: UTF8String/,
    ],
    [
      "a PrintableString above 7F",
      leafCertificate({ subject: sequence(attribute(tlv(0x13, bytes(0xe9)))) }),
      /subject: ASCII/,
    ],
    ["an empty SET in a name", leafCertificate({ subject: sequence(set()) }), /subject: missing/],
    [
      "a SET out of order",
      leafCertificate({
        subject: sequence(set(sequence(oid("2.5.4.10"), utf8("a")), sequence(oid("2.5.4.3"), utf8("a")))),
      }),
      /ascending/,
    ],
    [
      "too many attributes",
      leafCertificate({ subject: sequence(...Array<Uint8Array>(65).fill(attribute(utf8("a")))) }),
      /more than 64 attributes/,
    ],
    [
      "too many extensions",
      leafCertificate({
        extensions: Object.fromEntries(
          Array.from({ length: 65 }, (_, i) => [`e${i}`, extension("1.2.3", bytes(5, 0))]),
        ),
      }),
      /more than 64/,
    ],
  ])("refuses %s", (_, der, message) => {
    expect(refusal(() => decodeCertificate(der))).toMatch(message);
  });
  it("refuses a version written out as v1, unknown versions, and extensions in versions before 3", () => {
    const tbs = (version: Uint8Array) => {
      const algorithm = algorithms["ecdsa-sha256"];
      const inner = sequence(
        version,
        integer(1),
        algorithm,
        name("a"),
        sequence(time("2026-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z")),
        name("b"),
        sequence(),
        tlv(0xa3, sequence(extension("1.2.3", bytes(5, 0)))),
      );
      return sequence(inner, algorithm, tlv(3, bytes(0, 1)));
    };
    expect(refusal(() => decodeCertificate(tbs(tlv(0xa0, integer(0)))))).toMatch(/v1 written out/);
    expect(refusal(() => decodeCertificate(tbs(tlv(0xa0, integer(3)))))).toMatch(/version/);
    expect(refusal(() => decodeCertificate(tbs(tlv(0xa0, integer(1)))))).toMatch(/more than the format has/);
    expect(refusal(() => decodeCertificate(tbs(bytes())))).toMatch(/more than the format has/);
    expect(refusal(() => decodeCertificate(tbs(tlv(0xa0, integer(2)))))).toBe("accepted");
  });
});

describe("names", () => {
  const subject = (...values: Uint8Array[]) =>
    decodeCertificate(leafCertificate({ subject: sequence(...values.map((v) => set(sequence(oid("2.5.4.3"), v)))) }))
      .subject;
  it("have a common name only when there is exactly one", () => {
    expect(commonName(subject(utf8("SEV-VCEK")))).toBe("SEV-VCEK");
    expect(commonName(subject(utf8("SEV-VCEK"), utf8("SEV-VCEK")))).toBeUndefined();
    expect(commonName(subject())).toBeUndefined();
  });
  it("keep text as it is, with byte order marks and NULs, and other types as hex", () => {
    expect(commonName(subject(utf8("\uFEFFa\0b")))).toBe("\uFEFFa\0b");
    expect(commonName(subject(tlv(0x1e, bytes(0, 0x41))))).toBe("#1e020041");
  });
  it("are printed without characters that could rewrite the line", () => {
    expect(nameText(subject(utf8("ok\u001b[2J\u202e\u2028\n")))).toBe("ok\\u{1b}[2J\\u{202e}\\u{2028}\\u{a}");
    expect(nameText(subject(utf8("x".repeat(1000)))).length).toBe(123);
    expect(nameText(subject())).toBe("(empty name)");
  });
});

describe("PEM", () => {
  const leaf = pem("CERTIFICATE", leafCertificate());
  const root = pem("CERTIFICATE", rootCertificate());
  const count = (value: string) => {
    const got = refusal(() => decodeCertificates(text(value)));
    return got === "accepted" ? decodeCertificates(text(value)).length : got;
  };
  it("is one block or several, in their order, white space around them", () => {
    expect(decodeCertificates(leafCertificate())).toHaveLength(1);
    expect(decodeCertificates(text(leaf + root)).map((one) => commonName(one.subject))).toEqual([
      "Test Leaf",
      "Test Root",
    ]);
    expect(count(`\n ${leaf}\r\n\t${root.replaceAll("\n", "\r\n")}\n`)).toBe(2);
  });
  it.each([
    ["text before", `subject=a\n${leaf}`, /Certificate: needs tag/],
    ["text between", `${leaf}issuer=b\n${root}`, /needs -----BEGIN CERTIFICATE-----/],
    ["text after", `${leaf}x`, /needs -----BEGIN CERTIFICATE-----/],
    ["NUL after", `${leaf}\0`, /needs -----BEGIN CERTIFICATE-----/],
    ["another label", leaf.replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE"), /needs -----BEGIN CERTIFICATE-----/],
    ["another end label", leaf.replace("END CERTIFICATE", "END X509 CRL"), /has no -----END/],
    ["no end", leaf.slice(0, 200), /has no -----END/],
    ["a header", leaf.replace("-----\n", "-----\nProc-Type: 4\n"), /base64/],
    ["a space in the base64", leaf.replace("\nM", "\n M"), /base64/],
    ["base64 without padding", "-----BEGIN CERTIFICATE-----\nMAAwAA\n-----END CERTIFICATE-----\n", /base64/],
    [
      "two certificates in one block",
      pem("CERTIFICATE", concat(leafCertificate(), rootCertificate())),
      /more than the format has/,
    ],
    ["17 blocks", leaf.repeat(17), /more than 16/],
    ["a block over 64 KiB", pem("CERTIFICATE", new Uint8Array(65537)), /more than 65536/],
    ["white space only", "  \n", /needs tag/],
  ])("refuses %s", (_, value, message) => {
    expect(count(value)).toMatch(message);
  });
});

const genuineCrl = crl({
  version: 2,
  issuer: name("Test Root"),
  thisUpdate: time("2026-05-01T00:00:00Z"),
  nextUpdate: time("2026-07-01T00:00:00Z"),
  entries: [sequence(integer(5), time("2026-03-01T00:00:00Z"), sequence(extension("2.5.29.21", tlv(0x0a, bytes(1)))))],
  extensions: [extension("2.5.29.20", integer(7))],
  algorithm: algorithms["ecdsa-sha256"],
  signer: keys.root,
  hash: "sha256",
});
const root = decodeCertificate(rootCertificate());
const at = new Date("2026-06-01T00:00:00Z");

/** Decodes and, where that works, judges; returns whether it was accepted as it stands. Anything but a PmError escapes. */
const acceptsLeaf = (der: Uint8Array): boolean => {
  try {
    const path = [decodeCertificate(der), intermediate, root];
    return validatePath(path, root, at, { algorithms: ["ecdsa-sha256"] }).length === 0;
  } catch (error) {
    if (error instanceof PmError && error.code === "PM_EVIDENCE_MALFORMED") return false;
    throw error;
  }
};
const acceptsCrl = (der: Uint8Array): boolean => {
  try {
    return crlProblems(decodeCrl(der), root, at, ["ecdsa-sha256"]).length === 0;
  } catch (error) {
    if (error instanceof PmError && error.code === "PM_EVIDENCE_MALFORMED") return false;
    throw error;
  }
};
const intermediate = decodeCertificate(intermediateCertificate());

describe("any bytes", () => {
  const runs = { numRuns: 3000 };
  it("are a value or a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (any) => !acceptsLeaf(any) && !acceptsCrl(any)),
      runs,
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        (any) => !acceptsLeaf(tlv(0x30, any)) && !acceptsCrl(tlv(0x30, any)),
      ),
      runs,
    );
    fc.assert(
      fc.property(
        fc.string({ maxLength: 300 }),
        (any) => refusal(() => decodeCertificates(text(`-----${any}`))) !== "accepted",
      ),
      runs,
    );
  });

  const mutation = fc.record({
    at: fc.nat(),
    value: fc.integer({ min: 1, max: 255 }),
    kind: fc.constantFrom("set", "cut", "insert", "repeat"),
  });
  const mutate = (
    der: Uint8Array,
    { at: where, value, kind }: { at: number; value: number; kind: string },
  ): Uint8Array => {
    const i = where % der.length;
    const changed = Uint8Array.from(der);
    changed[i] = (changed[i] ?? 0) ^ value;
    if (kind === "set") return changed;
    if (kind === "cut") return der.slice(0, i);
    const middle = kind === "insert" ? bytes(value) : der.slice(i, i + (value % 40) + 1);
    return concat(der.slice(0, i), middle, der.slice(i));
  };
  it.each([
    ["certificate", leafCertificate(), acceptsLeaf],
    ["CRL", genuineCrl, acceptsCrl],
  ] as const)("a genuine %s with one change is never accepted", (_, genuine, accepts) => {
    expect(accepts(genuine)).toBe(true);
    fc.assert(
      fc.property(mutation, (change) => !accepts(mutate(genuine, change))),
      runs,
    );
  });
  it("each bit flipped of a genuine certificate is never accepted", () => {
    const genuine = leafCertificate();
    for (let bit = 0; bit < genuine.length * 8; bit++) {
      const changed = Uint8Array.from(genuine);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (acceptsLeaf(changed)) expect.fail(`bit ${bit} flipped is accepted`);
    }
  });
});
