/** Questions about the enclave: what a report says of it, compared with the rules and with values that somebody gave. */
import { catalogue } from "../../claims/question.ts";

const report = "Intel SDM volume 3D, 38.15, REPORT";

export const enclaveQuestions = catalogue("sgx", {
  "sgx.enclave.debug": {
    asks: "Is the enclave closed to debuggers?",
    spec: "Intel SDM volume 3D, 38.7, ATTRIBUTES.DEBUG",
    stops: "A genuine enclave whose memory the host reads and writes.",
    todo: "Have the enclave launched without DEBUG; there is no way to accept one with it.",
    owed: "always",
    codes: { ENCLAVE_DEBUG: "ATTRIBUTES.DEBUG is set: the host can read and change the enclave." },
    waivable: false,
  },
  "sgx.enclave.mrenclave": {
    asks: "Is the enclave's measurement the expected one?",
    spec: `${report}, MRENCLAVE`,
    stops: "Other code than the audited enclave.",
    todo: "Build the enclave again and compute its measurement; if it stays different, something else runs there.",
    owed: "pinned",
    codes: { MRENCLAVE_MISMATCH: "MRENCLAVE is not the expected one." },
  },
  "sgx.enclave.mrsigner": {
    asks: "Is the enclave signed by the expected author?",
    spec: `${report}, MRSIGNER`,
    stops: "An enclave of another author.",
    todo: "Compare the SHA-256 of the author's public key with the value that you expect.",
    owed: "pinned",
    codes: { MRSIGNER_MISMATCH: "MRSIGNER is not the expected one." },
  },
  "sgx.enclave.isv_prod_id": {
    asks: "Is the enclave the expected product of its author?",
    spec: `${report}, ISVPRODID`,
    stops: "Another enclave that the same author signed.",
    todo: "Ask the author which product number the enclave has.",
    owed: "pinned",
    codes: { "isv-prod-id-mismatch": "ISVPRODID is not the expected one." },
  },
  "sgx.enclave.isv_svn": {
    asks: "Is the enclave's security version at least the demanded one?",
    spec: `${report}, ISVSVN`,
    stops: "An older version of the enclave with a known hole.",
    todo: "Have the enclave updated.",
    owed: "pinned",
    codes: { ISV_SVN_TOO_LOW: "ISVSVN is below the minimum." },
  },
  "sgx.enclave.isv_ext_prod_id": {
    asks: "Is the extended product id the expected one?",
    spec: `${report}, ISVEXTPRODID (key separation and sharing)`,
    stops: "Another product of the same author.",
    todo: "Ask the author which extended product id the enclave has; without KSS it is zero.",
    owed: "pinned",
    codes: { "isv-ext-prod-id-mismatch": "ISVEXTPRODID is not the expected one." },
  },
  "sgx.enclave.isv_family_id": {
    asks: "Is the family id the expected one?",
    spec: `${report}, ISVFAMILYID (key separation and sharing)`,
    stops: "An enclave of another family of the same author.",
    todo: "Ask the author which family id the enclave has; without KSS it is zero.",
    owed: "pinned",
    codes: { "isv-family-id-mismatch": "ISVFAMILYID is not the expected one." },
  },
  "sgx.enclave.config_id": {
    asks: "Was the enclave launched with the expected configuration?",
    spec: `${report}, CONFIGID (key separation and sharing)`,
    stops: "The audited enclave with another configuration; whoever launches it chooses this value.",
    todo: "Compare the configuration whose digest CONFIGID holds; without KSS it is zero.",
    owed: "pinned",
    codes: { CONFIG_ID_MISMATCH: "CONFIGID is not the expected one." },
  },
  "sgx.enclave.config_svn": {
    asks: "Is the configuration's security version the expected one?",
    spec: `${report}, CONFIGSVN (key separation and sharing)`,
    stops: "The audited enclave with an older configuration.",
    todo: "Find out which version of the configuration the enclave was launched with.",
    owed: "pinned",
    codes: { "config-svn-mismatch": "CONFIGSVN is not the expected one." },
  },
  "sgx.enclave.attributes": {
    asks: "Are the enclave's attributes the expected ones under the mask?",
    spec: `${report}, ATTRIBUTES`,
    stops: "An enclave with rights or processor features that it should not have, such as the provisioning key.",
    todo: "Compare the bits that differ with the Intel SDM.",
    owed: "pinned",
    codes: { "attributes-mismatch": "ATTRIBUTES under the mask are not the expected ones." },
  },
  "sgx.enclave.misc_select": {
    asks: "Is the selection of extended state the expected one?",
    spec: `${report}, MISCSELECT`,
    stops: "An enclave that reports page faults or other state to the host.",
    todo: "Compare the bits that differ with the Intel SDM.",
    owed: "pinned",
    codes: { "misc-select-mismatch": "MISCSELECT is not the expected one." },
  },
  "sgx.enclave.report_data": {
    asks: "Is the report data the expected one, all 64 bytes?",
    spec: `${report}, REPORTDATA`,
    stops: "A quote made for somebody else, for another nonce or over another state.",
    todo: "Compute the expected value again from what it should bind; if it stays different, the quote is not for you.",
    owed: "pinned",
    codes: { REPORT_DATA_MISMATCH: "REPORTDATA is not the expected one." },
    waivable: false,
  },
});

/** A quote proves little unless somebody said before what should run and whom it should answer. */
export const pins = catalogue("sgx", {
  "sgx.pins.what_runs": {
    asks: "Was what runs in the enclave compared with values that somebody gave?",
    spec: `${report}, MRENCLAVE, or MRSIGNER with ISVPRODID and ISVSVN`,
    stops: "Calling genuine hardware verified although any enclave at all may run on it.",
    todo: "Name what should run: --mrenclave, or --mrsigner together with --isv-prod-id and --min-isv-svn; or ask only with --authentic-only. Where a value was named and differs, settle that.",
    owed: "always",
    codes: {
      MRENCLAVE_MISMATCH: "The enclave's measurement is not the expected one.",
      MRSIGNER_MISMATCH: "The enclave's author is not the expected one.",
      "isv-prod-id-mismatch": "The product id is not the expected one.",
      ISV_SVN_TOO_LOW: "The security version is below the minimum.",
      "signer-alone": "MRSIGNER was given without product id or minimum version: every enclave of that author passes.",
    },
  },
  "sgx.pins.for_whom": {
    asks: "Was what binds the quote to its purpose compared with a value that somebody gave?",
    spec: `${report}, REPORTDATA`,
    stops: "A genuine quote of another enclave or another day, relayed.",
    todo: "Name whom the quote should answer with --report-data; or ask only with --authentic-only. Where the value differs, settle that.",
    owed: "always",
    codes: { REPORT_DATA_MISMATCH: "The report data is not the expected one." },
  },
});
