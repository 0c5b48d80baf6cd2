/** Times in files that pm reads back. */

/** RFC 3339 in UTC with the letter Z, and a day that exists. */
export function isTime(value: unknown): value is string {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value)) return false;
  const time = new Date(value);
  // `new Date` reads 30 February as 2 March.
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 19) === value.slice(0, 19);
}
