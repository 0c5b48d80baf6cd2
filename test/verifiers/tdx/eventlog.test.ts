/** Event logs: real ones replay to their quotes' registers, and a changed event is named. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Sourced } from "../../../src/claims/answer.ts";
import { PmError } from "../../../src/errors.ts";
import {
  coverageOf,
  decodeEventLog,
  type Registers,
  replay,
  verifyEventLog,
} from "../../../src/verifiers/tdx/eventlog/index.ts";
import { describeEvidence, evidence, evidenceJson } from "../../evidence.ts";
import { ccel, dstackEvent, dstackLog, logEvents } from "./eventlog-make.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const flag = (value: string): Sourced => ({ value, origin: { kind: "flag", name: "--rtmr" } });
const registersOf = (bytes: Uint8Array): Registers => {
  const [a, b, c, d] = replay(decodeEventLog(bytes)).registers.map((r) => flag(hex(r)));
  return [a, b, c, d];
};
const status = (bytes: Uint8Array, registers: Registers) =>
  Object.fromEntries(
    Object.entries(verifyEventLog(bytes, registers).answers).map(([id, a]) => [id.slice(13), a.status]),
  );
const good = {
  format: "pass",
  rtmr0: "pass",
  rtmr1: "pass",
  rtmr2: "pass",
  rtmr3: "pass",
  event_data: "pass",
  unregistered: "pass",
};
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

interface Expected {
  readonly events?: number;
  readonly rtmrs: readonly string[];
  readonly log?: readonly {
    mrIndex: number;
    type: string;
    sha384: string;
    dataLen: number;
    digestIsSha384OfEventData: boolean;
  }[];
}

describeEvidence("real event logs", () => {
  it.each([
    ["gcp-cos-113/ccel_data.dat", "gcp-cos-113/expected.json", 43],
    ["dstack-0.5/quote-report.json", "dstack-0.5/expected.json", 28],
    ["trustee-CCEL_data_ovmf/ccel.bin", "trustee-CCEL_data_ovmf/expected.json", 20],
  ])("%s replays to the registers that are known", (file, answers, events) => {
    const log = decodeEventLog(evidence(`tdx/eventlogs/${file}`));
    const expected = evidenceJson<Expected>(`tdx/eventlogs/${answers}`);
    expect(log.events).toHaveLength(events);
    expect(replay(log).registers.map(hex)).toEqual(expected.rtmrs);
    expect(status(evidence(`tdx/eventlogs/${file}`), registersOf(evidence(`tdx/eventlogs/${file}`)))).toEqual(good);
  });
  it("has every event of the CCEL as the notes list it, with the data that its digest covers whole", () => {
    const { events } = decodeEventLog(evidence("tdx/eventlogs/gcp-cos-113/ccel_data.dat"));
    const { log } = evidenceJson<Expected>("tdx/eventlogs/gcp-cos-113/expected.json");
    const seen = events.map((e) => ({
      mrIndex: (e.register ?? -1) + 1,
      type: `0x${e.type.toString(16).padStart(8, "0")}`,
      sha384: hex(e.digest),
      dataLen: e.data?.length,
      digestIsSha384OfEventData: coverageOf(e).covered === "data",
    }));
    expect(seen).toEqual(log);
    expect(seen.filter((e) => e.digestIsSha384OfEventData)).toHaveLength(13);
  });
  it("has the registers of its own quote", () => {
    const quote = evidence("tdx/eventlogs/gcp-cos-113/quote.bin");
    const registers = [0, 1, 2, 3].map((i) => hex(quote.subarray(376 + 48 * i, 424 + 48 * i)));
    expect(replay(decodeEventLog(evidence("tdx/eventlogs/gcp-cos-113/ccel_data.dat"))).registers.map(hex)).toEqual(
      registers,
    );
  });
  it("names every event of dstack's runtime whose payload is changed", () => {
    const answer = evidenceJson<{ event_log: string }>("tdx/eventlogs/dstack-0.5/quote-report.json");
    const list = JSON.parse(answer.event_log) as Record<string, unknown>[];
    const registers = registersOf(json(list));
    list.forEach((event, i) => {
      if (event["imr"] !== 3) return;
      const forged = json(list.with(i, { ...event, event_payload: `${event["event_payload"]}00` }));
      const { answers } = verifyEventLog(forged, registers);
      expect(answers["tdx.eventlog.event_data"]).toMatchObject({ status: "fail", code: "event-data" });
      expect(answers["tdx.eventlog.event_data"].reason).toContain(
        `event ${i} dstack runtime event "${event["event"]}"`,
      );
      expect(answers["tdx.eventlog.rtmr3"].status).toBe("pass");
    });
  });
  it("fails one register for each flipped digest, and names the event where its data covers the digest", () => {
    const log = evidence("tdx/eventlogs/gcp-cos-113/ccel_data.dat");
    const registers = registersOf(log);
    for (const event of decodeEventLog(log).events) {
      const at = Number.parseInt(event.place, 16) + 14;
      const forged = log.with(at, (log[at] ?? 0) ^ 1);
      const { answers } = verifyEventLog(forged, registers);
      for (const r of [0, 1, 2, 3] as const)
        expect(answers[`tdx.eventlog.rtmr${r}`].status).toBe(r === event.register ? "fail" : "pass");
      if (coverageOf(event).demanded)
        expect(answers["tdx.eventlog.event_data"].reason).toContain(`event ${event.index} `);
    }
  });
});

it("replays a made CCEL and a made dstack log, each to the other's registers where the events are the same", () => {
  const events = logEvents();
  expect(status(ccel(events), registersOf(ccel(events)))).toEqual(good);
  expect(registersOf(dstackLog(events))).toEqual(registersOf(ccel(events)));
  expect(status(dstackLog(events), registersOf(ccel(events)))).toEqual(good);
});

it("demands a value for every register", () => {
  const log = ccel(logEvents());
  const [first] = registersOf(log);
  expect(status(log, [first])).toMatchObject({ rtmr0: "pass", rtmr1: "skip", rtmr2: "skip", rtmr3: "skip" });
});

it("fails the register into which an event was added, left out or moved", () => {
  const events = logEvents();
  const registers = registersOf(ccel(events));
  const [first, second] = events;
  if (first === undefined || second === undefined) throw new Error("too few events");
  const forged = [[...events, first], events.slice(1), [second, first, ...events.slice(2)]];
  for (const log of forged) expect(status(ccel(log), registers)).toMatchObject({ rtmr0: "fail", rtmr1: "pass" });
});

it("names events for MRTD and replays them into nothing", () => {
  const events = logEvents();
  const registers = registersOf(ccel(events));
  const stray = { register: -1, type: 4, data: new Uint8Array(4) };
  const { answers } = verifyEventLog(ccel([...events, stray]), registers);
  expect(answers["tdx.eventlog.unregistered"]).toMatchObject({
    status: "fail",
    code: "event-unregistered",
    grade: "unknown",
  });
  expect(answers["tdx.eventlog.rtmr0"].status).toBe("pass");
});

it("does not let a runtime event pass whose payload was left out", () => {
  const { event_payload: _, ...bare } = dstackEvent("compose-hash", "ab");
  const registers = registersOf(json([bare]));
  expect(verifyEventLog(json([bare]), registers).answers["tdx.eventlog.event_data"].status).toBe("fail");
});

it("takes a runtime event without a digest as its fields say, and one of a new version through its preimage only", () => {
  const name = "compose-hash";
  const old = dstackEvent(name, "ab");
  const registers = registersOf(json([old]));
  expect(registersOf(json([{ ...old, digest: "" }]))).toEqual(registers);
  const preimage = Buffer.from(JSON.stringify({ name, payload: "ab", type: 0x08000001 }));
  const digest = createHash("sha384").update(preimage).digest("hex");
  const fresh = { ...old, version: 2, digest, preimage: preimage.toString("hex") };
  expect(verifyEventLog(json([fresh]), registers).answers["tdx.eventlog.event_data"].status).toBe("pass");
  for (const forged of [
    { ...fresh, event_payload: "ac" },
    { ...fresh, event: "app-id" },
  ])
    expect(verifyEventLog(json([forged]), registers).answers["tdx.eventlog.event_data"].status).toBe("fail");
  const { preimage: _, ...bare } = fresh;
  expect(verifyEventLog(json([bare]), registers).answers["tdx.eventlog.format"]).toMatchObject({
    status: "error",
    code: "eventlog-unsupported",
  });
});

it("compares no data with a digest that pm itself made from it", () => {
  const { digest: _, ...bare } = dstackEvent("app-id", "ab");
  const alone = verifyEventLog(json([bare]), registersOf(json([bare])));
  expect(alone.answers["tdx.eventlog.rtmr3"].status).toBe("pass");
  expect(alone.answers["tdx.eventlog.event_data"].status).toBe("skip");
  expect(alone.evidence).toMatchObject({
    events: [{ digestFrom: "computed from name and payload", dataAuthenticated: "by the register alone" }],
  });
  const action = { imr: 1, event_type: 0x80000007, digest: "11".repeat(48), event: "", event_payload: "" };
  const log = json([bare, action, action, dstackEvent("key-provider", "cd")]);
  const { answers, evidence: facts } = verifyEventLog(log, registersOf(log));
  expect(answers["tdx.eventlog.event_data"]).toMatchObject({
    status: "pass",
    expected: { value: "the data of 1 events gives their digests" },
    actual: {
      value:
        "the data of 1 events gives their digests; not compared, no data shown: 2; not compared, no digest of their own: 1",
    },
  });
  expect(facts).toMatchObject({ events: [{}, {}, {}, { digestFrom: "log", dataAuthenticated: "name and payload" }] });
});

it("names no event of a forged log whose digests pm made, and fails the register", () => {
  const { digest: _, ...bare } = dstackEvent("app-id", "ab");
  const { answers } = verifyEventLog(json([{ ...bare, event_payload: "ac" }]), registersOf(json([bare])));
  expect(answers["tdx.eventlog.rtmr3"]).toMatchObject({ status: "fail", code: "rtmr3-replay" });
  expect(answers["tdx.eventlog.event_data"].status).toBe("skip");
});

it.each<[string, (log: Uint8Array) => Uint8Array]>([
  ["nothing", () => new Uint8Array()],
  ["a list without events", () => json([])],
  ["something behind its end", (log) => Uint8Array.from([...log, 0xff, 0xff, 0xff, 0xff, 0xff, 1])],
  ["one byte less", (log) => log.subarray(0, -1)],
  ["a register 5", (log) => log.with(65, 6)],
  [
    "two members of one name",
    () => new TextEncoder().encode('[{"imr":0,"imr":1,"event_type":4,"digest":"","event":""}]'),
  ],
  ["imr 4", () => json([{ ...dstackEvent("a", ""), imr: 4 }])],
  ["a digest of 47 bytes", () => json([{ ...dstackEvent("a", ""), digest: "00".repeat(47) }])],
])("calls a log malformed that holds %s", (_, forge) => {
  const { answers } = verifyEventLog(forge(ccel(logEvents())), []);
  expect(answers["tdx.eventlog.format"]).toMatchObject({ status: "fail", code: "eventlog-malformed" });
  expect(answers["tdx.eventlog.rtmr0"].status).toBe("error");
});

it("decodes any bytes to a value or a typed error", () => {
  const log = ccel(logEvents());
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(log.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.nat(log.length),
      (edits, cut) => {
        const bytes = edits.reduce((b, [at, value]) => b.with(at, value), log).subarray(0, cut);
        try {
          decodeEventLog(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(PmError);
        }
      },
    ),
  );
});
