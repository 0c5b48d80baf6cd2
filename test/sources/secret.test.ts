import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ApiKey } from "../../src/sources/secret.ts";

describe("an API key", () => {
  const key = new ApiKey("  canary-0123456789 \n");
  test("shows itself nowhere", () => {
    const prints = [
      String(key),
      `${key}`,
      JSON.stringify({ key }),
      inspect(key, { showHidden: true, depth: 9 }),
      inspect({ deep: { key } }),
      new Error(`with ${key}`).stack ?? "",
      JSON.stringify({ ...key }),
    ];
    for (const print of prints) expect(print).not.toContain("canary");
    expect(key.reveal()).toBe("canary-0123456789");
  });
  test.each(["", "   ", "two words", "two\nlines", "ümlaut", "x".repeat(4097)])(
    "refuses %j without repeating it",
    (text) => {
      expect(() => new ApiKey(text)).toThrow(/^API key: must be one line of 1 to 4096 visible ASCII characters$/);
    },
  );
  test.each([0, 1, 2, 3, 4, 5])("is found in base64 after %i bytes", (shift) => {
    const text = Buffer.from(`${"a".repeat(shift)}canary-0123456789 and more`).toString("base64");
    expect(key.occursIn(Buffer.from(text))).toBe(true);
    expect(key.occursIn(Buffer.from(Buffer.from("something else").toString("base64")))).toBe(false);
  });
});
