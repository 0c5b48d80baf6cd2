/** Replays an event log: each register starts as 48 zero bytes and becomes SHA-384(register || digest) at each event. */
import { createHash } from "node:crypto";
import { digestSize, type EventLog } from "./event.ts";

export interface Replayed {
  /** RTMR0 to RTMR3, 48 bytes each. */
  readonly registers: readonly Uint8Array[];
  /** How many events each register got. */
  readonly counts: readonly number[];
}
const registerCount = 4;

export function replay({ events }: Pick<EventLog, "events">): Replayed {
  const one = (register: number) => {
    const own = events.filter((e) => e.register === register);
    const value = own.reduce(
      (old, e): Uint8Array => new Uint8Array(createHash("sha384").update(old).update(e.digest).digest()),
      new Uint8Array(digestSize),
    );
    return { value, count: own.length };
  };
  const all = Array.from({ length: registerCount }, (_, i) => one(i));
  return { registers: all.map((r) => r.value), counts: all.map((r) => r.count) };
}
