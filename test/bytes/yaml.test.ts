import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readYaml } from "../../src/bytes/yaml.ts";
import { PmError } from "../../src/errors.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string) => readYaml(bytes(text), { what: "file", reasonCode: "deployment-malformed" });

describe("readYaml", () => {
  test("keeps documents, pointers and places, and leaves out empty documents", () => {
    const { documents, place } = read("---\na:\n  - b: yes\n---\n---\n- 1\n");
    expect(documents.map((d) => d.root.kind)).toEqual(["object", "array"]);
    const [first] = documents;
    const list = first?.root.kind === "object" ? first.root.members[0]?.value : undefined;
    const item = list?.kind === "array" ? list.items[0] : undefined;
    const word = item?.kind === "object" ? item.members[0]?.value : undefined;
    // YAML 1.2: "yes" is a word.
    expect(word).toMatchObject({ kind: "string", value: "yes", at: "/a/0/b" });
    expect(place(word?.offset ?? 0)).toEqual({ line: 3, column: 8 });
  });
  test("writes aliases out", () => {
    const [document] = read("a: &x { b: 1 }\nc: *x\n").documents;
    expect(document?.root.kind === "object" && document.root.members[1]?.value).toMatchObject({ kind: "object" });
  });
  test.each([
    ["a key that stands twice", "a: 1\na: 2\n"],
    ["a merge key", "a: &a { b: c }\nd: { <<: *a }\n"],
    ["a directive", "%YAML 1.1\n---\na: yes\n"],
    ["a cycle of aliases", "a: &a [*a]\n"],
    ["an alias of no anchor", "a: *b\n"],
    ["an anchor of another document", "a: &x 1\n---\nb: *x\n"],
    ["an unknown tag", "a: !thing 1\n"],
    ["binary content", "a: !!binary aGk=\n"],
    ["a tab as indentation", "a:\n\t- b\n"],
    ["a list without its end", "a: [b\n"],
    ["nesting of a thousand levels", "[".repeat(1000) + "]".repeat(1000)],
    ["dashes of a thousand levels", "- ".repeat(1000)],
    ["blocks of a hundred levels", Array.from({ length: 100 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
    [
      "a bomb of aliases",
      `a: &a [x,x,x,x,x,x,x,x,x]\n${[..."bcdefghijk"].map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefghij"[i]}`).join(",")}]`).join("\n")}`,
    ],
    ["more structure than the limit", "- a\n".repeat(200_000)],
    ["more entries than the limit", "- a\n".repeat(10_001)],
    ["a text of eight million brackets", "[".repeat(8_000_000)],
  ])("refuses %s, with a typed error", (_name, text) => {
    let caught: unknown;
    try {
      read(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(PmError);
    expect(caught).toMatchObject({ code: "PM_EVIDENCE_MALFORMED", reasonCode: "deployment-malformed" });
    expect(caught instanceof PmError && caught.message.length).toBeLessThan(300);
  });
  test("refuses bytes that are not UTF-8, and more than the limit", () => {
    expect(() => readYaml(Uint8Array.of(0xff), { what: "file" })).toThrow(/not UTF-8/);
    expect(() => readYaml(new Uint8Array(8 * 1024 * 1024 + 1), { what: "file" })).toThrow(/limit/);
  });
  test("is total: any text gives documents or a PmError", () => {
    const word = fc.constantFrom(
      "- ",
      "a: ",
      "[",
      "]",
      "{",
      "}",
      "&x ",
      "*x",
      "|",
      ">",
      "\n",
      "  ",
      '"',
      "'",
      "#",
      "? ",
      ": ",
      "---\n",
      "!!str ",
      "<<: ",
      "%",
      ",",
      "é",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        try {
          read(words.join(""));
        } catch (error) {
          if (!(error instanceof PmError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
