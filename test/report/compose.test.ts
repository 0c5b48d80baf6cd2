import { describe, expect, test } from "vitest";
import type { Answer } from "../../src/claims/answer.ts";
import { catalogue } from "../../src/claims/question.ts";
import { type Judged, judge } from "../../src/claims/subject.ts";
import type { ReportInput } from "../../src/report/compose.ts";
import {
  away,
  compose,
  consistent,
  error,
  finding,
  judged,
  malformed,
  no,
  own,
  questions,
  rules,
  seen,
  unasked,
  waiver,
  yes,
} from "./world.ts";

const waivers = (...list: ReturnType<typeof waiver>[]) => ({ rules: { ...rules, waivers: list } });
const recorded = { asRecorded: { at: "2026-11-20T00:00:00Z", assertedBy: "NOBODY" } };
const reference = catalogue("contrast", {
  "contrast.manifest.expected": { ...questions["world.signature"], owed: "always" },
});
const manifest = (answer: Answer, name = "coordinator"): Judged =>
  judge({ name, catalogue: reference, pinned: new Set() }, { "contrast.manifest.expected": answer });
const firstUse = {
  value: "1",
  origin: { kind: "pinned", file: "m.json", sha256: "00", firstUse: "2026-11-21" },
} as const;

type Case = readonly [string, readonly Judged[], Partial<ReportInput>, string, number];
const cases: readonly Case[] = [
  ["all owed claims passed", [judged()], {}, "verified (live)", 0],
  ["another scope", [judged()], { scope: "snp report" }, "verified (snp report)", 0],
  ["the scope that covers everything", [judged()], { scope: "full" }, "verified", 0],
  ["a finding", [judged({ "world.chip": finding })], {}, "verified (live)", 0],
  ["only whose bytes", [judged()], { authenticOnly: true, scope: "snp report" }, "authentic (snp report)", 0],
  ["a replay", [judged()], recorded, "verified (live) as recorded at 2026-11-20T00:00:00Z, time asserted by NOBODY", 0],
  [
    "one waiver",
    [judged({ "world.measurement": no })],
    waivers(waiver("world.measurement")),
    "verified (live) with 1 waiver",
    0,
  ],
  [
    "two waivers",
    [judged({ "world.measurement": no, "world.dates": no })],
    waivers(waiver("world.measurement"), waiver("world.dates")),
    "verified (live) with 2 waivers",
    0,
  ],
  ["a waiver that nothing needs", [judged()], waivers(waiver("world.dates")), "verified (live)", 0],
  [
    "first use, as the caller says",
    [judged()],
    { firstUse: "2026-11-22" },
    "verified (live), manifest trusted on first use 2026-11-22",
    0,
  ],
  [
    "first use that only the origin knows",
    [judged({ "world.dates": { ...yes, expected: firstUse, actual: seen("1") } })],
    {},
    "verified (live), manifest trusted on first use 2026-11-21",
    0,
  ],
  [
    "everything at once",
    [judged({ "world.dates": no })],
    { ...waivers(waiver("world.dates")), ...recorded, firstUse: "2026-11-22", testRoot: true },
    "TEST ROOT verified (live) with 1 waiver as recorded at 2026-11-20T00:00:00Z, time asserted by NOBODY, manifest trusted on first use 2026-11-22",
    0,
  ],
  [
    "a replaced root that only the relaxation names",
    [judged()],
    { relaxations: [{ name: "insecure-trust-root", meaning: "x" }] },
    "TEST ROOT verified (live)",
    0,
  ],
  ["one no", [judged({ "world.measurement": no })], {}, "failed (live): 1 owed claim says no: world.measurement", 1],
  [
    "a no beside something that is missing",
    [judged({ "world.measurement": no, "world.dates": away })],
    { authenticOnly: true },
    "failed (live): 1 owed claim says no: world.measurement",
    1,
  ],
  [
    "an expired waiver",
    [judged({ "world.dates": no })],
    waivers(waiver("world.dates", "2026-11-21T00:00:00Z")),
    "failed (live): 1 owed claim says no: world.dates",
    1,
  ],
  [
    "a waiver of what cannot be waived",
    [judged({ "world.signature": malformed })],
    waivers(waiver("world.signature")),
    "failed (live): 1 owed claim says no: world.signature",
    1,
  ],
  [
    "the same no of several subjects",
    ["a", "b", "c"].map((name) => judged({ "world.dates": no }, name)),
    {},
    "failed (live): 3 owed claims say no: world.dates (3 subjects)",
    1,
  ],
  ["an error", [judged({ "world.measurement": error })], {}, "inconclusive (live): not proven: world.measurement", 3],
  [
    "a reference value given and not used",
    [judged({}, "report", ["world.family"])],
    {},
    "inconclusive (live): not proven: world.family",
    3,
  ],
  [
    "a finding that the profile promotes",
    [judged({ "world.chip": finding })],
    { rules: { ...rules, promoted: new Set(["world.chip"]) } },
    "failed (live): 1 owed claim says no: world.chip",
    1,
  ],
  ["no claim owed", [], {}, "inconclusive (live): no claim was owed", 3],
  [
    "the audited party's own word",
    [judged({ "world.measurement": consistent })],
    {},
    "inconclusive (live): not proven: world.measurement",
    3,
  ],
  [
    "a source away",
    [judged({ "world.measurement": away })],
    {},
    "unavailable (live): no answer from a source for world.measurement",
    4,
  ],
  [
    "a source away and an error",
    [judged({ "world.measurement": away, "world.dates": error })],
    {},
    "inconclusive (live): not proven: world.measurement, world.dates",
    3,
  ],
  [
    "only the manifest's reference missing",
    [judged({ "world.measurement": consistent }), manifest(unasked)],
    { selfConsistent: true, scope: "coordinator" },
    "self-consistent (coordinator): only the audited party vouches for the manifest",
    3,
  ],
  [
    "only the published manifest",
    [judged(), manifest(consistent)],
    { selfConsistent: true, scope: "coordinator" },
    "self-consistent (coordinator): only the audited party vouches for the manifest",
    3,
  ],
  [
    "a reference missing where the command may not end without",
    [judged(), manifest(unasked)],
    {},
    "inconclusive (live): not proven: contrast.manifest.expected",
    3,
  ],
  [
    "the manifest's reference and something else",
    [judged({ "world.dates": unasked }), manifest(unasked)],
    { selfConsistent: true },
    "inconclusive (live): not proven: world.dates, contrast.manifest.expected",
    3,
  ],
  [
    "another manifest than the expected one",
    [judged(), manifest(no)],
    { selfConsistent: true },
    "failed (live): 1 owed claim says no: contrast.manifest.expected",
    1,
  ],
  ["a self-consistent command with everything passed", [judged()], { selfConsistent: true }, "verified (live)", 0],
];

describe("the verdict line", () => {
  test.each(cases)("%s", (_name, list, more, line, exitCode) => {
    const report = compose(list, more);
    expect(report.verdictLine).toBe(line);
    expect(report.exitCode).toBe(exitCode);
  });

  test("lists five ids and counts the others", () => {
    const many = catalogue(
      "many",
      Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`many.c${i}` as const, questions["world.dates"]])),
    );
    const answers = Object.fromEntries(Object.keys(many).map((id) => [id, no]));
    const report = compose([judge({ name: "s", catalogue: many, pinned: new Set() }, answers as never)]);
    expect(report.verdictLine).toBe(
      "failed (live): 8 owed claims say no: many.c0, many.c1, many.c2, many.c3, many.c4 and more",
    );
  });

  test("is one harmless line whatever a bundle says about its own time", () => {
    const report = compose([judged()], {
      asRecorded: { at: "T\nverified (live)\u001b[2K\u202e", assertedBy: "NOBODY" },
    });
    expect(report.verdictLine).toBe(
      "verified (live) as recorded at T\\u{0a}verified (live)\\u{1b}[2K\\u{202e}, time asserted by NOBODY",
    );
  });
});

describe("the report", () => {
  test("keeps catalogue order within a subject and the order of the subjects", () => {
    const ids = compose([judged({}, "b"), judged({}, "a")]).claims.map((c) => `${c.subject} ${c.id}`);
    const order = Object.keys(questions);
    expect(ids).toEqual([...order.map((id) => `b ${id}`), ...order.map((id) => `a ${id}`)]);
  });

  test("says of each claim whether it was owed", () => {
    const owed = (pinned: string[]) =>
      compose([judged({}, "report", pinned)])
        .claims.filter((c) => c.owed)
        .map((c) => c.id);
    expect(owed([])).toEqual(["world.signature", "world.measurement", "world.dates"]);
    expect(owed(["world.family"])).toEqual(["world.signature", "world.measurement", "world.dates", "world.family"]);
  });

  test("holds both values with origin and place, and the code, of a claim that fails", () => {
    const claim = compose([judged({ "world.measurement": no })]).claims.find((c) => c.id === "world.measurement");
    expect(claim).toEqual({
      id: "world.measurement",
      subject: "report",
      status: "fail",
      owed: true,
      code: "measurement-wrong",
      expected: { value: "aa".repeat(48), origin: { kind: "flag", name: "--value" } },
      actual: { value: "bb".repeat(48), origin: { kind: "evidence", name: "report" }, at: "0x90..0xbf" },
    });
  });

  test("lists what nobody gave a reference value for under not proven", () => {
    expect(compose([judged()]).notProven).toEqual([
      "Where the machine stands.",
      "report, no reference value given: world.family",
    ]);
    expect(compose([judged({ "world.family": yes }, "report", ["world.family"])]).notProven).toEqual([
      "Where the machine stands.",
    ]);
  });

  test("shows an owed claim that was lost on the way as an error, and does not verify", () => {
    const all = judged();
    const report = compose([{ ...all, claims: all.claims.slice(1) }]);
    expect(report.verdictLine).toBe("inconclusive (live): not proven: world.signature");
    expect(report.claims.at(-1)).toMatchObject({ id: "world.signature", status: "error", owed: true });
  });

  test("refuses two answers to one claim", () => {
    expect(() => compose([judged(), judged()])).toThrow("two answers to one claim");
  });

  test("never takes the audited party's word for a pass", () => {
    const claim = compose([judged({ "world.dates": consistent })]).claims.find((c) => c.id === "world.dates");
    expect(claim?.status).toBe("consistent");
    expect(claim?.expected).toEqual(own("1"));
  });
});
