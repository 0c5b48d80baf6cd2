/** The one line that an auditor quotes: first word what it is, then for which question, then what weakens it. */
import type { Claim } from "../claims/subject.ts";
import type { Conclusion } from "../claims/verdict.ts";
import { count, safe } from "./text.ts";

/** A replay: when the evidence was received, and whose word that is (NOBODY when nobody signed it). */
export interface AsRecorded {
  readonly at: string;
  readonly assertedBy: string;
}

export interface Ending {
  readonly conclusion: Conclusion;
  readonly scope: string;
  /** The question was only whose bytes these are: `--authentic-only`. */
  readonly authenticOnly: boolean;
  /** The command may end without a manifest reference; then its word is `self-consistent`. */
  readonly selfConsistent: boolean;
  /** The pinned vendor root was replaced. */
  readonly testRoot: boolean;
  /** Date on which a reference was taken over on first sight. */
  readonly firstUse: string | undefined;
  readonly asRecorded: AsRecorded | undefined;
}

/** Ids that are listed in the line; the others are in the report. */
const listed = 5;
const manifestReference = "contrast.manifest.expected";

/** What stays open is only that nobody but the audited party names the manifest that everything was compared with. */
const onlyReferenceIsMissing = (open: readonly Claim[]): boolean =>
  open.length > 0 &&
  open.every((c) => c.status === "consistent" || (c.id === manifestReference && c.status === "skip"));

/** Total: every conclusion has a line. */
export function verdictLine(e: Ending): string {
  // No counts of what is open: a replay owes one claim less than the run, and its line shall read the same.
  const { verdict, open, owed } = e.conclusion;
  const scope = e.scope === "full" ? "" : ` (${e.scope})`;
  const say = (word: string, rest: string): string => safe(`${e.testRoot ? "TEST ROOT " : ""}${word}${scope}${rest}`);
  switch (verdict) {
    case "verified":
      return say(e.authenticOnly ? "authentic" : "verified", qualifiers(e));
    case "failed": {
      const no = open.filter((c) => c.status === "fail");
      return say("failed", `: ${claims(no.length)} ${no.length === 1 ? "says" : "say"} no: ${ids(no)}`);
    }
    case "unavailable":
      return say("unavailable", `: no answer from a source for ${ids(open)}`);
    case "inconclusive":
      if (owed === 0) return say("inconclusive", ": no claim was owed");
      return e.selfConsistent && onlyReferenceIsMissing(open)
        ? say("self-consistent", `${qualifiers(e)}: only the audited party vouches for the manifest`)
        : say("inconclusive", `: not proven: ${ids(open)}`);
  }
}

const claims = (n: number): string => count(n, "owed claim");

/** What a reader must know beside a good word, in the order waivers, clock, first use. */
function qualifiers(e: Ending): string {
  const waived = e.conclusion.waivers.filter((w) => w.state === "applied").length;
  return [
    waived === 0 ? "" : ` with ${count(waived, "waiver")}`,
    e.asRecorded === undefined ? "" : ` as recorded at ${e.asRecorded.at}, time asserted by ${e.asRecorded.assertedBy}`,
    e.firstUse === undefined ? "" : `, manifest trusted on first use ${e.firstUse}`,
  ].join("");
}

function ids(open: readonly Claim[]): string {
  const subjects = Map.groupBy(open, (c) => c.id);
  const names = [...subjects].map(([id, same]) => (same.length === 1 ? id : `${id} (${same.length} subjects)`));
  const rest = names.length - listed;
  return rest > 0 ? `${names.slice(0, listed).join(", ")} and more` : names.join(", ");
}
