/** The launch digest of a guest from its inputs (notes 10.1, 10.2): what MEASUREMENT of its reports says. */
import { hexNumber } from "../../../bytes/hex.ts";
import { malformed, unsupported } from "../../../errors.ts";
import { type Boot, kernelHashesPage } from "./hashes.ts";
import type { SevSection } from "./metadata.ts";
import { type Ovmf, ovmfCode, pageSize } from "./ovmf.ts";
import { emptyDigest, extendPage, type PageType, pageType, sha384 } from "./page.ts";
import { apExtension, bspEip, extendByVmsa, type Vcpu, type Vmm, vmsaPage } from "./vmsa.ts";

export interface Launch extends Vcpu {
  readonly ovmf: Ovmf;
  /** Undefined: no kernel is given, the guest boots from a disk. */
  readonly boot: Boot | undefined;
}

const firmware = new WeakMap<Ovmf, Uint8Array>();
/** LD after the image's own pages: the same for every kernel and vCPU. */
export function digestOfImage(ovmf: Ovmf): Uint8Array {
  let ld = firmware.get(ovmf);
  if (ld === undefined) {
    ld = emptyDigest;
    for (let at = 0; at < ovmf.image.length; at += pageSize)
      ld = extendPage(ld, pageType.normal, BigInt(ovmf.gpa + at), sha384(ovmf.image.subarray(at, at + pageSize)));
    firmware.set(ovmf, ld);
  }
  return ld;
}

/**
 * LD after image and metadata sections, before any vCPU.
 * @throws PmError PM_EVIDENCE_UNSUPPORTED ovmf-hashes-absent for a kernel that the firmware would not check
 * @throws PmError PM_EVIDENCE_MALFORMED ovmf-malformed for a hash table elsewhere than in its section
 */
export function digestBeforeVcpus({ ovmf, boot, vmm }: Pick<Launch, "ovmf" | "boot" | "vmm">): Uint8Array {
  const hashes = boot === undefined ? undefined : hashesPage(ovmf, boot);
  // EC2 measures the CPUID page after all other sections.
  const late = ovmf.sections.filter((s) => vmm === "ec2" && s.kind === "CPUID");
  const sections = [...ovmf.sections.filter((s) => !late.includes(s)), ...late];
  return sections.reduce((ld, section) => extendBySection(ld, section, vmm, hashes), digestOfImage(ovmf));
}

/**
 * LD for 1, 2, … `most` vCPUs.
 * @throws PmError as digestBeforeVcpus; PM_EVIDENCE_UNSUPPORTED ovmf-malformed for more than one vCPU where the firmware
 * names no entry point for them
 */
export function launchDigests(launch: Launch, most: number): Uint8Array[] {
  const first = extendByVmsa(digestBeforeVcpus(launch), sha384(vmsaPage(bspEip, launch)));
  const digests = [first];
  if (most === 1) return digests;
  if (launch.ovmf.apEip === undefined)
    throw unsupported("OVMF image: no SEV-ES reset block, so that only one vCPU can be measured", ovmfCode.malformed);
  const extend = apExtension(launch.ovmf.apEip, launch);
  for (let ld = first; digests.length < most; ) {
    ld = extend(ld);
    digests.push(ld);
  }
  return digests;
}

function hashesPage(ovmf: Ovmf, boot: Boot): Uint8Array {
  const section = ovmf.sections.find((s) => s.kind === "SNP_KERNEL_HASHES");
  const at = ovmf.hashTableGpa ?? 0;
  if (section === undefined || at === 0)
    throw unsupported(
      "OVMF image: has no section SNP_KERNEL_HASHES, so a kernel that is given to it is not measured",
      ovmfCode.hashesAbsent,
    );
  if (at - (at % pageSize) !== section.gpa)
    throw malformed(
      `OVMF image: looks for kernel hashes at ${hexNumber(at)}, its section is at ${hexNumber(section.gpa)}`,
      ovmfCode.malformed,
    );
  return kernelHashesPage(at, boot);
}

function extendBySection(ld: Uint8Array, section: SevSection, vmm: Vmm, hashes: Uint8Array | undefined): Uint8Array {
  switch (section.kind) {
    case "SNP_SECRETS":
      return extendPage(ld, pageType.secrets, BigInt(section.gpa));
    case "CPUID":
      return extendPage(ld, pageType.cpuid, BigInt(section.gpa));
    case "SNP_KERNEL_HASHES":
      return hashes === undefined
        ? extendPages(ld, section, pageType.zero)
        : extendPage(ld, pageType.normal, BigInt(section.gpa), sha384(hashes));
    case "SNP_SEC_MEM":
      return extendPages(ld, section, vmm === "gce" ? pageType.unmeasured : pageType.zero);
    case "SVSM_CAA":
      return extendPages(ld, section, pageType.zero);
    default:
      return section.kind satisfies never;
  }
}

function extendPages(ld: Uint8Array, { gpa, size }: SevSection, type: PageType): Uint8Array {
  let digest = ld;
  for (let at = gpa; at < gpa + size; at += pageSize) digest = extendPage(digest, type, BigInt(at));
  return digest;
}
