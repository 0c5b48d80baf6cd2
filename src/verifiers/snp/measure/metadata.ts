/** SEV metadata of OVMF (EDK2 OvmfPkg SevMetadata; notes 10.4): which guest pages the VMM adds before launch, and how. */
import { hexNumber } from "../../../bytes/hex.ts";
import { Reader } from "../../../bytes/reader.ts";
import { malformed, unsupported } from "../../../errors.ts";

export type SectionKind = "SNP_SEC_MEM" | "SNP_SECRETS" | "CPUID" | "SVSM_CAA" | "SNP_KERNEL_HASHES";
export interface SevSection {
  readonly kind: SectionKind;
  readonly gpa: number;
  /** Bytes, a whole number of pages. */
  readonly size: number;
}

const code = "ovmf-malformed";
const page = 4096;
const maxSections = 256;
/** 256 MiB: far beyond any build, and a bound on the work that a hostile image can ask for. */
const maxPages = 65_536;

const kinds: Readonly<Record<number, SectionKind>> = {
  1: "SNP_SEC_MEM",
  2: "SNP_SECRETS",
  3: "CPUID",
  4: "SVSM_CAA",
  16: "SNP_KERNEL_HASHES",
};
/** VMMs add exactly one page for these. */
const onePage: ReadonlySet<SectionKind> = new Set(["SNP_SECRETS", "CPUID", "SNP_KERNEL_HASHES"]);

/**
 * @param bytes the image from where the metadata begins
 * @throws PmError PM_EVIDENCE_MALFORMED ovmf-malformed; PM_EVIDENCE_UNSUPPORTED ovmf-section-unknown: a section whose
 * pages would be left out of the digest
 */
export function decodeMetadata(bytes: Uint8Array): SevSection[] {
  const r = new Reader(bytes, code);
  const signature = Buffer.from(r.bytes(4, "SEV metadata signature")).toString("latin1");
  if (signature !== "ASEV") throw malformed("SEV metadata: does not begin with ASEV", code);
  const size = r.u32le("SEV metadata size");
  const version = r.u32le("SEV metadata version");
  if (version !== 1) throw unsupported(`SEV metadata: version ${version}, 1 is known`, code);
  const count = r.u32le("SEV metadata count");
  if (count === 0 || count > maxSections) throw malformed(`SEV metadata: ${count} sections`, code);
  if (size !== 16 + 12 * count)
    throw malformed(`SEV metadata: ${size} bytes, ${count} sections need ${16 + 12 * count}`, code);
  const sections = Array.from({ length: count }, () => decodeSection(r));
  const pages = sections.reduce((sum, s) => sum + s.size / page, 0);
  if (pages > maxPages) throw unsupported(`SEV metadata: ${pages} pages, more than the limit of ${maxPages}`, code);
  const twice = sections.find((s, i) => onePage.has(s.kind) && sections.findIndex((o) => o.kind === s.kind) < i);
  if (twice !== undefined) throw malformed(`SEV metadata: two sections ${twice.kind}`, code);
  return sections;
}

function decodeSection(r: Reader): SevSection {
  const gpa = r.u32le("SEV section GPA");
  const size = r.u32le("SEV section size");
  const type = r.u32le("SEV section type");
  const kind = kinds[type];
  const where = `SEV metadata: section at ${hexNumber(gpa)}`;
  if (kind === undefined) throw unsupported(`${where}: unknown type ${hexNumber(type)}`, "ovmf-section-unknown");
  if (gpa % page !== 0 || size % page !== 0 || size === 0)
    throw malformed(`${where}: ${size} bytes are not whole pages`, code);
  if (onePage.has(kind) && size !== page) throw malformed(`${where}: ${kind} has ${size} bytes, ${page} wanted`, code);
  return { kind, gpa, size };
}
