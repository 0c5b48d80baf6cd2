/** What `pm manifest admit` asks beside the questions about report, manifest and policy. */
import { catalogue } from "../claims/question.ts";

export const admission = catalogue("chain", {
  "chain.admission.workload_known": {
    asks: "Does the manifest name the policy that HOST_DATA, or the first 32 bytes of MRCONFIGID, holds?",
    spec: "Contrast v1.20, mesh certificates: HOST_DATA or MRCONFIGID, and Policies",
    stops: "A workload that nobody reviewed: the Coordinator gives a mesh certificate to manifest keys alone.",
    todo: "Compute the digest of the workload's policy with `pm policy hash`, and find out why the manifest does not list it.",
    owed: "always",
    codes: { "workload-unknown": "HOST_DATA, or the start of MRCONFIGID, is no policy key of the manifest." },
    waivable: false,
  },
  "chain.admission.entry": {
    asks: "Does one reference value of the manifest fit the whole report or quote?",
    spec: "Contrast v1.20, validators: one for each reference value, success of one is enough",
    stops:
      "A report that meets the measurement of one reference value and the TCB minimum of another, and so none of them.",
    todo: "Look at the claims about the report or quote: they are answered for the reference value that comes closest.",
    owed: "always",
    codes: { "no-entry-fits": "Each reference value demands something that the evidence does not show." },
  },
  "chain.admission.coordinator": {
    asks: "Would the Coordinator's own rules let this evidence in, REPORT_DATA aside?",
    spec: "Contrast v1.20, SNP and TDX verification and validation",
    stops: "Calling admitted what the Coordinator refuses, such as a report that is signed by a VLEK.",
    todo: "Look at the reason, which names what the Coordinator refuses or what its answer depends on.",
    owed: "always",
    codes: { "coordinator-refuses": "By the rules of Contrast the Coordinator would refuse this evidence." },
  },
  "chain.admission.coordinator_checks": {
    asks: "Does the Coordinator itself look at everything that speaks against this evidence here?",
    spec: "Contrast v1.20, SNP and TDX verification; docs/diff.md, admission",
    stops:
      "A workload that is in the mesh although its report key is revoked, its list expired, its guest debuggable or, on TDX, its platform out of date.",
    todo: "Do not rely on the Coordinator for what is named: ask it of each workload's evidence with `pm manifest admit`.",
    owed: "advisory",
    codes: { "coordinator-laxer": "The Coordinator does not look at something that fails here." },
  },
});
