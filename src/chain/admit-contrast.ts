/**
 * What the Coordinator itself would say of SNP evidence (Contrast v1.20, SNP verification and validation), told from pm's
 * own answers: where pm says yes Contrast does too, but for a VLEK; where pm says no it may be laxer.
 */
import type { Answer } from "../claims/answer.ts";
import type { Catalogue } from "../claims/question.ts";
import type { DecodedManifest, SnpReferenceValue } from "../verifiers/contrast/index.ts";
import { decodeTcb, pinnedBy, type SnpJudgement, type SnpReferences, snp, tcbAtLeast } from "../verifiers/snp/index.ts";
import { signingKey } from "../verifiers/snp/report.ts";
import { laxer, type Reason, reasonOf } from "./admit-reason.ts";

/** FLAGS.SIGNING_KEY of a report that a VLEK signed. */
const vlekSigned = 1;

/** Owed by pm, and not answered with yes, as the Coordinator would take it; empty: nothing speaks against the evidence. */
export function contrastOn(judged: SnpJudgement, want: SnpReferences, entry: SnpReferenceValue): Reason[] {
  const pinned = pinnedBy(want);
  const catalogue: Catalogue = snp;
  const open = Object.entries(judged.answers).filter(
    ([id, answer]) =>
      answer.status !== "pass" &&
      answer.status !== "consistent" &&
      !id.startsWith("snp.pins.") &&
      (catalogue[id]?.owed === "always" || pinned.has(id)),
  );
  const vlek = judged.decoded !== undefined && signingKey(judged.decoded) === vlekSigned;
  return [
    ...(vlek ? [reasonOf("refuses", "Contrast has no root for a report that is signed by a VLEK")] : []),
    ...open.map(([id, answer]) => reasonFor(id, answer, judged, entry)),
  ];
}

function reasonFor(id: string, answer: Answer, judged: SnpJudgement, entry: SnpReferenceValue): Reason {
  const what = `${id} is ${answer.status}${answer.code === undefined ? "" : ` (${answer.code})`}`;
  if (answer.status !== "fail") return reasonOf("depends", what, { unavailable: answer.status === "unavailable" });
  if (id === "snp.policy.debug" && entry.guestPolicy.debug)
    return laxer(`${what}: the manifest's GuestPolicy allows Debug, and Contrast has no rule against it`);
  if (id === "snp.chain.revocation") return revocation(what, answer, judged);
  if (id === "snp.tcb.minimum" && reportedAndLaunchSuffice(judged, entry))
    return laxer(`${what}: Contrast compares REPORTED_TCB and LAUNCH_TCB only`);
  if (id === "snp.tcb.order" && answer.reason === "a reserved TCB byte is not zero") return reasonOf("depends", what);
  return reasonOf("refuses", what);
}

/** Contrast looks up the intermediate alone, and checks the date only of a list that came with the evidence. */
function revocation(what: string, answer: Answer, { windows }: SnpJudgement): Reason {
  if (answer.code === "crl-expired")
    return laxer(`${what}: Contrast fetches another list, and does not look at the date of that`, "depends");
  const intermediate = windows[1]?.name;
  if (answer.code !== "revoked" || intermediate === undefined) return reasonOf("depends", what);
  const listed = answer.actual?.value.split(" in CRL", 1)[0] ?? "";
  return listed.startsWith("listed: ") && !listed.includes(`(${intermediate})`)
    ? laxer(`${what}: Contrast looks up the intermediate certificate, never the report key's`)
    : reasonOf("refuses", what);
}

function reportedAndLaunchSuffice({ decoded, line }: SnpJudgement, { minimumTcb }: SnpReferenceValue): boolean {
  if (decoded === undefined || line === undefined) return false;
  return [decoded.reportedTcb, decoded.launchTcb].every((tcb) => tcbAtLeast(decodeTcb(tcb, line), minimumTcb));
}

/** Rules of pm that Contrast v1.20 does not have. */
const ownRules = /^(?:allows debugging|allows a migration agent|policy key in upper case|the same policy key|negative)/;

/** The Coordinator validates its manifest before it looks at evidence. */
export function contrastOnManifest({ problems, rules }: DecodedManifest): Reason[] {
  return problems.map(({ severity, at, message }): Reason => {
    const what = `manifest ${at || "/"}: ${message}`;
    if (severity !== "invalid") return reasonOf("depends", what);
    return !rules.guestPolicyFixed && ownRules.test(message)
      ? laxer(`${what}: Contrast has no rule against it`)
      : reasonOf("refuses", what);
  });
}
