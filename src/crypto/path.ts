/**
 * Validation of a certificate path in a given order under a root that is pinned by its bytes (RFC 5280 6.1, and stricter).
 * It never searches, reorders or completes: finding a path is not validating one, and an attestation chain has a fixed order.
 */
import { sameBytes } from "../bytes/hex.ts";
import { signatureAlgorithm, verifySignature } from "./algorithms.ts";
import { type Certificate, standardExtensionsOf } from "./certificate.ts";
import { nameText, sameName } from "./name.ts";
import {
  issuerProblems,
  leafProblems,
  ownProblems,
  type PathProblem,
  type PathProfile,
  type Report,
} from "./pathrules.ts";

export { type SignatureAlgorithm, verifySignature } from "./algorithms.ts";
export type { PathProblem, PathProfile, PathRule } from "./pathrules.ts";

/** More than any vendor's chain; bounds the signature checks that a supplied path can cost. */
const maxLength = 10;

interface Checked {
  readonly issuer: Certificate;
  readonly algorithms: PathProfile["algorithms"];
  readonly result: ReturnType<typeof verifySignature>;
}
const checked = new WeakMap<Certificate, Checked>();

/**
 * The same two decoded certificates give the same answer, since decoding copies the bytes: a root and its intermediates
 * are checked once a process (0.1 ms each of 1.3 ms a report, bench/snp.ts), and their place in a path at each use.
 */
function checkSignature(certificate: Certificate, issuer: Certificate, { algorithms }: PathProfile): Checked["result"] {
  const before = checked.get(certificate);
  if (before?.issuer === issuer && before.algorithms === algorithms) return before.result;
  const { tbs, signatureAlgorithm: outer, signature } = certificate;
  const result = verifySignature(tbs, outer, signature, issuer, algorithms);
  checked.set(certificate, { issuer, algorithms, result });
  return result;
}

/** The inner and outer AlgorithmIdentifier, and the signature with the issuer's key. */
function signatureProblem(
  certificate: Certificate,
  issuer: Certificate,
  profile: PathProfile,
  report: Report,
): boolean {
  const { signatureAlgorithm: outer, tbsSignatureAlgorithm: inner } = certificate;
  if (!sameBytes(outer, inner))
    report("algorithm-mismatch", "signature algorithm inside and outside the signed part differ");
  const result = checkSignature(certificate, issuer, profile);
  if (result === "algorithm")
    report(
      "algorithm",
      `signature algorithm ${signatureAlgorithm(outer) ?? "unknown"}, needs ${profile.algorithms.join(" or ")}`,
    );
  return result === "invalid";
}

/** Rules about a certificate and the one that should have signed it. */
function linkProblems(
  certificate: Certificate,
  issuer: Certificate,
  profile: PathProfile,
  leaf: boolean,
  report: Report,
): void {
  if (!sameName(certificate.issuer, issuer.subject))
    report("name", `issuer name ${nameText(certificate.issuer)} is not the subject name ${nameText(issuer.subject)}`);
  const { authorityKeyId } = standardExtensionsOf(certificate);
  const { subjectKeyId } = standardExtensionsOf(issuer);
  if (authorityKeyId === undefined) {
    if (!(leaf && profile.leaf?.withoutKeyIdentifiers === true))
      report("aki-missing", "no key identifier in authorityKeyIdentifier");
  } else if (subjectKeyId === undefined || !sameBytes(authorityKeyId, subjectKeyId))
    report("aki-mismatch", "authorityKeyIdentifier is not the issuer's subjectKeyIdentifier");
  if (signatureProblem(certificate, issuer, profile, report))
    report("signature", `signature does not verify with the key of ${nameText(issuer.subject)}`);
}

function anchorProblems(certificate: Certificate, root: Certificate, profile: PathProfile, report: Report): void {
  if (!sameBytes(certificate.raw, root.raw)) report("root", "is not the pinned root certificate");
  if (!sameName(certificate.issuer, certificate.subject)) {
    report("anchor-not-self-signed", `issued by ${nameText(certificate.issuer)}`);
    return;
  }
  const { authorityKeyId, subjectKeyId } = standardExtensionsOf(certificate);
  if (authorityKeyId !== undefined && (subjectKeyId === undefined || !sameBytes(authorityKeyId, subjectKeyId)))
    report("aki-mismatch", "authorityKeyIdentifier of the root is not its own subjectKeyIdentifier");
  if (signatureProblem(certificate, certificate, profile, report))
    report("anchor-not-self-signed", "own signature does not verify");
}

/**
 * Validates `path`, leaf first, last the certificate that should be `root`, which is compared by its whole bytes.
 * `at` is the judgement time, compared exactly. All problems come back, in path order; [] means valid.
 */
export function validatePath(
  path: readonly Certificate[],
  root: Certificate,
  at: Date,
  profile: PathProfile,
): PathProblem[] {
  const last = path.length - 1;
  const problems: PathProblem[] = [];
  const lengthProblem = (needs: string): void => {
    problems.push({ rule: "length", certificate: 0, message: `path of ${path.length} certificates, needs ${needs}` });
  };
  const reportAt =
    (place: number): Report =>
    (rule, message) => {
      const one = path[place];
      const who = one === undefined ? "path" : `certificate ${place} (${nameText(one.subject)})`;
      problems.push({ rule, certificate: place, message: `${who}: ${message}` });
    };
  if (path.length < 2 || path.length > maxLength) {
    lengthProblem(`2 to ${maxLength}`);
    return problems;
  }
  if (profile.length !== undefined && path.length !== profile.length) lengthProblem(`${profile.length}`);
  let below = 0;
  path.forEach((certificate, place) => {
    const report = reportAt(place);
    ownProblems(certificate, at, profile, place, report);
    if (place === 0) leafProblems(certificate, report);
    else issuerProblems(certificate, below, report);
    if (place > 0 && !sameName(certificate.issuer, certificate.subject)) below++;
    const issuer = path[place + 1];
    if (place === last) anchorProblems(certificate, root, profile, report);
    else if (issuer !== undefined) linkProblems(certificate, issuer, profile, place === 0, report);
  });
  return problems;
}
