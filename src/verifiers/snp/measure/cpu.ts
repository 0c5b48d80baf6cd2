/** CPU models of QEMU's -cpu by name (notes 10.6). The model that the guest sees is measured, not the processor under it. */
import { hexNumber } from "../../../bytes/hex.ts";

/** Versions of a model (-v1, -v2, …) differ in features and not in their signature. */
const models = [
  { name: /^EPYC(-v[1-4]|-IBPB)?$/, shown: "EPYC", signature: 0x800f12 },
  { name: /^EPYC-Rome(-v\d{1,2})?$/, shown: "EPYC-Rome", signature: 0x830f10 },
  { name: /^EPYC-Milan(-v\d{1,2})?$/, shown: "EPYC-Milan", signature: 0xa00f11 },
  { name: /^EPYC-Genoa(-v\d{1,2})?$/, shown: "EPYC-Genoa", signature: 0xa10f10 },
  { name: /^EPYC-Turin(-v\d{1,2})?$/, shown: "EPYC-Turin", signature: 0xb00f00 },
] as const;

/** CPUID leaf 1 EAX of a model; undefined for a name that is not in the table. */
export const signatureOfModel = (name: string): number | undefined => models.find((m) => m.name.test(name))?.signature;

/** The models whose signatures differ, for messages and for trying the others. */
export const cpuModels: readonly { readonly name: string; readonly signature: number }[] = models.map(
  ({ shown, signature }) => ({ name: shown, signature }),
);

/** `EPYC-Milan (0x00a00f11)`, or the number alone. */
export function cpuText(signature: number): string {
  const model = cpuModels.find((m) => m.signature === signature);
  return model === undefined ? hexNumber(signature, 8) : `${model.name} (${hexNumber(signature, 8)})`;
}
