/** `pm disk rebuild` with a stand-in for mkfs.erofs, and with the real one where PATH has 1.8 or later. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { changed, directory, makeErofs, withChecksum } from "../../fixtures/generator/erofs.ts";
import { type Ran, runPm } from "../command.ts";
import {
  edited,
  expectText,
  freshPath,
  imageOf,
  model,
  nodesOf,
  removeDisks,
  rootOf,
  sha256,
  treeOf,
  written,
} from "../disk-world.ts";

afterAll(removeDisks);

const standIn = readFileSync(fileURLToPath(new URL("../stand-in/mkfs.erofs", import.meta.url)), "utf8");
const image = imageOf();
const other = (() => {
  const bytes = Buffer.from(image);
  bytes[1104] = 1;
  return withChecksum(bytes);
})();

/** The model's files as a checkout with umask 22 has them. */
function checkout(): string {
  const folder = freshPath("checkout");
  mkdirSync(folder, { mode: 0o755 });
  for (const [path, { blob, mode, content }] of Object.entries(model)) {
    const at = join(folder, path);
    if (!existsSync(dirname(at))) mkdirSync(dirname(at), { mode: 0o755 });
    if (mode === "120000") symlinkSync(blob, at);
    else writeFileSync(at, content ?? blob);
    if (mode !== "120000") chmodSync(at, mode === "100755" ? 0o755 : 0o644);
  }
  for (const path of ["", "tools", "weights"]) chmodSync(join(folder, path), 0o755);
  return folder;
}
/** The stand-in in a folder of its own, with the image that it writes. */
function program(edit: (text: string) => string = (t) => t, writes: Uint8Array = image): string {
  const folder = freshPath("bin");
  mkdirSync(folder);
  writeFileSync(join(folder, "image"), writes);
  writeFileSync(join(folder, "mkfs.erofs"), edit(standIn), { mode: 0o755 });
  return join(folder, "mkfs.erofs");
}
const calledOf = (mkfs: string) =>
  JSON.parse(readFileSync(join(dirname(mkfs), "called.json"), "utf8")) as {
    args: string[];
    env: Record<string, string>;
    folder: string;
  };

interface Rebuild {
  readonly ran: Ran;
  readonly out: string;
  readonly facts: {
    readonly line: string;
    readonly notes: readonly string[];
    readonly otherThanACheckout: readonly string[];
    readonly image: { readonly hashOffset: number };
    readonly mkfs: { readonly version: string; readonly sha256: string };
    readonly roots: {
      readonly image: string;
      readonly otherLayout: string;
      readonly veritysetup: { readonly rootHash: string } | null;
    };
    readonly expected: readonly { readonly equal: string | null }[];
    readonly error?: { readonly message: string };
  };
}
async function rebuild(
  folder: string,
  mkfs: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Rebuild> {
  const out = args.includes("--out") ? "" : freshPath("out.img");
  const place = out === "" ? [] : ["--out", out];
  const ran = await runPm(["disk", "rebuild", folder, "--mkfs", mkfs, "--json", ...place, ...args], { env });
  return { ran, out, facts: JSON.parse(ran.stdout) };
}
/** Nothing is left beside the image. */
const leftBeside = (out: string): string[] => readdirSync(dirname(out)).filter((n) => n.endsWith(".tmp"));

describe("with a stand-in", () => {
  test("writes the image, and gives its roots in both layouts", async () => {
    const mkfs = program();
    const folder = checkout();
    const { ran, out, facts } = await rebuild(folder, mkfs, [], { SOURCE_DATE_EPOCH: "1700000000" });
    expect(ran.status).toBe(0);
    expect(new Uint8Array(readFileSync(out))).toEqual(image);
    expect(facts.roots).toMatchObject({ image: rootOf(image), otherLayout: rootOf(other) });
    expect([null, rootOf(image)]).toContain(facts.roots.veritysetup?.rootHash ?? null);
    expect(facts.image.hashOffset).toBe(image.length);
    expect(facts.mkfs).toMatchObject({ version: "1.8.10", sha256: sha256(standIn) });
    expect(facts.otherThanACheckout).toEqual([]);
    expect(facts.line).toBe("rebuilt; no root was compared");
    const { args, env } = calledOf(mkfs);
    expect(args.slice(0, -2)).toEqual([
      ...["--quiet", "-b4096", "-T0", "-x-1", "--all-root", "-U00000000-0000-0000-0000-000000000000"],
    ]);
    expect(args.at(-1)).toBe(folder);
    expect(env).not.toHaveProperty("SOURCE_DATE_EPOCH");
    expect(Object.keys(env).sort()).toEqual(expect.arrayContaining(["HOME", "LC_ALL", "PATH"]));
    expect(leftBeside(out)).toEqual([]);
  });

  test.each<[string, string, number, string, RegExp]>([
    ["the image's root", rootOf(image), 0, "image", /^root equal: /],
    ["the other layout's root", rootOf(other), 0, "other layout", /^root equal in the other layout only/],
  ])("%s as expected ends with 0 and says which", async (_, root, status, equal, line) => {
    const { ran, facts } = await rebuild(checkout(), program(), ["--expect-root", root.toUpperCase()]);
    expect(ran.status).toBe(status);
    expect(facts.expected).toMatchObject([{ equal }]);
    expect(facts.line).toMatch(line);
  });

  test("another root ends with 1; one of several is enough", async () => {
    const folder = checkout();
    const wrong = ["--expect-root", "ab".repeat(32)];
    const none = await rebuild(folder, program(), wrong);
    expect([none.ran.status, none.facts.expected[0]?.equal]).toEqual([1, null]);
    expect((await rebuild(folder, program(), [...wrong, "--expect-root", rootOf(image)])).ran.status).toBe(0);
  });

  test("an image of mkfs.erofs 1.9 has the roots the other way round", async () => {
    const mkfs = program((t) => t.replace("1.8.10", "1.9"), other);
    const { ran, facts } = await rebuild(checkout(), mkfs, ["--expect-root", rootOf(image)]);
    expect(ran.status).toBe(0);
    expect(facts.roots).toMatchObject({ image: rootOf(other), otherLayout: rootOf(image) });
    expect(facts.expected).toMatchObject([{ equal: "other layout" }]);
    expect(facts.notes.join("\n")).toContain("1.9 is what two releases call themselves");
  });

  test.each([
    ["1.5", 'const version = "mkfs.erofs 1.5"', /version 1\.5 lays images out/],
    ["1.7.1", 'const version = "mkfs.erofs 1.7.1"', /version 1\.7\.1/],
    ["0.9", 'const version = "mkfs.erofs (erofs-utils) 0.9"', /version 0\.9/],
    ["a build of somebody's", 'const version = "mkfs.erofs (erofs-utils) 1.8.10-gabcdef"', /no version that pm knows/],
    ["another program", 'const version = "mke2fs 1.47.0"', /no version that pm knows/],
    ["nothing", 'const version = ""', /no version that pm knows/],
  ])("a program that says %s is refused before it writes", async (_, text, message) => {
    const mkfs = program((t) => t.replace(/const version = ".*"/, text));
    const { ran, facts, out } = await rebuild(checkout(), mkfs);
    expect(ran.status).toBe(2);
    expect(facts.error?.message).toMatch(message);
    expect(existsSync(out)).toBe(false);
    expect(existsSync(join(dirname(mkfs), "called.json"))).toBe(false);
  });

  test.each<[string, (t: string) => string, Uint8Array | undefined]>([
    ["fails", (t) => `${t}\nconsole.error("no space"); process.exit(1);`, undefined],
    ["is ended by a signal", (t) => `${t}\nprocess.kill(process.pid, "SIGKILL");`, undefined],
    ["writes no EROFS", (t) => t, Buffer.alloc(8192)],
    ["writes nothing", (t) => t, new Uint8Array()],
    ["writes part of a block", (t) => t, Buffer.concat([image, Buffer.alloc(100)])],
    ["writes a wrong checksum", (t) => t, image.with(1028, (image[1028] ?? 0) ^ 1)],
  ])("a program that %s leaves no image", async (_, edit, writes) => {
    const { ran, out } = await rebuild(checkout(), program(edit, writes));
    expect(ran.status).toBe(3);
    expect(existsSync(out)).toBe(false);
    expect(leftBeside(out)).toEqual([]);
  });

  test("what a checkout would not have is named before the work", async () => {
    const folder = checkout();
    chmodSync(join(folder, "config.json"), 0o664);
    chmodSync(join(folder, "weights"), 0o700);
    linkSync(join(folder, "README.md"), join(folder, "copy.md"));
    mkdirSync(join(folder, "tools", ".git"), { mode: 0o755 });
    const { ran, facts } = await rebuild(folder, program());
    expect(facts.otherThanACheckout).toEqual([
      "README.md: has 2 hard links, which may change the image's layout",
      "config.json: mode 664, a checkout with umask 22 makes 644 or 755",
      "copy.md: has 2 hard links, which may change the image's layout",
      "tools/.git: goes into the image: the builder removes the one at the top only",
      "weights: mode 700, a checkout with umask 22 makes 755",
    ]);
    expect(ran.stderr).toContain("pm: config.json: mode 664");
  });

  test("a .git at the top stays out", async () => {
    const folder = checkout();
    mkdirSync(join(folder, ".git"));
    const mkfs = program();
    expect((await rebuild(folder, mkfs)).ran.status).toBe(0);
    expect(calledOf(mkfs).args).toContain("--exclude-path=.git");
    // Written all the same, or left out while the root still counts it.
    const made = makeErofs(treeOf(nodesOf()));
    const counted = changed(made.bytes, (view) => view.setUint16(made.place("").inode + 6, 5, true));
    for (const bytes of [edited({ ".git": directory({}) }), counted]) {
      const { ran, out, facts } = await rebuild(
        folder,
        program((t) => t, bytes),
      );
      expect([ran.status, existsSync(out)]).toEqual([3, false]);
      expect(facts.error?.message).toContain("did not leave .git out");
    }
    expect(
      (
        await rebuild(
          folder,
          program((t) => t, Buffer.alloc(8192)),
        )
      ).ran.status,
    ).toBe(3);
  });

  test("names of files do not reach the terminal as they are", async () => {
    const folder = checkout();
    writeFileSync(join(folder, "a\u001b[2Jb"), "", { mode: 0o600 });
    const { ran } = await rebuild(folder, program());
    expect(ran.stderr).toContain("a\\u{1b}[2Jb: mode 600");
    expect(ran.stdout + ran.stderr).not.toContain("\u001b");
  });

  test("an image that exists, lies in the folder, or has no folder, is refused", async () => {
    const [folder, mkfs] = [checkout(), program()];
    const there = written("there.img", "keep");
    for (const out of [there, join(folder, "out.img"), join(folder, "weights", "out.img"), join(there, "x")])
      expect((await rebuild(folder, mkfs, ["--out", out])).ran.status, out).toBe(2);
    expect(readFileSync(there, "utf8")).toBe("keep");
    expect(existsSync(join(dirname(mkfs), "called.json"))).toBe(false);
  });

  test("a folder that is a file, is missing or is empty, a program that is none, and a short root are usage errors", async () => {
    const [folder, mkfs] = [checkout(), program()];
    const empty = freshPath("empty");
    mkdirSync(empty);
    for (const path of [written("file", ""), freshPath("nothing"), empty])
      expect((await rebuild(path, mkfs)).ran.status, path).toBe(2);
    expect((await rebuild(folder, freshPath("nothing"))).ran.status).toBe(2);
    expect((await rebuild(folder, written("text", "no program"))).ran.status).toBe(2);
    expect((await rebuild(folder, mkfs, ["--expect-root", "abcd"])).ran.status).toBe(2);
  });

  test("what was rebuilt is what pm disk verify then looks at", async () => {
    const { out, facts } = await rebuild(checkout(), program());
    const list = written("expect.json", expectText());
    const ran = await runPm(["disk", "verify", out, "--expect", list, "--root", facts.roots.image]);
    expect(ran.status).toBe(0);
  });
});

const real = (() => {
  const found = spawnSync("mkfs.erofs", ["-V"], { encoding: "utf8" });
  const version = /^mkfs\.erofs (?:\(erofs-utils\) )?1\.(\d+)/.exec(found.stdout ?? "")?.[1];
  const where = spawnSync("sh", ["-c", "command -v mkfs.erofs"], { encoding: "utf8" }).stdout.trim();
  return version !== undefined && Number(version) >= 8 ? where : undefined;
})();
if (real === undefined)
  process.stderr.write("notice: no mkfs.erofs of 1.8 or later on PATH: rebuilding with the real one is skipped\n");

describe.skipIf(real === undefined)("with the installed mkfs.erofs", () => {
  const mkfs = real ?? "";
  test("the disk is verified against the commit, and has the root that was given", async () => {
    const { ran, out, facts } = await rebuild(checkout(), mkfs);
    expect(ran.status).toBe(0);
    expect(facts.roots.image).toBe(rootOf(new Uint8Array(readFileSync(out))));
    const list = written("expect.json", expectText());
    const verified = await runPm(["disk", "verify", out, "--expect", list, "--root", facts.roots.image, "--json"]);
    expect(verified.status, verified.stdout).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ verdictLine: "verified (disk files)" });
    for (const claim of JSON.parse(verified.stdout).claims) expect(claim).toMatchObject({ status: "pass" });
  });

  test("a .git makes no difference, nor do times, owners of files, or SOURCE_DATE_EPOCH", async () => {
    const folder = checkout();
    const without = await rebuild(folder, mkfs);
    for (const path of [".git", ".git/objects", ".git/objects/aa"]) mkdirSync(join(folder, path));
    writeFileSync(join(folder, ".git", "HEAD"), "ref: refs/heads/main\n");
    const later = await rebuild(folder, mkfs, ["--expect-root", without.facts.roots.image], {
      SOURCE_DATE_EPOCH: "1700000000",
    });
    expect(later.ran.status).toBe(0);
    expect(later.facts.expected).toMatchObject([{ equal: "image" }]);
    expect(readFileSync(later.out).equals(readFileSync(without.out))).toBe(true);
  });

  test("a mode that a checkout does not make gives another root", async () => {
    const folder = checkout();
    const { facts } = await rebuild(folder, mkfs);
    chmodSync(join(folder, "README.md"), 0o600);
    const { ran, facts: found } = await rebuild(folder, mkfs, ["--expect-root", facts.roots.image]);
    expect(ran.status).toBe(1);
    expect(found.otherThanACheckout).toHaveLength(1);
  });
});
