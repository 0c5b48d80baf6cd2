/** Rows of disk images and of their files. */
import type { diskFiles } from "../../src/verifiers/verity/files-claims.ts";
import type { diskImage } from "../../src/verifiers/verity/image-claims.ts";
import type { Rows } from "./rows.ts";

export type DiskQuestions = typeof diskImage & typeof diskFiles;

const good = "disk as demanded";

export const diskRows: Rows<DiskQuestions> = {
  "verity.image.format": {
    passes: good,
    fails: {
      "erofs-superblock": "disk without a superblock",
      "erofs-inode": "disk with an inode of no kind",
      "erofs-directory": "disk with an entry of another kind",
      "erofs-range": "disk with data behind its end",
      "erofs-tree": "disk with too many inodes",
    },
  },
  "verity.image.checksum": {
    passes: good,
    fails: { "image-checksum": "disk with another checksum", "image-checksum-missing": "disk without a checksum" },
  },
  "verity.image.size": {
    passes: good,
    fails: { "image-size": "disk of fewer blocks", "image-truncated": "disk that is cut" },
  },
  "verity.image.fields": { passes: good, fails: { "image-fields": "disk with a UUID" } },
  "verity.files.equal": {
    passes: good,
    fails: {
      "file-missing": "disk without a file",
      "file-surplus": "disk with a further file",
      "file-kind": "disk with a folder for a file",
      "lfs-pointer": "disk with a pointer",
      "file-differs": "disk with another file",
    },
  },
  "verity.files.root": {
    passes: good,
    fails: { "root-other-layout": "disk of the other layout", "root-mismatch": "disk of another root" },
  },
  "verity.files.metadata": {
    passes: good,
    fails: {
      "file-owner": "disk with a file of somebody's",
      "file-mode": "disk with an open file",
      "file-links": "disk with two names of a file",
    },
  },
  "verity.files.excluded": { passes: good, fails: { "files-excluded": "disk with files left out" } },
  "verity.files.code": {
    passes: good,
    fails: { "code-on-disk": "disk with a program", "pickle-on-disk": "disk with a pickle" },
  },
};
