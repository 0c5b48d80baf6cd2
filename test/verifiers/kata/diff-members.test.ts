/** Every member of policy_data, changed alone and in both directions. */
import { describe, expect, test } from "vitest";
import { initdata } from "../../../fixtures/generator/policies.ts";
import {
  type ContainerValue,
  makePolicyWorld,
  type PolicyDataValue,
} from "../../../fixtures/generator/policy-world.ts";
import { sharedDeployment } from "../../../fixtures/generator/shared.ts";
import type { Grade } from "../../../src/claims/answer.ts";
import { decodePolicyBody } from "../../../src/verifiers/kata/body.ts";
import { diffPolicies } from "../../../src/verifiers/kata/diff.ts";
import { decodePolicyData, known } from "../../../src/verifiers/kata/policy-data.ts";

let plain: PolicyDataValue | undefined;
makePolicyWorld(sharedDeployment().manifestValue, {
  data: (name, value) => {
    if (name === "workload-granite") plain = structuredClone(value);
  },
});
const at = plain?.containers.findIndex((c) => c.OCI.Annotations["io.kubernetes.cri.container-name"] === "inference");
/** The data of one workload, with every member that genpolicy writes. */
function base(): PolicyDataValue {
  const value = structuredClone(plain);
  if (value === undefined) throw new Error("no such workload");
  const c = web(value);
  Object.assign(c.OCI.Linux, {
    Namespaces: [{ Type: "ipc", Path: "" }],
    MaskedPaths: ["/proc/kcore", "/proc/keys"],
    ReadonlyPaths: ["/proc/bus", "/proc/irq"],
    Devices: [{ Type: "c", Path: "/dev/one" }],
    Sysctl: { "net.ipv4.ip_unprivileged_port_start": "0" },
  });
  c.OCI.Process.User.AdditionalGids = [10];
  c.storages.push({
    ...c.storages[0],
    driver: "local",
    source: "local",
    fstype: "local",
    mount_point: "/x",
    shared: false,
  });
  c.devices = [{ container_path: "/dev/weights" }];
  c["runtime_anno_patterns"] = { "^a$": "^b$" };
  value["volumes"] = {};
  value.sandbox["storages"] = [
    { ...c.storages[1], driver: "ephemeral", mount_point: "/run/kata-containers/sandbox/shm" },
  ];
  return value;
}
function web(value: PolicyDataValue): ContainerValue {
  const found = value.containers[at ?? -1];
  if (found === undefined) throw new Error("no such container");
  return found;
}
const document = (value: PolicyDataValue): Uint8Array =>
  initdata({ "policy.rego": `package agent_policy\n\npolicy_data := ${JSON.stringify(value, null, 2)}` });
const said = (a: PolicyDataValue, b: PolicyDataValue): unknown =>
  diffPolicies(decodePolicyBody(document(a)), decodePolicyBody(document(b))).changes.map((c) => [
    c.at.replace("/data/policy.rego/policy_data", ""),
    c.grade,
  ]);

type Edit = (value: PolicyDataValue) => void;
type Row = readonly [at: string, there: Grade, back: Grade, edit: Edit];
const inference = `/containers/${at}`;
const oci = `${inference}/OCI`;
const one = (path: string, there: Grade, back: Grade, edit: (c: ContainerValue) => void): Row => [
  path,
  there,
  back,
  (v) => edit(web(v)),
];
const linux = (name: string, there: Grade, back: Grade, place: string, value: unknown): Row =>
  one(`${oci}/Linux/${place}`, there, back, (c) => Object.assign(c.OCI.Linux, { [name]: value }));
const storage = (name: string, value: unknown, place = name): Row =>
  one(`${inference}/storages/1/${place}`, "unknown", "unknown", (c) =>
    Object.assign(c.storages[1] ?? {}, { [name]: value }),
  );
const mount = (name: string, value: unknown, place: string): Row =>
  one(`${oci}/Mounts/0/${place}`, "unknown", "unknown", (c) => Object.assign(c.OCI.Mounts[0] ?? {}, { [name]: value }));
const top = (name: string, place: string, there: Grade, back: Grade, value: unknown): Row => [
  place,
  there,
  back,
  (v) => Object.assign(v, { [name]: value }),
];

/** By the object that has the member, and its name. */
const rows: {
  readonly [Scope in keyof typeof known]: { readonly [Name in (typeof known)[Scope][number]]: readonly Row[] };
} = {
  top: {
    containers: [
      [
        `/containers/${plain?.containers.length ?? 0}`,
        "weaker",
        "unknown",
        (v) => {
          const more = structuredClone(web(v));
          more.OCI.Annotations["io.kubernetes.cri.container-name"] = "more";
          v.containers.push(more);
        },
      ],
    ],
    volumes: [top("volumes", "/volumes/emptyDir", "unknown", "unknown", { emptyDir: {} })],
    common: [
      [
        "/common/sfprefix",
        "unknown",
        "unknown",
        (v) => {
          v.common["sfprefix"] = ".*";
        },
      ],
    ],
    sandbox: [
      [
        "/sandbox/storages",
        "unknown",
        "unknown",
        (v) => {
          v.sandbox["storages"] = [];
        },
      ],
    ],
    request_defaults: [
      [
        "/request_defaults/ReadStreamRequest",
        "weaker",
        "stronger",
        (v) => {
          v.request_defaults["ReadStreamRequest"] = true;
        },
      ],
      [
        "/request_defaults/WriteStreamRequest",
        "weaker",
        "stronger",
        (v) => {
          v.request_defaults["WriteStreamRequest"] = true;
        },
      ],
      [
        "/request_defaults/CopyFileRequest/1",
        "weaker",
        "stronger",
        (v) => {
          v.request_defaults["CopyFileRequest"] = ["$(sfprefix)", "/"];
        },
      ],
      [
        "/request_defaults/ExecProcessRequest/regex/0",
        "weaker",
        "stronger",
        (v) => {
          v.request_defaults["ExecProcessRequest"] = { allowed_commands: [], regex: [".*"] };
        },
      ],
      [
        "/request_defaults/SomethingNewRequest",
        "weaker",
        "stronger",
        (v) => {
          v.request_defaults["SomethingNewRequest"] = true;
        },
      ],
      [
        "/request_defaults/something",
        "unknown",
        "unknown",
        (v) => {
          v.request_defaults["something"] = "x";
        },
      ],
    ],
    devices: [top("devices", "/devices/vfio", "unknown", "unknown", { vfio: ["x"] })],
    cluster_config: [top("cluster_config", "/cluster_config/guest_pull", "unknown", "unknown", { guest_pull: false })],
  },
  sandbox: {
    storages: [
      [
        "/sandbox/storages/0/source",
        "unknown",
        "unknown",
        (v) => {
          const [first] = v.sandbox["storages"] as { source?: string }[];
          if (first !== undefined) first.source = "kataShared";
        },
      ],
    ],
  },
  container: {
    OCI: [
      one(`${oci}/Process/Args/2`, "unknown", "unknown", (c) => {
        c.OCI.Process.Args[2] = "other";
      }),
    ],
    image: [
      one(`${inference}/image`, "weaker", "stronger", (c) => {
        c.image = "registry.example/x:v1";
      }),
      one(`${inference}/image`, "unknown", "unknown", (c) => {
        c.image = `x@sha256:${"0".repeat(64)}`;
      }),
      one(`${inference}/image`, "neutral", "neutral", (c) => {
        c.image = `elsewhere.example/${c.image}`;
      }),
    ],
    storages: [
      one(`${inference}/storages/2`, "unknown", "unknown", (c) =>
        c.storages.push({ ...c.storages[0], mount_point: "/y" }),
      ),
    ],
    devices: [
      one(`${inference}/devices/1`, "weaker", "unknown", (c) => c.devices.push({ container_path: "/dev/two" })),
    ],
    sandbox_pidns: [
      one(`${inference}/sandbox_pidns`, "weaker", "stronger", (c) => {
        c.sandbox_pidns = true;
      }),
    ],
    exec_commands: [one(`${inference}/exec_commands/0`, "weaker", "stronger", (c) => c.exec_commands.push(["sh"]))],
    runtime_anno_patterns: [
      one(`${inference}/runtime_anno_patterns/^c$`, "weaker", "stronger", (c) =>
        Object.assign(c["runtime_anno_patterns"] ?? {}, { "^c$": ".*" }),
      ),
      one(`${inference}/runtime_anno_patterns/^a$`, "unknown", "unknown", (c) =>
        Object.assign(c["runtime_anno_patterns"] ?? {}, { "^a$": ".*" }),
      ),
    ],
  },
  oci: {
    Version: [
      one(`${oci}/Version`, "unknown", "unknown", (c) => {
        c.OCI.Version = "1.2.0";
      }),
    ],
    Process: [
      one(`${oci}/Process/Cwd`, "unknown", "unknown", (c) => {
        c.OCI.Process.Cwd = "/tmp";
      }),
    ],
    Root: [
      one(`${oci}/Root/Path`, "unknown", "unknown", (c) => {
        c.OCI.Root.Path = "/host";
      }),
    ],
    Mounts: [
      one(`${oci}/Mounts/${web(base()).OCI.Mounts.length}`, "unknown", "unknown", (c) =>
        c.OCI.Mounts.push({ destination: "/host", source: "x", type_: "bind", options: [] }),
      ),
    ],
    Annotations: [
      one(`${oci}/Annotations/more`, "unknown", "unknown", (c) => {
        c.OCI.Annotations["more"] = "x";
      }),
      one(`${oci}/Annotations/io.kubernetes.cri.image-name`, "weaker", "stronger", (c) => {
        c.OCI.Annotations["io.kubernetes.cri.image-name"] = "x:v1";
      }),
    ],
    Linux: [linux("More", "unknown", "unknown", "More", true)],
  },
  process: {
    Terminal: [
      one(`${oci}/Process/Terminal`, "unknown", "unknown", (c) => {
        c.OCI.Process.Terminal = true;
      }),
    ],
    User: [
      one(`${oci}/Process/User/Username`, "unknown", "unknown", (c) => {
        c.OCI.Process.User.Username = "x";
      }),
    ],
    Args: [one(`${oci}/Process/Args`, "unknown", "unknown", (c) => c.OCI.Process.Args.push("--more"))],
    Env: [
      one(`${oci}/Process/Env/${web(base()).OCI.Process.Env.length}`, "unknown", "unknown", (c) =>
        c.OCI.Process.Env.push("C=3"),
      ),
      one(`${oci}/Process/Env`, "neutral", "neutral", (c) => c.OCI.Process.Env.reverse()),
    ],
    Cwd: [
      one(`${oci}/Process/Cwd`, "unknown", "unknown", (c) => {
        c.OCI.Process.Cwd = "/other";
      }),
    ],
    Capabilities: [
      one(`${oci}/Process/Capabilities/Bounding/1`, "weaker", "stronger", (c) => {
        c.OCI.Process.Capabilities["Bounding"] = ["$(default_caps)", "CAP_SYS_ADMIN"];
      }),
      one(`${oci}/Process/Capabilities/Ambient/0`, "weaker", "stronger", (c) => {
        c.OCI.Process.Capabilities["Ambient"] = ["$(privileged_caps)"];
      }),
    ],
    NoNewPrivileges: [
      one(`${oci}/Process/NoNewPrivileges`, "stronger", "weaker", (c) => {
        c.OCI.Process.NoNewPrivileges = true;
      }),
    ],
  },
  user: {
    UID: [
      one(`${oci}/Process/User/UID`, "stronger", "weaker", (c) => {
        c.OCI.Process.User.UID = 1000;
      }),
    ],
    GID: [
      one(`${oci}/Process/User/GID`, "stronger", "weaker", (c) => {
        c.OCI.Process.User.GID = 1000;
      }),
    ],
    AdditionalGids: [
      one(`${oci}/Process/User/AdditionalGids/1`, "weaker", "stronger", (c) =>
        c.OCI.Process.User.AdditionalGids.push(6),
      ),
    ],
    Username: [
      one(`${oci}/Process/User/Username`, "unknown", "unknown", (c) => {
        c.OCI.Process.User.Username = "y";
      }),
    ],
  },
  root: {
    Path: [
      one(`${oci}/Root/Path`, "unknown", "unknown", (c) => {
        c.OCI.Root.Path = "/elsewhere";
      }),
    ],
    Readonly: [
      one(`${oci}/Root/Readonly`, "stronger", "weaker", (c) => {
        c.OCI.Root.Readonly = true;
      }),
    ],
  },
  linux: {
    Namespaces: [linux("Namespaces", "unknown", "unknown", "Namespaces", [])],
    MaskedPaths: [linux("MaskedPaths", "weaker", "stronger", "MaskedPaths/1", ["/proc/kcore"])],
    ReadonlyPaths: [
      linux("ReadonlyPaths", "stronger", "weaker", "ReadonlyPaths/2", ["/proc/bus", "/proc/irq", "/proc/fs"]),
    ],
    Devices: [
      linux("Devices", "weaker", "unknown", "Devices/1", [
        { Type: "c", Path: "/dev/one" },
        { Type: "c", Path: "/dev/two" },
      ]),
    ],
    Sysctl: [linux("Sysctl", "unknown", "unknown", "Sysctl/net.ipv4.ip_unprivileged_port_start", {})],
  },
  mount: {
    destination: [one(`${oci}/Mounts/0`, "unknown", "unknown", (c) => c.OCI.Mounts.splice(0, 1))],
    source: [mount("source", "elsewhere", "source")],
    type_: [mount("type_", "bind", "type_")],
    options: [
      mount("options", ["nosuid", "noexec", "dev"], "options/2"),
      one(
        `${oci}/Mounts/${web(base()).OCI.Mounts.findIndex((m) => m.options.at(-1) === "ro")}/options/3`,
        "weaker",
        "stronger",
        (c) => {
          const found = c.OCI.Mounts.find((m) => m.options.at(-1) === "ro");
          found?.options.splice(-1, 1, "rw");
        },
      ),
    ],
  },
  storage: {
    driver: [storage("driver", "virtio-fs")],
    driver_options: [storage("driver_options", ["x"])],
    source: [storage("source", "kataShared")],
    fstype: [storage("fstype", "virtiofs")],
    options: [storage("options", ["x"])],
    mount_point: [one(`${inference}/storages/1`, "unknown", "unknown", (c) => c.storages.splice(1, 1))],
    fs_group: [storage("fs_group", { group_id: 1 })],
    shared: [storage("shared", true)],
  },
  device: { container_path: [one(`${inference}/devices/0`, "unknown", "weaker", (c) => c.devices.splice(0, 1))] },
  linuxDevice: {
    Type: [linux("Devices", "unknown", "unknown", "Devices/0/Type", [{ Type: "b", Path: "/dev/one" }])],
    Path: [linux("Devices", "unknown", "weaker", "Devices/0", [])],
  },
};

describe.each(Object.entries(rows))("members of %s", (scope, members) => {
  test("each that genpolicy writes has a row", () => {
    expect(Object.keys(members).sort()).toEqual([...known[scope as keyof typeof known]].sort());
  });
  describe.each(Object.entries<readonly Row[]>(members))("%s", (_, list) => {
    test.each(list)("at %s is %s, and back it is %s", (place, there, back, edit) => {
      const other = base();
      edit(other);
      expect(said(base(), other)).toEqual([[place, there]]);
      expect(said(other, base())).toEqual([[place, back]]);
    });
  });
});
test("the data of this table is data as pm reads it", () => {
  expect(decodePolicyData(JSON.stringify(base())).unknown).toEqual([]);
});
