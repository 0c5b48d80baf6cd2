/** The Coordinator's two CA certificates (Contrast v1.20, certificate authority): self-signed, P-384, fixed names. */
import { createHash } from "node:crypto";
import { hex, sameBytes } from "../../bytes/hex.ts";
import { type Answer, broken, equal, observed, type Sourced, specified } from "../../claims/answer.ts";
import {
  type Certificate,
  commonName,
  decodeCertificates,
  keyDescription,
  standardExtensionsOf,
} from "../../crypto/certificate.ts";
import { duplicateOid, extensionOids, keyUsageBits } from "../../crypto/extensions.ts";
import { verifySignature } from "../../crypto/path.ts";
import { looksLikePem } from "../../crypto/pem.ts";
import { PmError } from "../../errors.ts";
import type { Json } from "../../report/report.ts";

const sha256 = (bytes: Uint8Array): string => hex(createHash("sha256").update(bytes).digest());

/** SHA-256 of the SubjectPublicKeyInfo: the root key outlives the root certificate, so keys are compared, not bytes. */
export const keyHash = (certificate: Certificate): string => sha256(certificate.spki);

export const caNames = { root_ca: "system:coordinator:root", mesh_ca: "system:coordinator:intermediate" } as const;
type CaMember = keyof typeof caNames;

/** Exactly one PEM certificate, or the sentence that says what is there instead. */
export function decodeCa(
  pem: Uint8Array,
  member: CaMember,
): { readonly certificate: Certificate } | { readonly reason: string } {
  if (pem.length === 0) return { reason: `${member} is absent` };
  try {
    if (!looksLikePem(pem)) return { reason: `${member}: not PEM` };
    const [certificate, ...more] = decodeCertificates(pem, member);
    if (certificate === undefined || more.length > 0)
      return { reason: `${member}: ${more.length + 1} certificates, needs exactly one` };
    return { certificate };
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { reason: error.message };
  }
}

/** One line a property, the same for what is demanded and what is found. */
interface Properties {
  readonly version: number;
  readonly subject: string;
  readonly issuer: string;
  readonly key: string;
  readonly ca: boolean;
  readonly keyCertSign: boolean;
  readonly selfSignature: string;
  readonly surprises: string;
  readonly inDate: boolean;
}
const textOf = (p: Properties, at: Date): string =>
  [
    `version ${p.version}`,
    `subject CN=${p.subject}`,
    `issuer CN=${p.issuer}`,
    `key ${p.key}`,
    `CA ${p.ca}`,
    `keyCertSign ${p.keyCertSign}`,
    `own signature ${p.selfSignature}`,
    `unknown critical or repeated extensions ${p.surprises}`,
    `in date at ${at.toISOString()} ${p.inDate}`,
  ].join("; ");

function propertiesOf(c: Certificate, at: Date): Properties {
  const { basicConstraints, keyUsage } = standardExtensionsOf(c);
  const names = commonName(c.subject) === commonName(c.issuer) && !sameBytes(c.subject.raw, c.issuer.raw);
  const sameAlgorithm = sameBytes(c.signatureAlgorithm, c.tbsSignatureAlgorithm);
  return {
    version: c.version,
    subject: commonName(c.subject) ?? "none or several",
    // Equal common names in unequal names are no self-issued certificate.
    issuer: names ? `${commonName(c.issuer)} in another name` : (commonName(c.issuer) ?? "none or several"),
    key: keyDescription(c),
    ca: basicConstraints?.ca === true && basicConstraints.critical,
    keyCertSign: keyUsage?.has(keyUsageBits.keyCertSign) === true,
    selfSignature: sameAlgorithm
      ? verifySignature(c.tbs, c.signatureAlgorithm, c.signature, c, ["ecdsa-sha384"])
      : "algorithm",
    surprises: surprisesOf(c),
    inDate: c.notBefore <= at && at <= c.notAfter,
  };
}
function surprisesOf(c: Certificate): string {
  const understood: readonly string[] = [extensionOids.basicConstraints, extensionOids.keyUsage];
  const critical = c.extensions.filter((e) => e.critical && !understood.includes(e.oid)).map((e) => e.oid);
  const twice = duplicateOid(c.extensions);
  return [...critical, ...(twice === undefined ? [] : [twice])].join(", ") || "none";
}

/**
 * Whether the certificate is one that Contrast makes for this member, at the judgement time.
 * @param name where it was found: the response, unless somebody handed it over
 */
export function caCertificate<const Code extends string>(
  pem: Uint8Array,
  member: CaMember,
  at: Date,
  code: Code,
  name = "response",
): Answer<Code> {
  const decoded = decodeCa(pem, member);
  if ("reason" in decoded) return broken(decoded.reason, code);
  const expected = textOf(
    {
      version: 3,
      subject: caNames[member],
      issuer: caNames[member],
      key: "EC P-384",
      ca: true,
      keyCertSign: true,
      selfSignature: "valid",
      surprises: "none",
      inDate: true,
    },
    at,
  );
  return equal(
    specified(expected, "Contrast v1.20", "certificate authority"),
    observed(
      textOf(propertiesOf(decoded.certificate, at), at),
      name,
      name === "response" ? `/${member}` : "certificate",
    ),
    code,
  );
}

/** The root CA's key against one that is known from elsewhere. */
export function caKey(pem: Uint8Array, expected: Sourced): Answer<"ca-key-changed"> {
  const decoded = decodeCa(pem, "root_ca");
  if ("reason" in decoded) return broken(decoded.reason, "ca-key-changed");
  return equal(
    expected,
    observed(keyHash(decoded.certificate), "response", "SubjectPublicKeyInfo of /root_ca"),
    "ca-key-changed",
  );
}

export function caFacts(pem: Uint8Array, member: CaMember): Json {
  const decoded = decodeCa(pem, member);
  if ("reason" in decoded) return { problem: decoded.reason };
  const { certificate } = decoded;
  return {
    subject: commonName(certificate.subject) ?? null,
    key: keyDescription(certificate),
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    sha256: sha256(certificate.raw),
    pemSha256: sha256(pem),
    spkiSha256: keyHash(certificate),
  };
}
