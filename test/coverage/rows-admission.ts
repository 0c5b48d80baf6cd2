/** Rows of the questions that `pm manifest admit` asks beside those about report, manifest and policy. */
import type { admission } from "../../src/chain/admission-claims.ts";
import type { Rows } from "./rows.ts";

const admitted = "workload as demanded";
const image = "workload of another guest image";

export const admissionRows: Rows<typeof admission> = {
  "chain.admission.workload_known": {
    passes: admitted,
    fails: { "workload-unknown": "workload that the manifest does not name" },
  },
  "chain.admission.entry": { passes: admitted, fails: { "no-entry-fits": image } },
  "chain.admission.coordinator": { passes: admitted, fails: { "coordinator-refuses": image } },
  "chain.admission.coordinator_checks": {
    passes: admitted,
    fails: { "coordinator-laxer": "workload whose report key is revoked" },
  },
};
