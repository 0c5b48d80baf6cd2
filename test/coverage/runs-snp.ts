/** `pm snp verify`: one good run, and runs with something wrong. Statements of one report are independent, so one report can break several. */
import { certChainPem, crlDefects, makeAmdCrl, makeAuthority } from "../../fixtures/generator/amd.ts";
import { certificateGuid, certificateTable, extendedReport } from "../../fixtures/generator/carriers.ts";
import { makeGuest, sealed } from "../../fixtures/generator/guest.ts";
import { policyBit, type ReportFields, signedSize, signingKey } from "../../fixtures/generator/report.ts";
import { sharedNow } from "../../fixtures/generator/shared.ts";
import { tcbBytes } from "../../fixtures/generator/tcb.ts";
import { makeVcek, type VekDefect, vekDefects } from "../../fixtures/generator/vek.ts";
import type { Ran } from "../command.ts";
import { guest, snp } from "./world.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const report = (changes: Partial<ReportFields>): Uint8Array => sealed({ ...guest.fields, ...changes }, guest.vek.key);
const vek = (defect: VekDefect): Promise<Ran> =>
  snp({ vek: makeVcek(guest.authority, guest.chipId, guest.tcb, { defect }).certificate });
const crl = (options: Parameters<typeof makeAmdCrl>[1]): Promise<Ran> =>
  snp({ crl: makeAmdCrl(guest.authority, options) });

/** With ID block and author key, which the plain guest has not. */
const owned: Partial<ReportFields> = {
  familyId: new Uint8Array(16).fill(0x11),
  imageId: new Uint8Array(16).fill(0x22),
  idKeyDigest: new Uint8Array(48).fill(0x33),
  authorKeyDigest: new Uint8Array(48).fill(0x44),
  flags: signingKey.vcek | 1,
};
/** A value of this many bytes that no report here has. */
const other = (bytes: number): string => "ab".repeat(bytes);
const level = ({ bootloader, tee, snp: svn, microcode }: typeof guest.tcb): string =>
  `bl=${bootloader},tee=${tee},snp=${svn},ucode=${microcode}`;

const vlekGuest = makeGuest("shared", "Genoa", sharedNow, { vlek: true });
const vlek = (cspId: string): Promise<Ran> =>
  snp({
    report: vlekGuest.report,
    vek: vlekGuest.vek.certificate,
    chain: certChainPem(vlekGuest.authority, "vlek"),
    ark: vlekGuest.authority.ark.certificate,
    args: ["--authentic-only", "--csp-id", cspId],
  });

export const snpRuns = {
  "report as demanded": () =>
    snp({
      report: report(owned),
      policy: { requireIdBlock: true, minimumMitigationVector: "15", provisional: false },
      args: [
        ...["--measurement", hex(guest.fields.measurement), "--report-data", hex(guest.fields.reportData)],
        ...["--host-data", hex(guest.fields.hostData), "--chip-id", hex(guest.chipId), "--vmpl", "0"],
        ...["--id-key-digest", "33".repeat(48), "--author-key-digest", "44".repeat(48)],
        ...["--family-id", "11".repeat(16), "--image-id", "22".repeat(16), "--min-tcb", level(guest.tcb)],
      ],
    }),
  "every reference value another": () =>
    snp({
      report: report(owned),
      policy: { minimumMitigationVector: "256" },
      args: [
        ...["--measurement", other(48), "--report-data", other(64), "--host-data", other(32), "--chip-id", other(64)],
        ...["--id-key-digest", other(48), "--author-key-digest", other(48), "--family-id", other(16)],
        ...["--image-id", other(16), "--vmpl", "1", "--min-tcb", level({ ...guest.tcb, snp: guest.tcb.snp + 1 })],
      ],
    }),
  "ID key and host data pinned, both others": () =>
    snp({ report: report(owned), args: ["--id-key-digest", other(48), "--host-data", other(32)] }),
  "report with bad statements": () =>
    snp({
      report: report({
        policy: policyBit.smt | policyBit.debug | policyBit.migrateMa,
        platformInfo: 1n << 40n,
        chipId: new Uint8Array(64),
        committedTcb: tcbBytes("Genoa", { ...guest.tcb, microcode: guest.tcb.microcode + 1 }),
      }),
      policy: { requireIdBlock: true },
    }),
  "report of 1183 bytes": () => snp({ report: guest.report.subarray(0, -1) }),
  "report with a reserved byte set": () => snp({ report: guest.report.map((b, i) => (i === 0x4c ? 1 : b)) }),
  "report with another SIGNATURE_ALGO": () => snp({ report: report({ signatureAlgo: 2 }) }),
  "report of version 6": () => snp({ report: report({ version: 6 }) }),
  "certificate table out of bounds": () => {
    const table = certificateTable([[certificateGuid.vcek, guest.vek.certificate]]);
    return snp({
      report: extendedReport(
        guest.report,
        table.map((b, i) => (i === 18 ? 0xff : b)),
      ),
    });
  },
  "report that nobody signed": () => snp({ report: report({ flags: signingKey.none }) }),
  "signature with one bit flipped": () => snp({ report: guest.report.map((b, i) => (i === signedSize ? b ^ 1 : b)) }),
  "unknown processor": () => snp({ report: report({ cpuid: { family: 0x1c, model: 1, stepping: 0 } }) }),
  "VCEK of another product": () => vek(vekDefects.otherProductName),
  "VCEK of an unknown product": () => vek(vekDefects.unknownProductName),
  "no VCEK": () => snp({ vek: null }),
  "another root": () =>
    snp({
      chain: certChainPem(guest.authority),
      ark: makeAuthority("nobody's root", "Genoa", sharedNow).ark.certificate,
    }),
  "VCEK with another issuer": () => vek(vekDefects.otherIssuerName),
  "VCEK signed with PKCS#1": () => vek(vekDefects.pkcs1),
  "VCEK with a wrong signature": () => vek(vekDefects.badSignature),
  "VCEK with an unknown critical extension": () => vek(vekDefects.unknownCriticalExtension),
  "VCEK without HWID": () => vek(vekDefects.missingHwid),
  "VCEK with an extension twice": () => vek(vekDefects.duplicateSnpSpl),
  "VCEK with a negative level": () => vek(vekDefects.negativeMicrocode),
  "VCEK with CSP_ID": () => vek(vekDefects.cspId),
  "VCEK of another TCB": () => vek(vekDefects.snpSplAbove),
  "VCEK of another chip": () => vek(vekDefects.hwidOneBit),
  "VCEK expired": () => vek(vekDefects.expired),
  "CRL signed by the ASK": () => crl(crlDefects.signedByAsk),
  "CRL expired": () => crl(crlDefects.expired),
  "CRL revokes the ASK": () => crl({ revoked: [guest.authority.ask.serial] }),
  "CRL with serial 0": () => crl(crlDefects.serialZero),
  "no CRL": () => snp({ crl: null }),
  "VLEK of the expected provider": () => vlek("CN=cc-test.example"),
  "VLEK of another provider": () => vlek("CN=elsewhere.example"),
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
