/** `pm verity dump`: a superblock as it stands there. Nothing is compared, and no root can be shown: it is not in it. */
import type { Result } from "../command.ts";
import { PmError, usage } from "../errors.ts";
import { factsJson, tree } from "../inspect.ts";
import { superblockBytes } from "../measure/verity/layout.ts";
import { bytesAt, sourceFile } from "../measure/verity/source-file.ts";
import { wrap } from "../report/text.ts";
import { verityFacts } from "../verifiers/verity/facts.ts";

const trailer =
  "Decoded only: what the disk says of itself. The root hash does not cover the superblock, and is not in it.";

/**
 * @param hashOffset decimal, of the superblock
 * @throws PmError PM_USAGE for an offset that is none, PM_EVIDENCE_MALFORMED where no superblock lies there
 */
export function dumpDisk(image: string, hashOffset: string): Result {
  const offset = /^\d{1,16}$/.test(hashOffset) ? Number(hashOffset) : Number.NaN;
  if (!Number.isSafeInteger(offset) || offset % superblockBytes !== 0)
    throw usage(`--hash-offset: not a multiple of ${superblockBytes}: ${hashOffset}`);
  const { sizeBytes } = sourceFile(image);
  if (offset + superblockBytes > sizeBytes)
    throw new PmError("PM_EVIDENCE_MALFORMED", `${image}: ${sizeBytes} bytes: no superblock fits at byte ${offset}`, {
      hint: "for a disk of one file, --hash-offset is the size of its data",
    });
  const facts = { image, hashOffset: offset, superblock: verityFacts(bytesAt(image, offset, superblockBytes)) };
  return {
    exitCode: 0,
    json: () => factsJson({ schemaVersion: 1, ...facts }),
    text: ({ width }) => `${[...tree(facts, width), "", ...wrap(trailer, width, "", "")].join("\n")}\n`,
  };
}
