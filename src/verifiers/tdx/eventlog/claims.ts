/** The questions of an event log. They are about the log: whether the registers' values are genuine is asked of the quote. */
import { catalogue } from "../../../claims/question.ts";

const replayed = <const R extends 0 | 1 | 2 | 3>(register: R) =>
  ({
    asks: `Do the digests of the log, replayed in order, give the value of RTMR${register}?`,
    spec: "Intel TDX module ABI, TDG.MR.RTMR.EXTEND; TCG PC Client Platform Firmware Profile, 10.2",
    stops:
      "A log in which an event was changed, added, left out or moved: then it tells another story than the register.",
    todo: "Get the log and the quote from the same boot; if it stays so, believe nothing that the log says about this register.",
    owed: "always",
    codes: {
      [`rtmr${register}-replay`]: `The replayed digests do not give RTMR${register}.`,
    } as Readonly<Record<`rtmr${R}-replay`, string>>,
  }) as const;

export const eventLog = catalogue("tdx", {
  "tdx.eventlog.format": {
    asks: "Is this one whole event log in a known form, with nothing behind its end?",
    spec: "TCG PC Client Platform Firmware Profile, 10; UEFI 2.10, 38.4.1",
    stops: "A log that two programs read differently, and events that hide behind its end.",
    todo: "Have the log read again, from /sys/firmware/acpi/tables/data/CCEL or dstack's answer, and handed over as it came.",
    owed: "always",
    codes: {
      "eventlog-malformed": "The bytes are not an event log in a form that is read here.",
      "eventlog-unsupported": "It is an event log, but without SHA-384 digests or of a version that is not known.",
    },
  },
  "tdx.eventlog.rtmr0": replayed(0),
  "tdx.eventlog.rtmr1": replayed(1),
  "tdx.eventlog.rtmr2": replayed(2),
  "tdx.eventlog.rtmr3": replayed(3),
  "tdx.eventlog.event_data": {
    asks: "Does the data of each event give its digest, wherever the log shows both and the one is made from the other?",
    spec: "TCG PC Client Platform Firmware Profile, 10.4.1, event types; dstack, runtime events",
    stops: "An event whose digest is genuine and whose text was rewritten: a replay alone does not notice that.",
    todo: "Look at the events that are named; read nothing out of their data.",
    owed: "always",
    codes: { "event-data": "An event's data does not give the digest that its type says it gives." },
  },
  "tdx.eventlog.unregistered": {
    asks: "Is every event of the log extended into a register that a quote holds?",
    spec: "UEFI 2.10, 38.4.1, mapping of registers",
    stops: "Events for MRTD, which nothing is extended into after launch: nothing vouches for them.",
    todo: "Leave these events out of what you conclude from the log.",
    owed: "advisory",
    codes: { "event-unregistered": "The log has events that no RTMR holds." },
  },
});
