/** Lints a profile: what a run with it can and cannot answer, before anything is asked. */
import type { Profile } from "./profile.ts";

export interface ProfileNote {
  readonly field: string;
  readonly note: string;
}

/** @param now the wall clock, for waivers */
export function profileNotes(profile: Profile, now: Date): ProfileNote[] {
  const { manifest, coordinatorUrl } = profile;
  const pinned = manifest.kind === "pinned" ? manifest : undefined;
  const notes: readonly (ProfileNote | false)[] = [
    coordinatorUrl === undefined && {
      field: "coordinator.url",
      note: "not set: name it with --coordinator, or judge bundles only",
    },
    manifest.kind !== "pinned" && {
      field: "manifest",
      note: "nobody but the audited party vouches for the manifest: a run ends inconclusive",
    },
    pinned?.firstUse !== undefined && {
      field: "manifest.firstUse",
      note: `the pin was taken over on first sight on ${pinned.firstUse}: each verdict says so`,
    },
    profile.measurements.length === 0 && {
      field: "measurements",
      note: "no launch measurement is vouched for: a run ends inconclusive",
    },
    ...profile.waivers.map(
      (w, i) =>
        Date.parse(w.expires) <= now.getTime() && {
          field: `waivers.${i}`,
          note: `expired on ${w.expires}: it has no effect`,
        },
    ),
  ];
  return notes.filter((n) => n !== false);
}
