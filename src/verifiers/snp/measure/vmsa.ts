/** The VMSA page that a VMM gives a vCPU at launch (APM volume 2, appendix B; notes 10.6): registers at reset, by VMM. */
import { extendPage, pageType, sha384 } from "./page.ts";

export type Vmm = "qemu" | "ec2" | "gce";
export const vmms: readonly Vmm[] = ["qemu", "ec2", "gce"];

export interface Vcpu {
  readonly vmm: Vmm;
  /** CPUID leaf 1 EAX of the CPU model that the VMM shows; measured by QEMU only. */
  readonly cpuSignature: number;
  /** SEV_FEATURES. */
  readonly features: bigint;
}

/** Where the first vCPU starts. */
export const bspEip = 0xffff_fff0;
/** GPA of every VMSA page. */
const vmsaGpa = 0xffff_ffff_f000n;

const attributes = {
  qemu: { csBsp: 0x9b, cs: 0x9b, ss: 0x93, tr: 0x8b },
  ec2: { csBsp: 0x9a, cs: 0x9b, ss: 0x92, tr: 0x83 },
  gce: { csBsp: 0x9b, cs: 0x9b, ss: 0x93, tr: 0x8b },
} as const satisfies Readonly<Record<Vmm, object>>;

/** @param eip `bspEip`, or the AP entry point that the firmware names */
export function vmsaPage(eip: number, { vmm, cpuSignature, features }: Vcpu): Uint8Array {
  const page = new Uint8Array(4096);
  const view = new DataView(page.buffer);
  const attribute = attributes[vmm];
  const segment = (at: number, attrib: number, selector = 0, base = 0n): void => {
    view.setUint16(at, selector, true);
    view.setUint16(at + 2, attrib, true);
    view.setUint32(at + 4, 0xffff, true);
    view.setBigUint64(at + 8, base, true);
  };
  const u64 = (at: number, value: bigint): void => view.setBigUint64(at, value, true);
  segment(0x00, 0x93); // ES
  segment(0x10, eip === bspEip ? attribute.csBsp : attribute.cs, 0xf000, BigInt((eip & 0xffff0000) >>> 0));
  segment(0x20, attribute.ss);
  segment(0x30, 0x93); // DS
  segment(0x40, 0x93); // FS
  segment(0x50, 0x93); // GS
  segment(0x60, 0); // GDTR
  segment(0x70, 0x82); // LDTR
  segment(0x80, 0); // IDTR
  segment(0x90, attribute.tr);
  u64(0xd0, 0x1000n); // EFER
  u64(0x148, 0x40n); // CR4
  u64(0x158, 0x10n); // CR0
  u64(0x160, 0x400n); // DR7
  u64(0x168, 0xffff0ff0n); // DR6
  u64(0x170, 0x2n); // RFLAGS
  u64(0x178, BigInt(eip & 0xffff)); // RIP
  u64(0x268, vmm === "gce" ? 0x00070106n : 0x0007040600070406n); // G_PAT
  u64(0x310, rdx(vmm, cpuSignature));
  u64(0x3b0, features); // SEV_FEATURES
  u64(0x3e8, 1n); // XCR0
  if (vmm === "qemu") {
    view.setUint32(0x408, 0x1f80, true); // MXCSR
    view.setUint16(0x410, 0x37f, true); // X87_FCW
  }
  return page;
}

/** RDX holds the CPU's signature at reset; the clouds put a number of their own there. (The sev crate has 0 for EC2; the one
 * known digest of an EC2 guest needs 0x600.) */
const rdx = (vmm: Vmm, cpuSignature: number): bigint => (vmm === "qemu" ? BigInt(cpuSignature) : 0x600n);

/** LD after a vCPU's page. @param contents SHA-384 of its VMSA page */
export const extendByVmsa = (ld: Uint8Array, contents: Uint8Array): Uint8Array =>
  extendPage(ld, pageType.vmsa, vmsaGpa, contents);

/**
 * The step from n vCPUs to n + 1: pages of vCPUs after the first come last and are alike.
 * @param apEip AP entry point: the SEV-ES reset block of the firmware, `APEIP` of a Contrast manifest
 * @returns a function from LD (48 bytes) to LD; the page is hashed once
 */
export function apExtension(apEip: number, vcpu: Vcpu): (ld: Uint8Array) => Uint8Array {
  const contents = sha384(vmsaPage(apEip, vcpu));
  return (ld) => extendByVmsa(ld, contents);
}

/** LD for one more vCPU under QEMU; Contrast seeds (notes 10.7) have features 0x1. */
export const extendByAp = (ld: Uint8Array, apEip: number, cpuSignature: number, features = 1n): Uint8Array =>
  apExtension(apEip, { vmm: "qemu", cpuSignature, features })(ld);
