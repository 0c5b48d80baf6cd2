/** A service's edits of a manifest as a pure function, and the auditor's file with their values. */
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJson } from "../../../src/bytes/json.ts";
import { jsonText } from "../../../src/bytes/json-text.ts";
import { PmError } from "../../../src/errors.ts";
import { manifestRecipes } from "../../../src/profile/privatemode-manifest.ts";
import { type EditShape, editManifest } from "../../../src/verifiers/contrast/edits.ts";
import { readEdits } from "../../../src/verifiers/contrast/edits-file.ts";
import { seedshareKeyHex } from "../../../src/verifiers/contrast/seedshare.ts";
import { editsText } from "../../commands/generate-world.ts";
import { describeEvidence, evidence } from "../../evidence.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf8"));
const text = (b: Uint8Array | undefined): string => Buffer.from(b ?? []).toString("utf8");
const values = (yaml: string) => readEdits(bytes(yaml), "edits");
const none = values("{}");
const plain: EditShape = { ...manifestRecipes.contrast.shape };
const privatemode = manifestRecipes.privatemode.shape;

describe("JSON as the CLI writes it", () => {
  test("what JSON.stringify writes with two spaces comes out as it was", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const written = `${JSON.stringify(value, null, 2)}\n`;
        expect(jsonText(readJson(bytes(written), { what: "test" }).root)).toBe(written);
      }),
    );
  });
  test("numbers keep their text", () => {
    const written = '{\n  "a": 18446744073709551615,\n  "b": 28.0,\n  "c": 2.8e1\n}\n';
    expect(jsonText(readJson(bytes(written), { what: "test" }).root)).toBe(written);
  });
});

describeEvidence("a manifest in the bytes of Contrast v1.20.0", () => {
  test("comes out of the writer as it was", () => {
    const go = evidence("contrast/manifest-go-layout.json");
    const { root } = readJson(go, { what: "manifest" });
    expect(jsonText(root)).toBe(text(go));
  });
  test("keeps all its bytes under Privatemode's edits, but for what they set", () => {
    const go = evidence("contrast/manifest-go-layout.json");
    const { bytes: edited, problems } = editManifest(go, privatemode, values(editsText));
    expect(problems).toEqual([]);
    const [a, b] = [JSON.parse(text(go)), JSON.parse(text(edited))];
    delete a.WorkloadOwnerPubKeys;
    Object.assign(a.ReferenceValues.snp[0], { AllowedChipIDs: ["AB".repeat(64), "CD".repeat(64)] });
    Object.assign(a.ReferenceValues.tdx[0], { MrSeam: "48".repeat(48), AllowedPIIDs: ["0c".repeat(16)] });
    // JSON.parse rounds 2^64 - 1.
    a.ReferenceValues.snp[0].MinimumMitigationVector = b.ReferenceValues.snp[0].MinimumMitigationVector;
    expect(JSON.stringify(b)).toBe(JSON.stringify(a));
  });
});

const entry = (more: object) => ({ ProductName: "Genoa", CPUs: 1, GuestPolicy: { SMT: true, Debug: false }, ...more });
const manifest = (snp: readonly object[], more: object = {}): Uint8Array =>
  bytes(JSON.stringify({ Policies: {}, ReferenceValues: { snp }, ...more }));

describe("edits", () => {
  test("none: the bytes stay, whatever their white space", () => {
    const odd = bytes(' {"Policies" : {} ,"ReferenceValues":{}}\n\n');
    expect(editManifest(odd, plain, none)).toMatchObject({ bytes: odd, owed: [], made: [] });
  });
  test("an object is laid over the one that is there, in its order; new members come last", () => {
    const edited = editManifest(
      manifest([entry({})]),
      plain,
      values("guestPolicy: { PageSwapDisable: true, SMT: false }"),
    );
    expect(JSON.parse(text(edited.bytes)).ReferenceValues.snp[0]).toEqual(
      entry({ GuestPolicy: { SMT: false, Debug: false, PageSwapDisable: true } }),
    );
    expect(text(edited.bytes)).toMatch(/"SMT": false,\s+"Debug": false,\s+"PageSwapDisable": true/);
  });
  test("a list is replaced whole, in every reference value", () => {
    const edited = editManifest(
      manifest([entry({ AllowedChipIDs: ["x"] }), entry({})]),
      plain,
      values(`chipIds: ["${"ab".repeat(64)}"]`),
    );
    const lists = JSON.parse(text(edited.bytes)).ReferenceValues.snp.map(
      (e: { AllowedChipIDs: unknown }) => e.AllowedChipIDs,
    );
    expect(lists).toEqual([["ab".repeat(64)], ["ab".repeat(64)]]);
  });
  test("a reference value that is no object, and a field that is none, are problems", () => {
    for (const snp of [[entry({ GuestPolicy: "x" })], [5 as unknown as object]])
      expect(editManifest(manifest(snp), plain, values("guestPolicy: { SMT: true }"))).toMatchObject({
        bytes: undefined,
        problems: [expect.stringContaining("GuestPolicy")],
      });
  });
  test("of Privatemode need every value, and say which is missing", () => {
    const edited = editManifest(manifest([entry({})]), privatemode, values("minimumMitigationVector: 15"));
    expect(edited.bytes).toBeUndefined();
    expect(edited.withoutValue).toEqual([
      "snp: MinimumTCB",
      "snp: GuestPolicy",
      "snp: PlatformInfo",
      "snp: AllowedChipIDs",
    ]);
  });
  test("a member that stands there twice at any depth is refused", () => {
    for (const twice of ['{"a":1,"a":2}', '{"x":[{"b":{"a":1,"a":1}}]}'])
      expect(() => editManifest(bytes(twice), plain, none)).toThrow(/stands there twice/);
  });
  test("names are edited only where the CLI wrote its own", () => {
    const sans = { before: () => ["w", "*"], after: () => ["first", "w", "*"] };
    const policies = (names: unknown, id = "apps/v1/Deployment/ns/w") =>
      bytes(JSON.stringify({ Policies: { k: { SANs: names, WorkloadSecretID: id } } }));
    expect(text(editManifest(policies(["w", "*"]), plain, none, sans).bytes)).toContain('"first"');
    for (const names of [["*", "w"], ["w"], null, ["w", "*", "x"], ["w", 5]])
      expect(editManifest(policies(names), plain, none, sans).problems).toHaveLength(1);
    expect(editManifest(policies(["w", "*"], "chosen-freely"), plain, none, sans).problems).toEqual([
      "SANs: no policy belongs to a workload of the service",
    ]);
  });
  test("any bytes give a result or a malformed manifest", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes)), (any) => {
        try {
          editManifest(any, privatemode, values(editsText), { before: () => [], after: () => ["x"] });
        } catch (error) {
          expect(error instanceof PmError && error.reasonCode).toBe("generated-malformed");
        }
      }),
    );
  });
});

describe("the file with the values", () => {
  test("is read as JSON too", () => expect(values('{"minTcbEvaluationDataNumber": 21}').tdx.size).toBe(1));
  test.each([
    ["two documents", "{}\n---\n{}\n"],
    ["nothing", ""],
    ["a list", "[]"],
    ["an unquoted PIID of digits alone", `piids: [${"10".repeat(16)}]`],
    ["a number with a fraction", "minimumMitigationVector: 15.0"],
    ["a number over 64 bits", "minimumMitigationVector: 18446744073709551616"],
    ["a text for a number", 'minimumMitigationVector: "15"'],
    ["an evaluation number of 0, which demands nothing", "minTcbEvaluationDataNumber: 0"],
    ["no bit at all", "guestPolicy: {}"],
    ["a text for a bit", 'guestPolicy: { SMT: "true" }'],
    ["an SVN below 0", "minimumTcb: { bootloader: -1, tee: 0, snp: 0, microcode: 0 }"],
    ["a member of Object", "toString: 1"],
  ])("%s is refused with its place", (_what, yaml) => {
    expect(() => values(yaml)).toThrow(PmError);
  });
});

describe("a seed share key", () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  test("is the same in both forms of PEM", () => {
    const [spki, pkcs1] = (["spki", "pkcs1"] as const).map(
      (type) => publicKey.export({ type, format: "pem" }) as string,
    );
    const wanted = publicKey.export({ type: "pkcs1", format: "der" }).toString("hex");
    for (const pem of [spki, pkcs1]) expect(seedshareKeyHex(bytes(pem ?? ""), "key")).toBe(wanted);
  });
  test("is refused when it is no RSA key, twice there, or a certificate", () => {
    const ec = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({
      type: "spki",
      format: "pem",
    }) as string;
    const rsa = publicKey.export({ type: "spki", format: "pem" }) as string;
    const bad = [
      ec,
      rsa + rsa,
      "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
      "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n",
    ];
    for (const pem of bad) expect(() => seedshareKeyHex(bytes(pem), "key")).toThrow(PmError);
  });
});
