/** Which disks a deployment file mounts, read off the file itself, and the rows that are made of their claims. */
import { describe, expect, test } from "vitest";
import { auditDisks, type DisksPlan } from "../../src/chain/disks.ts";
import type { Origin } from "../../src/claims/answer.ts";
import { privatemodeRules } from "../../src/profile/privatemode.ts";
import { decodeDeployment } from "../../src/verifiers/kata/deployment.ts";
import { but, pod, rootHash } from "../verifiers/kata/safety-world.ts";

const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf8"));
const deployment: Origin = { kind: "pinned", file: "deployment.yaml", sha256: "0".repeat(64) };
const profile: Origin = { kind: "pinned", file: "pm.yaml", sha256: "1".repeat(64) };
const workload = "apps/v1/Deployment/continuum-0a1b2c/workload-granite";
const subject = `disk granite-0 of ${workload}`;

const models = (root: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: model-disks }\ndata:\n  demo-granite: |\n    ${JSON.stringify({
    ...{ model_source: "https://models.example/demo/granite", commit_hash: "c".repeat(40), excluded_files: "" },
    ...{ root_hash: root, hash_offset: "8192" },
  })}\n`;
const plan: DisksPlan = {
  form: "models",
  list: { name: "models.yaml", bytes: utf8(models(rootHash)), sha256: "2".repeat(64) },
  held: [{ rootHash, at: "disks.images.0", image: undefined, expect: undefined }],
};
const audit = (yaml: string, more: Partial<DisksPlan> = {}) =>
  auditDisks({
    plan: { ...plan, ...more },
    workloads: decodeDeployment(utf8(yaml)).workloads.filter((w) => w.confidential),
    imageConfigs: new Map(),
    rules: privatemodeRules,
    deployment,
    profile,
    explained: [],
  });
/** Owed claims that did not pass: `subject: id status code`. */
function open(yaml: string, more: Partial<DisksPlan> = {}): string[] {
  return audit(yaml, more).judged.flatMap(({ subject: s, claims }) =>
    claims
      .filter((c) => {
        const owed = s.catalogue[c.id]?.owed;
        return (owed === "always" || (owed === "pinned" && s.pinned.has(c.id))) && c.status !== "pass";
      })
      .map((c) => `${s.name}: ${[c.id.replace("verity.", ""), c.status, c.code].filter(Boolean).join(" ")}`),
  );
}
const lineOf = (text: string): number => 1 + pod.split("\n").findIndex((line) => line.includes(text));
const mount = (code: string, status = "fail"): string[] => [`${subject}: disk.mount ${status} ${code}`];
const args = `args: [granite, "0", ${rootHash}]`;

test("a pod whose names agree", () => {
  expect(open(pod)).toEqual([]);
  const { evidence, rows } = audit(pod);
  expect(evidence[subject]).toMatchObject({
    container: "disk-mounter-granite-0",
    ownCommand: false,
    at: `line ${lineOf("args: [granite")}, /spec/template/spec/initContainers/1/args`,
    devices: [
      {
        path: "/dev/modelweights-granite-0",
        claim: "granite",
        at: `line ${lineOf("claimName: granite")}, /spec/template/spec/volumes/4`,
      },
    ],
    readers: [{ container: "workload-granite-0", paths: ["/mnt/modelweights-granite-0"] }],
  });
  expect(rows).toEqual([
    {
      model: "granite-0",
      workload,
      container: "disk-mounter-granite-0",
      root: rootHash,
      source: "https://models.example/demo/granite",
      commit: "c".repeat(40),
      commitFrom: "audited party",
      // No policy was compared here.
      argument: "not asked",
      mount: "proven",
      known: "proven",
      rebuilt: "not asked",
      files: "not asked",
      commitAgrees: "not asked",
    },
  ]);
});

const script = (...lines: readonly string[]): string =>
  `command: [/bin/sh, -ec, "${lines.join("\\n")}", _]\n          ${args}`;
const kimi = script("echo 2000000 > /proc/sys/vm/min_free_kbytes", 'exec /bin/disk-mounter \\"$@\\"');

describe("a command of the mounter's own", () => {
  test("is read behind the script that the rules know", () => {
    const changed = but(args, kimi);
    expect(open(changed)).toEqual([]);
    expect(audit(changed).evidence[subject]).toMatchObject({ ownCommand: true, disk: { rootHash } });
  });
  const unread = `disk of container disk-mounter-granite-0 of ${workload}`;
  test.each<readonly [string, string]>([
    ["another script", script("veritysetup open /dev/a b", 'exec /bin/disk-mounter \\"$@\\"')],
    ["a script that runs another program", script('exec /bin/mount \\"$@\\"')],
    ["a script that drops the arguments", script("exec /bin/disk-mounter granite 0 other")],
    ["a script without $0", kimi.replace(", _]", "]")],
    ["another program", `command: [/bin/mount]\n          ${args}`],
  ])("%s is not read, and stays a subject", (_, command) => {
    const found = open(but(args, command));
    expect(found).toContain(`${unread}: disk.mount error disk-arguments-unread`);
    expect(found).toContain("model disks: models.asked fail image-unmounted");
  });
});

describe("one name that is another", () => {
  test.each<readonly [string, string, readonly string[]]>([
    [
      "the device",
      but("devicePath: /dev/modelweights-granite-0", "devicePath: /dev/sdb"),
      mount("disk-device-differs"),
    ],
    [
      "the index",
      but(args, args.replace('"0"', '"1"')),
      [`disk granite-1 of ${workload}: disk.mount fail disk-device-differs`],
    ],
    ["the claim", but("claimName: granite", "claimName: basalt"), mount("disk-claim-differs")],
    [
      "the device's volume",
      but("volumeDevices: [{ name: weights", "volumeDevices: [{ name: other"),
      mount("disk-claim-differs"),
    ],
    [
      "the mounter's mount",
      but(
        "{ name: models, mountPath: /mnt, mountPropagation: Bidirectional }",
        "{ name: models, mountPath: /srv, mountPropagation: Bidirectional }",
      ),
      mount("disk-folder-differs"),
    ],
    [
      "a mount that stays inside",
      but("mountPath: /mnt, mountPropagation: Bidirectional", "mountPath: /mnt"),
      mount("disk-folder-differs"),
    ],
    [
      "a folder of the host",
      but("- { name: models, emptyDir: { medium: Memory } }", "- { name: models, hostPath: { path: /x } }"),
      mount("disk-folder-differs"),
    ],
    [
      "the server's path",
      but("[/mnt/modelweights-granite-0, --port", "[/mnt/modelweights-granite-1, --port"),
      mount("disk-unread"),
    ],
    [
      "a path that only begins alike",
      but("[/mnt/modelweights-granite-0, --port", "[/mnt/modelweights-granite-01, --port"),
      mount("disk-unread"),
    ],
    [
      "a path that leads out again",
      but("[/mnt/modelweights-granite-0, --port", "[/mnt/modelweights-granite-0/../x, --port"),
      mount("disk-unread"),
    ],
    [
      "the volume that the server mounts",
      but("{ name: models, mountPath: /mnt, mountPropagation: HostToContainer }", "{ name: run, mountPath: /mnt }"),
      mount("disk-unread"),
    ],
  ])("%s", (_, yaml, wanted) => expect(open(yaml)).toEqual(wanted));
  test("where the server mounts the folder elsewhere, its path counts there", () => {
    const moved = but(
      "{ name: models, mountPath: /mnt, mountPropagation: HostToContainer }",
      "{ name: models, mountPath: /srv, mountPropagation: HostToContainer }",
    );
    expect(open(moved)).toEqual(mount("disk-unread"));
    expect(open(but("[/mnt/modelweights-granite-0, --port", "[/srv/modelweights-granite-0, --port", moved))).toEqual(
      [],
    );
  });
});

describe("the list of disks", () => {
  const list = (text: string): Partial<DisksPlan> => ({ list: { ...plan.list, bytes: utf8(text) } });
  test("of another release knows no root", () => {
    expect(open(pod, list(models("e".repeat(64))))).toEqual([`${subject}: disk.root_known fail UNKNOWN_ROOT`]);
  });
  test("alone is the audited party's word, also where it agrees with a wrong deployment", () => {
    const attacked = pod.replaceAll(rootHash, "e".repeat(64));
    const audited = audit(attacked, { ...list(models("e".repeat(64))), held: [] });
    const known = audited.judged.flatMap((j) => j.claims).find((c) => c.id === "verity.disk.root_known");
    expect([known?.status, known?.code]).toEqual(["consistent", "root-unvouched"]);
    expect(audited.rows[0]).toMatchObject({ known: "audited party's word", rebuilt: "not asked", files: "not asked" });
    // Who knows the right root sees that nothing mounts it.
    expect(open(attacked, list(models("e".repeat(64))))).toContain("model disks: models.asked fail image-unmounted");
  });
  test("is owed though the file has no mounter", () => {
    const none = pod.replaceAll("disk-mounter", "disk-helper");
    expect(open(none)).toEqual([
      "model disks: models.mounted fail no-disk",
      "model disks: models.asked fail image-unmounted",
    ]);
  });
  test("says that nothing was asked where the deployment file could not be read", () => {
    const { judged } = auditDisks({
      plan,
      workloads: undefined,
      imageConfigs: new Map(),
      rules: privatemodeRules,
      deployment,
      profile,
      explained: [],
    });
    expect(judged[0]?.claims.filter((c) => c.status === "error").map((c) => c.id)).toContain("verity.models.mounted");
  });
});

test("two mounters of one root are two subjects, and two that say the same are told apart", () => {
  const start = pod.indexOf("        - name: disk-mounter-granite-0");
  const mounter = pod.slice(start, pod.indexOf("      containers:"));
  const again = (edit: (text: string) => string): string => {
    const second = edit(mounter.replace("name: disk-mounter-granite-0", "name: disk-mounter-second"));
    return pod.replace(mounter, () => mounter + second);
  };
  const others = audit(again((t) => t.replace('[granite, "0"', '[granite, "1"'))).judged.map((j) => j.subject.name);
  expect(others).toEqual(["model disks", subject, `disk granite-1 of ${workload}`]);
  const same = audit(again((t) => t)).judged.map((j) => j.subject.name);
  expect(same).toEqual([
    "model disks",
    `${subject}, container disk-mounter-granite-0`,
    `${subject}, container disk-mounter-second`,
  ]);
});
