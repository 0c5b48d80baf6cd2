/** `pm policy hash`: a policy in any form, as digest, host data and what it lists. */
import type { Input } from "../input.ts";
import { factsJson, tree } from "../inspect.ts";
import type { Json } from "../report/report.ts";
import { wrap } from "../report/text.ts";
import { decodeCarried } from "../verifiers/kata/body.ts";
import { factsOf } from "../verifiers/kata/facts.ts";

export const carriedFacts = ({
  carrier,
  body,
}: ReturnType<typeof decodeCarried>): { readonly [name: string]: Json } => ({
  carrier,
  ...factsOf(body),
});

const trailer =
  "A digest and nothing more: whether a manifest lists it and hardware reports it is for `pm verify` to answer. " +
  "Which of the listed images the policy's rules enforce is not said here.";

/** @throws PmError as decodeCarried */
export function policyHash(input: Input): {
  json(): string;
  text(view: { readonly width: number }): string;
} {
  const facts = carriedFacts(decodeCarried(input.bytes));
  return {
    json: () =>
      factsJson({ schemaVersion: 1, source: { sha256: input.sha256, size: input.bytes.length }, policy: facts }),
    text: ({ width }) => `${[...tree(facts, width), "", ...wrap(trailer, width, "", "")].join("\n")}\n`,
  };
}
