/**
 * The guest's Rego engine as a source: what an audit asks of a policy is computed here and now, in live runs and replays
 * alike. A bundle holds none of it: what a policy permits is no evidence that somebody could have recorded.
 */
import type { EngineRequest } from "../bytes/policy-engine.ts";
import { PmError } from "../errors.ts";
import { askPolicy } from "../measure/policy-engine/ask.ts";
import type { Request, Response, Source } from "../run.ts";
import { rfc } from "../time.ts";

/** Answers questions to the engine; everything else goes to `others`. */
export const withPolicyEngine = (others: Source): Source => ({
  fetch: (request) => (request.service === "policy-engine" ? asked(request) : others.fetch(request)),
});

/** For commands that ask nobody else. */
export const nobody: Source = {
  fetch: ({ service }) => Promise.reject(new PmError("PM_BUG", `this run asks ${service}, and has no source`)),
};

async function asked({ post }: Request): Promise<Response> {
  if (post === undefined) throw new PmError("PM_BUG", "a question to the policy engine without its text");
  const answer = await askPolicy(JSON.parse(post) as EngineRequest);
  return { status: "ok", bytes: new TextEncoder().encode(JSON.stringify(answer)), at: rfc(new Date()) };
}
