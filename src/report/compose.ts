/** Puts a judgement into words and counts: claims in, one Report out. Nothing is judged here but by `conclude`. */
import { cannot } from "../claims/answer.ts";
import type { Claim, Judged } from "../claims/subject.ts";
import { conclude, exitStatus, owedIds, type Rules } from "../claims/verdict.ts";
import type { Audited, Relaxation, Report, ReportClaim } from "./report.ts";
import { type AsRecorded, verdictLine } from "./verdict-line.ts";

export interface ReportInput {
  readonly audited: Audited;
  readonly target: string;
  readonly scope: string;
  /** RFC 3339. */
  readonly judgedAt: string;
  /** RFC 3339, by the capturer's clock; null when nobody says. */
  readonly capturedAt: string | null;
  readonly freshness: string;
  /** Lower-case hex. */
  readonly profileSha256: string | null;
  readonly bundleSha256: string | null;
  readonly relaxations: readonly Relaxation[];
  readonly rules: Rules;
  readonly toolVersion: string;
  readonly asRecorded?: AsRecorded | undefined;
  readonly authenticOnly?: boolean | undefined;
  readonly selfConsistent?: boolean | undefined;
  readonly testRoot?: boolean | undefined;
  readonly firstUse?: string | undefined;
}

/** Name of the relaxation that `--insecure-trust-root` makes; it is enough for the words TEST ROOT. */
export const testRootRelaxation = "insecure-trust-root";

/**
 * @throws PmError PM_BUG when one claim has two answers
 */
export function composeReport(input: ReportInput): Report {
  const { audited, rules } = input;
  const judged = audited.judged.map((j) => whole(j, rules.promoted));
  const conclusion = conclude(judged, rules);
  const claims = judged.flatMap((j) => reportClaims(j, rules.promoted));
  return {
    schemaVersion: 1,
    tool: { name: "pm", version: input.toolVersion },
    target: input.target,
    scope: input.scope,
    judgedAt: input.judgedAt,
    capturedAt: input.capturedAt,
    freshness: input.freshness,
    profileSha256: input.profileSha256,
    bundleSha256: input.bundleSha256,
    verdict: conclusion.verdict,
    verdictLine: verdictLine({
      conclusion,
      scope: input.scope,
      authenticOnly: input.authenticOnly === true,
      selfConsistent: input.selfConsistent === true,
      testRoot: input.testRoot === true || input.relaxations.some((r) => r.name === testRootRelaxation),
      firstUse: input.firstUse ?? firstUseOf(claims),
      asRecorded: input.asRecorded,
    }),
    exitCode: exitStatus[conclusion.verdict],
    anchors: audited.anchors,
    relaxations: input.relaxations,
    waivers: conclusion.waivers,
    evidence: audited.evidence,
    claims,
    ...(audited.readers === undefined ? {} : { readers: audited.readers }),
    ...(audited.models === undefined ? {} : { models: audited.models }),
    ...(audited.probes === undefined ? {} : { probes: audited.probes }),
    notProven: [...audited.notProven, ...judged.flatMap(notAsked)],
  };
}

/** An owed claim that was lost on the way could never pass; here it is shown as open, too. */
function whole(judged: Judged, promoted: ReadonlySet<string>): Judged {
  const answered = new Set(judged.claims.map((c) => c.id));
  const lost = owedIds(judged, promoted)
    .filter((id) => !answered.has(id))
    .map((id): Claim => ({ ...cannot("not answered: a bug in pm"), id, subject: judged.subject.name }));
  return lost.length === 0 ? judged : { ...judged, claims: [...judged.claims, ...lost] };
}

/** Subject by subject as judged, each in catalogue order. */
function reportClaims(judged: Judged, promoted: ReadonlySet<string>): ReportClaim[] {
  const owed = new Set(owedIds(judged, promoted));
  return judged.claims.map((claim) => reportClaim(claim, owed.has(claim.id)));
}

const reportClaim = (c: Claim, owed: boolean): ReportClaim => ({
  id: c.id,
  subject: c.subject,
  status: c.status,
  owed,
  ...(c.code === undefined ? {} : { code: c.code }),
  ...(c.grade === undefined ? {} : { grade: c.grade }),
  ...(c.expected === undefined ? {} : { expected: c.expected }),
  ...(c.actual === undefined ? {} : { actual: c.actual }),
  ...(c.reason === undefined ? {} : { reason: c.reason }),
});

/** The report has a line of its own for freshness, and a replay must list the same things as the run that it repeats. */
const saidElsewhere: ReadonlySet<string> = new Set(["contrast.nonce.fresh", "contrast.exchange.fresh"]);

/** Questions that nobody gave a reference value for: not owed, and not proven either. */
function notAsked({ subject, claims }: Judged): string[] {
  const open = claims.filter(
    (c) =>
      c.status === "skip" &&
      subject.catalogue[c.id]?.owed === "pinned" &&
      !subject.pinned.has(c.id) &&
      !saidElsewhere.has(c.id),
  );
  return [...Map.groupBy(open, (c) => c.reason ?? "no reason given")].map(
    ([reason, same]) => `${subject.name}, ${reason}: ${same.map((c) => c.id).join(", ")}`,
  );
}

/** The latest date on which a reference that decided something was taken over on first sight. */
function firstUseOf(claims: readonly ReportClaim[]): string | undefined {
  const dates = claims.flatMap(({ expected }) =>
    expected?.origin.kind === "pinned" && expected.origin.firstUse !== undefined ? [expected.origin.firstUse] : [],
  );
  return dates.sort().at(-1);
}
