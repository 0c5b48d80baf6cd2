/** The profile's reference `recomputed`: the Contrast CLI makes the manifest anew from the profile's deployment file. */
import { PmError, usage } from "../errors.ts";
import type { Profile } from "../profile/profile.ts";
import { profileOrigin } from "./content.ts";
import { type Recomputed, recomputeManifest } from "./generate.ts";
import type { Settings } from "./settings.ts";

/** @throws PmError PM_USAGE offline, and for files that cannot be used; what is wrong with the run is in the claims */
export async function recomputed(
  { profile, offline, notice }: Settings,
  recipe: Extract<Profile["manifest"], { kind: "recomputed" }>,
): Promise<Recomputed> {
  const { deployment } = profile;
  if (deployment === undefined) throw new PmError("PM_BUG", "a manifest is to be made anew from nothing");
  if (offline)
    throw usage(
      "--offline: the manifest's reference is recomputed, and the Contrast CLI asks the registry of every image",
      "pm manifest generate --save FILE makes it once; then use reference: pinned",
    );
  const { cliSha256, ...held } = recipe;
  notice("making the manifest anew with the Contrast CLI");
  return recomputeManifest({
    deployment: deployment.file.name,
    cli: held.cli,
    cliSha256:
      cliSha256 === undefined
        ? undefined
        : { value: cliSha256, origin: profileOrigin(profile), at: "manifest.cliSha256" },
    service: profile.service,
    referenceValues: held.referenceValues,
    edits: held.edits,
    seedshareKey: held.seedshareKey,
    expected: undefined,
    notice,
  });
}
