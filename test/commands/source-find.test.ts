/** `pm source find` as a user runs it, on repositories made here: what is found, what is near, what cannot be said. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  images,
  makePolicyWorld,
  type PolicyDataValue,
  type PolicyWorldChange,
  rootHash,
} from "../../fixtures/generator/policy-world.ts";
import { sharedDeployment, variantDeployment } from "../../fixtures/generator/shared.ts";
import type { SourceFound } from "../../src/report/source-found.ts";
import { type Ran, runPm } from "../command.ts";
import { firstTime, GitWorld, hasGit } from "../git-world.ts";
import { policyFolder } from "../policies.ts";

const base = sharedDeployment().manifestValue;
const deployment = Buffer.from(makePolicyWorld(base).deployment).toString("utf8");
const off = (text: string): string => text.replace(/[0-9a-f]$/, (d) => (d === "0" ? "1" : "0"));
/** The deployment file with one edit, which must have found its place. */
function edited(from: string | RegExp, to: string): string {
  const text = deployment.replace(from, to);
  if (text === deployment) throw new Error(`not in the deployment file: ${from}`);
  return text;
}
const otherImage = edited(images.inference, off(images.inference));
const otherRoot = edited(rootHash, off(rootHash));

interface Attested {
  readonly manifest: string;
  readonly policies: string;
}
function attested(change: PolicyWorldChange = {}, keep?: (name: string) => boolean): Attested {
  const root = mkdtempSync(join(tmpdir(), "pm-source-"));
  const world = makePolicyWorld(base, change);
  const manifest = join(root, "manifest.json");
  writeFileSync(manifest, world.manifest);
  return { manifest, policies: policyFolder(world, root, keep) };
}
const usual = attested();

interface Asked {
  readonly args?: readonly string[];
  readonly attested?: Attested;
  readonly env?: Record<string, string>;
}
const find = (repo: string, { args = [], attested: side = usual, env = {} }: Asked = {}): Promise<Ran> =>
  runPm(
    ["source", "find", "--repo", repo, "--manifest", side.manifest, "--policies", side.policies, "--json", ...args],
    { env },
  );
type Document = SourceFound & {
  readonly schemaVersion: 1;
  readonly line: string;
  readonly counts: { readonly matches: number };
};
function documentOf({ status, stdout, stderr }: Ran): Document {
  const document = JSON.parse(stdout) as Document;
  if (!("outcome" in document)) throw new Error(`no document: ${status} ${stdout} ${stderr}`);
  return document;
}
const errorOf = (ran: Ran): string => (JSON.parse(ran.stdout) as { error: { message: string } }).error.message;
const brief = (ran: Ran) => {
  const { outcome, matches, nearest, unreadable } = documentOf(ran);
  return {
    status: ran.status,
    outcome,
    matches: matches.map((m) => m.tag),
    nearest: nearest?.tag ?? null,
    unreadable: unreadable.map((u) => `${u.tag} ${u.code}`),
  };
};
/** Leaves a file where it ran. */
function trap(): { readonly script: string; readonly sprung: () => boolean } {
  const folder = mkdtempSync(join(tmpdir(), "pm-trap-"));
  const script = join(folder, "git");
  writeFileSync(script, `#!/bin/sh\n: > '${folder}/sprung'\nexit 0\n`);
  chmodSync(script, 0o755);
  return { script, sprung: () => existsSync(join(folder, "sprung")) };
}

describe.skipIf(!hasGit)("a tag whose file holds what was attested", () => {
  test("is found with its commit, and says what is equal and what was not compared", async () => {
    const world = new GitWorld();
    world.tag("v1", otherImage);
    const commit = world.tag("v2", deployment);
    world.tag("v3", otherRoot);
    const ran = await find(world.folder);
    const found = documentOf(ran);
    expect(brief(ran)).toEqual({ status: 0, outcome: "found", matches: ["v2"], nearest: null, unreadable: [] });
    expect(found.matches[0]).toEqual({
      tag: "v2",
      ref: "refs/tags/v2",
      commit,
      tagObjects: [],
      committedAt: new Date((firstTime + 86_400) * 1000).toISOString().replace(".000", ""),
    });
    expect(found.line).toBe(`found v2 (commit ${commit}): 3 workloads, 4 images, 1 disk root equal`);
    expect(found.counts).toEqual({ tags: 3, compared: 3, unreadable: 0, beyondLimit: 0, matches: 1 });
    expect(found.notCompared.join("\n")).toMatch(/pin the commit id/);
    expect(found.attested.injected.map((i) => `${i.workload} ${i.container}`)).toEqual([
      "apps/v1/StatefulSet/demo/secret-service contrast-initializer",
      "apps/v1/Deployment/demo/workload-granite contrast-initializer",
    ]);
    expect(`${ran.stdout}${ran.stderr}`).not.toMatch(/verified/);
    expect((await find(world.folder)).stdout).toBe(ran.stdout);
  });
  test("is found behind annotated tags, which are named", async () => {
    const world = new GitWorld();
    const commit = world.commit({ "deployment.yaml": deployment });
    const inner = world.annotate("inner", commit);
    const outer = world.annotate("v1", inner, "tag");
    world.ref("refs/tags/v1", outer);
    expect(documentOf(await find(world.folder)).matches).toMatchObject([
      { tag: "v1", commit, tagObjects: [outer, inner] },
    ]);
  });
  test("is found in a bare repository, packed, and in a linked working tree", async () => {
    const world = new GitWorld({ bare: true });
    const commit = world.tag("v1", deployment);
    world.ref("refs/heads/main", commit);
    world.git(["gc", "-q"]);
    expect(brief(await find(world.folder))).toMatchObject({ status: 0, matches: ["v1"] });
    const linked = join(world.folder, "..", "linked");
    world.git(["worktree", "add", "-q", linked, "main"]);
    expect(brief(await find(linked))).toMatchObject({ status: 0, matches: ["v1"] });
  });
  test("is found in a repository whose ids are SHA-256", async () => {
    const world = new GitWorld({ format: "sha256" });
    const commit = world.tag("v1", deployment);
    const found = documentOf(await find(world.folder));
    expect([found.objectFormat, found.matches[0]?.commit, commit.length]).toEqual(["sha256", commit, 64]);
    expect(found.notCompared.join()).not.toMatch(/SHA-1/);
  });
  test("is found among several, newest first, and in a folder of the repository", async () => {
    const world = new GitWorld();
    for (const name of ["v1", "v2"])
      world.ref(
        `refs/tags/${name}`,
        world.commit({ k8s: { mode: "40000", id: world.tree({ "app one.yaml": deployment }) } }),
      );
    const ran = await find(world.folder, { args: ["--path", "k8s/app one.yaml"] });
    expect(brief(ran)).toMatchObject({ status: 0, matches: ["v2", "v1"] });
    expect(documentOf(ran).line).toMatch(/^found v2 \(commit [0-9a-f]{40}\) and 1 more: /);
  });
  test("is found when its workloads stand in two files", async () => {
    const world = new GitWorld();
    const [first = "", second = "", ...others] = deployment.split("\n---\n");
    world.ref("refs/tags/v1", world.commit({ "a.yml": `${first}\n---\n${second}`, "b.yml": others.join("\n---\n") }));
    const both = ["--path", "a.yml", "--path", "b.yml"];
    expect(brief(await find(world.folder, { args: both }))).toMatchObject({ status: 0, matches: ["v1"] });
    expect(brief(await find(world.folder, { args: both.slice(2) }))).toMatchObject({ status: 1, nearest: "v1" });
    expect(brief(await find(world.folder, { args: [...both, "--path", "b.yml"] }))).toMatchObject({ status: 1 });
  });
  test("is found although other tags cannot be read, which are listed", async () => {
    const world = new GitWorld();
    world.tag("v1", deployment);
    world.tag("v2", "kind: [");
    expect(brief(await find(world.folder))).toEqual({
      status: 0,
      outcome: "found",
      matches: ["v1"],
      nearest: null,
      unreadable: ["v2 file-malformed"],
    });
  });
  test("is found for a deployment of Privatemode's shape: ten workloads and nine disks", async () => {
    const { files, deploymentYaml } = variantDeployment({ shape: "privatemode" });
    const folder = mkdtempSync(join(tmpdir(), "pm-source-"));
    mkdirSync(join(folder, "policies"));
    for (const [name, bytes] of files)
      if (name === "manifest.json" || name.startsWith("policies/")) writeFileSync(join(folder, name), bytes);
    const world = new GitWorld();
    world.tag("v1", deploymentYaml);
    const side = { manifest: join(folder, "manifest.json"), policies: join(folder, "policies") };
    const ran = await find(world.folder, { attested: side });
    expect([ran.status, documentOf(ran).line]).toEqual([
      0,
      expect.stringMatching(/^found v1 \(commit [0-9a-f]{40}\): 10 workloads, \d+ images, 9 disk roots equal$/),
    ]);
  });
  test("reads for people with the answer on the last line", async () => {
    const world = new GitWorld();
    const commit = world.tag("v1", deployment);
    const { manifest, policies } = usual;
    const { stdout } = await runPm([
      "source",
      "find",
      "--repo",
      world.folder,
      "--manifest",
      manifest,
      "--policies",
      policies,
    ]);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(
      `found v1 (commit ${commit}): 3 workloads, 4 images, 1 disk root equal`,
    );
    expect(stdout).toMatch(/ref +refs\/tags\/v1\n +commit +[0-9a-f]{40} \(sha1\)/);
  });
});

describe.skipIf(!hasGit)("no tag whose file holds what was attested", () => {
  test.each([
    ["an image digest that differs by one digit", otherImage, "image", "inference"],
    ["a disk root that differs by one digit", otherRoot, "disk", "disk-mounter-granite-0"],
    ["a disk of another index", edited('granite, "0"', 'granite, "1"'), "disk", "disk-mounter-granite-0"],
    ["an image by its tag", edited(/(inference:v1)@sha256:\w+/, "$1"), "image", "inference"],
    ["a container of another name", edited("- name: inference", "- name: other"), "image", "other"],
    ["a workload of another name", edited("name: workload-granite", "name: w"), "workload", null],
    ["a workload outside", edited("contrast-cc-metal-qemu-snp-gpu", "kata"), "workload", null],
  ] as const)("%s", async (_name, file, field, container) => {
    const world = new GitWorld();
    world.tag("v1", file);
    const ran = await find(world.folder);
    expect(brief(ran)).toEqual({ status: 1, outcome: "none", matches: [], nearest: "v1", unreadable: [] });
    const [difference] = documentOf(ran).nearest?.differences ?? [];
    expect([difference?.field, difference?.container]).toEqual([field, container]);
  });
  test("names the nearest, both values in full, and of equals the youngest", async () => {
    const world = new GitWorld();
    world.tag("far", otherImage.replace(rootHash, off(rootHash)));
    world.tag("near-a", otherImage);
    const commit = world.tag("near-b", otherRoot);
    world.tag("empty", "");
    const ran = await find(world.folder);
    const found = documentOf(ran);
    expect([ran.status, found.line]).toEqual([
      1,
      `none of 4 tags matches; nearest near-b (commit ${commit}): 1 difference`,
    ]);
    expect(found.nearest?.differences).toEqual([
      {
        workload: "apps/v1/Deployment/demo/workload-granite",
        container: "disk-mounter-granite-0",
        field: "disk",
        source: JSON.stringify(["granite", "0", off(rootHash)]),
        attested: JSON.stringify(["granite", "0", rootHash]),
      },
    ]);
  });
  test("is said although tags lack the file, or name no commit: those are listed", async () => {
    const world = new GitWorld();
    world.tag("v1", otherImage);
    world.ref("refs/tags/early", world.commit({ "README.md": "nothing" }));
    world.ref("refs/tags/key", world.blob("a key"));
    expect(brief(await find(world.folder))).toMatchObject({
      status: 1,
      outcome: "none",
      unreadable: ["early file-absent", "key not-a-commit"],
    });
  });
});

describe.skipIf(!hasGit)("what keeps a tag from being read, so that no match cannot be said", () => {
  const absent = "1".repeat(40);
  test.each<[string, string, (world: GitWorld) => void]>([
    ["YAML that breaks its form", "file-malformed", (w) => void w.tag("v1", "kind: [")],
    [
      "a disk mounter without a root",
      "file-malformed",
      (w) => void w.tag("v1", edited(/args: \[granite, "0", .*\]/, "args: [granite]")),
    ],
    ["a file above the limit", "object-size", (w) => void w.tag("v1", Buffer.alloc(9 * 1024 * 1024, "#\n"))],
    [
      "a symbolic link",
      "file-kind",
      (w) =>
        w.ref(
          "refs/tags/v1",
          w.commit({ "deployment.yaml": { mode: "120000", content: "real.yaml" }, "real.yaml": deployment }),
        ),
    ],
    [
      "a folder of that name",
      "file-kind",
      (w) => w.ref("refs/tags/v1", w.commit({ "deployment.yaml": { mode: "40000", id: w.tree({ a: "" }) } })),
    ],
    [
      "a submodule of that name",
      "file-kind",
      (w) => w.ref("refs/tags/v1", w.commit({ "deployment.yaml": { mode: "160000", id: absent } })),
    ],
    [
      "a file that is not in the repository",
      "object-missing",
      (w) => w.ref("refs/tags/v1", w.commit({ "deployment.yaml": { id: absent } })),
    ],
    ["a commit that is not in the repository", "object-missing", (w) => w.file("refs/tags/v1", `${absent}\n`)],
    ["a ref that is none", "ref-broken", (w) => w.file("refs/tags/v1", "nothing\n")],
    [
      "an object under another id",
      "object-damaged",
      (w) => {
        const id = w.blob(otherImage);
        w.ref("refs/tags/v1", w.commit({ "deployment.yaml": { id } }));
        rmSync(join(w.gitDir, w.loosePath(id)));
        w.forge(id, "blob", Buffer.from(deployment));
      },
    ],
    [
      "a commit under another id",
      "object-damaged",
      (w) => {
        const real = w.git(["cat-file", "commit", w.commit({ "deployment.yaml": deployment })]);
        w.forge(absent, "commit", Buffer.from(`${real}\n`));
        w.file("refs/tags/v1", `${absent}\n`);
      },
    ],
    [
      "an object cut short",
      "object-damaged",
      (w) => {
        const commit = w.tag("v1", deployment);
        const id = w.git(["rev-parse", `${commit}:deployment.yaml`]);
        const path = join(w.gitDir, w.loosePath(id));
        chmodSync(path, 0o644);
        spawnSync("truncate", ["-s", "200", path]);
      },
    ],
    [
      "a name that stands twice in its folder",
      "tree-ambiguous",
      (w) => {
        const entry = (content: string): Buffer =>
          Buffer.concat([Buffer.from("100644 deployment.yaml\0"), Buffer.from(w.blob(content), "hex")]);
        const tree = w.git(
          ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
          Buffer.concat([entry(otherImage), entry(deployment)]),
        );
        w.ref("refs/tags/v1", w.commit(tree));
      },
    ],
  ])("%s is %s", async (_name, code, make) => {
    const world = new GitWorld();
    world.tag("v0", otherRoot);
    make(world);
    const ran = await find(world.folder);
    expect(brief(ran)).toEqual({
      status: 3,
      outcome: "unknown",
      matches: [],
      nearest: "v0",
      unreadable: [`v1 ${code}`],
    });
    expect(documentOf(ran).line).toMatch(/^unknown: no match, and 1 tag could not be read; nearest v0 /);
  });
  test("tags older than the limit", async () => {
    const world = new GitWorld();
    world.tag("v1", deployment);
    world.tag("v2", otherImage);
    const ran = await find(world.folder, { args: ["--limit", "1"] });
    expect(brief(ran)).toMatchObject({ status: 3, outcome: "unknown", nearest: "v2" });
    expect(documentOf(ran).counts.beyondLimit).toBe(1);
    expect(documentOf(ran).line).toMatch(/1 older tag not looked at/);
  });
  test("no tag with the file at all", async () => {
    const world = new GitWorld();
    world.tag("v1", deployment);
    const ran = await find(world.folder, { args: ["--path", "other.yaml"] });
    expect(brief(ran)).toMatchObject({ status: 3, outcome: "unknown", unreadable: ["v1 file-absent"] });
  });
});

describe.skipIf(!hasGit)("an attested side that is not whole is never said to match", () => {
  const world = hasGit ? new GitWorld() : undefined;
  world?.tag("v1", deployment);
  const granite = (edit: (value: PolicyDataValue) => void): PolicyWorldChange => ({
    data: (name, value) => {
      if (name === "workload-granite") edit(value);
    },
  });
  test.each<[string, Attested, RegExp]>([
    ["a key without a body", attested({}, (name) => name !== "coordinator.toml"), /no body with this digest/],
    ["a manifest without policies", attested({ entries: () => ({}) }), /lists no policy/],
    [
      "data that the rules replace",
      attested({ rules: (_name, rules) => `${rules}policy_data := {}\n` }),
      /may not go by policy_data/,
    ],
    [
      "rules that let everything in",
      attested({ rules: (_name, rules) => `${rules}default CreateContainerRequest := true\n` }),
      /may not go by policy_data/,
    ],
    ["a policy without data", attested({ policy: () => "package agent_policy\n" }), /begins with policy_data/],
    [
      "a container without an image",
      attested(
        granite((value) => {
          const last = value.containers.at(-1);
          if (last === undefined) return;
          delete last.image;
          delete last.OCI.Annotations["io.kubernetes.cri.image-name"];
          last.storages = [];
        }),
      ),
      /no image by digest/,
    ],
    [
      "a container that names two images",
      attested(
        granite((value) => {
          const last = value.containers.at(-1);
          if (last !== undefined) last.image = images.coordinator;
        }),
      ),
      /several images/,
    ],
    [
      "a disk mounter without a root",
      attested(
        granite((value) => {
          for (const c of value.containers)
            if (c.OCI.Process.Args.includes(rootHash)) c.OCI.Process.Args = ["/bin/disk-mounter", "granite"];
        }),
      ),
      /do not end in model, index and root hash/,
    ],
  ])("%s", async (_name, side, problem) => {
    const ran = await find(world?.folder ?? "", { attested: side });
    expect(brief(ran)).toMatchObject({ status: 3, outcome: "unknown", matches: [], nearest: null });
    expect(documentOf(ran).attested.problems.join("\n")).toMatch(problem);
    expect(documentOf(ran).line).toMatch(/^unknown: \d problems? with the attested policies$/);
  });
  test("a manifest that is none", async () => {
    const manifest = join(mkdtempSync(join(tmpdir(), "pm-source-")), "manifest.json");
    writeFileSync(manifest, "{");
    expect(brief(await find(world?.folder ?? "", { attested: { ...usual, manifest } }))).toMatchObject({ status: 3 });
  });
  test("a body that the manifest does not list is never compared, and is listed", async () => {
    const side = attested({ entries: (all) => Object.fromEntries(Object.entries(all).slice(1)) });
    const ran = await find(world?.folder ?? "", { attested: side });
    expect(brief(ran)).toMatchObject({ status: 1, nearest: "v1" });
    expect(documentOf(ran).attested.notAttested).toHaveLength(1);
  });
  test("a further container of the policy is a difference", async () => {
    const side = attested(
      granite((value) => {
        const extra = structuredClone(value.containers.at(-1));
        if (extra === undefined) return;
        extra.OCI.Annotations["io.kubernetes.cri.container-name"] = "debug";
        value.containers.push(extra);
      }),
    );
    const ran = await find(world?.folder ?? "", { attested: side });
    expect(brief(ran)).toMatchObject({ status: 1 });
    expect(documentOf(ran).nearest?.differences).toMatchObject([{ container: "debug", field: "image", source: null }]);
  });
});

describe.skipIf(!hasGit)("what to look at", () => {
  const world = hasGit ? new GitWorld() : undefined;
  const folder = world?.folder ?? "";
  const commit = world?.tag("v1.0", deployment) ?? "";
  world?.tag("v2.0", otherImage);
  world?.ref("refs/heads/main", commit);
  world?.ref("refs/heads/v2.0", commit);
  test.each<[string, string[], number, string[]]>([
    ["tags that fit a pattern", ["--tags", "v1*"], 0, ["v1.0"]],
    ["a dot is a dot", ["--tags", "v?.0"], 0, ["v1.0"]],
    ["tags that fit and do not match", ["--tags", "v2.?"], 1, []],
    ["a branch", ["--ref", "main"], 0, ["main"]],
    ["a tag in full", ["--ref", "refs/tags/v2.0"], 1, []],
    ["a commit's id", ["--ref", commit], 0, [commit]],
    ["a commit that is not there", ["--ref", "2".repeat(40)], 3, []],
  ])("%s", async (_name, args, status, matches) => {
    expect(brief(await find(folder, { args }))).toMatchObject({ status, matches });
  });
  test.each<[string, string[], RegExp]>([
    ["a pattern that fits no tag", ["--tags", "v1"], /no tag fits v1/],
    ["a name of two refs", ["--ref", "v2.0"], /names refs\/heads\/v2.0 and refs\/tags\/v2.0/],
    ["a ref that there is not", ["--ref", "--all"], /no such tag/],
    ["part of an id", ["--ref", commit.slice(0, 12)], /no such tag/],
    ["a path that leads out", ["--path", "../deployment.yaml"], /not a path/],
    ["a path from the root", ["--path", "/deployment.yaml"], /not a path/],
    ["tags and refs together", ["--tags", "v*", "--ref", "main"], /--ref/],
    ["no tags at all", ["--limit", "0"], /limit/],
  ])("%s is a usage error", async (_name, args, message) => {
    const ran = await find(folder, { args });
    expect([ran.status, errorOf(ran)]).toEqual([2, expect.stringMatching(message)]);
  });
  test("a repository without tags is a usage error", async () => {
    const ran = await find(new GitWorld().folder);
    expect([ran.status, errorOf(ran)]).toEqual([2, "the repository has no tags"]);
  });
  test("only the folder that is named, not one above it", async () => {
    const inner = join(folder, "inner");
    spawnSync("mkdir", [inner]);
    const ran = await find(inner);
    expect([ran.status, errorOf(ran)]).toEqual([2, expect.stringMatching(/no git repository/)]);
  });
  test("a folder that is not there is a usage error", async () => {
    expect((await find("/nonexistent")).status).toBe(2);
  });
  test("variables of the caller's git lead nowhere else", async () => {
    const env = { GIT_DIR: new GitWorld().gitDir, GIT_OBJECT_DIRECTORY: "/nonexistent", GIT_CONFIG_COUNT: "x" };
    expect(brief(await find(folder, { env }))).toMatchObject({ status: 0, matches: ["v1.0"] });
  });
  test.skipIf(process.getuid?.() !== 0)(
    "a repository of another user is refused, and no switch is turned off",
    async () => {
      const foreign = new GitWorld();
      foreign.tag("v1", deployment);
      spawnSync("chown", ["-R", "65534", foreign.folder]);
      const ran = await find(foreign.folder);
      expect([ran.status, errorOf(ran)]).toEqual([2, expect.stringMatching(/belongs to another user/)]);
    },
  );
});

describe.skipIf(!hasGit)("a repository made to deceive", () => {
  test("starts none of the programs that its configuration names", async () => {
    const { script, sprung } = trap();
    const world = new GitWorld();
    const commit = world.tag("v1", deployment);
    const lost = world.blob(`${otherImage}# lost\n`);
    world.ref("refs/tags/v2", world.commit({ "deployment.yaml": { id: lost } }));
    rmSync(join(world.gitDir, world.loosePath(lost)));
    const settings: [string, string][] = [
      ["core.fsmonitor", script],
      ["core.pager", script],
      ["pager.for-each-ref", script],
      ["pager.cat-file", script],
      ["alias.cat-file", `!${script}`],
      ["core.sshCommand", script],
      ["core.gitProxy", script],
      ["core.alternateRefsCommand", script],
      ["credential.helper", `!${script}`],
      ["filter.x.smudge", script],
      ["diff.x.textconv", script],
      ["extensions.partialClone", "origin"],
      ["core.repositoryFormatVersion", "1"],
      ["remote.origin.promisor", "true"],
      ["remote.origin.url", `ext::${script}`],
      ["remote.origin.uploadpack", script],
      ["protocol.ext.allow", "always"],
      ["protocol.allow", "always"],
    ];
    for (const [name, value] of settings) world.git(["config", name, value]);
    world.file("info/attributes", "* filter=x diff=x\n");
    for (const hook of ["reference-transaction", "post-checkout", "pre-auto-gc", "fsmonitor-watchman"])
      world.file(`hooks/${hook}`, "");
    const ran = await find(world.folder);
    expect(brief(ran)).toMatchObject({ status: 0, matches: ["v1"], unreadable: ["v2 object-missing"] });
    expect(documentOf(ran).matches[0]?.commit).toBe(commit);
    expect(sprung()).toBe(false);
  });
  test("fetches nothing from a folder that it calls its origin", async () => {
    const { script, sprung } = trap();
    const world = new GitWorld();
    const lost = world.blob(deployment);
    world.ref("refs/tags/v1", world.commit({ "deployment.yaml": { id: lost } }));
    rmSync(join(world.gitDir, world.loosePath(lost)));
    for (const [name, value] of [
      ["core.repositoryFormatVersion", "1"],
      ["extensions.partialClone", "origin"],
      ["remote.origin.promisor", "true"],
      ["remote.origin.url", new GitWorld().folder],
      ["remote.origin.uploadpack", script],
      ["protocol.file.allow", "always"],
    ] as const)
      world.git(["config", name, value]);
    expect(brief(await find(world.folder))).toMatchObject({ status: 3, unreadable: ["v1 object-missing"] });
    expect(sprung()).toBe(false);
  });
  test("has replaced objects and grafts that are not followed", async () => {
    const world = new GitWorld();
    const commit = world.tag("v1", otherImage);
    const good = world.commit({ "deployment.yaml": deployment });
    world.ref(`refs/replace/${commit}`, good);
    const blob = world.git(["rev-parse", `${good}:deployment.yaml`]);
    world.ref(`refs/replace/${world.git(["--no-replace-objects", "rev-parse", `${commit}:deployment.yaml`])}`, blob);
    world.file("info/grafts", `${commit} ${good}\n`);
    expect(brief(await find(world.folder))).toMatchObject({ status: 1, nearest: "v1" });
  });
  test("has tags whose names look like options, paths and the end of a report", async () => {
    const world = new GitWorld();
    const commit = world.commit({ "deployment.yaml": deployment });
    const names = ["-x", "--upload-pack=sh", "a;reboot", "$(reboot)", "found‮1v"];
    for (const name of names) world.ref(`refs/tags/${name}`, commit);
    const ran = await find(world.folder);
    expect(brief(ran)).toMatchObject({ status: 0, matches: [...names].sort() });
    expect(ran.stdout).not.toContain("‮");
  });
  test("keeps one object that cannot be read from hiding the others", async () => {
    const world = new GitWorld();
    for (let i = 0; i < 4; i++) {
      const commit = world.tag(`bad${i}`, `${otherImage}# ${i}\n`);
      const path = join(world.gitDir, world.loosePath(world.git(["rev-parse", `${commit}:deployment.yaml`])));
      chmodSync(path, 0o644);
      spawnSync("truncate", ["-s", "150", path]);
    }
    world.tag("good", deployment);
    const ran = await find(world.folder);
    expect(brief(ran)).toMatchObject({ status: 0, matches: ["good"] });
    expect(documentOf(ran).unreadable.map((u) => u.code)).toEqual(Array(4).fill("object-damaged"));
  });
  test("gets no program of its own run in place of git", async () => {
    const { script, sprung } = trap();
    const world = new GitWorld();
    world.tag("v1", deployment);
    spawnSync("cp", [script, join(world.folder, "git")]);
    const ran = await find(world.folder, { env: { PATH: `.:${process.env["PATH"]}` } });
    expect([ran.status, sprung()]).toEqual([0, false]);
    const without = await find(world.folder, { env: { PATH: "." } });
    expect([without.status, errorOf(without), sprung()]).toEqual([
      2,
      expect.stringMatching(/git was not found/),
      false,
    ]);
  });
});
