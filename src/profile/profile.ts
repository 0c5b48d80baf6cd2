/** A profile as the rest of pm sees it: built-in facts, then the file, then the flags; relative paths resolved. */
import { createHash } from "node:crypto";
import type { Waiver } from "../claims/verdict.ts";
import { usage } from "../errors.ts";
import type { ProfileFile } from "./schema.ts";

/** Who vouches for the expected manifest. */
export type ManifestReference =
  | { readonly kind: "none" }
  | { readonly kind: "published" }
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
  readonly promote: readonly string[];
  readonly waivers: readonly Waiver[];
  /** Path of the file, or the built-in profile's name. */
  readonly name: string;
  /** Of the file's bytes, or of the built-in facts and flags in canonical form. */
  readonly sha256: string;
}

/** Facts of a service as data, each with its source; never a reference value that rots. */
interface BuiltIn {
  readonly coordinatorUrl?: string;
  readonly publishedUrl?: string;
  readonly form: Profile["form"];
  readonly clientVersion?: string;
  readonly contrastVersion: string;
  readonly exactlyOneManifest: boolean;
}
export const builtIns: Readonly<Record<"contrast" | "privatemode", BuiltIn>> = {
  contrast: { form: "attest", contrastVersion: "v1.20", exactlyOneManifest: false },
  privatemode: {
    // privatemode-public v1.40.0: internal/oss/constants, internal/oss/httpapi; contrast-version names v1.20.0.
    coordinatorUrl: "https://api.privatemode.ai",
    publishedUrl: "https://cdn.confidential.cloud/privatemode/v2/manifest.json",
    form: "privatemode",
    clientVersion: "v1.40.0",
    contrastVersion: "v1.20",
    // Its client demands a history of exactly one manifest (internal/oss/attest): each update is a new Coordinator.
    exactlyOneManifest: true,
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
    promote: file?.promote ?? [],
    waivers: file?.waivers ?? [],
  };
  return { ...facts, name: loaded?.name ?? service, sha256: loaded?.sha256 ?? sha256(JSON.stringify(facts)) };
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
  if (said.reference === "recomputed" || said.reference === "explained")
    throw usage(`manifest.reference: "${said.reference}" is not built in this version`, "use pinned or published");
  if (said.reference === "published") {
    if (said.file !== undefined || said.sha256 !== undefined || said.firstUse !== undefined)
      throw usage("manifest: a published reference has no file, sha256 or firstUse", "use reference: pinned");
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
