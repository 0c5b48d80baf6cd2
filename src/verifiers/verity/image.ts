/** Judges an image by itself: does it keep its format, and is it as long as the auditor says? */
import {
  type Answer,
  type Answers,
  all,
  broken,
  cannot,
  equal,
  holds,
  type Origin,
  observed,
  specified,
} from "../../claims/answer.ts";
import { PmError } from "../../errors.ts";
import { hexWord } from "./erofs/facts.ts";
import { sbChksum } from "./erofs/superblock.ts";
import { type ErofsTree, listErofs } from "./erofs/tree.ts";
import type { Image } from "./erofs/types.ts";
import type { Defect } from "./erofs/volume.ts";
import { diskImage } from "./image-claims.ts";
import { imageFields } from "./image-fields.ts";

/** What the auditor says is data: the hash offset of the disk. */
export interface DataSize {
  readonly sizeBytes: number;
  readonly origin: Origin;
  readonly at?: string;
}
export type ImageAnswers = Answers<typeof diskImage>;
export type ImageJudgement =
  | { readonly answers: ImageAnswers; readonly tree: ErofsTree }
  /** What every question that needs the files is answered with. */
  | { readonly answers: ImageAnswers; readonly blocked: Answer<never> };

/**
 * @param image its bytes, without the hash area where the auditor says where that begins
 * @param data undefined: he says nothing
 */
export function judgeImage(image: Image, data: DataSize | undefined): ImageJudgement {
  let tree: ErofsTree;
  try {
    tree = listErofs(image);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    const blocked = cannot("the image could not be read as EROFS");
    return { answers: { ...all(diskImage, blocked), "verity.image.format": unread(error) }, blocked };
  }
  return {
    tree,
    answers: {
      "verity.image.format": holds(
        BigInt(tree.inodes) <= tree.superblock.inodes,
        specified(
          `at most ${tree.superblock.inodes} inodes (inos), each reached from root_nid within the file system`,
          "erofs-utils 1.9.3",
          "include/erofs_fs.h",
        ),
        observed(`${tree.inodes} inodes reached from root_nid ${tree.superblock.rootNid}`, image.name),
        "erofs-tree",
      ),
      "verity.image.checksum": checksum(tree, image),
      "verity.image.size": size(tree, image, data),
      "verity.image.fields": imageFields(tree, image.name),
    },
  };
}

type Format = ImageAnswers["verity.image.format"];

const defects: Readonly<Record<Defect, true>> = {
  "erofs-superblock": true,
  "erofs-inode": true,
  "erofs-directory": true,
  "erofs-range": true,
  "erofs-tree": true,
};
const isDefect = (code: string): code is Defect => Object.hasOwn(defects, code);

/** Malformed is "no"; a feature or size that pm does not read is no answer. A file that cannot be read is the user's. */
function unread(error: PmError): Format {
  if (error.code === "PM_EVIDENCE_UNSUPPORTED") return cannot(error.message);
  if (error.code !== "PM_EVIDENCE_MALFORMED") throw error;
  const code = error.reasonCode ?? "";
  if (!isDefect(code)) throw new PmError("PM_BUG", `EROFS defect without a code: ${error.message}`, { cause: error });
  return broken(error.message, code);
}

function checksum({ superblock: s }: ErofsTree, image: Image): ImageAnswers["verity.image.checksum"] {
  const actual = observed(hexWord(s.checksum), image.name, "byte 1028");
  const expected = {
    value: hexWord(s.computedChecksum),
    origin: { kind: "recomputed", name: "CRC-32C of the superblock's block" },
  } as const;
  // An unset bit with a right checksum is still no checksum: nobody looks at it.
  if ((s.featureCompat & sbChksum) === 0)
    return holds(
      false,
      specified(`feature_compat with SB_CHKSUM (${hexWord(sbChksum)})`, "erofs-utils 1.9.3", "include/erofs_fs.h"),
      observed(`feature_compat ${hexWord(s.featureCompat)}`, image.name, "byte 1032"),
      "image-checksum-missing",
      "feature_compat has no SB_CHKSUM",
    );
  return equal(expected, actual, "image-checksum");
}

function size(
  { superblock: s }: ErofsTree,
  image: Image,
  data: DataSize | undefined,
): ImageAnswers["verity.image.size"] {
  const bytes = s.blocks * s.blockSize;
  const actual = observed(`${bytes} bytes (${s.blocks} blocks of ${s.blockSize})`, image.name, "byte 1060");
  const expected =
    data === undefined
      ? specified(`at most the image's ${image.sizeBytes} bytes`, "erofs-utils 1.9.3", "include/erofs_fs.h, blocks_lo")
      : {
          value: `${data.sizeBytes} bytes`,
          origin: data.origin,
          ...(data.at === undefined ? {} : { at: data.at }),
        };
  const wanted = Math.max(bytes, data?.sizeBytes ?? 0);
  if (image.sizeBytes < wanted)
    return holds(false, expected, actual, "image-truncated", `the image has ${image.sizeBytes} bytes of ${wanted}`);
  return holds(data === undefined || data.sizeBytes === bytes, expected, actual, "image-size");
}
