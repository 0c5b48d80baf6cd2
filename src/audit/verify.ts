/** A whole run: open the source, let the chain judge, put it into a report, keep what was asked to be kept. */
import { auditChain, type ChainAudit, type ChainPlan } from "../chain/chain.ts";
import { usage } from "../errors.ts";
import { appendJournal } from "../journal.ts";
import { composeReport } from "../report/compose.ts";
import type { Audited, Report } from "../report/report.ts";
import { type Outcome, run } from "../run.ts";
import { type Bundle, bundleSha256, writeBundle } from "../sources/bundle.ts";
import { type HighWaterMark, recordHighWater } from "../sources/memory.ts";
import { rfc } from "../time.ts";
import type { Captured } from "./captured.ts";
import { planOf, relaxationsOf } from "./plan.ts";
import type { Settings } from "./settings.ts";
import { type Opened, openLive, openReplay } from "./source.ts";
import { withDisks } from "./with-disks.ts";

export interface Keep {
  /** Bundle to write, of exactly the judged bytes. */
  readonly save?: string;
  readonly journal?: string;
}

/** `pm verify` of a live service. */
export async function verifyLive(asked: Settings, keep: Keep): Promise<Report> {
  const settings = await withDisks(await withReference(asked));
  const opened = await openLive(settings);
  const { plan, outcome } = await judge(settings, opened);
  const capturedAt = rfc(opened.capturedAt);
  const content = { capturedAt, exchanges: outcome.used };
  if (keep.save !== undefined) await writeBundle(keep.save, content);
  if (opened.marksDir !== undefined) await recordHighWater(opened.marksDir, marksOf(outcome.result));
  const report = reportOf(settings, opened, plan, outcome, { sha256: bundleSha256(content) });
  if (keep.journal !== undefined) await appendJournal(keep.journal, report, settings.now);
  return report;
}

/** `pm verify BUNDLE --profile FILE`: the same judgement over recorded bytes. */
export async function verifyBundle(asked: Settings, bundle: Bundle, keep: Keep): Promise<Report> {
  const settings = await withDisks(await withReference(asked));
  const opened = await openReplay(settings, bundle);
  const { plan, outcome } = await judge(settings, opened);
  if (keep.save !== undefined) await writeBundle(keep.save, { capturedAt: bundle.capturedAt, exchanges: outcome.used });
  if (opened.marksDir !== undefined) await recordHighWater(opened.marksDir, marksOf(outcome.result));
  const report = reportOf(settings, opened, plan, outcome, {
    sha256: bundle.sha256,
    asRecorded: { at: rfc(opened.capturedAt), assertedBy: "NOBODY" },
  });
  if (keep.journal !== undefined) await appendJournal(keep.journal, report, settings.now);
  return report;
}

/** `pm capture`: what `pm verify` would ask for, written down; of the judgement nothing is kept. */
export async function capture(settings: Settings, target: string, bundle: Bundle | undefined): Promise<Captured> {
  if (bundle !== undefined) throw usage("a bundle is captured already", "name a profile");
  const opened = await openLive(settings);
  // No disk goes into a bundle, so none is measured.
  const { disks: _disks, ...profile } = settings.profile;
  const { outcome } = await judge({ ...settings, profile }, opened);
  const content = { capturedAt: rfc(opened.capturedAt), exchanges: outcome.used };
  return { ...content, sha256: await writeBundle(target, content) };
}

/** Reference `recomputed`: the manifest is made anew before anything is judged, in a replay, too: a bundle is no reference. */
async function withReference(settings: Settings): Promise<Settings> {
  const { profile } = settings;
  if (profile.manifest.kind !== "recomputed") return settings;
  const { recomputed } = await import("./recomputed.ts");
  return { ...settings, recomputed: await recomputed(settings, profile.manifest) };
}

async function judge(
  settings: Settings,
  opened: Opened,
): Promise<{ plan: ChainPlan; at: Date; outcome: Outcome<ChainAudit> }> {
  const at = judgementTime(settings, opened);
  const plan = planOf(settings, opened);
  const outcome = await run((look) => auditChain(plan, look, at), opened.source);
  return { plan, at, outcome };
}

const judgementTime = (settings: Settings, opened: Opened): Date => settings.at ?? opened.capturedAt;

const marksOf = (audit: ChainAudit): HighWaterMark[] =>
  audit.offeredCrls.map(({ issuer, number, thisUpdate }) => ({ issuer, number, thisUpdate }));

function reportOf(
  settings: Settings,
  opened: Opened,
  plan: ChainPlan,
  { result }: Outcome<ChainAudit>,
  bundle: { sha256: string; asRecorded?: { at: string; assertedBy: string } },
): Report {
  const { profile } = settings;
  return composeReport({
    audited: withRecomputed(settings, {
      ...result,
      notProven: [...result.notProven, ...nextStep(settings, plan, result)],
    }),
    target: settings.target,
    scope: "live",
    judgedAt: rfc(judgementTime(settings, opened)),
    capturedAt: rfc(opened.capturedAt),
    freshness: opened.freshnessLine,
    profileSha256: profile.sha256,
    bundleSha256: bundle.sha256,
    relaxations: relaxationsOf(settings),
    rules: { waivers: profile.waivers, promoted: new Set(profile.promote), now: settings.now },
    toolVersion: settings.toolVersion,
    asRecorded: bundle.asRecorded,
  });
}

function withRecomputed({ recomputed: made }: Settings, audited: Audited): Audited {
  if (made === undefined) return audited;
  return {
    ...audited,
    judged: [...audited.judged, made.judged],
    evidence: { ...audited.evidence, [made.judged.subject.name]: made.evidence },
    notProven: [...audited.notProven, ...made.notProven],
  };
}

/** With only the audited party's word there is one thing to do next: look at its manifest, and pin it. */
function nextStep({ profile }: Settings, plan: ChainPlan, { manifestSha256 }: ChainAudit): string[] {
  if (plan.manifest.kind === "given" || plan.manifest.kind === "explained" || manifestSha256 === undefined) return [];
  return [
    `Manifest: nobody but the audited party vouches for it. Review it, then pin it: pm verify ${profile.service} --manifest-sha256 ${manifestSha256}`,
  ];
}
