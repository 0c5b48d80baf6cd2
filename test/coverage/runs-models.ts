/** `pm verify --scope release` with model disks in the profile: as demanded, and with many things wrong at once. */
import type { Deployment } from "../../fixtures/generator/deployment.ts";
import { changed as editImage } from "../../fixtures/generator/erofs.ts";
import { modelImage } from "../../fixtures/generator/models.ts";
import { finishedDisk } from "../../fixtures/generator/verity.ts";
import type { Container, Workload } from "../../fixtures/generator/workload.ts";
import type { Ran } from "../command.ts";
import {
  diskNamed,
  edited,
  forgetting,
  graniteImage,
  holding,
  images,
  lyingDisk,
  otherWeights,
  question,
  right,
} from "../commands/disks-world.ts";
import { changed, release } from "../commands/release-world.ts";

const shape = "privatemode";
const listed = (): string => Buffer.from(right().files.get("models.yaml") ?? "").toString();
const asked = (auditor: Deployment, more: Parameters<typeof question>[0] = {}): Promise<Ran> =>
  release(question({ auditor, from: right(), ...more }));
const basaltDisk = (): Uint8Array =>
  new Uint8Array(Buffer.concat([finishedDisk(modelImage(right().random, "basalt")), Buffer.alloc(4096)]));

/** Every value that the auditor holds is another. */
const others = (): Promise<Ran> =>
  asked(
    holding({
      "disks/granite.img": otherWeights(),
      "disks/basalt.img": new Uint8Array(8192),
      "models.yaml": listed()
        .replace(diskNamed("gneiss").root, "d".repeat(64))
        .replace("demo-slate-7b-v1:", "slate:")
        .replace('"model_source"', '"licence": "none",\n      "model_source"'),
    }),
    {
      change: (p) => images((all) => [...all, { root: "e".repeat(64) }])(forgetting("pumice")(p)),
    },
  );

/** The disks are those of the policies, and what is said of them is not. */
const lies = (): Promise<Ran> =>
  asked(
    holding({
      "disks/granite.img": lyingDisk(),
      "disks/basalt.img": basaltDisk(),
      "disks/granite.json": Buffer.from(right().files.get("disks/granite.json") ?? "")
        .toString()
        .replace(/"blob": "../, '"blob": "00'),
      "models.yaml": listed()
        .replace(diskNamed("granite").commit, "d".repeat(40))
        .replace(`"${diskNamed("granite").hashOffset}"`, '"4096"')
        .replace('"original.bin"', '"*.bin"')
        .replace("demo/slate-7B.v1", "demo/gneiss-7B_v1"),
    }),
  );

type Edit = (c: Container, w: Workload) => Partial<Container>;
const defects: Readonly<Record<string, Edit>> = {
  "disk-mounter-granite-0": (c) => ({ args: [...(c.args ?? []), "more"] }),
  "disk-mounter-basalt-0": () => ({ command: ["/bin/sh", "-ec", "mount /dev/sdb /mnt", "_"] }),
  "disk-mounter-gneiss-0": () => ({ devices: [{ volume: "modelweights-gneiss-0", path: "/dev/sdb" }] }),
  "disk-mounter-slate-0": () => ({ devices: [{ volume: "modelweights-schist-1", path: "/dev/modelweights-slate-0" }] }),
  "disk-mounter-pumice-0": () => ({
    mounts: [{ volume: "model-pumice-0", path: "/other", propagation: "Bidirectional" }],
  }),
  "workload-obsidian-0": (c) => ({
    args: (c.args ?? []).map((a) => a.replace("/mnt/modelweights-obsidian-0", "/srv/x")),
  }),
};
/** No two names in a pod agree. */
function mounts(): Promise<Ran> {
  const auditor = changed({
    shape,
    change: {
      workloads: (all) =>
        all.map((w) => ({ ...w, containers: w.containers.map((c) => ({ ...c, ...defects[c.name]?.(c, w) })) })),
    },
  });
  return release(question({ auditor }));
}

const unread = (): Promise<Ran> =>
  asked(
    holding({
      "models.yaml": "{",
      "disks/granite.img": editImage(graniteImage(), (view) => view.setUint32(1104, 0x80, true)),
    }),
  );

/** Nothing to look at, and nothing said of it. */
function none(): Promise<Ran> {
  const auditor = changed({
    shape,
    change: {
      workloads: (all) =>
        all.map((w) => ({
          ...w,
          containers: w.containers.map((c) => ({ ...c, image: c.image.replace("/disk-mounter:", "/disk-helper:") })),
        })),
    },
  });
  const empty = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: model-disks }\ndata: {}\n";
  return release(question({ auditor: holding({ "models.yaml": empty }, auditor) }));
}

export const modelRuns = {
  "model disks as demanded": () => asked(edited((text) => text.slice(0, text.indexOf("  demo-unused")))),
  "model disks that are others": others,
  "model disks of which something else is said": lies,
  "model disks under names that do not agree": mounts,
  "a list of model disks that is none": unread,
  "no model disk": none,
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
