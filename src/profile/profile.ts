/** A profile as the rest of pm sees it: built-in facts, then the file, then the flags; relative paths resolved. */
import { createHash } from "node:crypto";
import type { Waiver } from "../claims/verdict.ts";
import { PmError, usage } from "../errors.ts";
import type { Input } from "../input.ts";
import type { SafetyRules } from "../verifiers/kata/safety-types.ts";
import type { SanEdit } from "../verifiers/kata/sans.ts";
import type { HeldDeployment } from "./deployment.ts";
import type { HeldDisks } from "./disks.ts";
import { privatemodeRules, privatemodeSans } from "./privatemode.ts";
import type { ProfileFile } from "./schema.ts";

/** Who vouches for the expected manifest. */
export type ManifestReference =
  | { readonly kind: "none" }
  | { readonly kind: "published" }
  /** Each of its values, by the profile and its deployment file. */
  | { readonly kind: "explained" }
  /** Made anew in this run from the profile's deployment file. */
  | ({ readonly kind: "recomputed" } & HeldRecipe)
  | { readonly kind: "pinned"; readonly sha256: string; readonly file: string; readonly firstUse?: string };

export interface Profile {
  readonly service: "contrast" | "privatemode";
  readonly coordinatorUrl: string | undefined;
  /** Form of the exchange; `privatemode` is Contrast's `attest` in a wrapper. */
  readonly form: "attest" | "v1" | "privatemode";
  readonly clientVersion: string | undefined;
  /** Where the audited party publishes its manifest. */
  readonly publishedUrl: string | undefined;
  readonly contrastVersion: string;
  readonly exactlyOneManifest: boolean;
  readonly manifest: ManifestReference;
  readonly measurements: readonly { readonly value: string; readonly from: "flag" | "profile" }[];
  readonly minimumTcb: ProfileFile["minimumTcb"];
  readonly products: ProfileFile["products"];
  readonly rootCaKeySha256: string | undefined;
  /** What runs in the mesh; undefined: not asked. */
  readonly deployment: HeldDeployment | undefined;
  /** Model disks; absent: not asked. */
  readonly disks?: HeldDisks;
  /** The auditor's own, beside those of the service. */
  readonly sanEdits: readonly SanEdit[];
  readonly manifestValues: NonNullable<ProfileFile["manifestValues"]>;
  readonly assurance: ProfileFile["assurance"];
  readonly exchange: ProfileFile["exchange"];
  /** Facts of the service about its workloads. */
  readonly workloads: WorkloadFacts;
  readonly relaxations: NonNullable<ProfileFile["relaxations"]>;
  readonly promote: readonly string[];
  readonly waivers: readonly Waiver[];
  /** Path of the file, or the built-in profile's name. */
  readonly name: string;
  /** Of the file's bytes, or of the built-in facts and flags in canonical form. */
  readonly sha256: string;
}

/** What is known of a service's workloads, as data. */
export interface WorkloadFacts {
  readonly sanEdits: readonly SanEdit[];
  readonly safety: SafetyRules | undefined;
  /** Each reference value must list its machines. */
  readonly machinesDemanded: boolean;
}

/** Facts of a service as data, each with its source; never a reference value that rots. */
interface BuiltIn {
  readonly coordinatorUrl?: string;
  readonly publishedUrl?: string;
  readonly form: Profile["form"];
  readonly clientVersion?: string;
  readonly contrastVersion: string;
  readonly exactlyOneManifest: boolean;
  readonly workloads: WorkloadFacts;
}
export const builtIns: Readonly<Record<"contrast" | "privatemode", BuiltIn>> = {
  contrast: {
    form: "attest",
    contrastVersion: "v1.20",
    exactlyOneManifest: false,
    workloads: { sanEdits: [], safety: undefined, machinesDemanded: false },
  },
  privatemode: {
    // privatemode-public v1.40.0: internal/oss/constants, internal/oss/httpapi; contrast-version names v1.20.0.
    coordinatorUrl: "https://api.privatemode.ai",
    publishedUrl: "https://cdn.confidential.cloud/privatemode/v2/manifest.json",
    form: "privatemode",
    clientVersion: "v1.40.0",
    contrastVersion: "v1.20",
    // Its client demands a history of exactly one manifest (internal/oss/attest): each update is a new Coordinator.
    exactlyOneManifest: true,
    // Its scripts/adjust-manifest.sh lists chip ids and PIIDs in every reference value.
    workloads: { sanEdits: privatemodeSans, safety: privatemodeRules, machinesDemanded: true },
  },
};
export type BuiltInName = keyof typeof builtIns;
export const isBuiltIn = (name: string): name is BuiltInName => Object.hasOwn(builtIns, name);

/** What flags may fill in; a flag wins over the file. */
export interface ProfileFlags {
  readonly coordinator?: string | undefined;
  readonly manifest?: { readonly file: string; readonly sha256: string } | undefined;
  readonly manifestSha256?: string | undefined;
  readonly measurements?: readonly string[] | undefined;
  readonly api?: "v1" | undefined;
  readonly contrastVersion?: string | undefined;
  /** Of the root CA's SubjectPublicKeyInfo, lower-case hex. */
  readonly rootCaKeySha256?: string | undefined;
  /** False: what the audited party publishes is not asked for. */
  readonly published?: boolean;
}
/** A profile file with its manifest already read, if it names one. */
export interface LoadedFile {
  readonly name: string;
  readonly sha256: string;
  readonly file: ProfileFile;
  readonly manifest?: { readonly file: string; readonly sha256: string };
  readonly deployment?: HeldDeployment;
  readonly disks?: HeldDisks;
  readonly recipe?: HeldRecipe;
}
/** How the manifest is made anew. */
export interface HeldRecipe {
  /** Lower-case hex. */
  readonly cliSha256: string | undefined;
  /** undefined: contrast on PATH. */
  readonly cli: string | undefined;
  readonly referenceValues: string | undefined;
  readonly edits: Input | undefined;
  readonly seedshareKey: Input | undefined;
}

/**
 * @throws PmError PM_USAGE for references that are not built, for contradictions, and for a pin without a value
 */
export function composeProfile(service: BuiltInName, loaded: LoadedFile | undefined, flags: ProfileFlags): Profile {
  const base = builtIns[service];
  const file = loaded?.file;
  if (service === "privatemode" && (flags.api ?? file?.coordinator?.api) !== undefined)
    throw usage("coordinator.api: the privatemode service has one form", "leave api out");
  const facts = {
    service,
    coordinatorUrl: flags.coordinator ?? file?.coordinator?.url ?? base.coordinatorUrl,
    form: flags.api ?? file?.coordinator?.api ?? base.form,
    clientVersion: file?.coordinator?.clientVersion ?? base.clientVersion,
    publishedUrl: file?.manifest?.url ?? base.publishedUrl,
    contrastVersion: flags.contrastVersion ?? file?.contrastVersion ?? base.contrastVersion,
    exactlyOneManifest: file?.history === undefined ? base.exactlyOneManifest : file.history === "exactly-one",
    manifest: manifestReference(loaded, flags, base),
    measurements: [
      ...(flags.measurements ?? []).map((value) => ({ value, from: "flag" as const })),
      ...(file?.measurements ?? []).map((value) => ({ value, from: "profile" as const })),
    ],
    minimumTcb: file?.minimumTcb,
    products: file?.products,
    rootCaKeySha256: flags.rootCaKeySha256 ?? file?.coordinator?.rootCaKeySha256,
    deployment: loaded?.deployment,
    sanEdits: file?.deployment?.sanEdits ?? [],
    manifestValues: file?.manifestValues ?? {},
    assurance: file?.assurance,
    exchange: exchangeOf(service, file),
    relaxations: file?.relaxations ?? {},
    promote: file?.promote ?? [],
    waivers: file?.waivers ?? [],
  };
  const workloads = workloadFacts(base.workloads, file?.safety);
  return {
    ...facts,
    ...(loaded?.disks === undefined ? {} : { disks: disksOf(loaded.disks, loaded.deployment, workloads) }),
    workloads,
    name: loaded?.name ?? service,
    sha256: loaded?.sha256 ?? sha256(JSON.stringify(facts)),
  };
}

/** Which disks there are is read off the deployment file, and what a disk mounter is, the service's rules say. */
function disksOf(disks: HeldDisks, deployment: HeldDeployment | undefined, { safety }: WorkloadFacts): HeldDisks {
  if (safety === undefined) throw usage("disks: no disk mounter is known for the contrast service", "leave disks out");
  if (deployment === undefined)
    throw usage("disks: which disks are mounted stands in the deployment file", "add deployment.file to the profile");
  return disks;
}

/** What the auditor adds to the service's rules. */
function workloadFacts(base: WorkloadFacts, said: ProfileFile["safety"]): WorkloadFacts {
  if (said === undefined) return base;
  const { safety } = base;
  if (safety === undefined)
    throw usage("safety: no rules are known for the contrast service, so none can be added to", "leave safety out");
  const { adapterTypes = [], servers = [], others = [] } = said;
  return {
    ...base,
    safety: {
      ...safety,
      inferenceProxy: {
        ...safety.inferenceProxy,
        adapterTypes: [...safety.inferenceProxy.adapterTypes, ...adapterTypes],
      },
      servers: [...safety.servers, ...servers],
      others: [...safety.others, ...others],
    },
  };
}

function exchangeOf(service: BuiltInName, file: ProfileFile | undefined): ProfileFile["exchange"] {
  if (file?.exchange !== undefined && service !== "privatemode")
    throw usage(
      "exchange: the contrast service has no secret service that is asked over HTTP",
      "leave it out; pm endpoint verify HOST:PORT --bundle judges a mesh certificate",
    );
  return file?.exchange;
}

/** Members beside `reference`: one that means nothing there would otherwise be a demand that nobody makes. */
const membersOf: Readonly<Record<NonNullable<ProfileFile["manifest"]>["reference"], readonly string[]>> = {
  pinned: ["file", "sha256", "firstUse", "url"],
  published: ["url"],
  explained: [],
  recomputed: ["cliSha256", "cli", "referenceValues", "edits", "seedshareOwnerKey"],
};

function recipeOf({ recipe }: LoadedFile): HeldRecipe {
  if (recipe === undefined) throw new PmError("PM_BUG", "a recomputed reference without its files");
  return recipe;
}

function manifestReference(loaded: LoadedFile | undefined, flags: ProfileFlags, base: BuiltIn): ManifestReference {
  if (
    flags.manifest !== undefined &&
    flags.manifestSha256 !== undefined &&
    flags.manifest.sha256 !== flags.manifestSha256
  )
    throw usage("--manifest and --manifest-sha256 name two different manifests", "give one of them");
  if (flags.manifest !== undefined) return { kind: "pinned", ...flags.manifest };
  if (flags.manifestSha256 !== undefined)
    return { kind: "pinned", sha256: flags.manifestSha256, file: "--manifest-sha256" };
  const said = loaded?.file.manifest;
  if (said === undefined)
    return { kind: base.publishedUrl === undefined || flags.published === false ? "none" : "published" };
  const misplaced = Object.keys(said).find((name) => name !== "reference" && !membersOf[said.reference].includes(name));
  if (misplaced !== undefined)
    throw usage(
      `manifest.${misplaced}: means nothing for the reference ${said.reference}`,
      `its members are ${membersOf[said.reference].join(", ") || "none"}`,
    );
  if (said.reference === "explained" || said.reference === "recomputed") {
    if (loaded?.deployment === undefined)
      throw usage(
        `manifest: a reference ${said.reference} needs a deployment file`,
        "add deployment.file to the profile",
      );
    return said.reference === "explained" ? { kind: "explained" } : { kind: "recomputed", ...recipeOf(loaded) };
  }
  if (said.reference === "published") {
    if (said.url === undefined && base.publishedUrl === undefined)
      throw usage(
        "manifest.url: this service has no usual place for its manifest",
        "name the URL of the published manifest",
      );
    return { kind: "published" };
  }
  const sha = said.sha256 ?? loaded?.manifest?.sha256;
  if (sha === undefined) throw usage("manifest: a pinned reference needs file or sha256");
  if (loaded?.manifest !== undefined && loaded.manifest.sha256 !== sha)
    throw usage("manifest: sha256 is not that of the file", `${loaded.manifest.file} has ${loaded.manifest.sha256}`);
  return {
    kind: "pinned",
    sha256: sha,
    file: loaded?.manifest?.file ?? loaded?.name ?? "profile",
    ...(said.firstUse === undefined ? {} : { firstUse: said.firstUse }),
  };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
