/**
 * The questions of an SGX quote, in the order in which they are answered: those of every DCAP quote, and what an enclave's
 * report says.
 */
import {
  authenticityQuestions,
  certificateQuestions,
  documentQuestions,
  prefixed,
  tcbQuestions,
  trailingQuestions,
} from "../../dcap/questions.ts";
import { enclaveQuestions, pins } from "./claims-enclave.ts";

/** Whose bytes are these? Everything else waits for a yes to all of them. */
export const authenticity = prefixed("sgx", authenticityQuestions);

/** Whether Intel stood behind platform and documents at the judgement time: owed, but no reason to stop reading. */
export const currency = prefixed("sgx", { ...trailingQuestions, ...certificateQuestions, ...documentQuestions });

/** Statuses that only a trust domain can have are no codes here. */
const {
  TCB_TD_RELAUNCH_ADVISED: _relaunch,
  TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED: _relaunchConfiguration,
  ...statusCodes
} = tcbQuestions["tcb.status"].codes;
export const platformQuestions = prefixed("sgx", {
  ...tcbQuestions,
  "tcb.status": { ...tcbQuestions["tcb.status"], codes: statusCodes },
});

/** What the authenticated quote says, with the platform's TCB. */
export const statements = { ...platformQuestions, ...enclaveQuestions };

export { pins };

/** What is asked of an authentic quote only. */
export const withoutAuthenticity = { ...statements, ...pins };

/** What a subject with an SGX quote owes. */
export const sgx = { ...authenticity, ...currency, ...statements, ...pins };
/** The same without the two questions about pins; a pin that is given is still owed. */
export const sgxAuthentic = { ...authenticity, ...currency, ...statements };
