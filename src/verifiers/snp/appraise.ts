/** Compares what an authenticated report says with the specification and with reference values. */
import { allZero, hex } from "../../bytes/hex.ts";
import {
  type Answer,
  type Answers,
  type Authenticated,
  cannot,
  equal,
  graded,
  holds,
  observed,
  type Sourced,
  skip,
  specified,
} from "../../claims/answer.ts";
import { bestPin, notGiven } from "../../claims/candidates.ts";
import { platformAnswers } from "./appraise-platform.ts";
import { tcbAnswers } from "./appraise-tcb.ts";
import type { pins, statements } from "./claims.ts";
import type { launchQuestions, ownerQuestions } from "./claims-pinned.ts";
import { lineOfProductName } from "./product.ts";
import type { SnpReferences } from "./references.ts";
import { authorKeyEnabled, type SnpReport } from "./report.ts";
import { field, type SnpFacts, vekValue } from "./stated.ts";

export type Statements = Answers<typeof statements>;

export const appraise = (facts: Authenticated<SnpFacts>, want: SnpReferences): Statements => ({
  ...tcbAnswers(facts, want),
  ...chipAnswers(facts),
  ...platformAnswers(facts, want),
  ...launchAnswers(facts.report, want),
  ...ownerAnswers(facts, want),
});

type ChipId = "snp.vek.chip_id" | "snp.vek.chip_id_shown" | "snp.product.name";
function chipAnswers(facts: SnpFacts): Pick<Statements, ChipId> {
  const { report, vek } = facts;
  const chip = field(hex(report.chipId), "0x1a0..0x1df");
  const masked = allZero(report.chipId);
  const named = lineOfProductName(vek.vek.productName ?? "");
  return {
    "snp.vek.chip_id": chipIsOfVek(facts, chip, masked),
    "snp.vek.chip_id_shown":
      vek.kind === "VLEK"
        ? skip("a VLEK names no chip")
        : graded(holds(!masked, specified("not zero", "56860", "7.3, CHIP_ID"), chip, "chip-id-masked"), "weaker"),
    "snp.product.name": graded(
      holds(
        named !== undefined,
        specified("Milan, Genoa or Turin", "57230", "chapter 3"),
        observed(vek.vek.productName ?? "", `certificate ${vek.from}`, "productName"),
        "product-name-unknown",
      ),
      "unknown",
    ),
  };
}

/** A masked CHIP_ID cannot be compared; the signature still binds the report to the chip that the certificate names. */
function chipIsOfVek(facts: SnpFacts, chip: Sourced, masked: boolean): Statements["snp.vek.chip_id"] {
  const { vek } = facts;
  if (vek.kind === "VLEK") {
    const own = vek.vek.hwid === undefined ? "no HWID" : hex(vek.vek.hwid);
    return equal(
      specified("no HWID", "57230", "chapter 3, VLEK"),
      observed(own, `certificate ${vek.from}`),
      "chip-id-mismatch",
    );
  }
  if (vek.vek.hwid === undefined) return cannot("the certificate has no HWID");
  // Turin: 8 bytes, and the rest of CHIP_ID must be zero.
  const hwid = hex(vek.vek.hwid).padEnd(128, "0");
  const expected = vekValue(masked ? `${hwid}, or all zero where the host masks it` : hwid, facts, "HWID");
  return holds(masked || chip.value === hwid, expected, chip, "chip-id-mismatch");
}

const compared = <const Code extends string>(
  expected: Sourced | undefined,
  actual: Sourced,
  code: Code,
): Answer<Code> => (expected === undefined ? notGiven : equal(expected, actual, code));

function launchAnswers(report: SnpReport, want: SnpReferences): Answers<typeof launchQuestions> {
  return {
    "snp.report.measurement": compared(want.measurement, field(hex(report.measurement), "0x090..0x0bf"), "measurement"),
    "snp.id_block.present": idBlock(report, want),
    "snp.report.id_key_digest": keyDigest(want.idKeyDigest, report.idKeyDigest, "0x0e0..0x10f", true, "id-key-digest"),
    "snp.report.author_key_digest": keyDigest(
      want.authorKeyDigest,
      report.authorKeyDigest,
      "0x110..0x13f",
      authorKeyEnabled(report),
      "author-key-digest",
    ),
    "snp.report.family_id": compared(want.familyId, field(hex(report.familyId), "0x010..0x01f"), "family-id"),
    "snp.report.image_id": compared(want.imageId, field(hex(report.imageId), "0x020..0x02f"), "image-id"),
  };
}

/** All zero means that there is no key: equal to nothing, whatever the reference value. */
function keyDigest<const Code extends string>(
  expected: Sourced | undefined,
  digest: Uint8Array,
  at: string,
  enabled: boolean,
  code: Code,
): Answer<Code> {
  const actual = !enabled ? "not valid (AUTHOR_KEY_EN is 0)" : allZero(digest) ? "zero: no key" : hex(digest);
  return compared(expected, field(actual, at), code);
}

function idBlock(report: SnpReport, want: SnpReferences): Answers<typeof launchQuestions>["snp.id_block.present"] {
  if (want.requireIdBlock === undefined) return notGiven;
  const authorMissing = authorKeyEnabled(report) && allZero(report.authorKeyDigest);
  const present = !allZero(report.idKeyDigest) && !authorMissing;
  const actual = authorMissing
    ? "AUTHOR_KEY_EN is 1, AUTHOR_KEY_DIGEST is zero"
    : `ID_KEY_DIGEST ${hex(report.idKeyDigest)}`;
  return holds(
    present,
    { ...want.requireIdBlock, value: "an ID block: ID_KEY_DIGEST not zero" },
    field(actual, "0x0e0..0x13f"),
    "id-block",
  );
}

function ownerAnswers(facts: SnpFacts, want: SnpReferences): Answers<typeof ownerQuestions> {
  const { report, vek } = facts;
  const cspId = observed(vek.vek.cspId ?? "none", `certificate ${vek.from}`, "CSP_ID");
  return {
    "snp.report.host_data": anyOf(want.hostData, field(hex(report.hostData), "0x0c0..0x0df"), "host-data"),
    "snp.report.report_data": compared(want.reportData, field(hex(report.reportData), "0x050..0x08f"), "report-data"),
    "snp.chip.allowed": chipAllowed(report, want),
    "snp.vek.csp_id": compared(want.cspId, cspId, "csp-id"),
  };
}

/** The value that matches is shown; where none does, all are. */
function anyOf<const Code extends string>(
  expected: Sourced | readonly Sourced[] | undefined,
  actual: Sourced,
  code: Code,
): Answer<Code> {
  if (expected === undefined) return notGiven;
  const list: readonly Sourced[] = "value" in expected ? [expected] : expected;
  const [first] = list;
  if (first === undefined) return cannot("the list of reference values is empty");
  const match = list.find((e) => e.value === actual.value);
  if (match !== undefined || list.length === 1) return equal(match ?? first, actual, code);
  return equal({ ...first, value: `one of ${list.map((e) => e.value).join(", ")}` }, actual, code);
}

function chipAllowed(report: SnpReport, want: SnpReferences): Statements["snp.chip.allowed"] {
  const allowed = want.allowedChipIds;
  if (allowed === undefined || allowed.values.length === 0) return notGiven;
  const chip = field(hex(report.chipId), "0x1a0..0x1df");
  // A list that holds the all-zero id does not name a machine either.
  const listed = !allZero(report.chipId) && allowed.values.some((id) => id.toLowerCase() === chip.value);
  const expected = { ...allowed.source, value: listed ? chip.value : `one of ${allowed.values.join(", ")}` };
  return holds(listed, expected, chip, "chip-id-mismatch");
}

type Pins = Answers<typeof pins>;

/** The best of the pinned answers of a group: `pass` before `consistent` before the rest. */
export function pinAnswers(answers: Statements, pinned: ReadonlySet<string>): Pins {
  const { "snp.report.measurement": measurement, "snp.report.id_key_digest": idKeyDigest } = answers;
  const { "snp.report.report_data": reportData, "snp.report.host_data": hostData } = answers;
  const given = <A>(id: string, answer: A): A[] => (pinned.has(id) ? [answer] : []);
  return {
    "snp.pins.what_runs": bestPin<Pins["snp.pins.what_runs"]>([
      ...given("snp.report.measurement", measurement),
      ...given("snp.report.id_key_digest", idKeyDigest),
    ]),
    "snp.pins.for_whom": bestPin<Pins["snp.pins.for_whom"]>([
      ...given("snp.report.report_data", reportData),
      ...given("snp.report.host_data", hostData),
    ]),
  };
}
