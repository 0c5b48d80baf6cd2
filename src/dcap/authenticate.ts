/** Whose bytes are these: form, TEE, vendor, PCK chain, QE report signature, key binding, quote signature (tdx.md 3). */
import { createHash, type KeyObject, verify } from "node:crypto";
import { allZero, hex } from "../bytes/hex.ts";
import {
  type Answer,
  type Answers,
  broken,
  cannot,
  equal,
  graded,
  holds,
  observed,
  specified,
} from "../claims/answer.ts";
import { type Certificate, commonName, keyDescription, publicKeyOf } from "../crypto/certificate.ts";
import { derSignature } from "../crypto/ecdsa.ts";
import { importKey } from "../crypto/key.ts";
import { sameName } from "../crypto/name.ts";
import { instant } from "../crypto/time.ts";
import { PmError } from "../errors.ts";
import { isPinned } from "./chain.ts";
import { certificatesOf, type DcapMaterial } from "./material.ts";
import type { authenticityQuestions, certificateQuestions, trailingQuestions } from "./questions.ts";
import { intelVendorId, type Quote, teeOfHeader } from "./quote.ts";
import type { Tee } from "./requests.ts";
import { type IntelRoot, sha256 } from "./root.ts";

export type Authenticity = Answers<typeof authenticityQuestions>;

/** @param wanted the TEE that was asked for */
export function authenticate(material: DcapMaterial, wanted: Tee): Authenticity {
  const { quote } = material;
  const key = attestationKey(quote.attestationKey);
  return {
    "quote.format": format(material, key),
    "quote.tee_type": teeType(quote.header.tee, wanted),
    "quote.qe_vendor": equal(
      specified(intelVendorId, "Intel DCAP quote format", "header, QE vendor id"),
      observed(hex(quote.header.qeVendorId), "quote", "bytes 12..27"),
      "QE_VENDOR_UNKNOWN",
    ),
    "pck.chain": pckChain(material),
    "pck.extensions": pckExtensions(material),
    "qe.report_signature": qeReportSignature(material),
    "qe.key_binding": keyBinding(quote),
    "quote.signature": quoteSignature(quote, key),
  };
}

/** SubjectPublicKeyInfo of an uncompressed point of P-256 (RFC 5480 2), up to its coordinates. */
const p256Spki = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");

/** @returns undefined when the point is not on the curve */
function attestationKey(point: Uint8Array): KeyObject | undefined {
  try {
    return importKey(new Uint8Array(Buffer.concat([p256Spki, point])));
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  }
}

/** What decoding already refused cannot come here; the answer shows what it found. */
function format({ quote, chain }: DcapMaterial, key: KeyObject | undefined): Authenticity["quote.format"] {
  if ("problem" in chain && chain.unsupported) return cannot(chain.problem, "CERT_DATA_TYPE_UNSUPPORTED");
  if (key === undefined) return broken("the attestation key is not a point of P-256", "ATT_KEY_INVALID");
  const { version, attestationKeyType } = quote.header;
  return holds(
    version >= 3 && version <= 5 && attestationKeyType === 2,
    specified("version 3, 4 or 5, attestation key type 2, lengths as stated", "Intel DCAP quote format", "header"),
    observed(
      `version ${version}, attestation key type ${attestationKeyType}, ${quote.body.kind}`,
      "quote",
      "bytes 0..3",
    ),
    "QUOTE_MALFORMED",
  );
}

export const teeType = (found: Tee | number, wanted: Tee): Authenticity["quote.tee_type"] =>
  equal(
    specified(wanted.toUpperCase(), "Intel DCAP quote format", "header, TEE type"),
    observed(typeof found === "number" ? `0x${found.toString(16)}` : found.toUpperCase(), "quote", "bytes 4..7"),
    "TEE_TYPE_UNEXPECTED",
  );

const formatCodes = ["ATT_KEY_INVALID", "QUOTE_MALFORMED"] as const;
const unsupportedCodes = [
  "QUOTE_VERSION_UNSUPPORTED",
  "ATT_KEY_TYPE_UNSUPPORTED",
  "BODY_TYPE_UNSUPPORTED",
  "CERT_DATA_TYPE_UNSUPPORTED",
] as const;

/** Evidence that could not be decoded: its format, and its TEE as far as the header says another one than was asked for. */
export function undecoded(
  error: PmError,
  bytes: Uint8Array,
  wanted: Tee,
): Pick<Authenticity, "quote.format" | "quote.tee_type"> {
  const tee = teeOfHeader(bytes);
  const rest = cannot("the quote could not be decoded");
  return {
    "quote.format":
      error.code === "PM_EVIDENCE_UNSUPPORTED"
        ? cannot(
            error.message,
            unsupportedCodes.find((code) => code === error.reasonCode) ?? "QUOTE_VERSION_UNSUPPORTED",
          )
        : broken(error.message, formatCodes.find((code) => code === error.reasonCode) ?? "QUOTE_MALFORMED"),
    "quote.tee_type":
      error.code === "PM_EVIDENCE_UNSUPPORTED" || tee === undefined || tee === wanted ? rest : teeType(tee, wanted),
  };
}

const nameOf = (c: Certificate): string => commonName(c.subject) ?? "(no single common name)";

function pckChain(material: DcapMaterial): Authenticity["pck.chain"] {
  const { chain, findings, root } = material;
  if ("problem" in chain) return chain.unsupported ? cannot(chain.problem) : broken(chain.problem, "PCK_CHAIN_INVALID");
  if (findings === undefined) return cannot("the PCK chain was not validated: a bug in pm");
  const last = chain.at(-1);
  const end = last === undefined ? "" : sha256(last.raw);
  const messages = [...findings.untrusted, ...findings.invalid];
  const found = messages.length === 0 ? "" : `; ${messages.join("; ")}`;
  return holds(
    messages.length === 0 && end === root.sha256,
    {
      value: `Intel SGX PCK Certificate < Intel SGX PCK Platform or Processor CA < ${root.name}, SHA-256 ${root.sha256}`,
      origin: root.origin,
    },
    observed(`${chain.map(nameOf).join(" < ")}, SHA-256 ${end}${found}`, "certificates", "PCK chain in the quote"),
    endsInAnotherRoot(chain, root) ? "ROOT_UNTRUSTED" : "PCK_CHAIN_INVALID",
  );
}

/** A whole chain under somebody else's root; one that lacks its root or has another order is invalid for that. */
function endsInAnotherRoot(chain: readonly Certificate[], root: IntelRoot): boolean {
  const last = chain[2];
  return chain.length === 3 && last !== undefined && sameName(last.issuer, last.subject) && !isPinned(last, root);
}

function pckExtensions({ pck, chain }: DcapMaterial): Authenticity["pck.extensions"] {
  if ("problem" in pck) return "problem" in chain ? cannot(chain.problem) : broken(pck.problem, "PCK_CHAIN_INVALID");
  return holds(
    pck.components.length === 16,
    specified(
      "PPID, 16 components, PCESVN, CPUSVN, PCEID, FMSPC, SGX type, each once",
      "Intel PCK certificate profile",
      "SGX extensions",
    ),
    observed(`FMSPC ${pck.fmspc}, ${pck.components.length} components, PCESVN ${pck.pceSvn}`, "PCK certificate"),
    "PCK_CHAIN_INVALID",
  );
}

const validity = (valid: boolean): string => (valid ? "a valid signature" : "no valid signature");

function qeReportSignature(material: DcapMaterial): Authenticity["qe.report_signature"] {
  const { quote } = material;
  const [leaf] = certificatesOf(material);
  if (leaf === undefined) return cannot("there is no PCK certificate");
  const description = keyDescription(leaf);
  if (description !== "EC P-256") return cannot(`the PCK certificate's key is ${description}, not EC P-256`);
  const valid = verified(quote.qeReportBytes, quote.qeReportSignature, leaf);
  return holds(
    valid,
    specified("a valid signature over the QE report", "Intel DCAP quote format", "ECDSA P-256 with SHA-256"),
    observed(validity(valid), "quote", "QE report signature"),
    "QE_REPORT_SIGNATURE_INVALID",
  );
}

/** False also for a key that is not on P-256. */
export function verified(data: Uint8Array, signature: Uint8Array, certificate: Certificate): boolean {
  if (keyDescription(certificate) !== "EC P-256") return false;
  try {
    return p256Verify(data, signature, publicKeyOf(certificate));
  } catch (error) {
    if (error instanceof PmError) return false;
    throw error;
  }
}

/**
 * ECDSA with SHA-256, r and s of 32 bytes each. The key's encoding was compared with that of P-256 before it was imported,
 * so the KeyObject is not asked for its curve again (a visible part of a quote's time in a profile, Node 24).
 */
function p256Verify(data: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  if (signature.length !== 64) return false;
  try {
    return verify("sha256", data, key, derSignature(signature));
  } catch {
    return false;
  }
}

/** All 64 bytes: the digest, and zeros after it. */
function keyBinding({ attestationKey: key, qeAuthData, qeReport }: Quote): Authenticity["qe.key_binding"] {
  const digest = createHash("sha256").update(key).update(qeAuthData).digest();
  return equal(
    specified(
      `${hex(digest)}${"00".repeat(32)}`,
      "Intel DCAP quote format",
      "SHA-256 of attestation key and QE authentication data",
    ),
    observed(hex(qeReport.reportData), "QE report", "REPORTDATA"),
    "ATT_KEY_BINDING_INVALID",
  );
}

/** ECDSA is malleable: r and n - s verify too, so that a quote's hash is no identity; the signed bytes are. */
function quoteSignature(quote: Quote, key: KeyObject | undefined): Authenticity["quote.signature"] {
  if (key === undefined) return cannot("the attestation key is not a point of P-256");
  const valid = p256Verify(quote.signed, quote.signature, key);
  return holds(
    valid,
    specified(
      `a valid signature over bytes 0..${quote.signed.length - 1}`,
      "Intel DCAP quote format",
      "ECDSA P-256 with SHA-256",
    ),
    observed(validity(valid), "quote", "signature"),
    "QUOTE_SIGNATURE_INVALID",
  );
}

export const trailing = ({ trailing: bytes }: Quote): Answers<typeof trailingQuestions> => ({
  "quote.trailing": graded(
    holds(
      allZero(bytes),
      specified("nothing, or zero bytes", "Intel DCAP quote format", "end of the signature data"),
      observed(
        allZero(bytes) ? `${bytes.length} zero bytes` : `${bytes.length} bytes, not all zero`,
        "quote",
        "after the signature data",
      ),
      "TRAILING_DATA",
    ),
    "neutral",
  ),
});

type Dates = Answers<typeof certificateQuestions>["pck.validity"];
/** Dates of certificates: of the PCK chain, and of the signers of documents. */
export function certificateDates(
  certificates: readonly Certificate[],
  findings: readonly { readonly notYetValid: readonly string[]; readonly expired: readonly string[] }[],
  at: Date,
): Dates | Answer<never> {
  if (certificates.length === 0) return cannot("there is no certificate to look at");
  const notYet = findings.flatMap((f) => f.notYetValid);
  const expired = findings.flatMap((f) => f.expired);
  const windows = certificates.map((c) => `${nameOf(c)} ${instant(c.notBefore)}..${instant(c.notAfter)}`);
  return holds(
    notYet.length + expired.length === 0 && Number.isFinite(at.getTime()),
    specified(`every certificate valid at ${instant(at)}`, "RFC 5280", "4.1.2.5"),
    observed([...new Set(windows)].join(", "), "certificates", "validity"),
    notYet.length > 0 ? "CERT_NOT_YET_VALID" : "CERT_EXPIRED",
    [...notYet, ...expired].join("; "),
  );
}
