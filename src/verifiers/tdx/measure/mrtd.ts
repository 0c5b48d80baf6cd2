/**
 * MRTD of a TD built from a TDVF image (Intel TDX module: TDH.MEM.PAGE.ADD, TDH.MR.EXTEND; notes 7.1). The order of the
 * records hangs on the VMM, so one image has two values. No pair of an image and an MRTD from hardware is known to pm:
 * both orders rest on what VMMs and other tools do.
 */
import { createHash, hash } from "node:crypto";
import { pageSize, type Tdvf, type TdvfSection } from "./tdvf.ts";

/**
 * `two-pass`: all pages of a section, then its content (QEMU upstream). `single-pass`: page by page, each with its content
 * (some QEMU versions).
 */
export type PageOrder = "two-pass" | "single-pass";

const chunkSize = 256;

/** 128 bytes: the operation's name, the GPA at 16, zeros. */
function record(operation: "MEM.PAGE.ADD" | "MR.EXTEND"): (gpa: bigint) => Uint8Array {
  const bytes = new Uint8Array(128);
  bytes.set(Buffer.from(operation, "latin1"));
  const view = new DataView(bytes.buffer);
  return (gpa) => {
    view.setBigUint64(16, gpa, true);
    return bytes;
  };
}

/** MRTD, 48 bytes. Sections in table order; those of PAGE.AUG are added when the TD runs and are not measured. */
export function mrtd({ image, sections }: Tdvf, order: PageOrder): Uint8Array {
  const sha384 = createHash("sha384");
  const [add, extend] = [record("MEM.PAGE.ADD"), record("MR.EXTEND")];
  const addPage = (section: TdvfSection, at: number): void => {
    sha384.update(add(section.address + BigInt(at)));
  };
  const extendPage = (section: TdvfSection, page: number): void => {
    for (let at = page; at < page + pageSize; at += chunkSize) {
      sha384.update(extend(section.address + BigInt(at)));
      sha384.update(image.subarray(section.dataOffset + at, section.dataOffset + at + chunkSize));
    }
  };
  for (const section of sections.filter((s) => !s.augmented)) {
    for (let at = 0; at < section.memorySize; at += pageSize) {
      addPage(section, at);
      if (section.extend && order === "single-pass") extendPage(section, at);
    }
    if (!section.extend || order === "single-pass") continue;
    for (let at = 0; at < section.memorySize; at += pageSize) extendPage(section, at);
  }
  return new Uint8Array(sha384.digest());
}

/** SHA-384 of the configuration volume's data: OVMF measures it into RTMR0. Undefined where the image has none. */
export function cfvDigest({ image, sections }: Tdvf): Uint8Array | undefined {
  const cfv = sections.find((s) => s.type === "CFV");
  return cfv === undefined
    ? undefined
    : new Uint8Array(hash("sha384", image.subarray(cfv.dataOffset, cfv.dataOffset + cfv.rawSize), "buffer"));
}
