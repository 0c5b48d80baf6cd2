/** Privatemode's list of excluded files, expanded as bash expands it from the top of a checkout. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { excludedWords, excluder } from "../../../src/verifiers/verity/exclude.ts";

const out = (list: string, path: string): boolean => excluder(excludedWords(list))(path);

test("splits at commas and white space, and drops empty words", () => {
  expect(excludedWords(" a,b c,\n,\td ")).toEqual(["a", "b", "c", "d"]);
  expect(excludedWords("")).toEqual([]);
});

test.each<[string, string, boolean]>([
  ["a.bin", "a.bin", true],
  ["a.bin", "sub/a.bin", false],
  ["*.bin", "a.bin", true],
  ["*.bin", "sub/a.bin", false],
  ["*", ".gitattributes", false],
  [".*", ".gitattributes", true],
  ["*", "sub/a.bin", true],
  ["original/*", "original/a/b.bin", true],
  ["original/*", "original/.a", false],
  ["original", "original/a", true],
  ["original/", "original/a", true],
  ["original/", "original", false],
  ["./original//a", "original/a", true],
  ["**/a", "x/y/a", false],
  ["**/a", "x/a", true],
  ["?.bin", "ab.bin", false],
  ["?.bin", "é.bin", true],
  ["[a-c].bin", "b.bin", true],
  ["[!a-c].bin", "b.bin", false],
  ["[^a-c].bin", "d.bin", true],
  ["[]x]", "]", true],
  ["[x", "[x", true],
  ["[a-]", "-", true],
  ["[.]a", ".a", false],
  ["a.b", "axb", false],
  ["{a,b}", "a", false],
  ["A.bin", "a.bin", false],
])("%j takes %j: %s", (list, path, expected) => expect(out(list, path)).toBe(expected));

test.each([
  ["an absolute path", "/etc/passwd"],
  ["a path that leads out", "../x"],
  ["a path that leads out on the way", "a/../../x"],
  ["the checkout itself", "./"],
  ["a backslash", "a\\*"],
  ["a class of characters", "[[:alpha:]]"],
  ["a range that runs backwards", "[z-a]"],
  ["a pattern without end", "a".repeat(1025)],
])("refuses %s", (_, list) => {
  expect(() => excluder(excludedWords(list))).toThrow(expect.objectContaining({ code: "PM_EVIDENCE_MALFORMED" }));
});

test("refuses a list of hundreds of patterns", () => {
  expect(() => excluder(Array.from({ length: 201 }, () => "a"))).toThrow(/more than 200/);
});

test("many stars end as soon as few do", () => {
  expect(out(`${"*a".repeat(100)}b`, "a".repeat(255))).toBe(false);
});

const hasBash = spawnSync("bash", ["-c", "exit 0"]).status === 0;
if (!hasBash) process.stderr.write("notice: bash is not installed: patterns are not compared with its own\n");

describe.skipIf(!hasBash)("beside bash", () => {
  const folder = mkdtempSync(join(tmpdir(), "pm-exclude-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const files = ["a", "b", "ab", ".a", "a.bin", "b.bin", "-", "s/a", "s/.a", "s/ab", "s/t/a", "s/t/b.bin", ".s/a", "]"];
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
  /** For each list the files under what bash makes of it, unquoted, with nullglob. */
  const byBash = (lists: readonly string[]): string[][] => {
    const script =
      'shopt -s nullglob; IFS=$\' \\t\\n\'; for l in "$@"; do for w in $l; do printf "%s\\0" "$w"; done; printf "\\n\\0"; done';
    const { stdout } = spawnSync("bash", ["-c", script, "bash", ...lists.map((l) => l.replaceAll(",", " "))], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8" },
      encoding: "utf8",
    });
    return stdout
      .split("\n\0")
      .slice(0, -1)
      .map((text) => {
        const words = text.split("\0").filter((w) => w !== "");
        const plain = words.map((w) => w.replace(/\/+/g, "/").replace(/^(\.\/)+/, ""));
        return files.filter((f) => plain.some((w) => f === w || f.startsWith(w.endsWith("/") ? w : `${w}/`)));
      });
  };
  const part = fc.array(fc.constantFrom("a", "b", "s", "t", ".", "*", "?", "[ab]", "[!a]", "[a-s]", "[", "]", "bin"), {
    minLength: 1,
    maxLength: 4,
  });
  const word = fc
    .array(part, { minLength: 1, maxLength: 3 })
    .map((parts) => parts.map((p) => p.join("")).join("/"))
    .filter((w) => w.split("/").every((p) => !/^\.+$/.test(p)) && !/\[[.:=]/.test(w));
  test("the same files are left out", () => {
    const lists = fc.sample(
      fc.array(word, { maxLength: 3 }).map((words) => words.join(",")),
      { numRuns: 1000, seed: 6 },
    );
    const found = lists.map((list) => `${list}: ${files.filter((f) => out(list, f)).join(" ")}`);
    expect(found).toEqual(byBash(lists).map((taken, i) => `${lists[i]}: ${taken.join(" ")}`));
    expect(found.filter((f) => !f.endsWith(": ")).length).toBeGreaterThan(100);
  });
});
