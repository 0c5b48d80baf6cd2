/** A part that cannot be decoded is shown as its problem, so that the rest of the document stays readable. */
import { PmError } from "../errors.ts";
import type { Json } from "../report/report.ts";

export function orProblem(decode: () => Json): Json {
  try {
    return decode();
  } catch (error) {
    if (error instanceof PmError) return { problem: error.message };
    throw error;
  }
}
