/** Requests beside the creation of containers: every RPC of agent.proto, and one that no agent knows. */
import type { Grade } from "../../../claims/answer.ts";
import type { PolicyContainer } from "../policy-data.ts";
import type { ProbeClaim } from "./claims.ts";
import type { ContainerDraft, SandboxDraft } from "./draft.ts";
import { fill } from "./fill.ts";
import { sandboxId } from "./placeholders.ts";

export interface Rpc {
  readonly id: string;
  readonly endpoint: string;
  /** Filled. */
  readonly input: unknown;
  readonly tries: string;
  /** undefined: the pod cannot live without it, and its answer is shown only. */
  readonly claim: ProbeClaim | undefined;
  readonly expect: "deny" | "freedom" | "either";
  readonly grade: Grade;
}

const rpc = (
  claim: ProbeClaim,
  expect: "deny" | "freedom",
  id: string,
  endpoint: string,
  tries: string,
  input: unknown,
): Rpc => ({ id, endpoint, input: fill(endpoint, input), tries, claim, expect, grade: "weaker" });

const allowAll = `package agent_policy\n\ndefault ExecProcessRequest := true\ndefault SetPolicyRequest := true\n`;

const copy = (
  id: string,
  tries: string,
  path: string,
  more: object = {},
  claim: ProbeClaim | undefined = undefined,
): Rpc =>
  rpc(
    claim ?? "kata.probe.copy_outside_denied",
    claim === undefined ? "deny" : "freedom",
    id,
    "CopyFileRequest",
    tries,
    { path, file_type: "Regular", file_size: 1, file_mode: 0o100644, dir_mode: 0o755, ...more },
  );

/** @param shared a path to which the policy may let the host write, where its data says so */
function copies(shared: string): Rpc[] {
  return [
    copy("copy-etc", "Overwrites the guest's users.", "/etc/passwd"),
    copy("copy-agent", "Overwrites the agent, which asks the policy.", "/usr/bin/kata-agent"),
    copy("copy-traversal", "Leaves the shared folder by steps upwards.", `${shared}/../../../../../../etc/passwd`),
    copy("copy-unanchored", "Hides a shared folder's name inside another path.", `/etc${shared}`),
    copy("copy-root", "Overwrites a program of a container.", `/run/kata-containers/${sandboxId}/rootfs/bin/sh`),
    copy(
      "copy-symlink",
      "Leaves a link to the guest's configuration in a shared folder.",
      shared,
      { file_type: "Symlink", symlink_target: "/etc", file_mode: 0o120777 },
      "kata.probe.copy_symlink",
    ),
  ];
}

/** Without them no pod starts, runs or ends; the agent knows which containers exist. */
const needed: readonly string[] = [
  "AddARPNeighborsRequest",
  "CheckRequest",
  "DestroySandboxRequest",
  "GetMetricsRequest",
  "GetOOMEventRequest",
  "GuestDetailsRequest",
  "ListInterfacesRequest",
  "ListRoutesRequest",
  "OnlineCPUMemRequest",
  "RemoveContainerRequest",
  "RemoveStaleVirtiofsShareMountsRequest",
  "SignalProcessRequest",
  "StartContainerRequest",
  "StatsContainerRequest",
  "TtyWinResizeRequest",
  "UpdateInterfaceRequest",
  "UpdateRoutesRequest",
  "WaitProcessRequest",
];

const unneeded: readonly (readonly [string, string])[] = [
  ["AddSwapPathRequest", "Has the guest write its memory to a file of the host's."],
  ["AddSwapRequest", "Has the guest write its memory to a disk of the host's."],
  ["CloseStdinRequest", "Ends the input of a program."],
  ["GetDiagnosticDataRequest", "Reads the guest's own logs."],
  ["GetIPTablesRequest", "Reads the guest's firewall."],
  ["MemAgentCompactConfig", "Changes how the guest arranges its memory."],
  ["MemAgentMemcgConfig", "Changes what the guest swaps out."],
  ["MemHotplugByProbeRequest", "Adds memory of the host's at an address of its choice."],
  ["PauseContainerRequest", "Stops a program at a moment of the host's choice."],
  ["PullImageRequest", "Pulls an image in the way of older agents."],
  ["ReseedRandomDevRequest", "Feeds the guest's random numbers."],
  ["ResizeVolumeRequest", "Changes a file system of the guest."],
  ["ResumeContainerRequest", "Continues a program at a moment of the host's choice."],
  ["SetGuestDateTimeRequest", "Sets the guest's clock, by which certificates expire."],
  ["SetIPTablesRequest", "Replaces the guest's firewall."],
  ["StartTracingRequest", "Has an older agent report what it does."],
  ["StopTracingRequest", "Ends the tracing of an older agent."],
  ["UpdateContainerRequest", "Changes what devices and memory a container may use."],
  ["VolumeStatsRequest", "Reads the size of a file system by its path."],
  ["WriteStreamRequest", "Types into a program."],
  ["NoSuchRequest", "Asks for what no agent knows."],
];

/** Requests that concern the pod as a whole, or any of its containers. */
export function podRpcs(container: string, shared: string): Rpc[] {
  const named = { container_id: container, exec_id: container };
  const foreign = { driver: "virtio-fs", source: "kataShared", fstype: "virtiofs", mount_point: "/run/other" };
  return [
    rpc(
      "kata.probe.set_policy_denied",
      "deny",
      "set-policy",
      "SetPolicyRequest",
      "Replaces the policy by one that permits everything.",
      { policy: allowAll },
    ),
    rpc(
      "kata.probe.foreign_mount_denied",
      "deny",
      "ephemeral-mounts",
      "UpdateEphemeralMountsRequest",
      "Mounts a folder of the host into the running guest.",
      { storages: [foreign] },
    ),
    rpc("kata.probe.logs_readable", "freedom", "read-stream", "ReadStreamRequest", "Reads what a program prints.", {
      ...named,
      len: 4096,
    }),
    ...copies(shared),
    ...unneeded.map(([endpoint, tries]) =>
      rpc("kata.probe.unlisted_rpcs_denied", "deny", idOf(endpoint), endpoint, tries, inputOf(endpoint, named)),
    ),
    ...needed.map(
      (endpoint): Rpc => ({
        id: idOf(endpoint),
        endpoint,
        input: fill(endpoint, inputOf(endpoint, named)),
        tries: "Belongs to the life of a pod.",
        claim: undefined,
        expect: "either",
        grade: "neutral",
      }),
    ),
  ];
}

/** Lower-case words: AddSwapPathRequest is add-swap-path. */
const idOf = (endpoint: string): string =>
  endpoint
    .replace(/Request$/, "")
    .replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "-")
    .toLowerCase();

const withContainer =
  /^(?:Write|Close|Tty|Wait|Signal|Start(?:Container)|Remove(?:Container)|Stats|Pause|Resume|UpdateContainer)/;
const inputOf = (endpoint: string, named: { readonly container_id: string; readonly exec_id: string }): object => {
  if (!withContainer.test(endpoint)) return {};
  return /^(?:Write|Close|Tty|Wait|Signal)/.test(endpoint) ? named : { container_id: named.container_id };
};

/** Programs run in one container beside its own. */
export function execRpcs(typed: PolicyContainer, draft: ContainerDraft): Rpc[] {
  const { User } = draft.OCI.Process;
  const endpoint = "ExecProcessRequest";
  const base = { Terminal: false, User, Env: draft.OCI.Process.Env, Cwd: draft.OCI.Process.Cwd };
  const request = (process: object, n: number) => ({
    container_id: draft.container_id,
    exec_id: String(n).padStart(64, "e"),
    process: { ...base, ...process },
  });
  const denied = "kata.probe.exec_denied";
  const variants = "kata.probe.exec_variants";
  const listed = (typed.execCommands ?? []).map((c) => (typeof c === "string" ? c.split(" ") : [...c]));
  const isListed = (args: readonly string[]): boolean =>
    listed.some((c) => JSON.stringify(c) === JSON.stringify(args) || c.join(" ") === args.join(" "));
  const own = draft.OCI.Process.Args;
  const other = listed[0];
  return [
    rpc(denied, "deny", "exec-shell", endpoint, "Opens a shell beside the prompts.", request({ Args: ["/bin/sh"] }, 1)),
    rpc(
      denied,
      "deny",
      "exec-shell-command",
      endpoint,
      "Runs a line of shell beside the prompts.",
      request({ Args: ["/bin/sh", "-c", "id"], Env: [] }, 2),
    ),
    ...(own.length === 0 || isListed(own)
      ? []
      : [
          rpc(
            denied,
            "deny",
            "exec-own-command",
            endpoint,
            "Runs the container's program again.",
            request({ Args: own }, 3),
          ),
        ]),
    ...(other === undefined
      ? []
      : [
          rpc(
            denied,
            "deny",
            "exec-listed-extended",
            endpoint,
            "Adds arguments to a listed command.",
            request({ Args: [...other, "--debug"] }, 4),
          ),
          rpc(variants, "freedom", "exec-listed-env", endpoint, "Runs a listed command with code of the host's.", {
            ...request({ Args: other, Env: ["LD_PRELOAD=/tmp/x.so"] }, 5),
          }),
          rpc(variants, "freedom", "exec-listed-user", endpoint, "Runs a listed command as another user.", {
            ...request({ Args: other, User: { ...User, UID: User.UID === 0 ? 1 : 0 } }, 6),
          }),
        ]),
  ];
}

/** Changes of the sandbox's own request. */
export function sandboxRpcs(draft: SandboxDraft): Rpc[] {
  const endpoint = "CreateSandboxRequest";
  const privilege = "kata.probe.privilege_denied";
  const storage = {
    driver: "virtio-fs",
    driver_options: [],
    source: "kataShared",
    fstype: "virtiofs",
    options: [],
    mount_point: "/run/other",
    fs_group: null,
    shared: false,
  };
  return [
    rpc(privilege, "deny", "sandbox-guest-hooks", endpoint, "Runs programs of a folder in the guest as hooks.", {
      ...draft,
      guest_hook_path: "/usr/share/oci/hooks",
    }),
    rpc(privilege, "deny", "sandbox-kernel-module", endpoint, "Loads a module into the guest's kernel.", {
      ...draft,
      kernel_modules: [...draft.kernel_modules, { name: "x", parameters: [] }],
    }),
    rpc(privilege, "deny", "sandbox-pid-namespace", endpoint, "Lets all containers see each other's processes.", {
      ...draft,
      sandbox_pidns: !draft.sandbox_pidns,
    }),
    rpc(
      "kata.probe.foreign_mount_denied",
      "deny",
      "sandbox-storage",
      endpoint,
      "Mounts a folder of the host into the guest.",
      {
        ...draft,
        storages: [...draft.storages, storage],
      },
    ),
  ];
}
