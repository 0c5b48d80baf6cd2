/** Rows of TDX quotes. What only a manifest can demand is shown by the runs of a Coordinator on TDX. */
import type { tdx } from "../../src/verifiers/tdx/claims.ts";
import type { Rows } from "./rows.ts";

/** No flag of `pm tdx verify` gives these reference values. */
type OfManifests = "tdx.pck.piid" | "tdx.pck.options" | "tdx.td.sept_ve_disable";
export type TdxQuestions = Omit<typeof tdx, OfManifests>;

const good = "trust domain as demanded";
const other = "trust domain, every value another";
const owned = "trust domain with an owner and without SEPT_VE_DISABLE";

export const tdxRows: Rows<TdxQuestions> = {
  "tdx.quote.format": {
    passes: good,
    fails: { QUOTE_MALFORMED: "TDX: truncated", ATT_KEY_INVALID: "TDX: attestationKeyOffCurve" },
    open: {
      QUOTE_VERSION_UNSUPPORTED: ["error", "TDX: version2"],
      ATT_KEY_TYPE_UNSUPPORTED: ["error", "TDX: keyTypeP384"],
      BODY_TYPE_UNSUPPORTED: ["error", "TDX: bodyType4"],
      CERT_DATA_TYPE_UNSUPPORTED: ["error", "TDX: innerType1"],
    },
  },
  "tdx.quote.tee_type": { passes: good, fails: { TEE_TYPE_UNEXPECTED: "TDX: teeTypeUnknown" } },
  "tdx.quote.qe_vendor": { passes: good, fails: { QE_VENDOR_UNKNOWN: "TDX: otherVendor" } },
  "tdx.pck.chain": {
    passes: good,
    fails: { PCK_CHAIN_INVALID: "TDX: leafBadSignature", ROOT_UNTRUSTED: "TDX: foreignRoot" },
  },
  "tdx.pck.extensions": { passes: good, fails: { PCK_CHAIN_INVALID: "TDX: noFmspc" } },
  "tdx.qe.report_signature": { passes: good, fails: { QE_REPORT_SIGNATURE_INVALID: "TDX: qeReportSignature" } },
  "tdx.qe.key_binding": { passes: good, fails: { ATT_KEY_BINDING_INVALID: "TDX: keyBinding" } },
  "tdx.quote.signature": { passes: good, fails: { QUOTE_SIGNATURE_INVALID: "TDX: quoteSignature" } },
  "tdx.quote.trailing": { passes: good, fails: { TRAILING_DATA: "TDX: trailingText" } },
  "tdx.pck.validity": {
    passes: good,
    fails: { CERT_NOT_YET_VALID: "TDX: leafNotYetValid", CERT_EXPIRED: "TDX: leafExpired" },
  },
  "tdx.root_crl.current": {
    passes: good,
    fails: {
      ROOT_CRL_INVALID: "TDX: rootCrlSignedByOther",
      ROOT_CRL_EXPIRED: "TDX: rootCrlExpired",
      ROOT_CRL_NOT_YET_VALID: "TDX: rootCrlNotYetValid",
    },
    open: { REVOCATION_UNAVAILABLE: ["unavailable", "TDX: rootCrlMissing"] },
  },
  "tdx.pck_crl.current": {
    passes: good,
    fails: {
      PCK_CRL_INVALID: "TDX: pckCrlSignedByOther",
      PCK_CRL_EXPIRED: "TDX: pckCrlExpired",
      PCK_CRL_NOT_YET_VALID: "TDX: pckCrlNotYetValid",
    },
    open: { REVOCATION_UNAVAILABLE: ["unavailable", "TDX: pckCrlMissing"] },
  },
  "tdx.pck.revocation": {
    passes: good,
    fails: { INTERMEDIATE_REVOKED: "TDX: intermediateRevoked", PCK_REVOKED: "TDX: pckRevoked" },
  },
  "tdx.tcb_signing.validity": {
    passes: good,
    fails: { CERT_NOT_YET_VALID: "TDX: tcbSigningNotYetValid", CERT_EXPIRED: "TDX: tcbSigningExpired" },
  },
  "tdx.tcb_signing.revocation": { passes: good, fails: { TCB_SIGNING_REVOKED: "TDX: tcbSigningRevoked" } },
  "tdx.tcb_info.format": { passes: good, fails: { COLLATERAL_MALFORMED: "TDX: noLevels" } },
  "tdx.tcb_info.chain": { passes: good, fails: { TCB_INFO_CHAIN_INVALID: "TDX: tcbInfoSignedByPlatformCa" } },
  "tdx.tcb_info.signature": { passes: good, fails: { TCB_INFO_SIGNATURE_INVALID: "TDX: tcbInfoSpace" } },
  "tdx.tcb_info.window": {
    passes: good,
    fails: { TCB_INFO_NOT_YET_VALID: "TDX: tcbInfoNotYetValid", TCB_INFO_EXPIRED: "TDX: tcbInfoExpired" },
  },
  "tdx.tcb_info.platform": { passes: good, fails: { TCB_INFO_MISMATCH: "TDX: tcbInfoOtherFmspc" } },
  "tdx.qe_identity.format": { passes: good, fails: { COLLATERAL_MALFORMED: "TDX: qeNoLevels" } },
  "tdx.qe_identity.chain": { passes: good, fails: { QE_IDENTITY_CHAIN_INVALID: "TDX: tcbSigningOtherName" } },
  "tdx.qe_identity.signature": { passes: good, fails: { QE_IDENTITY_SIGNATURE_INVALID: "TDX: qeIdentitySpace" } },
  "tdx.qe_identity.window": {
    passes: good,
    fails: { QE_IDENTITY_NOT_YET_VALID: "TDX: qeIdentityNotYetValid", QE_IDENTITY_EXPIRED: "TDX: qeIdentityExpired" },
  },
  "tdx.qe.identity": { passes: good, fails: { QE_IDENTITY_MISMATCH: "TDX: qeOtherSigner" } },
  "tdx.tcb.level": {
    passes: good,
    fails: { TCB_NOT_SUPPORTED: "TDX: noTdxLevel", "tcb-status-unknown": "TDX: unknownStatus" },
  },
  "tdx.tcb.not_revoked": { passes: good, fails: { TCB_REVOKED: "TDX: levelRevoked" } },
  "tdx.tcb.status": {
    passes: good,
    fails: {
      TCB_OUT_OF_DATE: "TDX: platformOutOfDate",
      TCB_OUT_OF_DATE_CONFIGURATION_NEEDED: "TDX: outOfDateConfigurationNeeded",
      TCB_CONFIGURATION_NEEDED: "TDX: configurationNeeded",
      TCB_SW_HARDENING_NEEDED: "TDX: swHardeningNeeded",
      TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED: "TDX: configurationAndSwHardeningNeeded",
      TCB_TD_RELAUNCH_ADVISED: "TDX: tdRelaunchAdvised",
      TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED: "TDX: tdRelaunchAdvisedConfigurationNeeded",
      TCB_REVOKED: "TDX: levelRevoked",
      TCB_NOT_SUPPORTED: "TDX: noTdxLevel",
      "tcb-status-unknown": "TDX: unknownStatus",
    },
  },
  "tdx.tcb.evaluation": { passes: good, fails: { TCB_EVALUATION_TOO_LOW: other } },
  "tdx.module.identity": {
    passes: good,
    fails: { TDX_MODULE_MISMATCH: "TDX: mrSignerSeam", TCB_INFO_MISMATCH: "TDX: identitiesMissing" },
  },
  "tdx.tcb.tee_svn": { passes: good, fails: { "tee-tcb-svn-minimum": other } },
  "tdx.pck.fmspc": { passes: good, fails: { "fmspc-mismatch": other } },
  "tdx.td.debug": { passes: good, fails: { TD_DEBUG: "TDX: debug" } },
  "tdx.td.untrusted": { passes: good, fails: { TD_DEBUG: "TDX: hgsProfiling" } },
  "tdx.td.reserved": { passes: good, fails: { TD_ATTRIBUTES_MISMATCH: "TDX: reservedBit" } },
  "tdx.td.service": { passes: good, fails: { SERVICE_TD_BOUND: "TDX: serviceTd" } },
  "tdx.td.xfam_fixed": { passes: good, fails: { XFAM_MISMATCH: "TDX: xfamHalfCet" } },
  "tdx.td.sept_ve": { passes: good, fails: { "sept-ve-enabled": owned } },
  "tdx.td.owner_zero": { passes: good, fails: { "owner-not-zero": owned } },
  "tdx.module.mrseam": { passes: good, fails: { MRSEAM_MISMATCH: other } },
  "tdx.module.mrsignerseam": { passes: good, fails: { TDX_MODULE_MISMATCH: other } },
  "tdx.td.mrtd": { passes: good, fails: { MRTD_MISMATCH: other } },
  "tdx.td.rtmrs": { passes: good, fails: { RTMR_MISMATCH: other } },
  "tdx.td.attributes": { passes: good, fails: { TD_ATTRIBUTES_MISMATCH: other } },
  "tdx.td.xfam": { passes: good, fails: { XFAM_MISMATCH: other } },
  "tdx.td.mrconfigid": { passes: good, fails: { MRCONFIGID_MISMATCH: other } },
  "tdx.td.mrowner": { passes: good, fails: { MROWNER_MISMATCH: other } },
  "tdx.td.mrownerconfig": { passes: good, fails: { MROWNER_MISMATCH: other } },
  "tdx.td.mrservicetd": {
    passes: "trust domain with its service domain as demanded",
    fails: { SERVICE_TD_BOUND: other },
  },
  "tdx.td.report_data": { passes: good, fails: { REPORT_DATA_MISMATCH: other } },
  "tdx.pins.what_runs": { passes: good, fails: { MRTD_MISMATCH: other } },
  "tdx.pins.for_whom": {
    passes: good,
    fails: { REPORT_DATA_MISMATCH: other, MRCONFIGID_MISMATCH: "trust domain of another configuration" },
  },
};
