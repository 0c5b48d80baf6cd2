/** `pm policy diff`: what changed between two policies, whatever each is carried in. */
import type { Result } from "../command.ts";
import { PmError } from "../errors.ts";
import type { Input } from "../input.ts";
import { type Compared, type Comparison, comparisonJson, comparisonStatus, comparisonText } from "../report/changes.ts";
import { decodeCarried, type PolicyBody } from "../verifiers/kata/body.ts";
import { diffPolicies, sha256Of } from "../verifiers/kata/diff.ts";

/** @throws PmError as decodeCarried, with the name of the file */
export function policyDiff(a: Input, b: Input): Result {
  const [before, after] = [bodyOf(a), bodyOf(b)];
  const comparison: Comparison = {
    a: sideOf(a, before),
    b: sideOf(b, after),
    ...diffPolicies(before, after),
  };
  return {
    exitCode: comparisonStatus(comparison),
    json: () => comparisonJson(comparison),
    text: ({ width }) => comparisonText(comparison, width),
  };
}

/** The digest of the document, not of the file that carries it: what a manifest lists. */
const sideOf = ({ name }: Input, body: PolicyBody): Compared => ({ name, sha256: sha256Of(body.raw), problems: [] });

function bodyOf({ name, bytes }: Input): PolicyBody {
  try {
    return decodeCarried(bytes).body;
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    throw new PmError(error.code, `${name}: ${error.message}`, {
      ...(error.reasonCode === undefined ? {} : { reasonCode: error.reasonCode }),
      hint: "an initdata document, its annotation's base64 text, its block device image, or the bare Rego text",
      cause: error,
    });
  }
}
