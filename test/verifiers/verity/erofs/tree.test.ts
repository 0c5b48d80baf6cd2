import { describe, expect, it, test } from "vitest";
import { changed, directory, type ErofsNode, file, symlink } from "../../../../fixtures/generator/erofs.ts";
import { listed, made, refused, sample } from "./world.ts";

const paths = (root: ErofsNode): string[] => listed(made(root).bytes).entries.map((e) => e.path);

describe("an EROFS tree", () => {
  it("is listed from the root on, each directory before what is in it, names bytewise", () => {
    const tree = directory({
      b: file("b"),
      "!": file("before the dots"),
      "-": file("before the dots, too"),
      Z: directory({ y: file("y"), x: directory({}) }),
      "a b": symlink("b"),
      é: file("two bytes"),
      "\u{10000}": file("four bytes, behind U+FFFF although its UTF-16 is not"),
      "\uffff": file("three bytes"),
    });
    const names = ["!", "-", "Z", "Z/x", "Z/y", "a b", "b", "é", "\uffff", "\u{10000}"];
    expect(paths(tree)).toEqual(["", ...names]);
  });
  it("may have a directory of several blocks, with or without a tail", () => {
    for (const n of [1, 100, 339, 340, 341, 1000]) {
      const names = Array.from({ length: n }, (_, i) => `file-${String(i).padStart(4, "0")}`);
      const tree = directory(Object.fromEntries(names.map((name) => [name, file(name)])));
      expect(paths(tree), String(n)).toEqual(["", ...names]);
      expect(paths({ ...tree, plain: true }), `${n}, plain`).toEqual(["", ...names]);
    }
  });
  it("keeps names of 255 bytes and a byte order mark", () => {
    expect(paths(directory({ ["x".repeat(255)]: file("") }))).toEqual(["", "x".repeat(255)]);
    expect(paths(directory({ a: file("1"), "\ufeffa": file("2") }))).toEqual(["", "a", "\ufeffa"]);
  });
  it("counts a file with two names once", () => {
    const both = file("both");
    const { inodes, entries } = listed(made(directory({ a: both, d: directory({ b: both }) })).bytes);
    expect([inodes, entries.length]).toEqual([3, 4]);
  });

  const nested = (depth: number): ErofsNode =>
    Array.from({ length: depth }).reduce<ErofsNode>((inner) => directory({ d: inner }), file("deepest"));
  it("may be 256 directories deep below the root, and no deeper", () => {
    expect(paths(nested(257)).length).toBe(258);
    expect(refused(made(nested(258)).bytes)).toMatch(/^unsupported: .*more than 256 directories deep/);
  });
  it("has no path longer than Linux takes", () => {
    const long = Array.from({ length: 17 }).reduce<ErofsNode>((d) => directory({ ["n".repeat(250)]: d }), file(""));
    expect(refused(made(long).bytes)).toMatch(/^unsupported: a path of 4266 bytes/);
  });
  it("has a bounded number of names", () => {
    const one = file("one", { extended: true });
    const many = Object.fromEntries(Array.from({ length: 250_001 }, (_, i) => [i.toString(36), one]));
    expect(refused(made(directory(many)).bytes)).toMatch(/^unsupported: .*more than 250000 entries/);
  });
});

describe("an EROFS tree is refused", () => {
  const m = made(
    directory({
      a: directory({ deep: directory({ f: file("f") }) }),
      b: directory({ g: file("g") }),
      c: file("c"),
      d: file("d"),
    }),
  );
  const nid = (directoryPath: string, name: string, to: number | bigint) =>
    changed(m.bytes, (v) => v.setBigUint64(m.dirent(directoryPath, name).entry, BigInt(to), true));
  const u8 = (at: number, value: number) => changed(m.bytes, (v) => v.setUint8(at, value));
  const nameOff = (directoryPath: string, name: string, value: number) =>
    changed(m.bytes, (v) => v.setUint16(m.dirent(directoryPath, name).entry + 8, value, true));
  const to = (path: string): number => m.place(path).nid;
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["a loop to the root", nid("a", "deep", to("")), /^erofs-tree: a\/deep: directory nid 36 is reached a second time/],
    ["a loop to itself", nid("a", "deep", to("a")), /^erofs-tree: a\/deep: .*reached a second time/],
    ["a directory by two names", nid("", "b", to("a")), /^erofs-tree: b: directory nid \d+ is reached a second time/],
    ["a nid beyond the end", nid("", "c", m.bytes.length / 32), /^erofs-range: c .*beyond the end/],
    ["a nid of 2^53", nid("", "c", 2n ** 53n), /^erofs-range: c \(nid 9007199254740992\): no such inode/],
    ["a nid with its highest bit", nid("", "c", 2n ** 63n + BigInt(to("c"))), /^erofs-range: c .*no such inode/],
    ["a nid in the superblock", nid("", "c", 34), /^erofs-range: c .*over the superblock/],
    ["a nid of a directory under a file's name", nid("", "c", to("b")), /^erofs-directory: c: file_type says file/],
    [
      "a nid of a file under a directory's name",
      nid("", "b", to("c")),
      /^erofs-directory: b: file_type says directory/,
    ],
    ["'.' that is another directory", nid("a", ".", to("b")), /^erofs-directory: a .*"\." names \d+, expected/],
    ["'..' that is another directory", nid("a/deep", "..", to("b")), /^erofs-directory: a\/deep .*"\.\." names/],
    ["'.' that is no directory", u8(m.dirent("a", ".").entry + 10, 1), /^erofs-directory: a .*"\." names no directory/],
    ["'..' by another name", u8(m.dirent("b", "..").name + 1, 0x2d), /^erofs-directory: b/],
    ["file_type 0", u8(m.dirent("", "c").entry + 10, 0), /^erofs-directory: .*file_type 0; known: 1 to 7/],
    ["file_type 8", u8(m.dirent("", "c").entry + 10, 8), /^erofs-directory: .*file_type 8/],
    [
      "names out of order",
      u8(m.dirent("", "c").name, 0x7a),
      /^erofs-directory: .*"d" is not behind the name before it/,
    ],
    ["one name twice", u8(m.dirent("", "d").name, 0x63), /^erofs-directory: .*"c" is not behind the name before it/],
    ["a slash in a name", u8(m.dirent("", "c").name, 0x2f), /^erofs-directory: .*entry 4: a name with "\/" in it/],
    ["a NUL in a name", u8(m.dirent("a", "..").name + 1, 0), /^erofs-directory: .*entry 1: a name with a NUL in it/],
    ["a NUL for a last name", u8(m.dirent("", "d").name, 0), /^erofs-directory: .*entry 5: a name of 0 bytes/],
    ["a name that is not UTF-8", u8(m.dirent("", "d").name, 0xff), /^unsupported: .*a name: not UTF-8: ff/],
    ["a first nameoff of 0", nameOff("", ".", 0), /^erofs-directory: .*entry 0: nameoff 0/],
    ["a first nameoff between entries", nameOff("", ".", 71), /^erofs-directory: .*entry 0: nameoff 71/],
    ["one entry fewer than there are", nameOff("", ".", 60), /^erofs-directory: /],
    ["one entry more than there are", nameOff("a", ".", 48), /^erofs-directory: /],
    [
      "entries beyond the block",
      nameOff("a", ".", 12 * 100),
      /^erofs-directory: .*nameoff 1200: no multiple of 12 within/,
    ],
    ["a nameoff before the one before it", nameOff("", "c", 73), /^erofs-directory: /],
    [
      "a nameoff of the next name",
      nameOff("", "c", m.dirent("", "d").name - m.dirent("", ".").entry),
      /^erofs-directory: .*entry 4/,
    ],
    ["a nameoff beyond the directory", nameOff("", "d", 4000), /^erofs-directory: /],
  ];
  test.each(cases)("%s", (_name, bytes, message) => expect(refused(bytes)).toMatch(message));

  const size = (path: string, bytes: number) =>
    changed(m.bytes, (v) => v.setUint32(m.place(path).inode + 8, bytes, true));
  test.each([0, 1, 11, 12, 24])("a directory of %i bytes", (bytes) =>
    expect(refused(size("b", bytes))).toMatch(/^erofs-directory: /),
  );
  test("a name that a block's order hides from the next", () => {
    const { entry, name } = sample.dirent("shards", "shard-399 of 400 é");
    expect(entry).toBeGreaterThan(0);
    expect(refused(changed(sample.bytes, (v) => v.setUint8(name, 0x21)))).toMatch(/^erofs-directory: .*not behind/);
  });
});
