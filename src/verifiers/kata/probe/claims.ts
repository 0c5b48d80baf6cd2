/** What the attested policy permits, asked in the engine that decides in the guest. */
import { catalogue } from "../../../claims/question.ts";

const agent = "Kata Containers, kata-agent, agent policy";
const genpolicy = "Kata Containers, genpolicy, policy_data";
const owed = "always";
const advisory = "advisory";

/** Owed by each workload with a policy, whose containers they are asked for one by one. */
export const policyProbe = catalogue("kata", {
  "kata.probe.legitimate_allowed": {
    asks: "Does the policy permit the request with which each of its containers is created, so that the refusal of another one says something?",
    spec: `${agent}; ${genpolicy}`,
    stops:
      "A policy that refuses everything, or a probe that is refused for another reason than its change, read as safe.",
    todo: "Look at the request and at what the engine printed. A policy in a form that pm does not know needs a newer pm.",
    owed,
    codes: {
      "legitimate-refused":
        "The policy refuses a container's own request, or none could be made from its data: nothing can be concluded.",
      "rego-ambiguous":
        "Both versions of Rego read the policy and do not answer alike, so that nobody knows which the guest follows.",
    },
  },
  "kata.probe.exec_denied": {
    asks: "Does the policy refuse to run a further program in each container?",
    spec: `${agent}, ExecProcessRequest`,
    stops: "A shell beside the prompts, for whoever runs the host.",
    todo: "Demand a policy without allowed commands. A startup or liveness probe of the deployment file adds one.",
    owed,
    codes: { "exec-permitted": "The policy permits a program that is not the container's own to be run in it." },
  },
  "kata.probe.set_policy_denied": {
    asks: "Does the policy refuse to be replaced?",
    spec: `${agent}, SetPolicyRequest`,
    stops: "A policy that was audited, exchanged in the running guest for one that permits everything.",
    todo: "Do not use the deployment: the attested policy is only its first one.",
    owed,
    codes: { "set-policy-permitted": "The policy permits the host to set another policy." },
    waivable: false,
  },
  "kata.probe.failing_requests_refused": {
    asks: "Is a request that the policy does not permit refused, rather than noted and let through?",
    spec: `${agent}, AllowRequestsFailingPolicy`,
    stops: "A policy that is only logged: every refusal of it is void.",
    todo: "Demand a policy with AllowRequestsFailingPolicy false.",
    owed,
    codes: { "failing-requests-permitted": "AllowRequestsFailingPolicy is true: what the policy refuses is done." },
    waivable: false,
  },
  "kata.probe.other_image_denied": {
    asks: "Does the policy refuse each container with another image?",
    spec: `${agent}, CreateContainerRequest, storages; ${genpolicy}`,
    stops: "Another program under the name of the audited one.",
    todo: "Demand rules that compare the digest of the image that the guest pulls.",
    owed,
    codes: { "other-image-permitted": "The policy permits a container with an image that its data does not name." },
  },
  "kata.probe.other_command_denied": {
    asks: "Does the policy refuse each container with another command, argument or folder?",
    spec: `${agent}, CreateContainerRequest, Process`,
    stops: "The audited image made to do something else: a shell, a debug switch, another root hash.",
    todo: "Demand rules that compare the arguments as a whole.",
    owed,
    codes: { "other-command-permitted": "The policy permits a container with a changed command." },
  },
  "kata.probe.injected_env_denied": {
    asks: "Does the policy refuse each container with a variable that loads code or redirects connections?",
    spec: `${agent}, CreateContainerRequest, Process; ${genpolicy}, allow_env_regex`,
    stops: "Code of the host's choice in the audited program, by LD_PRELOAD, PATH or a proxy.",
    todo: "Look at the patterns that let variables in, and demand ones that are bound at both ends.",
    owed,
    codes: { "injected-env-permitted": "The policy permits a container with a variable of the host's choice." },
  },
  "kata.probe.foreign_mount_denied": {
    asks: "Does the policy refuse files of the host's choice: mounts, storages and root file systems that it does not list?",
    spec: `${agent}, CreateContainerRequest, Mounts, Root, storages; CreateSandboxRequest; UpdateEphemeralMountsRequest`,
    stops: "Files exchanged under a program that was audited.",
    todo: "Demand rules that compare source, destination, type and options of each mount.",
    owed,
    codes: {
      "foreign-mount-permitted": "The policy permits files of the host's choice in a container or in the guest.",
    },
  },
  "kata.probe.privilege_denied": {
    asks: "Does the policy refuse each container with more rights: users, capabilities, namespaces, devices, kernel settings, hooks?",
    spec: `${agent}, CreateContainerRequest, Process, Linux; CreateSandboxRequest`,
    stops: "A container that leaves its confinement and reads what others of the pod hold.",
    todo: "Demand rules that compare what the message names.",
    owed,
    codes: { "privilege-permitted": "The policy permits a container with rights that its data does not give it." },
  },
  "kata.probe.copy_outside_denied": {
    asks: "Does the policy refuse to write files outside the folders that the host shares with containers?",
    spec: `${agent}, CopyFileRequest; ${genpolicy}, CopyFileRequest`,
    stops: "Programs and configuration of the guest overwritten by the host.",
    todo: "Demand patterns that are held at their start, and rules that refuse steps upwards.",
    owed,
    codes: { "copy-outside-permitted": "The policy permits the host to write a file outside the shared folders." },
  },
  "kata.probe.state_stays_in_pstate": {
    asks: "Does what the policy notes for later requests stay where it keeps its state?",
    spec: `${agent}, ops, pstate`,
    stops: "A request that, once permitted, changes the policy's data or rules for those that follow.",
    todo: "Demand rules whose ops have paths below /pstate/ only.",
    owed,
    codes: { "state-outside-pstate": "A permitted request changes data of the policy outside /pstate/." },
  },
  "kata.probe.unlisted_rpcs_denied": {
    asks: "Does the policy refuse every request that a pod does not need, and one that no agent knows?",
    spec: `${agent}; Kata Containers, agent.proto`,
    stops: "A door that nobody thought of: input to programs, swap, firewall, clock, diagnostics.",
    todo: "Find out which rule permits the request, and demand a policy without it.",
    owed,
    codes: { "unlisted-rpc-permitted": "The policy permits a request that the pod does not need." },
  },

  "kata.probe.rego_readings": {
    asks: "Is the policy read in one way, whichever version of Rego the guest follows?",
    spec: "Open Policy Agent, policy language, v0 and v1",
    stops: "A policy that is strict for its auditors and lax in the guest.",
    todo: "Find out which version the guest's engine follows. Demand rules that only one version reads, or both alike.",
    owed: advisory,
    codes: { "rego-ambiguous": "Both versions of Rego read the policy, and their answers differ." },
  },
  "kata.probe.logs_readable": {
    asks: "Does the policy refuse the host what containers print?",
    spec: `${agent}, ReadStreamRequest`,
    stops: "Prompts in log lines, read by the host.",
    todo: "Count everything that a program prints as known to the host, or demand ReadStreamRequest false.",
    owed: advisory,
    codes: { "logs-permitted": "The policy permits the host to read what containers print." },
  },
  "kata.probe.env_dropped": {
    asks: "Does the policy refuse a container without a variable that it lists?",
    spec: `${agent}, CreateContainerRequest, Process`,
    stops: "A program that falls back on a default because its variable is missing.",
    todo: "Look at what each program does without its variables.",
    owed: advisory,
    codes: { "env-drop-permitted": "The policy permits a container without variables that it lists." },
  },
  "kata.probe.env_by_pattern": {
    asks: "Does the policy refuse variables that stand for names, addresses and ports of services?",
    spec: `${agent}, CreateContainerRequest, Process; ${genpolicy}, allow_env_regex`,
    stops: "A program that takes the address of another service from the host.",
    todo: "Look at which programs read such variables, and whether they authenticate whom they reach.",
    owed: advisory,
    codes: { "env-pattern-permitted": "The policy permits variables of the host's choice by a pattern." },
  },
  "kata.probe.mounts_dropped": {
    asks: "Does the policy refuse a container without a mount or storage that it lists, or with them in another order?",
    spec: `${agent}, CreateContainerRequest, Mounts, storages`,
    stops: "A program that writes to another place because its mount is missing.",
    todo: "Look at what each program does without its mounts.",
    owed: advisory,
    codes: { "mount-drop-permitted": "The policy permits a container without mounts or storages that it lists." },
  },
  "kata.probe.copy_symlink": {
    asks: "Does the policy refuse a symbolic link that leads out of the shared folders?",
    spec: `${agent}, CopyFileRequest`,
    stops: "A later copy, or a program, that follows the link to a place of the host's choice.",
    todo: "Find out whether the guest's agent follows links when it writes shared files.",
    owed: advisory,
    codes: { "copy-symlink-permitted": "The policy permits a symbolic link that leads out of the shared folders." },
  },
  "kata.probe.pod_identity": {
    asks: "Is every container after the first held to the same pod name, namespace and network?",
    spec: `${agent}, CreateContainerRequest, pstate`,
    stops: "Containers of one attested guest that believe to be in different pods.",
    todo: "Look at whether a program takes its name or network from the pod.",
    owed: advisory,
    codes: { "pod-identity-permitted": "The policy permits a later container with another pod name or network." },
  },
  "kata.probe.start_order": {
    asks: "Does the policy refuse a second instance, a second sandbox, and a container before the sandbox?",
    spec: `${agent}, CreateContainerRequest, CreateSandboxRequest, pstate`,
    stops: "A program started twice, or before what it relies on.",
    todo: "Look at what a second instance of each program would do, and at what relies on an order.",
    owed: advisory,
    codes: { "start-order-permitted": "The policy permits a container twice, or before its sandbox." },
  },
  "kata.probe.exec_variants": {
    asks: "Does the policy refuse a command that it lists when user, environment or folder are others?",
    spec: `${agent}, ExecProcessRequest; ${genpolicy}, exec_commands`,
    stops: "A health check that is run with the host's variables.",
    todo: "Demand a deployment file without exec probes, or look at what the command does under other variables.",
    owed: advisory,
    codes: { "exec-variant-permitted": "The policy permits a listed command with another user or environment." },
  },
  "kata.probe.unpinned_fields": {
    asks: "Does the policy refuse changes of what it has no data for: limits, profiles, annotations, versions?",
    spec: `${agent}, CreateContainerRequest`,
    stops: "Nothing that is known: a list of what is left to the host.",
    todo: "Check that nothing in the guest rests on the fields that the message names.",
    owed: advisory,
    codes: { "unpinned-field-permitted": "The policy permits a change of a field that it has no data for." },
  },
});

export type ProbeClaim = keyof typeof policyProbe;

/** What probing leaves open, whatever it answers. */
export const notProvenByProbes: readonly string[] = [
  "Probes: a rule that permits something only for a magic value is not found by asking; the comparison of the rules' text with known rules stays needed.",
  "Engine: the published regorus 0.10.0 was asked; the guest's own may be another version.",
  "Requests: legitimate requests and their changes are guesses from policy_data, in the form of about Kata 4.1; what else a policy permits was not asked.",
];
