/** TCB answers: the key's TCB, order, minimum (56860 2.2; component by component). */
import { hex } from "../../bytes/hex.ts";
import { type Answers, cannot, equal, holds, specified } from "../../claims/answer.ts";
import { notGiven } from "../../claims/candidates.ts";
import type { tcbQuestions } from "./claims-platform.ts";
import type { SnpReferences } from "./references.ts";
import type { FirmwareVersion } from "./report.ts";
import { field, type SnpFacts, vekValue } from "./stated.ts";
import { decodeTcb, reservedIsZero, type Tcb, tcbAtLeast, tcbText } from "./tcb.ts";
import { vekTcb } from "./vek.ts";

type TcbAnswers = Pick<Answers<typeof tcbQuestions>, "snp.vek.tcb" | "snp.tcb.order" | "snp.tcb.minimum">;

export interface Levels {
  readonly reported: Tcb;
  readonly committed: Tcb;
  readonly current: Tcb;
  readonly launch: Tcb;
}
export const levelsOf = ({ report, line }: Pick<SnpFacts, "report" | "line">): Levels => ({
  reported: decodeTcb(report.reportedTcb, line),
  committed: decodeTcb(report.committedTcb, line),
  current: decodeTcb(report.currentTcb, line),
  launch: decodeTcb(report.launchTcb, line),
});

export function tcbAnswers(facts: SnpFacts, want: SnpReferences): TcbAnswers {
  const levels = levelsOf(facts);
  return {
    "snp.vek.tcb": tcbOfVek(facts, levels.reported),
    "snp.tcb.order": tcbOrder(facts, levels, want.provisional),
    "snp.tcb.minimum": tcbMinimum(levels, want),
  };
}

/** Against REPORTED_TCB, which the key is derived from, never against CURRENT_TCB; the reserved bytes belong to it. */
function tcbOfVek(facts: SnpFacts, reported: Tcb): TcbAnswers["snp.vek.tcb"] {
  const ofKey = vekTcb(facts.vek.vek);
  if (ofKey === undefined) return cannot("the certificate states no whole TCB");
  const expected = vekValue(tcbText(ofKey), facts, "SPL extensions");
  const actual = field(tcbText(reported), "0x180..0x187");
  if (reservedIsZero(reported) && reservedIsZero(ofKey)) return equal(expected, actual, "tcb-mismatch");
  const reason = "reserved TCB bytes are not zero";
  return holds(false, { ...expected, value: `${expected.value}, reserved bytes zero` }, actual, "tcb-mismatch", reason);
}

const versionText = (v: FirmwareVersion): string => `${v.major}.${v.minor}.${v.build}`;
const versionNumber = (v: FirmwareVersion): number => (v.major << 16) | (v.minor << 8) | v.build;

/**
 * REPORTED and COMMITTED are at most CURRENT. LAUNCH and the order of REPORTED and COMMITTED are free: a guest that came
 * from another machine may break them. Without provisional firmware COMMITTED is CURRENT.
 */
function tcbOrder({ report }: SnpFacts, levels: Levels, provisional: boolean): TcbAnswers["snp.tcb.order"] {
  const { reported, committed, current } = levels;
  const [running, kept] = [versionNumber(report.current), versionNumber(report.committed)];
  const problems = [
    ...(tcbAtLeast(current, committed) ? [] : ["COMMITTED_TCB is above CURRENT_TCB"]),
    ...(tcbAtLeast(current, reported) ? [] : ["REPORTED_TCB is above CURRENT_TCB"]),
    ...(kept <= running ? [] : ["COMMITTED version is above CURRENT version"]),
    ...(Object.values(levels).every(reservedIsZero) ? [] : ["a reserved TCB byte is not zero"]),
    ...(provisional || (kept === running && hex(report.committedTcb) === hex(report.currentTcb))
      ? []
      : ["firmware is provisional: COMMITTED is not CURRENT"]),
  ];
  const rule = provisional ? "REPORTED, COMMITTED <= CURRENT" : "REPORTED <= COMMITTED = CURRENT";
  const text = Object.entries(levels).map(([name, tcb]) => `${name.toUpperCase()} ${tcbText(tcb)}`);
  const versions = `versions COMMITTED ${versionText(report.committed)} CURRENT ${versionText(report.current)}`;
  return holds(
    problems.length === 0,
    specified(`${rule}, reserved bytes zero`, "56860", "2.2"),
    field(`${text.join("; ")}; ${versions}`, "0x038, 0x180, 0x1e0..0x1f7"),
    "tcb-order",
    problems.join("; "),
  );
}

/** All four: a platform may run, keep or have launched with less than what it reports. */
function tcbMinimum(levels: Levels, want: SnpReferences): TcbAnswers["snp.tcb.minimum"] {
  const minimum = want.minimumTcb;
  if (minimum === undefined) return notGiven;
  const low = Object.entries(levels).filter(([, tcb]) => !tcbAtLeast(tcb, minimum));
  const text = Object.entries(levels).map(([name, tcb]) => `${name.toUpperCase()} ${tcbText(tcb)}`);
  return holds(
    low.length === 0,
    { ...minimum.source, value: `at least ${tcbText(minimum)}` },
    field(text.join("; "), "0x038, 0x180, 0x1e0, 0x1f0"),
    "tcb-minimum",
    `below the minimum: ${low.map(([name]) => name.toUpperCase()).join(", ")}`,
  );
}
