/** Questions about the platform: key and TCB binding, firmware levels, guest policy, platform state. */
import { catalogue } from "../../claims/question.ts";

export const tcbQuestions = catalogue("snp", {
  "snp.vek.tcb": {
    asks: "Is the report key derived for exactly the TCB that the report states?",
    spec: "56860 7.3, REPORTED_TCB; 57230 chapter 3, SPL extensions",
    stops: "A key of an older, broken firmware level signing for a newer one.",
    todo: "Fetch the certificate for the REPORTED_TCB of this report.",
    owed: "always",
    waivable: false,
    codes: { "tcb-mismatch": "REPORTED_TCB is not the TCB in the certificate." },
  },
  "snp.vek.chip_id": {
    asks: "Does the report come from the chip that the certificate is for?",
    spec: "56860 7.3, CHIP_ID; 57230 chapter 3, HWID",
    stops: "A certificate of another machine.",
    todo: "Fetch the certificate for the CHIP_ID of this report.",
    owed: "always",
    waivable: false,
    codes: { "chip-id-mismatch": "CHIP_ID is not the HWID in the certificate." },
  },
  "snp.vek.chip_id_shown": {
    asks: "Does the report itself say on which chip it was made?",
    spec: "56860 7.3, CHIP_ID and MaskChipId",
    stops: "A host that hides which machine it is; the certificate still names the chip, an allow list does not match.",
    todo: "Ask the operator why chip ids are masked; the chip is the certificate's HWID.",
    owed: "advisory",
    codes: { "chip-id-masked": "CHIP_ID is all zero: the host masks it." },
  },
  "snp.product.name": {
    asks: "Is the product name in the certificate one of a known line?",
    spec: "57230 chapter 3, productName",
    stops: "Nothing by itself: issuer and CPUID fix the line. A new name is worth a look.",
    todo: "Look up the name with AMD, and use a newer pm.",
    owed: "advisory",
    codes: { "product-name-unknown": "The certificate has a product name that pm does not know." },
  },
  "snp.tcb.order": {
    asks: "Is no committed or reported firmware level above the one that runs, and no reserved TCB byte in use?",
    spec: "56860 2.2 and 7.3, CURRENT_TCB, COMMITTED_TCB, REPORTED_TCB, LAUNCH_TCB",
    stops:
      "A statement that no sound firmware makes; where provisional firmware is refused, one that can still be rolled back.",
    todo: "Have the firmware committed, or allow provisional firmware; otherwise ask AMD or the operator.",
    owed: "always",
    codes: {
      "tcb-order": "COMMITTED or REPORTED is above CURRENT, or the firmware is provisional where that is refused.",
    },
  },
  "snp.tcb.minimum": {
    asks: "Does each part of every TCB in the report reach the minimum?",
    spec: "56860 7.3, REPORTED_TCB, LAUNCH_TCB, CURRENT_TCB, COMMITTED_TCB",
    stops: "Firmware with holes that are known and closed in later levels.",
    todo: "Have the host updated, and the guest launched again if only LAUNCH_TCB is low.",
    owed: "pinned",
    codes: { "tcb-minimum": "A part of the reported, launch, current or committed TCB is below the minimum." },
  },
});

export const platformQuestions = catalogue("snp", {
  "snp.policy.reserved": {
    asks: "Are the reserved bits of the guest policy as the specification fixes them?",
    spec: "56860 4.3, POLICY bit 17 and bits 63:26",
    stops: "A policy bit whose meaning is not known here.",
    todo: "Use a newer pm, or have the guest launched with a policy of known bits.",
    owed: "always",
    codes: { "policy-reserved": "POLICY bit 17 is not one, or one of bits 63:26 is not zero." },
  },
  "snp.policy.debug": {
    asks: "Is debugging of the guest forbidden?",
    spec: "56860 4.3, POLICY.DEBUG",
    stops: "A host that reads and writes the guest's memory. Nothing such a guest says is evidence.",
    todo: "Have the guest launched without DEBUG. No reference value, manifest or option makes this acceptable.",
    owed: "always",
    codes: { "policy-debug": "The guest was launched with debugging allowed." },
    waivable: false,
  },
  "snp.policy.migration": {
    asks: "Is the guest without a migration agent, unless one was allowed?",
    spec: "56860 4.3, POLICY.MIGRATE_MA",
    stops: "A migration agent, which can move the guest's memory to other machines.",
    todo: "Have the guest launched without MIGRATE_MA, or allow it knowingly.",
    owed: "always",
    codes: { "policy-migration": "The guest was launched with a migration agent allowed." },
  },
  "snp.policy.migration_agent": {
    asks: "Is the guest without a migration agent, whatever was allowed?",
    spec: "56860 4.3, POLICY.MIGRATE_MA",
    stops: "A guest that is only as trustworthy as its migration agent.",
    todo: "Find out which migration agent it is (REPORT_ID_MA) and audit it as well.",
    owed: "advisory",
    codes: { "migration-agent": "A migration agent is allowed for this guest." },
  },
  "snp.policy.bits": {
    asks: "Does the guest policy allow no more and restrict no less than the reference policy?",
    spec: "56860 4.3, POLICY",
    stops:
      "A guest launched under a weaker policy than agreed: other firmware, shared cores, memory outside the package.",
    todo: "Compare the two policies bit by bit, and have the guest launched with the agreed one.",
    owed: "pinned",
    codes: { "policy-bits": "POLICY allows what the reference does not, or lacks a restriction that it demands." },
  },
  "snp.platform.info": {
    asks: "Is the platform in the state that the reference demands?",
    spec: "56860 7.3, PLATFORM_INFO",
    stops:
      "Simultaneous multithreading, memory without error correction or an unfinished alias check, where they matter.",
    todo: "Compare the two values; have the host's firmware settings changed.",
    owed: "pinned",
    codes: {
      "platform-info": "PLATFORM_INFO has what the reference forbids, lacks what it demands, or has an unknown bit.",
    },
  },
  "snp.platform.bits_known": {
    asks: "Does PLATFORM_INFO have no bit whose meaning is unknown?",
    spec: "56860 7.3, PLATFORM_INFO",
    stops: "A platform property that this version of pm cannot judge.",
    todo: "Look the bit up in the current firmware specification, and use a newer pm.",
    owed: "advisory",
    codes: { "platform-bits-unknown": "PLATFORM_INFO has a bit that pm does not know." },
  },
  "snp.report.vmpl": {
    asks: "Was the report requested at the expected privilege level of the guest?",
    spec: "56860 7.3, VMPL",
    stops: "A report fetched by a less privileged part of the guest, or by the host itself.",
    todo: "Have the report fetched at VMPL 0, or say with --vmpl which level is right.",
    owed: "always",
    codes: { vmpl: "VMPL is not the expected one." },
  },
  "snp.mitigation.vectors": {
    asks: "Are all demanded mitigations in force, at launch and now?",
    spec: "56860 7.3, LAUNCH_MIT_VECTOR and CURRENT_MIT_VECTOR",
    stops: "A platform on which a known attack is not mitigated although its firmware level is high enough.",
    todo: "Have the host's firmware updated and the guest launched again.",
    owed: "pinned",
    codes: { mitigation: "A demanded bit is missing in the launch or current mitigation vector." },
  },
  "snp.report.product": {
    asks: "Is the processor of the expected product line?",
    spec: "25481, CPUID; 57230 chapter 3",
    stops: "A reference value for one product line met by a machine of another.",
    todo: "Find out on which machines the guest should run.",
    owed: "pinned",
    codes: { "product-mismatch": "The processor is of another product line than expected." },
  },
});
