/** A superblock as mkfs.erofs writes it for a model disk, field by field (Privatemode v1.40.0, verity/verity.sh). */

import { allZero, hex } from "../../bytes/hex.ts";
import { type Answer, graded, holds, observed, specified } from "../../claims/answer.ts";
import { bitsText, hexWord, volumeNameText } from "./erofs/facts.ts";
import { compatNames, incompatNames } from "./erofs/superblock.ts";
import type { ErofsTree } from "./erofs/tree.ts";
import { uuidText } from "./superblock.ts";

interface Field {
  readonly name: string;
  readonly expected: string;
  readonly actual: string;
  readonly same: boolean;
}

const number = (name: string, actual: number | bigint, expected: number | bigint = 0): Field => ({
  name,
  expected: String(expected),
  actual: String(actual),
  same: BigInt(actual) === BigInt(expected),
});

/** compat 3: SB_CHKSUM and MTIME. incompat 1 is what mkfs.erofs 1.9 sets where nothing is compressed (other-layout.ts). */
function fieldsOf({ superblock: s, inodes }: ErofsTree): readonly Field[] {
  return [
    {
      name: "feature_compat",
      expected: bitsText(3, compatNames),
      actual: bitsText(s.featureCompat, compatNames),
      same: s.featureCompat === 3,
    },
    {
      name: "feature_incompat",
      expected: `${hexWord(0)} or ${hexWord(1)}`,
      actual: bitsText(s.featureIncompat, incompatNames),
      same: s.featureIncompat === 0 || s.featureIncompat === 1,
    },
    number("blkszbits", s.blkszBits, 12),
    number("sb_extslots", s.sbExtSlots),
    number("inos", s.inodes, inodes),
    number("epoch", s.epoch),
    number("fixed_nsec", s.fixedNsec),
    {
      name: "uuid",
      expected: uuidText(new Uint8Array(16)),
      actual: uuidText(s.uuid),
      same: allZero(s.uuid),
    },
    {
      name: "volume_name",
      expected: "empty",
      actual: allZero(s.volumeName) ? "empty" : `"${volumeNameText(s.volumeName)}"`,
      same: allZero(s.volumeName),
    },
    number("xattr_blkaddr", s.xattrBlkAddr),
    number("available_compr_algs", s.compression),
    number("extra_devices", s.extraDevices),
    number("devt_slotoff", s.devtSlotOffset),
    number("xattr_prefix_count", s.xattrPrefixCount),
    number("xattr_prefix_start", s.xattrPrefixStart),
    number("packed_nid", s.packedNid),
    number("xattr_filter_reserved", s.xattrFilter),
    number("build_time", s.buildTime),
    {
      name: "reserved",
      expected: hex(new Uint8Array(s.reserved.length)),
      actual: hex(s.reserved),
      same: allZero(s.reserved),
    },
  ];
}

/** Every field is shown on both sides; the reason names those that differ. */
export function imageFields(tree: ErofsTree, name: string): Answer<"image-fields"> {
  const fields = fieldsOf(tree);
  const other = fields.filter((f) => !f.same);
  const text = (side: "expected" | "actual"): string => fields.map((f) => `${f.name} ${f[side]}`).join("; ");
  return graded(
    holds(
      other.length === 0,
      specified(text("expected"), "Privatemode v1.40.0", "verity/verity.sh, mkfs.erofs"),
      observed(text("actual"), name, "byte 1024"),
      "image-fields",
      other.map((f) => `${f.name}: ${f.actual}, expected ${f.expected}`).join("; "),
    ),
    "unknown",
  );
}
