/** Questions about the TDX module and about the trust domain itself, independent of reference values (tdx.md 4.1 and 5). */
import { catalogue } from "../../claims/question.ts";

const module = "Intel TDX module ABI specification 348551";

export const moduleQuestions = catalogue("tdx", {
  "tdx.module.identity": {
    asks: "Is the TDX module one that Intel's TCB info describes: signer and attributes?",
    spec: "Intel PCS API version 4, TCB info, tdxModule and tdxModuleIdentities",
    stops: "A module of another signer, or one whose version Intel lists nowhere.",
    todo: "Compare MRSIGNERSEAM and SEAMATTRIBUTES with the TCB info; have the host's TDX module replaced by Intel's.",
    owed: "always",
    codes: {
      TDX_MODULE_MISMATCH: "MRSIGNERSEAM or SEAMATTRIBUTES differ, or the module's major version is not listed.",
      TCB_INFO_MISMATCH: "The TCB info lists no modules at all, although this one has a major version above 0.",
    },
    waivable: false,
  },
});

export const tdQuestions = catalogue("tdx", {
  "tdx.td.debug": {
    asks: "Is debugging of the trust domain forbidden?",
    spec: `${module}, TDATTRIBUTES.DEBUG, bit 0`,
    stops: "A host that reads and writes the trust domain's memory. Nothing such a domain says is evidence.",
    todo: "Have the domain launched without DEBUG. No reference value, manifest or option makes this acceptable.",
    owed: "always",
    codes: { TD_DEBUG: "The trust domain was launched with debugging allowed." },
    waivable: false,
  },
  "tdx.td.untrusted": {
    asks: "Is the rest of the TUD group of TDATTRIBUTES, bits 1 to 7, zero?",
    spec: `${module}, TDATTRIBUTES, TD under debug`,
    stops: "A trust domain opened to profiling, which leaks what it works on.",
    todo: "Have the domain launched without profiling attributes.",
    owed: "always",
    codes: { TD_DEBUG: "A bit of TDATTRIBUTES 1 to 7 is set." },
    waivable: false,
  },
  "tdx.td.reserved": {
    asks: "Are the bits of TDATTRIBUTES zero that have no meaning yet?",
    spec: `${module} 008US, table 3.23`,
    stops: "A property of the trust domain whose meaning is not known here.",
    todo: "Look the bits up in the current specification of the TDX module, and use a newer pm.",
    owed: "always",
    codes: { TD_ATTRIBUTES_MISMATCH: "A reserved bit of TDATTRIBUTES is set." },
  },
  "tdx.td.service": {
    asks: "Is the trust domain not migratable, and bound to no service domain but one that was allowed?",
    spec: `${module}, TDATTRIBUTES.MIGRATABLE, bit 29, and MRSERVICETD`,
    stops: "A migration domain, which can move the memory to other machines and decides which ones.",
    todo: "Have the domain launched without service domains, or name and audit the one that it has.",
    owed: "always",
    codes: { SERVICE_TD_BOUND: "MIGRATABLE is set, or MRSERVICETD is not zero." },
  },
  "tdx.td.xfam_fixed": {
    asks: "Does XFAM have the bits that it must have and none that it must not have?",
    spec: `${module}, XFAM: bits 0 and 1 one, none outside 0x6dbe7, bits 11 and 12 both or none`,
    stops: "A trust domain with processor state that the module does not give to a domain.",
    todo: "Compare XFAM with the specification of the TDX module.",
    owed: "always",
    codes: { XFAM_MISMATCH: "XFAM lacks x87 or SSE, has an unknown bit, or half of CET." },
  },
  "tdx.td.sept_ve_disable": {
    asks: "Is SEPT_VE_DISABLE set, as the reference demands?",
    spec: `${module}, TDATTRIBUTES.SEPT_VE_DISABLE, bit 28`,
    stops: "A host that takes pages away and makes a Linux guest handle an exception where it must stop.",
    todo: "Have the domain launched with SEPT_VE_DISABLE.",
    owed: "pinned",
    codes: { "sept-ve-enabled": "SEPT_VE_DISABLE is not set." },
  },
  "tdx.td.sept_ve": {
    asks: "Is SEPT_VE_DISABLE set?",
    spec: `${module}, TDATTRIBUTES.SEPT_VE_DISABLE, bit 28`,
    stops: "A Linux guest without a paravisor that the host can disturb by taking pages away.",
    todo: "Find out whether a paravisor handles it, as on Azure; otherwise have it set.",
    owed: "advisory",
    codes: { "sept-ve-enabled": "SEPT_VE_DISABLE is not set." },
  },
  "tdx.td.owner_zero": {
    asks: "Are MROWNER and MROWNERCONFIG zero?",
    spec: `${module}, MROWNER and MROWNERCONFIG`,
    stops: "Nothing by itself: the host chooses them, and what they mean is the deployment's to say.",
    todo: "Find out what they stand for, and pin them with --mrowner and --mrownerconfig.",
    owed: "advisory",
    codes: { "owner-not-zero": "MROWNER or MROWNERCONFIG is not zero." },
  },
});
