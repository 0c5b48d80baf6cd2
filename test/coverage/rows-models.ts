/** Rows of the model disks that a deployment mounts. */
import type { modelDisk, modelFile } from "../../src/verifiers/verity/disk-claims.ts";
import type { Rows } from "./rows.ts";

export type ModelQuestions = typeof modelFile & typeof modelDisk;

const right = "model disks as demanded";
const other = "model disks that are others";
const lies = "model disks of which something else is said";
const names = "model disks under names that do not agree";
const unread = "a list of model disks that is none";
const none = "no model disk";

export const modelRows: Rows<ModelQuestions> = {
  "verity.models.format": { passes: right, fails: { "models-malformed": unread, "models-empty": none } },
  "verity.models.mounted": { passes: right, fails: { "no-disk": none } },
  "verity.models.asked": { passes: right, fails: { "image-unmounted": other } },
  "verity.models.unused": { passes: right, fails: { UNUSED: other } },
  "verity.models.names": { passes: right, fails: { "entry-name": other, "entry-collision": lies } },
  "verity.models.members": { passes: right, fails: { "member-unknown": other } },

  "verity.disk.mount": {
    passes: right,
    fails: {
      "disk-arguments-wrong": names,
      "disk-device-differs": names,
      "disk-claim-differs": names,
      "disk-folder-differs": names,
      "disk-unread": names,
    },
    open: { "disk-arguments-unread": ["error", names] },
  },
  "verity.disk.root_known": {
    passes: right,
    fails: { UNKNOWN_ROOT: other },
    open: { "root-unvouched": ["consistent", other] },
  },
  "verity.disk.rebuilt": {
    passes: right,
    fails: { MISMATCH: other, "image-malformed": other },
    open: { NOT_REBUILT: ["skip", right], "image-unsupported": ["error", unread] },
  },
  "verity.disk.data_size": { passes: right, fails: { "hash-offset-differs": lies } },
  "verity.disk.superblock": { passes: right, fails: { "superblock-differs": lies, "disk-size-differs": lies } },
  "verity.disk.files": { passes: right, fails: { "files-differ": lies } },
  "verity.disk.commit": { passes: right, fails: { "commit-differs": lies, "excluded-differ": lies } },
  "verity.disk.excluded": { passes: right, fails: { "files-excluded": lies } },
  "verity.disk.code": { passes: right, fails: { "code-on-disk": lies } },
};
