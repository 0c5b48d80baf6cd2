/** The Coordinator's own answer as claims: the best over all reference values, and what it leaves unasked. */
import { type Answers, cannot, equal, graded, holds, observed, specified, unavailable } from "../claims/answer.ts";
import type { Json } from "../report/report.ts";
import type { Manifest, PolicyEntry } from "../verifiers/contrast/index.ts";
import { noReferences, type SnpJudgement, type SnpReferences } from "../verifiers/snp/index.ts";
import type { admission } from "./admission-claims.ts";
import { contrastOn, type Reason, reasonOf, type Word, wordOf } from "./admit-contrast.ts";

export interface OwnAnswer {
  readonly answers: Pick<
    Answers<typeof admission>,
    "chain.admission.coordinator" | "chain.admission.coordinator_checks"
  >;
  readonly facts: { readonly [name: string]: Json };
}

/** Far above what a release has; each costs a verification of its own. */
const maxEntries = 256;

/** The Coordinator tries each reference value, and one that fits is enough. */
export function ownAnswer(
  judgement: SnpJudgement,
  asked: readonly SnpReferences[],
  verify: (list: readonly SnpReferences[]) => SnpJudgement,
  manifest: Manifest | undefined,
  workload: PolicyEntry | undefined,
  ofManifest: readonly Reason[],
): OwnAnswer {
  const each = (manifest?.snp ?? []).slice(0, maxEntries).map((entry, i): readonly Reason[] => {
    const want = asked[i] ?? noReferences;
    // The report may be judged under another root for each product.
    return contrastOn(i === judgement.candidate ? judgement : verify([want]), want, entry);
  });
  const reasons = [
    ...ofManifest,
    ...(workload === undefined ? [reasonOf("refuses", "HOST_DATA is no policy key of the manifest")] : []),
    ...bestEntry(each, (manifest?.snpEntries.length ?? 0) > each.length),
  ];
  const shown = each[judgement.candidate] ?? [];
  const laxer = [...new Set([...reasons, ...shown].filter((r) => r.laxer).map((r) => r.text))];
  return {
    answers: {
      "chain.admission.coordinator": coordinatorSays(reasons),
      "chain.admission.coordinator_checks": graded(
        equal(
          specified("nothing", "Contrast v1.20", "SNP verification"),
          observed(laxer.join("; ") || "nothing", "Contrast's rules and this evidence"),
          "coordinator-laxer",
        ),
        "weaker",
      ),
    },
    facts: { coordinator: wordOf(reasons), coordinatorReasons: reasons.map((r) => r.text), coordinatorLaxer: laxer },
  };
}

const words: readonly Word[] = ["lets in", "depends", "refuses"];

/** @param more entries that pm cannot compare with: the Coordinator might be content with one of them */
function bestEntry(each: readonly (readonly Reason[])[], more: boolean): readonly Reason[] {
  const [best] = each.toSorted((a, b) => words.indexOf(wordOf(a)) - words.indexOf(wordOf(b)));
  if (best !== undefined && wordOf(best) !== "refuses") return best;
  if (more) return [reasonOf("depends", "a reference value of the manifest that pm cannot compare with")];
  return best ?? [reasonOf("refuses", "the manifest has no SNP reference value")];
}

function coordinatorSays(reasons: readonly Reason[]): OwnAnswer["answers"]["chain.admission.coordinator"] {
  const word = wordOf(reasons);
  const because = reasons.filter((r) => r.word === word && word !== "lets in");
  const text = because.map((r) => r.text).join("; ");
  if (word === "depends") return (because.every((r) => r.unavailable) ? unavailable : cannot)(`it depends: ${text}`);
  return holds(
    word === "lets in",
    specified("lets in", "Contrast v1.20", "SNP verification and validation"),
    { value: word, origin: { kind: "recomputed", name: "Contrast's rules over this evidence and manifest" } },
    "coordinator-refuses",
    text,
  );
}
