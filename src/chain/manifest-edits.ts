/** A service's edits of the manifest as a whole: which fields it sets, and the names that it adds to workloads. */
import { privatemodeSans } from "../profile/privatemode.ts";
import { type ManifestRecipe, manifestRecipes } from "../profile/privatemode-manifest.ts";
import type { SanEdits } from "../verifiers/contrast/edits.ts";
import { deriveSans } from "../verifiers/kata/sans.ts";

export interface ServiceEdits extends ManifestRecipe {
  /** undefined: the service leaves the names as the CLI writes them. */
  readonly sans: SanEdits | undefined;
}

export function serviceEdits(service: "contrast" | "privatemode"): ServiceEdits {
  const sans: SanEdits = {
    before: (workload) => deriveSans(workload, []),
    after: (workload) => deriveSans(workload, privatemodeSans),
  };
  return { ...manifestRecipes[service], sans: service === "privatemode" ? sans : undefined };
}
