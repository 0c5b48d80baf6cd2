/** Revocation lists against the high-water marks of this installation: an older, still valid list hides a revocation. */
import { type Answer, type Answers, cannot, holds, observed, skip, unavailable } from "../claims/answer.ts";
import type { SeenCrl } from "../crypto/crl.ts";
import type { Look, Request } from "../run.ts";
import type { chain } from "./claims.ts";
import type { CoordinatorAudit } from "./coordinator.ts";

/** What this installation saw of an issuer before. */
const highWaterRequest = (issuer: string): Request => ({
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
    text: `${number ?? "no number"} of ${thisUpdate}`,
  };
}

/** There is nothing to look at: as open as what kept it away, or as the claim of revocation itself. */
export const withoutList = ({ cpu, blocked }: Pick<CoordinatorAudit, "cpu" | "blocked">): Answer<never> =>
  cpu.snp === undefined && cpu.tdx === undefined && blocked !== undefined
    ? blocked
    : (cpu.revocation.status === "unavailable" ? unavailable : skip)("no authentic revocation list");

/** Where the service offered none, the list that came with the evidence is the one that could be an old one. */
export function notRolledBack(
  offered: readonly SeenCrl[],
  coordinator: Pick<CoordinatorAudit, "cpu" | "blocked">,
  look: Look,
): Answers<typeof chain>["chain.collateral.not_rolled_back"] {
  const { crls, documents, offers } = coordinator.cpu;
  const all = [...crls, ...documents, ...offers];
  const others = all.filter((crl) => !crl.given);
  const lists = offered.length > 0 ? offered : others.length > 0 ? others : all;
  if (lists.length === 0) return withoutList(coordinator);
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

const crlText = (crl: SeenCrl): string => `${crl.number ?? "no number"} of ${crl.thisUpdate}`;

/** Either measure alone shows it: a lower number, or an earlier date. */
const isOlder = (crl: SeenCrl, mark: Mark): boolean =>
  Date.parse(crl.thisUpdate) < mark.thisUpdate ||
  (mark.number !== undefined && (crl.number === null || BigInt(crl.number) < mark.number));
