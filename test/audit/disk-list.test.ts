/** `pm disk list` on the generator's images, and on those of the installed mkfs.erofs. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { directory, file, makeErofs, symlink } from "../../fixtures/generator/erofs.ts";
import { erofsStates } from "../../fixtures/generator/erofs-damage.ts";
import { prng } from "../../fixtures/generator/prng.ts";
import { listDisk } from "../../src/audit/disk-list.ts";
import { PmError } from "../../src/errors.ts";
import { runPm } from "../command.ts";

const folder = mkdtempSync(join(tmpdir(), "pm-disk-list-"));
const written = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const states = erofsStates(prng("disk list"));
const good = written("good.img", states.good);

interface Entry {
  readonly path: string;
  readonly kind: string;
  readonly mode: string;
  readonly sizeBytes: number;
  readonly target?: string;
  readonly hardLinkOf?: string;
  readonly sha256?: string;
  readonly gitSha1?: string;
}
interface Document {
  readonly image: { readonly sizeBytes: number; readonly fileSystemBytes: number; readonly inodes: number };
  readonly superblock: Readonly<Record<string, unknown>>;
  readonly entries: readonly Entry[];
  readonly notes: readonly string[];
}
const list = async (image: string, digests = false): Promise<Document> =>
  JSON.parse((await listDisk({ image, digests })).json()) as Document;
const failure = async (image: string): Promise<PmError> => {
  const error: unknown = await listDisk({ image, digests: false }).catch((e: unknown) => e);
  if (error instanceof PmError) return error;
  throw new Error(`did not fail: ${String(error)}`);
};
const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");
const view = { width: 100, color: false };

describe("pm disk list", () => {
  it("names kind, mode, size and path of each entry, and where a link leads", async () => {
    const { entries, image } = await list(good);
    const of = (path: string) => entries.find((e) => e.path === path);
    expect(image).toMatchObject({ sizeBytes: states.good.length, inodes: 413 });
    expect(of("")).toMatchObject({ kind: "directory", mode: "0755" });
    expect(of("code/modeling.py")).toMatchObject({ kind: "file", mode: "0755", sizeBytes: 15 });
    expect(of("latest")).toMatchObject({ kind: "symlink", target: "code/modeling.py" });
    expect(of("model.safetensors")).toMatchObject({ hardLinkOf: "model-copy.safetensors", sizeBytes: 12_365 });
    expect(of("code/modeling.py")).not.toHaveProperty("sha256");
  });
  it("reads files when it is asked to, the ones with two names once", async () => {
    const { entries } = await list(good, true);
    const of = (path: string) => entries.find((e) => e.path === path);
    expect(of("code/modeling.py")?.sha256).toBe(sha256("print('hello')\n"));
    // `printf x | git hash-object --stdin`
    expect(of("code/deeper/x")?.gitSha1).toBe("c1b0730e0133447badcfd47fd144e254807b06e1");
    expect(of("model.safetensors")?.sha256).toBe(of("model-copy.safetensors")?.sha256);
    expect(entries.filter((e) => e.sha256 !== undefined).every((e) => e.kind === "file")).toBe(true);
    expect(entries.every((e) => e.kind !== "file" || e.sha256 !== undefined)).toBe(true);
  });
  it("says what lies behind the file system, and what is missing", async () => {
    const longer = written("longer.img", Buffer.concat([states.good, Buffer.alloc(8192)]));
    expect((await list(longer)).notes.join(" ")).toContain("Behind the file system lie 8192 bytes");
    const short = written("short.img", states["image-truncated"]);
    expect((await list(short)).notes.join(" ")).toContain("The image ends 4096 bytes before its file system does");
  });
  it("shows both checksums and uses no word of a verdict", async () => {
    const bad = written("checksum.img", states["image-checksum"]);
    const { superblock } = await list(bad);
    expect(superblock["checksum"]).not.toBe(superblock["computedChecksum"]);
    const result = await listDisk({ image: bad, digests: true });
    expect(result.exitCode).toBe(0);
    for (const text of [result.text(view), result.json()])
      expect(text).not.toMatch(/verified|trusted|authentic|valid/i);
  });
  it("makes names harmless, and begins no line with one", async () => {
    const hostile = "a\n\u001b[2Jverified\u202e";
    const { bytes } = makeErofs(directory({ [hostile]: file("x"), link: symlink(`to ${hostile}`) }));
    const result = await listDisk({ image: written("hostile.img", bytes), digests: true });
    const lines = result.text(view).split("\n");
    expect(lines.filter((l) => l.includes("verified"))).toEqual([
      String.raw`file       0644   1  a\u{0a}\u{1b}[2Jverified\u{202e}`,
      String.raw`    target: to a\u{0a}\u{1b}[2Jverified\u{202e}`,
    ]);
    expect(result.json()).not.toMatch(/[^\n\x20-\x7e]/);
    const { entries } = JSON.parse(result.json()) as Document;
    expect(entries.map((e) => e.path)).toContain(hostile);
  });

  test.each([
    ["erofs-superblock", "PM_EVIDENCE_MALFORMED", 1, /magic 0x/],
    ["erofs-tree", "PM_EVIDENCE_MALFORMED", 1, /the superblock counts 5/],
    ["unsupported", "PM_EVIDENCE_UNSUPPORTED", 3, /DEVICE_TABLE/],
  ] as const)("ends with %s as an error, and a hint", async (state, code, status, message) => {
    const image = written(`${state}.img`, states[state]);
    const error = await failure(image);
    expect([error.code, error.message.startsWith(`${image}: `), error.hint !== undefined]).toEqual([code, true, true]);
    expect(error.message).toMatch(message);
    const ran = await runPm(["disk", "list", image, "--json"]);
    expect(ran.status).toBe(status);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code } });
  });
  it("is a command", async () => {
    const ran = await runPm(["disk", "list", good, "--digests", "--json"]);
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
    expect(JSON.parse(ran.stdout)).toEqual(await list(good, true));
    expect((await runPm(["disk", "list", "-"])).status).toBe(2);
    expect((await runPm(["disk", "list", join(folder, "missing")])).status).toBe(2);
    expect((await runPm(["disk", "list"])).status).toBe(2);
  });
});

/** Files by path; `->` before a link's target, `=` before the name of another file. */
type Shape = Readonly<Record<string, string | Uint8Array>>;
const bytesOf = (length: number): Uint8Array => prng("shapes").bytes(String(length), length);
const sizes = [0, 1, 2000, 4031, 4032, 4063, 4064, 4065, 4095, 4096, 4097, 8191, 8192, 8193, 12_288, 1_048_577];
const shapes: Readonly<Record<string, Shape>> = {
  "one file": { "config.json": "{}" },
  "an empty folder": {},
  "empty files": { a: "", b: "", "c/d": "" },
  "files of every size about a block's": Object.fromEntries(sizes.map((n) => [`size-${n}`, bytesOf(n)])),
  "a folder of 700 files": Object.fromEntries(
    Array.from({ length: 700 }, (_, i) => [`shards/model-${String(i).padStart(5, "0")}-of-00700`, `shard ${i}`]),
  ),
  "a folder of 2000 tails of all sizes": Object.fromEntries(
    Array.from({ length: 2000 }, (_, i) => [`${i * 7919}`, bytesOf((i * 37) % 4100)]),
  ),
  "folders 40 deep": { [`${"d/".repeat(40)}f`]: "deep", [`${"e/".repeat(40)}f`]: "deep too" },
  "links of both kinds": {
    "real/file": "content",
    short: "->real/file",
    long: `->${"x".repeat(3000)}`,
    dangling: "->/nowhere at all",
    hard: "=real/file",
    "real/hard too": "=real/file",
  },
  "names of all kinds": Object.fromEntries(
    [
      "with space",
      "-dash",
      "!",
      "é",
      "日本語",
      "\u{1f600}",
      "\ufeffmark",
      // 1.5 makes none of 255 bytes.
      "x".repeat(200),
      "a\nb",
      "..a",
      ".a",
      "A",
      "~",
    ].map((name) => [name, name]),
  ),
};
const args = ["-T0", "-x-1", "--all-root", "-U", "00000000-0000-0000-0000-000000000000"];
const installed = spawnSync("mkfs.erofs", ["--help"]).error === undefined;
if (!installed) process.stderr.write('notice: skipped "images of mkfs.erofs": it is not installed (erofs-utils)\n');

function build(name: string, shape: Shape): { readonly source: string; readonly image: string } {
  const source = join(folder, name, "source");
  mkdirSync(source, { recursive: true });
  for (const [path, content] of Object.entries(shape)) {
    const at = join(source, path);
    mkdirSync(dirname(at), { recursive: true });
    if (typeof content === "string" && content.startsWith("->")) symlinkSync(content.slice(2), at);
    else if (typeof content === "string" && content.startsWith("=")) linkSync(join(source, content.slice(1)), at);
    else writeFileSync(at, content, { mode: path.length % 2 === 0 ? 0o644 : 0o755 });
  }
  const image = join(folder, name, "disk.img");
  const made = spawnSync("mkfs.erofs", [...args, image, source], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`mkfs.erofs: ${made.stderr}${made.stdout}`);
  return { source, image };
}

describe.skipIf(!installed)("an image of mkfs.erofs", () => {
  test.each(Object.entries(shapes))("has the files that it was made of: %s", async (name, shape) => {
    const { source, image } = build(name, shape);
    const { entries, superblock, notes } = await list(image, true);
    const folders = Object.keys(shape).flatMap((p) => p.split("/").map((_, i, parts) => parts.slice(0, i).join("/")));
    expect(entries.map((e) => e.path).sort()).toEqual([...new Set(["", ...folders, ...Object.keys(shape)])].sort());
    for (const e of entries) {
      const at = join(source, e.path);
      const stat = lstatSync(at);
      expect([e.path, Number.parseInt(e.mode, 8)]).toEqual([e.path, stat.mode & 0o7777]);
      if (e.kind === "file") expect([e.path, e.sha256]).toEqual([e.path, sha256(readFileSync(at))]);
      else if (e.kind === "symlink") expect(e.target).toBe(readlinkSync(at));
      else expect(stat.isDirectory()).toBe(true);
    }
    expect(superblock["checksum"]).toBe(superblock["computedChecksum"]);
    expect(superblock["inodes"]).toBe(String(new Set(entries.filter((e) => e.hardLinkOf === undefined)).size));
    expect(notes.length).toBe(1);
  });
});
