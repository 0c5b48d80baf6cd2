/** The profile's deployment file and values as a plan for what a manifest may let in. */
import type { ContentPlan } from "../chain/content.ts";
import type { DisksPlan } from "../chain/disks.ts";
import type { Origin, Sourced } from "../claims/answer.ts";
import { PmError } from "../errors.ts";
import type { HeldDeployment } from "../profile/deployment.ts";
import type { Profile } from "../profile/profile.ts";
import { decodeDeployment } from "../verifiers/kata/deployment.ts";

export const profileOrigin = (profile: Profile): Origin => ({
  kind: "pinned",
  file: profile.name,
  sha256: profile.sha256,
});

/** Launch measurements that somebody apart from the manifest vouches for. */
export const knownMeasurements = (profile: Profile): Sourced[] =>
  profile.measurements.map(({ value, from }) =>
    from === "flag"
      ? { value, origin: { kind: "flag", name: "--measurement" } }
      : { value, origin: profileOrigin(profile), at: "measurements" },
  );

/** A line without an FMC has none to demand. */
export const tcbParts = ({ fmc, ...parts }: NonNullable<Profile["minimumTcb"]>) =>
  fmc === undefined ? parts : { ...parts, fmc };

/**
 * @param explained whether the manifest's other values are asked about, too
 * @param disks the profile's, with their images measured
 */
export function contentOf(
  profile: Profile,
  deployment: HeldDeployment,
  explained: boolean,
  disks: DisksPlan | undefined,
): ContentPlan {
  const { workloads, assurance } = profile;
  const origin = profileOrigin(profile);
  return {
    ...(disks === undefined ? {} : { disks: { plan: disks, profile: origin } }),
    workloads: {
      file: deployment.file,
      references: { ...deployment.references, sanEdits: [...workloads.sanEdits, ...profile.sanEdits] },
      safety: workloads.safety,
    },
    values: explained ? valuesOf(profile, origin) : undefined,
    assurance:
      assurance === undefined
        ? undefined
        : {
            minimum: assurance.minimum,
            images: new Map((assurance.images ?? []).map((i) => [i.repository, i.minimum])),
            origin,
          },
    pinnedImages: new Set(
      (assurance?.pinned ?? []).map((reference) => reference.slice(reference.lastIndexOf("@") + 1)),
    ),
  };
}

/** The workload that hands out secrets, by the name that it has in Privatemode's deployment; undefined: not exactly one. */
export function secretServiceIn({ bytes, name, sha256 }: HeldDeployment["file"]): Sourced | undefined {
  try {
    const found = decodeDeployment(bytes, name).workloads.filter((w) => w.confidential && w.name === "secret-service");
    const [only] = found;
    return only === undefined || found.length > 1
      ? undefined
      : { value: only.workloadSecretId, origin: { kind: "pinned", file: name, sha256 }, at: only.where };
  } catch (error) {
    // What is wrong with the file its own claims say.
    if (!(error instanceof PmError)) throw error;
    return undefined;
  }
}

const bits = (value: number | undefined): bigint | undefined => (value === undefined ? undefined : BigInt(value));

function valuesOf(profile: Profile, origin: Origin): NonNullable<ContentPlan["values"]> {
  const { manifestValues: said, minimumTcb } = profile;
  return {
    origin,
    measurements: knownMeasurements(profile),
    tdx: said.tdx ?? [],
    minimumTcb,
    minTcbEvaluationDataNumber: bits(said.minTcbEvaluationDataNumber),
    minimumMitigationVector: bits(said.minimumMitigationVector),
    guestPolicy: said.guestPolicy && guestPolicyOf(said.guestPolicy),
    platformInfo: said.platformInfo && platformInfoOf(said.platformInfo),
    products: profile.products,
    machinesDemanded: profile.workloads.machinesDemanded,
    anyMachine: profile.relaxations.anyMachine === true,
    chipIds: said.chipIds,
    piids: said.piids,
    workloadOwners: said.workloadOwners ?? [],
    seedshareOwners: said.seedshareOwners ?? [],
  };
}

type Said = Profile["manifestValues"];

/** Contrast's names to those of the decoded manifest. */
const guestPolicyOf = (said: NonNullable<Said["guestPolicy"]>) => ({
  abiMinor: said.ABIMinor,
  abiMajor: said.ABIMajor,
  smt: said.SMT,
  migrateMa: said.MigrateMA,
  debug: said.Debug,
  singleSocket: said.SingleSocket,
  cxlAllowed: said.CXLAllowed,
  memAes256Xts: said.MemAES256XTS,
  raplDis: said.RAPLDis,
  cipherTextHidingDram: said.CipherTextHidingDRAM,
  pageSwapDisable: said.PageSwapDisable,
});
const platformInfoOf = (said: NonNullable<Said["platformInfo"]>) => ({
  smt: said.SMTEnabled,
  tsme: said.TSMEEnabled,
  ecc: said.ECCEnabled,
  raplDisabled: said.RAPLDisabled,
  ciphertextHiding: said.CiphertextHidingDRAMEnabled,
  aliasCheckComplete: said.AliasCheckComplete,
  tio: said.TIOEnabled,
});
