/** Questions that compare the quote with values that somebody gave: platform, measurements, owner, purpose. */
import { catalogue } from "../../claims/question.ts";

const module = "Intel TDX module ABI specification 348551";
const launchAgain =
  "Compare the deployment with the audited one; if the value stays different, something else runs there.";

export const platformPinQuestions = catalogue("tdx", {
  "tdx.tcb.tee_svn": {
    asks: "Does each of the 16 SVNs of TEE_TCB_SVN reach the minimum?",
    spec: `${module}, TEE_TCB_SVN`,
    stops: "A TDX module or microcode with holes that are known and closed in later versions.",
    todo: "Have the host's TDX module updated and the domain launched again.",
    owed: "pinned",
    codes: { "tee-tcb-svn-minimum": "An SVN of TEE_TCB_SVN is below the minimum." },
  },
  "tdx.pck.fmspc": {
    asks: "Is the platform of the expected family?",
    spec: "Intel PCK certificate profile, FMSPC",
    stops: "A reference value for one processor family met by a machine of another.",
    todo: "Find out on which machines the domain should run.",
    owed: "pinned",
    codes: { "fmspc-mismatch": "FMSPC is not the expected one." },
  },
  "tdx.pck.piid": {
    asks: "Is the platform one of those that are allowed?",
    spec: "Intel PCK certificate profile, platform instance id",
    stops: "A genuine processor in the hands of somebody who can attack it physically.",
    todo: "Ask the operator which machine this is.",
    owed: "pinned",
    codes: { PIID_NOT_ALLOWED: "The platform instance id is not on the list, or the certificate has none." },
  },
  "tdx.pck.options": {
    asks: "Is the platform configured as the reference demands?",
    spec: "Intel PCK certificate profile, SGX type and configuration",
    stops:
      "Memory without integrity protection, simultaneous multithreading or a platform whose packages can change, where they matter.",
    todo: "Have the host's firmware settings changed, or use another machine.",
    owed: "pinned",
    codes: { PCK_OPTIONS_MISMATCH: "SGX type, SMT or dynamic platform is not what the reference demands." },
  },
});

export const identityQuestions = catalogue("tdx", {
  "tdx.module.mrseam": {
    asks: "Is the TDX module one of the expected ones?",
    spec: `${module}, MRSEAM`,
    stops: "Another TDX module than the audited one; Intel's documents do not list module digests.",
    todo: "Compare with the digests of Intel's released modules.",
    owed: "pinned",
    codes: { MRSEAM_MISMATCH: "MRSEAM is none of the expected values." },
  },
  "tdx.module.mrsignerseam": {
    asks: "Is the TDX module's signer the expected one?",
    spec: `${module}, MRSIGNERSEAM`,
    stops: "A module of another signer; Intel's own has zero.",
    todo: "Have the host's TDX module replaced.",
    owed: "pinned",
    codes: { TDX_MODULE_MISMATCH: "MRSIGNERSEAM is not the expected one." },
  },
  "tdx.td.mrtd": {
    asks: "Is the measurement of the initial memory the expected one?",
    spec: `${module}, MRTD`,
    stops: "Another firmware than the audited one.",
    todo: launchAgain,
    owed: "pinned",
    codes: { MRTD_MISMATCH: "MRTD is not the expected one." },
  },
  "tdx.td.rtmrs": {
    asks: "Are the given runtime measurements the expected ones?",
    spec: `${module}, RTMR0 to RTMR3`,
    stops: "Another configuration, kernel, command line or initrd than the audited one, or something loaded later.",
    todo: `${launchAgain} pm tdx replay says what an event log explains.`,
    owed: "pinned",
    codes: { RTMR_MISMATCH: "A runtime measurement is not an expected one." },
  },
  "tdx.td.attributes": {
    asks: "Are the attributes of the trust domain exactly the expected ones?",
    spec: `${module}, TDATTRIBUTES`,
    stops: "A trust domain launched with other rights than agreed.",
    todo: "Compare the two values bit by bit, and have the domain launched with the agreed ones.",
    owed: "pinned",
    codes: { TD_ATTRIBUTES_MISMATCH: "TDATTRIBUTES is not the expected value." },
  },
  "tdx.td.xfam": {
    asks: "Is XFAM exactly the expected value?",
    spec: `${module}, XFAM`,
    stops: "A trust domain with other processor features than agreed.",
    todo: "Compare the two values bit by bit. Newer virtual machine monitors pass CET on (bits 11 and 12).",
    owed: "pinned",
    codes: { XFAM_MISMATCH: "XFAM is not the expected value." },
  },
});

export const ownerQuestions = catalogue("tdx", {
  "tdx.td.mrconfigid": {
    asks: "Is MRCONFIGID one of the expected values, all 48 bytes?",
    spec: `${module}, MRCONFIGID`,
    stops: "A trust domain started with other configuration, such as another policy.",
    todo: "Compare the configuration whose digest MRCONFIGID holds.",
    owed: "pinned",
    codes: { MRCONFIGID_MISMATCH: "MRCONFIGID is not an expected one." },
  },
  "tdx.td.mrowner": {
    asks: "Is MROWNER the expected one?",
    spec: `${module}, MROWNER`,
    stops: "A trust domain that was started for somebody else.",
    todo: "Compare the owner of the deployment with the expected one.",
    owed: "pinned",
    codes: { MROWNER_MISMATCH: "MROWNER is not the expected one." },
  },
  "tdx.td.mrownerconfig": {
    asks: "Is MROWNERCONFIG the expected one?",
    spec: `${module}, MROWNERCONFIG`,
    stops: "A trust domain that its owner configured otherwise.",
    todo: "Compare the owner's configuration with the expected one.",
    owed: "pinned",
    codes: { MROWNER_MISMATCH: "MROWNERCONFIG is not the expected one." },
  },
  "tdx.td.mrservicetd": {
    asks: "Is MRSERVICETD the expected one?",
    spec: `${module}, MRSERVICETD`,
    stops: "Another service domain than the audited one.",
    todo: "Find out which service domain is bound, audit it, and name it with --mrservicetd.",
    owed: "pinned",
    codes: { SERVICE_TD_BOUND: "MRSERVICETD is not the expected one." },
  },
  "tdx.td.report_data": {
    asks: "Is the report data the expected one, all 64 bytes?",
    spec: `${module}, REPORTDATA`,
    stops: "A quote made for somebody else, for another nonce or over another state.",
    todo: "Compute the expected value again from what it should bind; if it stays different, the quote is not for you.",
    owed: "pinned",
    codes: { REPORT_DATA_MISMATCH: "REPORTDATA is not the expected one." },
    waivable: false,
  },
});
