/**
 * What Privatemode changes in the manifest after `contrast generate`, as facts of the service: which fields, never which
 * values (TCB minima, chip ids and module measurements rot; the auditor's edits file holds them).
 * Source: privatemode-public v1.40.0, scripts/generate-manifest.sh and scripts/adjust-manifest.sh.
 */
import type { EditShape } from "../verifiers/contrast/edits.ts";

export interface ManifestRecipe {
  /** Value of `contrast generate --reference-values`; undefined: the auditor says it. */
  readonly referenceValues: string | undefined;
  readonly shape: EditShape;
}

export const manifestRecipes: Readonly<Record<"contrast" | "privatemode", ManifestRecipe>> = {
  contrast: {
    referenceValues: undefined,
    shape: {
      source: ["Contrast v1.20", "generate: the operator fills in what the CLI leaves open"],
      removed: [],
      cpus: undefined,
      removedProducts: [],
      snp: [],
      tdx: [],
    },
  },
  privatemode: {
    referenceValues: "metal-qemu-snp-gpu",
    shape: {
      source: ["Privatemode v1.40.0", "generate-manifest.sh, adjust-manifest.sh"],
      // --disable-updates leaves it empty; the script takes the key out, too.
      removed: ["WorkloadOwnerPubKeys"],
      cpus: "1",
      removedProducts: ["Milan"],
      snp: ["MinimumTCB", "GuestPolicy", "PlatformInfo", "MinimumMitigationVector", "AllowedChipIDs"],
      tdx: ["MrSeam", "AllowedPIIDs", "MinTCBEvaluationDataNumber"],
    },
  },
};
