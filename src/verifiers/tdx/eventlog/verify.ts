/** Judges an event log against the values of the four registers. */

import { hex } from "../../../bytes/hex.ts";
import {
  type Answer,
  type Answers,
  all,
  broken,
  cannot,
  graded,
  holds,
  observed,
  type Sourced,
  skip,
  specified,
} from "../../../claims/answer.ts";
import { PmError } from "../../../errors.ts";
import type { Json } from "../../../report/report.ts";
import { eventLog } from "./claims.ts";
import { type Coverage, coverageOf } from "./coverage.ts";
import { decodeEventLog } from "./decode.ts";
import { type EventLog, type LogEvent, typeName } from "./event.ts";
import { eventLogFacts } from "./facts.ts";
import { type Replayed, replay } from "./replay.ts";

/** Lower-case hex of 48 bytes each, RTMR0 first; undefined: no value given. */
export type Registers = readonly (Sourced | undefined)[];
type Register = 0 | 1 | 2 | 3;
export type EventLogAnswers = Answers<typeof eventLog>;
export interface EventLogJudgement {
  readonly answers: EventLogAnswers;
  readonly evidence: Json;
}

/**
 * @param registers expected values with who says them
 * @param blocked what the registers' claims say where the values come out of a quote that was not authenticated; a value
 *   with origin `evidence` is legal only behind that gate
 */
export function verifyEventLog(bytes: Uint8Array, registers: Registers, blocked?: Answer<never>): EventLogJudgement {
  const log = decoded(bytes);
  if (!("events" in log)) return { answers: log, evidence: null };
  const covered = log.events.map((event) => ({ event, ...coverageOf(event) }));
  const result = replay(log);
  const changed = covered.filter((c) => comparable(c) && c.covered === undefined);
  const answer = <const R extends Register>(register: R) =>
    blocked ?? registerAnswer(register, result, registers[register], changed);
  return {
    answers: {
      "tdx.eventlog.format": formatAnswer(log),
      "tdx.eventlog.rtmr0": answer(0),
      "tdx.eventlog.rtmr1": answer(1),
      "tdx.eventlog.rtmr2": answer(2),
      "tdx.eventlog.rtmr3": answer(3),
      "tdx.eventlog.event_data": dataAnswer(covered, changed),
      "tdx.eventlog.unregistered": unregisteredAnswer(log),
    },
    evidence: eventLogFacts(log),
  };
}

function decoded(bytes: Uint8Array): EventLog | EventLogAnswers {
  try {
    return decodeEventLog(bytes);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    const rest = all(eventLog, cannot("the event log could not be decoded"));
    return {
      ...rest,
      "tdx.eventlog.format":
        error.code === "PM_EVIDENCE_UNSUPPORTED"
          ? cannot(error.message, "eventlog-unsupported")
          : broken(error.message, "eventlog-malformed"),
    };
  }
}

const formNames = { ccel: "a TCG crypto-agile log with SHA-384", dstack: "dstack's JSON list" } as const;

/** What decoding already refused cannot come here; the answer shows what it found. */
const formatAnswer = ({ form, events }: EventLog): EventLogAnswers["tdx.eventlog.format"] =>
  holds(
    events.length > 0,
    specified("a log of at least one event, nothing behind its end", "TCG PFP", "10"),
    observed(`${formNames[form]}, ${events.length} events`, "event log"),
    "eventlog-malformed",
  );

type Covered = Coverage & { readonly event: LogEvent };

/** The digest should be made from the data, and the log itself states both. */
const comparable = ({ demanded, event }: Covered): boolean => demanded && event.stated && event.data !== undefined;

/** A replay says that something differs, never which event: what the data itself gives away is all that can be named. */
function registerAnswer<const R extends Register>(
  register: R,
  { registers, counts }: Replayed,
  expected: Sourced | undefined,
  changed: readonly Covered[],
): Answer<`rtmr${R}-replay`> {
  const value = registers[register];
  if (expected === undefined) return skip(`no value of RTMR${register} given to compare with`);
  if (value === undefined || !/^[0-9a-f]{96}$/.test(expected.value))
    return cannot(`the value of RTMR${register} is not 48 bytes of hex`);
  const own = changed.filter((c) => c.event.register === register);
  const named =
    own.length === 0
      ? "none of its events shows by its data that it was changed"
      : `events whose data and digest differ: ${own.map(eventText).join("; ")}`;
  return holds(
    expected.value === hex(value),
    expected,
    observed(hex(value), "event log", `replay of ${counts[register] ?? 0} events`),
    `rtmr${register}-replay`,
    `the register alone does not say which event differs; ${named}`,
  );
}

const eventText = ({ event }: Covered): string =>
  `event ${event.index} ${typeName(event.type)}${event.name === "" ? "" : ` ${JSON.stringify(event.name)}`} at ${event.place}`;

function dataAnswer(
  covered: readonly Covered[],
  changed: readonly Covered[],
): EventLogAnswers["tdx.eventlog.event_data"] {
  const compared = covered.filter(comparable).length;
  if (compared === 0) return skip("no event of the log shows data together with the digest that is made from it");
  const matching = compared - changed.length;
  const all = `the data of ${compared} events gives their digests`;
  return holds(
    matching === compared,
    specified(all, "TCG PFP", "10.4.1"),
    observed(
      [
        matching === compared ? all : `the data of ${matching} of ${compared} events does`,
        ...notCompared(covered),
      ].join("; "),
      "event log",
      changed.map((c) => c.event.place).join("; ") || undefined,
    ),
    "event-data",
    changed.map(eventText).join("; "),
  );
}

/** Events of the same types that say nothing here, counted so that nobody takes them for compared. */
function notCompared(covered: readonly Covered[]): string[] {
  const rest = covered.filter((c) => c.demanded && !comparable(c));
  const without = rest.filter((c) => c.event.stated).length;
  const computed = rest.length - without;
  return [
    ...(without === 0 ? [] : [`not compared, no data shown: ${without}`]),
    ...(computed === 0 ? [] : [`not compared, no digest of their own: ${computed}`]),
  ];
}

function unregisteredAnswer({ events }: EventLog): EventLogAnswers["tdx.eventlog.unregistered"] {
  const outside = events.filter((e) => e.register === undefined);
  return graded(
    holds(
      outside.length === 0,
      specified("every event extends RTMR0 to RTMR3", "UEFI 2.10", "38.4.1"),
      observed(
        outside.length === 0 ? "every event extends RTMR0 to RTMR3" : `${outside.length} events name MRTD`,
        "event log",
        outside.map((e) => e.place).join("; ") || undefined,
      ),
      "event-unregistered",
    ),
    "unknown",
  );
}
