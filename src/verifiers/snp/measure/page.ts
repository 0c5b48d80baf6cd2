/** One step of the launch digest: SNP_LAUNCH_UPDATE's PAGE_INFO (SEV-SNP ABI 56860, 8.17; notes 10.1). */
import { hash } from "node:crypto";
import { PmError } from "../../../errors.ts";

export const digestSize = 48;
/** LD before the first page. */
export const emptyDigest: Uint8Array = new Uint8Array(digestSize);
export const pageType = { normal: 1, vmsa: 2, zero: 3, unmeasured: 4, secrets: 5, cpuid: 6 } as const;
export type PageType = (typeof pageType)[keyof typeof pageType];

export const sha384 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash("sha384", bytes, "buffer"));

/**
 * LD after a page.
 * @param ld LD before, 48 bytes
 * @param contents SHA-384 of the page for NORMAL and VMSA; undefined for the other types, whose content is not measured
 */
export function extendPage(ld: Uint8Array, type: PageType, gpa: bigint, contents?: Uint8Array): Uint8Array {
  const measured = type === pageType.normal || type === pageType.vmsa;
  if (ld.length !== digestSize || measured !== (contents?.length === digestSize))
    throw new PmError("PM_BUG", `page of type ${type} with ${contents?.length ?? "no"} bytes of contents digest`);
  const info = new Uint8Array(0x70);
  info.set(ld);
  if (contents !== undefined) info.set(contents, 0x30);
  const view = new DataView(info.buffer);
  view.setUint16(0x60, info.length, true);
  info[0x62] = type;
  // 0x63 to 0x67: no IMI page, no rights for other privilege levels.
  view.setBigUint64(0x68, gpa, true);
  return sha384(info);
}
