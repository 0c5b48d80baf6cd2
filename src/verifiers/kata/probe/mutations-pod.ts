/** Changes of what joins a container to its pod and its kernel: namespaces, kernel settings, devices, annotations. */
import { sandboxIdAnnotation, sandboxName, sandboxNamespace, typeAnnotation } from "./legitimate.ts";
import { hostFreedom, type Mutation, mustDeny } from "./mutation.ts";

const privilege = "kata.probe.privilege_denied";
const identity = "kata.probe.pod_identity";
const unpinned = "kata.probe.unpinned_fields";

/** Asked again once more containers have been removed than ever were there. */
export const identityMutations: readonly Mutation[] = [
  hostFreedom(
    identity,
    "pod-namespace",
    "Starts a container of the pod under another Kubernetes namespace.",
    ({ oci }) => {
      oci.Annotations[sandboxNamespace] = "kube-system";
    },
    { later: true, again: true },
  ),
  hostFreedom(
    identity,
    "pod-name",
    "Starts a container of the pod under another pod's name.",
    ({ oci }) => {
      oci.Annotations[sandboxName] = "other";
    },
    { later: true, again: true },
  ),
  hostFreedom(
    identity,
    "network-namespace",
    "Starts a container of the pod in another network.",
    ({ linux }) => {
      for (const n of linux.Namespaces) if (n.Type === "network") n.Path = "/run/netns/other";
    },
    { later: true, again: true },
  ),
  hostFreedom(
    identity,
    "network-namespace-none",
    "Starts a container in the guest's own network.",
    ({ linux }) => {
      linux.Namespaces = linux.Namespaces.filter((n) => n.Type !== "network");
    },
    { later: true },
  ),
];

export const podMutations: readonly Mutation[] = [
  mustDeny(
    privilege,
    "namespace-ipc-dropped",
    "Starts the container in the guest's own IPC namespace.",
    ({ linux }) => {
      linux.Namespaces = linux.Namespaces.filter((n) => n.Type !== "ipc");
    },
  ),
  mustDeny(privilege, "namespace-ipc-other", "Joins the IPC namespace of another program.", ({ linux }) => {
    const ipc = linux.Namespaces.find((n) => n.Type === "ipc");
    if (ipc === undefined) return false;
    ipc.Path = "/proc/1/ns/ipc";
  }),
  mustDeny(privilege, "namespace-network-twice", "Joins the network of another program.", ({ linux }) => {
    linux.Namespaces.push({ Type: "network", Path: "/proc/1/ns/net" });
  }),
  mustDeny(
    privilege,
    "namespace-user",
    "Gives the container a user namespace of its own, with another root.",
    ({ linux }) => {
      linux.Namespaces.push({ Type: "user", Path: "" });
    },
  ),
  mustDeny(
    privilege,
    "pid-namespace",
    "Lets the container see every process of the pod, or none of them.",
    ({ request }) => {
      request.sandbox_pidns = !request.sandbox_pidns;
    },
  ),
  mustDeny(
    privilege,
    "masked-paths-emptied",
    "Shows files of the kernel that containers may not read.",
    ({ linux }) => {
      if (linux.MaskedPaths.length === 0) return false;
      linux.MaskedPaths = [];
    },
  ),
  mustDeny(
    privilege,
    "masked-path-dropped",
    "Shows one file of the kernel that containers may not read.",
    ({ linux }) => {
      if (linux.MaskedPaths.length === 0) return false;
      linux.MaskedPaths = linux.MaskedPaths.slice(1);
    },
  ),
  mustDeny(privilege, "readonly-paths-emptied", "Lets the container write to settings of the kernel.", ({ linux }) => {
    if (linux.ReadonlyPaths.length === 0) return false;
    linux.ReadonlyPaths = [];
  }),
  mustDeny(
    privilege,
    "sysctl-core-pattern",
    "Has the kernel run a program of the host's choice when another one crashes.",
    ({ linux }) => {
      linux.Sysctl = { ...linux.Sysctl, "kernel.core_pattern": "|/x" };
    },
    { again: true },
  ),
  mustDeny(privilege, "device-mem", "Gives the container the guest's memory as a file.", ({ linux }) => {
    const mem = { Path: "/dev/mem", Type: "c", Major: 1, Minor: 1, FileMode: 438, UID: 0, GID: 0 };
    linux.Devices = [...linux.Devices, mem];
  }),
  mustDeny(privilege, "device-disk", "Gives the container a disk of the host's choice.", ({ request }) => {
    const disk = { id: "", type_: "blk", vm_path: "/dev/sda", container_path: "/dev/sda", options: [] };
    request.devices.push(disk);
  }),
  mustDeny(privilege, "device-gpu", "Gives the container a device that its policy does not list.", ({ oci }) => {
    oci.Annotations["cdi.k8s.io/vfio99"] = "nvidia.com/gpu=99";
  }),
  mustDeny(
    privilege,
    "device-gpu-changed",
    "Gives the container another kind of device than its policy lists.",
    ({ oci }) => {
      const key = Object.keys(oci.Annotations).find((k) => k.startsWith("cdi.k8s.io/"));
      if (key === undefined) return false;
      oci.Annotations[key] = "other.example/device=0";
    },
  ),
  mustDeny(privilege, "cgroup-devices", "Lets the container open every device of the guest.", ({ linux }) => {
    linux.Resources.Devices = [{ Allow: true, Type: "a", Major: -1, Minor: -1, Access: "rwm" }];
  }),
  mustDeny(privilege, "uid-mapping", "Makes the container's root the guest's root.", ({ linux }) => {
    linux.UIDMappings = [{ HostID: 0, ContainerID: 0, Size: 1 }];
  }),
  mustDeny(privilege, "mount-label", "Gives the container's mounts another security label.", ({ linux }) => {
    linux.MountLabel = "x";
  }),
  mustDeny(privilege, "seccomp", "Brings a filter of system calls that allows all of them.", ({ linux }) => {
    linux.Seccomp = { DefaultAction: "SCMP_ACT_ALLOW" };
  }),
  mustDeny(
    privilege,
    "hook-prestart",
    "Runs a program in the guest, outside the container, before it starts.",
    ({ oci }) => {
      oci.Hooks = { Prestart: [{ Path: "/bin/sh", Args: [], Env: [], Timeout: 0 }] };
    },
    { again: true },
  ),
  mustDeny(privilege, "annotation-agent", "Sets an option of the agent by annotation.", ({ oci }) => {
    oci.Annotations["io.katacontainers.config.agent.x"] = "y";
  }),
  mustDeny(
    privilege,
    "container-type-swapped",
    "Has the container treated as a sandbox, or a sandbox as a container.",
    ({ oci }) => {
      oci.Annotations[typeAnnotation] = oci.Annotations[typeAnnotation] === "sandbox" ? "container" : "sandbox";
    },
  ),
  mustDeny(privilege, "sandbox-id-path", "Puts a path where the pod's identifier belongs.", ({ oci }) => {
    oci.Annotations[sandboxIdAnnotation] = "../../x";
  }),
  hostFreedom(
    unpinned,
    "oci-version",
    "Names another version of the runtime's format.",
    ({ oci }) => {
      oci.Version = "9.9.9";
    },
    { grade: "neutral" },
  ),
  hostFreedom(
    unpinned,
    "annotation-cri",
    "Adds an annotation of the container runtime.",
    ({ oci }) => {
      oci.Annotations["io.kubernetes.cri.other"] = "y";
    },
    { grade: "neutral" },
  ),
  hostFreedom(
    unpinned,
    "unknown-field",
    "Adds a member that requests do not have.",
    ({ request }) => {
      request["unknown"] = 1;
    },
    { grade: "neutral" },
  ),
  ...identityMutations,
];
