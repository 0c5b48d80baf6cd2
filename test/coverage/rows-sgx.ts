/** Rows of SGX quotes and of event logs. */
import type { sgx } from "../../src/verifiers/sgx/claims.ts";
import type { eventLog } from "../../src/verifiers/tdx/eventlog/claims.ts";
import type { Rows } from "./rows.ts";

export type SgxQuestions = typeof sgx & typeof eventLog;

const good = "enclave as demanded";
const other = "enclave, every value another";
const log = "event log as demanded";
const otherLog = "event log of other registers";

export const sgxRows: Rows<SgxQuestions> = {
  "sgx.quote.format": {
    passes: good,
    fails: { QUOTE_MALFORMED: "SGX: truncated", ATT_KEY_INVALID: "SGX: attestationKeyOffCurve" },
    open: {
      QUOTE_VERSION_UNSUPPORTED: ["error", "SGX: version2"],
      ATT_KEY_TYPE_UNSUPPORTED: ["error", "SGX: keyTypeP384"],
      BODY_TYPE_UNSUPPORTED: ["error", "SGX: bodyType4"],
      CERT_DATA_TYPE_UNSUPPORTED: ["error", "SGX: innerType1"],
    },
  },
  "sgx.quote.tee_type": { passes: good, fails: { TEE_TYPE_UNEXPECTED: "SGX: teeTypeUnknown" } },
  "sgx.quote.qe_vendor": { passes: good, fails: { QE_VENDOR_UNKNOWN: "SGX: otherVendor" } },
  "sgx.pck.chain": {
    passes: good,
    fails: { PCK_CHAIN_INVALID: "SGX: leafBadSignature", ROOT_UNTRUSTED: "SGX: foreignRoot" },
  },
  "sgx.pck.extensions": { passes: good, fails: { PCK_CHAIN_INVALID: "SGX: noFmspc" } },
  "sgx.qe.report_signature": { passes: good, fails: { QE_REPORT_SIGNATURE_INVALID: "SGX: qeReportSignature" } },
  "sgx.qe.key_binding": { passes: good, fails: { ATT_KEY_BINDING_INVALID: "SGX: keyBinding" } },
  "sgx.quote.signature": { passes: good, fails: { QUOTE_SIGNATURE_INVALID: "SGX: quoteSignature" } },
  "sgx.quote.trailing": { passes: good, fails: { TRAILING_DATA: "SGX: trailingText" } },
  "sgx.pck.validity": {
    passes: good,
    fails: { CERT_NOT_YET_VALID: "SGX: leafNotYetValid", CERT_EXPIRED: "SGX: leafExpired" },
  },
  "sgx.root_crl.current": {
    passes: good,
    fails: {
      ROOT_CRL_INVALID: "SGX: rootCrlSignedByOther",
      ROOT_CRL_EXPIRED: "SGX: rootCrlExpired",
      ROOT_CRL_NOT_YET_VALID: "SGX: rootCrlNotYetValid",
    },
    open: { REVOCATION_UNAVAILABLE: ["unavailable", "SGX: rootCrlMissing"] },
  },
  "sgx.pck_crl.current": {
    passes: good,
    fails: {
      PCK_CRL_INVALID: "SGX: pckCrlSignedByOther",
      PCK_CRL_EXPIRED: "SGX: pckCrlExpired",
      PCK_CRL_NOT_YET_VALID: "SGX: pckCrlNotYetValid",
    },
    open: { REVOCATION_UNAVAILABLE: ["unavailable", "SGX: pckCrlMissing"] },
  },
  "sgx.pck.revocation": {
    passes: good,
    fails: { INTERMEDIATE_REVOKED: "SGX: intermediateRevoked", PCK_REVOKED: "SGX: pckRevoked" },
  },
  "sgx.tcb_signing.validity": {
    passes: good,
    fails: { CERT_NOT_YET_VALID: "SGX: tcbSigningNotYetValid", CERT_EXPIRED: "SGX: tcbSigningExpired" },
  },
  "sgx.tcb_signing.revocation": { passes: good, fails: { TCB_SIGNING_REVOKED: "SGX: tcbSigningRevoked" } },
  "sgx.tcb_info.format": { passes: good, fails: { COLLATERAL_MALFORMED: "SGX: noLevels" } },
  "sgx.tcb_info.chain": { passes: good, fails: { TCB_INFO_CHAIN_INVALID: "SGX: tcbInfoSignedByPlatformCa" } },
  "sgx.tcb_info.signature": { passes: good, fails: { TCB_INFO_SIGNATURE_INVALID: "SGX: tcbInfoSpace" } },
  "sgx.tcb_info.window": {
    passes: good,
    fails: { TCB_INFO_NOT_YET_VALID: "SGX: tcbInfoNotYetValid", TCB_INFO_EXPIRED: "SGX: tcbInfoExpired" },
  },
  "sgx.tcb_info.platform": { passes: good, fails: { TCB_INFO_MISMATCH: "SGX: tcbInfoOtherFmspc" } },
  "sgx.qe_identity.format": { passes: good, fails: { COLLATERAL_MALFORMED: "SGX: qeNoLevels" } },
  "sgx.qe_identity.chain": { passes: good, fails: { QE_IDENTITY_CHAIN_INVALID: "SGX: tcbSigningOtherName" } },
  "sgx.qe_identity.signature": { passes: good, fails: { QE_IDENTITY_SIGNATURE_INVALID: "SGX: qeIdentitySpace" } },
  "sgx.qe_identity.window": {
    passes: good,
    fails: { QE_IDENTITY_NOT_YET_VALID: "SGX: qeIdentityNotYetValid", QE_IDENTITY_EXPIRED: "SGX: qeIdentityExpired" },
  },
  "sgx.qe.identity": { passes: good, fails: { QE_IDENTITY_MISMATCH: "SGX: qeOtherSigner" } },
  "sgx.tcb.level": {
    passes: good,
    fails: { TCB_NOT_SUPPORTED: "SGX: noSgxLevel", "tcb-status-unknown": "SGX: unknownStatus" },
  },
  "sgx.tcb.not_revoked": { passes: good, fails: { TCB_REVOKED: "SGX: levelRevoked" } },
  "sgx.tcb.status": {
    passes: good,
    fails: {
      TCB_OUT_OF_DATE: "SGX: platformOutOfDate",
      TCB_OUT_OF_DATE_CONFIGURATION_NEEDED: "SGX: outOfDateConfigurationNeeded",
      TCB_CONFIGURATION_NEEDED: "SGX: configurationNeeded",
      TCB_SW_HARDENING_NEEDED: "SGX: swHardeningNeeded",
      TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED: "SGX: configurationAndSwHardeningNeeded",
      TCB_REVOKED: "SGX: levelRevoked",
      TCB_NOT_SUPPORTED: "SGX: noSgxLevel",
      "tcb-status-unknown": "SGX: unknownStatus",
    },
  },
  "sgx.tcb.evaluation": { passes: good, fails: { TCB_EVALUATION_TOO_LOW: other } },
  "sgx.enclave.debug": { passes: good, fails: { ENCLAVE_DEBUG: "SGX: sgxDebug" } },
  "sgx.enclave.mrenclave": { passes: good, fails: { MRENCLAVE_MISMATCH: other } },
  "sgx.enclave.mrsigner": { passes: good, fails: { MRSIGNER_MISMATCH: other } },
  "sgx.enclave.isv_prod_id": { passes: good, fails: { "isv-prod-id-mismatch": other } },
  "sgx.enclave.isv_svn": { passes: good, fails: { ISV_SVN_TOO_LOW: other } },
  "sgx.enclave.isv_ext_prod_id": { passes: good, fails: { "isv-ext-prod-id-mismatch": other } },
  "sgx.enclave.isv_family_id": { passes: good, fails: { "isv-family-id-mismatch": other } },
  "sgx.enclave.config_id": { passes: good, fails: { CONFIG_ID_MISMATCH: other } },
  "sgx.enclave.config_svn": { passes: good, fails: { "config-svn-mismatch": other } },
  "sgx.enclave.attributes": { passes: good, fails: { "attributes-mismatch": other } },
  "sgx.enclave.misc_select": { passes: good, fails: { "misc-select-mismatch": other } },
  "sgx.enclave.report_data": { passes: good, fails: { REPORT_DATA_MISMATCH: other } },
  "sgx.pins.what_runs": {
    passes: good,
    fails: {
      MRENCLAVE_MISMATCH: other,
      MRSIGNER_MISMATCH: "enclave of another author",
      "isv-prod-id-mismatch": "enclave of another product",
      ISV_SVN_TOO_LOW: "enclave of an old version",
    },
    open: { "signer-alone": ["skip", "enclave whose author alone is named"] },
  },
  "sgx.pins.for_whom": { passes: good, fails: { REPORT_DATA_MISMATCH: other } },
  "tdx.eventlog.format": {
    passes: log,
    fails: { "eventlog-malformed": "event log that is none" },
    open: { "eventlog-unsupported": ["error", "event log without SHA-384"] },
  },
  "tdx.eventlog.rtmr0": { passes: log, fails: { "rtmr0-replay": otherLog } },
  "tdx.eventlog.rtmr1": { passes: log, fails: { "rtmr1-replay": otherLog } },
  "tdx.eventlog.rtmr2": { passes: log, fails: { "rtmr2-replay": otherLog } },
  "tdx.eventlog.rtmr3": { passes: log, fails: { "rtmr3-replay": otherLog } },
  "tdx.eventlog.event_data": { passes: log, fails: { "event-data": "event log with a rewritten event" } },
  "tdx.eventlog.unregistered": { passes: log, fails: { "event-unregistered": "event log with an event for MRTD" } },
};
