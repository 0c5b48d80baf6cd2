/** From names to commits: which refs are looked at, and what annotated tags stand between. */
import { PmError, usage } from "../errors.ts";
import type { GitRef, Repository, Unread } from "./git.ts";
import { decodeCommit, decodeTag, type GitObject } from "./git-objects.ts";

/** What to look at: tags, or refs and commits that are named. */
export type Selection =
  | { readonly kind: "tags"; readonly pattern: string | undefined; readonly limit: number }
  /** `flag` named them, for messages; default --ref. */
  | { readonly kind: "refs"; readonly names: readonly string[]; readonly flag?: string };

export type UnreadCode =
  | Unread["code"]
  | "ref-broken"
  | "not-a-commit"
  | "file-absent"
  | "file-kind"
  | "tree-ambiguous";
export interface Why {
  readonly code: UnreadCode;
  readonly reason: string;
}
export interface Head {
  /** Name without refs/tags/, refs/heads/, refs/remotes/; a commit id that was named itself. */
  readonly name: string;
  /** In full; undefined: a commit id. */
  readonly ref: string | undefined;
  /** Of an annotated tag, outermost first. */
  readonly tagObjects: readonly string[];
  /** undefined: none was reached. */
  readonly commit: string | undefined;
  /** Unix seconds, by the word of whoever made the commit. */
  readonly time: number;
  /** The commit's, or why there is none. */
  readonly tree: string | Why;
}
interface Chosen {
  readonly name: string;
  readonly ref: string | undefined;
  readonly id: string;
}
export interface Heads {
  /** Newest first. */
  readonly heads: readonly Head[];
  /** Refs that git itself left out. */
  readonly left: readonly Head[];
}

export const maxRefs = 20_000;
const maxHeadBytes = 1024 * 1024;
/** Tags of tags. */
const maxTagDepth = 8;

/** @throws PmError PM_USAGE for a name that there is not, for too many tags, and for none */
export async function headsOf(repository: Repository, selection: Selection): Promise<Heads> {
  if (selection.kind === "refs") {
    const { refs } = await repository.refs("refs/");
    return {
      heads: newestFirst(
        await peel(
          repository,
          selection.names.map((n) => named(n, refs, selection.flag ?? "--ref")),
        ),
      ),
      left: [],
    };
  }
  const { refs, left } = await repository.refs("refs/tags/");
  const fits = matcher(selection.pattern);
  const chosen = refs.map(chosenOf).filter((c) => fits(c.name));
  if (chosen.length > maxRefs) throw usage(`${chosen.length} tags: more than ${maxRefs}`, "narrow them with --tags");
  if (chosen.length === 0 && left.length === 0)
    throw usage(
      selection.pattern === undefined ? "the repository has no tags" : `no tag fits ${selection.pattern}`,
      "fetch them (git fetch --tags), or name a branch or commit with --ref",
    );
  return { heads: newestFirst(await peel(repository, chosen)), left: left.map(leftOut) };
}

const chosenOf = ({ name, id }: GitRef): Chosen => ({
  name: name.replace(/^refs\/(tags|heads|remotes)\//, ""),
  ref: name,
  id,
});

/** Git lists no ref that it cannot read, and says so on stderr alone. */
const leftOut = (said: string): Head => ({
  name: said.replace(/^.*\b(refs\/tags\/)/, ""),
  ref: undefined,
  tagObjects: [],
  commit: undefined,
  time: 0,
  tree: { code: "ref-broken", reason: `git: ${said}` },
});

function named(name: string, refs: readonly GitRef[], flag: string): Chosen {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(name)) return { name, ref: undefined, id: name };
  const places = ["", "refs/tags/", "refs/heads/", "refs/remotes/"].map((place) => `${place}${name}`);
  const found = refs.filter((ref) => places.includes(ref.name));
  const [only] = found;
  if (only !== undefined && found.length === 1) return chosenOf(only);
  throw only === undefined
    ? usage(`${flag}: ${name}: no such tag, branch or commit`, "a commit is named by its whole id")
    : usage(`${flag}: ${name}: names ${found.map((f) => f.name).join(" and ")}`, "give the name in full");
}

/** `*` stands for any characters, `?` for one. */
function matcher(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  const source = pattern.replace(/\*+|[^\w*]/gu, (c) =>
    c[0] === "*" ? ".*" : c === "?" ? "." : `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
  );
  const expression = new RegExp(`^${source}$`, "su");
  return (name) => expression.test(name);
}

async function peel(repository: Repository, chosen: readonly Chosen[]): Promise<Head[]> {
  const done: Head[] = [];
  let open = chosen.map(({ name, ref, id }) => ({ name, ref, id, tagObjects: [] as readonly string[] }));
  for (let depth = 0; open.length > 0; depth++) {
    const objects = await repository.read(
      open.map((o) => o.id),
      maxHeadBytes,
    );
    const next: typeof open = [];
    for (const { id, ...known } of open) {
      const object = objects.get(id);
      const tag = isObject(object) && object.type === "tag" ? decodeTag(object.content) : undefined;
      const commit = isObject(object) && object.type === "commit" ? decodeCommit(object.content) : undefined;
      if (commit !== undefined) done.push({ ...known, commit: id, ...commit });
      else if (tag !== undefined && depth < maxTagDepth)
        next.push({ ...known, id: tag.id, tagObjects: [...known.tagObjects, id] });
      else done.push({ ...known, commit: undefined, time: 0, tree: notCommit(id, object) });
    }
    open = next;
  }
  return done;
}

export const isObject = (found: GitObject | Unread | undefined): found is GitObject =>
  found !== undefined && "content" in found;

function notCommit(id: string, found: GitObject | Unread | undefined): Why {
  if (found === undefined) throw new PmError("PM_BUG", `object ${id} was not asked for`);
  if (!isObject(found)) return found;
  if (found.type === "tag" || found.type === "commit")
    return { code: "object-damaged", reason: `object ${id}: a ${found.type} that pm cannot read, or tags in a row` };
  return { code: "not-a-commit", reason: `names a ${found.type}, no commit` };
}

const newestFirst = (heads: readonly Head[]): Head[] =>
  [...heads].sort((a, b) => b.time - a.time || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
