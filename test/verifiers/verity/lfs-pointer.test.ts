/** Git LFS pointers: the one form that is read, and what merely looks like it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PmError } from "../../../src/errors.ts";
import { readLfsPointer } from "../../../src/verifiers/verity/lfs-pointer.ts";

const read = (text: string) => readLfsPointer(Buffer.from(text, "latin1"), "model.safetensors");
const oid = "ab".repeat(32);
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 12345\n`;

test("names the SHA-256 and the size of the file", () => {
  expect(read(pointer)).toEqual({ sha256: oid, sizeBytes: 12345 });
});

test.each([
  ["an empty file", ""],
  ["text", "# A model\n\nversion https://git-lfs.github.com/spec/v1\n"],
  ["a version of something else", "version 3\nhttps://git-lfs.github.com\n"],
  ["anything of more than 1024 bytes", `${pointer}${" ".repeat(1024)}`],
])("%s is a file like any other", (_, text) => expect(read(text)).toBeUndefined());

test.each([
  ["keys in another order", pointer.replace(/(oid.*\n)(size.*\n)/, "$2$1")],
  ["no oid", pointer.replace(/oid.*\n/, "")],
  ["no size", pointer.replace(/size.*\n/, "")],
  ["two sizes", `${pointer}size 12345\n`],
  ["another hash", pointer.replace("sha256", "sha512")],
  ["an oid in upper case", pointer.replace(oid, oid.toUpperCase())],
  ["a short oid", pointer.replace(oid, oid.slice(2))],
  ["a negative size", pointer.replace("12345", "-1")],
  ["a size with a leading zero", pointer.replace("12345", "012345")],
  ["a size beyond exact integers", pointer.replace("12345", "9999999999999999")],
  ["Windows line ends", pointer.replaceAll("\n", "\r\n")],
  ["no final line end", pointer.slice(0, -1)],
  ["a line before it", `\n${pointer}`],
  ["a line after it", `${pointer}\n`],
  ["an older name of the project", pointer.replace("git-lfs.github.com", "hawser.github.com")],
  ["another version", pointer.replace("/v1", "/v2")],
  ["a cut version line", "version https://git-lfs.github.com"],
])("a pointer with %s is an error, not a file", (_, text) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ code: "PM_EVIDENCE_MALFORMED" }));
});

test("a pointer with extensions is unsupported: the object is not the file", () => {
  const extended = pointer.replace("oid", `ext-0-foo sha256:${oid}\noid`);
  expect(() => read(extended)).toThrow(expect.objectContaining({ code: "PM_EVIDENCE_UNSUPPORTED" }));
});

describe("any bytes", () => {
  test("give a value or a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1100 }), fc.nat(200), (noise, at) => {
        for (const bytes of [noise, Buffer.concat([Buffer.from(pointer).subarray(0, at), noise])])
          try {
            readLfsPointer(bytes, "x");
          } catch (error) {
            expect(error).toBeInstanceOf(PmError);
          }
      }),
    );
  });
});
