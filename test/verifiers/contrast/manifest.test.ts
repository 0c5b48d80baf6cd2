import { createHash, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "../../../src/claims/subject.ts";
import { conclude } from "../../../src/claims/verdict.ts";
import { manifestFile } from "../../../src/verifiers/contrast/claims.ts";
import { decodeManifest } from "../../../src/verifiers/contrast/manifest.ts";
import { verifyManifest } from "../../../src/verifiers/contrast/manifest-file.ts";
import { manifestRules } from "../../../src/verifiers/contrast/rules.ts";
import { integer, sequence } from "../../crypto/make.ts";
import { describeEvidence, evidence, evidenceJson } from "../../evidence.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function check(text: string | Uint8Array, version?: string) {
  const { answers } = verifyManifest(typeof text === "string" ? encode(text) : text, manifestRules(version));
  const judged = judge({ name: "manifest", catalogue: manifestFile, pinned: new Set() }, answers);
  const conclusion = conclude([judged], { waivers: [], promoted: new Set(), now: new Date(0) });
  return {
    answers,
    verdict: conclusion.verdict,
    /** Owed claims that are open: `id code` or `id status`. */
    open: conclusion.open.map((c) => `${c.id.replace("contrast.manifest.", "")} ${c.code ?? c.status}`),
    findings: judged.claims
      .filter((c) => c.status === "fail" && manifestFile[c.id as keyof typeof manifestFile].owed === "advisory")
      .map((c) => c.code),
  };
}

const hex48 = "11".repeat(48);
type Tree = Record<string, unknown>;
const snpEntry = (): Tree => ({
  Platform: "Metal-QEMU-SNP",
  ProductName: "Genoa",
  TrustedMeasurement: hex48,
  MinimumTCB: { BootloaderVersion: 10, TEEVersion: 0, SNPVersion: 28, MicrocodeVersion: 88 },
  GuestPolicy: { SMT: true },
  PlatformInfo: { SMTEnabled: true },
  MinimumMitigationVector: 15,
  AllowedChipIDs: ["ab".repeat(64)],
  CPUs: 1,
});
const tdxEntry = (): Tree => ({
  Platform: "Metal-QEMU-TDX",
  MinTCBEvaluationDataNumber: 21,
  MrTd: hex48,
  MrSeam: hex48,
  Rtmrs: [hex48, hex48, hex48, hex48],
  Xfam: "e702060000000000",
  AllowedPIIDs: ["cd".repeat(16)],
});
const key = "ab".repeat(32);
const good = (): Tree => ({
  Policies: { [key]: { SANs: ["coordinator", "*"], Role: "coordinator" } },
  ReferenceValues: { snp: [snpEntry()], tdx: [tdxEntry()] },
  WorkloadOwnerPubKeys: null,
  SeedshareOwnerPubKeys: [],
});
const changed = (path: readonly (string | number)[], value: unknown): string => {
  const tree = good();
  let at: Tree = tree;
  for (const step of path.slice(0, -1)) at = at[step] as Tree;
  const last = String(path.at(-1));
  if (value === undefined) delete at[last];
  else at[last] = value;
  return JSON.stringify(tree, null, 1);
};
const snp = (name: string, value: unknown) => changed(["ReferenceValues", "snp", 0, name], value);
const tdx = (name: string, value: unknown) => changed(["ReferenceValues", "tdx", 0, name], value);
const replaced = (from: string, to: string): string => {
  const text = JSON.stringify(good());
  if (!text.includes(from)) throw new Error(`no ${from}`);
  return text.replace(from, to);
};

describe("a manifest", () => {
  it("passes without a finding, with lower-case values and its SHA-256", () => {
    const text = JSON.stringify(good());
    expect(check(text)).toMatchObject({ verdict: "verified", open: [], findings: [] });
    const decoded = decodeManifest(encode(`${text}\n`), manifestRules());
    expect(decoded.sha256).toBe(createHash("sha256").update(`${text}\n`).digest("hex"));
    expect(decoded.reserializedSha256).toBe(createHash("sha256").update(text).digest("hex"));
    expect(decoded.manifest?.snp).toMatchObject([{ productName: "Genoa", minimumMitigationVector: 15n, cpus: 1n }]);
  });

  it.each([
    ["text that is no JSON", "manifest"],
    ["a list", "[]"],
    ["a number where a policy belongs", changed(["Policies", key], 1)],
    ["a text where SANs belong", changed(["Policies", key, "SANs"], "x")],
    ["a text for a bool", changed(["ReferenceValues", "snp", 0, "GuestPolicy", "SMT"], "true")],
    ["CPUs 1.0", replaced('"CPUs":1', '"CPUs":1.0')],
    ["CPUs 1e3", replaced('"CPUs":1', '"CPUs":1e3')],
    ["CPUs -0", replaced('"CPUs":1', '"CPUs":-0')],
    ["an SVN of 256", replaced('"SNPVersion":28', '"SNPVersion":256')],
    ["an SVN of -0.5", replaced('"SNPVersion":28', '"SNPVersion":-0.5')],
    ["an SVN of 1e999", replaced('"SNPVersion":28', '"SNPVersion":1e999')],
    ["a mitigation vector of 2^64", replaced(":15,", ":18446744073709551616,")],
    ["an object for a list", snp("AllowedChipIDs", {})],
    ["bytes after it", `${JSON.stringify(good())}x`],
  ])("is malformed: %s", (_name, text) => {
    expect(check(text)).toMatchObject({ verdict: "failed" });
    expect(check(text).open[0]).toBe("format manifest-malformed");
  });

  it.each([
    ["an unknown field", changed(["Extra"], 1)],
    ["a field of a later version", changed(["MinimumAPIVersion"], "v1")],
    ["a field of an earlier version", changed(["WorkloadOwnerKeyDigests"], [])],
    ["APEIP", snp("APEIP", "0080b004")],
    ["a re-cased field", replaced('"ProductName"', '"productName"')],
    ["a field with the Kelvin sign", replaced('"CPUs"', '"CPU\u017f"')],
    ["a doubled field", replaced('"CPUs":1', '"CPUs":1,"CPUs":1')],
    ["a doubled policy", replaced(`"${key}":`, `"${key}":{"SANs":null},"${key}":`)],
    ["a doubled policy behind an escape", replaced(`"${key}":`, `"\\u0061${key.slice(1)}":{"SANs":null},"${key}":`)],
    ["an SVN of 28.9", replaced('"SNPVersion":28', '"SNPVersion":28.9')],
    ["an SVN of 2.8e1", replaced('"SNPVersion":28', '"SNPVersion":2.8e1')],
    ["an SVN of -0", replaced('"SNPVersion":28', '"SNPVersion":-0')],
    ["null for a bool", replaced('"SMT":true', '"SMT":null')],
    ["a null policy", changed(["Policies", "cd".repeat(32)], null)],
    ["a null reference value", changed(["ReferenceValues", "snp"], [snpEntry(), null])],
    ["a fifth RTMR", tdx("Rtmrs", Array(5).fill(hex48))],
    ["a null RTMR", tdx("Rtmrs", [hex48, hex48, hex48, null])],
  ])("is ambiguous: %s", (_name, text) => {
    expect(check(text)).toMatchObject({ verdict: "failed" });
    expect(check(text).open).toContain("unambiguous manifest-ambiguous");
    expect(check(text).open).not.toContain("format manifest-malformed");
    expect(decodeManifest(encode(text), manifestRules()).manifest).toBeUndefined();
  });

  const ec = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "der", type: "spki" });
  const rsa = Buffer.from(sequence(integer((1n << 2047n) + 1n), integer(65537)));
  it.each([
    ["null", "null"],
    ["no coordinator", changed(["Policies", key, "Role"], undefined)],
    ["two coordinators", changed(["Policies", "cd".repeat(32)], { Role: "coordinator" })],
    ["an unknown role", changed(["Policies", "cd".repeat(32)], { Role: "Coordinator" })],
    ["an upper-case policy key", changed(["Policies", "CD".repeat(32)], {})],
    ["a policy key of 63 digits", changed(["Policies", key.slice(1)], {})],
    ["no reference value", changed(["ReferenceValues"], {})],
    ["product Turin", snp("ProductName", "Turin")],
    ["a measurement of 47 bytes", snp("TrustedMeasurement", hex48.slice(2))],
    ["a missing SVN", changed(["ReferenceValues", "snp", 0, "MinimumTCB", "SNPVersion"], undefined)],
    ["no MinimumTCB", snp("MinimumTCB", undefined)],
    ["a chip id of 63 bytes", snp("AllowedChipIDs", ["ab".repeat(63)])],
    ["Debug", changed(["ReferenceValues", "snp", 0, "GuestPolicy", "Debug"], true)],
    ["MigrateMA", changed(["ReferenceValues", "snp", 0, "GuestPolicy", "MigrateMA"], true)],
    ["three RTMRs", tdx("Rtmrs", Array(3).fill(hex48))],
    ["an empty MrSeam", tdx("MrSeam", "")],
    ["Xfam of 7 bytes", tdx("Xfam", "e7020600000000")],
    ["a PIID of 15 bytes", tdx("AllowedPIIDs", ["cd".repeat(15)])],
    ["a negative evaluation number", tdx("MinTCBEvaluationDataNumber", -1)],
    ["an owner key that is none", changed(["WorkloadOwnerPubKeys"], ["ab".repeat(32)])],
    ["an owner key with a byte more", changed(["WorkloadOwnerPubKeys"], [`${ec.toString("hex")}00`])],
    ["an RSA key as owner", changed(["WorkloadOwnerPubKeys"], [rsa.toString("hex")])],
    ["an EC key as seed share owner", changed(["SeedshareOwnerPubKeys"], [ec.toString("hex")])],
  ])("is invalid: %s", (_name, text) => {
    expect(check(text)).toMatchObject({ verdict: "failed", open: ["valid manifest-invalid"] });
  });

  it.each([
    ["owner-keys", changed(["WorkloadOwnerPubKeys"], [ec.toString("hex")])],
    ["seedshare-owners", changed(["SeedshareOwnerPubKeys"], [rsa.toString("hex")])],
    ["guest-policy-lax", changed(["ReferenceValues", "snp", 0, "GuestPolicy", "CXLAllowed"], true)],
    ["chip-list-empty", snp("AllowedChipIDs", [])],
    ["chip-list-empty", tdx("AllowedPIIDs", null)],
    ["tcb-minimum-low", snp("MinimumMitigationVector", 0)],
    ["tcb-minimum-low", changed(["ReferenceValues", "snp", 0, "MinimumTCB", "SNPVersion"], 0)],
    ["tcb-minimum-low", tdx("MinTCBEvaluationDataNumber", 0)],
    ["platform-unknown", snp("Platform", undefined)],
    ["platform-unknown", tdx("Platform", "Insecure-QEMU")],
    ["product-old", snp("ProductName", "Milan")],
    ["cpus-zero", snp("CPUs", 0)],
  ])("is good with the finding %s", (finding, text) => {
    expect(check(text)).toMatchObject({ verdict: "verified", findings: [finding] });
  });

  it("names every problem with pointer and line", () => {
    const { answers } = check(snp("ProductName", "Turin").replace("e702060000000000", "e7"));
    const { actual } = answers["contrast.manifest.valid"];
    expect(actual?.value).toMatch(/^\/ReferenceValues\/snp\/0\/ProductName \(line 15\): unknown product "Turin"/);
    expect(actual?.value).toMatch(/; \/ReferenceValues\/tdx\/0\/Xfam \(line \d+\): needs 16 hex digits/);
    expect(actual?.at).toBe("/ReferenceValues/snp/0/ProductName, line 15");
  });
});

describe("Contrast versions", () => {
  it("are refused when their rules are not known", () => {
    for (const version of ["", "v1.4", "v1.22", "v2.0", "1", "latest", "v1.20.0.1"])
      expect(() => manifestRules(version)).toThrow("rules are not known");
    expect(manifestRules("1.20.3").version).toBe("v1.20");
  });
  it("from v1.21 on know APEIP; before, an entry that has it can be read in two ways", () => {
    const text = snp("APEIP", "0080b004");
    for (const version of ["v1.21", "main"]) {
      const without = version === "main" ? text.replace(/,\s*"CPUs": 1/, "") : text;
      expect(check(without, version)).toMatchObject({ verdict: "verified", open: [] });
      expect(decodeManifest(encode(without), manifestRules(version)).manifest?.snp).toMatchObject([
        { apeip: "0080b004" },
      ]);
      const short = snp("APEIP", "80b004").replace(version === "main" ? /,\s*"CPUs": 1/ : "", "");
      expect(check(short, version).open).toEqual(["valid manifest-invalid"]);
      expect(decodeManifest(encode(short), manifestRules(version)).manifest?.snp).toEqual([]);
    }
    expect(decodeManifest(encode(text), manifestRules("v1.20")).manifest).toBeUndefined();
    expect(manifestRules("v1.20").apExtension).toBe(false);
  });
  it("from v1.21 on allow several coordinators with a finding, and refuse insecure platforms", () => {
    const two = changed(["Policies", "cd".repeat(32)], { Role: "coordinator" });
    expect(check(two, "v1.21")).toMatchObject({ verdict: "verified", findings: ["coordinators-several"] });
    expect(check(snp("Platform", "Insecure-QEMU"), "v1.21")).toMatchObject({ open: ["valid manifest-invalid"] });
  });
  it("before v1.20 know owner key digests and a fixed GuestPolicy", () => {
    const tree = good();
    delete tree["WorkloadOwnerPubKeys"];
    tree["WorkloadOwnerKeyDigests"] = ["ab".repeat(32)];
    expect(check(JSON.stringify(tree), "v1.19")).toMatchObject({ verdict: "verified", findings: ["owner-keys"] });
    tree["WorkloadOwnerKeyDigests"] = ["ab".repeat(31)];
    expect(check(JSON.stringify(tree), "v1.19").open).toEqual(["valid manifest-invalid"]);
    const lax = changed(["ReferenceValues", "snp", 0, "GuestPolicy"], { SMT: true, SingleSocket: true });
    const old = lax.replace(/"WorkloadOwnerPubKeys": null,/, "");
    expect(check(old, "v1.19").open).toEqual(["valid manifest-invalid"]);
    expect(check(old).open).toEqual([]);
  });
  it("v1.15 knows both spellings of Rtmrs, not beside each other", () => {
    const entry: Tree = { MrTd: hex48, MrSeam: hex48, Xfam: "e702060000000000" };
    const tree = { Policies: good()["Policies"], ReferenceValues: { tdx: [entry] } };
    entry["Rtrms"] = Array(4).fill(hex48);
    expect(check(JSON.stringify(tree), "v1.15").open).toEqual([]);
    expect(check(JSON.stringify(tree), "v1.16").open).toContain("unambiguous manifest-ambiguous");
    entry["Rtmrs"] = entry["Rtrms"];
    expect(check(JSON.stringify(tree), "v1.15").open).toContain("unambiguous manifest-ambiguous");
  });
  it("up to v1.15 compared fields that pm does not: an error", () => {
    const entry: Tree = {
      MrTd: hex48,
      MrSeam: hex48,
      Xfam: "e702060000000000",
      Rtrms: Array(4).fill(hex48),
      TdAttributes: "00",
    };
    const tree = { Policies: good()["Policies"], ReferenceValues: { tdx: [entry] } };
    expect(check(JSON.stringify(tree), "v1.14").open).toEqual(["valid error"]);
  });
});

it("decodeManifest gives a value for any bytes", () => {
  const rules = manifestRules();
  const text = encode(JSON.stringify(good()));
  const mutated = fc
    .tuple(fc.nat(text.length - 1), fc.uint8Array({ maxLength: 4 }), fc.nat(6))
    .map(([at, insert, cut]) => new Uint8Array(Buffer.concat([text.subarray(0, at), insert, text.subarray(at + cut)])));
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array(), fc.json().map(encode)), (bytes) => {
      expect(decodeManifest(bytes, rules).bytes).toBe(bytes);
    }),
    { numRuns: 2000 },
  );
});

describeEvidence("manifests of the evidence", () => {
  type Variant = {
    name: string;
    at?: number;
    delete?: number;
    insert?: string;
    sdk_v1_20_0: string;
    strict_verifier: string;
  };
  const { manifest_base: base, manifests } = evidenceJson<{ manifest_base: string; manifests: Variant[] }>(
    "contrast/sdk-variants.json",
  );
  it("there are 73 variants", () => {
    expect(manifests.length).toBe(73);
  });
  it.each(manifests.map((v) => [v.name, v.strict_verifier, v] as const))("%s: %s", (_name, rule, v) => {
    const at = v.at ?? 0;
    const result = check(base.slice(0, at) + (v.insert ?? "") + base.slice(at + (v.delete ?? 0)));
    if (rule.startsWith("reject")) {
      expect(result.verdict).toBe("failed");
    } else {
      expect(result).toMatchObject({ verdict: "verified", open: [] });
      // A note is a finding that the base does not have.
      const notes = result.findings.filter((f) => !check(base).findings.includes(f));
      expect(notes.length > 0).toBe(rule.includes("note") || rule === "warn" || rule === "report");
    }
    // Malformed is what Contrast itself cannot read; what it reads otherwise than we do is ambiguous or invalid.
    if (v.sdk_v1_20_0 === "accept") expect(result.open).not.toContain("format manifest-malformed");
  });
  it.each([
    ["manifest-sdk-test.json", "v1.20", []],
    ["manifest-privatemode-v1.40-shape.json", "v1.20", []],
    ["manifest-go-layout.json", "v1.20", []],
    ["manifest-sdk-test-apeip.json", "v1.20", ["unambiguous manifest-ambiguous", "valid error"]],
    ["manifest-sdk-test-apeip.json", "main", []],
    ["manifest-privatemode-2025-docs.json", "v1.5", []],
    ["manifest-privatemode-2025-docs.json", "v1.7", ["valid manifest-invalid"]],
    ["snp-full/manifest.json", "v1.20", []],
    ["snp-full/manifest-v2-report.json", "v1.20", []],
  ] as const)("%s by the rules of %s", (file, version, open) => {
    expect(check(evidence(`contrast/${file}`), version).open).toEqual(open);
  });
});
