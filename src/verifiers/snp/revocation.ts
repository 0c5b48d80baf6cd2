/**
 * Revocation lists, 57230 chapter 4 and RFC 5280 6.3: whoever handed a list over, the pinned root must have signed it, and
 * its own dates count. A list of any date that names a certificate revokes it; only one in date says that none is named.
 */
import {
  type Answers,
  broken,
  cannot,
  graded,
  holds,
  observed,
  skip,
  specified,
  unavailable,
} from "../../claims/answer.ts";
import { type Certificate, commonName } from "../../crypto/certificate.ts";
import { type Crl, crlProblems, decodeCrl, type SeenCrl, serialKey } from "../../crypto/crl.ts";
import { instant } from "../../crypto/time.ts";
import { PmError } from "../../errors.ts";
import type { Look, Response } from "../../run.ts";
import { amdPath, notThere } from "./chain.ts";
import type { currency } from "./claims.ts";
import { type Absent, absent, type Given, type Material } from "./material.ts";
import type { ProductLine, VekKind } from "./product.ts";
import { crlRequest } from "./requests.ts";

/** How much a missing list matters. `allow-unchecked` is a named relaxation and covers nothing but absence. */
export type RevocationDemand = "required" | "allow-unchecked";

type Wanted = "snp.chain.revocation" | "snp.chain.crl_entries";
export type RevocationAnswers = Pick<Answers<typeof currency>, Wanted>;

export interface Revocation {
  readonly answers: RevocationAnswers;
  readonly crls: readonly SeenCrl[];
}

/** Where a list comes from: the caller, the evidence, one of the two paths of the KDS, or what the KDS offered first. */
type Place = "given" | "attached" | "VCEK" | "VLEK" | "offered";
interface Candidate {
  readonly place: Place;
  /** The auditor handed it over, whether as a file for the verifier or in place of the service. */
  readonly given: boolean;
  readonly from: string;
  readonly crl: Crl | undefined;
  /** Issuer, signature or algorithm is wrong, or it is no list at all. */
  readonly unauthentic: string | undefined;
  /** Authentic, but not for this time, or with something that must not be ignored. */
  readonly unusable: { readonly code: "crl-signature" | "crl-expired"; readonly message: string } | undefined;
}

const zeroSerial = "00";

export function judgeRevocation(
  material: Material,
  path: readonly Certificate[] | undefined,
  given: Given,
  look: Look,
  demand: RevocationDemand,
  at: Date,
): Revocation {
  const { rootCertificate, line, vek } = material;
  const [leaf, intermediate] = path ?? [];
  // Asked before anything can be missing, so that it is fetched together with a missing certificate.
  const kind = "absent" in vek ? material.signingKind : vek.kind;
  const asked = line === undefined ? [] : ask(line, kind, look);
  if (leaf === undefined || intermediate === undefined || !rootCertificate || !line || "absent" in vek) {
    const missing = firstAbsent(material);
    const blocked = missing === undefined ? cannot("no certificate path to look up") : notThere(missing);
    return { answers: { "snp.chain.revocation": blocked, "snp.chain.crl_entries": blocked }, crls: [] };
  }
  const judged = (place: Place, from: string, bytes: Uint8Array): Candidate =>
    judgeCrl(place, from, bytes, rootCertificate, at);
  const candidates = [
    ...(given.crl ? [judged("given", "given", given.crl)] : []),
    ...(material.evidence.crl ? [judged("attached", "attached to the report", material.evidence.crl)] : []),
    ...asked.flatMap(({ place, from, response }) => answered(place, from, response, judged)),
  ];
  const refusals = asked.flatMap(({ response }) => (response.status === "ok" ? [] : [absent(response)]));
  const authentic = candidates.filter((c) => c.unauthentic === undefined);
  return {
    answers: {
      "snp.chain.revocation": answer([leaf, intermediate], vek.kind === "VLEK", candidates, refusals, demand, at),
      "snp.chain.crl_entries": entriesAnswer(authentic),
    },
    crls: authentic.flatMap(({ crl, from, place, given }) =>
      crl === undefined ? [] : [{ ...seen(crl, from), given, offered: !given && place !== "attached" }],
    ),
  };
}

interface Asked {
  readonly place: Place;
  readonly from: string;
  readonly response: Response;
}
/** The list under /vlek has a path of its own; whether it differs is not published, so for a VLEK both count. */
const ask = (line: ProductLine, kind: VekKind | undefined, look: Look): Asked[] =>
  (kind === "VLEK" ? (["VCEK", "VLEK"] as const) : (["VCEK"] as const)).map((place) => {
    const request = crlRequest(line, place);
    return { place, from: `KDS ${request.path}`, response: look(request) };
  });

const firstAbsent = ({ vek, intermediate }: Material): Absent | undefined =>
  "absent" in vek ? vek : "absent" in intermediate ? intermediate : undefined;

function answered(
  place: Place,
  from: string,
  response: Response,
  judged: (place: Place, from: string, bytes: Uint8Array) => Candidate,
): Candidate[] {
  if (response.status !== "ok") return [];
  const { bytes, offered } = response;
  const first = judged(place, from, bytes);
  return [
    { ...first, given: response.given === true },
    ...(offered ? [judged("offered", `${from} (offered)`, offered)] : []),
  ];
}

function judgeCrl(place: Place, from: string, bytes: Uint8Array, issuer: Certificate, at: Date): Candidate {
  const given = place === "given";
  let crl: Crl;
  try {
    crl = decodeCrl(bytes, `CRL ${from}`);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { place, given, from, crl: undefined, unauthentic: error.message, unusable: undefined };
  }
  const problems = crlProblems(crl, issuer, at, amdPath.algorithms);
  const text = (rules: readonly string[]): string | undefined => {
    const found = problems.filter((p) => rules.includes(p.rule));
    return found.length === 0 ? undefined : `CRL ${from}: ${found.map((p) => p.message).join("; ")}`;
  };
  const unread = text(["critical-extension"]);
  const dates = text(["expired", "not-yet-valid", "no-next-update"]);
  return {
    place,
    given,
    from,
    crl,
    unauthentic: text(["issuer", "signature", "algorithm"]),
    unusable: unread
      ? { code: "crl-signature", message: unread }
      : dates
        ? { code: "crl-expired", message: dates }
        : undefined,
  };
}

const seen = (crl: Crl, from: string): Omit<SeenCrl, "offered" | "given"> => ({
  issuer: commonName(crl.issuer) ?? "",
  number: crl.number?.toString() ?? null,
  thisUpdate: instant(crl.thisUpdate),
  nextUpdate: crl.nextUpdate === undefined ? null : instant(crl.nextUpdate),
  from,
});
const crlText = (crl: Crl): string =>
  `CRL ${crl.number ?? "without number"} of ${instant(crl.thisUpdate)}..${crl.nextUpdate ? instant(crl.nextUpdate) : "?"}`;
const serialText = (c: Certificate): string => `0x${serialKey(c)} (${commonName(c.subject) ?? "?"})`;

type RevocationAnswer = RevocationAnswers["snp.chain.revocation"];

function answer(
  certificates: readonly Certificate[],
  vlek: boolean,
  candidates: readonly Candidate[],
  refusals: readonly Absent[],
  demand: RevocationDemand,
  at: Date,
): RevocationAnswer {
  const authentic = candidates.filter((c) => c.unauthentic === undefined);
  const expected = specified(`not listed: ${certificates.map(serialText).join(", ")}`, "RFC 5280", "6.3");
  for (const { crl, from } of authentic) {
    const listed = certificates.filter((c) => isListed(crl, c));
    if (crl && listed.length > 0)
      return holds(
        false,
        expected,
        observed(`listed: ${listed.map(serialText).join(", ")} in ${crlText(crl)}`, "CRL", from),
        "revoked",
        `revoked ${listed.map((c) => instant(crl.revoked.get(serialKey(c))?.date ?? new Date(Number.NaN))).join(", ")}`,
      );
  }
  const current = authentic.filter((c) => c.unusable === undefined);
  if (enough(current, vlek)) {
    const newest = current.flatMap(({ crl, from }) => (crl ? [{ crl, from }] : [])).reduce(newer);
    const listed = certificates.filter((c) => isListed(newest.crl, c));
    const actual = `${listed.length === 0 ? "not listed" : "listed"}: ${certificates.map(serialText).join(", ")}`;
    return holds(
      listed.length === 0 && at.getTime() >= newest.crl.thisUpdate.getTime(),
      expected,
      observed(`${actual}; ${crlText(newest.crl)}, ${newest.crl.revoked.size} entries`, "CRL", newest.from),
      "revoked",
    );
  }
  return withoutCurrent(candidates, refusals, demand);
}

/** Serial 0 means no particular certificate: all report keys have it, and the issuer of the list is not theirs. */
const isListed = (crl: Crl | undefined, c: Certificate): boolean =>
  serialKey(c) !== zeroSerial && crl?.revoked.has(serialKey(c)) === true;

/** For a VLEK both lists of the KDS are wanted, unless the caller gave one and so answers for it. */
function enough(current: readonly Candidate[], vlek: boolean): boolean {
  const has = (...places: Place[]): boolean => current.some((c) => places.includes(c.place));
  return vlek ? has("given") || (has("VLEK") && has("VCEK", "attached")) : has("given", "attached", "VCEK");
}

type Dated = { readonly crl: Crl; readonly from: string };
const newer = (a: Dated, b: Dated): Dated => (b.crl.thisUpdate.getTime() > a.crl.thisUpdate.getTime() ? b : a);

/** A bad list is its own answer; only where there is none is the answer that it could not be had. */
function withoutCurrent(
  candidates: readonly Candidate[],
  refusals: readonly Absent[],
  demand: RevocationDemand,
): RevocationAnswer {
  const forged = candidates.flatMap((c) => c.unauthentic ?? []);
  if (forged.length > 0) return broken(forged.join("; "), "crl-signature");
  const [unusable] = candidates.flatMap((c) => c.unusable ?? []);
  if (unusable !== undefined) return broken(unusable.message, unusable.code);
  const reason = `no revocation list: ${refusals.map((r) => r.reason).join("; ")}`;
  if (demand === "allow-unchecked") return skip(reason, "crl-unavailable");
  return refusals.some((r) => r.absent === "error")
    ? cannot(reason, "crl-unavailable")
    : unavailable(reason, "crl-unavailable");
}

function entriesAnswer(authentic: readonly Candidate[]): RevocationAnswers["snp.chain.crl_entries"] {
  const lists = authentic.flatMap(({ crl, from }) => (crl ? [{ crl, from }] : []));
  if (lists.length === 0) return skip("no authentic revocation list");
  const odd = lists.filter(({ crl }) => crl.revoked.has(zeroSerial));
  return graded(
    holds(
      odd.length === 0,
      specified("no entry for serial 0", "57230", "chapter 3"),
      observed(odd.length === 0 ? "no entry for serial 0" : "serial 0 is listed", "CRL", (odd[0] ?? lists[0])?.from),
      "crl-serial-zero",
    ),
    "unknown",
  );
}
