/** Settings with the model disks of their profile measured: the engine is loaded only where there is something to measure. */
import type { DisksPlan } from "../chain/disks.ts";
import { PmError } from "../errors.ts";
import type { Settings } from "./settings.ts";

export async function withDisks(settings: Settings): Promise<Settings> {
  const { disks } = settings.profile;
  if (disks === undefined) return settings;
  const { measureDisks } = await import("./disks.ts");
  return { ...settings, disks: await measureDisks(disks) };
}

/** Disks that a profile names and nobody measured would be disks that nobody asked about. */
export function measuredDisks({ profile, disks }: Settings): DisksPlan | undefined {
  if (disks === undefined && profile.disks !== undefined)
    throw new PmError("PM_BUG", "the profile's model disks were not measured");
  return disks;
}
