/** An Intel quote as `pm inspect` shows it: its fields, the signature data as it lies there, and the PCK chain that came along. */
import { hex } from "../bytes/hex.ts";
import { quoteFacts } from "../dcap/facts.ts";
import type { Quote } from "../dcap/quote.ts";
import type { Json } from "../report/report.ts";
import { certificatesToFacts } from "./certificate.ts";
import { orProblem } from "./problem.ts";

/** Trailing bytes shown; their number always stands beside them. */
const shownBytes = 64;

/** A chain that cannot be read says why and hides nothing else. */
export const inspectQuote = (quote: Quote, carrier: string): Json => ({
  carrier,
  ...quoteFacts(quote),
  signature: hex(quote.signature),
  attestationKey: hex(quote.attestationKey),
  qeReportSignature: hex(quote.qeReportSignature),
  certificationData:
    quote.certification.type === 5
      ? orProblem(() => certificatesToFacts(withoutNul(quote.certification.data)))
      : hex(quote.certification.data),
  firstBytesAfterSignatureData: hex(quote.trailing.subarray(0, shownBytes)),
});

/** Generators leave NULs behind the PEM text. */
const withoutNul = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.findLastIndex((b) => b !== 0) + 1);
