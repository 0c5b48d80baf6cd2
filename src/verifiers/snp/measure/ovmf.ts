/** What an OVMF image says about its own launch under SEV-SNP: footer table and SEV metadata (EDK2 OvmfPkg; notes 10.3, 10.4). */
import { decodeGuidTable } from "../../../bytes/guid-table.ts";
import { hexNumber } from "../../../bytes/hex.ts";
import { Reader } from "../../../bytes/reader.ts";
import { malformed, unsupported } from "../../../errors.ts";
import { decodeMetadata, type SevSection } from "./metadata.ts";

export const pageSize = 4096;
/** The image ends at 4 GiB. */
const top = 2 ** 32;
/** Larger than any OVMF build; the whole image is kept in memory. */
export const maxImageBytes = 64 * 1024 * 1024;

/** Reason codes of a firmware image that cannot be measured. */
export const ovmfCode = {
  malformed: "ovmf-malformed",
  sectionUnknown: "ovmf-section-unknown",
  /** A kernel was given and the firmware has nowhere to keep its digest: it would boot unmeasured. */
  hashesAbsent: "ovmf-hashes-absent",
} as const;

const guid = {
  hashTable: "7255371f-3a3b-4b04-927b-1da6efa8d454",
  resetBlock: "00f771de-1a7e-4fcb-890e-68c77e2fb44e",
  metadata: "dc886566-984a-4798-a75e-5585a7bf67cc",
} as const;

export interface Ovmf {
  readonly image: Uint8Array;
  /** Where the first page lies in the guest. */
  readonly gpa: number;
  /** Entry point of vCPUs after the first; undefined where the image names none. */
  readonly apEip: number | undefined;
  /** Where the firmware looks for the kernel hashes; 0 or undefined: it looks for none. */
  readonly hashTableGpa: number | undefined;
  /** In table order: the order in which they are measured. */
  readonly sections: readonly SevSection[];
}

/**
 * @throws PmError PM_EVIDENCE_MALFORMED ovmf-malformed; PM_EVIDENCE_UNSUPPORTED ovmf-section-unknown
 */
export function decodeOvmf(input: Uint8Array): Ovmf {
  const image = new Uint8Array(input);
  const wrong = (what: string) => malformed(`OVMF image: ${what}`, ovmfCode.malformed);
  if (image.length === 0 || image.length % pageSize !== 0)
    throw wrong(`${image.length} bytes are not a whole number of ${pageSize}-byte pages`);
  if (image.length > maxImageBytes) throw wrong(`${image.length} bytes, more than the limit of ${maxImageBytes}`);
  const table = decodeGuidTable(image, ovmfCode.malformed);
  if (table === undefined) throw wrong("no GUID table at its end");
  const metadata = table.get(guid.metadata);
  if (metadata === undefined) throw wrong("no SEV metadata: not built for SEV-SNP");
  const fromEnd = word(metadata, "SEV metadata offset", [4]);
  if (fromEnd > image.length) throw wrong(`SEV metadata ${fromEnd} bytes before its end, it has ${image.length}`);
  const reset = table.get(guid.resetBlock);
  const hashes = table.get(guid.hashTable);
  const gpa = top - image.length;
  return {
    image,
    gpa,
    apEip: reset === undefined ? undefined : word(reset, "SEV-ES reset block", [4]),
    // The area's size follows in newer builds.
    hashTableGpa: hashes === undefined ? undefined : word(hashes, "hash table area", [4, 8]),
    sections: below(decodeMetadata(image.subarray(image.length - fromEnd)), gpa),
  };
}

function word(data: Uint8Array, field: string, lengths: readonly number[]): number {
  if (!lengths.includes(data.length))
    throw malformed(`OVMF ${field}: ${data.length} bytes, ${lengths.join(" or ")} wanted`, ovmfCode.malformed);
  return new Reader(data, ovmfCode.malformed).u32le(field);
}

/** A section may not lie over another one or the image: a page is measured once, or no tool says which counts. */
function below(sections: readonly SevSection[], imageGpa: number): readonly SevSection[] {
  const sorted = [...sections].sort((a, b) => a.gpa - b.gpa);
  sorted.forEach((section, i) => {
    const next = sorted[i + 1]?.gpa ?? imageGpa;
    if (section.gpa + section.size > Math.min(next, imageGpa))
      throw unsupported(
        `SEV metadata: section at ${hexNumber(section.gpa)} of ${section.size} bytes reaches into ${hexNumber(next)}`,
        ovmfCode.malformed,
      );
  });
  return sections;
}
