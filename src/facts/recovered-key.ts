/** The ID key that Contrast's fixed signature recovers for a launch measurement and a guest policy. */
import { hex, hexNumber } from "../bytes/hex.ts";
import { usage } from "../errors.ts";
import { guestPolicyBits, idBlock, idKeyDigest } from "../verifiers/contrast/idkey.ts";
import type { GuestPolicy } from "../verifiers/contrast/model.ts";

export interface RecoveredKey {
  /** Lower-case hex. */
  readonly idKeyDigest: string;
  readonly idBlock: string;
  readonly policy: string;
}

const flags = {
  smt: "smt",
  "migrate-ma": "migrateMa",
  debug: "debug",
  "single-socket": "singleSocket",
  "cxl-allow": "cxlAllowed",
  "mem-aes-256-xts": "memAes256Xts",
  "rapl-dis": "raplDis",
  "ciphertext-hiding": "cipherTextHidingDram",
  "page-swap-disable": "pageSwapDisable",
} as const satisfies Readonly<Record<string, keyof GuestPolicy>>;

/**
 * `smt,page-swap-disable,abi=0.31` as the 64-bit policy; bit 17 is always one. An empty list allows and demands nothing.
 * @throws PmError PM_USAGE for words that are not known, or stand twice
 */
export function policyOfWords(text: string): bigint {
  const words = text.split(",").filter((word) => word !== "");
  const abi = words.filter((word) => word.startsWith("abi="));
  const [, major, minor] = /^abi=(\d{1,3})\.(\d{1,3})$/.exec(abi[0] ?? "abi=0.0") ?? [];
  if (abi.length > 1 || !(Number(major) <= 255 && Number(minor) <= 255))
    throw usage("--guest-policy: abi= is not one MAJOR.MINOR of two bytes");
  const members = new Set<string>();
  for (const word of words.filter((w) => !w.startsWith("abi="))) {
    const member = Object.entries(flags).find(([name]) => name === word)?.[1];
    if (member === undefined)
      throw usage(`--guest-policy: unknown word "${word}"`, `known: ${Object.keys(flags).join(", ")}, abi=`);
    if (members.has(member)) throw usage(`--guest-policy: "${word}" stands twice`);
    members.add(member);
  }
  const set = (name: keyof GuestPolicy): boolean => members.has(name);
  return guestPolicyBits({
    abiMajor: Number(major),
    abiMinor: Number(minor),
    smt: set("smt"),
    migrateMa: set("migrateMa"),
    debug: set("debug"),
    singleSocket: set("singleSocket"),
    cxlAllowed: set("cxlAllowed"),
    memAes256Xts: set("memAes256Xts"),
    raplDis: set("raplDis"),
    cipherTextHidingDram: set("cipherTextHidingDram"),
    pageSwapDisable: set("pageSwapDisable"),
  });
}

/** @param measurement 48 bytes */
export const recoveredKey = (measurement: Uint8Array, policy: bigint): RecoveredKey => ({
  idKeyDigest: hex(idKeyDigest(measurement, policy)),
  idBlock: hex(idBlock(measurement, policy)),
  policy: hexNumber(policy, 16),
});
