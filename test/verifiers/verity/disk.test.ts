/** One model disk: what each claim says of a mounter, the published list, the auditor's image and list, one defect at a time. */
import { describe, expect, test } from "vitest";
import { directory, file, makeErofs } from "../../../fixtures/generator/erofs.ts";
import { finishedDisk, verityRoot, veritySuperblock } from "../../../fixtures/generator/verity.ts";
import type { Origin } from "../../../src/claims/answer.ts";
import { malformed, unsupported } from "../../../src/errors.ts";
import { verifyDisk } from "../../../src/verifiers/verity/disk.ts";
import { differingFields, finishedSizes } from "../../../src/verifiers/verity/disk-superblock.ts";
import type {
  DiskInputs,
  HeldDisk,
  ListedFiles,
  MeasuredImage,
  Mounter,
} from "../../../src/verifiers/verity/disk-types.ts";
import { listErofs } from "../../../src/verifiers/verity/erofs/index.ts";
import type { ExpectedFiles } from "../../../src/verifiers/verity/expect.ts";
import { verifyModelList } from "../../../src/verifiers/verity/model-list.ts";
import { decodeModels } from "../../../src/verifiers/verity/models.ts";

const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf8"));
const content = utf8("build = 1\n");
const data = makeErofs(directory({ "config.json": file("{}\n"), "model.py": file(content) }), { spareBlocks: 4 }).bytes;
const root = verityRoot(data);
const other = "e".repeat(64);
const commit = "c".repeat(40);

const deployment: Origin = { kind: "pinned", file: "deployment.yaml", sha256: "0".repeat(64) };
const profile: Origin = { kind: "pinned", file: "pm.yaml", sha256: "1".repeat(64) };
const expectOrigin: Origin = { kind: "pinned", file: "granite.json", sha256: "2".repeat(64) };
const modelsOrigin: Origin = { kind: "audited-party", name: "models.yaml" };
const rules: Origin = { kind: "profile", name: "rules of privatemode" };

const listText = (more: Readonly<Record<string, unknown>> = {}): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: model-disks }\ndata:\n  demo-granite: |\n    ${JSON.stringify({
    ...{ model_source: "https://models.example/demo/granite", commit_hash: commit, excluded_files: "" },
    ...{ root_hash: root, hash_offset: String(data.length) },
    ...more,
  })}\n`;
const listed = (more: Readonly<Record<string, unknown>> = {}) =>
  decodeModels(utf8(listText(more)), "models.yaml", "models");

const names = {
  device: "/dev/modelweights-granite-0",
  folder: "/mnt/modelweights-granite-0",
  claim: "granite",
};
const where = "line 9, /args";
const device = { path: names.device, volume: "weights", kind: "persistentVolumeClaim", claim: "granite", where };
const reader = { container: "server", server: true, folder: names.folder, names: [names.folder], unknown: [], where };
const mounter: Mounter = {
  workload: "apps/v1/Deployment/x/w",
  container: "disk-mounter-granite-0",
  image: "registry.example/disk-mounter@sha256:aa",
  disk: { model: "granite", index: "0", rootHash: root },
  where,
  overridden: false,
  names,
  devices: [device],
  shares: ["/mnt"],
  readers: [reader],
  remoteCode: [],
};
const digest = {
  "config.json": { sha256: "a".repeat(64), gitSha1: "1".repeat(40) },
  "model.py": { sha256: "b".repeat(64), gitSha1: "2".repeat(40) },
};
const { entries } = listErofs({ name: "x", sizeBytes: data.length, read: (o, n) => data.slice(o, o + n) });
const files: ListedFiles = { entries, digests: new Map(Object.entries(digest)) };
const measured: MeasuredImage = {
  name: "granite.img",
  sizeBytes: finishedDisk(data).length,
  dataBytes: data.length,
  rootHash: root,
  otherRootHash: other,
  superblock: veritySuperblock(data.length / 4096).slice(0, 512),
  files,
};
const expected: ExpectedFiles = {
  commit,
  objectFormat: "sha1",
  excluded: [],
  files: [
    { path: "config.json", mode: "100644", blob: "1".repeat(40), sizeBytes: 3 },
    { path: "model.py", mode: "100644", blob: "2".repeat(40), sizeBytes: content.length },
  ],
  excludedFiles: [],
  submodules: [],
};
const held: HeldDisk = {
  rootHash: root,
  at: "disks.images.0",
  image: measured,
  expect: { files: expected, origin: expectOrigin },
};
const inputs: DiskInputs = { models: listed(), modelsOrigin, deployment, profile, rules, held: [held] };

interface Question {
  readonly mounter?: Partial<Mounter>;
  readonly inputs?: Partial<DiskInputs>;
  readonly held?: Partial<HeldDisk>;
  readonly image?: Partial<MeasuredImage>;
  readonly expect?: Partial<ExpectedFiles>;
}
function ask(q: Question = {}) {
  const image = { ...measured, ...q.image };
  const expect = { files: { ...expected, ...q.expect }, origin: expectOrigin };
  const one: HeldDisk = { ...held, image, expect, ...q.held };
  return verifyDisk({ ...mounter, ...q.mounter }, { ...inputs, held: [one], ...q.inputs });
}
/** Ids without their prefix that are no pass, with status and code, advisory ones left out. */
function open(q: Question): string[] {
  const { answers, pinned } = ask(q);
  return Object.entries(answers)
    .filter(([id]) => !/excluded$|code$/.test(id))
    .filter(([id, a]) => a.status !== "pass" && (a.status !== "skip" || [...pinned].some((p) => p === id)))
    .map(([id, a]) => [id.replace("verity.disk.", ""), a.status, ...(a.code === undefined ? [] : [a.code])].join(" "));
}

test("a disk of which everything is known passes every question, and owes each", () => {
  expect(open({})).toEqual([]);
  const { answers, pinned } = ask();
  expect([...pinned].sort()).toEqual(
    ["commit", "data_size", "files", "rebuilt", "superblock"].map((id) => `verity.disk.${id}`),
  );
  expect(answers["verity.disk.rebuilt"].expected).toEqual({ value: root, origin: deployment, at: where });
  expect(answers["verity.disk.rebuilt"].actual).toEqual({
    value: root,
    origin: { kind: "recomputed", name: "from granite.img" },
  });
});

describe("a pod that does not speak of one disk", () => {
  const mount = (code: string): string[] => [`mount fail ${code}`];
  test.each<readonly [string, Partial<Mounter>, readonly string[]]>([
    ["another device", { devices: [{ ...device, path: "/dev/modelweights-granite-1" }] }, mount("disk-device-differs")],
    ["no device", { devices: [] }, mount("disk-device-differs")],
    ["two devices", { devices: [device, { ...device, path: "/dev/b" }] }, mount("disk-device-differs")],
    ["another claim", { devices: [{ ...device, claim: "basalt" }] }, mount("disk-claim-differs")],
    ["no claim by name", { devices: [{ ...device, claim: undefined }] }, mount("disk-claim-differs")],
    ["a volume that is no claim", { devices: [{ ...device, kind: "ephemeral" }] }, mount("disk-claim-differs")],
    ["no folder that leaves the mounter", { shares: [] }, mount("disk-folder-differs")],
    ["nobody who reads it", { readers: [] }, mount("disk-unread")],
    ["a reader that is no server", { readers: [{ ...reader, server: false }] }, mount("disk-unread")],
    ["a server that reads elsewhere", { readers: [{ ...reader, names: [] }] }, mount("disk-unread")],
    [
      "a server whose arguments are not in the file",
      { readers: [{ ...reader, names: [], unknown: ["MODEL"] }] },
      ["mount error disk-unread"],
    ],
  ])("%s", (_, change, wanted) => expect(open({ mounter: change })).toEqual(wanted));
  test.each<readonly [string, Mounter["disk"], string]>([
    ["arguments that are others", { reason: '["a"]' }, "mount fail disk-arguments-wrong"],
    ["a script that nobody knows", { reason: "a command", open: true }, "mount error disk-arguments-unread"],
  ])("%s", (_, disk, wanted) => {
    expect(open({ mounter: { disk, names: undefined } })).toEqual([wanted, "root_known error"]);
  });
});

describe("the root hash", () => {
  test("in no entry is unknown, whatever the auditor holds", () => {
    const models = listed({ root_hash: other });
    expect(open({ inputs: { models } })).toEqual(["root_known fail UNKNOWN_ROOT", "data_size skip", "commit skip"]);
  });
  test("that only the published list knows is its word", () => {
    const { answers } = ask({ inputs: { held: [] } });
    expect(open({ inputs: { held: [] } })).toEqual(["root_known consistent root-unvouched"]);
    expect(answers["verity.disk.root_known"].expected?.origin).toEqual(modelsOrigin);
    expect(answers["verity.disk.rebuilt"]).toMatchObject({ status: "skip", code: "NOT_REBUILT" });
  });
  test("that deployment and list both have wrong passes nothing", () => {
    const both = {
      mounter: { disk: { model: "granite", index: "0", rootHash: other } },
      inputs: { models: listed({ root_hash: other }) },
    };
    const { answers, pinned } = ask(both);
    expect(answers["verity.disk.root_known"].status).toBe("consistent");
    expect(pinned.size).toBe(0);
    for (const id of ["rebuilt", "files", "commit", "data_size", "superblock"] as const)
      expect(answers[`verity.disk.${id}`].status, id).toBe("skip");
  });
  test("that the profile names without an image is known, and not rebuilt", () => {
    const q = { held: { image: undefined, expect: undefined } };
    expect(open(q)).toEqual([]);
    expect(ask(q).answers["verity.disk.root_known"].expected?.origin).toEqual(profile);
    expect(ask(q).pinned.size).toBe(0);
  });
  test("is open where the list could not be read", () => {
    expect(open({ inputs: { models: undefined } })).toEqual(["root_known error", "data_size skip", "commit skip"]);
  });
});

describe("the auditor's image", () => {
  const files = "files skip";
  test("with another root is another disk, and its files say nothing", () => {
    expect(open({ image: { rootHash: "d".repeat(64) } })).toEqual(["rebuilt fail MISMATCH", "data_size skip", files]);
  });
  test("with the root under the other layout of mkfs.erofs is the disk", () => {
    const q = { image: { rootHash: "d".repeat(64), otherRootHash: root } };
    expect(open(q)).toEqual([]);
    expect(ask(q).answers["verity.disk.rebuilt"].actual?.at).toContain("other layout");
  });
  test("without another layout has one root", () => {
    expect(open({ image: { rootHash: "d".repeat(64), otherRootHash: undefined } })).toContain("rebuilt fail MISMATCH");
  });
  test("that is damaged, or of a form that is not read", () => {
    const image = (problem: ReturnType<typeof malformed>) => ({ held: { image: { name: "granite.img", problem } } });
    const rest = ["data_size skip", files];
    expect(open(image(malformed("no magic", "erofs-superblock")))).toEqual(["rebuilt fail image-malformed", ...rest]);
    expect(open(image(unsupported("48BIT")))).toEqual(["rebuilt error image-unsupported", ...rest]);
  });
  test("of another size than the list says", () => {
    expect(open({ inputs: { models: listed({ hash_offset: "4096000" }) } })).toEqual([
      "data_size fail hash-offset-differs",
    ]);
  });
  test("in the older form of the list owes no size", () => {
    const models = { ...listed(), form: "storage-classes" as const };
    expect(ask({ inputs: { models } }).pinned.has("verity.disk.data_size")).toBe(false);
  });
  test("that ends with its data owes no superblock", () => {
    const q = { image: { sizeBytes: data.length, superblock: undefined } };
    expect(open(q)).toEqual([]);
    expect(ask(q).pinned.has("verity.disk.superblock")).toBe(false);
  });
  test.each([
    [0, "signature"],
    [8, "version"],
    [12, "hash type"],
    [16, "UUID"],
    [32, "algorithm"],
    [38, "algorithm"],
    [64, "data block size"],
    [68, "hash block size"],
    [72, "data blocks"],
    [79, "data blocks"],
    [80, "salt"],
    [82, "reserved byte 82"],
    [88, "salt"],
    [343, "reserved byte 343"],
    [344, "reserved byte 344"],
    [511, "reserved byte 511"],
  ])("with byte %i of its superblock flipped", (at, name) => {
    const superblock = Uint8Array.from(measured.superblock ?? [], (byte, i) => (i === at ? byte ^ 1 : byte));
    expect(open({ image: { superblock } })).toEqual(["superblock fail superblock-differs"]);
    const [differing = "", ...more] = differingFields(superblock, data.length / 4096);
    expect(differing).toContain(name);
    expect(more).toEqual([]);
  });
  test.each([
    ["one block longer", measured.sizeBytes + 4096],
    ["one byte longer", measured.sizeBytes + 1],
    ["one block shorter", measured.sizeBytes - 4096],
  ])("%s than its tree", (_, sizeBytes) => {
    expect(open({ image: { sizeBytes } })).toEqual(["superblock fail disk-size-differs"]);
  });
  test("cut in its superblock", () => {
    const image = { sizeBytes: data.length + 100, superblock: undefined };
    expect(open({ image })).toEqual(["superblock fail superblock-differs"]);
  });
  test("sizes of finished disks are those of the recorded ones", () => {
    // The largest recorded disk of the note: 145313731 data blocks.
    expect(finishedSizes(595_205_042_176 / 4096)).toEqual([599_891_709_952]);
    expect(finishedSizes(1)).toEqual([8192, 4608]);
    expect(finishedSizes(2)).toEqual([4 * 4096]);
    expect(finishedSizes(128)).toEqual([130 * 4096]);
    expect(finishedSizes(129)).toEqual([(129 + 1 + 3) * 4096]);
  });
});

describe("the files of the disk", () => {
  test.each<readonly [string, Partial<ExpectedFiles>]>([
    ["one with other bytes", { files: expected.files.map((f) => ({ ...f, blob: "3".repeat(40) })) }],
    ["one less than on the disk", { files: expected.files.slice(0, 1) }],
    [
      "one more than on the disk",
      { files: [...expected.files, { path: "x", mode: "100644", blob: commit, sizeBytes: 1 }] },
    ],
  ])("%s", (_, change) => expect(open({ expect: change })).toEqual(["files fail files-differ"]));
  test("of a repository with ids that pm does not compute stay open", () => {
    expect(open({ expect: { objectFormat: "sha256" } })).toEqual(["files error"]);
  });
  test("that could not be read stay open", () => {
    expect(open({ image: { files: malformed("a loop") } })).toEqual(["files error"]);
    expect(open({ image: { files: undefined } })).toEqual(["files error"]);
  });
  test("without an image stay open", () => {
    expect(open({ held: { image: undefined } })).toEqual(["files skip"]);
  });
});

describe("the commit", () => {
  test("that the list names is another", () => {
    expect(open({ inputs: { models: listed({ commit_hash: "d".repeat(40) }) } })).toEqual([
      "commit fail commit-differs",
    ]);
  });
  test("with other excluded files", () => {
    expect(open({ inputs: { models: listed({ excluded_files: "*.bin" }) } })).toEqual(["commit fail excluded-differ"]);
    expect(open({ expect: { excluded: ["*.bin"] } })).toEqual(["commit fail excluded-differ"]);
  });
  test("with the same excluded files, however they are separated", () => {
    const q = { inputs: { models: listed({ excluded_files: "*.bin, a" }) }, expect: { excluded: ["*.bin", "a"] } };
    expect(open(q)).toEqual([]);
    expect(ask(q).answers["verity.disk.excluded"]).toMatchObject({
      status: "fail",
      code: "files-excluded",
      grade: "neutral",
    });
  });
});

test("code on the disk weighs more where the workload runs code of a model", () => {
  const code = (remoteCode: readonly string[]) => ask({ mounter: { remoteCode } }).answers["verity.disk.code"];
  expect(code([])).toMatchObject({ status: "fail", code: "code-on-disk", grade: "neutral" });
  expect(code(["server"])).toMatchObject({ status: "fail", code: "code-on-disk", grade: "weaker" });
  expect(code(["server"]).reason).toContain("server; model.py");
});

describe("the list as a whole", () => {
  const list = (text: string, roots: readonly string[] | undefined = [root], over: readonly HeldDisk[] = [held]) =>
    verifyModelList({
      bytes: utf8(text),
      name: "models.yaml",
      form: "models",
      origin: modelsOrigin,
      deployment,
      profile,
      mounted: roots && { roots, mounters: roots.length },
      held: over,
    }).answers;
  const said = (answers: ReturnType<typeof list>): string[] =>
    Object.entries(answers)
      .filter(([, a]) => a.status !== "pass")
      .map(([id, a]) => [id.replace("verity.models.", ""), a.status, a.code, a.grade].filter(Boolean).join(" "));
  const two = `${listText()}  demo-b: |\n    ${listText({ root_hash: other, model_source: "https://h/demo/b" }).split("|\n")[1]?.trim()}\n`;

  test("passes", () => expect(said(list(listText()))).toEqual([]));
  test("that is none fails its form and opens the rest", () => {
    expect(said(list("{"))).toEqual(["format fail models-malformed", "unused error", "names error", "members error"]);
  });
  test("that is empty fails its form", () => {
    const empty = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: model-disks }\ndata: {}\n";
    expect(said(list(empty))[0]).toBe("format fail models-empty");
  });
  test("with an entry that nothing mounts says so, and no more", () => {
    expect(said(list(two))).toEqual(["unused fail UNUSED neutral"]);
  });
  test("beside a deployment without disks", () => {
    expect(said(list(listText(), [], []))).toEqual([
      "mounted fail no-disk",
      "asked skip",
      "unused fail UNUSED neutral",
    ]);
    expect(said(list(listText(), []))).toContain("asked fail image-unmounted");
  });
  test("beside a deployment file that could not be read", () => {
    const answers = verifyModelList({
      ...{ bytes: utf8(listText()), name: "models.yaml", form: "models", origin: modelsOrigin, deployment, profile },
      mounted: undefined,
      held: [held],
    }).answers;
    expect(said(answers)).toEqual(["mounted error", "asked error", "unused error"]);
  });
  test("with a root hash in the profile that no mounter has", () => {
    const lost = { ...held, rootHash: other, at: "disks.images.1" };
    expect(said(list(listText(), [root], [held, lost]))).toEqual(["asked fail image-unmounted"]);
  });
  test("with names that their sources do not make", () => {
    expect(said(list(listText().replace("demo-granite:", "granite:")))).toEqual(["names fail entry-name neutral"]);
    const clash = two.replace("https://h/demo/b", "https://h/demo.granite");
    expect(said(list(clash, [root, other]))).toEqual(["names fail entry-collision neutral"]);
  });
  test("with a member that nobody knows", () => {
    expect(said(list(listText({ signature: "x" })))).toEqual(["members fail member-unknown unknown"]);
  });
});
