/** Small git repositories put together by plumbing, object by object, so that hostile ones can be made too. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";

export const hasGit = spawnSync("git", ["--version"]).status === 0;
if (!hasGit) process.stderr.write("git is not installed: tests of pm source find are skipped\n");

const env = {
  PATH: process.env["PATH"] ?? "",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.org",
};
export const firstTime = 1_700_000_000;

export interface TreeItem {
  readonly mode?: string;
  readonly content?: string | Uint8Array;
  /** In place of content. */
  readonly id?: string;
}
type Files = Readonly<Record<string, string | Uint8Array | TreeItem>>;

export class GitWorld {
  readonly folder: string;
  /** Where objects and refs are. */
  readonly gitDir: string;
  #time = firstTime;

  constructor(options: { readonly bare?: boolean; readonly format?: "sha1" | "sha256" } = {}) {
    this.folder = join(mkdtempSync(join(tmpdir(), "pm-git-")), "repo");
    mkdirSync(this.folder);
    this.gitDir = options.bare === true ? this.folder : join(this.folder, ".git");
    const bare = options.bare === true ? ["--bare"] : [];
    this.git(["init", "-q", `--object-format=${options.format ?? "sha1"}`, ...bare, this.folder]);
  }

  git(args: readonly string[], stdin?: string | Uint8Array, more: Record<string, string> = {}): string {
    const done = spawnSync("git", args, { cwd: this.folder, env: { ...env, ...more }, input: stdin ?? "" });
    if (done.status !== 0) throw new Error(`git ${args.join(" ")}: ${done.stderr}`);
    return done.stdout.toString().trim();
  }
  blob(content: string | Uint8Array): string {
    return this.git(["hash-object", "-w", "--stdin"], content);
  }
  tree(files: Files): string {
    const lines = Object.entries(files).map(([name, value]) => {
      const item: TreeItem = typeof value === "string" || value instanceof Uint8Array ? { content: value } : value;
      const { mode = "100644", id = this.blob(item.content ?? "") } = item;
      const type = mode === "40000" ? "tree" : mode === "160000" ? "commit" : "blob";
      return `${mode} ${type} ${id}\t${name}`;
    });
    return this.git(["mktree", "--missing"], `${lines.join("\n")}\n`);
  }
  /** Each commit is a day younger than the one before. */
  commit(files: Files | string): string {
    const date = `${this.#time} +0000`;
    this.#time += 86_400;
    const tree = typeof files === "string" ? files : this.tree(files);
    return this.git(["commit-tree", tree, "-m", "m"], "", { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date });
  }
  ref(name: string, id: string): void {
    this.git(["update-ref", "--", name, id]);
  }
  /** A commit with one deployment.yaml, and a light tag on it. */
  tag(name: string, deployment: string | Uint8Array): string {
    const commit = this.commit({ "deployment.yaml": deployment });
    this.ref(`refs/tags/${name}`, commit);
    return commit;
  }
  annotate(name: string, target: string, type = "commit"): string {
    const text = `object ${target}\ntype ${type}\ntag ${name}\ntagger A <a@example.org> ${firstTime} +0000\n\nm\n`;
    return this.git(["hash-object", "-t", "tag", "-w", "--stdin"], text);
  }
  /** What git itself would refuse to write. */
  file(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.gitDir, path)), { recursive: true });
    writeFileSync(join(this.gitDir, path), content);
  }
  loosePath(id: string): string {
    return `objects/${id.slice(0, 2)}/${id.slice(2)}`;
  }
  /** An object under an id that is not its own. */
  forge(id: string, type: string, content: Uint8Array): void {
    const head = Buffer.from(`${type} ${content.length}\0`);
    this.file(this.loosePath(id), deflateSync(Buffer.concat([head, content])));
  }
}
