/** Is a model disk a file system that can be read in one way only? What the files are worth others ask. */
import { catalogue } from "../../claims/question.ts";

const format = "erofs-utils 1.9.3, include/erofs_fs.h";

/** Owed by each disk image whose files are listed. */
export const diskImage = catalogue("verity", {
  "verity.image.format": {
    asks: "Is the image an EROFS file system whose every name leads to one inode, and each directory's by one way?",
    spec: `${format}; Linux, Documentation/filesystems/erofs.rst`,
    stops: "A disk that shows other files to whoever checks it than to the guest that mounts it.",
    todo: "Do not mount the image. Make it again with mkfs.erofs from the repository, or copy it again.",
    owed: "always",
    codes: {
      "erofs-superblock": "There is no EROFS superblock at byte 1024, or it contradicts itself.",
      "erofs-inode": "An inode is of no kind, or its tail or target breaks the format.",
      "erofs-directory": "A directory's entries are out of order, unnamed, or say another kind than their inode.",
      "erofs-range": "An inode or its data lie outside the file system, or over the superblock.",
      "erofs-tree": "A directory is reached twice, or there are more inodes than the superblock counts.",
    },
  },
  "verity.image.checksum": {
    asks: "Does the superblock carry a checksum, and is it the one of its bytes?",
    spec: `${format}, EROFS_FEATURE_COMPAT_SB_CHKSUM; CRC-32C, not inverted at the end`,
    stops:
      "A superblock that was changed by hand or by accident; it is no signature, the root hash alone stops an attacker.",
    todo: "Make the image again, or copy it again.",
    owed: "always",
    codes: {
      "image-checksum": "The checksum is not the one of the superblock's bytes.",
      "image-checksum-missing": "The superblock has no checksum; mkfs.erofs writes one.",
    },
  },
  "verity.image.size": {
    asks: "Are the file system's blocks exactly the bytes that the auditor says are data, or, where he says nothing, not more than the image has?",
    spec: `${format}, blocks_lo; Privatemode v1.40.0, disk-mounter: hash offset = blocks × 4096`,
    stops: "A block count that makes the disk mounter look for the hash tree elsewhere than the auditor did.",
    todo: "Compare the hash offset that you were given with the length of the image as mkfs.erofs wrote it.",
    owed: "always",
    codes: {
      "image-size": "The block count gives another size than the auditor's.",
      "image-truncated": "The image is shorter than its file system.",
    },
  },
  "verity.image.fields": {
    asks: "Has each field of the superblock the value that mkfs.erofs gives it with Privatemode's arguments?",
    spec: "Privatemode v1.40.0, verity/verity.sh: mkfs.erofs -T0 -x-1 --all-root -U 00000000-0000-0000-0000-000000000000",
    stops: "An image made in another way: the files may be equal, a rebuild gives another root hash.",
    todo: "Ask how the image was made. The files are compared by themselves, so this does not make them other files.",
    owed: "advisory",
    codes: { "image-fields": "At least one field has another value; the reason names each." },
  },
});
