/** Whose bytes are these: format, key kind, product line, path, certificate extensions, signature. */
import { hexNumber } from "../../bytes/hex.ts";
import { type Answers, broken, cannot, equal, holds, observed, specified, unavailable } from "../../claims/answer.ts";
import { commonName, keyDescription, publicKeyOf } from "../../crypto/certificate.ts";
import { ecdsaVerify, p384SignatureFromAmd } from "../../crypto/ecdsa.ts";
import { PmError } from "../../errors.ts";
import { type ChainResult, notThere } from "./chain.ts";
import type { authenticity } from "./claims.ts";
import { isAbsent, type Material } from "./material.ts";
import { kindOfVekName, lineOfCpuid, lineOfIntermediateName, lineOfProductName } from "./product.ts";
import { type Cpuid, maskChipKey, reportSize, type SnpReport, signingKey } from "./report.ts";
import { requiredExtensions } from "./vek.ts";

export type Authenticity = Answers<typeof authenticity>;

export const authenticate = (material: Material, chain: ChainResult["chain"]): Authenticity => ({
  "snp.report.format": reportFormat(material),
  "snp.report.signing_key": signingKeyKind(material),
  "snp.product.line": productLine(material),
  "snp.vek.chain": chain,
  "snp.vek.format": vekFormat(material),
  "snp.report.signature": reportSignature(material),
});

/** What decoding already refused cannot come here; the answer shows what it found. */
function reportFormat({ evidence: { raw, report, carrier } }: Material): Authenticity["snp.report.format"] {
  const known = "VERSION 2 to 5, 1184 bytes, SIGNATURE_ALGO 1, reserved bytes zero";
  const actual = `VERSION ${report.version}, ${raw.length} bytes, SIGNATURE_ALGO ${report.signatureAlgo}, reserved bytes zero`;
  return holds(
    raw.length === reportSize && report.version >= 2 && report.version <= 5 && report.signatureAlgo === 1,
    specified(known, "56860", "7.3"),
    observed(actual, "SNP report", `0x000..0x49f (${carrier})`),
    "report-size",
  );
}

const keyNames: Readonly<Record<number, string>> = { 0: "VCEK", 1: "VLEK", 7: "none" };
const signingKeyText = (report: SnpReport): string =>
  maskChipKey(report) ? "none (MASK_CHIP_KEY)" : (keyNames[signingKey(report)] ?? `reserved (${signingKey(report)})`);

/** Two things: the report is signed by a VEK at all, and the certificate is of that kind. */
function signingKeyKind({ evidence, signingKind, vek }: Material): Authenticity["snp.report.signing_key"] {
  const { report } = evidence;
  const says = signingKeyText(report);
  if (signingKind === undefined || maskChipKey(report))
    return holds(
      says === "VCEK" || says === "VLEK",
      specified("VCEK or VLEK", "56860", "7.3"),
      observed(says, "SNP report", "0x048..0x04b"),
      "signing-key",
      "the report is not signed by an endorsement key",
    );
  if (isAbsent(vek)) return vek.absent === "unavailable" ? unavailable(vek.reason) : notThere(vek);
  const kind = kindOfVekName(commonName(vek.certificate.subject));
  if (kind === undefined) return cannot("the certificate's subject names no kind of report key");
  return equal(
    specified(signingKind, "56860", `7.3, SIGNING_KEY ${signingKey(report)} at 0x048`),
    observed(kind, `certificate ${vek.from}`, "subject common name"),
    "signing-key",
  );
}

/**
 * Every statement about the line must agree: CPUID (signed, since version 3), the issuer that signed the certificate,
 * productName, structVersion. Never the stepping: AMD itself writes it wrong.
 */
function productLine({ evidence, vek, root }: Material): Authenticity["snp.product.line"] {
  const { cpuid } = evidence.report;
  const ofReport = cpuid === undefined ? undefined : lineOfCpuid(cpuid);
  if (cpuid !== undefined && ofReport === undefined)
    return cannot(`CPUID ${cpuidText(cpuid)} is of no product line whose root pm has`, "product-unsupported");
  if (isAbsent(vek)) return notThere(vek);
  const issuer = lineOfIntermediateName(commonName(vek.certificate.issuer));
  const named = lineOfProductName(vek.vek.productName ?? "");
  if (ofReport === undefined && (issuer === undefined || named === undefined))
    return cannot(
      `issuer and product name ${vek.vek.productName ?? "(none)"} name no known line`,
      "product-unsupported",
    );
  if (issuer === undefined) return cannot("the certificate's issuer names no product line");
  const expected = ofReport ?? issuer;
  const { structVersion } = vek.vek.numbers;
  // An unknown name says nothing; a missing or malformed extension is the business of snp.vek.format.
  const contradictions = [
    ...(issuer === expected ? [] : [`issuer ${issuer}`]),
    ...(named === undefined || named === expected ? [] : [`productName ${vek.vek.productName}`]),
    // Turin began with structVersion 1; the older lines have certificates with 0 and with 1.
    ...(expected === "Turin" && structVersion === 0 ? ["structVersion 0"] : []),
  ];
  return holds(
    contradictions.length === 0,
    cpuid === undefined
      ? { value: expected, origin: root?.origin ?? { kind: "spec", document: "57230", section: "chapter 3" } }
      : specified(expected, "25481", `CPUID ${cpuidText(cpuid)}`),
    observed(contradictions.join(", ") || issuer, `certificate ${vek.from}`, "issuer, productName, structVersion"),
    "product-mismatch",
  );
}
const cpuidText = ({ family, model }: Cpuid): string => `family ${hexNumber(family)} model ${hexNumber(model, 2)}`;

function vekFormat({ vek }: Material): Authenticity["snp.vek.format"] {
  if (isAbsent(vek)) return vek.absent === "malformed" ? broken(vek.reason, "vek-ext-malformed") : notThere(vek);
  const { kind, turin, present, problems } = vek.vek;
  const required = requiredExtensions(kind, turin);
  const [first] = problems;
  // Names alone do not show what is twice or malformed.
  const found = problems.map((p) => `; ${p.message}`).join("");
  return holds(
    first === undefined && required.join() === present.join(),
    specified(`${kind}: ${required.join(" ")}`, "57230", "chapter 3"),
    observed(`${kind}: ${present.join(" ")}${found}`, `certificate ${vek.from}`, "extensions"),
    first?.code ?? "vek-ext-missing",
  );
}

/** ECDSA P-384 over SHA-384 of the signed bytes; R and S must be in range as they stand, never cut to 48 bytes. */
function reportSignature({ evidence, signingKind, vek }: Material): Authenticity["snp.report.signature"] {
  const { report } = evidence;
  if (signingKind === undefined) return cannot("the report says that no endorsement key signed it");
  if (isAbsent(vek)) return notThere(vek);
  const key = keyDescription(vek.certificate);
  if (key !== "EC P-384") return cannot(`the certificate's key is ${key}, not EC P-384`);
  const signature = p384SignatureFromAmd(report.signature.r, report.signature.s);
  const valid = signature !== undefined && verified(report, signature, vek.certificate);
  return holds(
    valid,
    specified("a valid signature over bytes 0x000..0x29f", "56860", "7.3, ECDSA P-384 with SHA-384"),
    observed(
      valid ? "a valid signature" : signature === undefined ? "R or S is out of range" : "no valid signature",
      "SNP report",
      "0x2a0..0x32f",
    ),
    "signature",
  );
}

function verified(report: SnpReport, signature: Uint8Array, certificate: Parameters<typeof publicKeyOf>[0]): boolean {
  try {
    return ecdsaVerify("sha384", report.signed, signature, publicKeyOf(certificate));
  } catch (error) {
    if (error instanceof PmError) return false;
    throw error;
  }
}
