/** Values of `pm policy check`'s flags: what the auditor vouches for beside the deployment file and the manifest. */
import { usage } from "../errors.ts";
import { hexFlag } from "../flags.ts";
import { type HeldReferences, holdReferences } from "../profile/deployment.ts";

export interface PolicyFlags {
  readonly "rules-sha256"?: readonly string[] | undefined;
  readonly "sidecar-image"?: readonly string[] | undefined;
  readonly "image-config"?: readonly string[] | undefined;
  readonly "env-regex"?: readonly string[] | undefined;
  readonly source?: readonly string[] | undefined;
}

const flagOf = {
  rules: "--rules-sha256",
  sidecars: "--sidecar-image",
  imageConfigs: "--image-config",
  sources: "--source",
} as const;

/** @throws PmError PM_USAGE for a value of the wrong form, a name given twice, a file that cannot be read */
export const policyReferences = (flags: PolicyFlags): Promise<HeldReferences> =>
  holdReferences({
    rules: (flags["rules-sha256"] ?? []).map((v) => Buffer.from(hexFlag(v, 32, "--rules-sha256")).toString("hex")),
    sidecars: pairs(flags["sidecar-image"], "--sidecar-image", "NAME=REF"),
    imageConfigs: pairs(flags["image-config"], "--image-config", "REF=FILE"),
    envRegexes: flags["env-regex"] ?? [],
    sources: flags.source ?? [],
    origin: (member) => ({ kind: "flag", name: flagOf[member] }),
    field: (member) => flagOf[member],
  });

function pairs(values: readonly string[] | undefined, flag: string, form: string): (readonly [string, string])[] {
  return (values ?? []).map((text) => {
    const at = text.indexOf("=");
    if (at <= 0 || at === text.length - 1) throw usage(`${flag}: ${text}: needs the form ${form}`);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
}
