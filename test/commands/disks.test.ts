/** `pm verify` with model disks in the profile: what is said of each disk, and what makes no "verified". */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelsYaml, storageClassesYaml } from "../../fixtures/generator/models.ts";
import { privatemodeDisks } from "../../fixtures/generator/privatemode.ts";
import { variants } from "../../fixtures/generator/variants.ts";
import { type Ran, reportOf, runPm } from "../command.ts";
import {
  type DiskQuestion,
  diskNamed,
  edited,
  forgetting,
  graniteImage,
  held,
  holding,
  images,
  longerDisk,
  lyingDisk,
  otherLayout,
  otherWeights,
  question,
  right,
  running,
  withRoot,
} from "./disks-world.ts";
import {
  but,
  changed,
  good,
  owed,
  profileFile,
  record,
  release,
  removeReleaseWorld,
  runAll,
  without,
} from "./release-world.ts";

afterAll(removeReleaseWorld);

interface Case extends DiskQuestion {
  readonly failed?: readonly string[];
  readonly open?: readonly string[];
}
const granite = diskNamed("granite");
const other = "e".repeat(64);
const mounter = "disk-mounter-granite-0";
const unmounted = "verity.models.asked image-unmounted";
const filesAfter = ["verity.disk.data_size", "verity.disk.files"];
const auditor = (d: ReturnType<typeof right>): Pick<Case, "auditor" | "from"> => ({ auditor: d, from: right() });
const volumes = (edit: (text: string) => string) => (w: { readonly volumes?: readonly object[] }) =>
  ({ ...w, volumes: JSON.parse(edit(JSON.stringify(w.volumes))) }) as never;

const cases: Readonly<Record<string, Case>> = {
  "every disk as it should be": {},
  "MATCH: an image without its verity area": auditor(held(graniteImage())),
  "MATCH: an image of the other layout of mkfs.erofs": auditor(held(otherLayout())),
  "MISMATCH: one byte of the weights is another": {
    ...auditor(held(otherWeights())),
    failed: ["verity.disk.rebuilt MISMATCH"],
    open: filesAfter,
  },
  "an image that ends too early": {
    ...auditor(held(graniteImage().slice(0, 4096 * 3))),
    failed: ["verity.disk.rebuilt image-malformed"],
    open: filesAfter,
  },
  "an image that is none": {
    ...auditor(held(new Uint8Array(8192))),
    failed: ["verity.disk.rebuilt image-malformed"],
    open: filesAfter,
  },
  "an empty image": {
    ...auditor(held(new Uint8Array())),
    failed: ["verity.disk.rebuilt image-malformed"],
    open: filesAfter,
  },
  "a disk whose superblock says another salt": {
    ...auditor(held(lyingDisk())),
    failed: ["verity.disk.superblock superblock-differs"],
  },
  "a disk that goes on behind its tree": {
    ...auditor(held(longerDisk())),
    failed: ["verity.disk.superblock disk-size-differs"],
  },
  "a list of files with another object": {
    ...auditor(edited((text) => text.replace(/"blob": "../, '"blob": "00'), "disks/granite.json")),
    failed: ["verity.disk.files files-differ"],
  },
  "a list of files of another commit": {
    ...auditor(edited((text) => text.replace(granite.commit, "d".repeat(40)), "disks/granite.json")),
    failed: ["verity.disk.commit commit-differs"],
  },

  "UNKNOWN_ROOT: a mounter with a root in no entry": {
    auditor: running(mounter, withRoot(other)),
    failed: ["verity.disk.root_known UNKNOWN_ROOT", unmounted],
  },
  "the same, and the profile does not know the right one": {
    auditor: running(mounter, withRoot(other)),
    change: forgetting("granite"),
    failed: ["verity.disk.root_known UNKNOWN_ROOT"],
  },
  "an attack: deployment and published list agree on another root": {
    auditor: holding(
      {
        "models.yaml": Buffer.from(right().files.get("models.yaml") ?? "")
          .toString()
          .replace(granite.root, other),
      },
      running(mounter, withRoot(other)),
    ),
    change: forgetting("granite"),
    open: ["verity.disk.root_known root-unvouched"],
  },
  "the same, and the auditor knows the right one": {
    auditor: holding(
      {
        "models.yaml": Buffer.from(right().files.get("models.yaml") ?? "")
          .toString()
          .replace(granite.root, other),
      },
      running(mounter, withRoot(other)),
    ),
    failed: [unmounted],
    open: ["verity.disk.root_known root-unvouched"],
  },
  "NOT_REBUILT: nobody but the operator knows any root": {
    change: but("disks", { images: null }),
    open: ["verity.disk.root_known root-unvouched"],
  },
  "NOT_REBUILT: the auditor knows the roots and holds no image": {
    change: images((all) => all.map(({ root }) => ({ root }))),
  },
  "a list of files without an image": {
    change: images((all) => all.map(({ root, expect }) => (expect === undefined ? { root } : { root, expect }))),
    open: ["verity.disk.files"],
  },
  "a root in the profile that no mounter has": {
    change: images((all) => [...all, { root: other }]),
    failed: [unmounted],
  },
  "two mounters of one root": {
    auditor: running("disk-mounter-schist-1", withRoot(diskNamed("slate").root)),
    change: forgetting("schist"),
  },

  "a models.yaml of another commit": {
    ...auditor(edited((text) => text.replace(granite.commit, "d".repeat(40)))),
    failed: ["verity.disk.commit commit-differs"],
  },
  "a models.yaml with other excluded files": {
    ...auditor(edited((text) => text.replace('"excluded_files": ""', '"excluded_files": "*.bin"'))),
    failed: ["verity.disk.commit excluded-differ"],
  },
  "a models.yaml with another hash_offset": {
    ...auditor(edited((text) => text.replace(String(granite.hashOffset), "4096"))),
    failed: ["verity.disk.data_size hash-offset-differs"],
  },
  "a models.yaml without a model": {
    ...auditor(
      holding({ "models.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: model-disks }\ndata: {}\n" }),
    ),
    failed: ["verity.models.format models-empty"],
    open: ["verity.disk.commit", "verity.disk.data_size", "verity.disk.root_known"],
  },
  "a models.yaml with a root twice": {
    ...auditor(edited((text) => text.replace(diskNamed("basalt").root, granite.root))),
    failed: ["verity.models.format models-malformed"],
    open: ["verity.disk.commit", "verity.disk.data_size", "verity.disk.root_known"],
  },
  "StorageClasses of an older release": {
    ...auditor(holding({ "classes.yaml": storageClassesYaml(privatemodeDisks(right().random)) })),
    change: but("disks", { models: null, storageClasses: "classes.yaml" }),
  },

  "a mounter's own command, as the rules know it": {
    auditor: running(mounter, (c) => ({
      ...c,
      command: ["/bin/sh", "-ec", 'echo 2000000 > /proc/sys/vm/min_free_kbytes\nexec /bin/disk-mounter "$@"\n', "_"],
    })),
  },
  "a mounter's own command that nobody knows": {
    auditor: running(mounter, (c) => ({ ...c, command: ["/bin/sh", "-ec", "mount /dev/sdb /mnt", "_"] })),
    change: forgetting("granite"),
    open: ["kata.safety.disks disk-unreadable", "verity.disk.mount disk-arguments-unread", "verity.disk.root_known"],
  },
  "a mounter with another device": {
    auditor: running(mounter, (c) => ({
      ...c,
      devices: [{ volume: "modelweights-granite-0", path: "/dev/modelweights-granite-1" }],
    })),
    failed: ["verity.disk.mount disk-device-differs"],
  },
  "a mounter with another claim": {
    auditor: running(
      mounter,
      (c) => c,
      volumes((text) => text.replace('"claimName":"granite"', '"claimName":"basalt"')),
    ),
    failed: ["verity.disk.mount disk-claim-differs"],
  },
  "a mounter that mounts elsewhere": {
    auditor: running(mounter, (c) => ({
      ...c,
      mounts: [{ volume: "model-granite-0", path: "/mnt/other", propagation: "Bidirectional" }],
    })),
    failed: ["verity.disk.mount disk-folder-differs"],
  },
  "a server that reads another folder": {
    auditor: running("workload-granite-0", (c) => ({
      ...c,
      args: (c.args ?? []).map((a) => a.replace("/mnt/modelweights-granite-0", "/mnt/modelweights-granite-9")),
    })),
    failed: ["kata.safety.disks disk-model-elsewhere", "verity.disk.mount disk-unread"],
  },
};

describe("model disks before a deployment", () => {
  let shown: ReadonlyMap<string, Ran> = new Map();
  const names = Object.keys(cases);
  beforeAll(async () => {
    shown = await runAll(
      Object.fromEntries(
        Object.entries(cases).map(([name, { failed: _f, open: _o, ...q }]) => [name, () => release(question(q))]),
      ),
    );
  }, 180_000);
  const of = (name: string) => reportOf(shown.get(name) as Ran);

  test.each(names)("%s", (name) => {
    const { failed = [], open = [] } = cases[name] as Case;
    const ran = shown.get(name);
    expect(ran?.stdout, ran?.stderr).not.toBe("");
    const report = of(name);
    expect(owed(report, "fail")).toEqual([...failed].sort());
    expect(owed(report, "error", "skip", "consistent", "unavailable")).toEqual([...open].sort());
    expect(ran?.status).toBe(failed.length > 0 ? 1 : open.length > 0 ? 3 : 0);
  });

  const row = (name: string, model = "granite-0") => of(name).models?.find((m) => m.model === model);
  test("a row for each mounter, with what its claims say", () => {
    const { models = [] } = of("every disk as it should be");
    expect(models.map((m) => [m.model, m.root])).toEqual(
      models.map((m) => [m.model, diskNamed(m.model.split("-")[0] ?? "").root]),
    );
    expect(models).toHaveLength(privatemodeDisks(right().random).length);
    expect(row("every disk as it should be")).toMatchObject({
      ...{ commit: granite.commit, commitFrom: "list of files", source: granite.source },
      ...{ argument: "proven", mount: "proven", known: "proven", rebuilt: "proven" },
      ...{ files: "proven", commitAgrees: "proven" },
    });
    expect(row("every disk as it should be", "gneiss-0")).toMatchObject({
      ...{ commitFrom: "audited party", known: "proven", rebuilt: "not asked", files: "not asked" },
      commitAgrees: "not asked",
    });
  });
  test("a row says no more than its claims", () => {
    expect(row("MISMATCH: one byte of the weights is another")).toMatchObject({ rebuilt: "no", files: "not asked" });
    expect(row("a list of files with another object")).toMatchObject({ rebuilt: "proven", files: "no" });
    expect(row("a models.yaml of another commit")).toMatchObject({ files: "proven", commitAgrees: "no" });
    expect(row("NOT_REBUILT: nobody but the operator knows any root")).toMatchObject({ known: "audited party's word" });
    expect(row("a mounter with another claim")).toMatchObject({ mount: "no", rebuilt: "proven" });
    const unread = of("a mounter's own command that nobody knows").models?.find((m) => m.container === mounter);
    expect(unread).toMatchObject({ root: null, mount: "open", known: "open", commit: null });
  });
  test("UNUSED: an entry that nothing mounts is a finding that weighs nothing", () => {
    const report = of("every disk as it should be");
    const unused = report.claims.find((c) => c.id === "verity.models.unused");
    expect(unused).toMatchObject({ status: "fail", code: "UNUSED", grade: "neutral", owed: false });
    expect(unused?.reason).toContain("demo-unused-7b-v1, line");
  });
  test("excluded files and code are listed, with whether the workload runs code of a model", () => {
    const claims = of("every disk as it should be").claims.filter((c) => c.subject.startsWith("disk basalt-0"));
    expect(claims.find((c) => c.id === "verity.disk.excluded")?.reason).toBe("original.bin");
    const code = claims.find((c) => c.id === "verity.disk.code");
    expect([code?.grade, code?.reason]).toEqual(["neutral", expect.stringContaining("modeling_basalt.py")]);
  });
  test("says how many roots were recomputed", () => {
    const { notProven } = of("every disk as it should be");
    const all = privatemodeDisks(right().random).length;
    expect(notProven.filter((l) => l.includes("were recomputed"))).toEqual([
      `Model disks: root hashes of 2 of ${all} were recomputed in this run, from images of the auditor.`,
    ]);
  });
});

describe("model disks and a Coordinator's manifest", () => {
  const shape = "privatemode";
  test("a recorded run measures the auditor's images, too", async () => {
    const good = await record({ shape, profile: { disks: true } });
    expect([good.status, owed(reportOf(good), "fail", "error", "skip", "consistent")]).toEqual([0, []]);
    expect(reportOf(good).models?.[0]).toMatchObject({ model: "granite-0", argument: "proven", rebuilt: "proven" });
    expect(reportOf(good).notProven.join()).not.toContain("no root hash was recomputed");
    const bad = reportOf(await record({ from: right(), auditor: held(otherWeights()), profile: { disks: true } }));
    expect(owed(bad, "fail")).toEqual(["verity.disk.rebuilt MISMATCH"]);
    // What the disks hold explains no manifest, and does not stand in its way.
    expect(bad.claims.find((c) => c.id === "contrast.manifest.expected")?.status).toBe("pass");
  });
  test("a policy with another root makes no row that says the argument is in it", async () => {
    const from = changed({ shape, ...variants.diskRoot.options });
    const report = reportOf(await record({ auditor: right(), from, profile: { disks: true } }));
    expect(owed(report, "fail")).toEqual(["kata.container.args args-differ"]);
    expect(report.models?.find((m) => m.model === "granite-0")?.argument).toBe("no");
    expect(report.models?.find((m) => m.model === "basalt-0")?.argument).not.toBe("no");
  });
  test("without disks in the profile nothing of them is in the report", async () => {
    const report = reportOf(await record({ shape }));
    expect([report.models, report.claims.filter((c) => c.id.startsWith("verity."))]).toEqual([undefined, []]);
    expect(report.notProven).toContain("Model disks: no root hash was recomputed in this run.");
  });
});

describe("what is no profile of model disks", () => {
  const refused = async (profile: string): Promise<string> => {
    const ran = await runPm(["verify", profile, "--scope", "release", "--manifest", profile]);
    expect([ran.status, ran.stdout]).toEqual([2, ""]);
    return ran.stderr;
  };
  const said = (disks: object, d = right()) =>
    profileFile(d, { disks: true, change: (p) => ({ ...p, disks: { models: "models.yaml", ...disks } }) });
  test.each<readonly [string, () => string, string]>([
    ["two lists", () => said({ storageClasses: "models.yaml" }), "models or storageClasses"],
    ["no list", () => profileFile(right(), { change: (p) => ({ ...p, disks: {} }) }), "models or storageClasses"],
    ["a list that is not there", () => said({ models: "nowhere.yaml" }), "nowhere.yaml"],
    ["a root twice", () => said({ images: [{ root: other }, { root: other.toUpperCase() }] }), "is named twice"],
    ["a root that is none", () => said({ images: [{ root: "e" }] }), "must be 64 hex digits"],
    ["a misspelt member", () => said({ image: "x" }), "disks"],
    [
      "no deployment file",
      () => profileFile(right(), { disks: true, change: without("deployment", "manifest") }),
      "deployment file",
    ],
    [
      "a service without known mounters",
      () => profileFile(good(), { change: (p) => ({ ...p, disks: { models: "manifest.json" } }) }),
      "no disk mounter is known",
    ],
  ])("%s", async (_, profile, message) => expect(await refused(profile())).toContain(message));
  test.each<readonly [string, object, string]>([
    ["an image that is not there", { image: "nowhere.img" }, "nowhere.img"],
    ["a folder for an image", { image: "disks" }, "is a directory"],
    ["a list of files that is none", { image: "disks/granite.img", expect: "models.yaml" }, "pm disk expect"],
  ])("%s", async (_, image, message) => {
    const profile = said({ images: [{ root: granite.root, ...image }] });
    expect(await refused(profile)).toContain(message);
  });
  test("pm profile check shows the files by their SHA-256, and says when no image is there", async () => {
    const ran = await runPm([
      "profile",
      "check",
      profileFile(right(), { disks: true, change: but("disks", { images: [] }) }),
      "--json",
    ]);
    expect(ran.stdout).toContain('"form": "models"');
    expect(ran.stdout).not.toContain('"bytes"');
    expect(ran.stdout).toContain("disks.images");
  });
  test("models.yaml of the generator is the one that it hands out", () => {
    const { random, files } = right();
    expect(files.get("models.yaml")).toEqual(modelsYaml(random, privatemodeDisks(random)));
  });
});
