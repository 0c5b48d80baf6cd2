/** Times of certificates and CRLs (RFC 5280 4.1.2.5, 5.1.2.4): seconds there, `Z` there, no fraction, a day that exists. */
import { once } from "../bytes/once.ts";

/** RFC 3339 in UTC, without fractions where there are none, for reports: dates of a certificate may be invalid. */
export const instant = once((date: Date): string =>
  Number.isFinite(date.getTime()) ? date.toISOString().replace(".000Z", "Z") : "invalid time",
);

function digits(octets: Uint8Array, count: number): number[] | undefined {
  if (octets.length !== count + 1 || octets[count] !== 0x5a) return undefined;
  const values: number[] = [];
  for (let i = 0; i < count; i += 2) {
    const tens = (octets[i] ?? 0) - 0x30;
    const units = (octets[i + 1] ?? 0) - 0x30;
    if (tens < 0 || tens > 9 || units < 0 || units > 9) return undefined;
    values.push(tens * 10 + units);
  }
  return values;
}

function calendar(year: number, rest: readonly number[]): Date | undefined {
  const [month = 0, day = 0, hour = 24, minute = 60, second = 60] = rest;
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined;
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  return time.getUTCDate() === day && time.getUTCMonth() === month - 1 ? time : undefined;
}

/** YYMMDDHHMMSSZ; 50 to 99 are 1950 to 1999. Undefined when it is anything else. */
export function utcTime(octets: Uint8Array): Date | undefined {
  const values = digits(octets, 12);
  if (values === undefined) return undefined;
  const [year = 0, ...rest] = values;
  return calendar(year < 50 ? 2000 + year : 1900 + year, rest);
}

/** YYYYMMDDHHMMSSZ from 2050 on; an earlier year must be written as UTCTime and is undefined here. */
export function generalizedTime(octets: Uint8Array): Date | undefined {
  const values = digits(octets, 14);
  if (values === undefined) return undefined;
  const [century = 0, year = 0, ...rest] = values;
  const whole = century * 100 + year;
  return whole < 2050 ? undefined : calendar(whole, rest);
}
