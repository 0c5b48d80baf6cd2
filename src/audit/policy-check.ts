/** `pm policy check`: deployment file, manifest and policy bodies out of files. */
import { auditRelease } from "../chain/release.ts";
import { usage } from "../errors.ts";
import type { Input } from "../input.ts";
import type { HeldReferences } from "../profile/deployment.ts";
import { composeProfile, isBuiltIn, type Profile } from "../profile/profile.ts";
import { composeReport } from "../report/compose.ts";
import type { Report } from "../report/report.ts";
import { rfc } from "../time.ts";
import { contentOf } from "./content.ts";
import { policyBodies } from "./policy-bodies.ts";
import { type PolicyFlags, policyReferences } from "./policy-inputs.ts";

export interface PolicyCheck {
  readonly deployment: Input;
  readonly manifest: Input;
  /** A folder or a bundle. */
  readonly policies: string;
  readonly flags: PolicyFlags;
  /** A file or a built-in name; undefined: flags only, Contrast's own names and no rules of a service. */
  readonly profile: string | undefined;
  /** Undefined: the profile's. */
  readonly contrastVersion: string | undefined;
  readonly at: Date;
  /** The wall clock. */
  readonly now: Date;
  readonly toolVersion: string;
}

/** @throws PmError PM_USAGE for files and flags that cannot be used */
export async function checkPolicies(check: PolicyCheck): Promise<Report> {
  const profile = await profileOf(check.profile, check.contrastVersion);
  const { contrastVersion } = profile;
  const references = merged(profile.deployment?.references, await policyReferences(check.flags));
  const plan = contentOf(profile, { file: check.deployment, policies: undefined, references }, false, undefined);
  const audited = auditRelease({
    ...plan,
    manifest: check.manifest,
    contrastVersion,
    bodies: await policyBodies(check.policies),
  });
  return composeReport({
    audited,
    target: `${check.deployment.name}, ${check.manifest.name}, rules of Contrast ${contrastVersion}`,
    scope: "policies",
    judgedAt: rfc(check.at),
    capturedAt: null,
    freshness: "not asked: files",
    profileSha256: check.profile === undefined ? null : profile.sha256,
    bundleSha256: null,
    relaxations: [],
    rules: { waivers: profile.waivers, promoted: new Set(profile.promote), now: check.now },
    toolVersion: check.toolVersion,
  });
}

async function profileOf(name: string | undefined, contrastVersion: string | undefined): Promise<Profile> {
  if (name === undefined || isBuiltIn(name)) return composeProfile(name ?? "contrast", undefined, { contrastVersion });
  const { loadProfile } = await import("../profile/load.ts");
  const loaded = await loadProfile(name);
  return composeProfile(loaded.file.service, loaded, { contrastVersion });
}

/** Flags add to what the profile names. */
function merged(held: HeldReferences | undefined, flags: HeldReferences): HeldReferences {
  if (held === undefined) return flags;
  const both = <T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>, flag: string): ReadonlyMap<string, T> => {
    for (const name of b.keys()) if (a.has(name)) throw usage(`${flag}: the profile names ${name}, too`);
    return new Map([...a, ...b]);
  };
  return {
    rules: [...held.rules, ...flags.rules],
    sidecars: both(held.sidecars, flags.sidecars, "--sidecar-image"),
    imageConfigs: both(held.imageConfigs, flags.imageConfigs, "--image-config"),
    envRegexes: [...held.envRegexes, ...flags.envRegexes],
    sources: new Map([...held.sources, ...flags.sources]),
  };
}
