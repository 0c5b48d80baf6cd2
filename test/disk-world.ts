/** A small model repository as a commit and as a disk; ids and digests are made here, independent of src. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directory, type ErofsNode, file, makeErofs, symlink } from "../fixtures/generator/erofs.ts";
import { prng } from "../fixtures/generator/prng.ts";

const root = mkdtempSync(join(tmpdir(), "pm-disk-"));
export const removeDisks = (): void => rmSync(root, { recursive: true, force: true });

let files = 0;
/** A path of its own. */
export const freshPath = (name: string): string => join(root, `${files++}-${name}`);
export function written(name: string, content: Uint8Array | string): string {
  const path = freshPath(name);
  writeFileSync(path, content);
  return path;
}

export const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");
export const blobId = (bytes: Uint8Array | string): string =>
  createHash("sha1")
    .update(`blob ${Buffer.byteLength(bytes)}\0`)
    .update(bytes)
    .digest("hex");
export const pointerTo = (content: Uint8Array): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(content)}\nsize ${content.length}\n`;

export interface ModelFile {
  /** What the commit's blob holds. */
  readonly blob: string;
  readonly mode: "100644" | "100755" | "120000";
  /** What lies on the disk; absent: the blob. */
  readonly content?: Uint8Array;
}
export type Model = Readonly<Record<string, ModelFile>>;

export const weights = prng("disk world").bytes("weights", 10_000);
export const model: Model = {
  "README.md": { blob: "# A model\n", mode: "100644" },
  "config.json": { blob: "{}\n", mode: "100644" },
  empty: { blob: "", mode: "100644" },
  latest: { blob: "weights/model.safetensors", mode: "120000" },
  "tools/convert": { blob: "#!/bin/true\n", mode: "100755" },
  "weights/model.safetensors": { blob: pointerTo(weights), mode: "100644", content: weights },
};
export const commit = "c0".repeat(20);

export type Document = Record<string, unknown>;
const entryOf = (path: string, { blob, mode, content }: ModelFile): Document => ({
  path,
  mode,
  blob: blobId(blob),
  sizeBytes: Buffer.byteLength(blob),
  ...(content === undefined ? {} : { lfs: { sha256: sha256(content), sizeBytes: content.length } }),
});
const sorted = (of: Model): Document[] =>
  Object.entries(of)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, f]) => entryOf(path, f));

export interface ExpectOptions {
  readonly commit?: string;
  readonly excluded?: readonly string[];
  readonly excludedFiles?: Model;
  readonly submodules?: readonly string[];
}
/** As pm disk expect writes it. */
export const expectText = (of: Model = model, options: ExpectOptions = {}): string =>
  `${JSON.stringify(
    {
      ...{ schemaVersion: 1, kind: "pm-disk-expect", commit: options.commit ?? commit, objectFormat: "sha1" },
      excluded: options.excluded ?? [],
      files: sorted(of),
      excludedFiles: sorted(options.excludedFiles ?? {}),
      submodules: options.submodules ?? [],
    },
    null,
    2,
  )}\n`;

export type Nodes = Readonly<Record<string, ErofsNode>>;
/** By path, as a checkout with umask 22 makes them. */
export const nodesOf = (of: Model = model): Record<string, ErofsNode> =>
  Object.fromEntries(
    Object.entries(of).map(([path, f]) => [
      path,
      f.mode === "120000" ? symlink(f.blob) : file(f.content ?? f.blob, f.mode === "100755" ? { mode: 0o755 } : {}),
    ]),
  );

/** Folders come with what lies in them; an empty one is given as a node. */
export function treeOf(nodes: Nodes): ErofsNode {
  const names = new Set(Object.keys(nodes).map((path) => path.split("/")[0] ?? ""));
  return directory(
    Object.fromEntries(
      [...names].map((name): [string, ErofsNode] => {
        const own = nodes[name];
        if (own !== undefined) return [name, own];
        const below = Object.entries(nodes).filter(([path]) => path.startsWith(`${name}/`));
        return [name, treeOf(Object.fromEntries(below.map(([path, node]) => [path.slice(name.length + 1), node])))];
      }),
    ),
  );
}
export const imageOf = (nodes: Nodes = nodesOf()): Uint8Array => makeErofs(treeOf(nodes)).bytes;
/** The model's disk with some paths changed; undefined: not there. */
export const edited = (edits: Readonly<Record<string, ErofsNode | undefined>>): Uint8Array =>
  imageOf(
    Object.fromEntries(
      Object.entries({ ...nodesOf(), ...edits }).flatMap(([path, node]) => (node === undefined ? [] : [[path, node]])),
    ),
  );

/** dm-verity root under Privatemode's parameters, by the book: salt of one zero byte before each block of 4096. */
export function rootOf(image: Uint8Array): string {
  const digest = (block: Uint8Array): Buffer => createHash("sha256").update(Buffer.alloc(1)).update(block).digest();
  let level = Array.from({ length: image.length / 4096 }, (_, i) => digest(image.subarray(i * 4096, (i + 1) * 4096)));
  while (level.length > 1)
    level = Array.from({ length: Math.ceil(level.length / 128) }, (_, i) => {
      const block = Buffer.alloc(4096);
      block.set(Buffer.concat(level.slice(i * 128, (i + 1) * 128)));
      return digest(block);
    });
  return level[0]?.toString("hex") ?? "";
}
