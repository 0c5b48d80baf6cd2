/** Rules that a path makes for one certificate alone: of any place, of an issuer, of the leaf. */
import { PmError } from "../errors.ts";
import type { SignatureAlgorithm } from "./algorithms.ts";
import { type Certificate, keyDescription, publicKeyOf, standardExtensionsOf } from "./certificate.ts";
import { duplicateOid, extensionOids, keyUsageBits } from "./extensions.ts";

export type PathRule =
  | "root"
  | "anchor-not-self-signed"
  | "length"
  | "name"
  | "name-empty"
  | "algorithm"
  | "algorithm-mismatch"
  | "signature"
  | "not-a-ca"
  | "basic-constraints-not-critical"
  | "leaf-is-ca"
  | "path-length"
  | "key-usage"
  | "critical-extension"
  | "name-constraints"
  | "policy-constraints"
  | "aki-missing"
  | "aki-mismatch"
  | "ski-missing"
  | "serial-negative"
  | "serial-zero"
  | "serial-length"
  | "extension-duplicate"
  | "version"
  | "expired"
  | "not-yet-valid"
  | "key";

export interface PathProblem {
  readonly rule: PathRule;
  /** Place in the path; 0 is the leaf. */
  readonly certificate: number;
  readonly message: string;
}

export interface PathProfile {
  /** Allowed for every certificate of the path. */
  readonly algorithms: readonly SignatureAlgorithm[];
  /** Exact `keyDescription` by place, leaf first; undefined is any. */
  readonly keys?: readonly (string | undefined)[];
  /** Exact number of certificates, root included. */
  readonly length?: number;
  /** What this vendor's leaf may lack; everything else is strict. */
  readonly leaf?: {
    readonly serialZero?: boolean;
    readonly withoutKeyIdentifiers?: boolean;
    /** Repeated extensions of the vendor's own (not under 2.5.29), where its verifier reports them itself. */
    readonly duplicateExtensions?: boolean;
  };
}

const maxSerialOctets = 20;
/** id-ce (RFC 5280 4.2.1). */
const standardArc = "2.5.29.";

export type Report = (rule: PathRule, message: string) => void;

function serialProblems({ serial }: Certificate, zeroAllowed: boolean, report: Report): void {
  const [first = 0] = serial;
  if (first >= 0x80) report("serial-negative", "serial number is negative");
  else if (serial.every((octet) => octet === 0) && !zeroAllowed) report("serial-zero", "serial number is 0");
  const octets = first === 0 ? serial.length - 1 : serial.length;
  if (octets > maxSerialOctets)
    report("serial-length", `serial number of ${octets} octets, at most ${maxSerialOctets}`);
}

function extensionProblems({ extensions }: Certificate, duplicatesAllowed: boolean, report: Report): void {
  // What path validation reads is never read twice: a second keyUsage could say the opposite of the first.
  const once = duplicatesAllowed ? extensions.filter(({ oid }) => oid.startsWith(standardArc)) : extensions;
  const duplicate = duplicateOid(once);
  if (duplicate !== undefined) report("extension-duplicate", `extension ${duplicate} occurs twice`);
  for (const { oid, critical } of extensions) {
    if (critical && oid !== extensionOids.basicConstraints && oid !== extensionOids.keyUsage)
      report("critical-extension", `critical extension ${oid} is not processed`);
    switch (oid) {
      case extensionOids.nameConstraints:
        report("name-constraints", "name constraints are not processed, critical or not");
        break;
      case extensionOids.policyMappings:
      case extensionOids.policyConstraints:
      case extensionOids.inhibitAnyPolicy:
        report("policy-constraints", `policy constraint ${oid} is not processed, critical or not`);
        break;
    }
  }
}

/** Rules about one certificate alone, whatever its place. */
export function ownProblems(
  certificate: Certificate,
  at: Date,
  profile: PathProfile,
  place: number,
  report: Report,
): void {
  if (certificate.version !== 3) report("version", `version ${certificate.version}, needs 3`);
  if (certificate.issuer.attributes.length === 0) report("name-empty", "issuer name is empty");
  // Written so that an invalid Date lies in no window. Both ends belong to the window (RFC 5280 4.1.2.5).
  if (!(at.getTime() >= certificate.notBefore.getTime()))
    report("not-yet-valid", `valid from ${certificate.notBefore.toISOString()}`);
  if (!(at.getTime() <= certificate.notAfter.getTime()))
    report("expired", `valid until ${certificate.notAfter.toISOString()}`);
  const leaf = place === 0 ? profile.leaf : undefined;
  serialProblems(certificate, leaf?.serialZero === true, report);
  extensionProblems(certificate, leaf?.duplicateExtensions === true, report);
  keyProblems(certificate, profile.keys?.[place], report);
}

function keyProblems(certificate: Certificate, expected: string | undefined, report: Report): void {
  const actual = keyDescription(certificate);
  if (expected !== undefined && actual !== expected) report("key", `key is ${actual}, needs ${expected}`);
  try {
    publicKeyOf(certificate);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    report("key", error.message);
  }
}

/** Rules about a certificate that signs another one; `below` is the number of intermediates under it, self-issued ones left out. */
export function issuerProblems(certificate: Certificate, below: number, report: Report): void {
  const { basicConstraints, keyUsage, subjectKeyId } = standardExtensionsOf(certificate);
  if (certificate.subject.attributes.length === 0) report("name-empty", "subject name is empty");
  if (!basicConstraints?.ca) report("not-a-ca", "basicConstraints do not say CA");
  else if (!basicConstraints.critical) report("basic-constraints-not-critical", "basicConstraints are not critical");
  if (basicConstraints?.pathLength !== undefined && below > basicConstraints.pathLength)
    report("path-length", `${below} intermediates below, at most ${basicConstraints.pathLength}`);
  if (!keyUsage?.has(keyUsageBits.keyCertSign)) report("key-usage", "keyUsage does not allow signing certificates");
  if (subjectKeyId === undefined) report("ski-missing", "no subjectKeyIdentifier");
}

export function leafProblems(certificate: Certificate, report: Report): void {
  const { basicConstraints, keyUsage } = standardExtensionsOf(certificate);
  if (basicConstraints?.ca) report("leaf-is-ca", "a CA certificate is no attestation leaf");
  if (keyUsage?.has(keyUsageBits.keyCertSign)) report("key-usage", "keyUsage of the leaf allows signing certificates");
}
