/**
 * Would the Coordinator let this evidence into the mesh, as whom, and by which reference value (Contrast v1.20, mesh
 * certificates); and does pm, which is stricter, find the evidence good. All claims about the evidence are answered for one
 * reference value. REPORT_DATA is not compared: it binds the joining key and a nonce, which are not at hand.
 */
import {
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
import type { Audited, Json } from "../report/report.ts";
import type { Look } from "../run.ts";
import { manifestFile } from "../verifiers/contrast/claims.ts";
import type { ManifestRules, PolicyEntry } from "../verifiers/contrast/index.ts";
import { verifyManifest } from "../verifiers/contrast/index.ts";
import { admission } from "./admission-claims.ts";
import { contrastOnManifest } from "./admit-contrast.ts";
import type { AdmitJudgement, AdmitQuestion } from "./admit-judged.ts";
import { ownAnswer } from "./admit-own.ts";
import { policyOf } from "./admit-policy.ts";
import { judgeSnpAdmission } from "./admit-snp.ts";
import { judgeTdxAdmission, tdxEvidence } from "./admit-tdx.ts";

export interface AdmissionInput {
  /** Evidence in any carrier that the verifiers of SNP and TDX read. */
  readonly evidence: Uint8Array;
  readonly manifest: { readonly name: string; readonly bytes: Uint8Array; readonly sha256: string };
  readonly rules: ManifestRules;
  /** Policy files, in any form; undefined: nobody asks what the policy says. */
  readonly policies: readonly Uint8Array[] | undefined;
  /** One root in place of the vendor's: for tests, and named in every report. */
  readonly testRoot?: { readonly file: string; readonly bytes: Uint8Array };
}

/** What names neither TEE is judged as SNP evidence, and fails its format. */
export function admit(input: AdmissionInput, look: Look, at: Date): Audited {
  const { name, sha256 } = input.manifest;
  const origin: Origin = { kind: "pinned", file: name, sha256 };
  const checked = verifyManifest(input.manifest.bytes, input.rules, name);
  const { manifest } = checked.manifest;
  const keys = (manifest?.policies ?? []).map((p): Sourced => ({ value: p.key, origin, at: p.at }));
  const { evidence: bytes, rules, testRoot } = input;
  const question: AdmitQuestion = { bytes, manifest, origin, keys, rules, testRoot };
  const quote = tdxEvidence(bytes);
  const judgement =
    quote === undefined ? judgeSnpAdmission(question, look, at) : judgeTdxAdmission(quote, question, look, at);
  const workload = manifest?.policies.find((p) => p.key === judgement.hostData?.value);
  const own = ownAnswer(judgement, workload, contrastOnManifest(checked.manifest));
  const answers: Answers<typeof admission> =
    manifest === undefined
      ? all(admission, cannot("not asked: the manifest cannot be read in one way"))
      : judgement.hostData === undefined
        ? all(admission, judgement.blocked ?? skip("not asked: the evidence is not authentic"))
        : {
            "chain.admission.workload_known": workloadKnown(keys, judgement.hostData),
            "chain.admission.entry": entryFits(judgement, origin),
            ...own.answers,
          };
  const policy = policyOf(input.policies, judgement, origin);
  const { subject } = judgement.judged;
  return {
    judged: [
      judge({ name: "admission", catalogue: admission, pinned: new Set() }, answers),
      judgement.judged,
      judge({ name: "manifest", catalogue: manifestFile, pinned: new Set() }, checked.answers),
      ...(policy === undefined ? [] : [policy.judged]),
    ],
    evidence: {
      admission: { ...whom(workload), ...by(judgement, answers), ...own.facts },
      [subject.name]: judgement.evidence,
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
  "Guest image: the launch measurements were compared with the manifest alone; who vouches for it is asked by pm verify.",
  "Coordinator: that one enforces this manifest, and under which day's collateral it looked.",
  "Policy: what the policy allows, where no body was judged with --policies; a policy forces no container to start.",
  "Hardware: physical attacks, and processor keys that were extracted, are outside what evidence can show.",
];

function workloadKnown(
  keys: readonly Sourced[],
  actual: Sourced,
): Answers<typeof admission>["chain.admission.workload_known"] {
  const [first] = keys;
  if (first === undefined) return cannot("the manifest has no policies");
  const match = keys.find((k) => k.value === actual.value);
  const expected = match ?? { ...first, value: `one of ${keys.map((k) => k.value).join(", ")}`, at: "/Policies" };
  return equal(expected, actual, "workload-unknown");
}

function entryFits(
  { answers, entry, entries, demands, tee }: AdmitJudgement,
  origin: Origin,
): Answers<typeof admission>["chain.admission.entry"] {
  if (entry === undefined)
    return entries > 0
      ? cannot(`the manifest has no ${tee} reference value that pm can compare with`)
      : equal(
          specified(`at least one ${tee} reference value`, "Contrast v1.20", "validators"),
          { value: "none", origin, at: `/ReferenceValues/${tee.toLowerCase()}` },
          "no-entry-fits",
        );
  const open = demands.filter((id) => answers[id]?.status !== "pass");
  const unsure = open.filter((id) => answers[id]?.status !== "fail");
  if (unsure.length > 0 && unsure.length === open.length) return cannot(`not answered: ${unsure.join(", ")}`);
  const all = demands.length;
  return equal(
    { value: `${all} of ${all} demands of one reference value`, origin, at: entry.at },
    observed(
      `${all - open.length} of ${all} demands of one reference value`,
      tee === "SNP" ? "SNP report" : "TDX quote",
      open.join(", "),
    ),
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
const by = ({ entry }: AdmitJudgement, answers: Answers<typeof admission>): { readonly [name: string]: Json } => ({
  referenceValue: answers["chain.admission.entry"].status === "pass" ? (entry?.at ?? null) : null,
});
