/** The one error class of pm. A check that says no is a claim, not an exception; an exception is "could not ask". */

export type ErrorCode =
  /** Wrong flags, wrong profile: the user can mend it. Exit status 2. */
  | "PM_USAGE"
  /** Bytes that break their own format. In a judgement it fails the `format` claim of that evidence. */
  | "PM_EVIDENCE_MALFORMED"
  /** A version, product or form that pm does not know. In a judgement it is an `error`, never a forgery. */
  | "PM_EVIDENCE_UNSUPPORTED"
  /** A source gave no answer; trying again may help. Exit status 4. */
  | "PM_SOURCE_UNAVAILABLE"
  /** A source answered with more than was allowed, or refused. Exit status 3. */
  | "PM_SOURCE_REFUSED"
  /** A state that the code rules out. Exit status 70. */
  | "PM_BUG";

export interface ErrorDetail {
  /** Reason code of the claim that this error fails, from the verifier's catalogue. */
  readonly reasonCode?: string;
  /** What to do next; printed on a line of its own. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Message form: lower case, no full stop, the thing first, then expected and actual. Never a secret. */
export class PmError extends Error {
  readonly code: ErrorCode;
  readonly reasonCode: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "PmError";
    this.code = code;
    this.reasonCode = detail.reasonCode;
    this.hint = detail.hint;
  }
}

export const malformed = (message: string, reasonCode?: string): PmError =>
  new PmError("PM_EVIDENCE_MALFORMED", message, reasonCode === undefined ? {} : { reasonCode });
export const unsupported = (message: string, reasonCode?: string): PmError =>
  new PmError("PM_EVIDENCE_UNSUPPORTED", message, reasonCode === undefined ? {} : { reasonCode });
export const usage = (message: string, hint?: string): PmError =>
  new PmError("PM_USAGE", message, hint === undefined ? {} : { hint });
