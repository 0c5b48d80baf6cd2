/** Rows of the claims that `pm policy check` asks. */

import type { kata } from "../../src/verifiers/kata/claims.ts";
import type {
  annotatedWorkload,
  deployment,
  manifestKeys,
  sidecarContainer,
} from "../../src/verifiers/kata/workload-claims.ts";
import type { Rows } from "./rows.ts";

export type PolicyQuestions = typeof deployment &
  typeof manifestKeys &
  Omit<typeof annotatedWorkload, keyof typeof kata> &
  typeof sidecarContainer;

const right = "policies as they should be";

export const policyRows: Rows<PolicyQuestions> = {
  "kata.deployment.format": {
    passes: right,
    fails: { "deployment-malformed": "policies: deployment file that is no YAML" },
  },
  "kata.deployment.workloads": {
    passes: right,
    fails: {
      "no-workload": "policies: no confidential workload",
      "workload-twice": "policies: objects of one WorkloadSecretID",
    },
  },
  "kata.manifest.explained": {
    passes: right,
    fails: {
      "key-unexplained": "policies: key that no workload explains",
      "key-shared": "policies: two workloads with one WorkloadSecretID",
    },
  },
  "kata.workload.policy_found": {
    passes: right,
    fails: {
      "policy-missing": "policies: WorkloadSecretID of another workload",
      "policy-several": "policies: two entries with one WorkloadSecretID",
    },
    open: { "body-not-at-hand": ["error", "policies: body not at hand"] },
  },
  "kata.workload.role": {
    passes: right,
    fails: { "role-differs": "policies: policy listed with the role coordinator" },
  },
  "kata.workload.sans": { passes: right, fails: { "sans-differ": "release with other values" } },
  "kata.rules.known": {
    passes: right,
    fails: { "rules-lax": "policies: rules that allow exec by default" },
    open: { "rules-unknown": ["error", "policies: rules that are not known"] },
  },
  "kata.policy_data.single": { passes: right, fails: { "policy-data-rival": "policies: policy_data defined twice" } },
  "kata.policy_data.format": {
    passes: right,
    fails: { "policy-data-malformed": "policies: policy_data with a member twice" },
    open: { "policy-data-unknown": ["error", "policies: policy_data with an unknown member"] },
  },
  "kata.policy_data.common": {
    passes: right,
    fails: { "common-open": "policies: placeholder that stands for anything" },
    open: { "common-unknown": ["error", "policies: placeholder with an unknown value"] },
  },
  "kata.containers.complete": {
    passes: right,
    fails: {
      "container-extra": "policies: container too many",
      "container-missing": "policies: container removed",
      "container-order": "policies: containers in another order",
    },
  },
  "kata.containers.sandbox": { passes: right, fails: { "sandbox-differs": "policies: sandbox that runs a program" } },
  "kata.requests.exec": { passes: right, fails: { "exec-allowed": "policies: exec allowed by the request defaults" } },
  "kata.requests.copy": { passes: right, fails: { "copy-open": "policies: copying to any path" } },
  "kata.requests.env_regex": {
    passes: right,
    fails: {
      "env-regex-open": "policies: variable of any name let in by a pattern",
      "env-regex-unknown": "policies: one variable let in by a pattern",
    },
  },
  "kata.requests.others": {
    passes: right,
    fails: { "request-allowed": "policies: writing to standard input" },
    open: { "request-unknown": ["error", "policies: request default that is no truth value"] },
  },
  "kata.requests.logs": { passes: right, fails: { "logs-readable": "policies: logs readable by the host" } },
  "kata.annotation.equal": {
    passes: right,
    fails: {
      "annotation-differs": "policies: annotation with another document",
      "annotation-malformed": "policies: annotation that is no gzip",
    },
  },
  "kata.container.image": {
    passes: right,
    fails: {
      "image-differs": "policies: another image digest",
      "image-unpinned": "policies: image by tag only",
      "image-names-differ": "policies: storage pulls another image than the annotation names",
    },
  },
  "kata.container.repository": {
    passes: right,
    fails: { "repository-differs": "policies: same digest in another repository" },
  },
  "kata.container.pod": { passes: right, fails: { "namespace-differs": "policies: another namespace" } },
  "kata.container.args": {
    passes: right,
    fails: {
      "args-differ": "policies: disk root that differs by one digit",
      "args-open": "policies: word that the host may choose",
    },
    open: { "args-unknown": ["error", "policies: entry point of an image whose configuration was not given"] },
  },
  "kata.container.env": {
    passes: right,
    fails: {
      "env-missing": "policies: variable missing",
      "env-differs": "policies: variable with another value",
      "env-surplus": "policies: variable too many",
    },
    open: { "env-unknown": ["error", "policies: variable out of a Secret"] },
  },
  "kata.container.capabilities": { passes: right, fails: { "capabilities-differ": "policies: capability added" } },
  "kata.container.privileges": {
    passes: right,
    fails: { "privileges-differ": "policies: privilege escalation allowed" },
  },
  "kata.container.root": {
    passes: right,
    fails: { "root-differs": "policies: root file system in a folder of the host" },
  },
  "kata.container.devices": { passes: right, fails: { "devices-differ": "policies: device too many" } },
  "kata.container.mounts": {
    passes: right,
    fails: {
      "mount-unexpected": "policies: mount too many",
      "mount-missing": "policies: mount missing",
      "mount-source": "policies: emptyDir that is another volume's",
      "mount-host-path": "policies: hostPath in the deployment file",
      "mount-shared-writable": "policies: emptyDir moved to the shared file system",
    },
    open: { "mount-unknown": ["error", "policies: volume of a kind that is not judged"] },
  },
  "kata.container.user": {
    passes: right,
    fails: { "user-differs": "policies: another user" },
    open: { "user-unknown": ["error", "policies: user of an image whose configuration was not given"] },
  },
  "kata.container.cwd": {
    passes: right,
    fails: { "cwd-differs": "policies: another working directory" },
    open: { "cwd-unknown": ["error", "policies: working directory of an image whose configuration was not given"] },
  },
  "kata.container.exec": { passes: right, fails: { "exec-commands-differ": "policies: shell beside the probes" } },
  "kata.container.sidecar": {
    passes: right,
    fails: { "sidecar-image-differs": "policies: initializer that is not the release's" },
  },
};
