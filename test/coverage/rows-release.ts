/** Rows of what a profile with a deployment file asks: values, images, what is safe. */
import type { assurance } from "../../src/chain/assurance-claims.ts";
import type { explainedManifest } from "../../src/verifiers/contrast/explained-claims.ts";
import type { safety } from "../../src/verifiers/kata/safety-claims.ts";
import type { Rows } from "./rows.ts";

export type ReleaseQuestions = typeof explainedManifest & typeof assurance & typeof safety;

const right = "release as demanded";
const other = "release with other values";
const less = "release on an unknown machine, with less in the profile";
const unsafe = "release of workloads that are not safe";

export const releaseRows: Rows<ReleaseQuestions> = {
  "contrast.explained.measurements": { passes: right, fails: { "measurement-unexplained": other } },
  "contrast.explained.tdx": { passes: right, fails: { "tdx-unexplained": other } },
  "contrast.explained.minimum_tcb": {
    passes: right,
    fails: { "minimum-below-profile": other },
    open: { "minimum-unreferenced": ["skip", less] },
  },
  "contrast.explained.tcb_evaluation": { passes: right, fails: { "evaluation-below-profile": other } },
  "contrast.explained.mitigation_vector": { passes: right, fails: { "mitigation-below-profile": other } },
  "contrast.explained.guest_policy": { passes: right, fails: { "guest-policy-unexplained": other } },
  "contrast.explained.guest_bits": { passes: right, fails: { "guest-bits-unexplained": other } },
  "contrast.explained.platform_info": { passes: right, fails: { "platform-info-unexplained": other } },
  "contrast.explained.platform": { passes: right, fails: { "platform-unexplained": other } },
  "contrast.explained.products": { passes: right, fails: { "product-unexplained": other } },
  "contrast.explained.machines": {
    passes: right,
    fails: { "machines-open": other, "machine-unexplained": less },
  },
  "contrast.explained.owners": { passes: right, fails: { "owner-unexplained": other } },
  "contrast.explained.seedshare_owners": { passes: right, fails: { "seedshare-unexplained": other } },

  "chain.assurance.images": {
    passes: right,
    fails: { "assurance-below-profile": other },
    open: { "assurance-not-built": ["error", less] },
  },

  // What nobody knows is open: nothing says that it is wrong.
  "kata.safety.roles": { passes: right, fails: {}, open: { "role-unknown": ["error", unsafe] } },
  "kata.safety.adapter_type": {
    passes: right,
    fails: { "adapter-type-unknown": unsafe, "adapter-type-missing": unsafe },
    open: { "adapter-type-unreadable": ["error", unsafe] },
  },
  "kata.safety.workload_address": {
    passes: right,
    fails: { "address-not-loopback": unsafe, "address-missing": unsafe },
    open: { "address-unreadable": ["error", unsafe] },
  },
  "kata.safety.gpu_versions": {
    passes: right,
    fails: { "gpu-versions-missing": unsafe, "gpu-version-wrong": unsafe },
    open: { "gpu-versions-unreadable": ["error", unsafe] },
  },
  "kata.safety.gpu_agent": {
    passes: right,
    fails: { "gpu-agent-missing": unsafe, "gpu-agent-blind": unsafe, "gpu-agent-late": unsafe },
    open: { "gpu-agent-unreadable": ["error", unsafe] },
  },
  "kata.safety.disks": {
    passes: right,
    fails: {
      "disk-device-elsewhere": unsafe,
      "disk-arguments": unsafe,
      "disk-device-missing": unsafe,
      "disk-volume-writable": unsafe,
      "disk-missing": unsafe,
      "disk-model-elsewhere": unsafe,
    },
    open: { "disk-unreadable": ["error", unsafe] },
  },
  "kata.safety.host_volumes": {
    passes: right,
    fails: { "host-path-volume": unsafe, "host-volume-writable": unsafe },
    open: { "host-volume-unknown": ["error", unsafe] },
  },
  "kata.safety.prompt_logs": {
    passes: right,
    fails: { "prompt-logs-on": unsafe },
    open: { "prompt-logs-unreadable": ["error", unsafe] },
  },
  "kata.safety.remote_code": { passes: right, fails: { "remote-code": unsafe } },
  "kata.source.known": {
    passes: right,
    fails: {},
    open: { "source-hash-only": ["error", unsafe], "source-hash-unreadable": ["error", unsafe] },
  },
};
