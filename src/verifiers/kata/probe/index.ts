/** What a policy permits: a plan for the guest's engine, and what its answers say. */
export { notProvenByProbes, type ProbeClaim, policyProbe } from "./claims.ts";
export { judgeProbes, type ProbeJudgement, type ProbeResult, type ProbeRow } from "./judge.ts";
export { type PlannedProbe, type PlannedTarget, type ProbePlan, planProbes, type StepAt } from "./plan.ts";
