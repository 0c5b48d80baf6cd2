import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decodeCertificate } from "../../src/crypto/certificate.ts";
import { type PathProfile, type PathRule, validatePath } from "../../src/crypto/path.ts";
import {
  algorithms,
  authorityKeyId,
  basicConstraints,
  bytes,
  type CertificateSpec,
  ecKey,
  extension,
  fromHex,
  integer,
  intermediateCertificate,
  keyId,
  keys,
  keyUsage,
  leafCertificate,
  name,
  octetString,
  rootCertificate,
  sequence,
  spkiOf,
  subjectKeyId,
  time,
  tlv,
} from "./make.ts";

const at = new Date("2026-06-01T00:00:00Z");
const profile: PathProfile = { algorithms: ["ecdsa-sha256"], length: 3 };
interface Changes {
  leaf?: Partial<CertificateSpec>;
  intermediate?: Partial<CertificateSpec>;
  root?: Partial<CertificateSpec>;
}
/** The broken rules as `rule@place`, of a path with these changes only. */
function broken(changes: Changes, with_: Partial<PathProfile> = {}, when = at): string[] {
  const path = [
    leafCertificate(changes.leaf),
    intermediateCertificate(changes.intermediate),
    rootCertificate(changes.root),
  ].map((der) => decodeCertificate(der));
  const root = path[2];
  if (root === undefined) throw new Error("no root");
  return validatePath(path, root, when, { ...profile, ...with_ }).map((p) => `${p.rule}@${p.certificate}`);
}

const critical = extension("1.2.3.4", bytes(5, 0), true);
const flip = (array: Uint8Array, i: number): void => {
  array[i] = (array[i] ?? 0) ^ 1;
};
const rsa = (modulusLength: number, publicExponent = 65537) =>
  spkiOf(generateKeyPairSync("rsa", { modulusLength, publicExponent }).publicKey);

/** One change each, and exactly what it breaks. */
const cases: readonly [PathRule, string, Changes, string[], Partial<PathProfile>?][] = [
  [
    "anchor-not-self-signed",
    "root signed by another key",
    { root: { signer: keys.other } },
    ["anchor-not-self-signed@2"],
  ],
  [
    "anchor-not-self-signed",
    "root issued by another authority",
    { root: { issuer: name("Elder"), signer: keys.other } },
    ["anchor-not-self-signed@2"],
  ],
  ["length", "one certificate more than the profile says", {}, ["length@0"], { length: 2 }],
  ["name", "leaf names another issuer", { leaf: { issuer: name("Somebody") } }, ["name@0"]],
  [
    "name",
    "issuer name equal in text, other string type",
    {
      leaf: {
        issuer: sequence(tlv(0x31, sequence(tlv(6, fromHex("550403")), tlv(0x13, Buffer.from("Test Intermediate"))))),
      },
    },
    ["name@0"],
  ],
  [
    "name-empty",
    "issuer without a name",
    { leaf: { issuer: name("") }, intermediate: { subject: name("") } },
    ["name-empty@0", "name-empty@1"],
  ],
  [
    "algorithm",
    "leaf signed with an algorithm that is not allowed",
    { leaf: { algorithm: algorithms["ecdsa-sha384"], hash: "sha384" } },
    ["algorithm@0"],
  ],
  [
    "algorithm",
    "algorithm that pm does not know",
    { intermediate: { algorithm: algorithms["ecdsa-sha512"], hash: "sha512" } },
    ["algorithm@1"],
  ],
  [
    "algorithm-mismatch",
    "inner algorithm is another one than the outer",
    { leaf: { algorithm: algorithms["ecdsa-sha384"], outerAlgorithm: algorithms["ecdsa-sha256"] } },
    ["algorithm-mismatch@0"],
  ],
  ["signature", "leaf signed by another key", { leaf: { signer: keys.other } }, ["signature@0"]],
  ["signature", "leaf signed by the root", { leaf: { signer: keys.root } }, ["signature@0"]],
  ["signature", "intermediate signed by another key", { intermediate: { signer: keys.other } }, ["signature@1"]],
  ["signature", "last signature bit flipped", { leaf: { spoil: (_, s) => flip(s, s.length - 1) } }, ["signature@0"]],
  [
    "signature",
    "signed key flipped",
    { leaf: { spoil: (tbs) => flip(tbs, tbs.length - 1) } },
    ["aki-mismatch@0", "signature@0"],
  ],
  [
    "not-a-ca",
    "issuer without basicConstraints",
    { intermediate: { extensions: { basic: undefined } } },
    ["not-a-ca@1"],
  ],
  [
    "not-a-ca",
    "issuer whose basicConstraints say no CA",
    { intermediate: { extensions: { basic: basicConstraints(false) } } },
    ["not-a-ca@1"],
  ],
  ["not-a-ca", "root without basicConstraints", { root: { extensions: { basic: undefined } } }, ["not-a-ca@2"]],
  [
    "basic-constraints-not-critical",
    "issuer",
    { intermediate: { extensions: { basic: basicConstraints(true, 0, false) } } },
    ["basic-constraints-not-critical@1"],
  ],
  ["leaf-is-ca", "leaf with CA true", { leaf: { extensions: { basic: basicConstraints(true) } } }, ["leaf-is-ca@0"]],
  [
    "path-length",
    "root allows none below",
    { root: { extensions: { basic: basicConstraints(true, 0) } } },
    ["path-length@2"],
  ],
  ["key-usage", "issuer without keyUsage", { intermediate: { extensions: { usage: undefined } } }, ["key-usage@1"]],
  [
    "key-usage",
    "issuer with cRLSign only",
    { intermediate: { extensions: { usage: keyUsage(0x02) } } },
    ["key-usage@1"],
  ],
  ["key-usage", "root with no bit", { root: { extensions: { usage: keyUsage(0) } } }, ["key-usage@2"]],
  ["key-usage", "leaf with keyCertSign", { leaf: { extensions: { usage: keyUsage(0x84) } } }, ["key-usage@0"]],
  ["critical-extension", "leaf", { leaf: { extensions: { critical } } }, ["critical-extension@0"]],
  ["critical-extension", "intermediate", { intermediate: { extensions: { critical } } }, ["critical-extension@1"]],
  ["critical-extension", "root", { root: { extensions: { critical } } }, ["critical-extension@2"]],
  [
    "critical-extension",
    "subjectKeyIdentifier critical",
    { intermediate: { extensions: { ski: extension("2.5.29.14", octetString(keyId(keys.intermediate)), true) } } },
    ["critical-extension@1"],
  ],
  [
    "name-constraints",
    "not critical",
    { intermediate: { extensions: { constraints: extension("2.5.29.30", sequence()) } } },
    ["name-constraints@1"],
  ],
  ...["2.5.29.33", "2.5.29.36", "2.5.29.54"].map((id): [PathRule, string, Changes, string[]] => [
    "policy-constraints",
    `${id}, not critical`,
    { intermediate: { extensions: { policy: extension(id, sequence()) } } },
    ["policy-constraints@1"],
  ]),
  ["aki-missing", "leaf", { leaf: { extensions: { aki: undefined } } }, ["aki-missing@0"]],
  [
    "aki-missing",
    "intermediate, whatever the leaf may lack",
    { intermediate: { extensions: { aki: undefined } } },
    ["aki-missing@1"],
    { leaf: { withoutKeyIdentifiers: true } },
  ],
  [
    "aki-missing",
    "issuer and serial instead of a key identifier",
    { leaf: { extensions: { aki: extension("2.5.29.35", sequence(tlv(0xa1, bytes()), tlv(0x82, bytes(1)))) } } },
    ["aki-missing@0"],
  ],
  ["aki-mismatch", "leaf", { leaf: { extensions: { aki: authorityKeyId(keyId(keys.other)) } } }, ["aki-mismatch@0"]],
  [
    "aki-mismatch",
    "leaf that may do without one",
    { leaf: { extensions: { aki: authorityKeyId(keyId(keys.other)) } } },
    ["aki-mismatch@0"],
    { leaf: { withoutKeyIdentifiers: true } },
  ],
  ["aki-mismatch", "root", { root: { extensions: { aki: authorityKeyId(keyId(keys.other)) } } }, ["aki-mismatch@2"]],
  [
    "ski-missing",
    "issuer of a leaf that may do without key identifiers",
    { leaf: { extensions: { aki: undefined } }, intermediate: { extensions: { ski: undefined } } },
    ["ski-missing@1"],
    { leaf: { withoutKeyIdentifiers: true } },
  ],
  ["serial-negative", "leaf", { leaf: { serial: integer(-5) } }, ["serial-negative@0"]],
  ["serial-negative", "intermediate", { intermediate: { serial: integer(-(2n ** 64n)) } }, ["serial-negative@1"]],
  ["serial-zero", "leaf", { leaf: { serial: integer(0) } }, ["serial-zero@0"]],
  [
    "serial-zero",
    "intermediate, whatever the leaf may have",
    { intermediate: { serial: integer(0) } },
    ["serial-zero@1"],
    { leaf: { serialZero: true } },
  ],
  ["serial-length", "21 octets without the sign octet", { leaf: { serial: integer(2n ** 160n) } }, ["serial-length@0"]],
  [
    "extension-duplicate",
    "leaf",
    { leaf: { extensions: { a: extension("1.2.3", bytes(5, 0)), b: extension("1.2.3", bytes(5, 0)) } } },
    ["extension-duplicate@0"],
  ],
  [
    "extension-duplicate",
    "intermediate, whatever the leaf may have",
    { intermediate: { extensions: { again: keyUsage(0x04) } } },
    ["extension-duplicate@1"],
    { leaf: { duplicateExtensions: true } },
  ],
  [
    "leaf-is-ca",
    "second basicConstraints of a leaf that may repeat extensions",
    { leaf: { extensions: { first: basicConstraints(false), second: basicConstraints(true) } } },
    ["extension-duplicate@0", "leaf-is-ca@0"],
    { leaf: { duplicateExtensions: true } },
  ],
  [
    "extension-duplicate",
    "second keyUsage of a leaf that may repeat the vendor's extensions",
    { leaf: { extensions: { usage: keyUsage(0x80), second: keyUsage(0x04) } } },
    ["extension-duplicate@0"],
    { leaf: { duplicateExtensions: true } },
  ],
  ["version", "leaf of version 1", { leaf: { version: 1 } }, ["version@0"], { leaf: { withoutKeyIdentifiers: true } }],
  [
    "version",
    "issuer of version 2",
    { intermediate: { version: 2 }, leaf: { extensions: { aki: undefined } } },
    ["version@1", "not-a-ca@1", "key-usage@1", "ski-missing@1", "aki-missing@1"],
    { leaf: { withoutKeyIdentifiers: true } },
  ],
  ["expired", "leaf", { leaf: { notAfter: time("2026-05-31T23:59:59Z") } }, ["expired@0"]],
  ["expired", "root", { root: { notAfter: time("2026-05-31T23:59:59Z") } }, ["expired@2"]],
  ["not-yet-valid", "intermediate", { intermediate: { notBefore: time("2026-06-01T00:00:01Z") } }, ["not-yet-valid@1"]],
  ["key", "another kind than the profile says", {}, ["key@0"], { keys: ["EC P-384", "EC P-256", undefined] }],
  ["key", "RSA of 1024 bits", { leaf: { spki: rsa(1024) } }, ["key@0"]],
  ["key", "RSA with exponent 3", { leaf: { spki: rsa(2048, 3) } }, ["key@0"]],
  ["key", "curve that pm does not use", { leaf: { spki: spkiOf(ecKey("secp256k1").publicKey) } }, ["key@0"]],
  [
    "key",
    "curve parameters written out",
    {
      leaf: {
        spki: spkiOf(generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" }).publicKey),
      },
    },
    ["key@0"],
  ],
  [
    "key",
    "point that is not on the curve",
    { leaf: { spki: fromHex(`3059301306072a8648ce3d020106082a8648ce3d03010703420004${"11".repeat(64)}`) } },
    ["key@0"],
  ],
];

describe("a path that breaks no rule", () => {
  it("has no problem", () => {
    expect(broken({})).toEqual([]);
    expect(broken({}, { keys: ["EC P-256", "EC P-256", "EC P-256"] })).toEqual([]);
  });
  it("may have extensions that are neither known nor critical, no keyUsage in the leaf, an empty leaf subject", () => {
    expect(broken({ leaf: { extensions: { odd: extension("1.2.3.4", bytes(1)), usage: undefined } } })).toEqual([]);
    expect(broken({ leaf: { subject: name("") } })).toEqual([]);
  });
  it("may have a root with a matching key identifier of its own", () => {
    expect(broken({ root: { extensions: { aki: authorityKeyId(keyId(keys.root)) } } })).toEqual([]);
  });
  it("may have serials of 20 octets and the sign octet", () => {
    expect(broken({ leaf: { serial: integer(2n ** 160n - 1n) } })).toEqual([]);
  });
});

describe("one defect", () => {
  it.each(cases)("%s: %s", (rule, _, changes, expected, with_) => {
    expect(broken(changes, with_)).toEqual(expected);
    expect(expected.some((one) => one.startsWith(`${rule}@`))).toBe(true);
  });
  it("is shown for every rule", () => {
    const all: Record<PathRule, true> = {
      root: true,
      "anchor-not-self-signed": true,
      length: true,
      name: true,
      "name-empty": true,
      algorithm: true,
      "algorithm-mismatch": true,
      signature: true,
      "not-a-ca": true,
      "basic-constraints-not-critical": true,
      "leaf-is-ca": true,
      "path-length": true,
      "key-usage": true,
      "critical-extension": true,
      "name-constraints": true,
      "policy-constraints": true,
      "aki-missing": true,
      "aki-mismatch": true,
      "ski-missing": true,
      "serial-negative": true,
      "serial-zero": true,
      "serial-length": true,
      "extension-duplicate": true,
      version: true,
      expired: true,
      "not-yet-valid": true,
      key: true,
    };
    // "root" has its own cases below.
    expect(new Set([...cases.map(([rule]) => rule), "root"])).toEqual(new Set(Object.keys(all)));
  });
});

describe("several defects", () => {
  it("are all reported, in path order", () => {
    expect(
      broken({
        leaf: { serial: integer(0), notAfter: time("2026-05-01T00:00:00Z") },
        intermediate: { extensions: { basic: undefined, critical } },
      }),
    ).toEqual(["expired@0", "serial-zero@0", "critical-extension@1", "not-a-ca@1"]);
  });
});

describe("what a vendor's leaf may lack", () => {
  it("is granted by name only", () => {
    const zero = { leaf: { serial: integer(0) } };
    const bare = { leaf: { extensions: { aki: undefined } } };
    const twice = { leaf: { extensions: { a: extension("1.2.3", bytes(5, 0)), b: extension("1.2.3", bytes(5, 0)) } } };
    expect(broken(zero, { leaf: { serialZero: true } })).toEqual([]);
    expect(broken(bare, { leaf: { withoutKeyIdentifiers: true } })).toEqual([]);
    expect(broken(twice, { leaf: { duplicateExtensions: true } })).toEqual([]);
    expect(broken(zero, { leaf: { withoutKeyIdentifiers: true, duplicateExtensions: true } })).toEqual([
      "serial-zero@0",
    ]);
    expect(broken(bare, { leaf: { serialZero: true, duplicateExtensions: true } })).toEqual(["aki-missing@0"]);
    expect(broken(twice, { leaf: { serialZero: true, withoutKeyIdentifiers: true } })).toEqual([
      "extension-duplicate@0",
    ]);
  });
  it("does not turn a negative serial into an allowed one", () => {
    expect(broken({ leaf: { serial: integer(-1) } }, { leaf: { serialZero: true } })).toEqual(["serial-negative@0"]);
  });
});

describe("the judgement time", () => {
  const window = { leaf: { notBefore: time("2026-06-01T00:00:00Z"), notAfter: time("2026-06-02T00:00:00Z") } };
  it.each([
    ["2026-05-31T23:59:59.999Z", ["not-yet-valid@0"]],
    ["2026-06-01T00:00:00.000Z", []],
    ["2026-06-02T00:00:00.000Z", []],
    ["2026-06-02T00:00:00.001Z", ["expired@0"]],
  ])("%s is compared exactly, both ends inside", (when, expected) => {
    expect(broken(window, {}, new Date(when))).toEqual(expected);
  });
  it("lies in no window when it is no time", () => {
    expect(broken({}, {}, new Date(Number.NaN))).toHaveLength(6);
  });
  it("covers windows that end after 2049", () => {
    expect(broken({ leaf: { notAfter: time("9999-12-31T23:59:59Z") } })).toEqual([]);
  });
});

describe("the root", () => {
  const leaf = decodeCertificate(leafCertificate());
  const intermediate = decodeCertificate(intermediateCertificate());
  const root = decodeCertificate(rootCertificate());
  const validate = (path: readonly (typeof leaf)[], pinned: typeof leaf, with_: Partial<PathProfile> = {}) =>
    validatePath(path, pinned, at, { algorithms: ["ecdsa-sha256"], ...with_ }).map((p) => `${p.rule}@${p.certificate}`);

  it("is compared by all its bytes, not by its name and key", () => {
    expect(validate([leaf, intermediate, root], decodeCertificate(rootCertificate({ serial: integer(2) })))).toEqual([
      "root@2",
    ]);
  });
  it("is the only anchor: an intermediate at the end is not one", () => {
    expect(validate([leaf, intermediate], root)).toEqual(["root@1", "anchor-not-self-signed@1"]);
  });
  it("is never its own leaf, and a single certificate is no path", () => {
    expect(validate([root, root], root)).toEqual(["leaf-is-ca@0", "key-usage@0", "aki-missing@0"]);
    expect(validate([root], root)).toEqual(["length@0"]);
    expect(validate([leaf], leaf)).toEqual(["length@0"]);
    expect(validate([], root)).toEqual(["length@0"]);
  });
  it("is not searched for: another order fails", () => {
    expect(validate([intermediate, leaf, root], root)).toContain("name@0");
    expect(validate([leaf, root, intermediate], root)).toContain("root@2");
  });
  it("ends a path of at most ten certificates", () => {
    expect(validate([leaf, ...Array<typeof leaf>(9).fill(intermediate), root], root)).toEqual(["length@0"]);
  });
  it("signs directly where the profile has it so", () => {
    const direct = decodeCertificate(
      leafCertificate({
        issuer: name("Test Root"),
        signer: keys.root,
        extensions: { aki: authorityKeyId(keyId(keys.root)) },
      }),
    );
    expect(validate([direct, root], root)).toEqual([]);
    expect(validate([direct, root], root, { length: 3 })).toEqual(["length@0"]);
  });
});

describe("the path length", () => {
  it("does not count self-issued intermediates, and the longer path counts every other", () => {
    const key = ecKey();
    const issued = (subject: string) =>
      decodeCertificate(
        intermediateCertificate({
          issuer: name("Test Intermediate"),
          subject: name(subject),
          spki: spkiOf(key.publicKey),
          signer: keys.intermediate,
          extensions: { aki: authorityKeyId(keyId(keys.intermediate)), ski: subjectKeyId(keyId(key)) },
        }),
      );
    const leaf = (issuer: string) =>
      decodeCertificate(
        leafCertificate({ issuer: name(issuer), signer: key, extensions: { aki: authorityKeyId(keyId(key)) } }),
      );
    const intermediate = decodeCertificate(intermediateCertificate());
    const root = decodeCertificate(rootCertificate());
    const rules = (subject: string) =>
      validatePath([leaf(subject), issued(subject), intermediate, root], root, at, {
        algorithms: ["ecdsa-sha256"],
      }).map((p) => `${p.rule}@${p.certificate}`);
    expect(rules("Test Intermediate")).toEqual([]);
    expect(rules("Below")).toEqual(["path-length@2"]);
  });
});
