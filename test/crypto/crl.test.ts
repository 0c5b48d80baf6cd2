import { describe, expect, it } from "vitest";
import { decodeCertificate } from "../../src/crypto/certificate.ts";
import { type CrlProblem, crlProblems, decodeCrl, serialKey } from "../../src/crypto/crl.ts";
import { PmError } from "../../src/errors.ts";
import { describeEvidence, evidence } from "../evidence.ts";
import {
  algorithms,
  ascii,
  bytes,
  type CrlSpec,
  crl,
  extension,
  integer,
  keys,
  keyUsage,
  leafCertificate,
  name,
  pem,
  rootCertificate,
  sequence,
  time,
  tlv,
} from "./make.ts";

const at = new Date("2026-06-01T00:00:00Z");
const root = decodeCertificate(rootCertificate());
const number = (value: bigint | number, critical = false) => extension("2.5.29.20", integer(value), critical);
const reason = (code: number) => extension("2.5.29.21", tlv(0x0a, bytes(code)));
const entry = (serial: bigint | number, ...extensions: Uint8Array[]) =>
  sequence(
    integer(serial),
    time("2026-03-01T00:00:00Z"),
    ...(extensions.length === 0 ? [] : [sequence(...extensions)]),
  );

const make = (changes: Partial<CrlSpec> = {}): Uint8Array =>
  crl({
    version: 2,
    issuer: name("Test Root"),
    thisUpdate: time("2026-05-01T00:00:00Z"),
    nextUpdate: time("2026-07-01T00:00:00Z"),
    entries: [],
    extensions: [number(7)],
    algorithm: algorithms["ecdsa-sha256"],
    signer: keys.root,
    hash: "sha256",
    ...changes,
  });
const rules = (changes: Partial<CrlSpec>, when = at, issuer = root): CrlProblem["rule"][] =>
  crlProblems(decodeCrl(make(changes)), issuer, when, ["ecdsa-sha256"]).map((problem) => problem.rule);
const refused = (der: Uint8Array): string => {
  try {
    decodeCrl(der);
  } catch (error) {
    if (error instanceof PmError && error.code === "PM_EVIDENCE_MALFORMED") return error.message;
    throw error;
  }
  return "accepted";
};

describe("a revocation list without a defect", () => {
  it("has no problem, and its fields read", () => {
    const list = decodeCrl(make({ entries: [entry(0x8001, reason(1)), entry(5)] }));
    expect(crlProblems(list, root, at, ["ecdsa-sha256"])).toEqual([]);
    expect(list.number).toBe(7n);
    expect(list.thisUpdate.toISOString()).toBe("2026-05-01T00:00:00.000Z");
    expect(list.revoked.get("8001")).toEqual({ date: new Date("2026-03-01T00:00:00Z"), reason: 1 });
    expect(list.revoked.get("05")).toEqual({ date: new Date("2026-03-01T00:00:00Z") });
  });
  it("may have no number", () => {
    expect(decodeCrl(make({ extensions: [] })).number).toBeUndefined();
    expect(rules({ extensions: [] })).toEqual([]);
  });
  it("may be version 1, a critical number, or PEM", () => {
    expect(rules({ version: 1, extensions: [] })).toEqual([]);
    expect(rules({ extensions: [number(7, true)] })).toEqual([]);
    expect(decodeCrl(new TextEncoder().encode(pem("X509 CRL", make()))).number).toBe(7n);
  });
});

describe("one defect of a revocation list", () => {
  const critical = extension("1.2.3.4", bytes(5, 0), true);
  it.each<[string, CrlProblem["rule"], Partial<CrlSpec>]>([
    ["another issuer name", "issuer", { issuer: name("Somebody") }],
    ["another key", "signature", { signer: keys.other }],
    [
      "a signed byte changed",
      "signature",
      { spoil: (tbs) => tbs.set([(tbs[tbs.length - 1] ?? 0) ^ 1], tbs.length - 1) },
    ],
    ["an algorithm that is not allowed", "algorithm", { algorithm: algorithms["ecdsa-sha384"], hash: "sha384" }],
    [
      "another algorithm inside than outside",
      "algorithm",
      { algorithm: algorithms["ecdsa-sha384"], outerAlgorithm: algorithms["ecdsa-sha256"] },
    ],
    ["an unknown critical extension", "critical-extension", { extensions: [number(7), critical] }],
    ["an unknown critical entry extension", "critical-extension", { entries: [entry(5, critical)] }],
    [
      "an issuing distribution point that is not critical",
      "critical-extension",
      { extensions: [extension("2.5.29.28", sequence())] },
    ],
    ["a delta indicator", "critical-extension", { extensions: [number(7), extension("2.5.29.27", integer(6), true)] }],
    ["no nextUpdate", "no-next-update", { nextUpdate: undefined }],
    ["nextUpdate in the past", "expired", { nextUpdate: time("2026-05-31T23:59:59Z") }],
    ["thisUpdate in the future", "not-yet-valid", { thisUpdate: time("2026-06-01T00:00:01Z") }],
  ])("%s: %s", (_, rule, changes) => {
    expect(rules(changes)).toEqual([rule]);
  });
  it("an issuer that may sign certificates but no revocation list", () => {
    const only = decodeCertificate(rootCertificate({ extensions: { usage: keyUsage(0x04) } }));
    expect(rules({}, at, only)).toEqual(["issuer"]);
    const none = decodeCertificate(rootCertificate({ extensions: { usage: undefined } }));
    expect(rules({}, at, none)).toEqual(["issuer"]);
  });
});

describe("the dates of a revocation list", () => {
  it.each([
    ["2026-04-30T23:59:59.999Z", ["not-yet-valid"]],
    ["2026-05-01T00:00:00.000Z", []],
    ["2026-06-30T23:59:59.999Z", []],
    ["2026-07-01T00:00:00.000Z", ["expired"]],
  ])("%s: thisUpdate belongs to the window, nextUpdate does not", (when, expected) => {
    expect(rules({}, new Date(when))).toEqual(expected);
  });
  it("hold for no time that is none", () => {
    expect(rules({}, new Date(Number.NaN))).toEqual(["not-yet-valid", "expired"]);
  });
});

describe("serial numbers", () => {
  it.each([0n, 1n, 0x7fn, 0x80n, 0xffn, 0x100n, 2n ** 159n, 2n ** 160n - 1n, -1n, -128n])(
    "%s: certificate and entry have the same key, other numbers another",
    (serial) => {
      const list = decodeCrl(make({ entries: [entry(serial)] }));
      expect(list.revoked.has(serialKey(decodeCertificate(leafCertificate({ serial: integer(serial) }))))).toBe(true);
      expect(list.revoked.has(serialKey(decodeCertificate(leafCertificate({ serial: integer(serial + 1n) }))))).toBe(
        false,
      );
    },
  );
  it("0 is an entry like any other here, of its own key", () => {
    expect([...decodeCrl(make({ entries: [entry(0)] })).revoked.keys()]).toEqual(["00"]);
  });
  it("-1 and 255 are not the same number", () => {
    expect(decodeCrl(make({ entries: [entry(-1)] })).revoked.has("ff")).toBe(false);
  });
  it("listed twice are reported and keep their first date", () => {
    const list = decodeCrl(make({ entries: [entry(5, reason(1)), entry(6), entry(5)] }));
    expect(list.duplicates).toEqual(["05"]);
    expect(list.revoked.get("05")?.reason).toBe(1);
  });
});

describe("a malformed revocation list", () => {
  const date = time("2026-03-01T00:00:00Z");
  it.each<[string, Uint8Array, RegExp]>([
    ["empty", bytes(), /missing at offset 0/],
    ["one byte more", Uint8Array.from([...make(), 0]), /1 bytes more/],
    ["one byte less", make().subarray(0, -1), /needs \d+ bytes/],
    ["an empty list written out", make({ entries: [bytes()] }), /revokedCertificates: missing/],
    ["an extension twice", make({ extensions: [number(7), number(8)] }), /crlExtensions: one occurs twice/],
    [
      "an entry extension twice",
      make({ entries: [entry(5, reason(1), reason(2))] }),
      /crlEntryExtensions: one occurs twice/,
    ],
    ["a negative number", make({ extensions: [number(-1)] }), /cRLNumber/],
    ["a reason that is not defined", make({ entries: [entry(5, reason(99))] }), /reasonCode/],
    ["a padded serial", make({ entries: [sequence(tlv(2, bytes(0, 5)), date)] }), /shortest form/],
    ["an entry without date", make({ entries: [sequence(integer(5))] }), /revocationDate/],
    ["extensions in version 1", make({ version: 1 }), /tbsCertList: \d+ bytes more/],
    ["a local time", make({ nextUpdate: ascii(0x17, "260701000000+0100") }), /UTCTime/],
    ["PEM of a certificate", new TextEncoder().encode(pem("CERTIFICATE", make())), /BEGIN X509 CRL/],
    ["two PEM blocks", new TextEncoder().encode(pem("X509 CRL", make()).repeat(2)), /more than 1 PEM/],
  ])("%s", (_, der, message) => {
    expect(refused(der)).toMatch(message);
  });
  it("more than 100 000 entries", () => {
    const one = entry(5);
    expect(refused(make({ entries: [new Uint8Array(Buffer.concat(Array<Uint8Array>(100_001).fill(one)))] }))).toMatch(
      /more than 100000/,
    );
  });
});

describeEvidence("revocation lists of the evidence", () => {
  const ark = () => decodeCertificate(evidence("snp/synthetic/ark.der"));
  const judge = (file: string, when: string) =>
    crlProblems(decodeCrl(evidence(`snp/synthetic/${file}.crl.der`)), ark(), new Date(when), ["rsa-pss-sha384"]).map(
      (p) => p.rule,
    );
  it.each([
    ["clean", "2026-03-01T00:00:00Z", []],
    ["revokes-ask", "2026-03-01T00:00:00Z", []],
    ["serial0", "2026-03-01T00:00:00Z", []],
    ["expired", "2026-03-01T00:00:00Z", ["expired"]],
    ["clean", "2025-11-30T23:59:59Z", ["not-yet-valid"]],
    ["signed-by-ask", "2026-03-01T00:00:00Z", ["issuer", "signature"]],
  ])("%s at %s: %j", (file, when, expected) => {
    expect(judge(file, when)).toEqual(expected);
  });
  it("list the intermediate that they revoke", () => {
    for (const which of ["ask", "asvk"]) {
      const list = decodeCrl(evidence(`snp/synthetic/revokes-${which}.crl.der`));
      expect([...list.revoked.keys()]).toEqual([serialKey(decodeCertificate(evidence(`snp/synthetic/${which}.der`)))]);
    }
  });
  it("never count when an ASK signed them", () => {
    const ask = decodeCertificate(evidence("snp/synthetic/ask.der"));
    const list = decodeCrl(evidence("snp/synthetic/signed-by-ask.crl.der"));
    expect(crlProblems(list, ask, new Date("2026-03-01T00:00:00Z"), ["rsa-pss-sha384"]).map((p) => p.rule)).toContain(
      "issuer",
    );
  });
  it("Intel's read: entries with reasons, distribution point not critical for the whole list", () => {
    const list = decodeCrl(evidence("tdx/pcs-raw/pck_crl_platform.crl"));
    expect(list.revoked.size).toBe(51);
    expect(list.number).toBe(1n);
    expect(list.unprocessed).toEqual([]);
  });
});
