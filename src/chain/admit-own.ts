/** The Coordinator's own answer as claims: the best over all reference values, and what it leaves unasked. */
import { type Answers, cannot, equal, graded, holds, observed, specified, unavailable } from "../claims/answer.ts";
import type { Json } from "../report/report.ts";
import type { PolicyEntry } from "../verifiers/contrast/index.ts";
import type { admission } from "./admission-claims.ts";
import type { AdmitJudgement } from "./admit-judged.ts";
import { type Reason, reasonOf, type Word, wordOf } from "./admit-reason.ts";

export interface OwnAnswer {
  readonly answers: Pick<
    Answers<typeof admission>,
    "chain.admission.coordinator" | "chain.admission.coordinator_checks"
  >;
  readonly facts: { readonly [name: string]: Json };
}

/** Where the Coordinator finds the policy's hash. */
export const hostDataField = { SNP: "HOST_DATA", TDX: "MRCONFIGID" } as const;

/** The Coordinator tries each reference value, and one that fits is enough. */
export function ownAnswer(
  judgement: AdmitJudgement,
  workload: PolicyEntry | undefined,
  ofManifest: readonly Reason[],
): OwnAnswer {
  const { tee, shown } = judgement;
  const reasons = [
    ...ofManifest,
    ...(workload === undefined ? [reasonOf("refuses", `${hostDataField[tee]} is no policy key of the manifest`)] : []),
    ...bestEntry(judgement),
  ];
  const laxer = [...new Set([...reasons, ...shown].filter((r) => r.laxer).map((r) => r.text))];
  return {
    answers: {
      "chain.admission.coordinator": coordinatorSays(reasons, tee),
      "chain.admission.coordinator_checks": graded(
        equal(
          specified("nothing", "Contrast v1.20", `${tee} verification`),
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

/** With entries that pm cannot compare with the Coordinator might be content with one of them. */
function bestEntry({ byEntry, entries, tee }: AdmitJudgement): readonly Reason[] {
  const [best] = byEntry.toSorted((a, b) => words.indexOf(wordOf(a)) - words.indexOf(wordOf(b)));
  if (best !== undefined && wordOf(best) !== "refuses") return best;
  if (entries > byEntry.length)
    return [reasonOf("depends", "a reference value of the manifest that pm cannot compare with")];
  return best ?? [reasonOf("refuses", `the manifest has no ${tee} reference value`)];
}

function coordinatorSays(
  reasons: readonly Reason[],
  tee: AdmitJudgement["tee"],
): OwnAnswer["answers"]["chain.admission.coordinator"] {
  const word = wordOf(reasons);
  const because = reasons.filter((r) => r.word === word && word !== "lets in");
  const text = because.map((r) => r.text).join("; ");
  if (word === "depends") return (because.every((r) => r.unavailable) ? unavailable : cannot)(`it depends: ${text}`);
  return holds(
    word === "lets in",
    specified("lets in", "Contrast v1.20", `${tee} verification and validation`),
    { value: word, origin: { kind: "recomputed", name: "Contrast's rules over this evidence and manifest" } },
    "coordinator-refuses",
    text,
  );
}
