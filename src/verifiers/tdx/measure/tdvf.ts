/** TDVF metadata of a firmware image (Intel TDX Virtual Firmware Design Guide; notes 7.1): what the VMM puts into a TD before it runs. */
import { decodeGuidTable } from "../../../bytes/guid-table.ts";
import { hexNumber } from "../../../bytes/hex.ts";
import { Reader } from "../../../bytes/reader.ts";
import { malformed, unsupported } from "../../../errors.ts";

export type SectionType = "BFV" | "CFV" | "TD_HOB" | "TempMem" | "PermMem" | "Payload" | "PayloadParam";
export interface TdvfSection {
  readonly type: SectionType;
  /** In the file, bytes. */
  readonly dataOffset: number;
  readonly rawSize: number;
  /** In the guest. */
  readonly address: bigint;
  /** Bytes, a whole number of pages. */
  readonly memorySize: number;
  /** Attribute bit 0: the content is measured. */
  readonly extend: boolean;
  /** Attribute bit 1, PAGE.AUG: added when the TD runs, so not measured. */
  readonly augmented: boolean;
}
export interface Tdvf {
  readonly image: Uint8Array;
  /** In table order: the order in which they are measured. */
  readonly sections: readonly TdvfSection[];
}

/** Reason codes of a firmware image that cannot be measured. */
const tdvfCode = { malformed: "tdvf-malformed", unsupported: "tdvf-unsupported" } as const;
export const maxImageBytes = 64 * 1024 * 1024;
export const pageSize = 4096;
const descriptorEntry = "e47a6535-984a-4798-865e-4685a7bf8ec2";
const maxSections = 256;
/** 1 GiB of measured pages: a bound on the work that a hostile image can ask for. */
const maxPages = 262_144;

/** 0 to 3 were seen in images; 4 to 6 are known from Intel's guide only. */
const types: readonly SectionType[] = ["BFV", "CFV", "TD_HOB", "TempMem", "PermMem", "Payload", "PayloadParam"];

/** @throws PmError PM_EVIDENCE_MALFORMED tdvf-malformed; PM_EVIDENCE_UNSUPPORTED tdvf-unsupported */
export function decodeTdvf(input: Uint8Array): Tdvf {
  const image = new Uint8Array(input);
  const wrong = (what: string) => malformed(`TDVF image: ${what}`, tdvfCode.malformed);
  if (image.length > maxImageBytes) throw wrong(`${image.length} bytes, more than the limit of ${maxImageBytes}`);
  const table = decodeGuidTable(image, tdvfCode.malformed);
  const entry = table?.get(descriptorEntry);
  if (entry === undefined) throw wrong(table === undefined ? "no GUID table at its end" : "no TDVF descriptor");
  if (entry.length !== 4) throw wrong(`descriptor offset of ${entry.length} bytes, 4 wanted`);
  const fromEnd = new Reader(entry, tdvfCode.malformed).u32le("TDVF descriptor offset");
  if (fromEnd > image.length) throw wrong(`descriptor ${fromEnd} bytes before its end, it has ${image.length}`);
  const sections = decodeDescriptor(image.subarray(image.length - fromEnd), image.length);
  if (!sections.some((s) => s.type === "BFV" && s.extend)) throw wrong("no boot firmware volume that is measured");
  disjoint(sections);
  const pages = sections.reduce((sum, s) => sum + (s.augmented ? 0 : s.memorySize / pageSize), 0);
  if (pages > maxPages)
    throw unsupported(`TDVF image: ${pages} pages, more than the limit of ${maxPages}`, tdvfCode.unsupported);
  return { image, sections };
}

function decodeDescriptor(bytes: Uint8Array, imageSize: number): TdvfSection[] {
  const r = new Reader(bytes, tdvfCode.malformed);
  if (Buffer.from(r.bytes(4, "TDVF signature")).toString("latin1") !== "TDVF")
    throw malformed("TDVF descriptor: does not begin with TDVF", tdvfCode.malformed);
  const length = r.u32le("TDVF descriptor length");
  const version = r.u32le("TDVF descriptor version");
  if (version !== 1) throw unsupported(`TDVF descriptor: version ${version}, 1 is known`, tdvfCode.unsupported);
  const count = r.u32le("TDVF section count");
  if (count === 0 || count > maxSections) throw malformed(`TDVF descriptor: ${count} sections`, tdvfCode.malformed);
  if (length !== 16 + 32 * count)
    throw malformed(`TDVF descriptor: ${length} bytes, ${count} sections need ${16 + 32 * count}`, tdvfCode.malformed);
  return Array.from({ length: count }, () => decodeSection(r, imageSize));
}

function decodeSection(r: Reader, imageSize: number): TdvfSection {
  const dataOffset = r.u32le("section data offset");
  const rawSize = r.u32le("section raw size");
  const address = r.u64le("section memory address");
  const memory = r.u64le("section memory size");
  const number = r.u32le("section type");
  const attributes = r.u32le("section attributes");
  const where = `TDVF section at ${hexNumber(address)}`;
  const type = types[number];
  if (type === undefined) throw unsupported(`${where}: unknown type ${number}`, tdvfCode.unsupported);
  if (attributes > 3) throw unsupported(`${where}: unknown attributes ${hexNumber(attributes)}`, tdvfCode.unsupported);
  const [extend, augmented] = [(attributes & 1) !== 0, (attributes & 2) !== 0];
  const wrong = (what: string) => malformed(`${where}: ${what}`, tdvfCode.malformed);
  if (address % 4096n !== 0n || memory % 4096n !== 0n || address + memory > 1n << 52n)
    throw wrong(`${memory} bytes are not whole pages of guest memory`);
  if (memory > 1n << 44n) throw unsupported(`${where}: ${memory} bytes of memory`, tdvfCode.unsupported);
  const memorySize = Number(memory);
  if (dataOffset + rawSize > imageSize)
    throw wrong(`data at ${dataOffset}+${rawSize}, the image has ${imageSize} bytes`);
  if (memorySize < rawSize) throw wrong(`${rawSize} bytes of data for ${memorySize} bytes of memory`);
  if (extend && augmented) throw wrong("measured and added later at once");
  // Tools differ on whether what lies behind the data is measured; no image of that kind is known.
  if (extend && rawSize !== memorySize)
    throw unsupported(
      `${where}: measured, but ${rawSize} bytes of data for ${memorySize} of memory`,
      tdvfCode.unsupported,
    );
  return { type, dataOffset, rawSize, address, memorySize, extend, augmented };
}

/** A page is added to a TD once. */
function disjoint(sections: readonly TdvfSection[]): void {
  const sorted = [...sections].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  sorted.forEach((section, i) => {
    const next = sorted[i + 1];
    if (next !== undefined && section.address + BigInt(section.memorySize) > next.address)
      throw malformed(
        `TDVF sections: ${section.type} at ${hexNumber(section.address)} reaches into ${next.type} at ${hexNumber(next.address)}`,
        tdvfCode.malformed,
      );
  });
}
