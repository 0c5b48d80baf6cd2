/** Policies before and after: each change at its place and with its direction. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { initdata } from "../../../fixtures/generator/policies.ts";
import type { Grade } from "../../../src/claims/answer.ts";
import { decodePolicyBody } from "../../../src/verifiers/kata/body.ts";
import { diffPolicies } from "../../../src/verifiers/kata/diff.ts";
import { excerptOf } from "../../../src/verifiers/kata/diff-text.ts";

const rules =
  "package agent_policy\n\ndefault AllowRequestsFailingPolicy := false\ndefault ExecProcessRequest := false\n";
const image = (digit: string, repository = "registry.example/web"): string =>
  `${repository}:v1@sha256:${digit.repeat(64)}`;
const container = (name: string, digit: string) => ({
  OCI: {
    Process: {
      User: { UID: 1000, GID: 1000 },
      Args: ["/run", "--disk", "ab"],
      Env: ["A=1", "B=2"],
      NoNewPrivileges: true,
      Capabilities: { Bounding: ["CAP_CHOWN"] },
    },
    Root: { Readonly: true },
    Mounts: [{ destination: "/proc", options: ["ro"] }],
    Annotations: { "io.kubernetes.cri.container-name": name, "io.kubernetes.cri.container-type": "container" },
  },
  image: image(digit),
  devices: [{ container_path: "/dev/weights" }],
  exec_commands: [] as string[][],
});
const data = () => ({
  containers: [
    { OCI: { Annotations: { "io.kubernetes.cri.container-type": "sandbox" } } } as unknown as ReturnType<
      typeof container
    >,
    container("web", "1"),
    container("disk", "2"),
  ],
  request_defaults: {
    CreateContainerRequest: { allow_env_regex: ["^HOSTNAME="] },
    CopyFileRequest: ["^/shared/"],
    ExecProcessRequest: { allowed_commands: [] as string[], regex: [] as string[] },
    UpdateInterfaceRequest: { forbidden_names: ["lo"] },
    ReadStreamRequest: false as boolean | undefined,
  },
});
type Data = ReturnType<typeof data>;
const rego = (value: object, text = rules): string => `${text}\npolicy_data := ${JSON.stringify(value, null, 2)}`;
const document = (value: object, text = rules, more: Record<string, string> = {}): Uint8Array =>
  initdata({ "policy.rego": rego(value, text), ...more });
const diff = (a: Uint8Array, b: Uint8Array) => diffPolicies(decodePolicyBody(a), decodePolicyBody(b));
const said = (a: Uint8Array, b: Uint8Array) => diff(a, b).changes.map((c) => [c.at, c.grade]);
const root = "/data/policy.rego/policy_data";
const web = (d: Data) => {
  const found = d.containers[1];
  if (found === undefined) throw new Error("no container");
  return found;
};
const edited = (edit: (d: Data) => void): Uint8Array => {
  const d = data();
  edit(d);
  return document(d);
};

type Row = readonly [at: string, there: Grade, back: Grade, edit: (d: Data) => void];
const rows: readonly Row[] = [
  [
    "/containers/3",
    "weaker",
    "unknown",
    (d) => {
      d.containers.push(container("more", "3"));
    },
  ],
  [
    "/containers/1/image",
    "unknown",
    "unknown",
    (d) => {
      web(d).image = image("9");
    },
  ],
  [
    "/containers/1/image",
    "neutral",
    "neutral",
    (d) => {
      web(d).image = image("1", "elsewhere.example/web");
    },
  ],
  [
    "/containers/1/image",
    "weaker",
    "stronger",
    (d) => {
      web(d).image = "registry.example/web:v1";
    },
  ],
  [
    "/containers/1/OCI/Process/Args/2",
    "unknown",
    "unknown",
    (d) => {
      web(d).OCI.Process.Args[2] = "ac";
    },
  ],
  [
    "/containers/1/OCI/Process/Args",
    "unknown",
    "unknown",
    (d) => {
      web(d).OCI.Process.Args.push("--more");
    },
  ],
  [
    "/containers/1/OCI/Process/Env/2",
    "unknown",
    "unknown",
    (d) => {
      web(d).OCI.Process.Env.push("C=3");
    },
  ],
  [
    "/containers/1/OCI/Process/Env",
    "neutral",
    "neutral",
    (d) => {
      web(d).OCI.Process.Env.reverse();
    },
  ],
  [
    "/containers/1/OCI/Process/User/UID",
    "weaker",
    "stronger",
    (d) => {
      web(d).OCI.Process.User.UID = 0;
    },
  ],
  [
    "/containers/1/OCI/Process/User/UID",
    "unknown",
    "unknown",
    (d) => {
      web(d).OCI.Process.User.UID = 1001;
    },
  ],
  [
    "/containers/1/OCI/Process/NoNewPrivileges",
    "weaker",
    "stronger",
    (d) => {
      web(d).OCI.Process.NoNewPrivileges = false;
    },
  ],
  [
    "/containers/1/OCI/Process/Capabilities/Bounding/1",
    "weaker",
    "stronger",
    (d) => {
      web(d).OCI.Process.Capabilities.Bounding.push("CAP_SYS_ADMIN");
    },
  ],
  [
    "/containers/1/OCI/Process/Capabilities/Bounding/1",
    "weaker",
    "stronger",
    (d) => {
      web(d).OCI.Process.Capabilities.Bounding.push("$(privileged_caps)");
    },
  ],
  [
    "/containers/1/OCI/Process/Capabilities/Bounding/1",
    "unknown",
    "unknown",
    (d) => {
      web(d).OCI.Process.Capabilities.Bounding.push("$(default_caps)");
    },
  ],
  [
    "/containers/1/OCI/Root/Readonly",
    "weaker",
    "stronger",
    (d) => {
      web(d).OCI.Root.Readonly = false;
    },
  ],
  [
    "/containers/1/OCI/Mounts/1",
    "unknown",
    "unknown",
    (d) => {
      web(d).OCI.Mounts.push({ destination: "/host", options: [] });
    },
  ],
  [
    "/containers/1/devices/1",
    "weaker",
    "unknown",
    (d) => {
      web(d).devices.push({ container_path: "/dev/sda" });
    },
  ],
  [
    "/containers/1/exec_commands/0",
    "weaker",
    "stronger",
    (d) => {
      web(d).exec_commands.push(["sh"]);
    },
  ],
  [
    "/request_defaults/CreateContainerRequest/allow_env_regex/1",
    "weaker",
    "stronger",
    (d) => {
      d.request_defaults.CreateContainerRequest.allow_env_regex.push(".*");
    },
  ],
  [
    "/request_defaults/CopyFileRequest/1",
    "weaker",
    "stronger",
    (d) => {
      d.request_defaults.CopyFileRequest.push("^/");
    },
  ],
  [
    "/request_defaults/ExecProcessRequest/allowed_commands/0",
    "weaker",
    "stronger",
    (d) => {
      d.request_defaults.ExecProcessRequest.allowed_commands.push("sh");
    },
  ],
  [
    "/request_defaults/ExecProcessRequest/regex/0",
    "weaker",
    "stronger",
    (d) => {
      d.request_defaults.ExecProcessRequest.regex.push(".*");
    },
  ],
  [
    "/request_defaults/UpdateInterfaceRequest/forbidden_names/0",
    "weaker",
    "stronger",
    (d) => {
      d.request_defaults.UpdateInterfaceRequest.forbidden_names = [];
    },
  ],
  [
    "/request_defaults/ReadStreamRequest",
    "weaker",
    "stronger",
    (d) => {
      d.request_defaults.ReadStreamRequest = true;
    },
  ],
];

describe("policy_data, one change at a time", () => {
  it.each(rows.map((r, i) => [i, ...r] as const))("%i: %s is %s, and back it is %s", (_, at, there, back, edit) => {
    const changed = edited(edit);
    expect(said(document(data()), changed)).toEqual([[root + at, there]]);
    expect(said(changed, document(data()))).toEqual([[root + at, back]]);
  });
  it("a container is known by its name, wherever it stands", () => {
    const turned = edited((d) => d.containers.reverse());
    expect(said(document(data()), turned)).toEqual([[`${root}/containers`, "neutral"]]);
  });
  it("containers of one name are compared by place", () => {
    const twice = (digit: string) =>
      edited((d) => {
        d.containers = [container("web", "1"), container("web", digit)];
      });
    expect(said(twice("2"), twice("3"))).toEqual([[`${root}/containers/1/image`, "unknown"]]);
  });
});

describe("the document around it", () => {
  it("the same bytes are equal, whatever carries them", () => {
    expect(diff(document(data()), document(data()))).toEqual({ equal: true, changes: [] });
  });
  it("another layout of the same data is neutral", () => {
    const compact = initdata({ "policy.rego": `${rules}\npolicy_data := ${JSON.stringify(data())}` });
    expect(said(document(data()), compact)).toEqual([["", "neutral"]]);
  });
  it("rules that changed are shown with their lines", () => {
    const open = rules.replace("ExecProcessRequest := false", "ExecProcessRequest := true");
    const { changes } = diff(document(data()), document(data(), open));
    expect(changes).toMatchObject([{ at: "/data/policy.rego/rules", grade: "unknown" }]);
    expect(changes[0]?.excerpt).toEqual([
      "@@ -2,5 +2,5 @@",
      " ",
      " default AllowRequestsFailingPolicy := false",
      "-default ExecProcessRequest := false",
      "+default ExecProcessRequest := true",
      " ",
      " ",
    ]);
  });
  it.each<readonly [string, Record<string, string>, string, Grade, Grade]>([
    ["a debug shell", { "contrast.insecure-debug": "true" }, "/data/contrast.insecure-debug", "weaker", "stronger"],
    ["an unknown key", { "a/b": "x" }, "/data/a~1b", "unknown", "unknown"],
    ["an image puller's settings", { "imagepuller.toml": "x" }, "/data/imagepuller.toml", "unknown", "unknown"],
  ])("%s", (_, more, at, there, back) => {
    const other = document(data(), rules, more);
    expect(said(document(data()), other)).toEqual([[at, there]]);
    expect(said(other, document(data()))).toEqual([[at, back]]);
  });
  it("without a policy the guest has what its image holds", () => {
    const none = initdata({ "aa.toml": "x" });
    expect(said(document(data(), rules, { "aa.toml": "x" }), none)).toEqual([["/data/policy.rego", "weaker"]]);
  });
  it("bare Rego against initdata, and another algorithm, are unknown", () => {
    const bare = new Uint8Array(Buffer.from(rego(data())));
    expect(said(bare, document(data()))).toEqual([["/kind", "unknown"]]);
    const other = new Uint8Array(Buffer.from(Buffer.from(document(data())).toString().replace("'sha256'", "'sha512'")));
    expect(said(document(data()), other)).toEqual([["/algorithm", "unknown"]]);
  });
  it.each([
    ["defined twice", `${rego(data())}\npolicy_data := {}`],
    ["with a member twice", `${rules}\npolicy_data := {"containers": [], "containers": []}`],
  ])("policy_data %s is compared as text alone", (_, text) => {
    const { changes } = diff(document(data()), initdata({ "policy.rego": text }));
    expect(changes).toMatchObject([{ at: "/data/policy.rego", grade: "unknown" }]);
    expect(changes[0]?.meaning).toContain("compared as text only");
  });
  it("data that is there in one of the two alone is unknown", () => {
    expect(said(initdata({ "policy.rego": `${rules}\n` }), document(data()))).toEqual([[root, "unknown"]]);
  });
});

describe("the excerpt", () => {
  it("is bounded, however long the texts and their lines are", () => {
    const lines = (word: string) =>
      Array.from({ length: 5000 }, (_, i) => `${word} ${i} ${"x".repeat(500)}`).join("\n");
    const shown = excerptOf(lines("a"), lines("b"));
    expect(shown.length).toBeLessThanOrEqual(62);
    expect(Math.max(...shown.map((l) => l.length))).toBeLessThan(300);
  });
  it("rebuilds the later text out of the earlier one", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 }).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [, ...lines] = excerptOf(a, b);
        if (a === b) {
          expect(lines).toEqual([]);
          return;
        }
        const side = (signs: string): string =>
          lines
            .filter((l) => signs.includes(l[0] ?? ""))
            .map((l) => l.slice(1))
            .join("\n");
        expect(`\n${a}\n`).toContain(`\n${side(" -")}\n`);
        expect(`\n${b}\n`).toContain(`\n${side(" +")}\n`);
      }),
    );
  });
});
