/**
 * The fields of a reference value (Contrast v1.20, ReferenceValues), each with the direction of a change: a reference
 * value lets evidence in, so what lets in more is weaker.
 */
import { hexNumber } from "../../bytes/hex.ts";
import type { Grade } from "../../claims/answer.ts";
import type { Json } from "../../report/report.ts";
import type { GuestPolicy, PlatformInfo, SnpEntry, TdxReferenceValue } from "./model.ts";

export interface Field<T> {
  /** Below the entry. */
  readonly path: string;
  /** null where the entry has none. */
  readonly value: (entry: T) => Json;
  readonly grade: (before: T, after: T) => Grade;
  readonly meaning: Readonly<Record<Grade, string>>;
}

type Direction = "weaker" | "stronger";
const direction = (weaker: boolean): Direction => (weaker ? "weaker" : "stronger");
const said = (meaning: Partial<Record<Grade, string>>, otherwise: string): Readonly<Record<Grade, string>> => ({
  weaker: otherwise,
  stronger: otherwise,
  neutral: otherwise,
  unknown: otherwise,
  ...meaning,
});

/** Numbers that evidence must reach; what is left out demands nothing. */
function minimum<T>(path: string, of: (entry: T) => number | bigint | undefined): Field<T> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return {
    path,
    value: (e) => number(of(e)),
    // As whole numbers: two that a double cannot tell apart are two.
    grade: (a, b) => direction(BigInt(of(b) ?? -1) < BigInt(of(a) ?? -1)),
    meaning: said(
      { weaker: `${name} may be lower than before`, stronger: `${name} must be higher than before` },
      `${name} changed`,
    ),
  };
}
const number = (value: number | bigint | undefined): Json =>
  value === undefined ? null : Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();

/** allows: true lets in more. demands: true lets in less. */
function bit<T>(path: string, rule: "allows" | "demands", of: (entry: T) => boolean | undefined): Field<T> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return {
    path,
    value: (e) => of(e) ?? null,
    grade: (_, b) => direction((of(b) === true) === (rule === "allows")),
    meaning: said(
      rule === "allows"
        ? { weaker: `${name} is now allowed`, stronger: `${name} is no longer allowed` }
        : { weaker: `${name} is no longer demanded`, stronger: `${name} is now demanded` },
      `${name} changed`,
    ),
  };
}

function fixed<T>(path: string, grade: Grade, meaning: string, value: (entry: T) => Json): Field<T> {
  return { path, value, grade: () => grade, meaning: said({}, meaning) };
}

const policyBit = (name: string, rule: "allows" | "demands", member: keyof GuestPolicy): Field<SnpEntry> =>
  bit(`GuestPolicy/${name}`, rule, (e) => e.guestPolicy?.[member] === true);
const infoBit = (name: string, rule: "allows" | "demands", member: keyof PlatformInfo): Field<SnpEntry> =>
  bit(`PlatformInfo/${name}`, rule, (e) => e.platformInfo?.[member]);

/** The least ABI version is compared as a pair: 1.0 is above 0.31. */
function abi(name: "ABIMajor" | "ABIMinor", member: "abiMajor" | "abiMinor"): Field<SnpEntry> {
  const version = ({ guestPolicy: p }: SnpEntry): number => (p?.abiMajor ?? 0) * 256 + (p?.abiMinor ?? 0);
  return {
    path: `GuestPolicy/${name}`,
    value: (e) => e.guestPolicy?.[member] ?? null,
    grade: (a, b) => direction(version(b) < version(a)),
    meaning: said(
      { weaker: "an older firmware ABI is let in", stronger: "a newer firmware ABI is demanded" },
      "the ABI version changed",
    ),
  };
}

/** Generations in the order of what they protect; another name has no place in it. */
const generations = ["Milan", "Genoa"];
function productGrade(before: SnpEntry, after: SnpEntry): Grade {
  const [a, b] = [generations.indexOf(before.productName), generations.indexOf(after.productName)];
  return a < 0 || b < 0 ? "unknown" : direction(b < a);
}

const mitigations: Field<SnpEntry> = {
  path: "MinimumMitigationVector",
  value: (e) => hexNumber(e.minimumMitigationVector, 16),
  // Bits, not a number: one bit that is no longer demanded is a mitigation that may be missing.
  grade: (a, b) => direction((a.minimumMitigationVector & ~b.minimumMitigationVector) !== 0n),
  meaning: said(
    { weaker: "a mitigation is no longer demanded", stronger: "a further mitigation is demanded" },
    "the demanded mitigations changed",
  ),
};

const measured = "other software is measured: unknown until somebody apart from the manifest vouches for the value";
const insecure = (platform: string): boolean => /insecure/i.test(platform);
function platform<T extends { readonly platform: string }>(): Field<T> {
  return {
    path: "Platform",
    value: (e) => e.platform || null,
    grade: (a, b) => (insecure(a.platform) === insecure(b.platform) ? "unknown" : direction(insecure(b.platform))),
    meaning: said(
      { weaker: "an insecure platform is let in", stronger: "the platform is no longer an insecure one" },
      "the platform's name says what the value is for, and nothing compares it with evidence",
    ),
  };
}

export const snpFields: readonly Field<SnpEntry>[] = [
  platform(),
  {
    path: "ProductName",
    value: (e) => e.productName || null,
    grade: productGrade,
    meaning: said(
      { weaker: "an older CPU generation is let in", stronger: "a newer CPU generation is demanded" },
      "another CPU generation, of a name that pm does not know",
    ),
  },
  fixed("TrustedMeasurement", "unknown", measured, (e) => e.trustedMeasurement || null),
  fixed("APEIP", "unknown", "the measurement of further vCPUs changed", (e) => e.apeip ?? null),
  minimum("MinimumTCB/BootloaderVersion", (e) => e.minimumTcb.bootloader),
  minimum("MinimumTCB/TEEVersion", (e) => e.minimumTcb.tee),
  minimum("MinimumTCB/SNPVersion", (e) => e.minimumTcb.snp),
  minimum("MinimumTCB/MicrocodeVersion", (e) => e.minimumTcb.microcode),
  abi("ABIMinor", "abiMinor"),
  abi("ABIMajor", "abiMajor"),
  policyBit("SMT", "allows", "smt"),
  policyBit("MigrateMA", "allows", "migrateMa"),
  policyBit("Debug", "allows", "debug"),
  policyBit("SingleSocket", "demands", "singleSocket"),
  policyBit("CXLAllowed", "allows", "cxlAllowed"),
  policyBit("MemAES256XTS", "demands", "memAes256Xts"),
  policyBit("RAPLDis", "demands", "raplDis"),
  policyBit("CipherTextHidingDRAM", "demands", "cipherTextHidingDram"),
  policyBit("PageSwapDisable", "demands", "pageSwapDisable"),
  infoBit("SMTEnabled", "allows", "smt"),
  infoBit("TSMEEnabled", "allows", "tsme"),
  infoBit("ECCEnabled", "demands", "ecc"),
  infoBit("RAPLDisabled", "demands", "raplDisabled"),
  infoBit("CiphertextHidingDRAMEnabled", "demands", "ciphertextHiding"),
  infoBit("AliasCheckComplete", "demands", "aliasCheckComplete"),
  infoBit("TIOEnabled", "allows", "tio"),
  mitigations,
  // Absent and 0 are one value to Contrast.
  fixed("CPUs", "neutral", "CPUs only says for how many vCPUs the measurement is", (e) => number(e.cpus ?? 0n)),
];

const rtmr = (i: number): Field<TdxReferenceValue> =>
  fixed(`Rtmrs/${i}`, "unknown", measured, (e) => e.rtmrs[i] || null);

export const tdxFields: readonly Field<TdxReferenceValue>[] = [
  platform(),
  // Below 0 is unset, as 0 is.
  minimum("MinTCBEvaluationDataNumber", ({ minTcbEvaluationDataNumber: n }) => (n < 0n ? 0n : n)),
  fixed("MrTd", "unknown", measured, (e) => e.mrTd || null),
  fixed("MrSeam", "unknown", "another TDX module is demanded", (e) => e.mrSeam || null),
  rtmr(0),
  rtmr(1),
  rtmr(2),
  rtmr(3),
  fixed("Xfam", "unknown", "other processor features are demanded", (e) => e.xfam || null),
  bit("MemoryIntegrity", "demands", (e) => e.memoryIntegrity),
  bit("SMTDisabled", "demands", (e) => e.smtDisabled),
  bit("StaticPlatform", "demands", (e) => e.staticPlatform),
];
