import { describe, expect, it, test } from "vitest";
import { changed, directory, file, type MadeErofs, symlink } from "../../../../fixtures/generator/erofs.ts";
import { contentOf, listed, made, refused } from "./world.ts";

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + 1) & 0xff);
const entry = ({ bytes }: MadeErofs, path: string) => listed(bytes).entries.find((e) => e.path === path);
const read = (m: MadeErofs, path: string): Uint8Array =>
  Buffer.concat((entry(m, path)?.extents ?? []).map((e) => m.bytes.subarray(e.offset, (e.offset ?? 0) + e.length)));

describe("an EROFS file", () => {
  const sizes = [0, 1, 4000, 4032, 4033, 4063, 4064, 4065, 4095, 4096, 4097, 8191, 8192, 8193, 20_000];
  for (const more of [
    {},
    { extended: true },
    { plain: true },
    { extended: true, plain: true },
    { xattrCount: 9 },
  ] as const)
    test.each(sizes)(`of %i bytes is found whole, ${JSON.stringify(more)}`, (size) => {
      const m = made(directory({ before: file("before"), f: file(bytesOf(size), more), z: file("behind") }));
      expect(Buffer.from(read(m, "f")).equals(bytesOf(size))).toBe(true);
      expect(entry(m, "f")?.sizeBytes).toBe(size);
    });
  it("keeps its permission bits, also set-user-ID, and its links", () => {
    const shared = file("x", { mode: 0o4751 });
    const m = made(directory({ a: shared, b: shared }));
    expect(entry(m, "a")).toMatchObject({ mode: 0o4751, links: 2, uid: 0, gid: 0 });
    expect(entry(m, "b")?.nid).toBe(entry(m, "a")?.nid);
  });
  it("is listed with owner and group of its inode's form", () => {
    const m = made(directory({ c: file("x"), e: file("x", { extended: true }) }));
    const owned = changed(m.bytes, (v) => {
      v.setUint16(m.place("c").inode + 24, 1, true);
      v.setUint16(m.place("c").inode + 26, 2, true);
      v.setUint32(m.place("e").inode + 24, 3_000_000, true);
      v.setUint32(m.place("e").inode + 28, 4, true);
    });
    const ids = listed(owned).entries.map((e) => [e.path, e.uid, e.gid]);
    expect(ids).toEqual([
      ["", 0, 0],
      ["c", 1, 2],
      ["e", 3_000_000, 4],
    ]);
  });
  it.each(["fifo", "character", "block", "socket"] as const)("may be a %s, without content", (kind) => {
    const m = made(directory({ x: { kind } }));
    expect(entry(m, "x")).toMatchObject({ kind, sizeBytes: 0, extents: [], target: undefined });
  });
  it("may be a symbolic link, in its inode or in a block", () => {
    const m = made(
      directory({ a: symlink("../b c/é"), b: symlink("x".repeat(4095)), c: symlink("q", { plain: true }) }),
    );
    expect(["a", "b", "c"].map((p) => entry(m, p)?.target)).toEqual(["../b c/é", "x".repeat(4095), "q"]);
    expect(entry(m, "a")?.extents).toEqual([]);
  });
});

describe("an EROFS inode is refused", () => {
  const m = made(
    directory({
      e: file(bytesOf(4097), { extended: true }),
      f: file(bytesOf(5000)),
      full: file(bytesOf(4096)),
      l: symlink("to"),
      p: { kind: "fifo" },
      s: file("small"),
    }),
  );
  const at = (path: string, offset: number): number => m.place(path).inode + offset;
  const u16 = (path: string, offset: number, value: number) =>
    changed(m.bytes, (v) => v.setUint16(at(path, offset), value, true));
  const u32 = (path: string, offset: number, value: number) =>
    changed(m.bytes, (v) => v.setUint32(at(path, offset), value, true));
  const blocks = m.bytes.length / 4096;
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["compressed layout 1", u16("f", 0, 1 << 1), /^unsupported: f .*data layout 1, compressed/],
    ["compressed layout 3", u16("f", 0, 3 << 1), /^unsupported: f .*data layout 3, compressed/],
    ["chunks", u16("f", 0, 4 << 1), /^unsupported: f .*data layout 4, chunk based/],
    ["layout 5", u16("f", 0, 5 << 1), /^unsupported: f .*data layout 5;/],
    ["bit 4 of i_format", u16("f", 0, (1 << 4) | 4), /^unsupported: f .*i_format 0x14/],
    ["bit 15 of i_format", u16("f", 0, 0x8004), /^unsupported: f .*i_format 0x8004/],
    ["no kind", u16("f", 4, 0o644), /^erofs-inode: f .*i_mode 0o644 .*no kind/],
    ["two kinds", u16("f", 4, 0xf1a4), /^erofs-inode: f .*no kind of file/],
    ["another kind than its name", u16("s", 4, 0xa1a4), /^erofs-directory: s: file_type says file, .* is a symlink/],
    ["longer than the file system", u32("f", 8, m.bytes.length + 1), /^erofs-range: f .*i_size/],
    ["64 bits long", u32("e", 12, 1), /^erofs-range: e .*i_size 4294971393/],
    ["2^63 long", u32("e", 12, 0x80000000), /^erofs-range: e .*i_size/],
    ["high bits of its first block", u16("e", 6, 1), /^unsupported: e .*i_nb 1/],
    ["first block beyond the end", u32("full", 16, blocks), /^erofs-range: full .*data: .*beyond the end/],
    ["first block far beyond the end", u32("full", 16, 0xffffffff), /^erofs-range: full .*data/],
    ["data over the superblock", u32("full", 16, 0), /^erofs-range: full .*over the superblock/],
    ["last block beyond the end", u32("f", 8, 4096 * blocks - 1), /^erofs-range: f .*data/],
    ["a full tail", u32("f", 8, 8192), /^erofs-inode: f .*tail of 4096 bytes .*crosses/],
    ["a tail across a block's end", u32("f", 8, 8191), /^erofs-inode: f .*tail of 4095 bytes .*crosses/],
    ["attributes across a block's end", u16("f", 2, 600), /^erofs-inode: f .*tail of 904 bytes .*crosses/],
    ["attributes beyond the end", u16("f", 2, 0xffff), /^erofs-range: f .*tail/],
    ["a pipe with content", u32("p", 8, 1), /^erofs-inode: p .*a fifo of 1 bytes/],
    ["an empty target", u32("l", 8, 0), /^erofs-inode: l .*target of 0 bytes/],
    [
      "a target longer than a path",
      changed(u16("l", 0, 0), (v) => {
        v.setUint32(at("l", 8), 4096, true);
        v.setUint32(at("l", 16), 1, true);
      }),
      /^erofs-inode: l .*target of 4096 bytes/,
    ],
  ];
  it("and the image is good without the change", () => expect(contentOf(m.bytes)).toContain('"path":"full"'));
  test.each(cases)("%s", (_name, bytes, message) => expect(refused(bytes)).toMatch(message));
  test("a target with a NUL", () => {
    const bytes = changed(m.bytes, (v) => v.setUint8(m.place("l").tail ?? 0, 0));
    expect(refused(bytes)).toMatch(/^erofs-inode: l .*target has a NUL/);
  });
  test("a target that is not UTF-8", () => {
    const bytes = changed(m.bytes, (v) => v.setUint8(m.place("l").tail ?? 0, 0xff));
    expect(refused(bytes)).toMatch(/^unsupported: l .*target: not UTF-8: ff6f/);
  });
});
