/** `pm verify` of a Coordinator on TDX, live and replayed: good, with one thing wrong, and under other demands. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer } from "../../demo/server.ts";
import { dayFrom } from "../../fixtures/generator/amd.ts";
import { referenceValue } from "../../fixtures/generator/history.ts";
import { collateralJson } from "../../fixtures/generator/intel-collateral.ts";
import type { TdxManifest, TdxTamper } from "../../fixtures/generator/intel-deployment.ts";
import { evaluationNumber, seconds } from "../../fixtures/generator/intel-documents.ts";
import { both, certificate, type IntelEdit, qeIdentity, tcbInfo } from "../../fixtures/generator/intel-edits.ts";
import { pckSerial } from "../../fixtures/generator/intel-pck.ts";
import { tdxTampers } from "../../fixtures/generator/intel-tamper.ts";
import { prng } from "../../fixtures/generator/prng.ts";
import { sharedDeployment } from "../../fixtures/generator/shared.ts";
import { seededTcb } from "../../fixtures/generator/tcb.ts";
import { runPm } from "../command.ts";
import {
  failedClaims,
  openClaims,
  startTdxWorld,
  stopTdxWorlds,
  type TdxWorld,
  tdxNow,
  withReference,
  withValues,
} from "./tdx-world.ts";

let world: TdxWorld;
beforeAll(async () => {
  world = await startTdxWorld();
}, 60_000);
afterAll(stopTdxWorlds);

/** The hooks hold for one call. */
async function during<T>(hooks: Partial<TdxWorld["server"]["hooks"]>, run: () => Promise<T>): Promise<T> {
  const { hooks: all } = world.server;
  Object.assign(all, hooks);
  try {
    return await run();
  } finally {
    for (const name of Object.keys(hooks)) delete all[name as keyof typeof all];
  }
}
/** Only the collateral is other: the quote stays the good one's. */
const pcsWith = (edit: IntelEdit) =>
  world.deployment.pcs((draft): ReturnType<TdxTamper> => ({ ...draft, evidence: edit(draft.evidence) }));
const dated = (issue: number, next: number) => ({
  issueDate: seconds(dayFrom(tdxNow, issue)),
  nextUpdate: seconds(dayFrom(tdxNow, next)),
});
const tcbInfoDated = (issue: number, next: number): IntelEdit => tcbInfo((t) => ({ ...t, ...dated(issue, next) }));
const qeIdentityDated = (issue: number, next: number): IntelEdit =>
  qeIdentity((q) => ({ ...q, ...dated(issue, next) }));
const day = (days: number): string => seconds(new Date(tdxNow.getTime() + days * 86_400_000));

describe("a Coordinator on TDX that is as it should be", () => {
  it.each(["explained", "pinned"] as const)(
    "is verified, the manifest %s, and its bundle replays",
    async (reference) => {
      const bundle = world.path(`${reference}.tar`);
      const live = await world.verify({ reference }, ["--save", bundle]);
      expect([live.status, openClaims(live), live.report.verdictLine]).toEqual([0, [], "TEST ROOT verified (live)"]);
      expect(live.claim("tdx.tcb.status").actual?.value).toBe("UpToDate");
      const again = await world.judged([
        ...["verify", bundle, "--profile", world.profile({ reference }), "--offline", ...world.root],
      ]);
      expect([again.status, openClaims(again)]).toEqual([0, []]);
      expect(again.report.verdictLine).toMatch(/^TEST ROOT verified \(live\) as recorded at /);
    },
  );
  it("asks Intel's service, and AMD's never", async () => {
    const before = world.server.requests.length;
    await world.verify();
    const asked = world.server.requests.slice(before).filter((r) => r.service !== "coordinator");
    const { fmspc } = world.deployment.pcs().collateral[0] ?? {};
    expect(asked.map((r) => `${r.service} ${r.path}`).sort()).toEqual([
      "pcs /sgx/certification/v4/pckcrl?ca=platform&encoding=der",
      "pcs /sgx/certification/v4/rootcacrl",
      `pcs /tdx/certification/v4/qe/identity`,
      `pcs /tdx/certification/v4/tcb?fmspc=${fmspc}`,
    ]);
  });
  it("is verified in the form v1, too", async () => {
    const ran = await world.verify({
      change: (p) => ({ ...p, coordinator: { url: world.server.url, api: "v1" } }),
    });
    expect([ran.status, openClaims(ran)]).toEqual([0, []]);
  });
  it("is inconclusive when nobody vouches for what runs", async () => {
    const pinned = await world.verify({ reference: "pinned", change: withValues({ tdx: undefined }) });
    expect([pinned.status, openClaims(pinned)]).toEqual([3, ["chain.reference.measurement_known"]]);
    expect(pinned.claim("chain.reference.measurement_known").status).toBe("skip");
    const explained = await world.verify({ change: withValues({ tdx: undefined }) });
    expect(explained.status).toBe(3);
    expect(openClaims(explained)).toContain("contrast.explained.tdx");
    expect(openClaims(explained)).toContain("chain.reference.measurement_known");
  });
  it("fails when the auditor vouches for another guest", async () => {
    const [value] = world.deployment.manifestValue.ReferenceValues.tdx;
    const other = { mrTd: "ab".repeat(48), mrSeam: value?.MrSeam, rtmrs: value?.Rtmrs };
    const ran = await world.verify({ reference: "pinned", change: withValues({ tdx: [other] }) });
    expect([ran.status, failedClaims(ran)]).toEqual([
      1,
      ["chain.reference.measurement_known measurement-unreferenced"],
    ]);
  });
  it("is inconclusive with the audited party's manifest alone", async () => {
    const ran = await world.verify({
      reference: "published",
      change: (p) => ({
        ...p,
        manifest: { reference: "published", url: `${world.server.url}/privatemode/v2/manifest.json` },
      }),
    });
    expect([ran.status, failedClaims(ran)]).toEqual([3, []]);
    expect(ran.claim("contrast.manifest.expected").status).toBe("consistent");
    expect(ran.claim("tdx.td.mrtd").status).toBe("consistent");
  });
});

/** Written by hand: each owed claim that says no, and no others. */
const behindTheGate = { otherRoot: true, quoteSignature: true, qeReportSignature: true, vendor: true } as const;
const told: Readonly<Record<keyof typeof tdxTampers, readonly string[]>> = {
  hostData: ["contrast.host_data.coordinator host-data-role", "tdx.td.mrconfigid MRCONFIGID_MISMATCH"],
  mrConfigIdTail: ["tdx.td.mrconfigid MRCONFIGID_MISMATCH"],
  rtmr0: ["chain.reference.measurement_known measurement-unreferenced", "tdx.td.rtmrs RTMR_MISMATCH"],
  rtmr3: ["chain.reference.measurement_known measurement-unreferenced", "tdx.td.rtmrs RTMR_MISMATCH"],
  debug: ["tdx.td.debug TD_DEBUG", "tdx.td.attributes TD_ATTRIBUTES_MISMATCH"],
  septVe: ["tdx.td.sept_ve_disable sept-ve-enabled", "tdx.td.attributes TD_ATTRIBUTES_MISMATCH"],
  mrTd: [
    "chain.reference.measurement_known measurement-unreferenced",
    "tdx.td.mrtd MRTD_MISMATCH",
    "tdx.pins.what_runs MRTD_MISMATCH",
  ],
  mrSeam: ["chain.reference.measurement_known measurement-unreferenced", "tdx.module.mrseam MRSEAM_MISMATCH"],
  xfam: ["tdx.td.xfam XFAM_MISMATCH"],
  xfamCet: ["tdx.td.xfam XFAM_MISMATCH"],
  otherNonce: ["contrast.nonce.bound history-hidden", "tdx.td.report_data REPORT_DATA_MISMATCH"],
  manifestNewline: ["contrast.nonce.bound history-hidden", "tdx.td.report_data REPORT_DATA_MISMATCH"],
  piid: ["tdx.pck.piid PIID_NOT_ALLOWED"],
  sgxType: ["tdx.pck.options PCK_OPTIONS_MISMATCH"],
  smt: ["tdx.pck.options PCK_OPTIONS_MISMATCH"],
  dynamicPlatform: ["tdx.pck.options PCK_OPTIONS_MISMATCH"],
  quoteSignature: ["tdx.quote.signature QUOTE_SIGNATURE_INVALID"],
  qeReportSignature: ["tdx.qe.report_signature QE_REPORT_SIGNATURE_INVALID"],
  otherRoot: ["tdx.pck.chain ROOT_UNTRUSTED"],
  vendor: ["tdx.quote.qe_vendor QE_VENDOR_UNKNOWN"],
  moduleOutOfDate: ["tdx.tcb.status TCB_OUT_OF_DATE"],
  moduleBelowLowest: ["tdx.tcb.level TCB_NOT_SUPPORTED", "tdx.tcb.status TCB_NOT_SUPPORTED"],
  platformOutOfDate: ["tdx.tcb.status TCB_OUT_OF_DATE"],
  swHardening: ["tdx.tcb.status TCB_SW_HARDENING_NEEDED"],
  revokedLevel: ["tdx.tcb.not_revoked TCB_REVOKED", "tdx.tcb.status TCB_REVOKED"],
  evaluationTcbInfo: ["chain.reference.tcb_floor tcb-below-profile", "tdx.tcb.evaluation TCB_EVALUATION_TOO_LOW"],
  evaluationQeIdentity: ["chain.reference.tcb_floor tcb-below-profile", "tdx.tcb.evaluation TCB_EVALUATION_TOO_LOW"],
  pckRevoked: ["tdx.pck.revocation PCK_REVOKED"],
  intermediateRevoked: ["tdx.pck.revocation INTERMEDIATE_REVOKED"],
  tcbInfoSignature: ["tdx.tcb_info.signature TCB_INFO_SIGNATURE_INVALID"],
};

describe("an answer with one thing wrong", () => {
  it.each(Object.entries(tdxTampers))("%s", async (name, { apply, codes }) => {
    const ran = await during({ tdx: apply }, () => world.verify());
    expect([ran.status, failedClaims(ran)]).toEqual([1, told[name as keyof typeof told]]);
    expect(failedClaims(ran).some((c) => (codes as readonly string[]).includes(c.split(" ")[1] ?? ""))).toBe(true);
    // A closed gate leaves the manifest's claims unasked, never passed.
    if (name in behindTheGate)
      for (const id of ["contrast.nonce.bound", "chain.reference.measurement_known", "tdx.td.mrtd"])
        expect(ran.claim(id).status).toBe("skip");
  });
});

describe("the manifest's reference values", () => {
  const random = prng("tdx chain, an SNP entry");
  const measurement = Buffer.from(random.bytes("measurement", 48)).toString("hex");
  const snp = referenceValue("Genoa", seededTcb(random, "Genoa"), 5, [random.bytes("chip", 64)], measurement);
  const { BootloaderVersion, TEEVersion, SNPVersion, MicrocodeVersion } = snp.MinimumTCB;
  const snpProfile = {
    measurements: [measurement],
    minimumTcb: { bootloader: BootloaderVersion, tee: TEEVersion, snp: SNPVersion, microcode: MicrocodeVersion },
  };
  const mixed = (manifest: TdxManifest): TdxManifest => ({
    ...manifest,
    ReferenceValues: { ...manifest.ReferenceValues, snp: [snp] } as TdxManifest["ReferenceValues"],
  });

  it("of both TEEs: each entry is explained by a value of its own", async () => {
    const w = await startTdxWorld({ manifest: mixed });
    const { GuestPolicy: guestPolicy, PlatformInfo: platformInfo } = snp;
    const values = { guestPolicy, platformInfo, minimumMitigationVector: 15, chipIds: snp.AllowedChipIDs };
    const good = await w.verify({
      change: (p) => withValues(values)({ ...p, ...snpProfile, products: ["Genoa", "TDX"] }),
    });
    expect([good.status, openClaims(good)]).toEqual([0, []]);
    const without = await w.verify();
    expect([without.status, failedClaims(without)]).toEqual([3, []]);
    expect(openClaims(without)).toContain("contrast.explained.measurements");
    // The floor of the other TEE says nothing about this one's evidence.
    const floor = await w.verify({
      reference: "pinned",
      change: (p) => withValues({ minTcbEvaluationDataNumber: undefined })({ ...p, ...snpProfile }),
    });
    expect([floor.status, openClaims(floor)]).toEqual([3, ["chain.reference.tcb_floor"]]);
  });
  it("of SNP alone: evidence of TDX has no reference, and is never verified", async () => {
    const w = await startTdxWorld({
      manifest: (m) => ({ ...m, ReferenceValues: { snp: [snp] } as unknown as TdxManifest["ReferenceValues"] }),
    });
    const ran = await w.verify({ reference: "pinned", change: (p) => ({ ...p, ...snpProfile }) });
    expect(ran.status).toBe(3);
    expect(openClaims(ran)).toContain("tdx.pins.what_runs");
  });
  it("without a list of platforms: what the profile lists is missed", async () => {
    const w = await startTdxWorld({ manifest: withReference({ AllowedPIIDs: null }) });
    const ran = await w.verify();
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["contrast.explained.machines machines-open"]]);
  });
  it.each([
    ["three RTMRs", (m: TdxManifest) => withReference({ Rtmrs: m.ReferenceValues.tdx[0]?.Rtmrs.slice(0, 3) })(m)],
    ["no RTMRs", withReference({ Rtmrs: [] })],
    ["an empty MRSEAM", withReference({ MrSeam: "" })],
    ["an empty MRTD", withReference({ MrTd: "" })],
    ["an empty XFAM", withReference({ Xfam: "" })],
    ["no entry at all", (m: TdxManifest) => ({ ...m, ReferenceValues: { tdx: [] } })],
  ])("with %s: not verified, though the bytes are pinned", async (_name, manifest) => {
    const w = await startTdxWorld({ manifest });
    const ran = await w.verify({ reference: "pinned" });
    expect(ran.status).toBe(1);
    expect(failedClaims(ran)).toContain("contrast.manifest.valid manifest-invalid");
  });
  it("with another XFAM than Contrast generates: pinned it is compared, explained it is not", async () => {
    const w = await startTdxWorld({ manifest: withReference({ Xfam: "e71a060000000000" }) });
    expect(failedClaims(await w.verify({ reference: "pinned" }))).toEqual(["tdx.td.xfam XFAM_MISMATCH"]);
    w.server.hooks.tdx = tdxTampers.xfamCet.apply;
    expect((await w.verify({ reference: "pinned" })).status).toBe(0);
    expect(failedClaims(await w.verify())).toEqual(["contrast.explained.tdx tdx-unexplained"]);
  });
  it("CET bits that differ are a mismatch, unless the profile relaxes it: and then the report lists it", async () => {
    const w = await startTdxWorld();
    w.server.hooks.tdx = tdxTampers.xfamCet.apply;
    const strict = await w.verify();
    expect([strict.status, failedClaims(strict)]).toEqual([1, ["tdx.td.xfam XFAM_MISMATCH"]]);
    const relaxed = await w.verify({ change: (p) => ({ ...p, relaxations: { tdxCetDifference: true } }) });
    expect([relaxed.status, failedClaims(relaxed)]).toEqual([0, []]);
    expect(JSON.stringify(relaxed.report)).toContain("tdx-cet-difference");
    expect(JSON.stringify(strict.report)).not.toContain("tdx-cet-difference");
  });
  it("with less demanded of the platform than the profile demands", async () => {
    const w = await startTdxWorld({
      manifest: withReference({ MemoryIntegrity: false, MinTCBEvaluationDataNumber: 3 }),
    });
    const ran = await w.verify({
      change: (p) => withValues({ ...(world.deployment && explainedValues(w)), minTcbEvaluationDataNumber: 18 })(p),
    });
    expect(failedClaims(ran)).toEqual([
      "contrast.explained.tdx tdx-unexplained",
      "contrast.explained.tcb_evaluation evaluation-below-profile",
    ]);
  });
  it("the profile's floor under the TCB evaluation data number is above both documents'", async () => {
    const change = withValues({ minTcbEvaluationDataNumber: evaluationNumber + 1 });
    const pinned = await world.verify({ reference: "pinned", change });
    expect([pinned.status, failedClaims(pinned)]).toEqual([1, ["chain.reference.tcb_floor tcb-below-profile"]]);
    const explained = await world.verify({ change });
    expect(failedClaims(explained)).toEqual([
      "chain.reference.tcb_floor tcb-below-profile",
      "contrast.explained.tcb_evaluation evaluation-below-profile",
    ]);
  });
  it("accepted product lines of AMD's let no TDX through", async () => {
    const ran = await world.verify({ reference: "pinned", change: (p) => ({ ...p, products: ["Genoa"] }) });
    expect(failedClaims(ran)).toEqual(["chain.reference.product product-not-accepted"]);
  });
});

/** The demands of the right deployment, in the words of a profile. */
function explainedValues(w: TdxWorld) {
  const [r] = w.deployment.manifestValue.ReferenceValues.tdx;
  return {
    tdx: [
      {
        mrTd: r?.MrTd,
        mrSeam: r?.MrSeam,
        rtmrs: r?.Rtmrs,
        memoryIntegrity: true,
        smtDisabled: true,
        staticPlatform: true,
      },
    ],
  };
}

describe("Intel's service", () => {
  it("cannot be reached: unavailable", async () => {
    const ran = await during({ answer: (r) => (r.service === "pcs" ? null : undefined) }, () => world.verify());
    expect([ran.status, ran.report.verdict, failedClaims(ran)]).toEqual([4, "unavailable", []]);
    expect(ran.claim("tdx.pck.revocation").status).toBe("unavailable");
  });
  it.each([404, 410])("says no with %i: inconclusive", async (status) => {
    const none = { status, headers: {}, body: new Uint8Array(0) };
    const ran = await during({ answer: (r) => (r.path.includes("/tcb?") ? none : undefined) }, () => world.verify());
    expect([ran.status, failedClaims(ran)]).toEqual([3, []]);
    expect(ran.claim("tdx.tcb_info.format").reason).toContain(`${status}`);
  });
  it("has no revocation list: never verified", async () => {
    const pcs = pcsWith((d) => ({ ...d, pckCrl: null }));
    const ran = await during({ pcs }, () => world.verify());
    expect([ran.status, failedClaims(ran)]).toEqual([4, []]);
  });
  it.each([
    ["TCB info", tcbInfoDated(-40, -10), "tdx.tcb_info.window TCB_INFO_EXPIRED"],
    ["QE identity", qeIdentityDated(-40, -10), "tdx.qe_identity.window QE_IDENTITY_EXPIRED"],
    ["TCB info of tomorrow", tcbInfoDated(1, 30), "tdx.tcb_info.window TCB_INFO_NOT_YET_VALID"],
  ])("has %s out of its window", async (_name, edit, claim) => {
    const ran = await during({ pcs: pcsWith(edit) }, () => world.verify());
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["chain.capture.time capture-time", claim]]);
  });
  it("has an expired PCK CRL", async () => {
    const ran = await during({ pcs: pcsWith((d) => ({ ...d, pckCrl: { thisUpdate: -40, nextUpdate: -5 } })) }, () =>
      world.verify(),
    );
    expect(ran.status).toBe(1);
    expect(failedClaims(ran)).toEqual(["chain.capture.time capture-time", "tdx.pck_crl.current PCK_CRL_EXPIRED"]);
  });
  it("has a CRL that names the PCK certificate", async () => {
    const revoked: IntelEdit = (d) => ({ ...d, pckCrl: { revoked: [pckSerial(d.authority.random, d.pck.sgx)] } });
    const ran = await during({ pcs: pcsWith(revoked) }, () => world.verify());
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["tdx.pck.revocation PCK_REVOKED"]]);
  });
});

describe("documents older than those seen before", () => {
  const rolled = (from: string) => `chain.collateral.not_rolled_back ${from}`;
  it.each<readonly [string, IntelEdit]>([
    ["TCB info of another day", tcbInfoDated(-3, 27)],
    ["TCB info of a lower number", tcbInfo((t) => ({ ...t, tcbEvaluationDataNumber: evaluationNumber - 1 }))],
    ["QE identity of another day", qeIdentityDated(-3, 27)],
    ["PCK CRL of another day", (d) => ({ ...d, pckCrl: { thisUpdate: -3 } })],
    ["root CRL of another day", (d) => ({ ...d, rootCrl: { thisUpdate: -60 } })],
  ])("%s", async (name, edit) => {
    const home = `rolled ${name}`;
    // A floor of the profile or the manifest would say no as well.
    const change = withValues({ minTcbEvaluationDataNumber: evaluationNumber - 1 });
    const pinned = { reference: "pinned", change } as const;
    const first = await world.verify(pinned, [], home);
    expect([first.status, openClaims(first)]).toEqual([0, []]);
    forget(home);
    const second = await during({ pcs: pcsWith(edit) }, () => world.verify(pinned, [], home));
    expect(second.status).toBe(1);
    expect(failedClaims(second).filter((c) => !c.startsWith("tdx.tcb.evaluation"))).toEqual([rolled("crl-rollback")]);
    // What was refused lowers no mark.
    forget(home);
    const third = await during({ pcs: pcsWith(edit) }, () => world.verify(pinned, [], home));
    expect(failedClaims(third)).toContain(rolled("crl-rollback"));
    forget(home);
    expect((await world.verify(pinned, [], home)).status).toBe(0);
  });
  it("are the auditor's own business when they are given", async () => {
    const home = "rolled given";
    expect((await world.verify({}, [], home)).status).toBe(0);
    forget(home);
    const [old] = pcsWith(both(tcbInfoDated(-3, 27), qeIdentityDated(-3, 27))).collateral;
    const file = world.write("older.json", collateralJson(orThrow(old)));
    const ran = await world.verify({}, ["--collateral", file], home);
    expect([ran.status, openClaims(ran)]).toEqual([0, []]);
    expect(ran.claim("chain.collateral.not_rolled_back").status).toBe("skip");
  });
});

/** Takes the cached answers of Intel's service away and leaves the marks. */
function forget(home: string): void {
  const folder = join(world.homeOf(home), "cache", "pm", "collateral", "other");
  for (const name of readdirSync(folder)) rmSync(join(folder, name, "pcs"), { recursive: true });
}
function orThrow<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a collateral without a member");
  return value;
}

describe("collateral that the auditor gives", () => {
  it("as one file for a quote: no service is asked", async () => {
    const before = world.server.requests.length;
    const ran = await world.verify({}, ["--collateral", world.path("collateral.json")]);
    expect([ran.status, openClaims(ran)]).toEqual([0, []]);
    expect(world.server.requests.slice(before).filter((r) => r.service === "pcs")).toEqual([]);
  });
  it("as a folder of raw answers, each with its issuer chain beside it", async () => {
    const c = orThrow(world.deployment.pcs().collateral[0]);
    mkdirSync(world.path("raw"));
    world.write("raw/tcb_info.json", c.tcbInfo.body);
    world.write("raw/tcb_info_chain.pem", c.tcbInfo.issuerChain);
    world.write("raw/qe_identity.json", c.qeIdentity.body);
    world.write("raw/qe_identity_chain.pem", c.qeIdentity.issuerChain);
    world.write("raw/pck_crl_platform.der", orThrow(c.pckCrl));
    world.write("raw/root_ca_crl.der", orThrow(c.rootCrl));
    const before = world.server.requests.length;
    const ran = await world.verify({}, ["--collateral", world.path("raw")]);
    expect([ran.status, openClaims(ran)]).toEqual([0, []]);
    expect(world.server.requests.slice(before).filter((r) => r.service === "pcs")).toEqual([]);
  });
  it("that says TCB info of another platform for this one", async () => {
    const other = orThrow(pcsWith(tcbInfo((t) => ({ ...t, fmspc: "00806F050000" }))).collateral[0]);
    const file = world.write("other-platform.json", collateralJson(other));
    const ran = await world.verify({}, ["--collateral", file]);
    expect(ran.status).toBe(1);
    expect(failedClaims(ran)).toContain("tdx.tcb_info.platform TCB_INFO_MISMATCH");
  });
  it("a bundle replays under it, and under collateral with the certificate revoked it fails", async () => {
    const bundle = world.path("given.tar");
    expect((await world.verify({}, ["--collateral", world.path("collateral.json"), "--save", bundle])).status).toBe(0);
    const profile = world.profile();
    const replay = (...more: readonly string[]) =>
      world.judged(["verify", bundle, "--profile", profile, "--offline", ...world.root, ...more]);
    expect((await replay()).status).toBe(0);
    const revoked = orThrow(
      pcsWith((d) => ({ ...d, pckCrl: { revoked: [pckSerial(d.authority.random, d.pck.sgx)] } })).collateral[0],
    );
    const ran = await replay("--collateral", world.write("revoked.json", collateralJson(revoked)));
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["tdx.pck.revocation PCK_REVOKED"]]);
  });
  it("of AMD's alone: it answers nothing for TDX", async () => {
    const { root } = amdWorld();
    const ran = await runPm(["verify", world.profile(), "--collateral", root, ...world.trust, "--offline", "--json"]);
    expect(ran.status).toBe(4);
  });
});

describe("a recorded run", () => {
  let bundle: string;
  let profile: string;
  beforeAll(async () => {
    bundle = world.path("recorded.tar");
    profile = world.profile();
    expect((await world.verify({}, ["--save", bundle])).status).toBe(0);
  });
  const replay = (...more: readonly string[]) =>
    world.judged(["verify", bundle, "--profile", profile, ...world.root, ...more]);

  it("is judged under today's collateral with --refresh-collateral --at", async () => {
    const good = await replay("--refresh-collateral", "--at", day(0), "--pcs-url", world.server.pcsUrl);
    expect([good.status, openClaims(good)]).toEqual([0, []]);
    const revoked: IntelEdit = (d) => ({ ...d, pckCrl: { revoked: [pckSerial(d.authority.random, d.pck.sgx)] } });
    const bad = await during({ pcs: pcsWith(revoked) }, () =>
      replay("--refresh-collateral", "--at", day(0), "--pcs-url", world.server.pcsUrl),
    );
    expect([bad.status, failedClaims(bad)]).toEqual([1, ["tdx.pck.revocation PCK_REVOKED"]]);
  });
  it("may be older than the certificate that signs today's documents, and not than that of the recorded ones", async () => {
    const younger = certificate("tcbSigning", (spec) => ({ ...spec, notBefore: dayFrom(tdxNow, 1) }));
    const refreshed = await during({ pcs: pcsWith(younger) }, () =>
      replay("--refresh-collateral", "--at", day(2), "--pcs-url", world.server.pcsUrl),
    );
    expect([refreshed.status, openClaims(refreshed)]).toEqual([0, []]);
    const file = world.write("younger.json", collateralJson(orThrow(pcsWith(younger).collateral[0])));
    const given = await replay("--collateral", file, "--at", day(2), "--offline");
    expect([given.status, failedClaims(given)]).toEqual([1, ["chain.capture.time capture-time"]]);
    expect(given.claim("chain.capture.time").reason).toBe("outside the validity of Intel SGX TCB Signing");
  });
  it("is unavailable when it should be refreshed without a network", async () => {
    const ran = await replay("--refresh-collateral", "--at", day(0), "--offline");
    expect([ran.status, ran.report.verdict]).toEqual([4, "unavailable"]);
  });
  it("with a time outside the documents' window says which", async () => {
    const late = await replay("--at", day(40), "--offline");
    expect(late.status).toBe(1);
    expect(failedClaims(late)).toEqual(
      expect.arrayContaining(["tdx.tcb_info.window TCB_INFO_EXPIRED", "tdx.qe_identity.window QE_IDENTITY_EXPIRED"]),
    );
    const early = await replay("--at", day(-2), "--offline");
    expect(failedClaims(early)).toContain("tdx.tcb_info.window TCB_INFO_NOT_YET_VALID");
    expect(late.report.judgedAt).not.toBe(late.report.capturedAt);
  });
  it("was captured outside the window of the documents that it is judged by", async () => {
    const later = orThrow(pcsWith(both(tcbInfoDated(1, 30), qeIdentityDated(1, 30))).collateral[0]);
    const file = world.write("later.json", collateralJson(later));
    const ran = await replay("--at", day(2), "--offline", "--collateral", file);
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["chain.capture.time capture-time"]]);
    expect(ran.claim("chain.capture.time").reason).toContain("documents");
  });
  it("whose blob was changed is refused before it is judged", async () => {
    const bytes = readFileSync(bundle);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 4096) ^ 1, bytes.length - 4096);
    const damaged = world.write("damaged.tar", bytes);
    const ran = await runPm(["verify", damaged, "--profile", profile, ...world.root, "--offline"]);
    expect(ran.status).toBe(1);
    expect(ran.stdout).not.toMatch(/verified/);
  });
});

const amdWorld = () => {
  const files = sharedDeployment(tdxNow).files;
  return { root: world.write("ark.pem", orThrow(files.get("ark.pem"))) };
};

describe("roots of the wrong vendor", () => {
  it("AMD's test root with TDX evidence is a usage error", async () => {
    const { root } = amdWorld();
    const args = ["verify", world.profile(), "--insecure-trust-root", root, "--pcs-url", world.server.pcsUrl];
    const ran = await runPm([...args, "--json"]);
    expect(ran.status).toBe(2);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: "PM_USAGE" } });
  });
  it("Intel's test root with SNP evidence is a usage error", async () => {
    const snp = sharedDeployment(tdxNow);
    const server = await startServer(snp);
    try {
      const ran = await runPm([
        ...["verify", "contrast", "--coordinator", server.url, "--kds-url", server.kdsUrl, ...world.root, "--json"],
      ]);
      expect(ran.status).toBe(2);
      expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: "PM_USAGE" } });
    } finally {
      await server.close();
    }
  });
  it("without a test root the made hierarchy is nobody's", async () => {
    const ran = await world.judged(["verify", world.profile(), "--pcs-url", world.server.pcsUrl]);
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["tdx.pck.chain ROOT_UNTRUSTED"]]);
  });
});
