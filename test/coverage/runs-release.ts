/** `pm verify --scope release` of Privatemode's shape, good and with many defects at once, and an explanation that fails. */
import type { PolicyChange } from "../../fixtures/generator/genpolicy.ts";
import type { ProfileValue } from "../../fixtures/generator/profile.ts";
import { variants } from "../../fixtures/generator/variants.ts";
import type { Container, Volume, VolumeMount, Workload } from "../../fixtures/generator/workload.ts";
import type { Ran } from "../command.ts";
import {
  but,
  bytes,
  changed,
  good,
  knownTdx,
  ownerKey,
  record,
  references,
  release,
  snp,
  tdx,
  without,
} from "../commands/release-world.ts";

const shape = "privatemode";
const both = references((r) => ({ ...r, tdx: [tdx] }));
const demands = (profile: ProfileValue): ProfileValue =>
  but("manifestValues", { minimumMitigationVector: 15 })(knownTdx(profile));

/** Every value is another than the profile's, and one workload has a name more. */
function otherValues(): Promise<Ran> {
  const values = references(({ snp: list }) => ({
    snp: list.map((v) => ({
      ...v,
      Platform: "",
      ProductName: "Milan",
      TrustedMeasurement: bytes(48, "a"),
      MinimumTCB: { ...v.MinimumTCB, SNPVersion: 0 },
      MinimumMitigationVector: 0,
      GuestPolicy: { ...v.GuestPolicy, CXLAllowed: true },
      PlatformInfo: { ...v.PlatformInfo, SMTEnabled: true },
      AllowedChipIDs: null,
    })),
    tdx: [{ ...tdx, MrTd: bytes(48, "f"), MinTCBEvaluationDataNumber: 18 }],
  })).manifest;
  const { manifest: moreNames } = variants.moreNames.options;
  const from = changed({
    shape,
    manifest: (m) => ({ ...(values?.(moreNames(m)) ?? m), WorkloadOwnerPubKeys: [ownerKey] }),
  });
  const nobody = but("manifestValues", { seedshareOwners: [bytes(32, "e")] });
  const change = (p: ProfileValue): ProfileValue => but("assurance", { pinned: [] })(nobody(demands(p)));
  return release({ auditor: good(shape), from, profile: { assurance: "pinned", change } });
}

interface Pod {
  readonly agent: Container;
  readonly mounter: Container;
  readonly server: Container;
  readonly proxy: Container;
}
type Edits = { readonly [Role in keyof Pod]?: Partial<Container> };
interface Defects {
  /** What of the first container of each role is other. */
  readonly edit?: (pod: Pod) => Edits;
  readonly before?: (pod: Pod) => readonly Container[];
  readonly volumes?: readonly Volume[];
}
const roles = { agent: "attestation-agent", mounter: "disk-mounter-", server: "workload-", proxy: "inference-proxy-" };

function defective(workload: Workload, defects: Defects | undefined): Workload {
  if (defects === undefined) return workload;
  const { edit = (): Edits => ({}), before = () => [], volumes = [] } = defects;
  const first = (role: keyof Pod): Container => {
    const found = workload.containers.find((c) => c.name.startsWith(roles[role]));
    if (found === undefined) throw new Error(`${workload.name}: no ${role}`);
    return found;
  };
  const pod = { agent: first("agent"), mounter: first("mounter"), server: first("server"), proxy: first("proxy") };
  const other = edit(pod);
  const changes = new Map(
    (Object.keys(roles) as (keyof Pod)[]).map((role) => [pod[role], { ...pod[role], ...other[role] }]),
  );
  return {
    ...workload,
    volumes: [...(workload.volumes ?? []), ...volumes],
    containers: [...before(pod), ...workload.containers.map((c) => changes.get(c) ?? c)],
  };
}
const args = (c: Container): readonly string[] => c.args ?? [];
const mounted = (c: Container, mount: VolumeMount): Pick<Container, "mounts"> => ({
  mounts: [...(c.mounts ?? []), mount],
});
/** The model server's script, with another text in one place. */
const script = (c: Container, from: string, to: string): readonly string[] =>
  args(c).map((text) => {
    if (!text.includes(from)) throw new Error(`${c.name}: no ${from}`);
    return text.replace(from, to);
  });
/** Volumes of kinds that no description has: written as a ConfigMap, and replaced in the file. */
const written = {
  "configMap: { name: made-host-path }": "hostPath: { path: /srv }",
  "configMap: { name: made-nfs }": "nfs: { server: files.example, path: / }",
} as const;

const unsafe: Readonly<Record<string, Defects>> = {
  "workload-granite": {
    edit: ({ agent, mounter, server }) => ({
      agent: { args: args(agent).slice(1), env: [{ name: "NVIDIA_VISIBLE_DEVICES", value: "none" }] },
      mounter: { args: args(mounter).slice(0, 2) },
      server: { args: script(server, "--disable-log-requests", "--log-level=debug --trust-remote-code") },
      proxy: { args: ["--adapter-type=unencrypted", "--workload-address=10.0.0.7:8000"] },
    }),
    volumes: [{ name: "host", configMap: { name: "made-host-path" } }],
  },
  "workload-basalt": {
    edit: ({ agent, server }) => ({
      agent: { args: ["--gpu-driver-versions=570.*", ...args(agent).slice(1)] },
      mounter: { devices: [] },
      server: {
        args: script(server, "exec serve", "sha512sum /patches/other && exec serve --config=/patches/serve.yaml"),
        ...mounted(server, { volume: "scratch", path: "/scratch" }),
      },
      proxy: { args: [] },
    }),
    before: ({ proxy }) => [{ ...proxy, name: "inference-proxy-early", init: "sidecar" }],
    volumes: [{ name: "scratch", persistentVolumeClaim: { claimName: "scratch" } }],
  },
  "workload-gneiss": {
    edit: ({ agent, server, proxy }) => ({
      agent: { args: ["--", ...args(agent)] },
      server: {
        devices: [{ volume: "modelweights-gneiss-0", path: "/dev/weights" }],
        ...mounted(server, { volume: "share", path: "/share", readOnly: true }),
      },
      proxy: { args: ["--", ...args(proxy)] },
    }),
    volumes: [{ name: "share", configMap: { name: "made-nfs" } }],
  },
  "workload-slate-schist": {
    edit: ({ server }) => ({
      agent: { init: "sidecar" },
      server: {
        args: script(server, "sha256sum -c", `sha256sum -c && echo "${"2".repeat(64)}  /srv/b" | sha256sum -c`),
        mounts: (server.mounts ?? []).map(({ volume, path }) => ({ volume, path })),
      },
    }),
  },
  "workload-marble-quartzite": {
    edit: ({ server }) => ({
      server: { mounts: (server.mounts ?? []).filter((m) => m.volume === "patches") },
      proxy: { image: `registry.example/demo/helper:v1.0.0@sha256:${bytes(32, "b")}` },
    }),
  },
  "workload-pumice": {
    edit: ({ server }) => ({ server: { args: script(server, "/mnt/modelweights-pumice-0", "org/pumice") } }),
  },
  "workload-obsidian": { edit: () => ({ mounter: { command: ["/bin/mount"] } }) },
};
const dangers: PolicyChange = {
  workloads: (all) => all.map((w) => defective(w, unsafe[w.name])),
  yaml: (text) => Object.entries(written).reduce((t, [from, to]) => t.replace(from, to), text),
};

export const releaseRuns = {
  "release as demanded": () =>
    release({
      auditor: good(shape),
      from: changed({ shape, ...both }),
      profile: { assurance: "pinned", change: demands },
    }),
  "release with other values": otherValues,
  "release on an unknown machine, with less in the profile": () =>
    release({
      from: changed(snp((v) => ({ ...v, AllowedChipIDs: [bytes(64, "d")] }))),
      auditor: good(),
      profile: { assurance: "rebuilt", change: without("minimumTcb") },
    }),
  "release of workloads that are not safe": () => release({ auditor: changed({ shape, change: dangers }) }),
  "bundle of a manifest that is not explained": () =>
    record({ auditor: good(), from: changed({ ...variants.extraEnv.options }) }),
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
