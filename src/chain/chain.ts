/** The chain of one verdict as code, one claim an arrow: the Coordinator's parts, and what only the whole can answer. */
import { hex } from "../bytes/hex.ts";
import {
  type Answer,
  type Answers,
  all,
  cannot,
  equal,
  gate,
  holds,
  type Origin,
  observed,
  type Sourced,
  skip,
  unavailable,
} from "../claims/answer.ts";
import { type Judged, judge } from "../claims/subject.ts";
import type { SeenCrl } from "../crypto/crl.ts";
import type { TdReport } from "../dcap/report-body.ts";
import type { Audited } from "../report/report.ts";
import type { Look } from "../run.ts";
import type { TdxReference } from "../verifiers/contrast/explained.ts";
import { manifestRules, publishedManifest, verifyPublished } from "../verifiers/contrast/index.ts";
import { manifestKeys } from "../verifiers/kata/workload-claims.ts";
import {
  decodeTcb,
  type SnpJudgement,
  type SnpReport,
  type TcbParts,
  tcbAtLeast,
  tcbText,
} from "../verifiers/snp/index.ts";
import { captureTime } from "./capture-time.ts";
import { chain } from "./claims.ts";
import type { Content } from "./content.ts";
import { auditCoordinator, type CoordinatorAudit, type CoordinatorPlan, publishedRequest } from "./coordinator.ts";
import type { CpuJudgement } from "./cpu.ts";
import { auditExchange, type ExchangePlan } from "./exchange.ts";
import { beaconNonce, type Nonce } from "./nonce.ts";
import { notRolledBack } from "./rollback.ts";
import { noContent, noDisks, noExchange, unproven, unprovenRevocation } from "./unproven.ts";

export interface ChainPlan extends CoordinatorPlan {
  /** Launch measurements that somebody apart from the manifest vouches for; any of them. */
  readonly measurements: readonly Sourced[];
  /** The profile's floor, and who wrote the profile. */
  readonly minimumTcb?: { readonly parts: TcbParts; readonly origin: Origin };
  /** TDX reference values that somebody apart from the manifest vouches for. */
  readonly tdxReferences?: { readonly list: readonly TdxReference[]; readonly origin: Origin };
  /** Floor under the TCB evaluation data number of Intel's documents. */
  readonly minimumEvaluation?: { readonly value: bigint; readonly origin: Origin };
  readonly products?: { readonly lines: readonly string[]; readonly origin: Origin };
  /** Public value that the nonce must mix in. */
  readonly beacon?: string;
  /** By the capturer's clock; in a live run that is the wall clock. */
  readonly capturedAt: Date;
  /** The wall clock. */
  readonly now: Date;
  /** Where the audited party publishes its manifest: what can be judged when the Coordinator refuses to be asked. */
  readonly publishedPath?: string;
  /** The vendor's lists are of today while the evidence is older: only certificates say something about its time. */
  readonly refreshed: boolean;
  /** The secret exchange of a client is made, too; Privatemode's form only. */
  readonly exchange?: ExchangePlan;
}

export interface ChainAudit extends Audited {
  readonly nonce: Nonce | undefined;
  readonly manifestSha256: string | undefined;
  /** Digest of the expected manifest, and who vouches for it. */
  readonly manifestReference: Sourced | undefined;
  /** Authenticated lists that the vendor's service offered, for the high-water marks. */
  readonly offeredCrls: readonly SeenCrl[];
}

type ChainAnswers = Answers<typeof chain>;

/** `pm verify --scope live`. */
export function auditChain(plan: ChainPlan, look: Look, at: Date): ChainAudit {
  const coordinator = auditCoordinator(plan, look, at);
  const { content, cpu } = coordinator;
  const seen = [...cpu.crls, ...cpu.documents, ...cpu.offers];
  const offered = seen.filter((crl) => crl.offered);
  const listGiven = cpu.tdx === undefined ? newestGiven(cpu.crls) : seen.length > 0 && seen.every((s) => s.given);
  // Asked in any case, so that a bundle holds the marks and can be judged without the auditor's list.
  const rolledBack = notRolledBack(offered, coordinator, look);
  const pinned = new Set([
    // A floor of the other TEE's does not do for this one's.
    ...(plan.minimumTcb === undefined && (cpu.snp !== undefined || plan.minimumEvaluation === undefined)
      ? []
      : ["chain.reference.tcb_floor"]),
    ...(plan.products === undefined ? [] : ["chain.reference.product"]),
    ...(plan.beacon === undefined ? [] : ["chain.nonce.beacon"]),
    ...(listGiven ? [] : ["chain.collateral.not_rolled_back"]),
  ]);
  const answers: ChainAnswers = {
    ...behindTheGate(plan, coordinator),
    "chain.capture.time": captureTime(plan, coordinator),
    "chain.nonce.beacon": beacon(plan, coordinator.nonce),
    "chain.collateral.not_rolled_back": listGiven
      ? skip("the auditor gave the revocation list: --collateral")
      : rolledBack,
  };
  const published = staticPart(plan, coordinator, look);
  const exchange = auditExchange(plan, coordinator.pins, look, at);
  return {
    judged: [
      judge({ name: "chain", catalogue: chain, pinned }, answers),
      ...coordinator.judged,
      ...exchange.judged,
      ...(published === undefined ? [] : [published.judged]),
      ...contentSubjects(content),
    ],
    evidence: { ...coordinator.evidence, ...exchange.evidence, ...published?.evidence, ...content?.evidence },
    anchors: coordinator.anchors,
    notProven: [
      ...unproven.flatMap((line) =>
        line === noExchange
          ? [exchange.notProven]
          : line === noContent && content !== undefined
            ? content.notProven
            : line === noDisks && content?.disks !== undefined
              ? content.disks.recomputed
              : [line],
      ),
      ...unprovenRevocation(cpu.snp?.crls ?? []),
    ],
    ...(content === undefined ? {} : { readers: content.readers }),
    ...(content?.disks === undefined ? {} : { models: content.disks.rows }),
    nonce: coordinator.nonce,
    manifestSha256: coordinator.manifest?.sha256,
    manifestReference: coordinator.reference,
    offeredCrls: offered,
  };
}

/** The auditor answers for the age of an authentic list that is the newest; a list of anything else changes nothing. */
function newestGiven(crls: readonly SeenCrl[]): boolean {
  const newest = Math.max(...crls.map((crl) => Date.parse(crl.thisUpdate)));
  return crls.some((crl) => crl.given && Date.parse(crl.thisUpdate) === newest);
}

/** What the manifest lets in, where a deployment file was given: its subjects are the auditor's, whatever the answer holds. */
const contentSubjects = (content: Content | undefined): Judged[] =>
  content === undefined
    ? []
    : [judge({ name: "manifest", catalogue: manifestKeys, pinned: new Set() }, content.keys), ...content.judged];

/** Without a credential the Coordinator refuses, and what is published is all that there is. It adds to what is owed. */
function staticPart(
  { publishedPath, contrastVersion }: ChainPlan,
  { answered, reference }: CoordinatorAudit,
  look: Look,
) {
  if (answered !== "refused" || publishedPath === undefined) return undefined;
  const response = look(publishedRequest(publishedPath));
  const { answers, evidence } = verifyPublished(response, manifestRules(contrastVersion), reference);
  return {
    judged: judge({ name: "published manifest", catalogue: publishedManifest, pinned: new Set() }, answers),
    evidence: { "published manifest": evidence },
  };
}

type Gated = Pick<
  ChainAnswers,
  "chain.reference.measurement_known" | "chain.reference.tcb_floor" | "chain.reference.product"
>;

/** What is compared with fields of the report is asked only when the report is the vendor's. */
function behindTheGate(plan: ChainPlan, coordinator: CoordinatorAudit): Gated {
  const { cpu, blocked } = coordinator;
  const questions = {
    "chain.reference.measurement_known": chain["chain.reference.measurement_known"],
    "chain.reference.tcb_floor": chain["chain.reference.tcb_floor"],
    "chain.reference.product": chain["chain.reference.product"],
  };
  const { snp, tdx } = cpu;
  if (snp?.report !== undefined)
    return {
      "chain.reference.measurement_known": measurementKnown(
        plan.measurements,
        snp.report,
        coordinator.manifestPinned ? cpu.extended : undefined,
      ),
      "chain.reference.tcb_floor": tcbFloor(plan.minimumTcb, snp.report, snp),
      "chain.reference.product": product(plan.products, snp.line ?? "unknown", "CPUID, VEK issuer"),
    };
  const td = tdx?.quote?.body;
  if (td !== undefined && td.kind !== "sgx-report")
    return {
      "chain.reference.measurement_known": tdKnown(plan.tdxReferences, td),
      "chain.reference.tcb_floor": evaluationFloor(plan.minimumEvaluation, cpu),
      "chain.reference.product": product(plan.products, "TDX", "TEE type"),
    };
  return all(questions, blocked ?? skip("not asked: the evidence is not authentic"));
}

/** MRTD, MRSEAM and all four RTMRs: the firmware, the module, and what was measured into the TD. */
function tdKnown(known: ChainPlan["tdxReferences"], td: TdReport): Gated["chain.reference.measurement_known"] {
  const text = (mrTd: string, mrSeam: string, rtmrs: readonly string[]): string =>
    `MRTD ${mrTd}, MRSEAM ${mrSeam}, RTMRs ${rtmrs.join(" ")}`;
  const actual = observed(text(hex(td.mrTd), hex(td.mrSeam), td.rtmrs.map(hex)), "TDX quote", "MRTD, MRSEAM, RTMR0..3");
  if (known === undefined || known.list.length === 0)
    return skip("no reference value given: use manifestValues.tdx in the profile", "measurement-unreferenced");
  const texts = known.list.map((r) => text(r.mrTd, r.mrSeam, r.rtmrs));
  const value = texts.find((t) => t === actual.value) ?? texts.join(" or ");
  return equal({ value, origin: known.origin, at: "manifestValues.tdx" }, actual, "measurement-unreferenced");
}

/** What must be answered with yes before a document's number is Intel's word. */
function documentsShown(judgement: CoordinatorAudit["cpu"]["tdx"]): Record<string, Answer> {
  const ids = ["tcb_info", "qe_identity"].flatMap((d) => ["format", "chain", "signature"].map((q) => `tdx.${d}.${q}`));
  const answers: Readonly<Record<string, Answer>> = judgement?.answers ?? {};
  return Object.fromEntries(ids.map((id) => [id, answers[id] ?? cannot("not answered: a bug in pm")] as const));
}

/** Of an SNP floor nothing can be said here, so a profile that has only that one stays open. */
function evaluationFloor(
  floor: ChainPlan["minimumEvaluation"],
  { documents, tdx: judgement }: CoordinatorAudit["cpu"],
): Gated["chain.reference.tcb_floor"] {
  if (floor === undefined)
    return skip("no reference value given for TDX: use manifestValues.minTcbEvaluationDataNumber in the profile");
  // As open as what keeps them away: a service that cannot be reached is asked again.
  const shown = gate(documentsShown(judgement), documents);
  if ("blocked" in shown) return shown.blocked;
  const numbers = documents.map((d) => BigInt(d.number ?? -1));
  if (numbers.length < 2) return cannot("TCB info and QE identity are not both authentic");
  const lowest = numbers.reduce((a, b) => (b < a ? b : a));
  return holds(
    lowest >= floor.value,
    { value: `at least ${floor.value}`, origin: floor.origin, at: "manifestValues.minTcbEvaluationDataNumber" },
    observed(String(lowest), "TCB info, QE identity", "tcbEvaluationDataNumber"),
    "tcb-below-profile",
  );
}

/**
 * @param extended of a manifest that somebody apart from the audited party vouches for: where further vCPUs start is in no
 * digest of one vCPU, and whoever chooses APEIP chooses what they run
 */
function measurementKnown(
  known: readonly Sourced[],
  report: SnpReport,
  extended: CpuJudgement["extended"],
): Gated["chain.reference.measurement_known"] {
  const actual = observed(hex(report.measurement), "SNP report", "MEASUREMENT, 0x90..0xbf");
  const [first] = known;
  if (first === undefined)
    return skip(
      "no reference value given: use --measurement HEX or measurements in the profile",
      "measurement-unreferenced",
    );
  const match = known.find((m) => m.value === actual.value);
  const seed = extended === undefined ? undefined : known.find((m) => m.value === extended.seed);
  if (match === undefined && seed !== undefined && extended !== undefined)
    return equal(
      { ...seed, value: extended.digest, at: `${extended.seed} with APEIP of the manifest, vCPUs: ${extended.vcpus}` },
      actual,
      "measurement-unreferenced",
    );
  const expected = match ?? { ...first, value: known.map((m) => m.value).join(" or ") };
  return equal(expected, actual, "measurement-unreferenced");
}

function tcbFloor(
  floor: ChainPlan["minimumTcb"],
  report: SnpReport,
  { line }: SnpJudgement,
): Gated["chain.reference.tcb_floor"] {
  if (floor === undefined) return skip("no reference value given");
  if (line === undefined) return skip("not asked: the layout of the TCB is not known without the product line");
  const reported = decodeTcb(report.reportedTcb, line);
  return holds(
    tcbAtLeast(reported, floor.parts),
    { value: tcbText(floor.parts), origin: floor.origin, at: "minimumTcb" },
    observed(tcbText(reported), "SNP report", "REPORTED_TCB, 0x180..0x187"),
    "tcb-below-profile",
  );
}

function product(accepted: ChainPlan["products"], line: string, at: string): Gated["chain.reference.product"] {
  if (accepted === undefined) return skip("no reference value given");
  return holds(
    accepted.lines.includes(line),
    { value: accepted.lines.join(" or "), origin: accepted.origin, at: "products" },
    observed(line, "evidence", at),
    "product-not-accepted",
  );
}

function beacon(plan: ChainPlan, nonce: Nonce | undefined): ChainAnswers["chain.nonce.beacon"] {
  if (plan.beacon === undefined) return skip("no beacon given");
  if (nonce === undefined) return unavailable("no nonce yet");
  if (nonce.salt === undefined) return skip("the recorded nonce was made without a beacon");
  return equal(
    {
      value: hex(beaconNonce(nonce.salt, plan.beacon)),
      origin: { kind: "flag", name: "--beacon" },
      at: `with the recorded salt ${hex(nonce.salt)}`,
    },
    observed(hex(nonce.bytes), "request", "/nonce"),
    "beacon-mismatch",
  );
}
