/** Values of `pm policy check`'s flags: what the auditor vouches for beside the deployment file and the manifest. */
import { PmError, usage } from "../errors.ts";
import { hexFlag } from "../flags.ts";
import { readInput } from "../input.ts";
import { decodeImageConfig } from "../verifiers/kata/image-config.ts";
import { digestIn, type HeldImageConfig, type References } from "../verifiers/kata/workload-types.ts";

export interface PolicyFlags {
  readonly "rules-sha256"?: readonly string[] | undefined;
  readonly "sidecar-image"?: readonly string[] | undefined;
  readonly "image-config"?: readonly string[] | undefined;
  readonly "env-regex"?: readonly string[] | undefined;
}

/** @throws PmError PM_USAGE for a value of the wrong form, a name given twice, a file that cannot be read */
export async function policyReferences(flags: PolicyFlags): Promise<Omit<References, "deployment" | "manifest">> {
  const configs = new Map<string, HeldImageConfig>();
  for (const { name, value } of pairs(flags["image-config"], "--image-config", "REF=FILE")) {
    const digest = pinnedDigest(name, "--image-config");
    if (configs.has(digest)) throw usage(`--image-config: ${digest} is given twice`);
    configs.set(digest, await imageConfig(value));
  }
  const sidecars = new Map<string, string>();
  for (const { name, value } of pairs(flags["sidecar-image"], "--sidecar-image", "NAME=REF")) {
    pinnedDigest(value, "--sidecar-image");
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name))
      throw usage(`--sidecar-image: not a container's name: ${name}`);
    if (sidecars.has(name)) throw usage(`--sidecar-image: ${name} is given twice`);
    sidecars.set(name, value);
  }
  return {
    rules: (flags["rules-sha256"] ?? []).map((v) => Buffer.from(hexFlag(v, 32, "--rules-sha256")).toString("hex")),
    sidecars,
    imageConfigs: configs,
    envRegexes: flags["env-regex"] ?? [],
  };
}

function pairs(values: readonly string[] | undefined, flag: string, form: string) {
  return (values ?? []).map((text) => {
    const at = text.indexOf("=");
    if (at <= 0 || at === text.length - 1) throw usage(`${flag}: ${text}: needs the form ${form}`);
    return { name: text.slice(0, at), value: text.slice(at + 1) };
  });
}

/** Only a digest names an image for good. */
function pinnedDigest(reference: string, flag: string): string {
  const digest = digestIn(reference.startsWith("sha256:") ? `@${reference}` : reference);
  if (digest === undefined)
    throw usage(`${flag}: ${reference}: names no image by digest`, "for example registry/name:tag@sha256:HEX");
  return digest;
}

async function imageConfig(path: string): Promise<HeldImageConfig> {
  const { name, bytes } = await readInput(path, "an image configuration", 4 * 1024 * 1024);
  try {
    return { config: decodeImageConfig(bytes, name), name };
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    throw usage(error.message, "the JSON document whose digest an image manifest names as its config");
  }
}
