/** SNP evidence against the manifest's SNP reference values (Contrast v1.20, SNP verification and validation). */
import { hex } from "../bytes/hex.ts";
import { observed } from "../claims/answer.ts";
import { judge } from "../claims/subject.ts";
import type { Look } from "../run.ts";
import {
  amdRoots,
  noReferences,
  pinnedBy,
  type SnpJudgement,
  type SnpReferences,
  snp,
  testRoot as snpTestRoot,
  verifySnp,
} from "../verifiers/snp/index.ts";
import { contrastOn } from "./admit-contrast.ts";
import { type AdmitJudgement, type AdmitQuestion, maxEntries } from "./admit-judged.ts";
import { measuredIn } from "./ap-measurement.ts";
import { extendedBy, withVcpus } from "./cpu.ts";
import { snpCandidates } from "./references.ts";

export function judgeSnpAdmission(question: AdmitQuestion, look: Look, at: Date): AdmitJudgement {
  const { bytes, manifest, origin, keys, rules, testRoot } = question;
  const binding = keys.length === 0 ? {} : { hostData: keys };
  const measured = { rules, measurement: measuredIn(bytes, manifest?.snp ?? [], rules) };
  const candidates = manifest === undefined ? [] : snpCandidates(manifest, origin, binding, measured);
  const asked = candidates.length > 0 ? candidates : [{ ...noReferences, ...binding }];
  const roots = testRoot === undefined ? amdRoots : snpTestRoot(testRoot.bytes, testRoot.file);
  const verify = (list: readonly SnpReferences[]): SnpJudgement =>
    verifySnp({ bytes }, look, list, { roots, revocation: "required" }, at);
  const judgement = verify(asked);
  const { answers, candidate, report, blocked, anchors } = judgement;
  const want = asked[candidate] ?? noReferences;
  const byEntry = (manifest?.snp ?? []).slice(0, maxEntries).map((entry, i) => {
    const wanted = asked[i] ?? noReferences;
    // The report may be judged under another root for each product.
    return contrastOn(i === candidate ? judgement : verify([wanted]), wanted, entry);
  });
  const entry = manifest?.snp[candidate];
  return {
    tee: "SNP",
    judged: judge({ name: "report", catalogue: snp, pinned: pinnedBy(want) }, answers),
    evidence: withVcpus(judgement.evidence, extendedBy(entry, judgement, measured)),
    anchors,
    answers,
    hostData: report === undefined ? undefined : observed(hex(report.hostData), "SNP report", "HOST_DATA, 0xc0..0xdf"),
    blocked,
    entry,
    entries: manifest?.snpEntries.length ?? 0,
    demands: demandsOf(want),
    byEntry,
    shown: byEntry[candidate] ?? [],
  };
}

/** Claims that compare the report with the reference value alone. */
function demandsOf(want: SnpReferences): string[] {
  const others = ["snp.report.host_data", "snp.report.report_data"];
  return [...pinnedBy(want)].filter((id) => !others.includes(id)).concat("snp.policy.migration", "snp.report.vmpl");
}
