/** Event logs of a TD: what other parts of pm may use. */
export { type CcelTable, decodeCcelTable, looksLikeCcel, looksLikeCcelTable } from "./ccel.ts";
export { eventLog } from "./claims.ts";
export { coverageOf } from "./coverage.ts";
export { decodeEventLog } from "./decode.ts";
export { type EventLog, type LogEvent, typeName } from "./event.ts";
export { eventLogFacts } from "./facts.ts";
export { replay } from "./replay.ts";
export { type EventLogJudgement, type Registers, verifyEventLog } from "./verify.ts";
