/** What runs of the dm-verity engine share: their flags as options, and what must be said of how they ran. */
import { hexFlag } from "../flags.ts";
import type { HashOptions, MeasuredRoot } from "../measure/verity/hash.ts";
import type { VerityLayout } from "../measure/verity/layout.ts";
import { bytesAt } from "../measure/verity/source-file.ts";
import type { Relaxation } from "../report/report.ts";
import { otherFirstBlock } from "../verifiers/verity/erofs/index.ts";
import type { ParameterFlags } from "./verity-parameters.ts";

export interface HashFlags extends ParameterFlags {
  readonly expect?: readonly string[] | undefined;
  readonly jobs?: number | undefined;
  readonly journal?: string | undefined;
  readonly shard?: string | undefined;
  readonly out?: string | undefined;
  readonly "file-hash"?: boolean;
}

/** Lower-case hex of the roots that are expected. */
export const expectedRoots = (values: readonly string[] | undefined, { digestSize }: VerityLayout): string[] =>
  (values ?? []).map((value) => Buffer.from(hexFlag(value, digestSize, "--expect")).toString("hex"));

export const optionsOf = ({ jobs, journal }: HashFlags, progress: HashOptions["progress"]): HashOptions => ({
  ...(jobs === undefined ? {} : { jobs }),
  ...(journal === undefined ? {} : { journal }),
  ...(progress === undefined ? {} : { progress }),
});

export const resumedRelaxation = (
  { resumed }: Pick<MeasuredRoot, "resumed">,
  journal: string | undefined,
): Relaxation[] =>
  resumed === undefined
    ? []
    : [
        {
          name: "journal",
          meaning: `${resumed.units} units were not hashed in this run but taken from ${journal}, ${resumed.checked} of them hashed again.`,
        },
      ];

/** mkfs.erofs 1.9 sets a bit that later ones leave out: the root of a disk that differs in nothing else. */
export const otherBlock = (image: string, layout: VerityLayout): Uint8Array | undefined =>
  layout.dataBlockSize === 4096 ? otherFirstBlock(bytesAt(image, 0, layout.dataBlockSize)) : undefined;
