/** Fields of the enclave's report as answers cite them: name and byte range of the report body. */
import { observed, type Sourced } from "../../claims/answer.ts";

/** @param at field and bytes of the report body, Intel SDM 38.15 */
export const field = (value: string, at: string): Sourced => observed(value, "SGX report", at);
