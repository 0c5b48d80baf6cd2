/** An event log as decoded facts: names and order of the log, and for each event whether its digest covers its data. */
import { hex } from "../../../bytes/hex.ts";
import type { Json } from "../../../report/report.ts";
import { coverageOf } from "./coverage.ts";
import { type EventLog, type LogEvent, typeName } from "./event.ts";
import { replay } from "./replay.ts";

/** Data longer than this is shown by its beginning; its length always stands beside it. */
const shownBytes = 1024;
const shownEvents = 2000;

export function eventLogFacts(log: EventLog): Json {
  const { registers, counts } = replay(log);
  return {
    form: log.form,
    replayed: Object.fromEntries(
      registers.map((value, i) => [`rtmr${i}`, { value: hex(value), events: counts[i] ?? 0 }]),
    ),
    events: log.events.slice(0, shownEvents).map(eventFacts),
    notShown: Math.max(0, log.events.length - shownEvents),
    notExtended: log.notExtended,
  };
}

function eventFacts(event: LogEvent): Json {
  const { data } = event;
  return {
    index: event.index,
    register: event.register === undefined ? "MRTD" : `RTMR${event.register}`,
    type: typeName(event.type),
    ...(event.name === "" ? {} : { name: event.name }),
    digest: hex(event.digest),
    // Computed: it fits the data because it was made from it, so only the register says whether the data is genuine.
    digestFrom: event.stated ? "log" : "computed from name and payload",
    dataAuthenticated: event.stated ? (coverageOf(event).covered ?? "no") : "by the register alone",
    dataBytes: data?.length ?? null,
    data: data === undefined ? null : shown(data),
    at: event.place,
  };
}

/** Text where every byte is printable ASCII but for a final zero, else hex. */
function shown(data: Uint8Array): string {
  const part = data.subarray(0, shownBytes);
  const text = Buffer.from(part).toString("latin1");
  const cut = data.length > shownBytes ? "..." : "";
  return /^[\x20-\x7e]+\0?$/.test(text) ? text.replace(/\0$/, "") + cut : hex(part) + cut;
}
