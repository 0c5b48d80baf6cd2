/**
 * Launch measurements of a reference value with APEIP (Contrast main, SNP validation; spec notes contrast.md 5.4): it names
 * the digest of a guest with one vCPU, and every further vCPU adds one page that differs by entry point and product alone.
 */
import { hex } from "../bytes/hex.ts";
import { PmError } from "../errors.ts";
import type { ManifestRules, SnpReferenceValue } from "../verifiers/contrast/index.ts";
import type { SnpEntry } from "../verifiers/contrast/model.ts";
import { decodeEvidence } from "../verifiers/snp/index.ts";
import { apExtension, signatureOfModel } from "../verifiers/snp/measure/index.ts";

/** Contrast tries as many. */
export const mostVcpus = 220;

/** CPU signature of QEMU's model for the product. */
const models = { Milan: "EPYC-Milan", Genoa: "EPYC-Genoa" } as const;
type Product = keyof typeof models;

export interface ExpectedMeasurement {
  /** Lower-case hex, 48 bytes. */
  readonly digest: string;
  /** How many vCPUs it is of; undefined where the reference value does not say: one exact digest. */
  readonly vcpus: number | undefined;
}
type Entry = Pick<SnpReferenceValue, "trustedMeasurement" | "apeip" | "productName">;

/**
 * The digest that evidence is to be compared with: that of as many vCPUs as give `measured`, else the reference value's own.
 * @param measured lower-case hex; need not be authentic, since it only selects one of the values that are accepted
 */
export function expectedMeasurement(
  entry: Entry,
  { apExtension: extended }: Pick<ManifestRules, "apExtension">,
  measured: string | undefined,
): ExpectedMeasurement {
  const digest = entry.trustedMeasurement;
  if (entry.apeip === undefined || !extended) return { digest, vcpus: undefined };
  if (measured === undefined || measured === digest) return { digest, vcpus: 1 };
  const vcpus = vcpusOf(entry.trustedMeasurement, entry.apeip, entry.productName, (ld) => ld === measured);
  return vcpus === undefined ? { digest, vcpus: 1 } : { digest: measured, vcpus };
}

/** The first number of vCPUs above 1 whose digest is asked for. The page is hashed once. */
function vcpusOf(
  seed: string,
  apeip: string,
  product: Product,
  asked: (digest: string) => boolean,
): number | undefined {
  const cpuSignature = signatureOfModel(models[product]);
  if (cpuSignature === undefined) throw new PmError("PM_BUG", `no CPU signature of ${models[product]}`);
  const extend = apExtension(Number.parseInt(apeip, 16), { vmm: "qemu", cpuSignature, features: 1n });
  let ld: Uint8Array = Buffer.from(seed, "hex");
  for (let vcpus = 2; vcpus <= mostVcpus; vcpus++) {
    ld = extend(ld);
    if (asked(hex(ld))) return vcpus;
  }
  return undefined;
}

/**
 * Whether somebody vouches for APEIP beside the digest for one vCPU, which does not cover it: the digest of two or more
 * vCPUs does, of either product.
 * @param known lower-case hex
 */
export function vouchesForApeip(entry: SnpEntry, known: readonly string[]): boolean {
  const { apeip, trustedMeasurement } = entry;
  if (apeip === undefined || !/^[0-9a-f]{8}$/.test(apeip) || !/^[0-9a-f]{96}$/.test(trustedMeasurement)) return false;
  const digests = new Set(known);
  return (["Milan", "Genoa"] as const).some(
    (product) => vcpusOf(trustedMeasurement, apeip, product, (ld) => digests.has(ld)) !== undefined,
  );
}

/** MEASUREMENT of evidence, not authenticated; undefined where there is none, or no reference value asks for it. */
export function measuredIn(
  evidence: Uint8Array,
  entries: readonly Entry[],
  { apExtension: extended }: Pick<ManifestRules, "apExtension">,
): string | undefined {
  if (!extended || entries.every((e) => e.apeip === undefined)) return undefined;
  try {
    return hex(decodeEvidence(evidence).report.measurement);
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  }
}
