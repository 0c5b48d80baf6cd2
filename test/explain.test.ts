import { describe, expect, test } from "vitest";
import type { Entry } from "../src/catalogues.ts";
import { PmError } from "../src/errors.ts";
import { explain, listAll, renderExplanation, renderList } from "../src/explain.ts";
import { questions } from "./report/world.ts";

const shared = { ...questions["world.dates"], codes: { "dates-wrong": "Here it is something else." } };
const list: readonly Entry[] = [
  ...Object.entries(questions).map(([id, question]) => ({ id, verifier: "world", question })),
  { id: "moon.dates", verifier: "moon", question: shared },
];
const refusal = (word: string): PmError => {
  try {
    explain(word, list);
  } catch (error) {
    if (error instanceof PmError) return error;
    throw error;
  }
  throw new Error(`${word} was explained`);
};

describe("pm explain", () => {
  test("says of a claim what it asks, stops and follows, what to do, and its codes", () => {
    expect(renderExplanation(explain("world.signature", list), 80)).toBe(`world.signature
  asks     Is signature as it should be?
  stops    Someone who changes signature.
  follows  Document, section signature
  owed     always owed; cannot be waived
  next     Look at signature again.
  codes
    signature-wrong
      The signature is another one.
`);
  });

  test("says of a code which claims carry it, each with its own sentence", () => {
    const found = explain("dates-wrong", list);
    expect(found.kind === "code" && found.claims.map((c) => [c.claim.id, c.sentence])).toEqual([
      ["world.dates", "The dates is another one."],
      ["moon.dates", "Here it is something else."],
    ]);
    expect(renderExplanation(found, 80)).toContain("\n  claim    moon.dates\n");
  });

  test("takes another case for the same name", () => {
    expect(explain("WORLD.Signature", list)).toEqual(explain("world.signature", list));
    expect(explain("Dates-Wrong", list)).toEqual(explain("dates-wrong", list));
  });

  test.each([
    ["world.signatur", "world.signature"],
    ["signature", "world.signature"],
    ["measurment-wrong", "measurement-wrong"],
  ])("refuses %s and names %s as near", (word, near) => {
    expect(refusal(word).code).toBe("PM_USAGE");
    expect(refusal(word).hint).toContain(near);
  });

  test.each(["", "verified", "__proto__", "constructor", "toString", "x".repeat(100_000)])(
    "refuses %.20s without a guess",
    (word) => {
      expect(refusal(word).code).toBe("PM_USAGE");
      expect(refusal(word).message.length).toBeLessThan(200);
    },
  );

  test("lists every claim in catalogue order with its codes", () => {
    const all = listAll(list);
    expect(all.map((c) => c.id)).toEqual(list.map((e) => e.id));
    expect(renderList(all, 80)).toContain("world.dates\n  Is dates as it should be?\n  codes: dates-wrong\n");
  });

  test("keeps within 40 columns", () => {
    for (const line of renderExplanation(explain("world.signature", list), 40).split("\n"))
      expect(line.length).toBeLessThanOrEqual(40);
  });
});
