/** Rows of disks with their hash trees. */
import type { veritySuperblock, verityTree } from "../../src/verifiers/verity/device-claims.ts";
import type { Rows } from "./rows.ts";

export type VerityQuestions = typeof veritySuperblock & typeof verityTree;

const good = "device as demanded";

export const verityRows: Rows<VerityQuestions> = {
  "verity.superblock.format": { passes: good, fails: { "superblock-malformed": "device without a superblock" } },
  "verity.superblock.parameters": {
    passes: good,
    fails: { "parameters-differ": "device with another salt in its superblock" },
  },
  "verity.superblock.uuid": { passes: good, fails: { "uuid-differs": "device with another UUID" } },
  "verity.superblock.reserved": { passes: good, fails: { "reserved-set": "device with a reserved byte set" } },
  "verity.superblock.gap": { passes: good, fails: { "gap-used": "device with old bytes behind its superblock" } },
  "verity.data.blocks": { passes: good, fails: { "data-differs": "device with another data block" } },
  "verity.tree.levels": { passes: good, fails: { "level-differs": "device with another leaf block" } },
  "verity.tree.spare": { passes: good, fails: { "spare-set": "device with spare bytes set" } },
  "verity.root.equal": { passes: good, fails: { "root-differs": "device of another root" } },
  "verity.data.covered": { passes: good, fails: { "bytes-uncovered": "device with bytes behind its tree" } },
};
