/** Lints a profile: what a run with it can and cannot answer, before anything is asked. */
import type { Input } from "../input.ts";
import type { Profile } from "./profile.ts";

export interface ProfileNote {
  readonly field: string;
  readonly note: string;
}

/** The profile for a document: of files that it names, name and SHA-256 in place of their bytes. */
export function profileFacts(profile: Profile): object {
  const { deployment, disks, manifest } = profile;
  const shown = (input: Input | undefined) => input && { file: input.name, sha256: input.sha256 };
  return {
    ...profile,
    manifest:
      manifest.kind === "recomputed"
        ? { ...manifest, edits: shown(manifest.edits), seedshareKey: shown(manifest.seedshareKey) }
        : manifest,
    deployment: deployment && {
      ...shown(deployment.file),
      policies: deployment.policies,
      rules: deployment.references.rules.map((r) => r.value),
      sidecars: Object.fromEntries([...deployment.references.sidecars].map(([name, s]) => [name, s.value])),
      imageConfigs: Object.fromEntries([...deployment.references.imageConfigs].map(([digest, c]) => [digest, c.name])),
      envRegexes: deployment.references.envRegexes,
      sources: Object.fromEntries(deployment.references.sources),
    },
    ...(disks === undefined
      ? {}
      : {
          disks: {
            form: disks.form,
            list: shown(disks.list),
            images: disks.images.map((i) => ({ ...i, expect: shown(i.expect) })),
          },
        }),
  };
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
    (manifest.kind === "none" || manifest.kind === "published") && {
      field: "manifest",
      note: "nobody but the audited party vouches for the manifest: a run ends inconclusive",
    },
    ...recomputedNotes(manifest),
    ...deploymentNotes(profile),
    ...diskNotes(profile),
    ...explainedNotes(profile),
    profile.service === "privatemode" &&
      profile.exchange === undefined && {
        field: "exchange",
        note: "not set: no key exchange of a client is made, so nothing binds the endpoint to the Coordinator",
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

function recomputedNotes(manifest: Profile["manifest"]): ProfileNote[] {
  if (manifest.kind !== "recomputed") return [];
  return [
    ...(manifest.cliSha256 === undefined
      ? [
          {
            field: "manifest.cliSha256",
            note: "not set: nobody says which CLI makes the manifest, a run ends inconclusive",
          },
        ]
      : []),
    ...(manifest.seedshareKey === undefined
      ? [
          {
            field: "manifest.seedshareOwnerKey",
            note: "not set: where the CLI makes a key of its own, the manifest is another one on each run",
          },
        ]
      : []),
  ];
}

/** A published root hash is the audited party's word until somebody else knows it. */
function diskNotes({ disks }: Profile): ProfileNote[] {
  return disks === undefined || disks.images.some((i) => i.image !== undefined)
    ? []
    : [
        {
          field: "disks.images",
          note: "no image: no root hash is computed, and one that is not named there is the audited party's word alone",
        },
      ];
}

/** What a comparison with the deployment file cannot answer without. */
function deploymentNotes({ deployment, assurance }: Profile): ProfileNote[] {
  if (deployment === undefined)
    return [{ field: "deployment", note: "not set: what the policies allow is compared with nothing" }];
  const { rules, sidecars } = deployment.references;
  const demanded = [assurance?.minimum, ...(assurance?.images ?? []).map((i) => i.minimum)];
  const notes: readonly (ProfileNote | false)[] = [
    rules.length === 0 && {
      field: "deployment.rules",
      note: "not set: the rules of no policy are known, a run ends inconclusive",
    },
    sidecars.size === 0 && {
      field: "deployment.sidecars",
      note: "not set: a container that Contrast adds counts as one that nobody explains",
    },
    demanded.some((d) => d === "k-of-n" || d === "rebuilt") && {
      field: "assurance",
      note: "this version rebuilds no image: pinned is the best there is, a run ends inconclusive",
    },
  ];
  return notes.filter((n) => n !== false);
}

/** Values without which the manifest's own word is all there is; which TEEs it is for is guessed from what the profile names. */
function explainedNotes(profile: Profile): ProfileNote[] {
  const { manifest, manifestValues: values, relaxations } = profile;
  if (manifest.kind !== "explained") return [];
  const isTdx = values.tdx !== undefined;
  const isSnp = profile.measurements.length > 0 || !isTdx;
  const anyMachine = relaxations.anyMachine === true;
  const missing: readonly (readonly [field: string, of: boolean])[] = [
    ["minimumTcb", isSnp && profile.minimumTcb === undefined],
    ["products", isSnp && profile.products === undefined],
    ["manifestValues.guestPolicy", isSnp && values.guestPolicy === undefined],
    ["manifestValues.platformInfo", isSnp && values.platformInfo === undefined],
    ["manifestValues.minimumMitigationVector", isSnp && values.minimumMitigationVector === undefined],
    ["manifestValues.chipIds", isSnp && values.chipIds === undefined && !anyMachine],
    ["manifestValues.minTcbEvaluationDataNumber", isTdx && values.minTcbEvaluationDataNumber === undefined],
    ["manifestValues.piids", isTdx && values.piids === undefined && !anyMachine],
  ];
  return missing
    .filter(([, of]) => of)
    .map(([field]) => ({
      field,
      note: "not set: nothing explains what the manifest says there, a run ends inconclusive",
    }));
}
