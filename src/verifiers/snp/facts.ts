/** Decoded fields for the report of a judgement, in the specification's notation. Facts, no words of judgement. */
import { hex, hexNumber } from "../../bytes/hex.ts";
import { type Certificate, commonName } from "../../crypto/certificate.ts";
import type { SeenCrl } from "../../crypto/crl.ts";
import { serialKey } from "../../crypto/crl.ts";
import { instant } from "../../crypto/time.ts";
import type { Json } from "../../report/report.ts";
import { levelsOf } from "./appraise-tcb.ts";
import { platformText, policyText } from "./bits.ts";
import { sha256 } from "./digest.ts";
import { isAbsent, type Material } from "./material.ts";
import { type FirmwareVersion, type SnpReport, signingKey } from "./report.ts";
import { tcbText } from "./tcb.ts";
import { vekTcb } from "./vek.ts";

const version = (v: FirmwareVersion): string => `${v.major}.${v.minor}.${v.build}`;

/** Every field of the report. Also what `pm inspect` shows. */
export function reportFacts(report: SnpReport): { readonly [field: string]: Json } {
  const { cpuid } = report;
  return {
    version: report.version,
    guestSvn: report.guestSvn,
    policy: hexNumber(report.policy),
    policyBits: policyText(report.policy),
    familyId: hex(report.familyId),
    imageId: hex(report.imageId),
    vmpl: report.vmpl,
    signatureAlgo: report.signatureAlgo,
    platformInfo: hexNumber(report.platformInfo),
    platformInfoBits: platformText(report.platformInfo),
    flags: hexNumber(report.flags),
    signingKey: signingKey(report),
    reportData: hex(report.reportData),
    measurement: hex(report.measurement),
    hostData: hex(report.hostData),
    idKeyDigest: hex(report.idKeyDigest),
    authorKeyDigest: hex(report.authorKeyDigest),
    reportId: hex(report.reportId),
    reportIdMa: hex(report.reportIdMa),
    cpuid: cpuid === undefined ? null : [cpuid.family, cpuid.model, cpuid.stepping].map((n) => hexNumber(n, 2)),
    chipId: hex(report.chipId),
    currentTcb: hex(report.currentTcb),
    reportedTcb: hex(report.reportedTcb),
    committedTcb: hex(report.committedTcb),
    launchTcb: hex(report.launchTcb),
    currentVersion: version(report.current),
    committedVersion: version(report.committed),
    launchMitVector: hexNumber(report.launchMitVector),
    currentMitVector: hexNumber(report.currentMitVector),
    // The signature can be changed without breaking it, so only the signed part identifies a report.
    signedSha256: sha256(report.signed),
  };
}

const certificateFacts = (c: Certificate, from: string): { readonly [field: string]: Json } => ({
  subject: commonName(c.subject) ?? null,
  issuer: commonName(c.issuer) ?? null,
  serial: serialKey(c),
  notBefore: instant(c.notBefore),
  notAfter: instant(c.notAfter),
  sha256: sha256(c.raw),
  // AMD issues a new certificate for the same key at each request: the key is the identity.
  spkiSha256: sha256(c.spki),
  from,
});

export function evidenceFacts(material: Material, crls: readonly SeenCrl[]): Json {
  const { evidence, line, vek, intermediate } = material;
  const levels = line === undefined ? [] : Object.entries(levelsOf({ report: evidence.report, line }));
  return {
    carrier: evidence.carrier,
    product: line ?? null,
    report: reportFacts(evidence.report),
    tcb: Object.fromEntries(levels.map(([name, tcb]) => [name, tcbText(tcb)])),
    vek: isAbsent(vek) ? null : vekFacts(vek),
    intermediate: isAbsent(intermediate) ? null : certificateFacts(intermediate.certificate, intermediate.from),
    crls: crls.map((c) => ({ ...c })),
  };
}

function vekFacts(found: Exclude<Material["vek"], { absent: unknown }>): Json {
  const { vek } = found;
  const tcb = vekTcb(vek);
  return {
    kind: vek.kind,
    ...certificateFacts(found.certificate, found.from),
    structVersion: vek.numbers.structVersion ?? null,
    productName: vek.productName ?? null,
    tcb: tcb === undefined ? null : tcbText(tcb),
    hwid: vek.hwid === undefined ? null : hex(vek.hwid),
    cspId: vek.cspId ?? null,
  };
}
