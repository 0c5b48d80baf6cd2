/**
 * Every file of one commit, tree by tree, with the bytes of the small ones. Nothing is checked out, and what a small file
 * may name elsewhere is not fetched.
 */
import { PmError, usage } from "../errors.ts";
import { openRepository, type Repository } from "./git.ts";
import { entriesOf, formatOf, type ObjectFormat, type TreeEntry } from "./git-objects.ts";
import { headsOf, isObject } from "./git-refs.ts";

export interface TreeFile {
  readonly path: string;
  /** As git writes it today. */
  readonly mode: "100644" | "100755" | "120000";
  /** Of the blob. */
  readonly id: string;
  /** By git's word where `content` is undefined: an id covers it, and only who has the bytes can make that again. */
  readonly sizeBytes: number;
  /** Of a file of at most `smallBytes`; its id was made again. */
  readonly content: Uint8Array | undefined;
}
export interface CommitTree {
  /** Whole id. */
  readonly commit: string;
  /** In full, where a ref was named. */
  readonly ref: string | undefined;
  readonly format: ObjectFormat;
  /** In the order in which they were found. */
  readonly files: readonly TreeFile[];
  /** Paths of the commit at which another repository's commit is named. */
  readonly submodules: readonly string[];
}
export interface TreeRequest {
  /** A working tree, or a bare repository. */
  readonly folder: string;
  /** A whole id, or a tag or branch. */
  readonly commit: string;
  readonly smallBytes: number;
  /** Tells what is wrong with a path; undefined: nothing. */
  readonly pathProblem: (path: string) => string | undefined;
  readonly maxFiles: number;
  readonly signal?: AbortSignal;
}

const maxTreeBytes = 16 * 1024 * 1024;
const treesAtOnce = 256;
const blobsAtOnce = 50_000;

/** @throws PmError PM_USAGE for a folder or a name that cannot be used; PM_SOURCE_REFUSED for what the repository lacks or breaks */
export async function commitTree(request: TreeRequest): Promise<CommitTree> {
  const { folder, commit, signal } = request;
  const repository = await openRepository(folder, signal, "GITDIR");
  const { heads } = await headsOf(repository, { kind: "refs", names: [commit], flag: "COMMIT" });
  const [head] = heads;
  if (head === undefined) throw new PmError("PM_BUG", "a name without a commit");
  if (head.commit === undefined || typeof head.tree !== "string")
    throw refused(`${commit}: ${typeof head.tree === "string" ? "no commit" : head.tree.reason}`);
  const found = await new Walk(repository, request, formatOf(head.commit)).from(head.tree);
  return { commit: head.commit, ref: head.ref, format: formatOf(head.commit), ...found };
}

const refused = (message: string, hint?: string): PmError =>
  new PmError("PM_SOURCE_REFUSED", message, hint === undefined ? {} : { hint });

interface Place {
  readonly path: string;
  readonly id: string;
}
interface Blob extends Place {
  readonly mode: TreeFile["mode"];
}

class Walk {
  readonly #repository: Repository;
  readonly #request: TreeRequest;
  readonly #format: ObjectFormat;
  readonly #blobs: Blob[] = [];
  readonly #submodules: string[] = [];
  /** Folders count, too: a tree can hold itself many times over without a single file. */
  #left: number;
  constructor(repository: Repository, request: TreeRequest, format: ObjectFormat) {
    this.#repository = repository;
    this.#request = request;
    this.#format = format;
    this.#left = request.maxFiles;
  }

  async from(tree: string): Promise<Pick<CommitTree, "files" | "submodules">> {
    let open: Place[] = [{ path: "", id: tree }];
    // Ends: each level makes the paths longer, and `pathProblem` bounds them.
    while (open.length > 0) {
      const next: Place[] = [];
      for (let at = 0; at < open.length; at += treesAtOnce) {
        const chunk = open.slice(at, at + treesAtOnce);
        const trees = await this.#repository.read(
          chunk.map((p) => p.id),
          maxTreeBytes,
        );
        for (const place of chunk) {
          const object = trees.get(place.id);
          if (!isObject(object)) throw lacks(place.path || "the commit's tree", object?.reason);
          const entries = object.type === "tree" ? entriesOf(object.content, this.#format) : undefined;
          if (entries === undefined) throw refused(`object ${place.id}: not a tree`);
          for (const folder of this.#folders(place.path, entries)) next.push(folder);
        }
      }
      open = next;
    }
    return { files: await this.#files(), submodules: this.#submodules };
  }

  #folders(parent: string, entries: readonly (TreeEntry & { readonly name: Uint8Array })[]): Place[] {
    const folders: Place[] = [];
    const seen = new Set<string>();
    for (const { name: bytes, mode, id } of entries) {
      const name = nameOf(bytes, parent);
      const path = parent === "" ? name : `${parent}/${name}`;
      const problem = name.includes("/") ? "a name with a slash" : this.#request.pathProblem(path);
      if (problem !== undefined) throw refused(`${JSON.stringify(path)}: ${problem}`);
      if (seen.has(name)) throw refused(`${path} stands twice in its folder`);
      seen.add(name);
      this.#left--;
      if (this.#left < 0) throw refused(`the commit has more than ${this.#request.maxFiles} files and folders`);
      const blob = blobModes[mode];
      if (mode === "40000") folders.push({ path, id });
      else if (mode === "160000") this.#submodules.push(path);
      else if (blob !== undefined) this.#blobs.push({ path, id, mode: blob });
      else throw refused(`${path}: an entry of mode ${mode}`);
    }
    return folders;
  }

  /** Sizes of all, bytes of the small ones. */
  async #files(): Promise<TreeFile[]> {
    const sizes = new Map<string, number>();
    const small = new Map<string, Uint8Array>();
    const { smallBytes } = this.#request;
    const pathOf = new Map(this.#blobs.map((b) => [b.id, b.path]));
    const ids = [...pathOf.keys()];
    for (let at = 0; at < ids.length; at += blobsAtOnce) {
      const some = ids.slice(at, at + blobsAtOnce);
      for (const [id, found] of await this.#repository.sizes(some)) {
        if ("reason" in found) throw lacks(pathOf.get(id) ?? id, found.reason);
        if (found.type !== "blob") throw refused(`${pathOf.get(id)}: object ${id} is a ${found.type}, no file`);
        sizes.set(id, found.sizeBytes);
      }
      const wanted = some.filter((id) => (sizes.get(id) ?? 0) <= smallBytes);
      for (const [id, object] of await this.#repository.read(wanted, smallBytes)) {
        if (!isObject(object)) throw lacks(pathOf.get(id) ?? id, object.reason);
        small.set(id, object.content);
      }
    }
    return this.#blobs.map((blob): TreeFile => {
      const sizeBytes = sizes.get(blob.id);
      if (sizeBytes === undefined) throw new PmError("PM_BUG", `object ${blob.id} was not asked for`);
      const content = small.get(blob.id);
      return { ...blob, sizeBytes: content?.length ?? sizeBytes, content };
    });
  }
}

const lacks = (path: string, reason = "was not read"): PmError =>
  refused(
    `${path}: ${reason}`,
    "make a clone with all objects of the commit (git clone, without --filter); LFS content is not needed",
  );

const blobModes: Readonly<Record<string, TreeFile["mode"]>> = {
  "100644": "100644",
  // As git once wrote it, and still reads it: a checkout makes no difference.
  "100664": "100644",
  "100755": "100755",
  "120000": "120000",
};

function nameOf(bytes: Uint8Array, parent: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw usage(`${parent === "" ? "the top folder" : parent}: a name that is not UTF-8, which pm does not handle`);
  }
}
