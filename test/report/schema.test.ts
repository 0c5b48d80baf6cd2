import { readFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { reportJson } from "../../src/report/json.ts";
import { reportSchema } from "../../src/report/schema.ts";
import { conforms } from "../json-schema.ts";
import { compose, consistent, error, finding, judged, malformed, no, rules, waiver } from "./world.ts";

const published: unknown = JSON.parse(readFileSync(new URL("../../docs/report.schema.json", import.meta.url), "utf8"));
const reports = {
  verified: compose([judged()]),
  failed: compose([judged({ "world.measurement": no, "world.chip": finding })], {
    rules: { ...rules, waivers: [waiver("world.measurement")] },
    profileSha256: "0".repeat(64),
    bundleSha256: "1".repeat(64),
    capturedAt: null,
  }),
  inconclusive: compose([judged({ "world.measurement": consistent, "world.dates": error })]),
  malformed: compose([judged({ "world.signature": malformed })]),
};

describe("the published schema of the report", () => {
  test.each(Object.entries(reports))("takes a report that is %s", (_name, report) => {
    const value: unknown = JSON.parse(reportJson(report));
    expect(conforms(published, value)).toEqual([]);
    expect(v.is(reportSchema, value)).toBe(true);
  });

  const defects: Readonly<Record<string, (r: Record<string, unknown>) => void>> = {
    "a fifth verdict": (r) => {
      r["verdict"] = "authentic";
    },
    "a missing verdict": (r) => {
      delete r["verdict"];
    },
    "a member that nobody knows": (r) => {
      r["verified"] = true;
    },
    "a claim without a status": (r) => {
      r["claims"] = [{ id: "a.b", subject: "s", owed: true }];
    },
    "an exit status of 2": (r) => {
      r["exitCode"] = 2;
    },
    "a short hash": (r) => {
      r["profileSha256"] = "00";
    },
    "another version": (r) => {
      r["schemaVersion"] = 2;
    },
  };
  test.each(Object.entries(defects))("refuses %s", (_name, spoil) => {
    const value: Record<string, unknown> = JSON.parse(reportJson(reports.verified));
    spoil(value);
    expect(conforms(published, value)).not.toEqual([]);
    expect(v.is(reportSchema, value)).toBe(false);
  });
});
