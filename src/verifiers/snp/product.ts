/** Product lines of SEV-SNP processors: one root key, one TCB layout and one set of KDS paths each. */
import type { Cpuid } from "./report.ts";

export type ProductLine = "Milan" | "Genoa" | "Turin";
export const productLines: readonly ProductLine[] = ["Milan", "Genoa", "Turin"];

/** 25481: combined family and model of CPUID leaf 1. Bergamo and Siena (0xA0..0xAF) are of the Genoa line. */
const models = [
  { family: 0x19, from: 0x00, to: 0x0f, line: "Milan" },
  { family: 0x19, from: 0x10, to: 0x1f, line: "Genoa" },
  { family: 0x19, from: 0xa0, to: 0xaf, line: "Genoa" },
  { family: 0x1a, from: 0x00, to: 0x11, line: "Turin" },
] as const satisfies readonly { family: number; from: number; to: number; line: ProductLine }[];

/** The line of a processor; undefined for one whose root pm does not have (Rome, Venice). */
export const lineOfCpuid = ({ family, model }: Cpuid): ProductLine | undefined =>
  models.find((m) => m.family === family && m.from <= model && model <= m.to)?.line;

const lineNamed = (name: string): ProductLine | undefined => productLines.find((line) => line === name);

/** 57230: productName is the line, with or without "-" and a stepping. The stepping is often wrong and never compared. */
export const lineOfProductName = (name: string): ProductLine | undefined => lineNamed(name.split("-", 1)[0] ?? "");

/** The endorsement key that signs reports: of one chip, or loaded by a cloud provider. */
export type VekKind = "VCEK" | "VLEK";

/** 57230 chapter 3: common names of the three certificates of a path. */
export const vekName = (kind: VekKind): string => `SEV-${kind}`;
export const intermediateName = (kind: VekKind, line: ProductLine): string =>
  kind === "VLEK" ? `SEV-VLEK-${line}` : `SEV-${line}`;
export const rootName = (line: ProductLine): string => `ARK-${line}`;

export const kindOfVekName = (name: string | undefined): VekKind | undefined =>
  name === "SEV-VCEK" ? "VCEK" : name === "SEV-VLEK" ? "VLEK" : undefined;
export const lineOfIntermediateName = (name: string | undefined): ProductLine | undefined =>
  productLines.find((line) => name === `SEV-${line}` || name === `SEV-VLEK-${line}`);
export const lineOfRootName = (name: string | undefined): ProductLine | undefined =>
  productLines.find((line) => name === `ARK-${line}`);

/** Combined family, model and stepping of CPUID leaf 1 EAX (25481), undefined when reserved bits are set. */
export function cpuidOfEax(eax: number): Cpuid | undefined {
  const base = (eax >>> 8) & 0xf;
  const cpuid = {
    family: base === 0xf ? base + ((eax >>> 20) & 0xff) : base,
    model: (((eax >>> 16) & 0xf) << 4) | ((eax >>> 4) & 0xf),
    stepping: eax & 0xf,
  };
  return cpuid.family <= 0xff && eaxOfCpuid(cpuid) === eax ? cpuid : undefined;
}

/** CPUID leaf 1 EAX of a combined family, model and stepping. */
export const eaxOfCpuid = ({ family, model, stepping }: Cpuid): number =>
  (((family >= 0xf ? family - 0xf : 0) << 20) |
    ((model >> 4) << 16) |
    (Math.min(family, 0xf) << 8) |
    ((model & 0xf) << 4) |
    (stepping & 0xf)) >>>
  0;
