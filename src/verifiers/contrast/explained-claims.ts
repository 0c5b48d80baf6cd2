/** What a manifest owes when nobody vouches for its bytes: each value in it is one that the auditor vouches for apart from it. */
import { catalogue } from "../../claims/question.ts";

const spec = (members: string): string => `Contrast v1.20, manifest, ${members}; profile`;

export const explainedManifest = catalogue("contrast", {
  "contrast.explained.measurements": {
    asks: "Is the launch measurement of each SNP reference value one that the auditor vouches for?",
    spec: spec("ReferenceValues.snp, TrustedMeasurement"),
    stops: "A guest image that enforces no policy, admitted into the mesh beside the good one.",
    todo: "Recompute the measurement from the guest image, and add it to the profile's measurements, of an entry with APEIP those of one and of two vCPUs; or demand that the entry is removed.",
    owed: "always",
    codes: {
      "measurement-unexplained":
        "A reference value has a launch measurement that the profile does not name, or an APEIP that none of those named covers.",
    },
  },
  "contrast.explained.tdx": {
    asks: "Are MRTD, MRSEAM and RTMRs of each TDX reference value among those that the auditor vouches for, with the XFAM that Contrast generates and no demand of the platform less?",
    spec: spec("ReferenceValues.tdx, MrTd, MrSeam, Rtmrs, Xfam"),
    stops: "A guest image or a TDX module of unknown make, admitted into the mesh beside the good one.",
    todo: "Add the values to the profile's manifestValues.tdx when somebody apart from the operator vouches for them.",
    owed: "always",
    codes: { "tdx-unexplained": "A TDX reference value is not one that the profile names." },
  },
  "contrast.explained.minimum_tcb": {
    asks: "Does each SNP reference value demand at least the profile's floor of the TCB, component by component?",
    spec: spec("MinimumTCB"),
    stops: "Workers on firmware with known holes: only the Coordinator looks at their evidence, by this minimum.",
    todo: "Set minimumTcb in the profile from the vendor's bulletins; demand a manifest with at least these values.",
    owed: "always",
    codes: {
      "minimum-below-profile": "A component of a MinimumTCB is below the profile's floor.",
      "minimum-unreferenced": "The profile sets no floor.",
    },
  },
  "contrast.explained.tcb_evaluation": {
    asks: "Does each TDX reference value demand at least the TCB evaluation data number of the profile?",
    spec: spec("MinTCBEvaluationDataNumber"),
    stops: "Workers judged by TCB information that Intel has replaced.",
    todo: "Set manifestValues.minTcbEvaluationDataNumber; demand a manifest with at least this number.",
    owed: "always",
    codes: { "evaluation-below-profile": "A MinTCBEvaluationDataNumber is unset or below the profile's." },
  },
  "contrast.explained.mitigation_vector": {
    asks: "Does each SNP reference value demand all mitigations of the profile?",
    spec: spec("MinimumMitigationVector"),
    stops: "Workers on firmware that lacks a mitigation.",
    todo: "Set manifestValues.minimumMitigationVector from the vendor's bulletins; demand a manifest that has these bits.",
    owed: "always",
    codes: { "mitigation-below-profile": "A bit of the profile's mitigation vector is not demanded." },
  },
  "contrast.explained.guest_policy": {
    asks: "Does each GuestPolicy forbid debugging, migration agents and CXL memory?",
    spec: spec("GuestPolicy"),
    stops: "A guest whose memory the host may read or move.",
    todo: "Demand a manifest without these bits.",
    owed: "always",
    waivable: false,
    codes: { "guest-policy-unexplained": "A GuestPolicy allows what gives the host a hold on the guest." },
  },
  "contrast.explained.guest_bits": {
    asks: "Has each GuestPolicy exactly the ABI version and bits that the profile names?",
    spec: spec("GuestPolicy"),
    stops: "A guest with fewer restrictions than the auditor demands: page swapping, several sockets, sibling threads.",
    todo: "Set manifestValues.guestPolicy, compare the bits, and demand a manifest with those of the profile.",
    owed: "always",
    codes: { "guest-bits-unexplained": "A GuestPolicy has another bit or ABI version." },
  },
  "contrast.explained.platform_info": {
    asks: "Has each PlatformInfo exactly the bits that the profile names?",
    spec: spec("PlatformInfo"),
    stops: "Machines with sibling threads, or without ECC memory and the check for aliased addresses.",
    todo: "Set manifestValues.platformInfo, compare the bits, and demand a manifest with those of the profile.",
    owed: "always",
    codes: { "platform-info-unexplained": "A PlatformInfo has another bit, or is not there." },
  },
  "contrast.explained.platform": {
    asks: "Does each reference value name a confidential platform that Contrast knows?",
    spec: spec("Platform"),
    stops: "An entry for machines without a TEE.",
    todo: "Ask what the platform is, and have the entry removed.",
    owed: "always",
    codes: { "platform-unexplained": "A reference value has no platform, or one that is not known." },
  },
  "contrast.explained.products": {
    asks: "Is each SNP reference value for a product line that the profile accepts?",
    spec: spec("ProductName"),
    stops: "A product line whose keys are known to have leaked can sign any report.",
    todo: "Set products in the profile, and have the entries of other product lines removed.",
    owed: "always",
    codes: { "product-unexplained": "A reference value is for another product line." },
  },
  "contrast.explained.machines": {
    asks: "Does each reference value list its machines, all of them known to the auditor, unless the profile accepts any machine of a kind?",
    spec: spec("AllowedChipIDs, AllowedPIIDs"),
    stops: "A genuine CPU in somebody else's hands, where physical attacks are possible.",
    todo: "Ask the operator for the list of machines and whose they are, and name them in manifestValues.chipIds and piids. If any machine will do, relaxations.anyMachine says so.",
    owed: "always",
    codes: {
      "machines-open": "A reference value accepts every machine.",
      "machine-unexplained": "A machine is not one that the profile names.",
    },
  },
  "contrast.explained.owners": {
    asks: "May nobody but the keys that the profile names replace the manifest?",
    spec: spec("WorkloadOwnerPubKeys, WorkloadOwnerKeyDigests"),
    stops: "Another manifest tomorrow, under the same root CA, with workloads that nobody reviewed.",
    todo: "Demand a manifest without workload owners, or add the key's SHA-256 to manifestValues.workloadOwners and say whose it is.",
    owed: "always",
    codes: { "owner-unexplained": "A workload owner's key is not one that the profile names." },
  },
  "contrast.explained.seedshare_owners": {
    asks: "Can nobody but the keys that the profile names recover the Coordinator's seed?",
    spec: spec("SeedshareOwnerPubKeys"),
    stops: "Whoever holds such a private key can compute every secret of the deployment.",
    todo: "Find out who holds the key; add its SHA-256 to manifestValues.seedshareOwners when that is acceptable.",
    owed: "always",
    codes: { "seedshare-unexplained": "A seed share owner's key is not one that the profile names." },
  },
});
