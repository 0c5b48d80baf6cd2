/** One workload of the deployment file against the service's rules of what is safe to run. */
import type { Answers, Origin } from "../../claims/answer.ts";
import { type Judged, judge } from "../../claims/subject.ts";
import type { Json } from "../../report/report.ts";
import type { Workload } from "./deployment.ts";
import { type Problem, ruled } from "./safety-answer.ts";
import { safety } from "./safety-claims.ts";
import { promptLogs, remoteCode, remoteCodeOf, sourceKnown, sourcesOf } from "./safety-code.ts";
import { diskOf, disks, hostVolumes } from "./safety-disks.ts";
import { gpuAgent, gpuVersions, versionsOf } from "./safety-gpu.ts";
import { adapterType, adapterTypesOf, addressesOf, type Read, workloadAddress } from "./safety-proxy.ts";
import { caseOf } from "./safety-roles.ts";
import type { Recognised, SafetyCase, SafetyRules } from "./safety-types.ts";
import type { HeldImageConfig } from "./workload-types.ts";

export interface SafetyInputs {
  /** The auditor's deployment file. */
  readonly deployment: Origin;
  /** Files that the auditor holds: SHA-256, lower-case hex, to the file's name. */
  readonly sources: ReadonlyMap<string, string>;
  /** Image digest, `sha256:` and hex, to the image's configuration. */
  readonly imageConfigs: ReadonlyMap<string, HeldImageConfig>;
}
export interface SafetyJudgement {
  /** Subject `safety` and the WorkloadSecretID. */
  readonly judged: Judged;
  readonly evidence: Json;
}

/**
 * Every question is owed by every workload. Where a rule has no object, the answer says so in what it compares: which
 * objects there are is read off the auditor's own file, and an unknown image leaves kata.safety.roles open.
 * @throws PmError PM_USAGE for rules with a pattern that is none
 */
export function verifySafety(workload: Workload, rules: SafetyRules, given: SafetyInputs): SafetyJudgement {
  const c = caseOf(workload, rules, given.deployment, given.imageConfigs);
  const answers: Answers<typeof safety> = {
    "kata.safety.roles": roles(c),
    "kata.safety.adapter_type": adapterType(c),
    "kata.safety.workload_address": workloadAddress(c),
    "kata.safety.gpu_versions": gpuVersions(c),
    "kata.safety.gpu_agent": gpuAgent(c),
    "kata.safety.disks": disks(c),
    "kata.safety.host_volumes": hostVolumes(c),
    "kata.safety.prompt_logs": promptLogs(c),
    "kata.safety.remote_code": remoteCode(c),
    "kata.source.known": sourceKnown(c, given.sources),
  };
  const name = `safety ${workload.workloadSecretId}`;
  return {
    judged: judge({ name, catalogue: safety, pinned: new Set<string>() }, answers),
    evidence: {
      gpu: c.gpu,
      readsPrompts: c.serving,
      containers: c.containers.map((x) => containerFacts(c, x)),
      trustRemoteCode: [...new Set(remoteCodeOf(c).map((r) => r.container))],
      sources: sourcesOf(c).hashes.map(({ container, sha256 }) => ({
        container,
        sha256,
        file: given.sources.get(sha256) ?? null,
      })),
    },
  };
}

/** A name that looks like a server's is enough to ask a server's questions; for all else it takes the image. */
function roles(c: SafetyCase): Answers<typeof safety>["kata.safety.roles"] {
  const text = ({ container, role, byImage }: Recognised): string =>
    `${container.name}: ${role}${byImage || role === "unknown" ? "" : " by its name"}`;
  return ruled(c, {
    rule: "each container has a known role",
    found: c.containers.map(text),
    none: "no container",
    problems: c.containers
      .filter(({ role, byImage }) => role === "unknown" || (!byImage && role !== "server"))
      .map(
        (x): Problem<"role-unknown"> => ({
          code: "role-unknown",
          text: `${text(x)}, ${x.container.image}`,
          open: true,
        }),
      ),
    code: "role-unknown",
  });
}

const valuesIn = (read: Read): Json => ("reason" in read ? null : [...read.values]);

/** What was read out of a container's arguments; null: could not be read. */
function containerFacts(c: SafetyCase, x: Recognised): Json {
  const { name, devices } = x.container;
  const base = { name, role: x.role, byImage: x.byImage };
  switch (x.role) {
    case "inference-proxy":
      return {
        ...base,
        adapterType: valuesIn(adapterTypesOf(c, x)),
        workloadAddress: valuesIn(addressesOf(c, x)),
      };
    case "attestation-agent": {
      const versions = versionsOf(c, x);
      const [driver, vbios] = "reason" in versions ? [] : versions.lists;
      return { ...base, gpuDriverVersions: driver?.entries ?? null, gpuVbiosVersions: vbios?.entries ?? null };
    }
    case "disk-mounter": {
      const disk = diskOf(c, x);
      return { ...base, disk: "reason" in disk ? null : { ...disk }, devices: devices.map((d) => d.path) };
    }
    case "server":
    case "other":
    case "unknown":
      return base;
    default:
      return x.role satisfies never;
  }
}
