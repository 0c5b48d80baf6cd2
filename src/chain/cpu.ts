/** The CPU's evidence of a Coordinator: whichever TEE it is of, in the terms that the chain needs. */
import { type Answer, all, cannot, gate, type Sourced } from "../claims/answer.ts";
import type { Catalogue } from "../claims/question.ts";
import { type Judged, judge } from "../claims/subject.ts";
import type { SeenCrl } from "../crypto/crl.ts";
import { intelRoot, intelTestRoot } from "../dcap/root.ts";
import type { Anchor, Json } from "../report/report.ts";
import type { Look } from "../run.ts";
import type {
  Attested,
  CoordinatorInput,
  CoordinatorState,
  DecodedManifest,
  SnpReferenceValue,
} from "../verifiers/contrast/index.ts";
import {
  amdRoots,
  noReferences as noSnpReferences,
  pinnedBy as pinnedBySnp,
  type SnpJudgement,
  snp,
  authenticity as snpAuthenticity,
  testRoot as snpTestRoot,
  verifySnp,
} from "../verifiers/snp/index.ts";
import {
  noReferences as noTdxReferences,
  pinnedBy as pinnedByTdx,
  type TdxJudgement,
  tdx,
  authenticity as tdxAuthenticity,
  verifyTdx,
} from "../verifiers/tdx/index.ts";
import { expectedMeasurement, measuredIn } from "./ap-measurement.ts";
import { type Binding, type Measured, snpCandidates, tdxCandidates } from "./references.ts";

/** RFC 3339, both ends belong to it. */
export interface Window {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Of the certificate that signed the vendor's documents: theirs, not the evidence's. */
  readonly signer?: boolean;
}

export interface CpuJudgement {
  readonly judged: Judged;
  readonly evidence: Json;
  readonly anchors: readonly Anchor[];
  /** What came through the TEE verifier's gate, in Contrast's terms. */
  readonly attested: CoordinatorInput["attested"];
  /** Of the certificates that the evidence rests on; lists and documents are in `crls` and `documents`. */
  readonly windows: readonly Window[];
  /** Authentic revocation lists. */
  readonly crls: readonly SeenCrl[];
  /** Other dated documents of the vendor: TCB info and QE identity. */
  readonly documents: readonly SeenCrl[];
  /** Older ones that the vendor's service offered in their place. */
  readonly offers: readonly SeenCrl[];
  /** What the verifier says of revocation. */
  readonly revocation: Answer;
  /** The verifier's own judgement; neither where no evidence could be looked at. */
  readonly snp?: SnpJudgement;
  readonly tdx?: TdxJudgement;
  /** There when the measurement was compared with an entry that has APEIP, and is its. */
  readonly extended?: ExtendedMeasurement;
}

export interface ExtendedMeasurement {
  /** TrustedMeasurement, that of one vCPU; lower-case hex. */
  readonly seed: string;
  /** With the pages of the other vCPUs. */
  readonly digest: string;
  readonly vcpus: number;
}

export interface CpuInput {
  /** One root in place of the vendor's. */
  readonly testRoot: { readonly file: string; readonly bytes: Uint8Array } | undefined;
  readonly manifest: DecodedManifest | undefined;
  /** Whose word the manifest's values are. */
  readonly origin: Sourced["origin"];
  readonly binding: Binding;
  /** XFAM of a TD may differ in both CET bits: who allows it. */
  readonly cetDifference: Sourced | undefined;
  readonly look: Look;
  readonly at: Date;
}

const name = "coordinator report";

/** There is nothing to look at: the questions of SNP stand for those of whatever evidence would have been there. */
export const noEvidence = (answer: Answer<never>): CpuJudgement => ({
  judged: judge({ name, catalogue: snp, pinned: new Set() }, all(snp, answer)),
  evidence: null,
  anchors: [],
  attested: { blocked: answer },
  windows: [],
  crls: [],
  documents: [],
  offers: [],
  revocation: answer,
});

/** Each reference value of the manifest for this TEE is a candidate; without one only authenticity can be judged. */
export const verifyCpu = (state: CoordinatorState, input: CpuInput): CpuJudgement =>
  state.document.kind === "tdx" ? verifyTd(state, input) : verifyGuest(state, input);

function verifyGuest({ document }: CoordinatorState, input: CpuInput): CpuJudgement {
  const { manifest, origin, binding, look, at, testRoot } = input;
  const entries = manifest?.manifest?.snp ?? [];
  const rules = manifest?.rules ?? { apExtension: false };
  const measured = { rules, measurement: measuredIn(document.bytes, entries, rules) };
  const candidates =
    manifest?.manifest === undefined ? [] : snpCandidates(manifest.manifest, origin, binding, measured);
  const asked = candidates.length > 0 ? candidates : [{ ...noSnpReferences, ...binding }];
  const roots = testRoot === undefined ? amdRoots : snpTestRoot(testRoot.bytes, testRoot.file);
  // A Coordinator's evidence owes a revocation list in any case.
  const judgement = verifySnp({ bytes: document.bytes }, look, asked, { roots, revocation: "required" }, at);
  const { answers, anchors, report, blocked, windows, crls } = judgement;
  const extended = extendedBy(entries[judgement.candidate], judgement, measured);
  return {
    judged: judge(
      { name, catalogue: snp, pinned: pinnedBySnp(asked[judgement.candidate] ?? noSnpReferences) },
      answers,
    ),
    evidence: withVcpus(judgement.evidence, extended),
    anchors,
    attested:
      report === undefined
        ? { blocked: blocked ?? cannot("the report was not authenticated") }
        : gate(stageOf(answers, snpAuthenticity), {
            tee: "snp",
            reportData: report.reportData,
            hostData: report.hostData,
          } satisfies Attested),
    windows,
    crls,
    documents: [],
    offers: [],
    revocation: answers["snp.chain.revocation"],
    snp: judgement,
    ...(extended === undefined ? {} : { extended }),
  };
}

/** The matched digest of an entry with APEIP; undefined where the entry has none, or the measurement is not its own. */
export function extendedBy(
  entry: SnpReferenceValue | undefined,
  { answers }: SnpJudgement,
  { rules, measurement }: Measured,
): ExtendedMeasurement | undefined {
  const { status } = answers["snp.report.measurement"];
  if (entry === undefined || (status !== "pass" && status !== "consistent")) return undefined;
  const { digest, vcpus } = expectedMeasurement(entry, rules, measurement);
  return vcpus === undefined ? undefined : { seed: entry.trustedMeasurement, digest, vcpus };
}

/** How many vCPUs the guest was launched with is told by the measurement alone. */
export const withVcpus = (evidence: Json, extended: ExtendedMeasurement | undefined): Json =>
  extended === undefined || typeof evidence !== "object" || evidence === null || Array.isArray(evidence)
    ? evidence
    : { ...evidence, vcpus: extended.vcpus };

function verifyTd({ document }: CoordinatorState, input: CpuInput): CpuJudgement {
  const { manifest, origin, binding, look, at, testRoot, cetDifference } = input;
  const candidates = (manifest?.manifest === undefined ? [] : tdxCandidates(manifest.manifest, origin, binding)).map(
    (candidate) => (cetDifference === undefined ? candidate : { ...candidate, cetDifference }),
  );
  const { reportData } = binding;
  const asked =
    candidates.length > 0 ? candidates : [{ ...noTdxReferences, ...(reportData === undefined ? {} : { reportData }) }];
  const root = testRoot === undefined ? intelRoot() : intelTestRoot(testRoot.bytes, testRoot.file);
  const evidence = { bytes: document.bytes, form: "protobuf" } as const;
  const judgement = verifyTdx(evidence, look, asked, { root, collateral: "required" }, at);
  const { answers, anchors, quote, blocked, windows, crls, documents } = judgement;
  return {
    judged: judge(
      { name, catalogue: tdx, pinned: pinnedByTdx(asked[judgement.candidate] ?? noTdxReferences) },
      answers,
    ),
    evidence: judgement.evidence,
    anchors,
    attested:
      quote === undefined || quote.body.kind === "sgx-report"
        ? { blocked: blocked ?? cannot("the quote was not authenticated") }
        : gate(stageOf(answers, tdxAuthenticity), {
            tee: "tdx",
            reportData: quote.body.reportData,
            // That nothing follows in MRCONFIGID the pinned comparison of all 48 bytes says.
            hostData: quote.body.mrConfigId.subarray(0, 32),
          } satisfies Attested),
    windows: windows.flatMap(({ collateral, ...window }) =>
      collateral === "document" ? [] : [collateral === "signer" ? { ...window, signer: true } : window],
    ),
    crls,
    documents,
    offers: judgement.offers,
    revocation: answers["tdx.pck.revocation"],
    tdx: judgement,
  };
}

/** The answers of a verifier's stage of authenticity: read off its catalogue, so that a lost one closes the gate. */
const stageOf = (answers: Readonly<Record<string, Answer>>, stage: Catalogue): Record<string, Answer> =>
  Object.fromEntries(
    Object.keys(stage).map((id) => [id, answers[id] ?? cannot<never>("not answered: a bug in pm")] as const),
  );
