import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equal, skip } from "../../src/claims/answer.ts";
import { renderReport } from "../../src/report/human.ts";
import { reportJson } from "../../src/report/json.ts";
import type { Report } from "../../src/report/report.ts";
import { safe, shorten, wrap } from "../../src/report/text.ts";
import { compose, consistent, finding, flag, judged, malformed, no, rules, seen, waiver } from "./world.ts";

const text = (report: Report, width = 100): string => renderReport(report, { width, color: false });
const lines = (report: Report, width = 100): string[] => text(report, width).split("\n");

describe("the report for people", () => {
  test("reads from what is checked to the verdict", () => {
    const report = compose([judged({ "world.measurement": no, "world.dates": no, "world.chip": finding })], {
      rules: { ...rules, waivers: [waiver("world.dates")] },
      relaxations: [{ name: "allow-unchecked-revocation", meaning: "a list that could not be had does not count" }],
    });
    expect(text(report)).toBe(`pm 0.1.0 checks https://coordinator.example:1314
  scope       live
  judged at   2026-11-22T10:00:00Z
  captured at 2026-11-22T10:00:00Z
  freshness   nonce drawn by this run
  profile     none, flags only
  anchor      ARK-Genoa, SHA-256 ${"ab".repeat(32)},
              AMD key distribution service

RELAXED allow-unchecked-revocation: a list that could not be had does not count

Subject report: 1 of 3 owed claims passed
  ✓ pass        world.signature
  ✗ fail        world.measurement  measurement-wrong
  ✗ fail        world.dates        waived, measurement-wrong
  - skip        world.family       not owed, no reference value given
  ✗ fail        world.chip         finding: weaker, chip-wrong

What is open
✗ world.measurement (measurement-wrong), report: fail
  The two values differ.
  expected  ${"aa".repeat(48)}
            given by flag: --value
  actual    ${"bb".repeat(48)}
            evidence: report, at 0x90..0xbf

Findings and waived claims
✗ world.dates (measurement-wrong), report: waived
  The two values differ.
  expected  ${"aa".repeat(48)}
            given by flag: --value
  actual    ${"bb".repeat(48)}
            evidence: report, at 0x90..0xbf

✗ world.chip (chip-wrong), report: finding, weaker
  The two values differ.
  expected  shown
            given by flag: --value
  actual    masked
            evidence: report, at 0x90..0xbf

Waivers
  applied: world.dates of report
    accepted for the pilot; alice@example.org answers for it until 2027-01-01T00:00:00Z

Evidence
  As decoded: a fact only where the claims about it passed.
  report
    report version: 3
    measurement:
      ${"bb".repeat(48)}

Not proven
  - Where the machine stands.
  - report, no reference value given: world.family

failed (live): 1 owed claim says no: world.measurement
`);
  });

  test("takes sentence, meaning and next step of a claim from its catalogue", () => {
    const report = compose([judged({ "world.measurement": no })]);
    const claims = report.claims.map((c) =>
      c.id === "world.measurement" ? { ...c, id: "kata.initdata.digest", code: "policy-digest" } : c,
    );
    const out = text({ ...report, claims }, 200);
    expect(out).toContain("✗ kata.initdata.digest (policy-digest), report: fail\n  The digest of the body,");
    expect(out).toContain("\n  means     A harmless body shown");
    expect(out).toContain("\n  next      Do not use the body.");
    expect(out).toContain("\n  follows   Contrast");
  });

  test("adds what was found to the code's sentence", () => {
    expect(text(compose([judged({ "world.signature": malformed })]))).toContain(
      "✗ world.signature (signature-wrong), report: fail\n  One byte more than the format has.\n",
    );
  });

  test("says that two words of the audited party agree, and nothing better", () => {
    const out = text(compose([judged({ "world.dates": consistent })]));
    expect(out).toContain(
      "= world.dates, report: consistent\n  It is as expected, but what is expected is the audited party's own word.\n",
    );
    expect(out).toContain("the audited party's own word: its manifest");
  });

  test("puts claims that one cause left unasked together", () => {
    const blocked = skip("not asked: world.signature is fail");
    const all = {
      "world.measurement": blocked,
      "world.dates": blocked,
      "world.family": blocked,
      "world.chip": blocked,
    };
    const promoted = new Set(["world.chip"]);
    const report = compose([judged({ "world.signature": malformed, ...all }, "report", ["world.family"])], {
      rules: { ...rules, promoted },
    });
    expect(text(report)).toContain(
      [
        "- 4 claims of report: skip",
        "  not asked: world.signature is fail",
        "    world.measurement",
        "    world.dates",
        "    world.family",
        "    world.chip",
        "  next      Settle what is named above first, then run again.",
      ].join("\n"),
    );
  });

  test("ends with the verdict line, whole, at each width", () => {
    const report = compose([judged({ "world.measurement": no, "world.dates": no })]);
    for (const width of [1, 40, 80, 400]) {
      expect(lines(report, width).at(-2)).toBe(report.verdictLine);
      expect(lines(report, width).at(-1)).toBe("");
    }
  });

  test("wraps at 40 columns all but values, the target and the verdict", () => {
    const report = compose([judged({ "world.measurement": no })], {
      relaxations: [{ name: "some-relaxation", meaning: "a rather long sentence that says what it lowers and why" }],
    });
    const long = lines(report, 40).filter((l) => l.length > 40 && l !== report.verdictLine);
    expect(long).toEqual([
      `              ${"ab".repeat(32)},`,
      `  expected  ${"aa".repeat(48)}`,
      `  actual    ${"bb".repeat(48)}`,
      `      ${"bb".repeat(48)}`,
    ]);
  });

  test("shows values in full, however long", () => {
    const value = "0123456789abcdef".repeat(1000);
    const answer = equal(flag(value), seen("x"), "measurement-wrong");
    expect(text(compose([judged({ "world.measurement": answer })]), 40)).toContain(`  expected  ${value}\n`);
  });

  test("has no colour unless asked, and the same words with it", () => {
    const report = compose([judged({ "world.measurement": no, "world.chip": finding })]);
    expect(text(report)).not.toContain("\u001b");
    const colored = renderReport(report, { width: 100, color: true });
    expect(colored).toContain("\u001b[");
    expect(colored.replaceAll(new RegExp(`${"\u001b"}\\[\\d+m`, "g"), "")).toBe(text(report));
  });

  test("lists the images that a policy pins", () => {
    const report = compose([judged()]);
    const image = `registry.example/app@sha256:${"c".repeat(64)}`;
    const images = [
      { container: "app", image, digest: `sha256:${"c".repeat(64)}`, at: "/containers/1" },
      { container: "side", image: "side:latest", digest: null, at: "/containers/2" },
    ];
    const evidence = {
      "policy a": { role: "", workloadSecretId: "apps/v1/x", initdata: { images, imagesNote: null } },
      "policy b": { initdata: { images: [], imagesNote: "policy_data lists none" } },
    };
    expect(text({ ...report, evidence }, 60)).toContain(`  policy a
    workload secret: apps/v1/x
    image of app:
      ${image}
    image of side: side:latest (no digest: not pinned)
  policy b
    no image is pinned: policy_data lists none
`);
  });
});

describe("text that comes from evidence", () => {
  const attacks = [
    "\u001b[2J\u001b[H verified (live)",
    "a\nverified (live)\n",
    "a\rverified (live)",
    "\u009b31m",
    "\u202eevil\u2066",
    "zero\u200bwidth\u2060\ufeff",
    "\u2028verified (live)\u2029",
    "\ud800",
    "tag\u{e0041}",
    "\u007f\u0000\u0008",
  ];
  const everywhere = (evil: string): Report => ({
    ...compose([
      judged(
        {
          "world.measurement": equal(
            { value: evil, origin: { kind: "pinned", file: evil, sha256: evil }, at: evil },
            { value: `x${evil}`, origin: { kind: "evidence", name: evil }, at: evil },
            "measurement-wrong",
          ),
          "world.dates": skip(evil),
        },
        `policy ${evil}`,
      ),
    ]),
    target: evil,
    freshness: evil,
    evidence: { [evil]: { measurement: evil, images: [{ container: evil, image: evil }] } },
    notProven: [evil],
  });

  test.each(attacks)("%j reaches the terminal as visible text only", (evil) => {
    const out = text(everywhere(evil));
    expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    expect(out.split("\n").filter((l) => l.startsWith("verified"))).toEqual([]);
  });

  test.each(attacks)("%j is escaped in JSON and reads back the same", (evil) => {
    const json = reportJson(everywhere(evil));
    expect(json.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(json)).toEqual(everywhere(evil));
  });

  test("no name can begin a line as a verdict does, at any width", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 40, max: 120 }), (junk, width) => {
        const evil = `${junk} verified (live) ${junk} verified (live)`;
        const report = everywhere(evil);
        const out = text(report, width);
        expect(out.split("\n").filter((l) => /^(TEST ROOT )?(verified|authentic)/.test(l))).toEqual([]);
        expect(out.endsWith(`\n${report.verdictLine}\n`)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("plain text, accents included, stays as it is", () => {
    for (const plain of ["äöü é 日本 ✓", "a\\b", "x  y", "{}[]<>|"]) expect(safe(plain)).toBe(plain);
  });
});

describe("wrapping", () => {
  test("keeps every word, and each line within the width unless it is one word", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,30}$/)), fc.integer({ min: 20, max: 60 }), (words, width) => {
        const out = wrap(words.join(" "), width, "  - ");
        expect(out.join(" ").split(" ").filter(Boolean).slice(1)).toEqual(words);
        for (const line of out) expect(line.length <= width || line.trim().split(" ").length <= 2).toBe(true);
      }),
    );
  });

  test("shortens a sentence at a space, and gives up where nothing would be said", () => {
    expect(shorten("is the report whole", 15)).toBe("is the report…");
    expect(shorten("is the report whole", 5)).toBe("");
    expect(shorten("short", 5)).toBe("short");
  });
});
