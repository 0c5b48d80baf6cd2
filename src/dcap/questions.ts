/**
 * Questions that every DCAP quote is asked, whatever its TEE (spec notes tdx.md 3 and 4). A verifier puts its name before the
 * ids with `prefixed`, for its catalogue and for its answers alike.
 */
import type { Catalogue, Question } from "../claims/question.ts";

/** The same members under "<prefix>.<id>". */
export type Prefixed<P extends string, T> = { readonly [K in keyof T & string as `${P}.${K}`]: T[K] };
export const prefixed = <const P extends string, const T extends object>(prefix: P, members: T): Prefixed<P, T> =>
  Object.fromEntries(Object.entries(members).map(([id, value]) => [`${prefix}.${id}`, value])) as Prefixed<P, T>;

const define = <const T extends Readonly<Record<string, Question>>>(questions: T): T => questions;
const dcap = "Intel DCAP quote format";

/** Whose bytes are these? Everything else waits for a yes to all of them. */
export const authenticityQuestions = define({
  "quote.format": {
    asks: "Is this one whole quote of a known version, whose parts have exactly the lengths that they state?",
    spec: `${dcap}, versions 3, 4 and 5`,
    stops: "Evidence that two programs read differently, and fields of a newer format that would be overlooked.",
    todo: "Have the quote fetched again and handed over as it came; for an unknown version or form use a newer pm.",
    owed: "always",
    codes: {
      QUOTE_MALFORMED: "The evidence breaks the quote format. No signature covers lengths, so this is no forgery.",
      ATT_KEY_INVALID: "The attestation key in the quote is not a point of P-256.",
      QUOTE_VERSION_UNSUPPORTED: "The quote has a version that pm does not know.",
      ATT_KEY_TYPE_UNSUPPORTED: "The quote is signed with an algorithm that pm does not verify.",
      BODY_TYPE_UNSUPPORTED: "The quote has a body type that pm does not read.",
      CERT_DATA_TYPE_UNSUPPORTED:
        "The quote does not carry its PCK certificate chain, and pm takes it from nowhere else.",
    },
    waivable: false,
  },
  "quote.tee_type": {
    asks: "Is the quote from the kind of TEE that was asked for?",
    spec: `${dcap}, header, TEE type`,
    stops: "A genuine quote of an SGX enclave passed off for one of a trust domain, or the other way round.",
    todo: "Hand over a quote of the right kind: pm tdx verify for trust domains, pm sgx verify for enclaves.",
    owed: "always",
    codes: { TEE_TYPE_UNEXPECTED: "The quote's header names another TEE." },
    waivable: false,
  },
  "quote.qe_vendor": {
    asks: "Was the quote made by Intel's quoting enclave?",
    spec: `${dcap}, header, QE vendor id`,
    stops: "A quote of somebody else's quoting enclave, for which Intel's rules say nothing.",
    todo: "Find out which quoting enclave runs on the host.",
    owed: "always",
    codes: { QE_VENDOR_UNKNOWN: "The QE vendor id is not Intel's." },
    waivable: false,
  },
  "pck.chain": {
    asks: "Does a valid path lead from the PCK certificate to the pinned Intel SGX Root CA?",
    spec: "Intel PCK certificate profile; RFC 5280 6.1, except dates and revocation",
    stops: "A chain that somebody made up with Intel's names, and a certificate of another kind, issuer or algorithm.",
    todo: "Have the quote made again on the platform; if it stays so, treat the evidence as forged.",
    owed: "always",
    codes: {
      PCK_CHAIN_INVALID:
        "The chain is not exactly PCK certificate, Platform or Processor CA and root, or breaks a rule of its place.",
      ROOT_UNTRUSTED:
        "The chain ends in another root than the pinned one; nothing else about the quote means anything.",
    },
    waivable: false,
  },
  "pck.extensions": {
    asks: "Does the PCK certificate state the platform once and completely?",
    spec: "Intel PCK certificate profile, SGX extensions 1.2.840.113741.1.13.1",
    stops: "A certificate that leaves out an SVN or states one twice, so that readers disagree about the platform.",
    todo: "Have the platform's PCK certificate fetched again from Intel.",
    owed: "always",
    codes: { PCK_CHAIN_INVALID: "The SGX extensions are missing, there twice or not well formed." },
    waivable: false,
  },
  "qe.report_signature": {
    asks: "Did the platform's certification key sign the quoting enclave's report?",
    spec: `${dcap}, QE report signature`,
    stops: "A quoting enclave that no genuine platform vouches for.",
    todo: "Treat the quote as forged.",
    owed: "always",
    codes: { QE_REPORT_SIGNATURE_INVALID: "The QE report's signature does not verify with the PCK certificate's key." },
    waivable: false,
  },
  "qe.key_binding": {
    asks: "Is the attestation key the one that the quoting enclave's report names?",
    spec: `${dcap}, QE report data`,
    stops: "A genuine quoting enclave's report beside the key of somebody else.",
    todo: "Treat the quote as forged.",
    owed: "always",
    codes: {
      ATT_KEY_BINDING_INVALID:
        "The QE report's REPORTDATA is not SHA-256 of attestation key and authentication data, then zeros.",
    },
    waivable: false,
  },
  "quote.signature": {
    asks: "Did the attestation key sign these bytes?",
    spec: `${dcap}, ECDSA signature over header, descriptor and body; FIPS 186-5`,
    stops: "A quote that was changed or made up.",
    todo: "Treat the quote as forged.",
    owed: "always",
    codes: { QUOTE_SIGNATURE_INVALID: "The signature does not verify over the quote with its attestation key." },
    waivable: false,
  },
});

/** Nothing that a signature covers; shown, so that nobody takes it for part of the evidence. */
export const trailingQuestions = define({
  "quote.trailing": {
    asks: "Is there nothing but zero bytes after the quote's signature data?",
    spec: `${dcap}, end of the signature data`,
    stops: "Bytes that no signature covers being read as part of the evidence; pm does not interpret them.",
    todo: "Ask what put them there; padding is zero, and Contrast's issuer attaches collateral there.",
    owed: "advisory",
    codes: { TRAILING_DATA: "Bytes that are not zero follow the signature data; no signature covers them." },
  },
});

const pcs = "Intel PCS API version 4";
const fetchAgain = "Fetch it again from Intel; judge stored evidence with --at at the time when it was collected.";

/** Whether certificates and revocation lists counted at the judgement time: owed, but no reason to stop reading. */
export const certificateQuestions = define({
  "pck.validity": {
    asks: "Were all certificates of the PCK chain within their dates at the judgement time?",
    spec: "RFC 5280 4.1.2.5",
    stops: "A certificate that Intel no longer stands behind.",
    todo: "Judge stored evidence with --at at the time when it was collected.",
    owed: "always",
    codes: {
      CERT_NOT_YET_VALID: "A certificate was not yet valid at the judgement time.",
      CERT_EXPIRED: "A certificate had expired at the judgement time.",
    },
  },
  "root_crl.current": {
    asks: "Is there a revocation list of the root CA that the pinned root signed and that is in date?",
    spec: "RFC 5280 5 and 6.3; CRL distribution point of Intel SGX Root CA",
    stops: "An intermediate or signing certificate that Intel has withdrawn, hidden behind an old or foreign list.",
    todo: fetchAgain,
    owed: "always",
    codes: {
      ROOT_CRL_INVALID: "What was at hand is no revocation list of the pinned root.",
      ROOT_CRL_EXPIRED: "The root CA's revocation list was out of date at the judgement time.",
      ROOT_CRL_NOT_YET_VALID: "The root CA's revocation list is younger than the judgement time.",
      REVOCATION_UNAVAILABLE: "No revocation list of the root CA could be had.",
    },
    waivable: false,
  },
  "pck_crl.current": {
    asks: "Is there a revocation list of the CA that issued the PCK certificate, signed by it and in date?",
    spec: `${pcs}, pckcrl; RFC 5280 5 and 6.3`,
    stops: "A withdrawn platform hidden behind an old list, or one of the other CA, on which it can never stand.",
    todo: fetchAgain,
    owed: "always",
    codes: {
      PCK_CRL_INVALID: "What was at hand is no revocation list of the CA that issued the PCK certificate.",
      PCK_CRL_EXPIRED: "The PCK revocation list was out of date at the judgement time.",
      PCK_CRL_NOT_YET_VALID: "The PCK revocation list is younger than the judgement time.",
      REVOCATION_UNAVAILABLE: "No revocation list for the PCK certificate could be had.",
    },
    waivable: false,
  },
  "pck.revocation": {
    asks: "Do these lists name neither the PCK certificate nor the CA that issued it?",
    spec: "RFC 5280 6.3",
    stops: "A platform whose keys Intel has withdrawn, for instance because they leaked.",
    todo: "Do not use this platform.",
    owed: "always",
    codes: {
      INTERMEDIATE_REVOKED: "The CA that issued the PCK certificate is revoked.",
      PCK_REVOKED: "The PCK certificate is revoked.",
    },
    waivable: false,
  },
  "tcb_signing.validity": {
    asks: "Were the certificates that signed TCB info and QE identity within their dates?",
    spec: "RFC 5280 4.1.2.5",
    stops: "Documents under a signing certificate that Intel no longer stands behind.",
    todo: "Use the issuer chain that came with the documents: two signing certificates share one serial number.",
    owed: "always",
    codes: {
      CERT_NOT_YET_VALID: "A certificate was not yet valid at the judgement time.",
      CERT_EXPIRED: "A certificate had expired at the judgement time.",
    },
  },
  "tcb_signing.revocation": {
    asks: "Does the root CA's list not name the certificate that signed TCB info and QE identity?",
    spec: "RFC 5280 6.3",
    stops: "Documents of a signing key that Intel has withdrawn.",
    todo: "Fetch the documents again from Intel.",
    owed: "always",
    codes: { TCB_SIGNING_REVOKED: "The TCB signing certificate is revoked." },
    waivable: false,
  },
});

const formatQuestion = { spec: pcs, owed: "always", waivable: false } as const;
export const documentQuestions = define({
  "tcb_info.format": {
    ...formatQuestion,
    asks: "Is the TCB info well formed, with its signature and an issuer chain of exactly signer and root?",
    stops: "A document that readers take differently, or whose signer cannot be known.",
    todo: "Fetch the TCB info again from Intel and keep its bytes and its issuer chain as they came.",
    codes: { COLLATERAL_MALFORMED: "The document or its issuer chain breaks its format." },
  },
  "tcb_info.chain": {
    asks: "Does the TCB info's signing certificate chain to the pinned Intel SGX Root CA?",
    spec: `${pcs}, TCB-Info-Issuer-Chain`,
    stops: "A TCB info that somebody else signed.",
    todo: "Fetch the TCB info again from Intel; if it stays so, treat it as forged.",
    owed: "always",
    codes: {
      TCB_INFO_CHAIN_INVALID: "The issuer chain is not TCB signing certificate and pinned root, in that order.",
    },
    waivable: false,
  },
  "tcb_info.signature": {
    asks: "Did that certificate's key sign the TCB info's bytes?",
    spec: `${pcs}, TCB info, signature over the raw tcbInfo`,
    stops: "A TCB info in which an out-of-date level was renamed, or one that was parsed and written again.",
    todo: "Fetch the TCB info again from Intel and keep its bytes as they came.",
    owed: "always",
    codes: { TCB_INFO_SIGNATURE_INVALID: "The signature does not verify over the raw tcbInfo." },
    waivable: false,
  },
  "tcb_info.window": {
    asks: "Was the TCB info in force at the judgement time?",
    spec: `${pcs}, TCB info, issueDate and nextUpdate`,
    stops: "An old TCB info that does not know of a recovery since.",
    todo: fetchAgain,
    owed: "always",
    codes: {
      TCB_INFO_NOT_YET_VALID: "The TCB info was issued after the judgement time.",
      TCB_INFO_EXPIRED: "The TCB info's nextUpdate was before the judgement time.",
    },
  },
  "tcb_info.platform": {
    asks: "Is the TCB info for this TEE and for the platform that the PCK certificate names?",
    spec: `${pcs}, TCB info version 3, id, fmspc and pceId`,
    stops: "The levels of another processor family, or of SGX for a trust domain.",
    todo: "Fetch the TCB info for the FMSPC of this quote.",
    owed: "always",
    codes: {
      TCB_INFO_MISMATCH: "The TCB info is for another TEE, version, FMSPC or PCE, or lacks what this quote needs.",
    },
    waivable: false,
  },
  "qe_identity.format": {
    ...formatQuestion,
    asks: "Is the QE identity well formed, with its signature and an issuer chain of exactly signer and root?",
    stops: "A document that readers take differently, or whose signer cannot be known.",
    todo: "Fetch the QE identity again from Intel and keep its bytes and its issuer chain as they came.",
    codes: { COLLATERAL_MALFORMED: "The document or its issuer chain breaks its format." },
  },
  "qe_identity.chain": {
    asks: "Does the QE identity's signing certificate chain to the pinned Intel SGX Root CA?",
    spec: `${pcs}, SGX-Enclave-Identity-Issuer-Chain`,
    stops: "A QE identity that somebody else signed.",
    todo: "Fetch the QE identity again from Intel; if it stays so, treat it as forged.",
    owed: "always",
    codes: {
      QE_IDENTITY_CHAIN_INVALID: "The issuer chain is not TCB signing certificate and pinned root, in that order.",
    },
    waivable: false,
  },
  "qe_identity.signature": {
    asks: "Did that certificate's key sign the QE identity's bytes?",
    spec: `${pcs}, QE identity, signature over the raw enclaveIdentity`,
    stops: "A QE identity that lets another enclave pass.",
    todo: "Fetch the QE identity again from Intel and keep its bytes as they came.",
    owed: "always",
    codes: { QE_IDENTITY_SIGNATURE_INVALID: "The signature does not verify over the raw enclaveIdentity." },
    waivable: false,
  },
  "qe_identity.window": {
    asks: "Was the QE identity in force at the judgement time?",
    spec: `${pcs}, QE identity, issueDate and nextUpdate`,
    stops: "An old QE identity that does not know of a recovery since.",
    todo: fetchAgain,
    owed: "always",
    codes: {
      QE_IDENTITY_NOT_YET_VALID: "The QE identity was issued after the judgement time.",
      QE_IDENTITY_EXPIRED: "The QE identity's nextUpdate was before the judgement time.",
    },
  },
});

export const tcbQuestions = define({
  "qe.identity": {
    asks: "Is the quoting enclave the one that Intel's QE identity describes for this TEE?",
    spec: `${pcs}, QE identity version 2`,
    stops: "Another enclave, or a debuggable one, signing in place of Intel's quoting enclave.",
    todo: "Fetch the QE identity for the right TEE; if it stays so, the host runs another quoting enclave.",
    owed: "always",
    codes: {
      QE_IDENTITY_MISMATCH:
        "MRSIGNER, ISVPRODID, MISCSELECT or ATTRIBUTES differ, or the identity is of another TEE or version.",
    },
    waivable: false,
  },
  "tcb.level": {
    asks: "Do platform, module and quoting enclave each have a level that Intel lists, with a status that pm knows?",
    spec: `${pcs}, tcbLevels`,
    stops: "A platform so old, or so new, that Intel's document says nothing about it.",
    todo: "Compare the SVNs that are shown with those of the next level, and have microcode, firmware and module updated.",
    owed: "always",
    codes: {
      TCB_NOT_SUPPORTED: "No level of Intel's document fits: an SVN is below the lowest one.",
      "tcb-status-unknown": "A level that fits has a status that pm does not know.",
    },
    waivable: false,
  },
  "tcb.not_revoked": {
    asks: "Is no TCB level that the quote rests on revoked?",
    spec: `${pcs}, tcbStatus Revoked`,
    stops: "A platform, module or quoting enclave that Intel has withdrawn.",
    todo: "Do not use this platform before it is updated. No option makes this acceptable.",
    owed: "always",
    codes: { TCB_REVOKED: "A TCB level of platform, module or quoting enclave is revoked." },
    waivable: false,
  },
  "tcb.status": {
    asks: "Is the TCB status of platform, module and quoting enclave together one that is accepted?",
    spec: `${pcs}, tcbStatus; Intel's convergence rule`,
    stops: "A platform with holes that are known and closed in later levels.",
    todo: "Have the components updated that the next level names, or accept the status by name with --accept-tcb.",
    owed: "always",
    codes: {
      TCB_OUT_OF_DATE: "The TCB is out of date.",
      TCB_OUT_OF_DATE_CONFIGURATION_NEEDED: "The TCB is out of date, and the platform needs another configuration.",
      TCB_CONFIGURATION_NEEDED: "The platform needs another configuration.",
      TCB_SW_HARDENING_NEEDED: "The software needs hardening against known attacks.",
      TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED: "Another configuration and hardened software are needed.",
      TCB_TD_RELAUNCH_ADVISED: "The machine is up to date, but the trust domain was started on an out-of-date module.",
      TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED:
        "The trust domain was started on an out-of-date module, and the platform needs another configuration.",
      TCB_REVOKED: "A TCB level of platform, module or quoting enclave is revoked.",
      TCB_NOT_SUPPORTED: "No level of Intel's document fits: an SVN is below the lowest one.",
      "tcb-status-unknown": "A level that fits has a status that pm does not know.",
    },
  },
  "tcb.evaluation": {
    asks: "Do TCB info and QE identity both carry at least the demanded TCB evaluation data number?",
    spec: `${pcs}, tcbEvaluationDataNumber`,
    stops: "Documents in force from before a TCB recovery that should count already.",
    todo: "Fetch the documents with update=early, or lower the number knowingly.",
    owed: "pinned",
    codes: { TCB_EVALUATION_TOO_LOW: "One of the two documents is from before the demanded TCB recovery." },
  },
});

/** Everything that needs documents of Intel's; what `--skip-collateral` does not ask. */
export const collateralIds: ReadonlySet<string> = new Set(
  [
    ...Object.keys(certificateQuestions).filter((id) => id !== "pck.validity"),
    ...Object.keys(documentQuestions),
    ...Object.keys(tcbQuestions),
  ].map(String),
);

/** `--skip-collateral`, a named relaxation: what needs Intel's documents stays visible, and is not owed. */
export const withoutDocuments = <C extends Catalogue>(catalogue: C, ids: ReadonlySet<string>): C =>
  Object.fromEntries(
    Object.entries(catalogue).map(([id, question]) => [
      id,
      ids.has(id) ? { ...question, owed: "advisory" as const } : question,
    ]),
  ) as C;
