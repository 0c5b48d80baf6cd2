/** The policy document that HOST_DATA or MRCONFIGID names, out of the files at hand. */
import { hex } from "../bytes/hex.ts";
import { all, type Origin, type Sourced, skip } from "../claims/answer.ts";
import { type Judged, judge } from "../claims/subject.ts";
import { PmError } from "../errors.ts";
import type { Json } from "../report/report.ts";
import { decodeCarried, kata, verifyPolicy } from "../verifiers/kata/index.ts";
import type { AdmitJudgement } from "./admit-judged.ts";
import { hostDataField } from "./admit-own.ts";
import { policySubject } from "./coordinator.ts";

/** The body whose digest the evidence holds; without one among the files nothing about the policy is answered. */
export function policyOf(
  files: readonly Uint8Array[] | undefined,
  { hostData, blocked, tee }: AdmitJudgement,
  origin: Origin,
): { readonly judged: Judged; readonly evidence: Json } | undefined {
  if (files === undefined) return undefined;
  if (hostData === undefined) {
    const answers = all(kata, blocked ?? skip("not asked: the evidence is not authentic"));
    return { judged: judge({ name: "policy", catalogue: kata, pinned: new Set() }, answers), evidence: null };
  }
  const key: Sourced = { value: hostData.value, origin, at: `/Policies, by ${hostDataField[tee]}` };
  const body = files.map(documentIn).find((found) => found?.digest === key.value)?.raw;
  const judged = body === undefined ? undefined : verifyPolicy(body, key);
  const subject = { name: policySubject(key.value), catalogue: kata, pinned: new Set<string>() };
  const answers = judged?.answers ?? all(kata, skip("no file among the policies has this digest"));
  return { judged: judge(subject, answers), evidence: judged?.evidence ?? null };
}

/** A folder may hold other files too: what is no policy is none that evidence can name. */
function documentIn(bytes: Uint8Array): { readonly raw: Uint8Array; readonly digest: string } | undefined {
  try {
    const { body } = decodeCarried(bytes);
    return { raw: body.raw, digest: hex(body.digest) };
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  }
}
