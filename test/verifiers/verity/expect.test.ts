/** The file of expected files: written in one form, read without guessing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PmError } from "../../../src/errors.ts";
import { decodeExpect, type ExpectedFiles, encodeExpect, foldersOf } from "../../../src/verifiers/verity/expect.ts";

const id = (digit: string, length = 40): string => digit.repeat(length);
const good: ExpectedFiles = {
  commit: id("c"),
  objectFormat: "sha1",
  excluded: ["original/*", "*.bin"],
  files: [
    { path: "README.md", mode: "100644", blob: id("1"), sizeBytes: 10 },
    { path: "link", mode: "120000", blob: id("2"), sizeBytes: 9 },
    { path: "run.sh", mode: "100755", blob: id("3"), sizeBytes: 0 },
    {
      path: "w/model.safetensors",
      mode: "100644",
      blob: id("4"),
      sizeBytes: 134,
      lfs: { sha256: id("5", 64), sizeBytes: 595_205_042_176 },
    },
  ],
  excludedFiles: [{ path: "original/a", mode: "100644", blob: id("6"), sizeBytes: 1 }],
  submodules: ["sub/other"],
};
const decode = (text: string) => decodeExpect(Buffer.from(text, "utf8"), "expect.json");
type Doc = Record<string, unknown> & { files: Record<string, unknown>[]; excludedFiles: Record<string, unknown>[] };
/** The good document with one thing wrong. */
const edited = (edit: (doc: Doc) => void): string => {
  const doc = JSON.parse(encodeExpect(good)) as Doc;
  edit(doc);
  return JSON.stringify(doc, null, 2);
};
const file = (doc: Doc, index: number): Record<string, unknown> => doc.files[index] ?? {};

test("what was written is read again", () => expect(decode(encodeExpect(good))).toEqual(good));

test("the order in which files were found does not show", () => {
  const turned = { ...good, files: [...good.files].reverse() };
  expect(encodeExpect(turned)).toBe(encodeExpect(good));
});

test("SHA-256 repositories have longer ids", () => {
  const long = {
    ...good,
    commit: id("c", 64),
    objectFormat: "sha256" as const,
    files: good.files.map((f) => ({ ...f, blob: id("1", 64) })),
    excludedFiles: [],
  };
  expect(decode(encodeExpect(long))).toEqual(long);
});

test.each<[string, (doc: Doc) => void, RegExp]>([
  ["no file", (d) => d.files.splice(0), /no file/],
  ["an unknown member", (d) => Object.assign(d, { more: 1 }), /unknown member more/],
  ["an unknown member of a file", (d) => Object.assign(file(d, 0), { sha256: id("5", 64) }), /unknown member sha256/],
  ["a member left out", (d) => delete d["submodules"], /without submodules/],
  ["a file without its blob", (d) => delete file(d, 0)["blob"], /without blob/],
  ["another kind", (d) => Object.assign(d, { kind: "pm-disk" }), /kind is not pm-disk-expect/],
  ["a schemaVersion that is text", (d) => Object.assign(d, { schemaVersion: "1" }), /schemaVersion/],
  ["a short commit", (d) => Object.assign(d, { commit: "abcdef0" }), /whole sha1 id/],
  ["a commit in upper case", (d) => Object.assign(d, { commit: id("C") }), /whole sha1 id/],
  ["ids of the other format", (d) => Object.assign(d, { objectFormat: "sha256" }), /whole sha256 id/],
  ["an unknown format", (d) => Object.assign(d, { objectFormat: "md5" }), /sha1 or sha256/],
  ["a blob that is no id", (d) => Object.assign(file(d, 0), { blob: "" }), /whole object id/],
  ["a mode of a folder", (d) => Object.assign(file(d, 0), { mode: "40000" }), /100644/],
  ["a size below zero", (d) => Object.assign(file(d, 0), { sizeBytes: -1 }), /number of bytes/],
  ["a size with a fraction", (d) => Object.assign(file(d, 0), { sizeBytes: 1.5 }), /number of bytes/],
  ["a size that is text", (d) => Object.assign(file(d, 0), { sizeBytes: "1" }), /number of bytes/],
  ["an absolute path", (d) => Object.assign(file(d, 0), { path: "/README.md" }), /part ""/],
  ["a path with ..", (d) => Object.assign(file(d, 0), { path: "a/../b" }), /part ".."/],
  ["a path with .", (d) => Object.assign(file(d, 0), { path: "./b" }), /part "."/],
  ["a path into .git", (d) => Object.assign(file(d, 0), { path: ".git/config" }), /part ".git"/],
  ["an empty path", (d) => Object.assign(file(d, 0), { path: "" }), /part ""/],
  ["a path with NUL", (d) => Object.assign(file(d, 0), { path: "a\0b" }), /NUL/],
  ["a deep path", (d) => Object.assign(file(d, 0), { path: "a/".repeat(64).concat("a") }), /64 parts/],
  ["a long name", (d) => Object.assign(file(d, 0), { path: "é".repeat(128) }), /255 bytes/],
  ["a path twice", (d) => Object.assign(file(d, 0), { path: "link" }), /link stands there twice/],
  [
    "a path among files and excluded files",
    (d) => d.excludedFiles.push({ ...file(d, 0) }),
    /README.md stands there twice/,
  ],
  ["a file where a folder is", (d) => Object.assign(file(d, 0), { path: "w" }), /lies below w/],
  ["a file that a pattern leaves out", (d) => Object.assign(file(d, 0), { path: "x.bin" }), /a pattern leaves it out/],
  ["an excluded file without a pattern", (d) => Object.assign(d, { excluded: [] }), /no pattern leaves it out/],
  ["a pattern that leads out", (d) => Object.assign(d, { excluded: ["../*", "*"] }), /leads out/],
  ["an LFS digest that is short", (d) => Object.assign(file(d, 3), { lfs: { sha256: "ab", sizeBytes: 1 } }), /64 hex/],
  [
    "an LFS entry without size",
    (d) => Object.assign(file(d, 3), { lfs: { sha256: id("5", 64) } }),
    /without sizeBytes/,
  ],
  ["an LFS entry of null", (d) => Object.assign(file(d, 3), { lfs: null }), /not an object/],
  ["a symbolic link out of LFS", (d) => Object.assign(file(d, 3), { mode: "120000" }), /no LFS file/],
  ["files that are no list", (d) => Object.assign(d, { files: {} }), /not a list/],
])("refuses %s", (_, edit, message) => {
  const read = () => decode(edited(edit));
  expect(read).toThrow(expect.objectContaining({ code: "PM_EVIDENCE_MALFORMED" }));
  expect(read).toThrow(message);
  expect(read).toThrow(/line \d+, column \d+|exclusion pattern/);
});

test("a member that stands twice is refused, whichever a reader would take", () => {
  const twice = encodeExpect(good).replace('"sizeBytes": 10', '"sizeBytes": 10,\n      "sizeBytes": 11');
  expect(() => decode(twice)).toThrow(/member sizeBytes twice/);
});

test("another schemaVersion is unsupported, not malformed", () => {
  expect(() => decode(edited((d) => Object.assign(d, { schemaVersion: 2 })))).toThrow(
    expect.objectContaining({ code: "PM_EVIDENCE_UNSUPPORTED" }),
  );
});

test("folders of a path, outermost first", () => {
  expect(foldersOf("a/b/c")).toEqual(["a", "a/b"]);
  expect(foldersOf("a")).toEqual([]);
});

describe("any bytes", () => {
  test("give a value or a typed error", () => {
    const text = Buffer.from(encodeExpect(good));
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(255), fc.uint8Array({ maxLength: 100 }), (at, byte, noise) => {
        for (const bytes of [noise, text.subarray(0, at), text.map((b, i) => (i === at ? byte : b))])
          try {
            decodeExpect(bytes, "expect.json");
          } catch (error) {
            expect(error).toBeInstanceOf(PmError);
          }
      }),
    );
  });
});
