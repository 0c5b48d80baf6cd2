/**
 * Authenticode digest of a PE image (Microsoft, Windows Authenticode Portable Executable Signature Format; notes 7.3): what
 * firmware measures when it loads one. Everything but the checksum, the certificate table's entry and its content.
 */
import { createHash } from "node:crypto";
import { malformed, unsupported } from "../../../errors.ts";

const code = "pe-malformed";
const maxSections = 96;

interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * SHA-384, 48 bytes.
 * @throws PmError PM_EVIDENCE_MALFORMED pe-malformed; PM_EVIDENCE_UNSUPPORTED pe-malformed for other forms than PE32 and PE32+
 */
export function authenticodeSha384(image: Uint8Array): Uint8Array {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const within = (at: number, size: number, field: string): number => {
    if (at < 0 || at + size > image.length)
      throw malformed(`PE image: ${field} needs ${size} bytes at offset ${at}, it has ${image.length}`, code);
    return at;
  };
  const u16 = (at: number, field: string): number => view.getUint16(within(at, 2, field), true);
  const u32 = (at: number, field: string): number => view.getUint32(within(at, 4, field), true);

  if (u16(0, "MZ") !== 0x5a4d) throw malformed("PE image: does not begin with MZ", code);
  const pe = u32(0x3c, "e_lfanew");
  if (u32(pe, "PE signature") !== 0x4550) throw malformed(`PE image: no PE signature at offset ${pe}`, code);
  const sectionCount = u16(pe + 6, "NumberOfSections");
  const optionalSize = u16(pe + 20, "SizeOfOptionalHeader");
  const optional = pe + 24;
  const magic = u16(optional, "optional header magic");
  const directories = magic === 0x10b ? 96 : magic === 0x20b ? 112 : undefined;
  if (directories === undefined) throw unsupported(`PE image: optional header of magic ${magic}`, code);
  if (sectionCount > maxSections) throw malformed(`PE image: ${sectionCount} sections`, code);
  const headersSize = u32(optional + 60, "SizeOfHeaders");
  const sectionTable = optional + optionalSize;
  if (headersSize > image.length || headersSize < sectionTable + 40 * sectionCount)
    throw malformed(`PE image: SizeOfHeaders ${headersSize}`, code);
  const checksum = optional + 64;
  const certificateEntry = optional + directories + 4 * 8;
  const hasEntry = u32(optional + directories - 4, "NumberOfRvaAndSizes") > 4;
  if (hasEntry && directories + 5 * 8 > optionalSize)
    throw malformed("PE image: its data directories do not fit the optional header", code);
  const certificateSize = hasEntry ? u32(certificateEntry + 4, "certificate table size") : 0;

  const sections = Array.from({ length: sectionCount }, (_, i): Range => {
    const at = sectionTable + 40 * i;
    const size = u32(at + 16, "SizeOfRawData");
    const from = u32(at + 20, "PointerToRawData");
    if (size > 0) within(from, size, `section ${i}`);
    return { from, to: from + size };
  })
    .filter((s) => s.to > s.from)
    .sort((a, b) => a.from - b.from);
  if (sections.some((s, i) => s.from < (sections[i - 1]?.to ?? headersSize)))
    throw malformed("PE image: sections lie over each other or over the headers", code);

  const behind = headersSize + sections.reduce((sum, s) => sum + s.to - s.from, 0);
  if (certificateSize > image.length - behind)
    throw malformed(`PE image: certificate table of ${certificateSize} bytes, ${image.length - behind} left`, code);
  const ranges: Range[] = [
    { from: 0, to: checksum },
    ...(hasEntry
      ? [
          { from: checksum + 4, to: certificateEntry },
          { from: certificateEntry + 8, to: headersSize },
        ]
      : [{ from: checksum + 4, to: headersSize }]),
    ...sections,
    { from: behind, to: image.length - certificateSize },
  ];
  const sha384 = createHash("sha384");
  for (const { from, to } of ranges) sha384.update(image.subarray(from, to));
  const padding = (8 - (ranges.reduce((sum, r) => sum + r.to - r.from, 0) % 8)) % 8;
  return new Uint8Array(sha384.update(new Uint8Array(padding)).digest());
}
