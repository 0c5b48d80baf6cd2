/** `pm policy check` of a deployment put together here: the files of a `PolicyWorld` in a folder of their own. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePolicyWorld, type PolicyWorld, type PolicyWorldChange } from "../fixtures/generator/policy-world.ts";
import { sharedDeployment, sharedNow } from "../fixtures/generator/shared.ts";
import { type Ran, runPm } from "./command.ts";

export interface PolicyQuestion extends PolicyWorldChange {
  /** Default: all. */
  readonly policies?: (name: string) => boolean;
  /** A folder or bundle in place of the world's. */
  readonly bodies?: string;
  /** Bytes of files in place of those of the world. */
  readonly deployment?: Uint8Array | string;
  readonly manifest?: Uint8Array;
  /** Default true: what the auditor gives so that every claim passes. */
  readonly known?: { readonly rules?: boolean; readonly sidecars?: boolean; readonly configs?: boolean };
  readonly args?: readonly string[] | ((world: PolicyWorld, folder: string) => readonly string[]);
}

export function policyFolder(world: PolicyWorld, root: string, keep: (name: string) => boolean = () => true): string {
  const folder = join(root, "policies");
  mkdirSync(folder);
  for (const [name, body] of world.policies) if (keep(name)) writeFileSync(join(folder, name), body);
  return folder;
}

export function checkPolicies(question: PolicyQuestion = {}): Promise<Ran> {
  const root = mkdtempSync(join(tmpdir(), "pm-policies-"));
  const world = makePolicyWorld(sharedDeployment().manifestValue, question);
  const write = (name: string, content: Uint8Array | string): string => {
    const path = join(root, name);
    writeFileSync(path, content);
    return path;
  };
  const { rules = true, sidecars = true, configs = true } = question.known ?? {};
  const { args = [] } = question;
  return runPm([
    ...["policy", "check", write("deployment.yaml", question.deployment ?? world.deployment)],
    ...["--policies", question.bodies ?? policyFolder(world, root, question.policies)],
    ...["--manifest", write("manifest.json", question.manifest ?? world.manifest)],
    ...(rules ? ["--rules-sha256", world.rulesSha256] : []),
    ...(sidecars ? ["--sidecar-image", `contrast-initializer=${world.initializer}`] : []),
    ...(configs
      ? [...world.imageConfigs].flatMap(([ref, bytes], i) => ["--image-config", `${ref}=${write(`${i}.json`, bytes)}`])
      : []),
    ...["--at", sharedNow.toISOString(), "--json"],
    ...(typeof args === "function" ? args(world, root) : args),
  ]);
}
