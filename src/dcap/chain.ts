/**
 * Intel's certificate paths (spec notes tdx.md 2 and 3): the PCK chain of a quote and the issuer chain of a document. Every
 * certificate is X.509 version 3, ECDSA with SHA-256 on P-256; the order is fixed, nothing is searched or completed.
 */
import { sameBytes } from "../bytes/hex.ts";
import { type Certificate, commonName, decodeCertificate, standardExtensionsOf } from "../crypto/certificate.ts";
import { type PathProfile, type SignatureAlgorithm, validatePath } from "../crypto/path.ts";
import { decodePem } from "../crypto/pem.ts";
import { malformed } from "../errors.ts";
import { pckCaNames, pckName } from "./pck.ts";
import { type IntelRoot, rootName } from "./root.ts";

export const intelAlgorithms: readonly SignatureAlgorithm[] = ["ecdsa-sha256"];
const profile = (length: number): PathProfile => ({
  algorithms: intelAlgorithms,
  keys: Array.from({ length }, () => "EC P-256"),
  length,
});
const pckProfile = profile(3);
const signerProfile = profile(2);

const signerName = "Intel SGX TCB Signing";
const maxCertificateBytes = 16384;

const issuers = new Map<string, Certificate>();
const maxIssuers = 64;
/** The same few issuers come with every quote: decoded and imported once a process, by their bytes; judged at each use. */
function decodeIssuer(der: Uint8Array, what: string): Certificate {
  const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("latin1");
  const certificate = issuers.get(key) ?? decodeCertificate(der, what);
  if (issuers.size >= maxIssuers && !issuers.has(key)) issuers.clear();
  issuers.set(key, certificate);
  return certificate;
}

/**
 * A chain as quotes and headers carry it: PEM, leaf first, often with a NUL at the end.
 * @param cached true also for the leaf: the signer of documents; a quote's leaf is its own
 * @throws PmError PM_EVIDENCE_MALFORMED
 */
export function decodeChain(pem: Uint8Array, what: string, cached: boolean): Certificate[] {
  let end = pem.length;
  while (end > 0 && pem[end - 1] === 0) end--;
  const blocks = decodePem(pem.subarray(0, end), "CERTIFICATE", what, { blocks: 8, bytes: maxCertificateBytes });
  if (blocks.length === 0) throw malformed(`${what}: no certificate`);
  return blocks.map((block, i) =>
    cached || i > 0
      ? decodeIssuer(block, `${what} (certificate ${i + 1})`)
      : decodeCertificate(block, `${what} (certificate 1)`),
  );
}

/** What is wrong with a path, sorted by what it means. */
export interface PathFindings {
  /** It ends in another root than the pinned one. */
  readonly untrusted: readonly string[];
  readonly invalid: readonly string[];
  readonly notYetValid: readonly string[];
  readonly expired: readonly string[];
}

/** keyUsage bit 0 (RFC 5280 4.2.1.3). */
const digitalSignature = 0;

/** Key identifiers are hints to find an issuer; here the order is fixed and the signature decides, so a missing one is no fault. */
const hints: ReadonlySet<string> = new Set(["aki-missing", "ski-missing"]);

function judgePath(
  path: readonly Certificate[],
  root: IntelRoot,
  at: Date,
  rules: PathProfile,
  names: readonly (readonly string[])[],
): PathFindings {
  const problems = validatePath(path, root.certificate, at, rules).filter(({ rule }) => !hints.has(rule));
  const of = (...wanted: readonly string[]): string[] =>
    problems.filter(({ rule }) => wanted.includes(rule)).map(({ message }) => message);
  const dated = ["root", "not-yet-valid", "expired"];
  const usage = path[0] === undefined ? undefined : standardExtensionsOf(path[0]).keyUsage;
  return {
    untrusted: of("root"),
    invalid: [
      ...problems.filter(({ rule }) => !dated.includes(rule)).map(({ message }) => message),
      ...path.flatMap((certificate, i) => {
        const name = commonName(certificate.subject);
        const wanted = names[i] ?? [];
        return name !== undefined && wanted.includes(name)
          ? []
          : [`certificate ${i}: subject CN is ${name ?? "not there"}, needs ${wanted.join(" or ") || "nothing"}`];
      }),
      ...(usage === undefined || usage.has(digitalSignature)
        ? []
        : ["certificate 0: keyUsage does not allow digital signatures"]),
    ],
    notYetValid: of("not-yet-valid"),
    expired: of("expired"),
  };
}

/** PCK leaf, Platform or Processor CA, root. */
export const judgePckChain = (path: readonly Certificate[], root: IntelRoot, at: Date): PathFindings =>
  judgePath(path, root, at, pckProfile, [[pckName], pckCaNames, [rootName]]);

/** TCB Signing, root. */
export const judgeSignerChain = (path: readonly Certificate[], root: IntelRoot, at: Date): PathFindings =>
  judgePath(path, root, at, signerProfile, [[signerName], [rootName]]);

export const isPinned = (certificate: Certificate, root: IntelRoot): boolean =>
  sameBytes(certificate.raw, root.certificate.raw);
