/** TCB_VERSION, 56860 2.2: the layout follows the product line, never the report version. */
import type { ProductLine } from "./product.ts";

/** Security patch levels, each 0 to 255. FMC exists on Turin only. */
export interface TcbParts {
  readonly fmc?: number;
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}
export interface Tcb extends TcbParts {
  /** The bytes that have no meaning in this line, in memory order; they must be zero. */
  readonly reserved: readonly number[];
}

const at = (bytes: Uint8Array, index: number): number => bytes[index] ?? 0;

/** Reads 8 bytes in memory order. */
export function decodeTcb(bytes: Uint8Array, line: ProductLine): Tcb {
  const microcode = at(bytes, 7);
  if (line === "Turin")
    return {
      fmc: at(bytes, 0),
      bootloader: at(bytes, 1),
      tee: at(bytes, 2),
      snp: at(bytes, 3),
      microcode,
      reserved: [...bytes.slice(4, 7)],
    };
  return {
    bootloader: at(bytes, 0),
    tee: at(bytes, 1),
    snp: at(bytes, 6),
    microcode,
    reserved: [...bytes.slice(2, 6)],
  };
}

/** `bl=10,tee=0,snp=23,ucode=84`, with `fmc=` first where there is one; reserved bytes are shown when not zero. */
export function tcbText(tcb: TcbParts & { readonly reserved?: readonly number[] }): string {
  const fmc = tcb.fmc === undefined ? "" : `fmc=${tcb.fmc},`;
  const odd = tcb.reserved?.some((b) => b !== 0) ? `,reserved=${tcb.reserved.join(".")}` : "";
  return `${fmc}bl=${tcb.bootloader},tee=${tcb.tee},snp=${tcb.snp},ucode=${tcb.microcode}${odd}`;
}

/**
 * Component by component. As one integer the microcode byte would hide a lower SNP, TEE or bootloader level.
 * A component that only the minimum has is not reached.
 */
export const tcbAtLeast = (tcb: TcbParts, minimum: TcbParts): boolean =>
  (tcb.fmc ?? -1) >= (minimum.fmc ?? -1) &&
  tcb.bootloader >= minimum.bootloader &&
  tcb.tee >= minimum.tee &&
  tcb.snp >= minimum.snp &&
  tcb.microcode >= minimum.microcode;

export const reservedIsZero = (tcb: Tcb): boolean => tcb.reserved.every((b) => b === 0);
