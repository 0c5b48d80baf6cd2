/** What the auditor vouches for beside the manifest: the deployment file, rules, images, files; read from where they lie. */
import { resolve } from "node:path";
import type { Origin, Sourced } from "../claims/answer.ts";
import { PmError, usage } from "../errors.ts";
import { type Input, maxDeploymentBytes, readInput } from "../input.ts";
import { decodeImageConfig } from "../verifiers/kata/image-config.ts";
import { digestIn, type HeldImageConfig, type References } from "../verifiers/kata/workload-types.ts";
import type { ProfileFile } from "./schema.ts";

/** What a policy is held against, but for the deployment file and the manifest. */
export type HeldReferences = Omit<References, "deployment" | "manifest" | "sanEdits">;

export interface HeldDeployment {
  readonly file: Input;
  /** Path of a folder or a bundle of policy bodies. */
  readonly policies: string | undefined;
  readonly references: HeldReferences;
}

const maxConfigBytes = 4 * 1024 * 1024;
const maxSourceBytes = 64 * 1024 * 1024;

/** The values as they are named in a profile or by flags; `field` says where, for messages. */
export interface NamedReferences {
  /** Lower-case hex. */
  readonly rules: readonly string[];
  readonly sidecars: readonly (readonly [name: string, reference: string])[];
  readonly imageConfigs: readonly (readonly [reference: string, path: string])[];
  readonly envRegexes: readonly string[];
  readonly sources: readonly string[];
  /** Who names them. */
  readonly origin: (member: "rules" | "sidecars") => Origin;
  readonly field: (member: "rules" | "sidecars" | "imageConfigs" | "sources") => string;
}

/**
 * @param folder that relative paths of the profile start from
 * @throws PmError PM_USAGE for a file that cannot be read, a name given twice
 */
export async function loadDeployment(
  said: NonNullable<ProfileFile["deployment"]>,
  folder: string,
  profile: string,
): Promise<HeldDeployment> {
  const path = (name: string): string => resolve(folder, name);
  return {
    file: await readInput(path(said.file), "a deployment file", maxDeploymentBytes),
    policies: said.policies === undefined ? undefined : path(said.policies),
    references: await holdReferences({
      rules: said.rules ?? [],
      sidecars: Object.entries(said.sidecars ?? {}),
      imageConfigs: (said.imageConfigs ?? []).map(({ image, file }) => [image, path(file)] as const),
      envRegexes: said.envRegexes ?? [],
      sources: (said.sources ?? []).map(path),
      origin: () => ({ kind: "profile", name: profile }),
      field: (member) => `${profile}: deployment.${member}`,
    }),
  };
}

/** @throws PmError PM_USAGE for a reference without a digest, a name given twice, a file that cannot be read */
export async function holdReferences(named: NamedReferences): Promise<HeldReferences> {
  const configs = new Map<string, HeldImageConfig>();
  for (const [reference, path] of named.imageConfigs) {
    const digest = pinnedDigest(reference, named.field("imageConfigs"));
    if (configs.has(digest)) throw usage(`${named.field("imageConfigs")}: ${digest} is given twice`);
    configs.set(digest, await imageConfig(path));
  }
  const sidecars = new Map<string, Sourced>();
  for (const [name, reference] of named.sidecars) {
    // With its repository: as a bare digest it would be like no image of a policy.
    if (reference.startsWith("sha256:")) throw unpinned(reference, named.field("sidecars"));
    pinnedDigest(reference, named.field("sidecars"));
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name))
      throw usage(`${named.field("sidecars")}: not a container's name: ${name}`);
    if (sidecars.has(name)) throw usage(`${named.field("sidecars")}: ${name} is given twice`);
    sidecars.set(name, { value: reference, origin: named.origin("sidecars"), at: named.field("sidecars") });
  }
  const sources = new Map<string, string>();
  for (const path of named.sources) {
    const { name, sha256 } = await readInput(path, "a source file", maxSourceBytes);
    sources.set(sha256, name);
  }
  const at = named.field("rules");
  const rules = named.rules.map((value) => ({ value, origin: named.origin("rules"), at }));
  return { rules, sidecars, imageConfigs: configs, envRegexes: named.envRegexes, sources };
}

/** Only a digest names an image for good. */
function pinnedDigest(reference: string, field: string): string {
  const digest = digestIn(reference.startsWith("sha256:") ? `@${reference}` : reference);
  if (digest === undefined) throw unpinned(reference, field);
  return digest;
}
const unpinned = (reference: string, field: string): PmError =>
  usage(`${field}: ${reference}: names no image by digest`, "for example registry/name:tag@sha256:HEX");

async function imageConfig(path: string): Promise<HeldImageConfig> {
  const { name, bytes } = await readInput(path, "an image configuration", maxConfigBytes);
  try {
    return { config: decodeImageConfig(bytes, name), name };
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    throw usage(error.message, "the JSON document whose digest an image manifest names as its config");
  }
}
