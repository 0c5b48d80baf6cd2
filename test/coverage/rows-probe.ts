/** Rows of what policies permit when they are asked. */
import type { policyProbe } from "../../src/verifiers/kata/probe/claims.ts";
import type { Rows } from "./rows.ts";

const good = "probed policy as demanded";
const holes = "probed policy with every hole";
const lax = "probed policy that permits other pods and commands";
const usual = "probed policy as they usually are";
const split = "probed policy that v0 and v1 read differently";

export const probeRows: Rows<typeof policyProbe> = {
  "kata.probe.legitimate_allowed": {
    passes: good,
    // A refused one says nothing against the policy: pm may have guessed it wrongly.
    fails: {},
    open: {
      "legitimate-refused": ["error", "probed policy that permits no container"],
      "rego-ambiguous": ["error", split],
    },
  },
  "kata.probe.exec_denied": { passes: good, fails: { "exec-permitted": holes } },
  "kata.probe.set_policy_denied": { passes: good, fails: { "set-policy-permitted": holes } },
  "kata.probe.failing_requests_refused": {
    passes: good,
    fails: { "failing-requests-permitted": "probed policy that lets failing requests through" },
  },
  "kata.probe.other_image_denied": { passes: good, fails: { "other-image-permitted": holes } },
  "kata.probe.other_command_denied": { passes: good, fails: { "other-command-permitted": holes } },
  "kata.probe.injected_env_denied": { passes: good, fails: { "injected-env-permitted": holes } },
  "kata.probe.foreign_mount_denied": { passes: good, fails: { "foreign-mount-permitted": holes } },
  "kata.probe.privilege_denied": { passes: good, fails: { "privilege-permitted": holes } },
  "kata.probe.copy_outside_denied": { passes: good, fails: { "copy-outside-permitted": holes } },
  "kata.probe.state_stays_in_pstate": { passes: good, fails: { "state-outside-pstate": holes } },
  "kata.probe.unlisted_rpcs_denied": { passes: good, fails: { "unlisted-rpc-permitted": holes } },
  "kata.probe.rego_readings": { passes: good, fails: { "rego-ambiguous": split } },
  "kata.probe.logs_readable": { passes: good, fails: { "logs-permitted": holes } },
  "kata.probe.env_dropped": { passes: good, fails: { "env-drop-permitted": usual } },
  "kata.probe.env_by_pattern": { passes: good, fails: { "env-pattern-permitted": usual } },
  "kata.probe.mounts_dropped": { passes: good, fails: { "mount-drop-permitted": usual } },
  "kata.probe.copy_symlink": { passes: good, fails: { "copy-symlink-permitted": lax } },
  "kata.probe.pod_identity": { passes: good, fails: { "pod-identity-permitted": lax } },
  "kata.probe.start_order": { passes: good, fails: { "start-order-permitted": usual } },
  "kata.probe.exec_variants": { passes: good, fails: { "exec-variant-permitted": lax } },
  "kata.probe.unpinned_fields": { passes: good, fails: { "unpinned-field-permitted": usual } },
};
