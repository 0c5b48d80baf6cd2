/** `pm policy probe` of one made-up policy: the smallest workload's, in a file of its own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyEdits } from "../fixtures/generator/policies.ts";
import { makePolicyWorld } from "../fixtures/generator/policy-world.ts";
import { badPolicies, goodPolicies, type ProbePolicy } from "../fixtures/generator/probe-policies.ts";
import { sharedDeployment } from "../fixtures/generator/shared.ts";
import { type Ran, type RunOptions, runPm } from "./command.ts";

const root = mkdtempSync(join(tmpdir(), "pm-probe-"));
let files = 0;

export function probeFile(content: Uint8Array | string, ending = "toml"): string {
  const path = join(root, `${++files}.${ending}`);
  writeFileSync(path, content);
  return path;
}
export const removeProbes = (): void => rmSync(root, { recursive: true, force: true });

export function policyNamed(name: string): ProbePolicy {
  const found = [...goodPolicies, ...badPolicies].find((p) => p.name === name);
  if (found === undefined) throw new Error(`no policy is named ${name}`);
  return found;
}

/** The initdata document of the deployment's smallest workload under these edits. */
export function bodyUnder(edits: PolicyEdits, workload = "coordinator"): Uint8Array {
  const body = makePolicyWorld(sharedDeployment().manifestValue, edits).policies.get(`${workload}.toml`);
  if (body === undefined) throw new Error(`the deployment has no workload ${workload}`);
  return body;
}

/** Engine time is wall clock, and other tests run beside this one. */
const timeoutMs = 170_000;

export const probe = (args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  runPm(["policy", "probe", ...args], { timeoutMs, ...options });

export const probed = ({ edits }: ProbePolicy, ...args: readonly string[]): Promise<Ran> =>
  probe([probeFile(bodyUnder(edits)), "--json", ...args]);
