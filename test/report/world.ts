/** A hand-made judgement with one claim of each kind, for the tests of everything that is printed. */
import {
  type Answer,
  broken,
  cannot,
  equal,
  graded,
  type Sourced,
  skip,
  unavailable,
} from "../../src/claims/answer.ts";
import { catalogue } from "../../src/claims/question.ts";
import { type Judged, judge } from "../../src/claims/subject.ts";
import type { Rules } from "../../src/claims/verdict.ts";
import { composeReport, type ReportInput } from "../../src/report/compose.ts";
import type { Report } from "../../src/report/report.ts";

const question = (id: string, owed: "always" | "pinned" | "advisory" = "always") =>
  ({
    asks: `Is ${id} as it should be?`,
    spec: `Document, section ${id}`,
    stops: `Someone who changes ${id}.`,
    todo: `Look at ${id} again.`,
    owed,
    codes: { [`${id}-wrong`]: `The ${id} is another one.` } as Record<string, string>,
  }) as const;

export const questions = catalogue("world", {
  "world.signature": { ...question("signature"), waivable: false },
  "world.measurement": question("measurement"),
  "world.dates": question("dates"),
  "world.family": question("family", "pinned"),
  "world.chip": question("chip", "advisory"),
});

export const flag = (value: string): Sourced => ({ value, origin: { kind: "flag", name: "--value" } });
export const seen = (value: string): Sourced => ({
  value,
  origin: { kind: "evidence", name: "report" },
  at: "0x90..0xbf",
});
export const own = (value: string): Sourced => ({ value, origin: { kind: "audited-party", name: "its manifest" } });

export const yes = equal(flag("1"), seen("1"), "x");
export const no = equal(flag("aa".repeat(48)), seen("bb".repeat(48)), "measurement-wrong");
export const consistent = equal(own("1"), seen("1"), "x");
export const error = cannot("the report is of version 9");
export const away = unavailable("no answer from AMD's key distribution service");
export const unasked = skip("no reference value given");
export const malformed = broken("one byte more than the format has", "signature-wrong");
export const finding = graded(equal(flag("shown"), seen("masked"), "chip-wrong"), "weaker");

type Given = Partial<Record<keyof typeof questions, Answer>>;
/** A subject in which every owed claim passes, apart from those that are given. */
export const judged = (given: Given = {}, name = "report", pinned: readonly string[] = []): Judged =>
  judge(
    { name, catalogue: questions, pinned: new Set(pinned) },
    {
      "world.signature": yes,
      "world.measurement": yes,
      "world.dates": yes,
      "world.family": unasked,
      "world.chip": yes,
      ...given,
    },
  );

export const rules: Rules = { waivers: [], promoted: new Set(), now: new Date("2026-11-22T00:00:00Z") };
export const waiver = (claim: string, expires = "2027-01-01T00:00:00Z", subject = "report") => ({
  claim,
  subject,
  reason: "accepted for the pilot",
  owner: "alice@example.org",
  expires,
});

export const compose = (list: readonly Judged[], more: Partial<ReportInput> = {}): Report =>
  composeReport({
    audited: {
      judged: list,
      evidence: { report: { version: 3, measurement: "bb".repeat(48) } },
      anchors: [{ name: "ARK-Genoa", sha256: "ab".repeat(32), source: "AMD key distribution service" }],
      notProven: ["Where the machine stands."],
    },
    target: "https://coordinator.example:1314",
    scope: "live",
    judgedAt: "2026-11-22T10:00:00Z",
    capturedAt: "2026-11-22T10:00:00Z",
    freshness: "nonce drawn by this run",
    profileSha256: null,
    bundleSha256: null,
    relaxations: [],
    rules,
    toolVersion: "0.1.0",
    ...more,
  });
