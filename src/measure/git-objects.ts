/**
 * Git objects as bytes: tag, commit, tree (Git documentation, gitformat-pack and git-hash-object; the tree's form is the
 * one that `git cat-file tree` prints). Each object's id is computed again here, so a commit id stands for its file
 * whatever the folder that holds the objects says.
 */
import { createHash } from "node:crypto";

export type ObjectFormat = "sha1" | "sha256";
export interface GitObject {
  /** Lower-case hex. */
  readonly id: string;
  readonly type: string;
  readonly content: Uint8Array;
}

/** By the length of an id, as git prints it in full. */
export const formatOf = (id: string): ObjectFormat => (id.length === 64 ? "sha256" : "sha1");

export function hasItsId({ id, type, content }: GitObject): boolean {
  const hash = createHash(formatOf(id)).update(`${type} ${content.length}\0`).update(content);
  return hash.digest("hex") === id;
}

const id = "([0-9a-f]{40}|[0-9a-f]{64})";
const tagHead = new RegExp(`^object ${id}\\ntype ([a-z]+)\\n`);
const commitHead = new RegExp(`^tree ${id}\\n`);
const committer = /^committer [^\n]*> (\d{1,12}) [+-]\d{4}$/m;
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** What an annotated tag names; undefined: not a tag's form. */
export function decodeTag(content: Uint8Array): { readonly id: string; readonly type: string } | undefined {
  const [, target, type] = tagHead.exec(textOf(content)) ?? [];
  return target === undefined || type === undefined ? undefined : { id: target, type };
}

export interface GitCommit {
  readonly tree: string;
  /** Unix seconds, by the word of whoever made the commit; 0 when there is none. */
  readonly time: number;
}
/** undefined: not a commit's form. */
export function decodeCommit(content: Uint8Array): GitCommit | undefined {
  const text = textOf(content);
  const tree = commitHead.exec(text)?.[1];
  // Only the header: the message can hold such a line too.
  const header = text.slice(0, Math.max(0, text.indexOf("\n\n")));
  return tree === undefined ? undefined : { tree, time: Number(committer.exec(header)?.[1] ?? 0) };
}

export interface TreeEntry {
  /** Octal, as written: 100644, 100755, 40000, 120000 (symbolic link), 160000 (submodule). */
  readonly mode: string;
  readonly id: string;
}
/**
 * All entries, in the order in which they stand.
 * @returns undefined: not a tree's form
 */
export function entriesOf(
  content: Uint8Array,
  format: ObjectFormat,
): (TreeEntry & { readonly name: Uint8Array })[] | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const idBytes = format === "sha256" ? 32 : 20;
  const found: (TreeEntry & { readonly name: Uint8Array })[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const zero = space < 0 ? -1 : bytes.indexOf(0, space);
    const next = zero + 1 + idBytes;
    const mode = space < 0 ? "" : bytes.toString("latin1", at, Math.min(space, at + 8));
    if (zero < 0 || next > bytes.length || !/^[0-7]{5,6}$/.test(mode)) return undefined;
    found.push({ name: bytes.subarray(space + 1, zero), mode, id: bytes.toString("hex", zero + 1, next) });
    at = next;
  }
  return found;
}

/**
 * The entries of one name, of which a tree that git made has one at most.
 * @returns undefined: not a tree's form
 */
export function entriesNamed(content: Uint8Array, name: string, format: ObjectFormat): TreeEntry[] | undefined {
  const wanted = Buffer.from(name, "utf8");
  return entriesOf(content, format)
    ?.filter((entry) => wanted.equals(entry.name))
    .map(({ mode, id }) => ({ mode, id }));
}
