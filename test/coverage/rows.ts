/** For each claim a run in which it passes, and for each of its reason codes a run that shows it. A missing id does not compile. */

import type { admission } from "../../src/chain/admission-claims.ts";
import type { chain } from "../../src/chain/claims.ts";
import type { Status } from "../../src/claims/answer.ts";
import type { Question } from "../../src/claims/question.ts";
import type { coordinator } from "../../src/verifiers/contrast/claims.ts";
import type { generated } from "../../src/verifiers/contrast/generate-claims.ts";
import type { exchangeFreshness } from "../../src/verifiers/contrast/mesh-claims.ts";
import type { kata } from "../../src/verifiers/kata/claims.ts";
import type { policyProbe } from "../../src/verifiers/kata/probe/claims.ts";
import type { snp } from "../../src/verifiers/snp/claims.ts";
import { admissionRows } from "./rows-admission.ts";
import { type DiskQuestions, diskRows } from "./rows-disk.ts";
import { type EndpointQuestions, endpointRows } from "./rows-endpoint.ts";
import { exchangeRows } from "./rows-exchange.ts";
import { generateRows } from "./rows-generate.ts";
import { type ModelQuestions, modelRows } from "./rows-models.ts";
import { type PolicyQuestions, policyRows } from "./rows-policies.ts";
import { probeRows } from "./rows-probe.ts";
import { type ReleaseQuestions, releaseRows } from "./rows-release.ts";
import { type SgxQuestions, sgxRows } from "./rows-sgx.ts";
import { type TdxQuestions, tdxRows } from "./rows-tdx.ts";
import { type TdxManifestQuestions, tdxManifestRows } from "./rows-tdx-coordinator.ts";
import { type VerityQuestions, verityRows } from "./rows-verity.ts";
import { admissionRuns } from "./runs-admission.ts";
import { chainRuns } from "./runs-chain.ts";
import { coordinatorRuns } from "./runs-coordinator.ts";
import { diskRuns } from "./runs-disk.ts";
import { endpointRuns } from "./runs-endpoint.ts";
import { exchangeRuns } from "./runs-exchange.ts";
import { generateRuns } from "./runs-generate.ts";
import { modelRuns } from "./runs-models.ts";
import { policyRuns } from "./runs-policies.ts";
import { probeRuns } from "./runs-probe.ts";
import { releaseRuns } from "./runs-release.ts";
import { sgxRuns } from "./runs-sgx.ts";
import { snpRuns } from "./runs-snp.ts";
import { tdxRuns } from "./runs-tdx.ts";
import { tdxCoordinatorRuns } from "./runs-tdx-coordinator.ts";
import { verityRuns } from "./runs-verity.ts";

export const runs = {
  ...snpRuns,
  ...sgxRuns,
  ...tdxRuns,
  ...tdxCoordinatorRuns,
  ...coordinatorRuns,
  ...chainRuns,
  ...endpointRuns,
  ...exchangeRuns,
  ...generateRuns,
  ...admissionRuns,
  ...policyRuns,
  ...probeRuns,
  ...releaseRuns,
  ...diskRuns,
  ...modelRuns,
  ...verityRuns,
};
export type RunName = keyof typeof runs;

type Questions = typeof snp &
  SgxQuestions &
  TdxQuestions &
  TdxManifestQuestions &
  typeof coordinator &
  typeof kata &
  typeof chain &
  EndpointQuestions &
  typeof exchangeFreshness &
  typeof generated &
  typeof admission &
  PolicyQuestions &
  typeof policyProbe &
  ReleaseQuestions &
  DiskQuestions &
  ModelQuestions &
  VerityQuestions;
export interface Row<Code extends string = string> {
  readonly passes: RunName;
  /** At least one. */
  readonly fails: { readonly [C in Code]?: RunName };
  /** Codes of answers that are no `fail`: what could not be asked. */
  readonly open?: { readonly [C in Code]?: readonly [Exclude<Status, "pass" | "fail">, RunName] };
}
export type Rows<C extends Readonly<Record<string, Question>>> = {
  readonly [Id in keyof C]: Row<keyof C[Id]["codes"] & string>;
};

const report = "report as demanded";
const other = "every reference value another";
const bad = "report with bad statements";
const good = "Coordinator as demanded";
const bodies = "policies with one defect each";
const file = "manifest as it should be";
const lax = "manifest that permits much";
const bundle = "bundle as demanded";
const unmet = "bundle that meets no demand";

export const rows: Rows<Questions> = {
  ...sgxRows,
  ...diskRows,
  ...tdxRows,
  ...tdxManifestRows,
  ...admissionRows,
  ...generateRows,
  "snp.report.format": {
    passes: report,
    fails: {
      "report-size": "report of 1183 bytes",
      "report-reserved": "report with a reserved byte set",
      "signature-algo": "report with another SIGNATURE_ALGO",
      certtable: "certificate table out of bounds",
    },
    open: { "report-version": ["error", "report of version 6"] },
  },
  "snp.report.signing_key": { passes: report, fails: { "signing-key": "report that nobody signed" } },
  "snp.product.line": {
    passes: report,
    fails: { "product-mismatch": "VCEK of another product" },
    open: { "product-unsupported": ["error", "unknown processor"] },
  },
  "snp.vek.chain": {
    passes: report,
    fails: {
      "chain-root": "another root",
      "chain-name": "VCEK with another issuer",
      "chain-algorithm": "VCEK signed with PKCS#1",
      "chain-signature": "VCEK with a wrong signature",
      "chain-extension": "VCEK with an unknown critical extension",
    },
    open: { "no-vek": ["unavailable", "no VCEK"] },
  },
  "snp.vek.format": {
    passes: report,
    fails: {
      "vek-ext-missing": "VCEK without HWID",
      "vek-ext-duplicate": "VCEK with an extension twice",
      "vek-ext-malformed": "VCEK with a negative level",
      "vek-ext-unexpected": "VCEK with CSP_ID",
    },
  },
  "snp.report.signature": { passes: report, fails: { signature: "signature with one bit flipped" } },
  "snp.chain.validity": { passes: report, fails: { "chain-validity": "VCEK expired" } },
  "snp.chain.revocation": {
    passes: report,
    fails: {
      "crl-signature": "CRL signed by the ASK",
      "crl-expired": "CRL expired",
      revoked: "CRL revokes the ASK",
    },
    open: { "crl-unavailable": ["unavailable", "no CRL"] },
  },
  "snp.chain.crl_entries": { passes: report, fails: { "crl-serial-zero": "CRL with serial 0" } },
  "snp.vek.tcb": { passes: report, fails: { "tcb-mismatch": "VCEK of another TCB" } },
  "snp.vek.chip_id": { passes: report, fails: { "chip-id-mismatch": "VCEK of another chip" } },
  "snp.vek.chip_id_shown": { passes: report, fails: { "chip-id-masked": bad } },
  "snp.product.name": { passes: report, fails: { "product-name-unknown": "VCEK of an unknown product" } },
  "snp.tcb.order": { passes: report, fails: { "tcb-order": bad } },
  "snp.tcb.minimum": { passes: report, fails: { "tcb-minimum": other } },
  "snp.policy.reserved": { passes: report, fails: { "policy-reserved": bad } },
  "snp.policy.debug": { passes: report, fails: { "policy-debug": bad } },
  "snp.policy.migration": { passes: report, fails: { "policy-migration": bad } },
  "snp.policy.migration_agent": { passes: report, fails: { "migration-agent": bad } },
  "snp.policy.bits": { passes: good, fails: { "policy-bits": "policy weaker than the manifest's" } },
  "snp.platform.info": { passes: good, fails: { "platform-info": "platform with SMT" } },
  "snp.platform.bits_known": { passes: report, fails: { "platform-bits-unknown": bad } },
  "snp.report.vmpl": { passes: report, fails: { vmpl: other } },
  "snp.mitigation.vectors": { passes: report, fails: { mitigation: other } },
  "snp.report.product": { passes: good, fails: { "product-mismatch": "Genoa where Milan is demanded" } },
  "snp.report.measurement": { passes: report, fails: { measurement: other } },
  "snp.id_block.present": { passes: report, fails: { "id-block": bad } },
  "snp.report.id_key_digest": { passes: report, fails: { "id-key-digest": other } },
  "snp.report.author_key_digest": { passes: report, fails: { "author-key-digest": other } },
  "snp.report.family_id": { passes: report, fails: { "family-id": other } },
  "snp.report.image_id": { passes: report, fails: { "image-id": other } },
  "snp.report.host_data": { passes: report, fails: { "host-data": other } },
  "snp.report.report_data": { passes: report, fails: { "report-data": other } },
  "snp.chip.allowed": { passes: report, fails: { "chip-id-mismatch": other } },
  "snp.vek.csp_id": {
    passes: "VLEK of the expected provider",
    fails: { "csp-id": "VLEK of another provider" },
  },
  "snp.pins.what_runs": {
    passes: report,
    fails: { measurement: other, "id-key-digest": "ID key and host data pinned, both others" },
  },
  "snp.pins.for_whom": {
    passes: report,
    fails: { "report-data": other, "host-data": "ID key and host data pinned, both others" },
  },

  "contrast.response.format": { passes: good, fails: { "response-malformed": "answer that is no JSON" } },
  "contrast.history.present": { passes: good, fails: { "history-empty": "no manifest" } },
  "contrast.document.type": { passes: good, fails: { "document-type": "insecure document" } },
  "contrast.manifest.format": { passes: file, fails: { "manifest-malformed": "manifest that is no JSON" } },
  "contrast.manifest.unambiguous": {
    passes: file,
    fails: { "manifest-ambiguous": "manifest with a field in other case" },
  },
  "contrast.manifest.valid": { passes: file, fails: { "manifest-invalid": "manifest that allows debugging" } },
  "contrast.manifest.expected": {
    passes: good,
    fails: { "manifest-differs": "another manifest than the pinned one" },
    open: {
      "reference-published": ["consistent", "no measurement, and a pin taken over on first sight"],
      "manifest-unexplained": ["skip", "bundle of a manifest that is not explained"],
    },
  },
  "contrast.nonce.bound": { passes: good, fails: { "history-hidden": "hidden history" } },
  "contrast.nonce.fresh": { passes: "live", fails: { "nonce-not-fresh": "nonce that was not sent" } },
  "contrast.host_data.coordinator": { passes: good, fails: { "host-data-role": "host data of a workload" } },
  "contrast.history.length": { passes: bundle, fails: { "history-length": unmet } },
  "contrast.history.valid": {
    passes: "Coordinator after an update",
    fails: { "history-invalid": "earlier manifest invalid" },
  },
  "contrast.policies.complete": { passes: good, fails: { "policy-body-missing": "body missing" } },
  "contrast.policies.known": { passes: good, fails: { "policy-body-surplus": "body too many" } },
  "contrast.root_ca.certificate": { passes: good, fails: { "root-ca": "CA certificates of no CA" } },
  "contrast.mesh_ca.certificate": { passes: good, fails: { "mesh-ca": "CA certificates of no CA" } },
  "contrast.ca.key": { passes: bundle, fails: { "ca-key-changed": unmet } },
  "contrast.api.capabilities": {
    passes: "v1 with its capabilities",
    fails: { "capabilities-downgrade": "v1 where only a later form is offered" },
  },
  "contrast.api.version": {
    passes: good,
    fails: { "server-version": "answer with a member more, of another version" },
  },
  "contrast.response.members": {
    passes: good,
    fails: { "response-unknown-member": "answer with a member more, of another version" },
  },
  "contrast.manifest.owner_keys": { passes: file, fails: { "owner-keys": lax } },
  "contrast.manifest.seedshare_owners": { passes: file, fails: { "seedshare-owners": lax } },
  "contrast.manifest.guest_policy": { passes: file, fails: { "guest-policy-lax": lax } },
  "contrast.manifest.chip_lists": { passes: file, fails: { "chip-list-empty": lax } },
  "contrast.manifest.minimums": { passes: file, fails: { "tcb-minimum-low": lax } },
  "contrast.manifest.platform": { passes: file, fails: { "platform-unknown": lax } },
  "contrast.manifest.products": { passes: file, fails: { "product-old": lax } },
  "contrast.manifest.cpus": { passes: file, fails: { "cpus-zero": lax } },
  "contrast.manifest.coordinators": {
    passes: file,
    fails: { "coordinators-several": "manifest with several Coordinators" },
  },

  "kata.initdata.format": { passes: good, fails: { "initdata-malformed": bodies } },
  "kata.initdata.digest": { passes: good, fails: { "policy-digest": bodies } },
  "kata.initdata.keys": {
    passes: good,
    fails: { "initdata-unknown-key": bodies, "initdata-policy-missing": bodies },
  },
  "kata.initdata.debug": { passes: good, fails: { "initdata-debug": bodies } },
  "kata.policy.images": {
    passes: good,
    fails: {
      "image-without-digest": bodies,
      "image-references-differ": bodies,
      "images-unlisted": bodies,
      "policy-data-unreadable": bodies,
    },
  },
  "kata.policy.form": { passes: good, fails: { "policy-form-old": bodies } },

  "chain.reference.measurement_known": {
    passes: bundle,
    fails: { "measurement-unreferenced": unmet },
    open: { "measurement-unreferenced": ["skip", "no measurement, and a pin taken over on first sight"] },
  },
  "chain.reference.tcb_floor": { passes: bundle, fails: { "tcb-below-profile": unmet } },
  "chain.reference.product": { passes: bundle, fails: { "product-not-accepted": unmet } },
  "chain.capture.time": { passes: bundle, fails: { "capture-time": "captured in the future" } },
  "chain.nonce.beacon": { passes: "live", fails: { "beacon-mismatch": "beacon that is not in the nonce" } },
  "chain.collateral.not_rolled_back": {
    passes: "live",
    fails: { "crl-rollback": "older list than the one seen before" },
  },

  ...endpointRows,
  ...exchangeRows,
  ...policyRows,
  ...probeRows,
  ...releaseRows,
  ...modelRows,
  ...verityRows,
};
