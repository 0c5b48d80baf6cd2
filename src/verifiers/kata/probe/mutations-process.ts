/** Changes of the process: command, environment, user and capabilities. */
import { hostFreedom, type Mutation, mustDeny } from "./mutation.ts";

const command = "kata.probe.other_command_denied";
const env = "kata.probe.injected_env_denied";
const pattern = "kata.probe.env_by_pattern";
const privilege = "kata.probe.privilege_denied";
const unpinned = "kata.probe.unpinned_fields";

const grants = (sets: Record<string, string[]>, name: string): boolean => {
  const lacking = ["Bounding", "Effective", "Permitted"].filter((set) => !(sets[set] ?? []).includes(name));
  for (const set of lacking) sets[set] = [...(sets[set] ?? []), name];
  return lacking.length > 0;
};

export const processMutations: readonly Mutation[] = [
  mustDeny(
    command,
    "args-replaced",
    "Runs a shell in place of the container's program, with everything that the program would be given.",
    ({ process }) => {
      process.Args = ["/bin/sh", "-c", "id"];
    },
    { again: true },
  ),
  mustDeny(
    command,
    "args-appended",
    "Adds an argument, such as one that switches debugging on.",
    ({ process }) => {
      process.Args.push("--debug");
    },
    { again: true },
  ),
  mustDeny(command, "args-dropped", "Leaves out the last argument, such as a root hash.", ({ process }) => {
    if (process.Args.length === 0) return false;
    process.Args.pop();
  }),
  mustDeny(command, "args-last-replaced", "Puts another value for the last argument.", ({ process }) => {
    if (process.Args.length === 0) return false;
    process.Args[process.Args.length - 1] = "other";
  }),
  mustDeny(command, "cwd-changed", "Starts the program in a folder where other files are found.", ({ process }) => {
    process.Cwd = process.Cwd === "/tmp" ? "/var" : "/tmp";
  }),
  mustDeny(command, "terminal-flipped", "Gives or takes the program's terminal.", ({ process }) => {
    process.Terminal = !process.Terminal;
  }),

  mustDeny(
    env,
    "env-ld-preload",
    "Loads code of the host's choice into every program of the container.",
    ({ process }) => {
      process.Env.push("LD_PRELOAD=/tmp/x.so");
    },
    { again: true },
  ),
  mustDeny(env, "env-path-redirected", "Lets programs be found in another folder first.", ({ process }) => {
    const at = process.Env.findIndex((v) => v.startsWith("PATH="));
    if (at < 0) return false;
    process.Env[at] = "PATH=/tmp";
  }),
  mustDeny(env, "env-path-twice", "Adds a second search path, of which programs take the last.", ({ process }) => {
    process.Env.push("PATH=/tmp");
  }),
  mustDeny(env, "env-https-proxy", "Sends outgoing connections through the host.", ({ process }) => {
    process.Env.push("HTTPS_PROXY=http://proxy.example:1");
  }),
  mustDeny(
    env,
    "env-newline",
    "Hides a second variable behind a line end in one that a pattern lets in.",
    ({ process }) => {
      process.Env.push("ABC_SERVICE_HOST=6.6.6.6\nLD_PRELOAD=/x");
    },
  ),
  mustDeny(env, "env-hostname-newline", "Hides a variable behind a line end in the pod's name.", ({ process }) => {
    process.Env.push("HOSTNAME=host-1\nLD_PRELOAD=/x");
  }),
  hostFreedom("kata.probe.env_dropped", "env-first-dropped", "Leaves out a variable.", ({ process }) => {
    if (process.Env.length === 0) return false;
    process.Env.shift();
  }),
  hostFreedom("kata.probe.env_dropped", "env-all-dropped", "Leaves out every variable.", ({ process }) => {
    process.Env = [];
  }),
  hostFreedom(pattern, "env-service-host", "Points a service's address to the host.", ({ process }) => {
    process.Env.push("COORDINATOR_SERVICE_HOST=6.6.6.6");
  }),
  hostFreedom(pattern, "env-service-port", "Points a service's port to another.", ({ process }) => {
    process.Env.push("COORDINATOR_SERVICE_PORT=6666");
  }),
  hostFreedom(pattern, "env-port-link", "Adds the link variable of a service.", ({ process }) => {
    process.Env.push("ABC_PORT=tcp://6.6.6.6:1");
  }),
  hostFreedom(pattern, "env-hostname", "Gives the pod another name.", ({ process }) => {
    process.Env.push("HOSTNAME=other");
  }),

  mustDeny(privilege, "uid-0", "Runs the program as root.", ({ process }) => {
    if (process.User.UID === 0) return false;
    process.User.UID = 0;
  }),
  mustDeny(privilege, "gid-changed", "Runs the program in another group.", ({ process }) => {
    process.User.GID = process.User.GID === 4242 ? 4243 : 4242;
  }),
  mustDeny(privilege, "gid-added", "Adds the program to a further group.", ({ process }) => {
    process.User.AdditionalGids = [...process.User.AdditionalGids, 4242];
  }),
  mustDeny(privilege, "username-set", "Names another user than the number says.", ({ process }) => {
    process.User.Username = process.User.Username === "root" ? "other" : "root";
  }),
  mustDeny(
    privilege,
    "no-new-privileges-flipped",
    "Lets the program gain privileges by setuid files.",
    ({ process }) => {
      process.NoNewPrivileges = !process.NoNewPrivileges;
    },
  ),
  mustDeny(
    privilege,
    "cap-sys-admin",
    "Gives the capability that lets a container mount and change the guest.",
    ({ process }) => grants(process.Capabilities, "CAP_SYS_ADMIN"),
    { again: true },
  ),
  mustDeny(
    privilege,
    "caps-privileged",
    "Gives the capabilities of a privileged container.",
    ({ process }, { privileged }) => {
      for (const set of ["Bounding", "Effective", "Permitted"]) process.Capabilities[set] = [...privileged];
    },
  ),
  mustDeny(privilege, "cap-ambient", "Gives a capability that started programs inherit.", ({ process }) => {
    if ((process.Capabilities["Ambient"] ?? []).includes("CAP_SYS_ADMIN")) return false;
    process.Capabilities["Ambient"] = [...(process.Capabilities["Ambient"] ?? []), "CAP_SYS_ADMIN"];
  }),
  mustDeny(privilege, "selinux-label", "Runs the program without its SELinux confinement.", ({ process }) => {
    process.SelinuxLabel = "unconfined_t";
  }),
  mustDeny(privilege, "string-user", "Names the user in a second place, which the agent may prefer.", ({ request }) => {
    request.string_user = { uid: "root", gid: "root", additionalGids: [] };
  }),
  hostFreedom(unpinned, "apparmor-profile", "Runs the program without its AppArmor profile.", ({ process }) => {
    process.ApparmorProfile = "unconfined";
  }),
  hostFreedom(
    unpinned,
    "rlimit",
    "Lets the program write core files, into the guest.",
    ({ process }) => {
      process.Rlimits = [{ Type: "RLIMIT_CORE", Hard: 1_000_000_000, Soft: 1_000_000_000 }];
    },
    { grade: "neutral" },
  ),
  hostFreedom(
    unpinned,
    "oom-score",
    "Chooses which program dies first when memory runs out.",
    ({ process }) => {
      process.OOMScoreAdj = -1000;
    },
    { grade: "neutral" },
  ),
];
