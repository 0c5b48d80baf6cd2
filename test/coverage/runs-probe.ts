/** `pm policy probe`: what passes, and each way in which a policy permits too much. */
import { fullOfHoles, laxPolicy, shutPolicy, strictPolicy } from "../../fixtures/generator/probe-policies.ts";
import type { Ran } from "../command.ts";
import { policyNamed, probed } from "../probe-world.ts";

export const probeRuns = {
  "probed policy as demanded": () => probed(strictPolicy),
  "probed policy as they usually are": () => probed(policyNamed("as it is")),
  "probed policy with every hole": () => probed(fullOfHoles),
  "probed policy that permits other pods and commands": () => probed(laxPolicy),
  "probed policy that permits no container": () => probed(shutPolicy),
  "probed policy that lets failing requests through": () => probed(policyNamed("failing requests allowed")),
  "probed policy that v0 and v1 read differently": () => probed(policyNamed("v0 and v1 read it differently")),
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
