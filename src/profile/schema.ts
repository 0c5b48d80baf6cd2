/** The auditor's profile: what to audit and what to demand. It belongs to the auditor; nothing secret is in it. */
import * as v from "valibot";

const hexOf = (bytes: number) =>
  v.pipe(
    v.string(),
    v.regex(new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`), `must be ${bytes * 2} hex digits`),
    v.transform((s) => s.toLowerCase()),
  );
const day = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/, "must be a date such as 2026-11-22"));
const instant = v.pipe(v.string(), v.isoTimestamp("must be an RFC 3339 time such as 2026-11-22T00:00:00Z"));
const text = v.pipe(v.string(), v.minLength(1, "must not be empty"));
const svn = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255));
const url = v.pipe(v.string(), v.url("must be a URL"), v.regex(/^https?:\/\//, "must begin with http:// or https://"));

const imageRef = v.pipe(text, v.regex(/@sha256:[0-9a-f]{64}$/, "must end in @sha256: and 64 hex digits"));
const bit = v.optional(v.boolean(), false);
const bigNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** How much is known of an image, from least to most: its digest stands in the deployment file, the auditor names the digest, several rebuilt it, this run rebuilt it. */
const assuranceLevels = ["hash-only", "pinned", "k-of-n", "rebuilt"] as const;
const assurance = v.picklist(assuranceLevels);

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, "u").source !== "";
  } catch {
    return false;
  }
}

/** What runs in the mesh: every manifest entry is held against this file, every policy body against its pod. */
const deployment = v.strictObject({
  /** Kubernetes YAML, relative to this file. */
  file: text,
  /** Policy bodies for --scope release: a folder of .toml files or a bundle. Without it those of the file's annotations. */
  policies: v.optional(text),
  /** SHA-256 of rules texts that are known: without one no policy passes. */
  rules: v.optional(v.array(hexOf(32))),
  /** Images of the containers that Contrast adds, by container name. */
  sidecars: v.optional(v.record(v.pipe(text, v.regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)), imageRef)),
  /** OCI image configurations: what an image starts by itself. */
  imageConfigs: v.optional(v.array(v.strictObject({ image: imageRef, file: text }))),
  /** Patterns of allow_env_regex that are accepted, as they stand in a policy. */
  envRegexes: v.optional(v.array(text)),
  /** Files whose content is known: code that a workload runs by hash. */
  sources: v.optional(v.array(text)),
  /** What the operator adds to the names that Contrast gives, beside the service's known additions. */
  sanEdits: v.optional(
    v.array(
      v.strictObject({
        kind: v.exactOptional(text),
        /** Regular expression over the object's name. */
        name: v.pipe(text, v.check(isPattern, "must be a regular expression")),
        first: v.optional(v.array(text), []),
        last: v.optional(v.array(text), []),
      }),
    ),
  ),
});

/** Model disks: what the audited party publishes about them, and what the auditor holds. Privatemode only. */
const disks = v.strictObject({
  /** models.yaml: ConfigMap model-disks. */
  models: v.optional(text),
  /** Older releases: StorageClasses with annotations; in place of models. */
  storageClasses: v.optional(text),
  /** Root hashes that somebody apart from the audited party knows. */
  images: v.optional(
    v.array(
      v.strictObject({
        root: hexOf(32),
        /** Rebuilt image, or the finished disk: its root hash is computed in the run. */
        image: v.optional(text),
        /** Files of the model's repository at its commit, as `pm disk expect` writes them. */
        expect: v.optional(text),
      }),
    ),
  ),
});

/** What the auditor adds to the service's rules of what is safe to run. Images are named by the end of their repository. */
const safety = v.strictObject({
  /** Adapter types of inference proxies that were reviewed. */
  adapterTypes: v.optional(v.array(text)),
  /** Containers that read prompts. */
  servers: v.optional(
    v.array(v.strictObject({ images: v.array(text), names: v.optional(v.array(text), []), disk: v.boolean() })),
  ),
  /** Images that read no prompts. */
  others: v.optional(v.array(text)),
});

/** Values that the manifest may have, beside measurements, minimumTcb and products. */
const manifestValues = v.strictObject({
  /** TDX reference values that somebody apart from the manifest vouches for. */
  tdx: v.optional(
    v.array(
      v.strictObject({
        mrTd: hexOf(48),
        mrSeam: hexOf(48),
        rtmrs: v.tuple([hexOf(48), hexOf(48), hexOf(48), hexOf(48)]),
        /** Demands of the platform; a manifest may demand more. */
        memoryIntegrity: bit,
        smtDisabled: bit,
        staticPlatform: bit,
      }),
    ),
  ),
  /** Bits of each GuestPolicy, by Contrast's names; those left out are false, ABI 0.0. */
  guestPolicy: v.optional(
    v.strictObject({
      ABIMinor: v.optional(svn, 0),
      ABIMajor: v.optional(svn, 0),
      SMT: bit,
      MigrateMA: bit,
      Debug: bit,
      SingleSocket: bit,
      CXLAllowed: bit,
      MemAES256XTS: bit,
      RAPLDis: bit,
      CipherTextHidingDRAM: bit,
      PageSwapDisable: bit,
    }),
  ),
  /** Bits of each PlatformInfo, likewise. */
  platformInfo: v.optional(
    v.strictObject({
      SMTEnabled: bit,
      TSMEEnabled: bit,
      ECCEnabled: bit,
      RAPLDisabled: bit,
      CiphertextHidingDRAMEnabled: bit,
      AliasCheckComplete: bit,
      TIOEnabled: bit,
    }),
  ),
  chipIds: v.optional(v.array(hexOf(64))),
  piids: v.optional(v.array(hexOf(16))),
  minimumMitigationVector: v.optional(bigNumber),
  minTcbEvaluationDataNumber: v.optional(bigNumber),
  /** SHA-256 of each key that may update the manifest (PKIX DER). */
  workloadOwners: v.optional(v.array(hexOf(32))),
  /** SHA-256 of each key that can recover the seed (PKCS#1 DER). */
  seedshareOwners: v.optional(v.array(hexOf(32))),
});

/** Each entry names one claim of one subject, who answers for it, and until when. */
const waiver = v.strictObject({ claim: text, subject: text, reason: text, owner: text, expires: instant });

/** Form of a profile file. Unknown members are refused: a misspelt demand would otherwise be no demand. */
export const profileSchema = v.strictObject({
  version: v.literal(1),
  /** The built-in profile whose facts hold where this file says nothing. */
  service: v.picklist(["contrast", "privatemode"]),
  coordinator: v.optional(
    v.strictObject({
      url: v.optional(url),
      /** `v1` only for Coordinators that offer it; judged by its own form, never fallen back from. */
      api: v.optional(v.picklist(["attest", "v1"])),
      /** Value of the Privatemode-Version header. */
      clientVersion: v.optional(text),
      /** SHA-256 of the root CA's SubjectPublicKeyInfo, where it is known from before. */
      rootCaKeySha256: v.optional(hexOf(32)),
    }),
  ),
  contrastVersion: v.optional(v.pipe(v.string(), v.regex(/^v\d+\.\d+$/, "must be like v1.20"))),
  history: v.optional(v.picklist(["any", "exactly-one"])),
  manifest: v.optional(
    v.strictObject({
      /** Who vouches for the expected manifest. */
      reference: v.picklist(["pinned", "published", "recomputed", "explained"]),
      /** Path of the manifest that the auditor holds, relative to this file. */
      file: v.optional(text),
      sha256: v.optional(hexOf(32)),
      /** Date on which the pin was taken over on first sight. */
      firstUse: v.optional(day),
      /** Where the audited party publishes it, when not at the service's usual place. */
      url: v.optional(url),
      /** Recomputed: SHA-256 of the Contrast CLI that makes it anew from deployment.file; without it the claim is open. */
      cliSha256: v.optional(hexOf(32)),
      /** Path of the CLI, relative to this file; absent: contrast on PATH. */
      cli: v.optional(text),
      /** Platform, such as metal-qemu-snp-gpu. */
      referenceValues: v.optional(text),
      /** File with the values of the service's edits; docs/generate.md. */
      edits: v.optional(text),
      /** PEM of the service's seed share owner. */
      seedshareOwnerKey: v.optional(text),
    }),
  ),
  /** Launch measurements that somebody apart from the manifest vouches for. */
  measurements: v.optional(v.array(hexOf(48))),
  /** Floor under the manifest's own minimum. */
  minimumTcb: v.optional(v.strictObject({ bootloader: svn, tee: svn, snp: svn, microcode: svn, fmc: v.optional(svn) })),
  /** Product lines of AMD that are acceptable, and TDX for Intel; absent: all that pm knows. */
  products: v.optional(
    v.pipe(v.array(v.picklist(["Milan", "Genoa", "Turin", "TDX"])), v.minLength(1, "must not be empty")),
  ),
  deployment: v.optional(deployment),
  safety: v.optional(safety),
  disks: v.optional(disks),
  manifestValues: v.optional(manifestValues),
  /** How much must be known of each image that can read a prompt. */
  assurance: v.optional(
    v.strictObject({
      minimum: assurance,
      /** Other minimums, by repository without tag and digest. */
      images: v.optional(v.array(v.strictObject({ repository: text, minimum: assurance }))),
      /** Digests that the auditor vouches for. */
      pinned: v.optional(v.array(imageRef)),
    }),
  ),
  /** The key exchange of a client is made in the same run; Privatemode only. */
  exchange: v.optional(v.strictObject({ san: v.optional(text), workloadSecretId: v.optional(text) })),
  /** Named relaxations; each stands in every report. */
  relaxations: v.optional(
    v.strictObject({
      /** XFAM of a TD may differ from the manifest's in both CET bits (11 and 12) and in nothing else. */
      tdxCetDifference: v.optional(v.literal(true)),
      /** An explained manifest may name any machine of a kind of which manifestValues lists none. */
      anyMachine: v.optional(v.literal(true)),
    }),
  ),
  /** Findings that this auditor demands. */
  promote: v.optional(v.array(text)),
  waivers: v.optional(v.array(waiver)),
});
export type ProfileFile = v.InferOutput<typeof profileSchema>;

/** The typed form, or the first problem with the path of the member at fault. */
export function parseProfileFile(
  value: unknown,
): { readonly file: ProfileFile } | { readonly path: readonly (string | number)[]; readonly message: string } {
  const parsed = v.safeParse(profileSchema, value);
  if (parsed.success) return { file: parsed.output };
  const [issue] = parsed.issues;
  return { path: (issue.path ?? []).map((p) => p.key as string | number), message: issue.message };
}
