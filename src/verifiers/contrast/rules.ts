/** Which manifest fields and rules belong to which Contrast version. */
import { usage } from "../../errors.ts";

/** Objects of the manifest whose members Contrast knows by name. */
export type Scope =
  | "manifest"
  | "policy"
  | "referenceValues"
  | "snp"
  | "minimumTcb"
  | "guestPolicy"
  | "platformInfo"
  | "tdx";

/** Minor versions 1.x, both inclusive; absent: from the first, to the last. */
interface Span {
  readonly since?: number;
  readonly until?: number;
}
/** Not released when these rules were written; its fields are known from the main branch. */
const main = 22;
const first = 5;
const last = 21;

const always: Span = {};
/** Where two releases are possible (v1.15 or v1.16), both forms are known in both. */
const spans: Readonly<Record<Scope, Readonly<Record<string, Span>>>> = {
  manifest: {
    Policies: always,
    ReferenceValues: always,
    WorkloadOwnerKeyDigests: { until: 19 },
    WorkloadOwnerPubKeys: { since: 20 },
    SeedshareOwnerPubKeys: always,
    MinimumAPIVersion: { since: 21 },
  },
  policy: { SANs: always, WorkloadSecretID: always, Role: { since: 7 } },
  referenceValues: { snp: always, tdx: always },
  snp: {
    Platform: { since: 18 },
    ProductName: always,
    CPUs: { since: 19, until: 21 },
    TrustedMeasurement: always,
    APEIP: { since: 21 },
    MinimumTCB: always,
    GuestPolicy: { since: 8 },
    PlatformInfo: { since: 8 },
    MinimumMitigationVector: { since: 16 },
    AllowedChipIDs: { since: 15 },
  },
  minimumTcb: { BootloaderVersion: always, TEEVersion: always, SNPVersion: always, MicrocodeVersion: always },
  guestPolicy: {
    ABIMinor: always,
    ABIMajor: always,
    SMT: always,
    MigrateMA: always,
    Debug: always,
    SingleSocket: always,
    CXLAllowed: always,
    MemAES256XTS: always,
    RAPLDis: always,
    CipherTextHidingDRAM: always,
    PageSwapDisable: always,
  },
  platformInfo: {
    SMTEnabled: always,
    TSMEEnabled: always,
    ECCEnabled: always,
    RAPLDisabled: always,
    CiphertextHidingDRAMEnabled: always,
    AliasCheckComplete: always,
    TIOEnabled: always,
  },
  tdx: {
    Platform: { since: 18 },
    MinTCBEvaluationDataNumber: { since: 18 },
    MrTd: always,
    MrSeam: always,
    Rtmrs: { since: 15 },
    Rtrms: { until: 15 },
    Xfam: always,
    AllowedPIIDs: { since: 15 },
    MemoryIntegrity: { since: 18 },
    SMTDisabled: { since: 18 },
    StaticPlatform: { since: 18 },
    TdAttributes: { until: 15 },
    MinimumQeSvn: { until: 15 },
    MinimumPceSvn: { until: 15 },
    MinimumTeeTcbSvn: { until: 15 },
  },
};

export interface ManifestRules {
  /** As shown: `v1.20`, `main`. */
  readonly version: string;
  /** Whether a field of this name belongs to the version; `other` names the versions that have it. */
  readonly field: (scope: Scope, name: string) => "known" | "unknown" | { readonly other: string };
  /** How many policies may have the role coordinator; before v1.7 there was no role. */
  readonly coordinators: "none" | "exactly one" | "at least one";
  /** GuestPolicy and PlatformInfo exist. */
  readonly guestPolicy: boolean;
  /** From v1.8 to v1.19 GuestPolicy was fixed but for ABIMinor and PageSwapDisable. */
  readonly guestPolicyFixed: boolean;
  /** Contrast after v1.20 knows insecure platforms, and refuses to mix them with others. */
  readonly insecurePlatforms: boolean;
  /**
   * An entry with APEIP stands for 1 to 220 vCPUs. Known of the main branch; v1.21 was not examined, and what a manifest
   * holds decides there. Up to v1.20 measurements are compared exactly.
   */
  readonly apExtension: boolean;
}

export const defaultContrastVersion = "v1.20";

const shown = (minor: number): string => (minor === main ? "main" : `v1.${minor}`);
const within = (span: Span, minor: number): boolean => (span.since ?? 0) <= minor && minor <= (span.until ?? main);
const named = ({ since, until }: Span): string =>
  until === undefined
    ? `${shown(since ?? first)} and later`
    : since === undefined
      ? `up to ${shown(until)}`
      : `${shown(since)} to ${shown(until)}`;

/**
 * @param version `v1.5` to `v1.21`, with or without the v and a patch number, or `main`
 * @throws PmError PM_USAGE for a version whose rules pm does not know
 */
export function manifestRules(version: string = defaultContrastVersion): ManifestRules {
  const minor = version === "main" ? main : Number(/^v?1\.(\d{1,3})(?:\.\d{1,3})?$/.exec(version)?.[1] ?? Number.NaN);
  if (version !== "main" && !(minor >= first && minor <= last))
    throw usage(
      `Contrast version ${version}: its manifest rules are not known`,
      `use v1.${first} to v1.${last}, or main`,
    );
  return {
    version: shown(minor),
    field: (scope, name) => {
      const table = spans[scope];
      const span = Object.hasOwn(table, name) ? table[name] : undefined;
      if (span === undefined) return "unknown";
      return within(span, minor) ? "known" : { other: named(span) };
    },
    coordinators: minor < 7 ? "none" : minor <= 20 ? "exactly one" : "at least one",
    guestPolicy: minor >= 8,
    guestPolicyFixed: minor >= 8 && minor < 20,
    insecurePlatforms: minor > 20,
    apExtension: minor > 20,
  };
}
/** Names of a scope, for telling a variant in other case from an unknown field. */
export const namesOf = (scope: Scope): readonly string[] => Object.keys(spans[scope]);
