/** Questions about a Contrast manifest and about the Coordinator that serves it. "Contrast v1.20" names the release whose rules are meant. */
import { catalogue } from "../../claims/question.ts";

/** Whose bytes are these, and can they be read in one way only. */
export const manifestReading = catalogue("contrast", {
  "contrast.manifest.format": {
    asks: "Is the manifest a JSON document that Contrast's own reader accepts?",
    spec: "Contrast v1.20, manifest: fields and types",
    stops: "A document that no Contrast client can read proves nothing about the deployment.",
    todo: "Fetch the manifest again as raw bytes; if it stays broken, ask whoever published it.",
    owed: "always",
    waivable: false,
    codes: { "manifest-malformed": "The manifest is not JSON, or a field has a type that Contrast refuses." },
  },
  "contrast.manifest.unambiguous": {
    asks: "Does every reader understand the manifest in the same way?",
    spec: "Contrast v1.20, manifest; Go encoding/json: field names, duplicates, numbers",
    stops:
      "A manifest that the Coordinator reads otherwise than the person who reviews it: doubled or re-cased keys, fields that are silently ignored, numbers that are silently rounded.",
    todo: "Look at each place that is named; have the manifest written again by the tool of the right Contrast version, or name that version with --contrast-version.",
    owed: "always",
    waivable: false,
    codes: { "manifest-ambiguous": "Contrast's reader understands the manifest otherwise than its text says." },
  },
  "contrast.manifest.valid": {
    asks: "Does the manifest fulfil Contrast's rules, and does it forbid debugging and migration?",
    spec: "Contrast v1.20, manifest validation; stricter for GuestPolicy, PIIDs, evaluation numbers and policy keys",
    stops:
      "Reference values that match nothing or too much: no or several Coordinators, missing TCB minimums, guests whose memory the host may read.",
    todo: "Correct the fields that are named; a manifest that allows Debug or MigrateMA must be replaced.",
    owed: "always",
    codes: { "manifest-invalid": "The manifest breaks a rule for its content." },
  },
});

/** Findings: what a valid manifest permits that an auditor should know. */
export const manifestFindings = catalogue("contrast", {
  "contrast.manifest.owner_keys": {
    asks: "Is an update of the manifest impossible?",
    spec: "Contrast v1.20, manifest updates: workload owner keys",
    stops: "Whoever holds a workload owner key can replace the manifest of the running deployment.",
    todo: "Learn who holds the keys, and check at each visit that the manifest is still the expected one.",
    owed: "advisory",
    codes: { "owner-keys": "The manifest names workload owners, who can replace it." },
  },
  "contrast.manifest.seedshare_owners": {
    asks: "Can nobody outside the Coordinator recover its secret seed?",
    spec: "Contrast v1.20, recovery: seed share owner keys",
    stops: "Whoever holds a seed share owner's private key can derive the root CA key and the workload secrets.",
    todo: "Learn who holds the keys and how they are kept.",
    owed: "advisory",
    codes: { "seedshare-owners": "The manifest names seed share owners, who can recover the secret seed." },
  },
  "contrast.manifest.guest_policy": {
    asks: "Does each SNP reference value refuse CXL memory?",
    spec: "SEV-SNP ABI, GUEST_POLICY; Contrast v1.20, GuestPolicy",
    stops: "Guest memory on devices outside the CPU package.",
    todo: "Ask why CXLAllowed is set.",
    owed: "advisory",
    codes: { "guest-policy-lax": "A GuestPolicy allows CXL memory." },
  },
  "contrast.manifest.chip_lists": {
    asks: "Does each reference value name the machines that it accepts?",
    spec: "Contrast v1.20, AllowedChipIDs and AllowedPIIDs",
    stops:
      "A genuine CPU in somebody else's hands, where physical attacks are possible: an empty list accepts every CPU.",
    todo: "Ask the operator for the list of machines.",
    owed: "advisory",
    codes: { "chip-list-empty": "A reference value accepts every CPU of its product." },
  },
  "contrast.manifest.minimums": {
    asks: "Does each reference value demand a minimum of every TCB part?",
    spec: "Contrast v1.20, MinimumTCB, MinimumMitigationVector and MinTCBEvaluationDataNumber",
    stops: "Firmware with known holes: a minimum of zero demands nothing.",
    todo: "Compare with the vendor's security bulletins and set minimums in the profile.",
    owed: "advisory",
    codes: { "tcb-minimum-low": "A TCB minimum is zero or left out." },
  },
  "contrast.manifest.platform": {
    asks: "Does each reference value name a platform that is known to be confidential?",
    spec: "Contrast v1.20, Platform",
    stops: "An entry for an insecure platform; Contrast v1.20 does not look at the text.",
    todo: "Ask what the platform is.",
    owed: "advisory",
    codes: { "platform-unknown": "A reference value has no platform or an unknown one." },
  },
  "contrast.manifest.products": {
    asks: "Is every SNP reference value for a CPU generation later than Milan?",
    spec: "Contrast v1.20, ProductName",
    stops: "Older CPUs lack protections that later ones have.",
    todo: "Ask whether Milan machines are still used, and have the entries removed if not.",
    owed: "advisory",
    codes: { "product-old": "A reference value accepts AMD Milan." },
  },
  "contrast.manifest.cpus": {
    asks: "Does each SNP reference value say for how many vCPUs its measurement is?",
    spec: "Contrast v1.20, CPUs",
    stops: "A measurement that nobody can compute again, because the number of vCPUs is part of it.",
    todo: "Ask for the number of vCPUs.",
    owed: "advisory",
    codes: { "cpus-zero": "CPUs is 0." },
  },
  "contrast.manifest.coordinators": {
    asks: "Does the manifest have at most one Coordinator policy?",
    spec: "Contrast after v1.20, Role",
    stops: "A second policy that may act as the Coordinator.",
    todo: "Review each policy with the role coordinator.",
    owed: "advisory",
    codes: { "coordinators-several": "More than one policy has the role coordinator." },
  },
});

/** `pm manifest check`: no reference is needed to say whether a file is a good manifest. */
export const manifestFile = { ...manifestReading, ...manifestFindings };

const arrival = catalogue("contrast", {
  "contrast.response.format": {
    asks: "Is the Coordinator's answer a well-formed answer of the attestation API?",
    spec: "Contrast v1.20, POST /attest: response",
    stops: "Pages of a proxy, cut answers, and answers that two readers understand differently.",
    todo: "Look at the URL and at what stands between; ask again.",
    owed: "always",
    waivable: false,
    codes: { "response-malformed": "The answer is not the JSON object that the attestation API defines." },
  },
  "contrast.history.present": {
    asks: "Does the answer contain at least one manifest?",
    spec: "Contrast v1.20, manifest history",
    stops: "A Coordinator without a manifest enforces nothing.",
    todo: "Ask the operator whether a manifest was set.",
    owed: "always",
    waivable: false,
    codes: { "history-empty": "The Coordinator has no manifest, or does not show it." },
  },
  "contrast.document.type": {
    asks: "Is the attestation document evidence of a confidential CPU?",
    spec: "Contrast v1.20, raw_attestation_doc",
    stops: "The insecure document for tests, which anybody can write, and forms that nobody can check.",
    todo: "Do not use this Coordinator; ask on what machine it runs.",
    owed: "always",
    waivable: false,
    codes: {
      "document-type":
        "The document is the insecure test form, an unknown form, or not the form that the answer names.",
    },
  },
});
const reference = catalogue("contrast", {
  "contrast.manifest.expected": {
    asks: "Is the enforced manifest, byte for byte, the one that the auditor expects?",
    spec: "Contrast v1.20, verification: manifest comparison (SHA-256 of the raw bytes)",
    stops: "A genuine Coordinator with an attacker's manifest: everything else is consistent with itself.",
    todo: "Review the manifest, then pin it with --manifest FILE or --manifest-sha256 HEX; when it differs from your pin, do not use the service before the difference is explained.",
    owed: "always",
    waivable: false,
    codes: {
      "manifest-differs": "The enforced manifest is another than the expected one.",
      "reference-published": "The only reference is what the audited party itself publishes.",
      "manifest-unexplained": "A value of the manifest is not explained by the profile and its deployment file.",
    },
  },
});
/** Asked only about authenticated evidence, but for the answers that say otherwise. */
const state = catalogue("contrast", {
  "contrast.nonce.bound": {
    asks: "Does the CPU's signature cover the nonce, the whole manifest history and both CA certificates?",
    spec: "Contrast v1.20, report data of /attest; /v1/attest adds the capabilities digest",
    stops: "Replayed evidence, a hidden or reordered history, and exchanged CA certificates.",
    todo: "Ask once more, since an update during the request breaks one answer; if it stays, somebody between alters the answer.",
    owed: "always",
    waivable: false,
    codes: { "history-hidden": "REPORT_DATA was made over another nonce, history or CA certificate than those shown." },
  },
  "contrast.nonce.fresh": {
    asks: "Is the nonce the one that this run sent?",
    spec: "RFC 9334 section 10; Contrast v1.20, POST /attest: request",
    stops: "Old evidence that is shown as new.",
    todo: "Judge a live answer instead of a recorded one.",
    owed: "pinned",
    waivable: false,
    codes: { "nonce-not-fresh": "The answered nonce is not the one that this run sent." },
  },
  "contrast.host_data.coordinator": {
    asks: "Does HOST_DATA name the policy that the manifest gives the role coordinator?",
    spec: "Contrast v1.20, Role; HOST_DATA",
    stops: "A workload of the deployment, or a stranger, that answers in the Coordinator's place.",
    todo: "Look which policy the value belongs to; do not trust this endpoint.",
    owed: "always",
    waivable: false,
    codes: { "host-data-role": "HOST_DATA is not the key of the policy with the role coordinator." },
  },
  "contrast.history.length": {
    asks: "Does the history have the number of manifests that the profile demands?",
    spec: "profile; Privatemode: exactly one manifest",
    stops: "A manifest that stood before the reviewed one, whose workloads may still hold keys.",
    todo: "Review each earlier manifest, or ask for a fresh Coordinator.",
    owed: "pinned",
    codes: { "history-length": "The history has another number of manifests." },
  },
  "contrast.history.valid": {
    asks: "Are the earlier manifests of the history well-formed, unambiguous and valid?",
    spec: "Contrast v1.20, manifest history: only the latest manifest is validated by clients",
    stops: "A past manifest that let in what the present one forbids.",
    todo: "Review the earlier manifests that are named.",
    owed: "advisory",
    codes: { "history-invalid": "An earlier manifest is malformed, ambiguous or invalid." },
  },
  "contrast.policies.complete": {
    asks: "Is there a body for each policy of the manifest?",
    spec: "Contrast v1.20, manifest history: policies",
    stops: "A policy that nobody can review, since only its hash is known.",
    todo: "Ask for the missing policy documents.",
    owed: "always",
    codes: { "policy-body-missing": "A policy of the manifest has no body." },
  },
  "contrast.policies.known": {
    asks: "Is each policy body named, once, by a manifest of the history?",
    spec: "Contrast v1.20, manifest history: policies",
    stops: "Bodies that nothing authenticates, mixed among those that are reviewed.",
    todo: "Do not review the surplus bodies as if they were in force; ask where they come from.",
    owed: "always",
    codes: { "policy-body-surplus": "A policy body belongs to no manifest, or is there twice." },
  },
  "contrast.root_ca.certificate": {
    asks: "Is the root CA certificate one that Contrast makes, valid at the judgement time?",
    spec: "Contrast v1.20, certificate authority: root",
    stops: "A key that clients would trust as a CA without its being one.",
    todo: "Look at each deviation; a CA that is no CA must not be installed in a client.",
    owed: "always",
    codes: { "root-ca": "The root CA certificate is missing, or not what Contrast makes." },
  },
  "contrast.mesh_ca.certificate": {
    asks: "Is the mesh CA certificate one that Contrast makes, valid at the judgement time?",
    spec: "Contrast v1.20, certificate authority: mesh",
    stops: "A key that clients would trust as a CA without its being one.",
    todo: "Look at each deviation; a CA that is no CA must not be installed in a client.",
    owed: "always",
    codes: { "mesh-ca": "The mesh CA certificate is missing, or not what Contrast makes." },
  },
  "contrast.ca.key": {
    asks: "Is the root CA key the one that is known from before or from another replica?",
    spec: "Contrast v1.20, certificate authority: the root key outlives manifest updates and recovery",
    stops: "Another deployment, with another secret seed, in the place of the known one.",
    todo: "Ask whether the deployment was set up anew, and review its manifest as a new one.",
    owed: "pinned",
    codes: { "ca-key-changed": "The root CA has another key than the one given." },
  },
  "contrast.api.capabilities": {
    asks: "Is /v1/attest the newest attestation form that pm and the Coordinator have in common?",
    spec: "Contrast after v1.20, GET /capabilities",
    stops: "A party between that hides the better form and so forces the weaker one.",
    todo: "Read /capabilities directly; use the api that the Coordinator offers.",
    owed: "pinned",
    codes: { "capabilities-downgrade": "The capabilities do not offer the form that was used." },
  },
  "contrast.api.version": {
    asks: "Does the server name the Contrast version whose rules were applied?",
    spec: "Contrast v1.20, POST /attest: version",
    stops: "Reading a later Coordinator by earlier rules; the version is the server's unauthenticated word.",
    todo: "Name the right version with --contrast-version.",
    owed: "advisory",
    codes: { "server-version": "The server names another version, or none." },
  },
  "contrast.response.members": {
    asks: "Are all members of the answer known?",
    spec: "Contrast v1.20, POST /attest: response",
    stops: "Nothing by itself: later servers send more. Unknown members are not judged.",
    todo: "Look whether a newer pm knows them.",
    owed: "advisory",
    codes: { "response-unknown-member": "The answer has members that pm does not know." },
  },
});

/** What a published manifest owes where the Coordinator could not be asked. */
export const publishedManifest = { ...manifestReading, ...reference, ...manifestFindings };

/** What a Coordinator owes, in the order of the judgement. */
export const coordinator = { ...arrival, ...manifestReading, ...reference, ...state, ...manifestFindings };
/** The claims that are blocked when the CPU's evidence is not authentic. */
export const behindTheGate = [
  "contrast.nonce.bound",
  "contrast.host_data.coordinator",
  "contrast.history.length",
  "contrast.policies.complete",
  "contrast.policies.known",
  "contrast.root_ca.certificate",
  "contrast.mesh_ca.certificate",
  "contrast.ca.key",
] as const satisfies readonly (keyof typeof state)[];
