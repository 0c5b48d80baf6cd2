/** `pm policy check`: the run in which every claim passes, and one for each defect of policy-cases.ts. */
import { annotationOf, makePolicyWorld } from "../../fixtures/generator/policy-world.ts";
import { sharedDeployment } from "../../fixtures/generator/shared.ts";
import type { Ran } from "../command.ts";
import { checkPolicies } from "../policies.ts";
import { type PolicyCaseName, policyCases } from "../policy-cases.ts";

/** The deployment file as `contrast generate` writes it: the policy of one workload stands in its annotation. */
export function annotated(): Promise<Ran> {
  const body = makePolicyWorld(sharedDeployment().manifestValue).policies.get("workload-granite.toml");
  if (body === undefined) throw new Error("the deployment has no such workload");
  const annotation = `annotations: { io.katacontainers.config.hypervisor.cc_init_data: ${annotationOf(body)} }`;
  return checkPolicies({ yaml: (text) => text.replace("annotations: {}", annotation) });
}

type Runs = { readonly [Name in PolicyCaseName as `policies: ${Name}`]: () => Promise<Ran> };
const defects = Object.fromEntries(
  Object.entries(policyCases).map(([name, { question }]) => [`policies: ${name}`, () => checkPolicies(question)]),
) as Runs;

export const policyRuns = { "policies as they should be": annotated, ...defects };
