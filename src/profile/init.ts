/** Writes a profile that runs: the facts of the built-in service stay built in, the auditor's own demands stand in the file. */
import { stringify } from "yaml";
import type { builtIns, ProfileFlags } from "./profile.ts";
import type { ProfileFile } from "./schema.ts";

export interface InitOptions extends ProfileFlags {
  readonly service: keyof typeof builtIns;
  /** Date of today, when the manifest's pin is taken over on first sight. */
  readonly firstUse?: string;
}

/** The profile as a value; what nobody named is left out, so that its absence is seen in the report. */
export function initialProfile(options: InitOptions): ProfileFile {
  const sha256 = options.manifestSha256 ?? options.manifest?.sha256;
  return {
    version: 1,
    service: options.service,
    ...(options.coordinator === undefined ? {} : { coordinator: { url: options.coordinator } }),
    ...(sha256 === undefined
      ? {}
      : {
          manifest: {
            reference: "pinned",
            sha256,
            ...(options.firstUse === undefined ? {} : { firstUse: options.firstUse }),
          },
        }),
    ...(options.measurements === undefined || options.measurements.length === 0
      ? {}
      : { measurements: [...options.measurements] }),
  };
}

const missing = {
  coordinator: "# coordinator:\n#   url: https://coordinator.example:1314   # or name it with --coordinator\n",
  manifest:
    "# manifest:                # without it the best answer is inconclusive\n#   reference: pinned\n#   sha256: <64 hex digits of the manifest that you reviewed>\n",
  measurements:
    "# measurements:            # launch measurements that you vouch for, apart from the manifest\n#   - <96 hex digits>\n",
  deployment: `# deployment:              # what runs in the mesh: each policy is held against this file
#   file: deployment.yaml    # from the source at its commit: pm source find names it
#   rules: [<SHA-256 of a rules text that you know>]
#   sidecars: { contrast-initializer: <image@sha256:digest of the Contrast release> }
#   imageConfigs:            # what an image starts by itself
#     - { image: <image@sha256:digest>, file: config.json }
#   # with it the manifest's reference can be explained: then its bytes need no pin
`,
  disks: `# disks:                   # which models the disks hold that the workloads mount
#   models: models.yaml      # from the source at its commit; it is the operator's word
#   images:                  # root hashes that you know, with a rebuilt image and a list by pm disk expect
#     - { root: <64 hex digits>, image: disk.img, expect: files.json }
`,
  explained: `# With the reference explained you vouch for each value of the manifest, too; without one of these a run is inconclusive:
# minimumTcb: { bootloader: <n>, tee: <n>, snp: <n>, microcode: <n> }
# products: [<Milan, Genoa or Turin>]
# manifestValues:          # of a set of bits, what is left out is false
#   guestPolicy: { SMT: true }
#   platformInfo: { ECCEnabled: true, AliasCheckComplete: true }
#   minimumMitigationVector: <n>
#   chipIds: [<128 hex digits of each machine>]
#   seedshareOwners: [<SHA-256 of a key that may recover the seed>]
`,
  exchange: "# exchange: {}             # make a client's key exchange in the same run\n",
};

/** YAML with a comment where the auditor still has to say something. */
export function profileText(profile: ProfileFile): string {
  const open = [
    profile.service === "contrast" && profile.coordinator === undefined ? missing.coordinator : "",
    profile.manifest === undefined ? missing.manifest : "",
    profile.measurements === undefined ? missing.measurements : "",
    profile.deployment === undefined ? missing.deployment + missing.explained : "",
    profile.service === "privatemode" && profile.disks === undefined ? missing.disks : "",
    profile.service === "privatemode" && profile.exchange === undefined ? missing.exchange : "",
  ].join("");
  return `# What an auditor demands of this service. Form: docs/profile.schema.json in the pm package.\n${stringify(profile, { lineWidth: 0 })}${open}`;
}
