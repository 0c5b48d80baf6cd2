/** The verdict counts what is owed. Waivers and promotions change what is owed, neither changes an answer. */
import { PmError } from "../errors.ts";
import type { Status } from "./answer.ts";
import type { Claim, Judged, Subject } from "./subject.ts";

export type Verdict = "verified" | "failed" | "inconclusive" | "unavailable";

/** Exit statuses of a judging command; docs/exit-codes.md. */
export const exitStatus = { verified: 0, failed: 1, inconclusive: 3, unavailable: 4 } as const satisfies Record<
  Verdict,
  number
>;

/** An exception that somebody answers for, until a date. */
export interface Waiver {
  readonly claim: string;
  readonly subject: string;
  readonly reason: string;
  readonly owner: string;
  /** RFC 3339 instant; compared with the wall clock, whatever the judgement time is. */
  readonly expires: string;
}
/** What became of a waiver: it shows in every output, used or not. */
export interface WaiverUse extends Waiver {
  readonly state: "applied" | "expired" | "not-waivable" | "unused";
}

export interface Rules {
  readonly waivers: readonly Waiver[];
  /** Ids of advisory claims that the profile made owed. */
  readonly promoted: ReadonlySet<string>;
  /** The wall clock. */
  readonly now: Date;
}
export interface Conclusion {
  readonly verdict: Verdict;
  readonly waivers: readonly WaiverUse[];
  /** Owed claims that did not pass and were not waived, in output order. */
  readonly open: readonly Claim[];
  /** How many claims were owed. */
  readonly owed: number;
}

const key = (subject: string, id: string): string => JSON.stringify([subject, id]);

/** Owed claims of a subject, by its catalogue and not by what was answered. */
export function owedIds(
  { subject }: { readonly subject: Pick<Subject, "catalogue" | "pinned"> },
  promoted: ReadonlySet<string>,
): string[] {
  return Object.entries(subject.catalogue)
    .filter(([id, q]) => q.owed === "always" || (q.owed === "pinned" ? subject.pinned.has(id) : promoted.has(id)))
    .map(([id]) => id);
}

function useOf(waiver: Waiver, judged: readonly Judged[], failed: ReadonlySet<string>, now: Date): WaiverUse {
  const question = judged.find((j) => j.subject.name === waiver.subject)?.subject.catalogue[waiver.claim];
  const expires = Date.parse(waiver.expires);
  const state = !failed.has(key(waiver.subject, waiver.claim))
    ? "unused"
    : question?.waivable === false
      ? "not-waivable"
      : !Number.isFinite(expires) || expires <= now.getTime()
        ? "expired"
        : "applied";
  return { ...waiver, state };
}

/**
 * design: any owed `fail` that is not waived is `failed`; no owed claim, or an `error`, `skip` or `consistent`, is
 * `inconclusive`; only `unavailable` left is `unavailable`; else `verified`. A waiver covers a `fail` and nothing else.
 * @throws PmError PM_BUG when one claim has two answers.
 */
export function conclude(judged: readonly Judged[], rules: Rules): Conclusion {
  const found = new Map<string, Claim>();
  for (const claim of judged.flatMap((j) => j.claims)) {
    const k = key(claim.subject, claim.id);
    if (found.has(k)) throw new PmError("PM_BUG", `two answers to one claim: ${claim.subject} ${claim.id}`);
    found.set(k, claim);
  }
  const owed = judged.flatMap((j) => owedIds(j, rules.promoted).map((id) => ({ j, id })));
  const failed = new Set(
    owed
      .filter(({ j, id }) => found.get(key(j.subject.name, id))?.status === "fail")
      .map(({ j, id }) => key(j.subject.name, id)),
  );
  const waivers = rules.waivers.map((w) => useOf(w, judged, failed, rules.now));
  const waived = new Set(waivers.filter((w) => w.state === "applied").map((w) => key(w.subject, w.claim)));

  const left = owed.filter(({ j, id }) => !waived.has(key(j.subject.name, id)));
  const statuses = left.map(({ j, id }): Status => found.get(key(j.subject.name, id))?.status ?? "error");
  const open = left.flatMap(({ j, id }) => {
    const claim = found.get(key(j.subject.name, id));
    return claim !== undefined && claim.status !== "pass" ? [claim] : [];
  });
  return { verdict: word(owed.length, statuses), waivers, open, owed: owed.length };
}

function word(owed: number, left: readonly Status[]): Verdict {
  if (left.includes("fail")) return "failed";
  if (owed === 0 || left.some((s) => s !== "pass" && s !== "unavailable")) return "inconclusive";
  return left.includes("unavailable") ? "unavailable" : "verified";
}
