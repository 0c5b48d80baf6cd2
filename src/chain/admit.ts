/**
 * Would the Coordinator let this SNP evidence into the mesh, as whom, and by which reference value (Contrast v1.20, mesh
 * certificates); and does pm, which is stricter, find the evidence good. All claims about the report are answered for one
 * reference value. REPORT_DATA is not compared: it binds the joining key and a nonce, which are not at hand.
 */
import { hex } from "../bytes/hex.ts";
import {
  type Answer,
  type Answers,
  all,
  cannot,
  equal,
  type Origin,
  observed,
  type Sourced,
  skip,
  specified,
} from "../claims/answer.ts";
import { judge } from "../claims/subject.ts";
import { unsupported } from "../errors.ts";
import type { Audited, Json } from "../report/report.ts";
import type { Look } from "../run.ts";
import { manifestFile } from "../verifiers/contrast/claims.ts";
import { documentOf } from "../verifiers/contrast/document.ts";
import type { Manifest, ManifestRules, PolicyEntry } from "../verifiers/contrast/index.ts";
import { verifyManifest } from "../verifiers/contrast/index.ts";
import {
  amdRoots,
  noReferences,
  pinnedBy,
  type SnpJudgement,
  type SnpReferences,
  snp,
  testRoot,
  verifySnp,
} from "../verifiers/snp/index.ts";
import { admission } from "./admission-claims.ts";
import { contrastOnManifest } from "./admit-contrast.ts";
import { ownAnswer } from "./admit-own.ts";
import { policyOf } from "./admit-policy.ts";
import { snpCandidates } from "./references.ts";

export interface AdmissionInput {
  /** Evidence in any carrier that the SNP verifier reads. */
  readonly evidence: Uint8Array;
  readonly manifest: { readonly name: string; readonly bytes: Uint8Array; readonly sha256: string };
  readonly rules: ManifestRules;
  /** Policy files, in any form; undefined: nobody asks what the policy says. */
  readonly policies: readonly Uint8Array[] | undefined;
  /** One root in place of AMD's: for tests, and named in every report. */
  readonly testRoot?: { readonly file: string; readonly bytes: Uint8Array };
}

/** @throws PmError PM_EVIDENCE_UNSUPPORTED for TDX evidence */
export function admit(input: AdmissionInput, look: Look, at: Date): Audited {
  refuseTdx(input.evidence);
  const { name, sha256 } = input.manifest;
  const origin: Origin = { kind: "pinned", file: name, sha256 };
  const checked = verifyManifest(input.manifest.bytes, input.rules, name);
  const { manifest } = checked.manifest;
  const keys = (manifest?.policies ?? []).map((p): Sourced => ({ value: p.key, origin, at: p.at }));
  const binding = keys.length === 0 ? {} : { hostData: keys };
  const candidates = manifest === undefined ? [] : snpCandidates(manifest, origin, binding);
  const asked = candidates.length > 0 ? candidates : [{ ...noReferences, ...binding }];
  const { testRoot: test } = input;
  const roots = test === undefined ? amdRoots : testRoot(test.bytes, test.file);
  const verify = (list: readonly SnpReferences[]): SnpJudgement =>
    verifySnp({ bytes: input.evidence }, look, list, { roots, revocation: "required" }, at);
  const judgement = verify(asked);
  const want = asked[judgement.candidate] ?? noReferences;
  const workload = workloadOf(judgement, manifest);
  const own = ownAnswer(judgement, asked, verify, manifest, workload, contrastOnManifest(checked.manifest));
  const answers: Answers<typeof admission> =
    manifest === undefined
      ? all(admission, cannot("not asked: the manifest cannot be read in one way"))
      : (closed(judgement) ?? {
          "chain.admission.workload_known": workloadKnown(keys, judgement),
          "chain.admission.entry": entryFits(judgement, want, manifest, origin),
          ...own.answers,
        });
  const policy = policyOf(input.policies, judgement, origin);
  return {
    judged: [
      judge({ name: "admission", catalogue: admission, pinned: new Set() }, answers),
      judge({ name: "report", catalogue: snp, pinned: pinnedBy(want) }, judgement.answers),
      judge({ name: "manifest", catalogue: manifestFile, pinned: new Set() }, checked.answers),
      ...(policy === undefined ? [] : [policy.judged]),
    ],
    evidence: {
      admission: { ...whom(workload), ...by(manifest, judgement, answers), ...own.facts },
      report: judgement.evidence,
      manifest: { manifest: checked.evidence },
      ...(policy === undefined ? {} : { [policy.judged.subject.name]: { initdata: policy.evidence } }),
    },
    anchors: judgement.anchors,
    notProven: unproven,
  };
}

/** What no answer here can show. */
const unproven: readonly string[] = [
  "Handshake: REPORT_DATA binds the key that joins and the Coordinator's nonce; neither is at hand, so evidence of an earlier day reads the same.",
  "Guest image: the launch measurement was compared with the manifest alone; who vouches for it is asked by pm verify.",
  "Coordinator: that one enforces this manifest, and under which day's collateral it looked.",
  "Policy: what the policy allows, where no body was judged with --policies; a policy forces no container to start.",
  "Hardware: physical attacks, and processor keys that were extracted, are outside what evidence can show.",
];

/** Not yet judged here, and no forgery: header of a TDX quote (version 4 or 5, TEE type 0x81), or its protobuf. */
function refuseTdx(bytes: Uint8Array): void {
  const quote =
    (bytes[0] === 4 || bytes[0] === 5) && bytes[1] === 0 && bytes[4] === 0x81 && bytes[5] === 0 && bytes[6] === 0;
  if (quote || documentOf(bytes).kind === "tdx")
    throw unsupported("TDX evidence: the admission of SEV-SNP evidence alone is judged");
}

/** While the report is not the vendor's, nothing in it says anything. */
function closed({ report, blocked }: SnpJudgement): Answers<typeof admission> | undefined {
  return report === undefined ? all(admission, blocked ?? skip("not asked: the report is not authentic")) : undefined;
}

function workloadOf({ report }: SnpJudgement, manifest: Manifest | undefined): PolicyEntry | undefined {
  const key = report === undefined ? undefined : hex(report.hostData);
  return manifest?.policies.find((p) => p.key === key);
}

function workloadKnown(
  keys: readonly Sourced[],
  { report }: SnpJudgement,
): Answers<typeof admission>["chain.admission.workload_known"] {
  const actual = observed(hex(report?.hostData ?? new Uint8Array()), "SNP report", "HOST_DATA, 0xc0..0xdf");
  const [first] = keys;
  if (first === undefined) return cannot("the manifest has no policies");
  const match = keys.find((k) => k.value === actual.value);
  const expected = match ?? { ...first, value: `one of ${keys.map((k) => k.value).join(", ")}`, at: "/Policies" };
  return equal(expected, actual, "workload-unknown");
}

/** Claims that compare the report with the reference value alone. */
function entryIds(want: SnpReferences): string[] {
  const others = ["snp.report.host_data", "snp.report.report_data"];
  return [...pinnedBy(want)].filter((id) => !others.includes(id)).concat("snp.policy.migration", "snp.report.vmpl");
}

function entryFits(
  { answers, candidate }: SnpJudgement,
  want: SnpReferences,
  manifest: Manifest,
  origin: Origin,
): Answers<typeof admission>["chain.admission.entry"] {
  const value = manifest.snp[candidate];
  if (value === undefined)
    return manifest.snpEntries.length > 0
      ? cannot("the manifest has no SNP reference value that pm can compare with")
      : equal(
          specified("at least one SNP reference value", "Contrast v1.20", "validators"),
          { value: "none", origin, at: "/ReferenceValues/snp" },
          "no-entry-fits",
        );
  const statuses: Readonly<Record<string, Answer>> = answers;
  const open = entryIds(want).filter((id) => statuses[id]?.status !== "pass");
  const unsure = open.filter((id) => statuses[id]?.status !== "fail");
  if (unsure.length > 0 && unsure.length === open.length) return cannot(`not answered: ${unsure.join(", ")}`);
  const demands = entryIds(want).length;
  return equal(
    { value: `${demands} of ${demands} demands of one reference value`, origin, at: value.at },
    observed(`${demands - open.length} of ${demands} demands of one reference value`, "SNP report", open.join(", ")),
    "no-entry-fits",
  );
}

const whom = (workload: PolicyEntry | undefined): { readonly [name: string]: Json } =>
  workload === undefined
    ? { policyKey: null }
    : {
        policyKey: workload.key,
        sans: workload.sans,
        workloadSecretId: workload.workloadSecretId,
        role: workload.role,
      };

/** Only a reference value that fits is named. */
const by = (
  manifest: Manifest | undefined,
  { candidate }: SnpJudgement,
  answers: Answers<typeof admission>,
): { readonly [name: string]: Json } => ({
  referenceValue: answers["chain.admission.entry"].status === "pass" ? (manifest?.snp[candidate]?.at ?? null) : null,
});
