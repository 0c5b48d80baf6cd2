/** Each question about an authenticated report passes with the right reference value and fails with a wrong one. */
import { describe, expect, it } from "vitest";
import { snp } from "../../../src/verifiers/snp/claims.ts";
import {
  amdRoots,
  noReferences,
  pinnedBy,
  type SnpInput,
  type SnpJudgement,
  type SnpReferences,
  testRoot,
  verifySnp,
} from "../../../src/verifiers/snp/index.ts";
import { describeEvidence, evidence } from "../../evidence.ts";
import { offline, sourced } from "./rows.ts";

const at = new Date("2026-03-01T00:00:00Z");
const source = sourced("");
const real = (name: string, vek = "vcek"): SnpInput => ({
  bytes: evidence(`snp/real/${name}.report.bin`).subarray(0, 1184),
  given: { vek: evidence(`snp/real/${name}.${vek}.der`) },
});
const judge = (input: SnpInput, candidates: readonly Partial<SnpReferences>[], when = at): SnpJudgement =>
  verifySnp(
    input,
    offline,
    candidates.map((c) => ({ ...noReferences, ...c })),
    { roots: amdRoots, revocation: "allow-unchecked" },
    when,
  );

const loosePolicy = {
  abiMajor: 0,
  abiMinor: 0,
  smt: true,
  migrateMa: false,
  singleSocket: false,
  cxlAllowed: false,
  memAes256Xts: false,
  raplDis: false,
  cipherTextHidingDram: false,
  pageSwapDisable: false,
  source,
};
const platform = {
  smt: true,
  tsme: false,
  ecc: true,
  raplDisabled: false,
  ciphertextHiding: false,
  aliasCheckComplete: true,
  tio: false,
  source,
};
const siena = { bootloader: 10, tee: 0, snp: 23, microcode: 27 };

describeEvidence("pinned questions", () => {
  // Siena, version 5: POLICY 0x30000, PLATFORM_INFO 0x25, mitigation vectors 0x0b.
  const input = real("siena-v5");
  const { decoded } = judge(input, [{}]);
  const field = (name: "measurement" | "reportData" | "hostData" | "familyId" | "imageId" | "chipId"): string =>
    Buffer.from(decoded?.[name] ?? []).toString("hex");
  const other = (name: Parameters<typeof field>[0]) => sourced(`ff${field(name).slice(2)}`);

  const table: readonly (readonly [string, string, Partial<SnpReferences>, Partial<SnpReferences>])[] = [
    [
      "snp.report.measurement",
      "measurement",
      { measurement: sourced(field("measurement")) },
      { measurement: other("measurement") },
    ],
    [
      "snp.report.report_data",
      "report-data",
      { reportData: sourced(field("reportData")) },
      { reportData: sourced("00") },
    ],
    [
      "snp.report.host_data",
      "host-data",
      { hostData: [other("hostData"), sourced(field("hostData"))] },
      { hostData: [other("hostData"), sourced("1")] },
    ],
    ["snp.report.family_id", "family-id", { familyId: sourced(field("familyId")) }, { familyId: other("familyId") }],
    ["snp.report.image_id", "image-id", { imageId: sourced(field("imageId")) }, { imageId: other("imageId") }],
    [
      "snp.chip.allowed",
      "chip-id-mismatch",
      { allowedChipIds: { values: [field("chipId").toUpperCase()], source } },
      { allowedChipIds: { values: ["00".repeat(64)], source } },
    ],
    [
      "snp.report.product",
      "product-mismatch",
      { product: { line: "Genoa", source } },
      { product: { line: "Milan", source } },
    ],
    [
      "snp.tcb.minimum",
      "tcb-minimum",
      { minimumTcb: { ...siena, snp: 0, source } },
      { minimumTcb: { ...siena, tee: 1, source } },
    ],
    [
      "snp.mitigation.vectors",
      "mitigation",
      { minimumMitigationVector: { value: 0x0bn, source } },
      { minimumMitigationVector: { value: 0x04n, source } },
    ],
    ["snp.policy.bits", "policy-bits", { guestPolicy: loosePolicy }, { guestPolicy: { ...loosePolicy, smt: false } }],
    [
      "snp.policy.bits",
      "policy-bits",
      { guestPolicy: { ...loosePolicy, cxlAllowed: true } },
      { guestPolicy: { ...loosePolicy, pageSwapDisable: true } },
    ],
    ["snp.policy.bits", "policy-bits", { guestPolicy: loosePolicy }, { guestPolicy: { ...loosePolicy, abiMinor: 1 } }],
    ["snp.platform.info", "platform-info", { platformInfo: platform }, { platformInfo: { ...platform, smt: false } }],
    [
      "snp.platform.info",
      "platform-info",
      { platformInfo: { ...platform, ecc: false } },
      { platformInfo: { ...platform, raplDisabled: true } },
    ],
  ];
  it.each(table)("%s", (id, code, right, wrong) => {
    const yes = judge(input, [right]);
    const no = judge(input, [wrong]);
    const answer = (j: SnpJudgement) => j.answers[id as keyof typeof snp];
    expect([answer(yes).status, answer(no).status, answer(no).code]).toEqual(["pass", "fail", code]);
    expect(pinnedBy({ ...noReferences, ...right }).has(id)).toBe(true);
    expect(pinnedBy(noReferences).has(id)).toBe(false);
    const open = Object.entries(no.answers).filter(
      ([other, a]) => a.status === "fail" && a.grade === undefined && other !== id,
    );
    expect(open.map(([other]) => other).filter((other) => !other.startsWith("snp.pins."))).toEqual([]);
  });
  it("an ID key that is zero equals no reference value", () => {
    const zero = sourced("00".repeat(48));
    const { answers } = judge(input, [{ idKeyDigest: zero, authorKeyDigest: zero, requireIdBlock: source }]);
    expect(answers["snp.report.id_key_digest"]).toMatchObject({ status: "fail", code: "id-key-digest" });
    expect(answers["snp.report.author_key_digest"]).toMatchObject({ status: "fail", code: "author-key-digest" });
    expect(answers["snp.id_block.present"]).toMatchObject({ status: "fail", code: "id-block" });
    expect(answers["snp.pins.what_runs"].status).toBe("fail");
  });
  it("an ID key that is there is compared", () => {
    const azure = real("milan-v3-azure");
    const key = Buffer.from(judge(azure, [{}]).decoded?.idKeyDigest ?? []).toString("hex");
    const { answers } = judge(azure, [{ idKeyDigest: sourced(key), requireIdBlock: source }]);
    expect([answers["snp.report.id_key_digest"].status, answers["snp.id_block.present"].status]).toEqual([
      "pass",
      "pass",
    ]);
    expect(answers["snp.pins.what_runs"].status).toBe("pass");
    expect(answers["snp.pins.for_whom"].status).toBe("skip");
  });
  it("a VLEK names its cloud provider and no chip", () => {
    const aws = real("milan-v3-vlek", "vlek");
    const cspId = sourced("CN=cc-eu-west-1.amazonaws.com");
    const when = new Date("2025-06-01T00:00:00Z");
    const { answers } = judge(aws, [{ cspId }], when);
    expect([answers["snp.vek.csp_id"].status, answers["snp.vek.chip_id"].status]).toEqual(["pass", "pass"]);
    expect(judge(aws, [{ cspId: sourced("CN=cc") }], when).answers["snp.vek.csp_id"].status).toBe("fail");
    expect(judge(input, [{ cspId }]).answers["snp.vek.csp_id"].status).toBe("fail");
  });
  it("bit 6 of PLATFORM_INFO is known on Turin", () => {
    const { answers } = judge(real("turin-v5"), [{ platformInfo: platform }]);
    expect([answers["snp.platform.info"].status, answers["snp.platform.bits_known"].status]).toEqual(["pass", "pass"]);
  });
});

describeEvidence("candidates", () => {
  const input = real("siena-v5");
  const right = { product: { line: "Genoa", source } } as const;
  const wrong = { product: { line: "Turin", source } } as const;
  it("shows the one with the fewest open answers, the first of equals", () => {
    expect(judge(input, [wrong, right, right]).candidate).toBe(1);
    expect(judge(input, [wrong, wrong]).candidate).toBe(0);
  });
  it("an empty list passes nothing", () => {
    const { answers, candidate } = judge(input, []);
    expect(candidate).toBe(-1);
    expect(answers["snp.policy.debug"].status).toBe("error");
    expect(answers["snp.pins.what_runs"].status).toBe("error");
  });
  it("an empty list of host data is no reference value", () => {
    const { answers } = judge(input, [{ hostData: [] }]);
    expect([answers["snp.report.host_data"].status, answers["snp.pins.for_whom"].status]).toEqual(["error", "error"]);
    expect(pinnedBy({ ...noReferences, hostData: [] }).has("snp.report.host_data")).toBe(true);
  });
  it("an empty list of chip ids accepts every chip and pins nothing", () => {
    const none = { allowedChipIds: { values: [], source } };
    expect(pinnedBy({ ...noReferences, ...none }).has("snp.chip.allowed")).toBe(false);
    expect(judge(input, [none]).answers["snp.chip.allowed"].status).toBe("skip");
  });
  it("the audited party's own word is consistent at best", () => {
    const vendor = { kind: "audited-party", name: "manifest" } as const;
    const value = Buffer.from(judge(input, [{}]).decoded?.measurement ?? []).toString("hex");
    const { answers } = judge(input, [{ measurement: { value, origin: vendor } }]);
    expect([answers["snp.report.measurement"].status, answers["snp.pins.what_runs"].status]).toEqual([
      "consistent",
      "consistent",
    ]);
  });
});

describeEvidence("behind a closed gate", () => {
  it("nothing is asked of a report whose signature is wrong, and the wrong VMPL is not reported as a fact", () => {
    const { bytes, given } = real("siena-v5");
    const forged = bytes.slice();
    forged[0x30] = 1;
    const { answers, report, blocked } = judge({ bytes: forged, given: given ?? {} }, [{}]);
    expect(answers["snp.report.signature"]).toMatchObject({ status: "fail", code: "signature" });
    expect(answers["snp.report.vmpl"]).toMatchObject({ status: "skip" });
    expect([report, blocked?.status]).toEqual([undefined, "skip"]);
  });
  it("a certificate that could not be fetched leaves everything unavailable", () => {
    const { answers, blocked } = judge({ bytes: real("siena-v5").bytes }, [{}]);
    expect(answers["snp.vek.chain"]).toMatchObject({ status: "unavailable", code: "no-vek" });
    expect(blocked?.status).toBe("unavailable");
    expect(answers["snp.pins.what_runs"].status).toBe("unavailable");
  });
  it("a certificate of another kind is fetched for nobody", () => {
    const { bytes } = real("milan-v3-vlek", "vlek");
    const asked: string[] = [];
    const look = ({ path }: { readonly path: string }) => {
      asked.push(path);
      return { status: "unavailable", reason: "" } as const;
    };
    verifySnp({ bytes }, look, [noReferences], { roots: amdRoots, revocation: "required" }, at);
    expect(asked).toEqual(["/vcek/v1/Milan/crl", "/vlek/v1/Milan/crl"]);
  });
  it("bytes that are no certificate fail the certificate's format", () => {
    const { answers } = judge({ bytes: real("siena-v5").bytes, given: { vek: Uint8Array.of(1) } }, [{}]);
    expect(answers["snp.vek.format"]).toMatchObject({ status: "fail", code: "vek-ext-malformed" });
    expect(answers["snp.vek.chain"].status).toBe("error");
  });
  it("a root that came along and is not the pinned one fails the chain", () => {
    const { bytes, given } = real("siena-v5");
    const ark = evidence("snp/roots/milan-ark.der");
    const pem = (der: Uint8Array) =>
      `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----\n`;
    const chain = new TextEncoder().encode(pem(evidence("snp/roots/genoa-ask.der")) + pem(ark));
    expect(judge({ bytes, given: { ...given, chain } }, [{}]).answers["snp.vek.chain"]).toMatchObject({
      status: "fail",
      code: "chain-root",
    });
  });
});

describe("the catalogue", () => {
  it("refuses waivers for authenticity, revocation, debug and the binding to a nonce", () => {
    const fixed = Object.entries(snp).filter(([, q]) => "waivable" in q && q.waivable === false);
    expect(fixed.map(([id]) => id)).toEqual([
      "snp.report.format",
      "snp.report.signing_key",
      "snp.product.line",
      "snp.vek.chain",
      "snp.vek.format",
      "snp.report.signature",
      "snp.chain.revocation",
      "snp.vek.tcb",
      "snp.vek.chip_id",
      "snp.policy.debug",
      "snp.report.report_data",
    ]);
  });
});

describeEvidence("findings and what is allowed by name", () => {
  const synthetic = (name: string, reference: Partial<SnpReferences>): SnpJudgement["answers"] => {
    const file = (path: string): Uint8Array => evidence(`snp/synthetic/${path}`);
    const given = { vek: file("vcek-good.der"), chain: file("ask.der") };
    const trust = { roots: testRoot(file("ark.der"), "ark.der"), revocation: "allow-unchecked" } as const;
    return verifySnp({ bytes: file(name), given }, offline, [{ ...noReferences, ...reference }], trust, at).answers;
  };
  it("a migration agent is refused unless it is allowed, and stays a finding", () => {
    const refused = [{}, { guestPolicy: loosePolicy }, { migrateMa: { allowed: false, source } }];
    for (const r of refused)
      expect(synthetic("mma.bin", r)["snp.policy.migration"]).toMatchObject({
        status: "fail",
        code: "policy-migration",
      });
    const allowed = [{ migrateMa: { allowed: true, source } }, { guestPolicy: { ...loosePolicy, migrateMa: true } }];
    for (const r of allowed) {
      const answers = synthetic("mma.bin", r);
      expect(answers["snp.policy.migration"].status).toBe("pass");
      expect(answers["snp.policy.migration_agent"]).toMatchObject({ status: "fail", grade: "weaker" });
    }
  });
  it("no reference value allows DEBUG", () => {
    const everything = { guestPolicy: { ...loosePolicy, migrateMa: true }, migrateMa: { allowed: true, source } };
    expect(synthetic("debug.bin", everything)["snp.policy.debug"]).toMatchObject({
      status: "fail",
      code: "policy-debug",
    });
  });
  it("a masked chip id is a finding, and matches no list, not even one with the all-zero id", () => {
    const answers = synthetic("chipzero.bin", { allowedChipIds: { values: ["00".repeat(64)], source } });
    expect(answers["snp.vek.chip_id"].status).toBe("pass");
    expect(answers["snp.vek.chip_id_shown"]).toMatchObject({ status: "fail", code: "chip-id-masked", grade: "weaker" });
    expect(answers["snp.chip.allowed"]).toMatchObject({ status: "fail", code: "chip-id-mismatch" });
  });
});
