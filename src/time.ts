/** Times on the command line: RFC 3339 or Unix seconds, nothing else (the host's time zone never takes part). */
import { usage } from "./errors.ts";

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * @throws PmError PM_USAGE for anything but an RFC 3339 instant or Unix seconds
 */
export function parseTime(text: string, flag = "--at"): Date {
  const date = /^\d{1,12}$/.test(text) ? new Date(Number(text) * 1000) : rfc3339.test(text) ? instant(text) : undefined;
  if (date === undefined || !Number.isFinite(date.getTime()))
    throw usage(`${flag}: not a time: ${text}`, "RFC 3339 such as 2026-11-22T00:00:00Z, or Unix seconds");
  return date;
}

/** Refuses days that a calendar does not have, which Date would carry over into the next month. */
function instant(text: string): Date | undefined {
  const [, year = "", month = "", day = ""] = rfc3339.exec(text) ?? [];
  const last = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) >= 1 && Number(day) <= last ? new Date(text.toUpperCase().replace(" ", "T")) : undefined;
}

/** RFC 3339 in UTC, milliseconds only where there are some. */
export const rfc = (date: Date): string => date.toISOString().replace(".000Z", "Z");
