/** An event log in any known form. */
import { decodeCcel, looksLikeCcel, looksLikeCcelTable } from "./ccel.ts";
import { decodeDstack } from "./dstack.ts";
import { type EventLog, logMalformed } from "./event.ts";

/** First character of JSON behind white space. */
const jsonStart = /^[ \t\r\n]*[[{]/;

/**
 * CCEL as the kernel hands it out, with or without its fill, or dstack's JSON.
 * @throws PmError PM_EVIDENCE_MALFORMED; PM_EVIDENCE_UNSUPPORTED for what is a log, but not one that pm can replay
 */
export function decodeEventLog(bytes: Uint8Array): EventLog {
  const log = decodeForm(bytes);
  if (log.events.length === 0) throw logMalformed("event log: holds no event");
  return log;
}

function decodeForm(bytes: Uint8Array): EventLog {
  if (looksLikeCcel(bytes)) return decodeCcel(bytes);
  if (looksLikeCcelTable(bytes))
    throw logMalformed(
      "event log: this is the ACPI table CCEL, which says where the log lies; the log is another file",
    );
  if (jsonStart.test(Buffer.from(bytes.subarray(0, 256)).toString("latin1"))) return decodeDstack(bytes);
  throw logMalformed("event log: neither a TCG crypto-agile log (CCEL) nor dstack's JSON");
}
