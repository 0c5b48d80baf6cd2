/** Files of a repository as they are at its tags: from each commit to the file, tree by tree. */
import { usage } from "../errors.ts";
import { openRepository, type Repository, type Unread } from "./git.ts";
import { entriesNamed, formatOf, type GitObject, type ObjectFormat } from "./git-objects.ts";
import { type Head, headsOf, isObject, maxRefs, type Selection, type Why } from "./git-refs.ts";

export interface FilesRequest {
  readonly folder: string;
  /** Paths from the top of the tree, with "/" between names. */
  readonly paths: readonly string[];
  readonly selection: Selection;
  readonly signal?: AbortSignal;
}
export interface TaggedCommit extends Omit<Head, "tree"> {
  /** Ids of the files' blobs in the order of the paths, or why there are none. */
  readonly files: readonly string[] | Why;
}
export interface RepositoryFiles {
  readonly format: ObjectFormat;
  /** Newest first. */
  readonly commits: readonly TaggedCommit[];
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Tags that fit and are older than those that were read. */
  readonly beyondLimit: number;
}

const mebibyte = 1024 * 1024;
const maxTreeBytes = 16 * mebibyte;
const maxFileBytes = 8 * mebibyte;
/** Of all different files together: YAML that is all structure takes its reader some ten seconds a mebibyte. */
const maxAllBytes = 64 * mebibyte;
/** At most 128 MiB of the largest files. */
const blobsAtOnce = 16;

/** @throws PmError PM_USAGE for a folder, a ref or a path that cannot be used, and where there is nothing to look at */
export async function repositoryFiles(request: FilesRequest): Promise<RepositoryFiles> {
  const paths = request.paths.map(namesIn);
  const repository = await openRepository(request.folder, request.signal);
  const { heads, left } = await headsOf(repository, request.selection);
  const kept = heads.slice(0, request.selection.kind === "tags" ? request.selection.limit : maxRefs);
  const known = kept.find((h) => h.commit !== undefined);
  const format = formatOf(known?.commit ?? "");
  const walk = new Walk(repository, paths, format);
  const commits = await walk.filesAt([...kept, ...left]);
  return { format, commits, blobs: walk.blobs, beyondLimit: heads.length - kept.length };
}

/** A name of git's never begins a path, ends it, or leads out of it. */
function namesIn(path: string): readonly string[] {
  const names = path.split("/");
  if (names.length > 32 || names.some((n) => n === "" || n === "." || n === ".." || n.includes("\0")))
    throw usage(`--path: ${path}: not a path from the top of the repository`, "for example deployment/deployment.yaml");
  return names;
}

/** Where one path of one commit has got to. */
interface Step {
  readonly head: number;
  readonly path: number;
  /** A tree, and which name of the path is looked for in it. */
  readonly tree: string;
  readonly depth: number;
}

class Walk {
  readonly blobs = new Map<string, Uint8Array>();
  readonly #repository: Repository;
  readonly #paths: readonly (readonly string[])[];
  readonly #format: ObjectFormat;
  constructor(repository: Repository, paths: readonly (readonly string[])[], format: ObjectFormat) {
    this.#repository = repository;
    this.#paths = paths;
    this.#format = format;
  }

  async filesAt(heads: readonly Head[]): Promise<TaggedCommit[]> {
    const found: (string | Why)[][] = heads.map(({ tree }) => this.#paths.map(() => tree));
    let open: Step[] = found.flatMap((trees, head) =>
      trees.flatMap((tree, path) => (typeof tree === "string" ? [{ head, path, tree, depth: 0 }] : [])),
    );
    while (open.length > 0) {
      const wanted = open.map((s) => s.tree);
      const trees = await this.#repository.read(wanted, maxTreeBytes);
      const next: Step[] = [];
      for (const step of open) {
        const entry = this.#entry(trees.get(step.tree), step);
        const more = step.depth + 1 < (this.#paths[step.path]?.length ?? 0);
        if (typeof entry === "string" && more) next.push({ ...step, tree: entry, depth: step.depth + 1 });
        else found[step.head]?.splice(step.path, 1, entry);
      }
      open = next;
    }
    const unread = await this.#readBlobs(found.flat().filter((f) => typeof f === "string"));
    return heads.map(({ tree: _tree, ...head }, index): TaggedCommit => {
      const files = (found[index] ?? []).map((f) => (typeof f === "string" ? (unread.get(f) ?? f) : f));
      return { ...head, files: files.find((f) => typeof f !== "string") ?? files.filter((f) => typeof f === "string") };
    });
  }

  /** One name of a path in its tree. Symbolic links are not followed: where they lead is not in this object. */
  #entry(tree: GitObject | Unread | undefined, { path, depth }: Step): string | Why {
    const names = this.#paths[path] ?? [];
    const at = names.slice(0, depth + 1).join("/");
    if (!isObject(tree)) return tree ?? { code: "object-missing", reason: `${at}: its tree was not read` };
    const entries = tree.type === "tree" ? entriesNamed(tree.content, names[depth] ?? "", this.#format) : undefined;
    if (entries === undefined) return { code: "object-damaged", reason: `object ${tree.id}: not a tree` };
    const [entry, second] = entries;
    if (entry === undefined) return { code: "file-absent", reason: `no ${at} at this commit` };
    if (second !== undefined) return { code: "tree-ambiguous", reason: `${at} stands twice in its folder` };
    const wanted = depth + 1 < names.length ? "a folder" : "a file";
    const kind = kinds[entry.mode] ?? `an entry of mode ${entry.mode}`;
    return kind === wanted ? entry.id : { code: "file-kind", reason: `${at} is ${kind}, not ${wanted}` };
  }

  /** Different files once, up to a limit of all of them together. @returns those that were not read */
  async #readBlobs(ids: readonly string[]): Promise<ReadonlyMap<string, Why>> {
    const unread = new Map<string, Why>();
    const wanted = [...new Set(ids)];
    let bytes = 0;
    for (let at = 0; at < wanted.length; at += blobsAtOnce)
      for (const [id, object] of await this.#repository.read(wanted.slice(at, at + blobsAtOnce), maxFileBytes)) {
        if (!isObject(object)) unread.set(id, object);
        else if (object.type !== "blob") unread.set(id, { code: "object-damaged", reason: `object ${id}: not a file` });
        else if (bytes + object.content.length > maxAllBytes)
          unread.set(id, { code: "object-size", reason: `the files take more than ${maxAllBytes} bytes in all` });
        else {
          bytes += object.content.length;
          this.blobs.set(id, object.content);
        }
      }
    return unread;
  }
}

/** By the mode of a tree's entry. */
const kinds: Readonly<Record<string, string>> = {
  "100644": "a file",
  "100755": "a file",
  // As git once wrote it, and still reads it.
  "100664": "a file",
  "40000": "a folder",
  "120000": "a symbolic link, which is not followed",
  "160000": "a submodule",
};
