/** The chain of one verdict as code, one claim an arrow: the Coordinator's parts, and what only the whole can answer. */
import { hex } from "../bytes/hex.ts";
import {
  type Answers,
  all,
  cannot,
  equal,
  holds,
  type Origin,
  observed,
  type Sourced,
  skip,
  unavailable,
} from "../claims/answer.ts";
import { judge } from "../claims/subject.ts";
import type { Audited } from "../report/report.ts";
import type { Look, Request } from "../run.ts";
import { rfc } from "../time.ts";
import { manifestRules, publishedManifest, verifyPublished } from "../verifiers/contrast/index.ts";
import {
  decodeTcb,
  type ProductLine,
  type SeenCrl,
  type SnpJudgement,
  type SnpReport,
  type TcbParts,
  tcbAtLeast,
  tcbText,
} from "../verifiers/snp/index.ts";
import { chain } from "./claims.ts";
import { auditCoordinator, type CoordinatorAudit, type CoordinatorPlan, publishedRequest } from "./coordinator.ts";
import { beaconNonce, type Nonce } from "./nonce.ts";
import { unproven } from "./unproven.ts";

export interface ChainPlan extends CoordinatorPlan {
  /** Launch measurements that somebody apart from the manifest vouches for; any of them. */
  readonly measurements: readonly Sourced[];
  /** The profile's floor, and who wrote the profile. */
  readonly minimumTcb?: { readonly parts: TcbParts; readonly origin: Origin };
  readonly products?: { readonly lines: readonly ProductLine[]; readonly origin: Origin };
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
  /** Revocation lists come from the vendor's service or the evidence, not from the auditor. */
  readonly vendorAsked: boolean;
}

export interface ChainAudit extends Audited {
  readonly nonce: Nonce | undefined;
  readonly manifestSha256: string | undefined;
  /** Authenticated lists that the vendor's service offered, for the high-water marks. */
  readonly offeredCrls: readonly SeenCrl[];
}

type ChainAnswers = Answers<typeof chain>;

/** `pm verify --scope live`. */
export function auditChain(plan: ChainPlan, look: Look, at: Date): ChainAudit {
  const coordinator = auditCoordinator(plan, look, at);
  const offeredCrls = plan.vendorAsked ? (coordinator.snp?.crls ?? []).filter((crl) => crl.offered) : [];
  const pinned = new Set([
    ...(plan.minimumTcb === undefined ? [] : ["chain.reference.tcb_floor"]),
    ...(plan.products === undefined ? [] : ["chain.reference.product"]),
    ...(plan.beacon === undefined ? [] : ["chain.nonce.beacon"]),
    ...(plan.vendorAsked ? ["chain.collateral.not_rolled_back"] : []),
  ]);
  const answers: ChainAnswers = {
    ...behindTheGate(plan, coordinator),
    "chain.capture.time": captureTime(plan, coordinator.snp),
    "chain.nonce.beacon": beacon(plan, coordinator.nonce),
    "chain.collateral.not_rolled_back": plan.vendorAsked
      ? notRolledBack(offeredCrls, coordinator, look)
      : skip("the auditor gave the revocation list: --collateral"),
  };
  const published = staticPart(plan, coordinator, look);
  return {
    judged: [
      judge({ name: "chain", catalogue: chain, pinned }, answers),
      ...coordinator.judged,
      ...(published === undefined ? [] : [published.judged]),
    ],
    evidence: { ...coordinator.evidence, ...published?.evidence },
    anchors: coordinator.anchors,
    notProven: unproven,
    nonce: coordinator.nonce,
    manifestSha256: coordinator.manifest?.sha256,
    offeredCrls,
  };
}

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
function behindTheGate(plan: ChainPlan, { snp }: CoordinatorAudit): Gated {
  const questions = {
    "chain.reference.measurement_known": chain["chain.reference.measurement_known"],
    "chain.reference.tcb_floor": chain["chain.reference.tcb_floor"],
    "chain.reference.product": chain["chain.reference.product"],
  };
  if (snp === undefined) return all(questions, skip("not asked: no SNP evidence in the answer"));
  const { report } = snp;
  if (report === undefined) return all(questions, snp.blocked ?? skip("not asked: the report is not authentic"));
  return {
    "chain.reference.measurement_known": measurementKnown(plan.measurements, report),
    "chain.reference.tcb_floor": tcbFloor(plan.minimumTcb, report, snp),
    "chain.reference.product": product(plan.products, snp),
  };
}

function measurementKnown(known: readonly Sourced[], report: SnpReport): Gated["chain.reference.measurement_known"] {
  const actual = observed(hex(report.measurement), "SNP report", "MEASUREMENT, 0x90..0xbf");
  const [first] = known;
  if (first === undefined)
    return skip(
      "no reference value given: use --measurement HEX or measurements in the profile",
      "measurement-unreferenced",
    );
  const match = known.find((m) => m.value === actual.value);
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

function product(accepted: ChainPlan["products"], { line }: SnpJudgement): Gated["chain.reference.product"] {
  if (accepted === undefined) return skip("no reference value given");
  return holds(
    line !== undefined && accepted.lines.includes(line),
    { value: accepted.lines.join(" or "), origin: accepted.origin, at: "products" },
    observed(line ?? "unknown", "SNP report", "CPUID, VEK issuer"),
    "product-not-accepted",
  );
}

/** Two facts: the time is not in the future, and all that the evidence rests on was valid then. */
function captureTime(plan: ChainPlan, snp: SnpJudgement | undefined): ChainAnswers["chain.capture.time"] {
  const windows = snp?.windows ?? [];
  if (windows.length === 0) return skip("not asked: no certificate path");
  const lists = snp?.crls ?? [];
  if (lists.length === 0) return unavailable("no authentic revocation list");
  const t = plan.capturedAt.getTime();
  const inside = (from: string, to: string | null): boolean =>
    Date.parse(from) <= t && (to === null ? false : t <= Date.parse(to));
  const outside = windows.filter((w) => !inside(w.from, w.to)).map((w) => w.name);
  const listed = plan.refreshed || lists.some((l) => inside(l.thisUpdate, l.nextUpdate));
  const future = t > plan.now.getTime();
  const text = [
    ...windows,
    ...lists.map((l) => ({ name: `CRL of ${l.issuer}`, from: l.thisUpdate, to: l.nextUpdate ?? "?" })),
  ]
    .map((w) => `${w.name} ${w.from}..${w.to}`)
    .join(", ");
  const reasons = [
    ...outside.map((name) => `outside the validity of ${name}`),
    ...(listed ? [] : ["outside the window of every revocation list"]),
    ...(future ? ["in the future"] : []),
  ];
  return holds(
    outside.length === 0 && listed && !future,
    { value: `inside ${text}`, origin: { kind: "recomputed", name: "validity windows of the collateral" } },
    observed(rfc(plan.capturedAt), "capture", "capturedAt"),
    "capture-time",
    reasons.join(", "),
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

/** What this installation saw of an issuer before. */
export const highWaterRequest = (issuer: string): Request => ({
  service: "memory",
  path: `/high-water/${encodeURIComponent(issuer)}`,
  maxBytes: 4096,
});

interface Mark {
  readonly number: bigint | undefined;
  readonly thisUpdate: number;
  readonly text: string;
}

/** null: nothing seen before. undefined: it cannot be said. */
function markOf(bytes: Uint8Array): Mark | null | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined; // not JSON: the caller answers that it cannot be said
  }
  if (value === null) return null;
  if (typeof value !== "object" || !("thisUpdate" in value) || !("number" in value)) return undefined;
  const { number, thisUpdate } = value;
  if (typeof thisUpdate !== "string" || !Number.isFinite(Date.parse(thisUpdate))) return undefined;
  if (number !== null && !(typeof number === "string" && /^\d{1,60}$/.test(number))) return undefined;
  return {
    number: number === null ? undefined : BigInt(number),
    thisUpdate: Date.parse(thisUpdate),
    text: `CRL ${number ?? "without number"} of ${thisUpdate}`,
  };
}

/** Where the service offered none, the list that came with the evidence is the one that could be an old one. */
function notRolledBack(
  offered: readonly SeenCrl[],
  { snp }: CoordinatorAudit,
  look: Look,
): ChainAnswers["chain.collateral.not_rolled_back"] {
  const lists = offered.length > 0 ? offered : (snp?.crls ?? []);
  if (lists.length === 0)
    return (snp?.answers["snp.chain.revocation"].status === "unavailable" ? unavailable : skip)(
      "no authentic revocation list",
    );
  const compared: { readonly crl: SeenCrl; readonly mark: Mark | null }[] = [];
  for (const crl of lists) {
    const answer = look(highWaterRequest(crl.issuer));
    if (answer.status !== "ok") return (answer.status === "refused" ? cannot : unavailable)(answer.reason);
    const mark = markOf(answer.bytes);
    if (mark === undefined) return cannot("the high-water mark cannot be read");
    compared.push({ crl, mark });
  }
  return holds(
    compared.every(({ crl, mark }) => mark === null || !isOlder(crl, mark)),
    {
      value: compared.map(({ mark }) => mark?.text ?? "none seen before").join(", "),
      origin: { kind: "measured", tool: "pm, high-water marks", at: "earlier runs" },
    },
    observed(lists.map(crlText).join(", "), "revocation list", lists.map((crl) => crl.from).join(", ")),
    "crl-rollback",
  );
}

const crlText = (crl: SeenCrl): string => `CRL ${crl.number ?? "without number"} of ${crl.thisUpdate}`;

/** Either measure alone shows it: a lower number, or an earlier date. */
const isOlder = (crl: SeenCrl, mark: Mark): boolean =>
  Date.parse(crl.thisUpdate) < mark.thisUpdate ||
  (mark.number !== undefined && (crl.number === null || BigInt(crl.number) < mark.number));
