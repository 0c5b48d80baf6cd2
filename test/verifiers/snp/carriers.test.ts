/** The JSON forms and Azure's blob: the report that comes out is the one that went in, and each defect has its code. */
import { X509Certificate } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { certificateGuid, certificateTable } from "../../../fixtures/generator/carriers.ts";
import { sealed } from "../../../fixtures/generator/guest.ts";
import { sharedDeployment } from "../../../fixtures/generator/shared.ts";
import {
  attestationRsEvidence,
  configfsEvidence,
  hclBlob,
  jsonBytes,
  sevCrateJson,
  tinfoilEvidence,
  trusteeEvidence,
} from "../../../fixtures/generator/snp-carriers.ts";
import { hex } from "../../../src/bytes/hex.ts";
import { PmError } from "../../../src/errors.ts";
import { decodeEvidence } from "../../../src/verifiers/snp/evidence.ts";
import { amdRoots, noReferences, testRoot, verifySnp } from "../../../src/verifiers/snp/index.ts";
import { describeEvidence, evidence, evidenceJson } from "../../evidence.ts";

const d = sharedDeployment();
const report = sealed(d.fields, d.vcek.key);
const vcek = d.vcek.certificate;
const ask = d.authority.ask.certificate;
const table = certificateTable([
  [certificateGuid.vcek, vcek],
  [certificateGuid.ask, ask],
]);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function codeOf(bytes: Uint8Array): string {
  try {
    decodeEvidence(bytes);
  } catch (error) {
    if (error instanceof PmError) return `${error.code} ${error.reasonCode}`;
    throw error;
  }
  return "none";
}
const malformed = "PM_EVIDENCE_MALFORMED report-size";

describe("carriers of a report", () => {
  const newer = sevCrateJson(report, "newer");
  it.each([
    ["the sev crate's older form", jsonBytes(sevCrateJson(report, "older")), "sev-crate"],
    ["the sev crate's newer form", jsonBytes(newer), "sev-crate"],
    ["trustee's evidence", jsonBytes(trusteeEvidence(report, [["VCEK", vcek]])), "trustee"],
    ["attestation-rs", jsonBytes(attestationRsEvidence(report, { vcek })), "attestation-rs"],
    [
      "attestation-rs without its envelope",
      jsonBytes(attestationRsEvidence(report, { vcek }).evidence),
      "attestation-rs",
    ],
    ["configfs-tsm", jsonBytes(configfsEvidence(report, table)), "configfs-tsm"],
    ["tinfoil's document", jsonBytes(tinfoilEvidence(report)), "tinfoil-v2"],
    ["tinfoil's body", text(`${tinfoilEvidence(report).body}\n`), "gzip"],
    ["Azure's blob", hclBlob(report), "hcl"],
    ["Azure's older blob", hclBlob(report, "{}", 2048), "hcl"],
    ["JSON behind white space", Buffer.concat([text("\n \t\r\n"), jsonBytes(newer)]), "sev-crate"],
  ] as const)("give the report back: %s", (_, bytes, carrier) => {
    const found = decodeEvidence(bytes);
    expect(found.carrier).toBe(carrier);
    expect(hex(found.raw)).toBe(hex(report));
  });

  it.each([
    [
      "trustee's evidence",
      jsonBytes(
        trusteeEvidence(report, [
          ["VCEK", vcek],
          ["ASK", ask],
        ]),
      ),
    ],
    ["attestation-rs", jsonBytes(attestationRsEvidence(report, { vcek, ask }))],
    ["configfs-tsm", jsonBytes(configfsEvidence(report, table))],
  ])("bring their certificates: %s", (_, bytes) => {
    const found = decodeEvidence(bytes);
    expect(hex(found.vcek ?? new Uint8Array())).toBe(hex(vcek));
    expect(hex(found.ask ?? new Uint8Array())).toBe(hex(ask));
  });
  it("keep Azure's runtime data apart", () =>
    expect(decodeEvidence(hclBlob(report, '{"keys":[1]}')).runtimeData).toEqual(text('{"keys":[1]}')));

  const without = (name: string) => Object.fromEntries(Object.entries(newer).filter(([key]) => key !== name));
  const older = sevCrateJson(report, "older");
  const trustee = trusteeEvidence(report, [["VCEK", vcek]]);
  const rs = attestationRsEvidence(report, { vcek });
  const configfs = configfsEvidence(report, table);
  const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => bytes.with(at, value);
  it.each([
    ["a member that is missing", jsonBytes(without("vmpl")), malformed],
    ["a signature that is missing", jsonBytes(without("signature")), malformed],
    ["a member that nobody knows", jsonBytes({ ...newer, debug: false }), malformed],
    ["a member that stands twice", text(JSON.stringify(newer).replace('"vmpl"', '"vmpl":0,"vmpl"')), malformed],
    ["flags under both names", jsonBytes({ ...newer, _author_key_en: 0 }), malformed],
    ["a version in both forms", jsonBytes({ ...newer, current_build: 0 }), malformed],
    ["a number out of range", jsonBytes({ ...newer, vmpl: 2 ** 32 }), malformed],
    ["a negative number", jsonBytes({ ...newer, vmpl: -1 }), malformed],
    ["half a number", jsonBytes({ ...newer, vmpl: 0.5 }), malformed],
    ["a byte of 256", jsonBytes({ ...newer, host_data: new Array(32).fill(256) }), malformed],
    ["31 bytes of host data", jsonBytes({ ...newer, host_data: new Array(31).fill(0) }), malformed],
    [
      "a reserved member that is not zero",
      jsonBytes({ ...older, _reserved_2: 1 }),
      "PM_EVIDENCE_MALFORMED report-reserved",
    ],
    [
      "a reserved list that is not zero",
      jsonBytes({ ...older, _reserved_1: [0, 1] }),
      "PM_EVIDENCE_MALFORMED report-reserved",
    ],
    ["a version that nobody knows", jsonBytes({ ...newer, version: 6 }), "PM_EVIDENCE_UNSUPPORTED report-version"],
    ["no object", text("{}"), malformed],
    ["broken JSON", text('{"version": 2'), malformed],
    ["something behind the JSON", Buffer.concat([jsonBytes(newer), text("x")]), malformed],
    [
      "two certificates of a kind",
      jsonBytes(
        trusteeEvidence(report, [
          ["VCEK", vcek],
          ["VCEK", ask],
        ]),
      ),
      "PM_EVIDENCE_MALFORMED certtable",
    ],
    ["a chain that is no list", jsonBytes({ ...trustee, cert_chain: {} }), "PM_EVIDENCE_MALFORMED certtable"],
    [
      "a certificate that is no base64",
      jsonBytes({ ...rs.evidence, cert_chain: { vcek: "%" } }),
      "PM_EVIDENCE_MALFORMED certtable",
    ],
    ["another platform", jsonBytes({ ...rs, platform: "tdx" }), "PM_EVIDENCE_UNSUPPORTED report-version"],
    ["another provider", jsonBytes({ ...configfs, provider: "tdx_guest" }), "PM_EVIDENCE_UNSUPPORTED report-version"],
    ["a padded outblob", jsonBytes({ ...configfs, outblob: `${configfs.outblob}==` }), malformed],
    [
      "a broken table",
      jsonBytes({ ...configfs, auxblob: Buffer.from(table.subarray(0, 40)).toString("base64url") }),
      "PM_EVIDENCE_MALFORMED certtable",
    ],
    [
      "another format",
      jsonBytes({ ...tinfoilEvidence(report), format: "https://tinfoil.sh/predicate/tdx-guest/v2" }),
      "PM_EVIDENCE_UNSUPPORTED report-version",
    ],
    [
      "gzip of more than a report",
      jsonBytes({ ...tinfoilEvidence(report), body: gzipSync(new Uint8Array(1 << 20)).toString("base64") }),
      malformed,
    ],
    [
      "gzip of less than a report",
      jsonBytes({ ...tinfoilEvidence(report), body: gzipSync(report.subarray(1)).toString("base64") }),
      malformed,
    ],
    [
      "two gzip members",
      text(Buffer.concat([gzipSync(report.subarray(0, 600)), gzipSync(report.subarray(600))]).toString("base64")),
      malformed,
    ],
    ["a blob of another size", hclBlob(report, "{}", 2601), malformed],
    [
      "a blob with a TDX report",
      changed(hclBlob(report), 0x20 + 1184 + 8, 4),
      "PM_EVIDENCE_UNSUPPORTED report-version",
    ],
    ["runtime data beyond the blob", changed(hclBlob(report), 0x20 + 1184 + 17, 0xff), malformed],
  ])("refuse %s", (_, bytes, code) => expect(codeOf(bytes)).toBe(code));

  it("take no more than one report out of nested lists", () =>
    expect(codeOf(text(`{"a":${"[".repeat(5000)}`))).toBe(malformed));
});

describe("a certificate table as --vek", () => {
  const root = testRoot(d.authority.ark.certificate, "test root");
  const at = d.now;
  const verdict = (given: { readonly vek: Uint8Array; readonly chain?: Uint8Array }) =>
    verifySnp(
      { bytes: report, given },
      () => ({ status: "unavailable", reason: "offline" }),
      [noReferences],
      { roots: root, revocation: "allow-unchecked" },
      at,
    ).answers;
  it("gives the VCEK and the ASK", () => {
    const answers = verdict({ vek: table });
    expect(answers["snp.report.signature"].status).toBe("pass");
    expect(Object.entries(answers).filter(([, a]) => a.status === "fail")).toEqual([]);
  });
  it("is malformed as a whole or not at all", () => {
    expect(verdict({ vek: table.subarray(0, 100) })["snp.report.signature"].status).not.toBe("pass");
    const onlyAsk = certificateTable([[certificateGuid.ask, ask]]);
    expect(verdict({ vek: onlyAsk })["snp.report.signature"].status).not.toBe("pass");
  });
});

describeEvidence("carriers of the evidence", () => {
  it("reads attestation-rs with its certificate", () => {
    const found = decodeEvidence(evidence("snp/real/siena-v5.evidence.json"));
    // Another report of the same machine.
    expect(hex(found.report.chipId)).toBe(hex(evidence("snp/real/siena-v5.report.bin").slice(0x1a0, 0x1e0)));
    // AMD issues a certificate anew for each request.
    const spki = (der: Uint8Array): string =>
      hex(new Uint8Array(new X509Certificate(der).publicKey.export({ format: "der", type: "spki" })));
    expect(spki(found.vcek ?? new Uint8Array())).toBe(spki(evidence("snp/real/siena-v5.vcek.der")));
  });
  it("rebuilds the signed bytes of the sev crate's form", () => {
    const found = decodeEvidence(evidence("snp/real/milan-v2-vmpl1.report.sevcrate.json"));
    expect(hex(found.raw)).toBe(hex(evidence("snp/real/milan-v2-vmpl1.report.bin")));
  });
  it("rebuilds every real report from both forms that hold it", () => {
    const index = evidenceJson<readonly { readonly id: string; readonly bytes: number; readonly version: number }[]>(
      "snp/real/index.json",
    ).filter((r) => r.bytes === 1184);
    expect(index.length).toBeGreaterThan(10);
    for (const { id, version } of index) {
      const real = evidence(`snp/real/${id}.report.bin`);
      const forms = [
        ...(version < 3 || real[0x188] !== 0x1a ? [jsonBytes(sevCrateJson(real, "older"))] : []),
        jsonBytes(sevCrateJson(real, "newer")),
        hclBlob(real),
        jsonBytes(tinfoilEvidence(real)),
      ];
      for (const bytes of forms) expect(hex(decodeEvidence(bytes).raw), id).toBe(hex(real));
    }
  });
  it("is authentic with its JSON form as with its bytes", () => {
    const verdict = (bytes: Uint8Array) =>
      verifySnp(
        { bytes },
        () => ({ status: "unavailable", reason: "offline" }),
        [noReferences],
        { roots: amdRoots, revocation: "allow-unchecked" },
        new Date("2026-04-01T00:00:00Z"),
      ).answers["snp.report.signature"].status;
    const json = evidence("snp/real/siena-v5.evidence.json");
    expect(verdict(json)).toBe("pass");
    const found = decodeEvidence(json);
    const flipped = found.raw.with(0x90, (found.raw[0x90] ?? 0) ^ 1);
    expect(verdict(jsonBytes(attestationRsEvidence(flipped, { vcek: found.vcek ?? new Uint8Array() })))).toBe("fail");
  });
  it("takes the real table as auxblob", () => {
    const verdict = (vek: Uint8Array) =>
      verifySnp(
        { bytes: evidence("snp/real/genoa-v3-exttable.report.bin"), given: { vek } },
        () => ({ status: "unavailable", reason: "offline" }),
        [noReferences],
        { roots: amdRoots, revocation: "allow-unchecked" },
        new Date("2026-04-01T00:00:00Z"),
      ).answers;
    const answers = verdict(evidence("snp/real/genoa-v3-exttable.certtable.bin"));
    expect(answers["snp.report.signature"].status).toBe("pass");
    expect(Object.values(answers).filter((a) => a.status === "fail")).toEqual([]);
  });
});
