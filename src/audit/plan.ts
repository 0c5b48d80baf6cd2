/** The profile and the flags as a plan for the chain: every demand a value with the one who makes it. */

import type { ChainPlan } from "../chain/chain.ts";
import type { ManifestWord } from "../chain/coordinator.ts";
import type { Origin, Sourced } from "../claims/answer.ts";
import type { Profile } from "../profile/profile.ts";
import type { Relaxation } from "../report/report.ts";
import { contentOf, knownMeasurements, profileOrigin, secretServiceIn, tcbParts } from "./content.ts";
import type { Settings } from "./settings.ts";
import { testRootRelaxations } from "./vendor.ts";
import { measuredDisks } from "./with-disks.ts";

export function planOf(
  settings: Settings,
  { freshness, capturedAt }: Pick<ChainPlan, "freshness" | "capturedAt">,
): ChainPlan {
  const { profile, beacon } = settings;
  const origin = profileOrigin(profile);
  const length: Sourced = { value: "1", origin: { kind: "profile", name: profile.name }, at: "history: exactly-one" };
  return {
    form: profile.form,
    contrastVersion: profile.contrastVersion,
    manifest: manifestWord(settings),
    ...(profile.exactlyOneManifest ? { historyLength: length } : {}),
    ...(profile.rootCaKeySha256 === undefined
      ? {}
      : { rootCaKey: { value: profile.rootCaKeySha256, origin, at: "coordinator.rootCaKeySha256" } }),
    ...(settings.testRoot === undefined ? {} : { testRoot: settings.testRoot }),
    freshness,
    ...(profile.deployment === undefined
      ? {}
      : {
          content: contentOf(
            profile,
            profile.deployment,
            profile.manifest.kind === "explained",
            measuredDisks(settings),
          ),
        }),
    ...(profile.relaxations.tdxCetDifference === undefined
      ? {}
      : { cetDifference: { value: "CET bits 11 and 12 may differ", origin, at: "relaxations.tdxCetDifference" } }),
    measurements: knownMeasurements(profile),
    ...(profile.minimumTcb === undefined ? {} : { minimumTcb: { parts: tcbParts(profile.minimumTcb), origin } }),
    ...(profile.manifestValues.tdx === undefined
      ? {}
      : { tdxReferences: { list: profile.manifestValues.tdx, origin } }),
    ...(profile.manifestValues.minTcbEvaluationDataNumber === undefined
      ? {}
      : { minimumEvaluation: { value: BigInt(profile.manifestValues.minTcbEvaluationDataNumber), origin } }),
    ...(profile.products === undefined ? {} : { products: { lines: profile.products, origin } }),
    ...(beacon === undefined ? {} : { beacon }),
    ...(profile.publishedUrl === undefined ? {} : { publishedPath: publishedPath(profile) }),
    ...(profile.exchange === undefined ? {} : { exchange: exchangeOf(profile, profile.exchange) }),
    capturedAt,
    now: settings.now,
    refreshed: settings.refreshCollateral,
  };
}

/** Who must answer the exchange: what the profile says, else the secret service of its deployment file, else the built-in names. */
function exchangeOf(profile: Profile, said: NonNullable<Profile["exchange"]>): NonNullable<ChainPlan["exchange"]> {
  const origin = profileOrigin(profile);
  const id: Sourced | undefined =
    said.workloadSecretId === undefined
      ? profile.deployment === undefined
        ? undefined
        : secretServiceIn(profile.deployment.file)
      : { value: said.workloadSecretId, origin, at: "exchange.workloadSecretId" };
  return {
    ...(said.san === undefined ? {} : { san: { value: said.san, origin, at: "exchange.san" } }),
    ...(id === undefined ? {} : { workloadSecretId: id }),
  };
}

/** A pin that was taken over on first sight is a pin, unless the auditor will not have it. */
function manifestWord({ profile, firstUse, recomputed }: Settings): ManifestWord {
  const { manifest } = profile;
  if (manifest.kind === "none") return { kind: "none" };
  if (manifest.kind === "recomputed")
    return recomputed?.reference === undefined ? { kind: "none" } : { kind: "given", sha256: recomputed.reference };
  if (manifest.kind === "explained") return { kind: "explained", by: profileOrigin(profile) };
  if (manifest.kind === "published") return { kind: "published", path: publishedPath(profile) };
  const { file, sha256, firstUse: since } = manifest;
  const origin: Origin =
    since !== undefined && !firstUse
      ? { kind: "audited-party", name: `manifest as first seen on ${since}` }
      : { kind: "pinned", file, sha256, ...(since === undefined ? {} : { firstUse: since }) };
  return { kind: "given", sha256: { value: sha256, origin } };
}

/** Path and query below the publisher's base URL. */
export const publishedPath = ({ publishedUrl }: Pick<Profile, "publishedUrl">): string => {
  const url = new URL(publishedUrl ?? "https://localhost/");
  return `${url.pathname}${url.search}`;
};

/** What a profile lowers of the demands on an explained manifest. */
export const machineRelaxations = ({ relaxations }: Profile): Relaxation[] =>
  relaxations.anyMachine === undefined
    ? []
    : [
        {
          name: "any-machine",
          meaning:
            "an explained manifest may name, or leave open, the machines of a kind that the profile does not list",
        },
      ];

/** Demands that were lowered, by name. */
export function relaxationsOf(settings: Settings): Relaxation[] {
  const { manifest } = settings.profile;
  const since = manifest.kind === "pinned" && settings.firstUse ? manifest.firstUse : undefined;
  return [
    ...testRootRelaxations(settings),
    ...(settings.profile.relaxations.tdxCetDifference === undefined
      ? []
      : [
          {
            name: "tdx-cet-difference",
            meaning: "XFAM of a trust domain may differ from the manifest's in both CET bits",
          },
        ]),
    ...machineRelaxations(settings.profile),
    ...(since === undefined
      ? []
      : [
          {
            name: "manifest-first-use",
            meaning: `the manifest's pin was taken over on first sight on ${since}: nobody reviewed it before`,
          },
        ]),
  ];
}
