/** What TARGET names: a built-in profile, a profile file, or a bundle that needs the auditor's profile beside it. */
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { usage } from "../errors.ts";
import { manifestSettings, measurementValues } from "../flags.ts";
import { loadProfile } from "../profile/load.ts";
import { composeProfile, isBuiltIn, type Profile, type ProfileFlags } from "../profile/profile.ts";
import { type Bundle, readBundle } from "../sources/bundle.ts";

export interface Target {
  readonly profile: Profile;
  readonly bundle: Bundle | undefined;
  /** As it was named. */
  readonly name: string;
}
export interface TargetFlags {
  readonly profile?: string | undefined;
  readonly coordinator?: string | undefined;
  readonly manifest?: string | undefined;
  readonly "manifest-sha256"?: string | undefined;
  readonly measurement?: string[] | undefined;
}

/** @throws PmError PM_USAGE when nothing is named, or a bundle without a profile */
export async function openTarget(target: string | undefined, flags: TargetFlags): Promise<Target> {
  const name = target ?? "pm.yaml";
  if (target === undefined && flags.profile === undefined && !(await exists(name)))
    throw usage(
      "nothing to audit: no TARGET, and no pm.yaml in this folder",
      "pm profile init contrast > pm.yaml makes one; or name a built-in profile: contrast, privatemode",
    );
  if (isBuiltIn(name) && flags.profile === undefined)
    return { profile: composeProfile(name, undefined, await profileFlags(flags)), bundle: undefined, name };
  if (target !== undefined && !isBuiltIn(name) && (await isBundle(name))) {
    if (flags.profile === undefined)
      throw usage(
        `${name}: a bundle is evidence, and needs the profile that you judge it by`,
        "add --profile FILE, or --profile contrast with flags",
      );
    return { profile: await profileOf(flags.profile, flags), bundle: await readBundle(name), name };
  }
  if (flags.profile !== undefined && target !== undefined)
    throw usage(`${name}: is no bundle, and --profile names another profile`, "name the profile once");
  return { profile: await profileOf(flags.profile ?? name, flags), bundle: undefined, name: flags.profile ?? name };
}

async function profileOf(name: string, flags: TargetFlags): Promise<Profile> {
  if (isBuiltIn(name)) return composeProfile(name, undefined, await profileFlags(flags));
  const loaded = await loadProfile(name);
  return composeProfile(loaded.file.service, loaded, await profileFlags(flags));
}

async function profileFlags(flags: TargetFlags): Promise<ProfileFlags> {
  return {
    coordinator: flags.coordinator,
    ...(await manifestSettings(flags)),
    measurements: measurementValues(flags.measurement),
  };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** By what is there, not by the name: a folder with an index, or a file that begins as a tar of one does. */
async function isBundle(path: string): Promise<boolean> {
  if (path === "-") return false;
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) return path.endsWith(".tar");
  if (status.isDirectory()) {
    if (await exists(join(path, "index.json"))) return true;
    throw usage(
      `${path}: a folder without index.json is no bundle`,
      "name a bundle, a profile file or a built-in profile",
    );
  }
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    return path.endsWith(".tar") || (bytesRead === 512 && buffer.subarray(257, 262).toString("latin1") === "ustar");
  } finally {
    await file.close();
  }
}
