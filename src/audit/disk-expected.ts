/** The auditor's list of a commit's files. It is their own: what is wrong with it says nothing about a disk. */
import { PmError, usage } from "../errors.ts";
import type { Input } from "../input.ts";
import { decodeExpect, type ExpectedFiles } from "../verifiers/verity/expect.ts";

/** @throws PmError PM_USAGE for what is no list */
export function expectedFiles({ bytes, name }: Pick<Input, "bytes" | "name">): ExpectedFiles {
  try {
    return decodeExpect(bytes, name);
  } catch (error) {
    if (
      error instanceof PmError &&
      (error.code === "PM_EVIDENCE_MALFORMED" || error.code === "PM_EVIDENCE_UNSUPPORTED")
    )
      throw usage(error.message, "make the list with pm disk expect");
    throw error;
  }
}
