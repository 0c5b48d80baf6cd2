/** When the evidence was captured, held against the windows of everything that it rests on. */
import { type Answers, holds, observed, skip } from "../claims/answer.ts";
import type { SeenCrl } from "../crypto/crl.ts";
import { rfc } from "../time.ts";
import type { ChainPlan } from "./chain.ts";
import type { chain } from "./claims.ts";
import type { CoordinatorAudit } from "./coordinator.ts";
import { withoutList } from "./rollback.ts";

/** Two facts: the time is not in the future, and all that the evidence rests on was valid then. */
export function captureTime(
  plan: Pick<ChainPlan, "capturedAt" | "now" | "refreshed">,
  coordinator: Pick<CoordinatorAudit, "cpu" | "blocked">,
): Answers<typeof chain>["chain.capture.time"] {
  const { windows: all, crls: lists, documents } = coordinator.cpu;
  // What is fetched today may be signed by a certificate that is younger than the evidence.
  const windows = all.filter((w) => !(plan.refreshed && w.signer === true));
  if (windows.length === 0) return coordinator.blocked ?? skip("not asked: no certificate path");
  if (lists.length === 0) return withoutList(coordinator);
  const t = plan.capturedAt.getTime();
  const inside = (from: string, to: string | null): boolean =>
    Date.parse(from) <= t && (to === null ? false : t <= Date.parse(to));
  const outside = windows.filter((w) => !inside(w.from, w.to)).map((w) => w.name);
  // AMD's lists are copies of one; of Intel's each is another issuer's, and the documents belong together.
  const within = ({ thisUpdate, nextUpdate }: SeenCrl): boolean => inside(thisUpdate, nextUpdate);
  const listed =
    plan.refreshed || (documents.length === 0 ? lists.some(within) : [...lists, ...documents].every(within));
  const future = t > plan.now.getTime();
  const text = [
    ...windows,
    ...documents.map((d) => ({ name: d.issuer, from: d.thisUpdate, to: d.nextUpdate ?? "?" })),
    ...lists.map((l) => ({ name: `CRL of ${l.issuer}`, from: l.thisUpdate, to: l.nextUpdate ?? "?" })),
  ]
    .map((w) => `${w.name} ${w.from}..${w.to}`)
    .join(", ");
  const reasons = [
    ...outside.map((name) => `outside the validity of ${name}`),
    ...(listed ? [] : ["outside the window of the revocation lists and documents"]),
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
