/** Guest POLICY (56860 4.3) and PLATFORM_INFO (56860 7.3), bit by bit. */

/** allows: the bit lets the host do something. restricts: the bit forbids something to the host. */
export interface PolicyBit {
  readonly bit: number;
  readonly name: string;
  readonly member: keyof GuestPolicyBits;
  readonly direction: "allows" | "restricts";
}
export interface GuestPolicyBits {
  readonly smt: boolean;
  readonly singleSocket: boolean;
  readonly cxlAllowed: boolean;
  readonly memAes256Xts: boolean;
  readonly raplDis: boolean;
  readonly cipherTextHidingDram: boolean;
  readonly pageSwapDisable: boolean;
}
/** MIGRATE_MA and DEBUG are not here: they have claims of their own. */
export const policyBits: readonly PolicyBit[] = [
  { bit: 16, name: "SMT", member: "smt", direction: "allows" },
  { bit: 20, name: "SINGLE_SOCKET", member: "singleSocket", direction: "restricts" },
  { bit: 21, name: "CXL_ALLOW", member: "cxlAllowed", direction: "allows" },
  { bit: 22, name: "MEM_AES_256_XTS", member: "memAes256Xts", direction: "restricts" },
  { bit: 23, name: "RAPL_DIS", member: "raplDis", direction: "restricts" },
  { bit: 24, name: "CIPHERTEXT_HIDING_DRAM", member: "cipherTextHidingDram", direction: "restricts" },
  { bit: 25, name: "PAGE_SWAP_DISABLE", member: "pageSwapDisable", direction: "restricts" },
];
export const migrateMaBit = 18;
export const debugBit = 19;

export const bitSet = (value: bigint, bit: number): boolean => ((value >> BigInt(bit)) & 1n) === 1n;

/** The lowest ABI version that the guest accepts. */
export const policyAbi = (policy: bigint): { readonly major: number; readonly minor: number } => ({
  major: Number((policy >> 8n) & 0xffn),
  minor: Number(policy & 0xffn),
});
/** Bit 17 must be one, bits 63:26 zero. */
export const policyReservedOk = (policy: bigint): boolean => bitSet(policy, 17) && policy >> 26n === 0n;

/** `ABI 0.31 SMT`: names of the bits that are set. */
export function policyText(policy: bigint): string {
  const { major, minor } = policyAbi(policy);
  const names = [...policyBits, { bit: migrateMaBit, name: "MIGRATE_MA" }, { bit: debugBit, name: "DEBUG" }]
    .sort((a, b) => a.bit - b.bit)
    .filter(({ bit }) => bitSet(policy, bit))
    .map(({ name }) => name);
  return [`ABI ${major}.${minor}`, ...names].join(" ");
}

export interface PlatformInfoBits {
  readonly smt: boolean;
  readonly tsme: boolean;
  readonly ecc: boolean;
  readonly raplDisabled: boolean;
  readonly ciphertextHiding: boolean;
  readonly aliasCheckComplete: boolean;
  readonly tio: boolean;
}
/** allowed: may be set only if the reference has it. required: must be set if the reference has it. */
export const platformBits = [
  { bit: 0, name: "SMT_EN", member: "smt", rule: "allowed" },
  { bit: 1, name: "TSME_EN", member: "tsme", rule: "allowed" },
  { bit: 2, name: "ECC_EN", member: "ecc", rule: "required" },
  { bit: 3, name: "RAPL_DIS", member: "raplDisabled", rule: "required" },
  { bit: 4, name: "CIPHERTEXT_HIDING_DRAM_EN", member: "ciphertextHiding", rule: "required" },
  { bit: 5, name: "ALIAS_CHECK_COMPLETE", member: "aliasCheckComplete", rule: "required" },
  { bit: 7, name: "TIO_EN", member: "tio", rule: "allowed" },
] as const satisfies readonly {
  bit: number;
  name: string;
  member: keyof PlatformInfoBits;
  rule: "allowed" | "required";
}[];

/** IOMMU_WRITE_SAFE, set by every Turin host seen; reserved on the other lines. */
export const turinPlatformBit = 6;

/** Bits that have no meaning on this line, as a mask. */
export function unknownPlatformBits(platformInfo: bigint, turin: boolean): bigint {
  const known = platformBits.reduce((mask, { bit }) => mask | (1n << BigInt(bit)), turin ? 1n << 6n : 0n);
  return platformInfo & ~known;
}
export const platformText = (platformInfo: bigint): string =>
  [...platformBits, { bit: turinPlatformBit, name: "IOMMU_WRITE_SAFE" }]
    .sort((a, b) => a.bit - b.bit)
    .filter(({ bit }) => bitSet(platformInfo, bit))
    .map(({ name }) => name)
    .join(" ");
