/** Revocation answers (tdx.md 3, step 3). A list that is missing, foreign, unsigned or out of date is never "nothing revoked". */
import { type Answers, cannot, holds, observed, specified, unavailable } from "../claims/answer.ts";
import { type Certificate, commonName } from "../crypto/certificate.ts";
import { type Crl, type SeenCrl, serialKey } from "../crypto/crl.ts";
import { instant } from "../crypto/time.ts";
import type { Response } from "../run.ts";
import { certificateDates } from "./authenticate.ts";
import type { Asked, AskedCollateral, JudgedQeIdentity, JudgedTcbInfo, Signer } from "./collateral.ts";
import { gateOf } from "./collateral.ts";
import { type JudgedCrl, judgeCrl, names } from "./crl.ts";
import type { certificateQuestions } from "./questions.ts";
import type { Tee } from "./requests.ts";
import type { IntelRoot } from "./root.ts";

type All = Answers<typeof certificateQuestions>;
export type RevocationAnswers = Omit<All, "pck.validity">;

export interface Revocation {
  readonly answers: RevocationAnswers;
  readonly crls: readonly SeenCrl[];
}

/** What is offered beside the answer (an older or newer copy) can revoke as well; it cannot clear anybody. */
interface Lists {
  readonly from: string;
  readonly response: Asked["response"];
  readonly main: JudgedCrl | undefined;
  readonly all: readonly JudgedCrl[];
}
function listsOf({ response, from }: Asked, issuer: Certificate, at: Date): Lists {
  if (response.status !== "ok") return { from, response, main: undefined, all: [] };
  const main = judgeCrl(response.bytes, `CRL ${from}`, issuer, at);
  const offered =
    response.offered === undefined ? [] : [judgeCrl(response.offered, `CRL ${from} (offered)`, issuer, at)];
  return { from, response, main, all: [main, ...offered] };
}

const crlText = (crl: Crl): string =>
  `CRL ${crl.number ?? "without number"} of ${instant(crl.thisUpdate)}..${crl.nextUpdate ? instant(crl.nextUpdate) : "?"}`;

interface CrlCodes<I extends string, N extends string, X extends string> {
  readonly invalid: I;
  readonly notYet: N;
  readonly expired: X;
}
function currentAnswer<const I extends string, const N extends string, const X extends string>(
  { response, from }: Asked,
  { main }: Lists,
  issuer: Certificate,
  codes: CrlCodes<I, N, X>,
  at: Date,
) {
  if (response.status !== "ok")
    return response.status === "refused"
      ? cannot(response.reason, "REVOCATION_UNAVAILABLE")
      : unavailable(response.reason, "REVOCATION_UNAVAILABLE");
  const { crl, invalid, notYetValid, expired } = main ?? {};
  const code = invalid !== undefined ? codes.invalid : notYetValid !== undefined ? codes.notYet : codes.expired;
  const problems = [invalid, notYetValid, expired].filter((p) => p !== undefined);
  const found = crl === undefined ? "no revocation list" : crlText(crl);
  return holds<I | N | X>(
    crl !== undefined && problems.length === 0,
    specified(
      `a list signed by ${commonName(issuer.subject) ?? "the issuer"}, in date at ${instant(at)}`,
      "RFC 5280",
      "6.3",
    ),
    observed(problems.length === 0 ? found : `${found}; ${problems.join("; ")}`, "CRL", from),
    code,
  );
}

const serialText = (c: Certificate): string => `0x${serialKey(c)} (${commonName(c.subject) ?? "?"})`;

/** A list of any date that names a certificate revokes it. */
const revokedBy = (lists: Lists, certificate: Certificate): boolean => lists.all.some((l) => names(l, certificate));

function listedAnswer<const C extends string>(
  pairs: readonly { readonly certificate: Certificate; readonly lists: Lists; readonly code: C }[],
  closed: ReturnType<typeof gateOf>,
) {
  const listed = pairs.filter(({ lists, certificate }) => revokedBy(lists, certificate));
  const [first] = listed;
  if (first === undefined && closed !== undefined) return closed;
  const [head] = pairs;
  if (head === undefined) return cannot("there is no certificate to look up");
  const text = (all: typeof pairs): string => all.map((p) => serialText(p.certificate)).join(", ");
  const lists = [...new Set(pairs.map((p) => p.lists.from))].join("; ");
  return holds(
    first === undefined,
    specified(`not listed: ${text(pairs)}`, "RFC 5280", "6.3"),
    observed(first === undefined ? `not listed: ${text(pairs)}` : `listed: ${text(listed)}`, "CRL", lists),
    (first ?? head).code,
  );
}

/**
 * @param chain PCK certificate, its CA and the root, known to lead to the pinned root
 */
export function judgeRevocation(
  tee: Tee,
  chain: readonly Certificate[],
  root: IntelRoot,
  asked: Pick<AskedCollateral, "pckCrl" | "rootCrl">,
  documents: readonly [JudgedTcbInfo, JudgedQeIdentity],
  at: Date,
): Revocation {
  const [leaf, intermediate] = chain;
  const rootLists = listsOf(asked.rootCrl, root.certificate, at);
  const pckLists =
    intermediate === undefined
      ? { ...asked.pckCrl, main: undefined, all: [] }
      : listsOf(asked.pckCrl, intermediate, at);
  const current: Pick<RevocationAnswers, "root_crl.current" | "pck_crl.current"> = {
    "root_crl.current": currentAnswer(asked.rootCrl, rootLists, root.certificate, rootCodes, at),
    "pck_crl.current":
      intermediate === undefined
        ? cannot("there is no CA certificate")
        : currentAnswer(asked.pckCrl, pckLists, intermediate, pckCodes, at),
  };
  const platform = [
    ...(intermediate === undefined
      ? []
      : [{ certificate: intermediate, lists: rootLists, code: "INTERMEDIATE_REVOKED" as const }]),
    ...(leaf === undefined ? [] : [{ certificate: leaf, lists: pckLists, code: "PCK_REVOKED" as const }]),
  ];
  const signers = documents.flatMap((d) => d.signer ?? []);
  return {
    answers: {
      ...current,
      "pck.revocation": listedAnswer(platform, gateOf(tee, current, ["root_crl.current", "pck_crl.current"])),
      ...signerAnswers(tee, signers, documents, current, rootLists, at),
    },
    crls: [rootLists, pckLists].flatMap(seenLists),
  };
}

const rootCodes = {
  invalid: "ROOT_CRL_INVALID",
  notYet: "ROOT_CRL_NOT_YET_VALID",
  expired: "ROOT_CRL_EXPIRED",
} as const;
const pckCodes = { invalid: "PCK_CRL_INVALID", notYet: "PCK_CRL_NOT_YET_VALID", expired: "PCK_CRL_EXPIRED" } as const;

/** Both documents must have shown their signer: one certificate that is missing could be the revoked one. */
function signerAnswers(
  tee: Tee,
  signers: readonly Signer[],
  documents: readonly [JudgedTcbInfo, JudgedQeIdentity],
  current: Pick<RevocationAnswers, "root_crl.current">,
  rootLists: Lists,
  at: Date,
): Pick<RevocationAnswers, "tcb_signing.validity" | "tcb_signing.revocation"> {
  const [info, identity] = documents;
  const answers = { ...info.answers, ...identity.answers };
  const ids = ["tcb_info.format", "tcb_info.chain", "qe_identity.format", "qe_identity.chain"];
  const unknown = gateOf(tee, answers, ids);
  const leaves = [...new Set(signers.map((s) => s.certificate))];
  const pairs = leaves.map((certificate) => ({ certificate, lists: rootLists, code: "TCB_SIGNING_REVOKED" as const }));
  return {
    "tcb_signing.validity":
      unknown ??
      certificateDates(
        signers.flatMap((s) => s.chain),
        signers.map((s) => s.findings),
        at,
      ),
    "tcb_signing.revocation": listedAnswer(pairs, unknown ?? gateOf(tee, current, ["root_crl.current"])),
  };
}

/** Who put the answer there: the auditor, a cache that had something newer, or the service. */
export const placeOf = (response: Response): Pick<SeenCrl, "offered" | "given"> => {
  const given = response.status === "ok" && response.given === true;
  return { given, offered: !given && !(response.status === "ok" && response.offered !== undefined) };
};

/** Authentic ones: what was used, and what the service offered in its place. */
function seenLists({ from, response, main, all }: Lists): SeenCrl[] {
  const genuine = (judged: JudgedCrl | undefined): Crl[] =>
    judged?.crl === undefined || judged.invalid !== undefined ? [] : [judged.crl];
  return [
    ...genuine(main).map((crl) => seen(crl, from, placeOf(response))),
    ...all
      .filter((judged) => judged !== main)
      .flatMap(genuine)
      .map((crl) => seen(crl, `${from} (offered)`, { offered: true, given: false })),
  ];
}

const seen = (crl: Crl, from: string, place: Pick<SeenCrl, "offered" | "given">): SeenCrl => ({
  issuer: commonName(crl.issuer) ?? "",
  number: crl.number?.toString() ?? null,
  thisUpdate: instant(crl.thisUpdate),
  nextUpdate: crl.nextUpdate === undefined ? null : instant(crl.nextUpdate),
  from,
  ...place,
});
