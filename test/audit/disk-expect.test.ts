/** `pm disk expect` over repositories put together object by object, good and hostile. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { diskExpect, type ExpectQuestion } from "../../src/audit/disk-expect.ts";
import { decodeExpect } from "../../src/verifiers/verity/expect.ts";
import { expectText, freshPath, type Model, model, pointerTo, removeDisks, weights, written } from "../disk-world.ts";
import { GitWorld, hasGit, type TreeItem } from "../git-world.ts";

afterAll(removeDisks);

/** A commit of the files, its folders as trees. */
function treeOf(world: GitWorld, of: Model, more: Readonly<Record<string, TreeItem>> = {}): string {
  const own: Record<string, TreeItem> = { ...more };
  const below = new Map<string, Model>();
  for (const [path, f] of Object.entries(of)) {
    const [name = "", ...rest] = path.split("/");
    if (rest.length === 0) own[name] = { mode: f.mode, content: f.blob };
    else below.set(name, { ...below.get(name), [rest.join("/")]: f });
  }
  for (const [name, files] of below) own[name] = { mode: "40000", id: treeOf(world, files) };
  return world.tree(own);
}
const repository = (of: Model = model, more: Readonly<Record<string, TreeItem>> = {}) => {
  const world = new GitWorld({ bare: true });
  return { world, commit: world.commit(treeOf(world, of, more)) };
};
async function listed(question: Pick<ExpectQuestion, "gitDir" | "commit"> & Partial<ExpectQuestion>) {
  const notices: string[] = [];
  const result = await diskExpect({ exclude: undefined, out: undefined, notice: (t) => notices.push(t), ...question });
  return { text: result.text({ width: 100, color: false }), json: result.json(), notices };
}
const failing = async (question: Parameters<typeof listed>[0], code: string, message: RegExp): Promise<void> => {
  await expect(listed(question)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
};

describe.skipIf(!hasGit)("pm disk expect", () => {
  test("lists the files of the commit with their ids, and LFS files by their pointer", async () => {
    const { world, commit } = repository();
    const { text, json, notices } = await listed({ gitDir: world.folder, commit });
    expect(text).toBe(expectText(model, { commit }));
    expect(json).toBe(text);
    expect(notices).toEqual([]);
  });

  test("a ref is resolved, and its commit said", async () => {
    const { world, commit } = repository();
    world.ref("refs/heads/main", commit);
    world.ref("refs/tags/v1", world.annotate("v1", commit));
    for (const name of ["main", "refs/heads/main", "v1"]) {
      const { text, notices } = await listed({ gitDir: world.folder, commit: name });
      expect(text).toBe(expectText(model, { commit }));
      expect(notices).toEqual([expect.stringContaining(commit)]);
    }
  });

  test("leaves out what the list names, and keeps it apart", async () => {
    const { world, commit } = repository();
    const { text } = await listed({ gitDir: world.folder, commit, exclude: "tools/*, *.json" });
    const { "config.json": config, "tools/convert": tool, ...rest } = model;
    if (config === undefined || tool === undefined) throw new Error("the model changed");
    const excludedFiles = { "config.json": config, "tools/convert": tool };
    expect(text).toBe(expectText(rest, { commit, excluded: ["tools/*", "*.json"], excludedFiles }));
  });

  test("submodules are named, and not followed", async () => {
    const { world, commit } = repository(model, { party: { mode: "160000", id: "d".repeat(40) } });
    const { text } = await listed({ gitDir: world.folder, commit });
    expect(text).toBe(expectText(model, { commit, submodules: ["party"] }));
  });

  test("an old group-writable mode is a file's", async () => {
    const { world, commit } = repository({}, { a: { mode: "100664", content: "a" } });
    const { text } = await listed({ gitDir: world.folder, commit });
    expect(text).toBe(expectText({ a: { blob: "a", mode: "100644" } }, { commit }));
  });

  test("--out writes the same list, and says its SHA-256", async () => {
    const { world, commit } = repository();
    const out = freshPath("expect.json");
    const { text } = await listed({ gitDir: world.folder, commit, out });
    expect(readFileSync(out, "utf8")).toBe(expectText(model, { commit }));
    expect(text).toContain("no disk was looked at");
    expect(text).not.toMatch(/verified/);
  });

  test("a name cannot command a terminal, and is the same name when the list is read", async () => {
    const path = "a\u202eb\u009b2Jc";
    const { world, commit } = repository({ [path]: { blob: "x", mode: "100644" } });
    const { text } = await listed({ gitDir: world.folder, commit });
    expect(text).not.toMatch(/[\u202e\u009b]/);
    expect(decodeExpect(Buffer.from(text), "list").files.map((f) => f.path)).toEqual([path]);
  });

  test("a link's target that reads as a pointer is a target", async () => {
    const { world, commit } = repository({ link: { blob: pointerTo(weights), mode: "120000" } });
    expect((await listed({ gitDir: world.folder, commit })).text).not.toContain("lfs");
  });

  test("a pointer that breaks the form is an error that names the file", async () => {
    const { world, commit } = repository({ "w/x.bin": { blob: pointerTo(weights).trimEnd(), mode: "100644" } });
    await failing({ gitDir: world.folder, commit }, "PM_EVIDENCE_MALFORMED", /w\/x\.bin/);
  });

  test.each([
    ["an abbreviated id", (commit: string) => commit.slice(0, 12), /COMMIT: .* no such/],
    ["an unknown name", () => "v9", /COMMIT: v9: no such/],
    ["an option", () => "--all", /COMMIT: --all: no such/],
    ["a revision expression", () => "HEAD~1", /no such/],
  ])("%s is no commit", async (_, name, message) => {
    const { world, commit } = repository();
    await failing({ gitDir: world.folder, commit: name(commit) }, "PM_USAGE", message);
  });

  test("a whole id that is no commit, or that the clone lacks, is refused", async () => {
    const { world } = repository();
    await failing({ gitDir: world.folder, commit: world.blob("x") }, "PM_SOURCE_REFUSED", /no commit/);
    await failing({ gitDir: world.folder, commit: "e".repeat(40) }, "PM_SOURCE_REFUSED", /not in this repository/);
  });

  test("a commit without files, and a list that leaves nothing, are no expectation", async () => {
    const { world, commit } = repository();
    await failing({ gitDir: world.folder, commit, exclude: "*" }, "PM_USAGE", /leaves out every file/);
    const empty = world.commit(world.git(["mktree"], ""));
    await failing({ gitDir: world.folder, commit: empty }, "PM_USAGE", /has no files/);
  });

  test("a pattern that pm does not expand is a usage error", async () => {
    const { world, commit } = repository();
    await failing({ gitDir: world.folder, commit, exclude: "../x" }, "PM_USAGE", /--exclude: .*leads out/);
  });

  test("objects that are missing are named with their path", async () => {
    const { world, commit } = repository();
    rmSync(join(world.gitDir, world.loosePath(world.blob("{}\n"))));
    await failing({ gitDir: world.folder, commit }, "PM_SOURCE_REFUSED", /config\.json: object .* is not in/);
  });

  test("a small file under another id than its own is not read", async () => {
    const { world, commit } = repository();
    world.forge(world.blob(pointerTo(weights)), "blob", Buffer.from("not a pointer"));
    await failing({ gitDir: world.folder, commit }, "PM_SOURCE_REFUSED", /weights\/model\.safetensors/);
  });

  test("a tree under another id than its own is not read", async () => {
    const { world, commit } = repository();
    const { tree } = { tree: world.git(["rev-parse", `${commit}^{tree}`]) };
    world.forge(tree, "tree", Buffer.alloc(0));
    await failing({ gitDir: world.folder, commit }, "PM_SOURCE_REFUSED", /the commit's tree/);
  });

  const forged = (entries: readonly (readonly [mode: string, name: string | Buffer])[]) => {
    const world = new GitWorld({ bare: true });
    const id = Buffer.from(world.blob("x"), "hex");
    const content = Buffer.concat(
      entries.flatMap(([mode, name]) => [Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), id]),
    );
    const tree = world.git(["hash-object", "--literally", "-t", "tree", "-w", "--stdin"], content);
    return { gitDir: world.folder, commit: world.commit(tree) };
  };
  test.each<[string, readonly (readonly [string, string | Buffer])[], string, RegExp]>([
    [
      "a name twice",
      [
        ["100644", "a"],
        ["100644", "a"],
      ],
      "PM_SOURCE_REFUSED",
      /a stands twice/,
    ],
    ["a name that leads out", [["100644", ".."]], "PM_SOURCE_REFUSED", /part "\.\."/],
    ["a name with a slash", [["100644", "a/b"]], "PM_SOURCE_REFUSED", /a name with a slash/],
    ["a .git", [["100644", ".git"]], "PM_SOURCE_REFUSED", /part "\.git"/],
    ["an unknown mode", [["100600", "a"]], "PM_SOURCE_REFUSED", /an entry of mode 100600/],
    ["a blob as a folder", [["40000", "a"]], "PM_SOURCE_REFUSED", /not a tree/],
    ["a name that is not UTF-8", [["100644", Buffer.from([0xff])]], "PM_USAGE", /not UTF-8/],
  ])("%s in a tree is refused", async (_, entries, code, message) => {
    await failing(forged(entries), code, message);
  });

  test("a tree as a file is refused", async () => {
    const world = new GitWorld({ bare: true });
    const tree = world.tree({ a: "a" });
    const inner = Buffer.concat([Buffer.from("100644 a\0"), Buffer.from(tree, "hex")]);
    const top = world.git(["hash-object", "--literally", "-t", "tree", "-w", "--stdin"], inner);
    await failing({ gitDir: world.folder, commit: world.commit(top) }, "PM_SOURCE_REFUSED", /is a tree, no file/);
  });

  test("a tree that multiplies itself is bounded", async () => {
    const world = new GitWorld({ bare: true });
    let tree = world.tree({ a: "a" });
    for (let i = 0; i < 20; i++)
      tree = world.tree(Object.fromEntries(["a", "b", "c", "d"].map((n) => [n, { mode: "40000", id: tree }])));
    await failing({ gitDir: world.folder, commit: world.commit(tree) }, "PM_SOURCE_REFUSED", /more than 100000/);
  });

  test("a deep tree is bounded", async () => {
    const world = new GitWorld({ bare: true });
    let tree = world.tree({ a: "a" });
    for (let i = 0; i < 65; i++) tree = world.tree({ a: { mode: "40000", id: tree } });
    await failing({ gitDir: world.folder, commit: world.commit(tree) }, "PM_SOURCE_REFUSED", /64 parts/);
  });

  test("a list that cannot be written is a usage error", async () => {
    const { world, commit } = repository();
    const out = join(written("a-file", ""), "expect.json");
    await failing({ gitDir: world.folder, commit, out }, "PM_USAGE", /expect\.json: /);
    expect(existsSync(out)).toBe(false);
  });
});
