/** Questions about a mesh (workload) certificate and about Privatemode's secret exchange. Codes of compared fields are the TEE's own. */
import { catalogue } from "../../claims/question.ts";
import { coordinator, manifestReading } from "./claims.ts";

/** Whose certificate is it: nothing in it is judged before both passed. */
export const meshAuthentic = catalogue("contrast", {
  "contrast.mesh.format": {
    asks: "Is what the endpoint shows an X.509 certificate in strict DER?",
    spec: "RFC 5280 4.1, 4.2.1.6, 4.2.1.12",
    stops: "A certificate that two readers understand in two ways.",
    todo: "Take the certificate from the endpoint again; if it stays broken, ask who terminates TLS there.",
    owed: "always",
    waivable: false,
    codes: { "mesh-malformed": "The certificate, its names or its key usages are not strict DER." },
  },
  "contrast.mesh.path": {
    asks: "Did the given mesh CA itself sign this certificate?",
    spec: "Contrast v1.20, certificate authority: mesh; RFC 5280 6.1",
    stops:
      "A certificate of another mesh CA: of an earlier or later manifest of the same root, of another deployment, or of whoever sits between.",
    todo: "Attest the Coordinator again and take its present mesh CA; if the certificate still does not chain to it, do not use the endpoint.",
    owed: "always",
    waivable: false,
    codes: {
      "chain-root": "Another CA issued the certificate: its authority key identifier is not the mesh CA's.",
      "chain-name": "A name in the path is not the one of its issuer.",
      "chain-algorithm": "A key is no EC key, or a signature is of another kind than Contrast's.",
      "chain-signature": "The certificate's signature does not verify with the mesh CA's key.",
      "chain-extension": "A constraint, key identifier, serial number or critical extension breaks the path.",
    },
  },
});

/** What an authentic certificate says, by itself and against the manifest. */
export const meshStatements = catalogue("contrast", {
  "contrast.mesh.validity": {
    asks: "Are the certificate and the mesh CA valid at the judgement time?",
    spec: "RFC 5280 4.1.2.5; Contrast v1.20, certificates: one year",
    stops: "A certificate of a pod that is long gone, shown by whoever kept its key.",
    todo: "Take the certificate that the endpoint shows now, or judge for the time of the record with --at.",
    owed: "always",
    codes: { "chain-validity": "The judgement time lies outside a validity period." },
  },
  "contrast.mesh.usage": {
    asks: "Is the certificate meant for TLS servers and clients, and for nothing else?",
    spec: "Contrast v1.20, certificates: workload; RFC 5280 4.2.1.12",
    stops: "A certificate that the mesh CA gave out for another purpose.",
    todo: "Ask which program issued the certificate; Contrast's own always has both usages.",
    owed: "always",
    codes: { "mesh-usage": "The extended key usages are not serverAuth and clientAuth." },
  },
  "contrast.mesh.extensions": {
    asks: "Does the certificate repeat the attested values of exactly one TEE, each once and in its type?",
    spec: "Contrast v1.20, certificates: extensions 1.3.9901.2.1 (SNP) and 1.3.9901.2.2 (TDX)",
    stops: "A certificate for a pod that was never attested, or one that says two things of one pod.",
    todo: "Ask how the pod came into the mesh; an insecure platform leaves no such extensions.",
    owed: "always",
    codes: {
      "mesh-extension-missing": "A value that Contrast repeats in each certificate is not there.",
      "mesh-extension-duplicate": "A value is there twice, or the certificate speaks of two TEEs.",
      "mesh-extension-malformed": "A value has another type or length than the report's field.",
    },
  },
  "contrast.mesh.host_data": {
    asks: "Is the certificate's host data the key of a policy in the manifest?",
    spec: "Contrast v1.20, certificates: SNP extension 23, TDX extension 15; manifest: Policies",
    stops: "A pod under a policy that nobody reviewed, admitted by another manifest.",
    todo: "Find the policy with this hash (pm policy hash) and the manifest that names it.",
    owed: "always",
    codes: { "host-data": "No policy of the manifest has this hash, or MRCONFIGID goes on after it." },
  },
  "contrast.mesh.sans": {
    asks: "Are the certificate's names those of the same manifest entry, but for the pod's own IP address?",
    spec: "Contrast v1.20, certificates: workload; manifest: SANs",
    stops: "A workload of the mesh that goes by the name of another one.",
    todo: "Compare both lists; a name that the manifest does not give must not be trusted.",
    owed: "always",
    codes: { sans: "The subject alternative names are not the entry's, followed by at most one IP address." },
  },
  "contrast.mesh.workload_secret_id": {
    asks: "Is the certificate's WorkloadSecretID that of the same manifest entry?",
    spec: "Contrast v1.20, certificates: extension 1.3.9901.3.1; manifest: WorkloadSecretID",
    stops: "A workload that gets the secrets of another one.",
    todo: "Ask how the certificate was issued: Contrast copies the value from the manifest.",
    owed: "always",
    codes: { "workload-secret-id": "The WorkloadSecretID is not the entry's." },
  },
  "contrast.mesh.measurement": {
    asks: "Are the measurements those of one reference value of the manifest: MEASUREMENT of SNP; MRTD, RTMRs, MRSEAM, TDATTRIBUTES and XFAM of TDX?",
    spec: "Contrast v1.20, certificates: SNP extension 22, TDX extensions 9, 12 to 14, 18 to 21; manifest: TrustedMeasurement, MrTd, Rtmrs, MrSeam, Xfam",
    stops: "A guest image that does not enforce its policy, or one that may be debugged.",
    todo: "Find out which guest image has these measurements; the pod was admitted under another manifest.",
    owed: "always",
    codes: {
      measurement: "The measurement is not the reference value's.",
      MRTD_MISMATCH: "MRTD is not the reference value's.",
      RTMR_MISMATCH: "A runtime measurement is not the reference value's.",
      MRSEAM_MISMATCH: "MRSEAM is not the reference value's.",
      TD_ATTRIBUTES_MISMATCH: "TDATTRIBUTES is not what Contrast demands: SEPT_VE_DISABLE and nothing else.",
      XFAM_MISMATCH: "XFAM is not the reference value's.",
    },
  },
  "contrast.mesh.tcb": {
    asks: "Did the platform report, and launch the pod with, at least the TCB of the same reference value?",
    spec: "Contrast v1.20, certificates: SNP extensions 28 to 31, 43 to 46; manifest: MinimumTCB. Of TDX neither has a TCB status",
    stops: "Firmware with known holes below the guest.",
    todo: "Update the platform's firmware and restart the pod. Of a trust domain ask its own evidence: pm manifest admit.",
    owed: "pinned",
    codes: { "tcb-minimum": "A component of the reported or launch TCB is below the minimum." },
  },
  "contrast.mesh.chip": {
    asks: "Is the machine one of those that the same reference value allows, and configured as it demands?",
    spec: "Contrast v1.20, certificates: SNP extension 32, TDX extension 46 (PCK chain); manifest: AllowedChipIDs, AllowedPIIDs, MemoryIntegrity, SMTDisabled, StaticPlatform",
    stops: "A machine in other hands, where physical attacks are possible.",
    todo: "Ask whose machine has this chip id or platform instance id.",
    owed: "pinned",
    codes: {
      "chip-id-mismatch": "The chip id is not in the reference value's list.",
      PIID_NOT_ALLOWED:
        "The platform instance id is not in the reference value's list, or the PCK certificate has none.",
      PCK_OPTIONS_MISMATCH: "SGX type, SMT or dynamic platform is not what the reference value demands.",
    },
  },
  "contrast.mesh.expected_san": {
    asks: "Does the certificate have the name that is asked for, letter by letter?",
    spec: "Contrast v1.20, certificates: workload; a wildcard stands for nothing but itself",
    stops: "Any other workload of the mesh in the place of the one that is meant.",
    todo: "Ask which workload answers at this address, and do not hand it a secret.",
    owed: "pinned",
    codes: { "san-missing": "The expected name is not among the subject alternative names." },
  },
  "contrast.mesh.expected_workload": {
    asks: "Is it the workload that is asked for, by its WorkloadSecretID?",
    spec: "Contrast v1.20, certificates: extension 1.3.9901.3.1",
    stops: "Any other workload of the mesh in the place of the one that is meant.",
    todo: "Ask which workload answers at this address, and do not hand it a secret.",
    owed: "pinned",
    codes: { "workload-unexpected": "The WorkloadSecretID is not the expected one." },
  },
});

/** A recorded exchange of keys with Privatemode's secret service. */
export const exchangeQuestions = catalogue("contrast", {
  "contrast.exchange.format": {
    asks: "Is the exchange a question and an answer as Privatemode's clients write and read them?",
    spec: "Privatemode v1.40.0, POST /privatemode/v1/secret",
    stops: "A record that Go and this reader understand in two ways.",
    todo: "Record the bodies of question and answer again, unchanged.",
    owed: "always",
    waivable: false,
    codes: { "exchange-malformed": "The record is not JSON, or a member is missing, double or not base64." },
  },
  "contrast.exchange.lengths": {
    asks: "Have the public key and the encapsulated key the lengths of MLKEM768-X25519?",
    spec: "Privatemode v1.40.0, secret exchange: HPKE KEM MLKEM768-X25519",
    stops: "Bytes that move from one key into the other: the signature covers both without a length between them.",
    todo: "Do not use the secret; ask which client and which service made the exchange.",
    owed: "always",
    waivable: false,
    codes: { "exchange-length": "A key has another length than 1216 and 1120 bytes." },
  },
  "contrast.exchange.public_key": {
    asks: "Is the public key in the question the one that the auditor drew?",
    spec: "Privatemode v1.40.0, secret exchange: the secret's id is SHA-256(PublicKey)",
    stops: "A record of somebody else's exchange, or of an old one.",
    todo: "Find out which client sent this question; compare the secret's id with the client's own.",
    owed: "pinned",
    codes: { "exchange-public-key": "The public key has another SHA-256 than the one given." },
  },
  "contrast.exchange.signature": {
    asks: "Did the key of the mesh certificate sign this public key together with this encapsulated key?",
    spec: "Privatemode v1.40.0, secret exchange: ECDSA, ASN.1, over SHA-256(PublicKey || EncapsulatedKey)",
    stops: "A party between that answers with an encapsulated key of its own, and so knows the secret.",
    todo: "Do not use the secret; whoever answered does not hold the certificate's key.",
    owed: "always",
    waivable: false,
    codes: {
      "exchange-signature": "The signature does not verify with the certificate's key.",
      "exchange-signature-form": "The signature is not the one DER form of two positive numbers.",
    },
  },
});

const meshCa = { "contrast.mesh_ca.certificate": coordinator["contrast.mesh_ca.certificate"] };

/** What an endpoint of a mesh owes, in the order of the judgement. */
export const meshEndpoint = { ...manifestReading, ...meshCa, ...meshAuthentic, ...meshStatements };
/** The same for a recorded secret exchange. */
export const secretExchange = { ...meshEndpoint, ...exchangeQuestions };

/** What only the run that makes the exchange can answer. */
export const exchangeFreshness = catalogue("contrast", {
  "contrast.exchange.fresh": {
    asks: "Did this run draw the public key that was asked with?",
    spec: "RFC 9334 section 10; Privatemode v1.40.0, POST /privatemode/v1/secret",
    stops: "An answer of an earlier day, by a service that no longer runs, shown as one of today.",
    todo: "Judge a live exchange instead of a recorded one.",
    owed: "pinned",
    waivable: false,
    codes: { "exchange-not-fresh": "The exchange was asked with another public key than the one named." },
  },
});
/** What the exchange owes that `pm verify` makes itself. */
export const liveExchange = { ...secretExchange, ...exchangeFreshness };
