/** What policies permit: each body's probes are planned, asked in the guest's engine by `look`, and judged. */
import { createHash } from "node:crypto";
import type { EngineAnswer } from "../bytes/policy-engine.ts";
import { type Judged, judge } from "../claims/subject.ts";
import type { ProbeLine, ProbeTable } from "../report/report.ts";
import type { Look, Request } from "../run.ts";
import type { PolicyBody } from "../verifiers/kata/body.ts";
import {
  judgeProbes,
  notProvenByProbes,
  type ProbePlan,
  type ProbeRow,
  planProbes,
  policyProbe,
} from "../verifiers/kata/probe/index.ts";

/** A policy under the name of what runs under it; or why there is none. */
export interface ProbeSubject {
  readonly name: string;
  readonly body: PolicyBody | { readonly why: string };
}
export interface ProbesAudit {
  readonly judged: readonly Judged[];
  readonly tables: readonly ProbeTable[];
  readonly notProven: readonly string[];
}

/** An answer to a few thousand steps. */
const maxAnswerBytes = 256 * 1024 * 1024;

/** The question that a plan is, named by what it asks. */
function engineRequest(plan: ProbePlan): Request {
  const post = JSON.stringify(plan.request);
  const path = `/${createHash("sha256").update(post).digest("hex")}`;
  return { service: "policy-engine", path, maxBytes: maxAnswerBytes, post };
}

/** Pure; never throws for what is in a body. */
export function auditProbes(subjects: readonly ProbeSubject[], look: Look): ProbesAudit {
  const audited = subjects.map(({ name, body }) => {
    const plan = "why" in body ? body : planProbes(body);
    const answer = "why" in plan ? plan : answerTo(plan, look);
    const { answers, rows } = judgeProbes(plan, answer);
    return {
      judged: judge({ name, catalogue: policyProbe, pinned: new Set<string>() }, answers),
      table: { subject: name, rego: "why" in answer ? null : answer.rego, rows: rows.map(lineOf) },
    };
  });
  return {
    judged: audited.map((a) => a.judged),
    tables: audited.map((a) => a.table),
    notProven: subjects.length === 0 ? [] : notProvenByProbes,
  };
}

const lineOf = ({ claim, reason, ...row }: ProbeRow): ProbeLine => ({
  ...row,
  claim: claim ?? null,
  reason: reason ?? null,
});

export function answerTo(plan: ProbePlan, look: Look): EngineAnswer | { readonly why: string } {
  const response = look(engineRequest(plan));
  if (response.status !== "ok") return { why: `the policy engine gave no answer: ${response.reason}` };
  return JSON.parse(Buffer.from(response.bytes).toString("utf8")) as EngineAnswer;
}
