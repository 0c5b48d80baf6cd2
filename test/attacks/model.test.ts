/** A verifier that is wrong, or wronged: what it drops, repeats or promises can never be a pass. */
import { describe, expect, test } from "vitest";
import { type Answer, type Answers, all, equal, gate, observed, skip, unavailable } from "../../src/claims/answer.ts";
import { catalogue } from "../../src/claims/question.ts";
import { type Judged, judge } from "../../src/claims/subject.ts";
import { conclude, type Rules } from "../../src/claims/verdict.ts";
import { composeReport, type ReportInput } from "../../src/report/compose.ts";

const question = { asks: "?", spec: "s", stops: "s", todo: "t", owed: "always", codes: { no: "No." } } as const;
const two = catalogue("x", { "x.a.one": question, "x.a.two": question });
const good = equal({ value: "1", origin: { kind: "flag", name: "--x" } }, observed("1", "e"), "no");
const rules: Rules = { waivers: [], promoted: new Set(), now: new Date("2027-01-01T00:00:00Z") };
const subject = { name: "s", catalogue: two, pinned: new Set<string>() };
const judgedOf = (answers: unknown): Judged => judge(subject, answers as Answers<typeof two>);
const report = (judged: readonly Judged[]) => {
  const input: ReportInput = {
    audited: { judged, evidence: {}, anchors: [], notProven: [] },
    target: "t",
    scope: "live",
    judgedAt: "2027-01-01T00:00:00Z",
    capturedAt: null,
    freshness: "",
    profileSha256: null,
    bundleSha256: null,
    relaxations: [],
    rules,
    toolVersion: "0",
  };
  return composeReport(input);
};
const exits = (...judged: readonly Judged[]): number => report(judged).exitCode;

test("the good one, for comparison", () => expect(exits(judgedOf({ "x.a.one": good, "x.a.two": good }))).toBe(0));

describe("answers that are not there", () => {
  test.each([
    ["one dropped", { "x.a.one": good }],
    ["all dropped", {}],
    ["one undefined", { "x.a.one": good, "x.a.two": undefined }],
    ["one misnamed", { "x.a.one": good, "x.a.tow": good }],
  ])("%s: inconclusive", (_what, answers) => {
    const r = report([judgedOf(answers)]);
    expect([r.exitCode, r.verdict]).toEqual([3, "inconclusive"]);
    expect(r.claims.find((c) => c.id === "x.a.two")).toMatchObject({ status: "error", owed: true });
  });
  test("dropped after the judgement", () => {
    const judged = judgedOf({ "x.a.one": good, "x.a.two": good });
    expect(exits({ ...judged, claims: judged.claims.slice(1) })).toBe(3);
    expect(exits({ ...judged, claims: [] })).toBe(3);
  });
  test("no subject, or a subject that owes nothing", () => {
    expect(exits()).toBe(3);
    expect(exits(judge({ name: "s", catalogue: {}, pinned: new Set() }, {}))).toBe(3);
  });
  test("promises instead of answers", () => {
    const promised = { "x.a.one": Promise.resolve(good), "x.a.two": good };
    expect(exits(judgedOf(promised))).toBe(3);
    expect(() => judgedOf(Promise.resolve({ "x.a.one": good, "x.a.two": good }))).not.toThrow();
    expect(exits(judgedOf(Promise.resolve({ "x.a.one": good, "x.a.two": good })))).toBe(3);
  });
  test("one claim answered twice: a bug, and no verdict", () => {
    const judged = judgedOf({ "x.a.one": good, "x.a.two": good });
    expect(() => report([judged, judged])).toThrow(/two answers/);
    expect(() => conclude([judged, { ...judged, claims: [] }], rules)).not.toThrow();
  });
});

describe("answers that were not made by a comparison", () => {
  test.each([
    ["a pass without its values", { status: "pass" }],
    ["a pass with one value", { status: "pass", expected: good.expected }],
    ["a status in another case", { ...good, status: "PASS" }],
    ["true", true],
    ["the word", "pass"],
    ["no status", { expected: good.expected, actual: good.actual }],
  ])("%s", (_what, answer) => {
    expect(exits(judgedOf({ "x.a.one": good, "x.a.two": answer }))).not.toBe(0);
  });
  test("the audited party's word equals itself: consistent, never pass", () => {
    const own = equal({ value: "1", origin: { kind: "audited-party", name: "manifest" } }, observed("1", "e"), "no");
    expect([own.status, exits(judgedOf({ "x.a.one": good, "x.a.two": own }))]).toEqual(["consistent", 3]);
  });
  test("nothing equals nothing: an empty reference value is none", () => {
    const none = equal({ value: "", origin: { kind: "flag", name: "--x" } }, observed("", "e"), "no");
    expect(none.status).toBe("error");
  });
});

describe("a gate", () => {
  const value = { report: 1 };
  const own = equal({ value: "1", origin: { kind: "audited-party", name: "m" } }, observed("1", "e"), "no");
  test.each<[string, Readonly<Record<string, Answer>>]>([
    ["nobody asked", {}],
    ["one skip", { "x.a.one": good, "x.a.two": skip("not asked") }],
    ["one consistent", { "x.a.one": own, "x.a.two": good }],
    ["all unavailable", all(two, unavailable("no answer"))],
  ])("stays closed: %s", (_what, stage) => expect(gate(stage, value)).not.toHaveProperty("value"));
});
