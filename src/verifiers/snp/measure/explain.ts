/**
 * Which launch gives an expected digest: the one that was asked about, one that differs in a single input, or none that
 * was tried. A digest that differs in two inputs at once is not found, and nothing is said about it.
 */
import { hex, hexNumber } from "../../../bytes/hex.ts";
import { PmError } from "../../../errors.ts";
import { cpuModels, cpuText } from "./cpu.ts";
import { type Launch, launchDigests } from "./digest.ts";
import type { Boot } from "./hashes.ts";
import { vmms } from "./vmsa.ts";

export type VariedInput = "vcpus" | "features" | "cpu" | "vmm" | "firmware" | "kernel" | "initrd" | "command line";
/** A launch in which one input is another one. */
export interface Variation {
  readonly input: VariedInput;
  /** The other value, for people. */
  readonly value: string;
  readonly launch: Launch;
}
export interface Digest {
  readonly vcpus: number;
  /** Lower-case hex. */
  readonly digest: string;
}
export interface TriedVariation {
  readonly input: VariedInput;
  readonly value: string;
  /** Empty where this launch cannot be measured. */
  readonly digests: readonly Digest[];
  /** Why not. */
  readonly reason?: string;
}
export interface Found {
  readonly expected: string;
  /** The launch that was asked about, with this many vCPUs. */
  readonly match: { readonly vcpus: number } | null;
  /** The one input that explains the digest; null beside a match, and where nothing that was tried gives it. */
  readonly explained: { readonly input: VariedInput; readonly value: string; readonly vcpus: number } | null;
}
export interface Explained {
  readonly digests: readonly Digest[];
  readonly found: readonly Found[];
  /** Empty when every expected digest matched. */
  readonly tried: readonly TriedVariation[];
}

/** More vCPUs than Contrast tries (220). */
export const mostVcpus = 512;

/**
 * @param range vCPU counts that were asked about, both included
 * @param expected lower-case hex
 * @param others launches with another file or command line
 * @throws PmError as launchDigests, for the launch that was asked about
 */
export function explain(
  launch: Launch,
  range: { readonly from: number; readonly to: number },
  expected: readonly string[],
  others: readonly Variation[],
): Explained {
  const counted = (l: Launch): Digest[] => digestsOf(l, range.to).filter(({ vcpus }) => vcpus >= range.from);
  const digests = counted(launch);
  const missing = expected.filter((e) => !digests.some((d) => d.digest === e));
  const tried =
    missing.length === 0 ? [] : [...vcpuVariation(launch, range), ...variations(launch, others).map(tryOne)];
  function tryOne({ input, value, launch: other }: Variation): TriedVariation {
    try {
      return { input, value, digests: counted(other) };
    } catch (error) {
      if (!(error instanceof PmError)) throw error;
      return { input, value, digests: [], reason: error.message };
    }
  }
  const found = expected.map((e): Found => {
    const match = digests.find((d) => d.digest === e);
    const hit = match === undefined ? hitOf(e, tried) : null;
    return { expected: e, match: match === undefined ? null : { vcpus: match.vcpus }, explained: hit };
  });
  return { digests, found, tried };
}

const digestsOf = (launch: Launch, most: number): Digest[] =>
  launchDigests(launch, most).map((ld, i) => ({ vcpus: i + 1, digest: hex(ld) }));

function hitOf(expected: string, tried: readonly TriedVariation[]): Found["explained"] {
  for (const { input, value, digests } of tried) {
    const hit = digests.find((d) => d.digest === expected);
    if (hit !== undefined) return { input, value: input === "vcpus" ? String(hit.vcpus) : value, vcpus: hit.vcpus };
  }
  return null;
}

/** Further counts cost one hash each; without an AP entry point there is no other count than one. */
function vcpuVariation(launch: Launch, range: { readonly from: number; readonly to: number }): TriedVariation[] {
  const most = launch.ovmf.apEip === undefined ? 1 : Math.max(mostVcpus, range.to);
  const digests = digestsOf(launch, most).filter(({ vcpus }) => vcpus < range.from || vcpus > range.to);
  return digests.length === 0 ? [] : [{ input: "vcpus", value: `1 to ${most}`, digests }];
}

/** Everything that differs in one input: what tools and kernels are known to do otherwise, then the caller's own files. */
function variations(launch: Launch, others: readonly Variation[]): Variation[] {
  const features = [0x1n, 0x21n, ...Array.from({ length: 16 }, (_, bit) => launch.features ^ (1n << BigInt(bit)))];
  return [
    ...[...new Set(features)]
      .filter((f) => f !== launch.features)
      .map((f): Variation => ({ input: "features", value: hexNumber(f), launch: { ...launch, features: f } })),
    ...cpuModels
      .filter(({ signature }) => launch.vmm === "qemu" && signature !== launch.cpuSignature)
      .map(({ signature }): Variation => {
        const value = cpuText(signature);
        return { input: "cpu", value, launch: { ...launch, cpuSignature: signature } };
      }),
    ...vmms
      .filter((vmm) => vmm !== launch.vmm)
      .map((vmm): Variation => ({ input: "vmm", value: vmm, launch: { ...launch, vmm } })),
    ...(launch.boot === undefined ? [] : bootVariations(launch, launch.boot)),
    ...others,
  ];
}

function bootVariations(launch: Launch, boot: Boot): Variation[] {
  const withBoot = (input: VariedInput, value: string, change: Partial<Boot>): Variation => ({
    input,
    value,
    launch: { ...launch, boot: { ...boot, ...change } },
  });
  const line = Buffer.from(boot.append ?? []);
  const trimmed = line.subarray(0, line.length - (/\s*$/.exec(line.toString("latin1"))?.[0].length ?? 0));
  return [
    { input: "kernel", value: "none", launch: { ...launch, boot: undefined } },
    ...(boot.initrd === undefined ? [] : [withBoot("initrd", "none", { initrd: undefined })]),
    ...(line.length === 0 ? [] : [withBoot("command line", "empty", { append: undefined })]),
    ...(trimmed.length === line.length || trimmed.length === 0
      ? []
      : [withBoot("command line", "without the white space at its end", { append: new Uint8Array(trimmed) })]),
    withBoot("command line", "with a line feed at its end", { append: new Uint8Array([...line, 0x0a]) }),
  ];
}
