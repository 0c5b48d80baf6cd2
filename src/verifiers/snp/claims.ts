/**
 * The questions of a SEV-SNP report, in the order in which they are answered. Documents: 56860 is AMD's SEV-SNP firmware
 * ABI, 57230 its VCEK certificate and KDS specification, 25481 its CPUID specification.
 */
import { catalogue } from "../../claims/question.ts";
import { launchQuestions, ownerQuestions } from "./claims-pinned.ts";
import { platformQuestions, tcbQuestions } from "./claims-platform.ts";

/** Whose bytes are these? Everything else waits for a yes to all of them. */
export const authenticity = catalogue("snp", {
  "snp.report.format": {
    asks: "Is this one whole report of a known version, with nothing where nothing may be?",
    spec: "56860 7.3, ATTESTATION_REPORT; 56421, certificate table",
    stops: "Evidence that two programs read differently, and fields of a newer format that would be overlooked.",
    todo: "Have the report fetched again and handed over as it came, 1184 bytes; for an unknown version use a newer pm.",
    owed: "always",
    codes: {
      "report-size": "The evidence has another length or structure than a report in any known form.",
      "report-reserved": "Bytes or bits that must be zero in this report version are not.",
      "signature-algo": "SIGNATURE_ALGO is not 1, ECDSA P-384 with SHA-384.",
      certtable: "The certificates that came with the report are not in a well-formed table.",
      "report-version": "The report has a version that pm does not know.",
    },
    waivable: false,
  },
  "snp.report.signing_key": {
    asks: "Is the report signed by a key of the kind that its certificate is for?",
    spec: "56860 7.3, FLAGS.MASK_CHIP_KEY and SIGNING_KEY; 57230 chapter 3",
    stops: "A report that the firmware was told not to sign, and a certificate of the other kind passed off for it.",
    todo: "Ask for the certificate that SIGNING_KEY names; an unsigned report proves nothing and must be replaced.",
    owed: "always",
    codes: { "signing-key": "The report is not signed, or is signed by another kind of key than the certificate's." },
    waivable: false,
  },
  "snp.product.line": {
    asks: "Do report and certificate agree on one product line whose root is known?",
    spec: "25481, CPUID family and model; 57230 chapter 3, productName and issuer",
    stops: "A certificate of one product line under a report of another, whose TCB bytes mean something else.",
    todo: "Fetch the certificate again for the right product line; for a newer processor use a newer pm.",
    owed: "always",
    codes: {
      "product-unsupported": "The processor or product name is of no line whose root pm has.",
      "product-mismatch": "CPUID, issuer and product name are of different product lines.",
    },
    waivable: false,
  },
  "snp.vek.chain": {
    asks: "Does a valid path lead from the report key's certificate to the pinned AMD root of this line?",
    spec: "57230 chapter 3; RFC 5280 6.1, except dates and revocation",
    stops: "A chain that somebody made up with AMD's names, and a certificate of another kind, issuer or algorithm.",
    todo: "Fetch the certificates again from AMD's key distribution service; if it stays so, treat the evidence as forged.",
    owed: "always",
    codes: {
      "chain-root": "The path does not end in the pinned root certificate of this product line.",
      "chain-name": "A certificate of the path has another issuer or subject than its place demands.",
      "chain-algorithm": "A key or signature algorithm of the path is not the one that AMD uses.",
      "chain-signature": "A signature of the path does not verify.",
      "chain-extension":
        "A certificate of the path breaks a rule of its place: CA, path length, key usage, identifiers, serial.",
      "no-vek": "There is no certificate for the report's key.",
    },
    waivable: false,
  },
  "snp.vek.format": {
    asks: "Does the certificate have exactly AMD's extensions of its kind, each once and well formed?",
    spec: "57230 chapter 3, X.509 extensions",
    stops: "A certificate that leaves out the chip or a TCB part, or states one twice so that readers disagree.",
    todo: "Fetch the certificate again from AMD's key distribution service.",
    owed: "always",
    codes: {
      "vek-ext-missing": "An extension that this kind of certificate must have is missing.",
      "vek-ext-duplicate": "An extension occurs twice.",
      "vek-ext-malformed": "The certificate or one of its extensions cannot be decoded.",
      "vek-ext-unexpected": "An extension is there that this kind of certificate must not have.",
    },
    waivable: false,
  },
  "snp.report.signature": {
    asks: "Did the key of that certificate sign these bytes?",
    spec: "56860 7.3, SIGNATURE over bytes 0x000 to 0x29f; FIPS 186-5",
    stops: "A report that was changed or made up.",
    todo: "Check that report and certificate belong together (chip, TCB); if they do, treat the report as forged.",
    owed: "always",
    codes: { signature: "The signature does not verify over the report with the certificate's key." },
    waivable: false,
  },
});

/** Whether the certificates counted at the judgement time: owed, but no reason to stop reading. */
export const currency = catalogue("snp", {
  "snp.chain.validity": {
    asks: "Were all certificates of the path within their dates at the judgement time?",
    spec: "RFC 5280 4.1.2.5",
    stops: "A certificate that AMD or the cloud provider no longer stands behind.",
    todo: "Fetch fresh certificates; judge stored evidence with --at at the time when it was collected.",
    owed: "always",
    codes: { "chain-validity": "A certificate was expired or not yet valid at the judgement time." },
  },
  "snp.chain.revocation": {
    asks: "Does a current revocation list, signed by the pinned root, list none of the certificates?",
    spec: "57230 chapter 4, CRL; RFC 5280 5 and 6.3",
    stops: "An intermediate or report key that AMD has withdrawn.",
    todo: "Fetch the line's CRL from AMD's key distribution service and give it with --crl; a revoked key must not be used.",
    owed: "always",
    codes: {
      "crl-signature": "A revocation list was at hand, but not one that the pinned root signed.",
      "crl-expired": "The revocation list was out of date at the judgement time.",
      revoked: "AMD has revoked a certificate of the path.",
      "crl-unavailable": "No revocation list could be had.",
    },
    waivable: false,
  },
  "snp.chain.crl_entries": {
    asks: "Does the revocation list name certificates by serial numbers that can mean only one?",
    spec: "57230 chapter 3, serial number; RFC 5280 5.1.2.6",
    stops: "An entry for serial 0, which every report key's certificate has, so that it can mean none of them.",
    todo: "Ask AMD what the entry means, and watch the TCB minimum, which is what keeps old report keys out.",
    owed: "advisory",
    codes: { "crl-serial-zero": "The revocation list has an entry for serial number 0." },
  },
});

/** What the authenticated report says. */
export const statements = { ...tcbQuestions, ...platformQuestions, ...launchQuestions, ...ownerQuestions };

export const appraisal = { ...currency, ...statements };

/** A report proves little unless somebody said before what should run and whom it should answer. */
export const pins = catalogue("snp", {
  "snp.pins.what_runs": {
    asks: "Was the guest's launch compared with a value that somebody gave?",
    spec: "56860 7.3, MEASUREMENT and ID_KEY_DIGEST",
    stops: "Calling genuine hardware verified although anything at all may run on it.",
    todo: "Name what should run, from a source that you trust: --measurement or --id-key-digest of pm snp verify, reference values of a manifest; or ask only with --authentic-only. Where a value was named and differs, settle that.",
    owed: "always",
    codes: {
      measurement: "The launch measurement is not the expected one.",
      "id-key-digest": "The ID key is not the expected one.",
    },
  },
  "snp.pins.for_whom": {
    asks: "Was what binds the report to its purpose compared with a value that somebody gave?",
    spec: "56860 7.3, REPORT_DATA and HOST_DATA",
    stops: "A genuine report of another guest or another day, relayed.",
    todo: "Name whom the report should answer: --report-data or --host-data of pm snp verify; a Coordinator's answer names it itself; or ask only with --authentic-only. Where a value was named and differs, settle that.",
    owed: "always",
    codes: {
      "report-data": "The report data is not the expected one.",
      "host-data": "The host data is not the expected one.",
    },
  },
});

/** What a subject with a SEV-SNP report owes. */
export const snp = { ...authenticity, ...appraisal, ...pins };
/** The same without the two questions about pins; a pin that is given is still owed. */
export const snpAuthentic = { ...authenticity, ...appraisal };
