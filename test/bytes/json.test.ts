import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonNode, member, readJson, repeated } from "../../src/bytes/json.ts";
import { PmError } from "../../src/errors.ts";

const read = (text: string | Uint8Array) =>
  readJson(typeof text === "string" ? new TextEncoder().encode(text) : text, { what: "test", reasonCode: "test-code" });
const problem = (text: string | Uint8Array): string => {
  try {
    read(text);
  } catch (error) {
    if (error instanceof PmError && error.code === "PM_EVIDENCE_MALFORMED" && error.reasonCode === "test-code")
      return error.message;
    throw error;
  }
  return "accepted";
};
const plain = (node: JsonNode): unknown => {
  switch (node.kind) {
    case "null":
      return null;
    case "number":
      return Number(node.text);
    case "array":
      return node.items.map(plain);
    case "object":
      return Object.fromEntries(node.members.map((m) => [m.name, plain(m.value)]));
    default:
      return node.value;
  }
};

describe("readJson", () => {
  it("keeps numbers as written, members in order, and both of a pair of duplicates", () => {
    const { root, place } = read('{\n "a": 18446744073709551615,\n "b": 2.80e1, "a": [1]}');
    if (root.kind !== "object") throw new Error("no object");
    expect(root.members.map((m) => m.name)).toEqual(["a", "b", "a"]);
    expect(member(root, "a")).toMatchObject({ kind: "number", text: "18446744073709551615", at: "/a" });
    expect(member(root, "b")).toMatchObject({ text: "2.80e1" });
    const [again] = repeated(root);
    expect(again?.name).toBe("a");
    expect(place(again?.offset ?? 0)).toEqual({ line: 3, column: 15 });
  });
  it("writes JSON pointers with escapes", () => {
    const { root } = read('{"a/b~": [{"c": true}]}');
    if (root.kind !== "object") throw new Error("no object");
    expect(root.members[0]?.value).toMatchObject({ items: [{ members: [{ value: { at: "/a~1b~0/0/c" } }] }] });
  });
  it.each([
    ["", "ends where a value was expected"],
    ["\ufeff{}", "byte order mark"],
    ["{} {}", "line 1, column 4: something after the JSON value"],
    ['{"a":1,}', "expected a member name"],
    ["[1,]", "expected a JSON value"],
    ["{'a':1}", "expected a member name"],
    ['{"a" 1}', "expected a colon"],
    ['{"a":1 "b":2}', "expected a comma or a closing brace"],
    ["[1 2]", "expected a comma or a closing bracket"],
    ["01", "something after the JSON value"],
    ["+1", "expected a JSON value"],
    ["1.", "something after"],
    [".5", "expected a JSON value"],
    ["nul", "expected a JSON value"],
    ["NaN", "expected a JSON value"],
    ['"\n"', "a control character in a string"],
    ['"\\x41"', "an unknown escape"],
    ['"\\u12g4"', "without four hex digits"],
    ['"\\ud800"', "half a surrogate pair"],
    ['"abc', "a string without its end"],
    ['"\\', "an unknown escape"],
    [`"\\constructor"`, "an unknown escape"],
    ["// comment\n1", "expected a JSON value"],
    [`${"[".repeat(65)}${"]".repeat(65)}`, "nested deeper than 64"],
    ["1".repeat(65), "more than 64 characters"],
  ])("refuses %j", (text, message) => {
    expect(problem(text)).toContain(message);
  });
  it("refuses more than 200,000 values", () => {
    expect(problem(`[${"0,".repeat(200_000)}0]`)).toContain("more values than the limit");
  });
  it("refuses bytes that are not UTF-8, and more bytes than allowed", () => {
    expect(problem(Uint8Array.of(0x22, 0xff, 0x22))).toBe("test: not UTF-8");
    expect(problem(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).toBe("test: not UTF-8");
    expect(() => readJson(new Uint8Array(11), { what: "test", maxBytes: 10 })).toThrow("more than the limit of 10");
  });
  it("counts lines over many blocks", () => {
    const text = `${" ".repeat(5000)}\n${"\n".repeat(9000)}  ?`;
    expect(problem(text)).toContain("line 9002, column 3");
    expect(problem(`${" ".repeat(9000)}?`)).toContain("line 1, column 9001");
    expect(problem(`${" ".repeat(4095)}\n?`)).toContain("line 2, column 1");
  });
  it("accepts 64 levels and reads the same values as JSON.parse", () => {
    expect(problem(`${"[".repeat(64)}${"]".repeat(64)}`)).toBe("accepted");
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(plain(read(text).root)).toEqual(JSON.parse(text));
      }),
    );
  });
  it("gives a value or a PmError for any bytes, and refuses what JSON.parse refuses", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string({ unit: fc.constantFrom(...'{}[]",:0-1e.\\unltrfas \n') }).map((s) => new TextEncoder().encode(s)),
        ),
        (bytes) => {
          if (problem(bytes) === "accepted") JSON.parse(new TextDecoder().decode(bytes));
        },
      ),
      { numRuns: 5000 },
    );
  });
  it("reads 16 MiB of base64 and of lines", () => {
    const long = new TextEncoder().encode(`{"a":"${"A".repeat(16 * 1024 * 1024 - 100)}"}`);
    const lines = new TextEncoder().encode(`${"\n".repeat(15 * 1024 * 1024)}?`);
    expect(read(long).root.kind).toBe("object");
    expect(problem(lines)).toContain("line 15728641, column 1");
  });
});
