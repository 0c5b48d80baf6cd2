/**
 * The questions of a TDX quote, in the order in which they are answered. The questions about quote, PCK chain and Intel's
 * documents are those of every DCAP quote; what a trust domain is asked besides is in claims-td.ts and claims-pinned.ts.
 */
import { catalogue } from "../../claims/question.ts";
import {
  authenticityQuestions,
  certificateQuestions,
  documentQuestions,
  prefixed,
  tcbQuestions,
  trailingQuestions,
} from "../../dcap/questions.ts";
import { identityQuestions, ownerQuestions, platformPinQuestions } from "./claims-pinned.ts";
import { moduleQuestions, tdQuestions } from "./claims-td.ts";

/** Whose bytes are these? Everything else waits for a yes to all of them. */
export const authenticity = catalogue("tdx", prefixed("tdx", authenticityQuestions));

/** What is known of the unsigned part, of certificates, lists and documents: owed, but no reason to stop reading. */
export const currency = catalogue("tdx", {
  ...prefixed("tdx", trailingQuestions),
  ...prefixed("tdx", certificateQuestions),
  ...prefixed("tdx", documentQuestions),
});

/** What the authenticated quote says. */
export const statements = {
  ...moduleQuestions,
  ...catalogue("tdx", prefixed("tdx", tcbQuestions)),
  ...platformPinQuestions,
  ...tdQuestions,
  ...identityQuestions,
  ...ownerQuestions,
};

/** A quote proves little unless somebody said before what should run and whom it should answer. */
export const pins = catalogue("tdx", {
  "tdx.pins.what_runs": {
    asks: "Was the trust domain's initial memory compared with a value that somebody gave?",
    spec: "Intel TDX module, TDINFO MRTD",
    stops:
      "Calling genuine hardware verified although anything at all may run on it. RTMRs alone do not say: the firmware in MRTD extends them.",
    todo: "Name what should run, from a source that you trust: --mrtd (and --rtmr0 to --rtmr3) of pm tdx verify, reference values of a manifest; or ask only with --authentic-only. Where a value was named and differs, settle that.",
    owed: "always",
    codes: { MRTD_MISMATCH: "MRTD is not the expected one." },
  },
  "tdx.pins.for_whom": {
    asks: "Was what binds the quote to its purpose compared with a value that somebody gave?",
    spec: "Intel TDX module, REPORTDATA and MRCONFIGID",
    stops: "A genuine quote of another trust domain or another day, relayed.",
    todo: "Name whom the quote should answer: --report-data or --mrconfigid of pm tdx verify; a Coordinator's answer names it itself; or ask only with --authentic-only. Where a value was named and differs, settle that.",
    owed: "always",
    codes: {
      REPORT_DATA_MISMATCH: "REPORTDATA is not the expected one.",
      MRCONFIGID_MISMATCH: "MRCONFIGID is not the expected one.",
    },
  },
});

/** What a subject with a TDX quote owes. */
export const tdx = { ...authenticity, ...currency, ...statements, ...pins };
/** The same without the two questions about pins; a pin that is given is still owed. */
export const tdxAuthentic = { ...authenticity, ...currency, ...statements };
