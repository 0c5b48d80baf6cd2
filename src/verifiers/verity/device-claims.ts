/** What is asked of a disk with its hash tree: superblock, data, tree, root. */
import { catalogue } from "../../claims/question.ts";

const format = "cryptsetup, lib/verity/verity.c, struct verity_sb";
const kernel = "Linux, Documentation/admin-guide/device-mapper/verity.rst";

/** Owed where the disk has a superblock. */
export const veritySuperblock = catalogue("verity", {
  "verity.superblock.format": {
    asks: "Is there a verity superblock of version 1 at the hash offset, with all its fields readable?",
    spec: format,
    stops: "A disk that is no dm-verity disk, or one whose fields another reader reads differently.",
    todo: "Check --hash-offset: for a Privatemode disk it is the size of its EROFS image. Without a superblock give --no-superblock.",
    owed: "always",
    codes: { "superblock-malformed": "There is no superblock there, or a field cannot be." },
  },
  "verity.superblock.parameters": {
    asks: "Does the superblock say what you expect: hash type, algorithm, block sizes, number of data blocks, salt?",
    spec: format,
    stops:
      "A disk that is opened with parameters of its own choice: the root hash does not cover the superblock, and whoever opens the disk by it believes it.",
    todo: "Compare the fields that the message names with how the disk was made. Do not take them over from the disk.",
    owed: "always",
    codes: { "parameters-differ": "A field is another than you expect." },
  },
  "verity.superblock.uuid": {
    asks: "Is the superblock's UUID the expected one?",
    spec: format,
    stops: "A disk that was made in another way than the one that it is compared with.",
    todo: "Find out how the disk was made. The UUID takes no part in the root hash.",
    owed: "pinned",
    codes: { "uuid-differs": "The UUID is another one." },
  },
  "verity.superblock.reserved": {
    asks: "Are the superblock's reserved bytes zero?",
    spec: format,
    stops: "Bytes that nobody reads today and a later reader may obey: no hash covers them.",
    todo: "Make the disk anew, or find out who wrote there.",
    owed: "always",
    codes: { "reserved-set": "A reserved byte is not zero." },
  },
  "verity.superblock.gap": {
    asks: "Are the bytes between superblock and tree zero?",
    spec: `${format}; veritysetup leaves them as they are`,
    stops: "Old content of a file that was used again, or bytes that somebody put there: no hash covers them.",
    todo: "Look at the bytes. They change nothing of what the disk serves.",
    owed: "advisory",
    codes: { "gap-used": "A byte between superblock and tree is not zero." },
  },
});

/** Owed always. */
export const verityTree = catalogue("verity", {
  "verity.data.blocks": {
    asks: "Does the digest of each data block stand in the leaf level of the tree?",
    spec: `${kernel}, Theory of operation`,
    stops: "Data that somebody changed: reading such a block ends with an error, and a lenient setup goes on.",
    todo: "Get the disk again. The message names the first block and how many there are.",
    owed: "always",
    codes: { "data-differs": "A data block has another digest than the tree says." },
  },
  "verity.tree.levels": {
    asks: "Does the digest of each hash block stand in the block above it?",
    spec: `${kernel}, Hash Tree`,
    stops: "A tree in which a branch was exchanged.",
    todo: "Make the tree anew with veritysetup from data whose root is right. The message names level and block.",
    owed: "always",
    codes: { "level-differs": "A hash block below the top is not the one that the block above names." },
  },
  "verity.tree.spare": {
    asks: "Are the bytes of the hash blocks that hold no digest zero?",
    spec: "cryptsetup, lib/verity/verity_hash.c, verify_zero",
    stops: "Content hidden in the tree.",
    todo: "Make the tree anew; find out who wrote there.",
    owed: "always",
    codes: { "spare-set": "A byte beside the digests is not zero." },
  },
  "verity.root.equal": {
    asks: "Is the digest of the top block (of the one data block, where there is no tree) the expected root hash?",
    spec: `${kernel}, Hash Tree`,
    stops: "Another disk than the one that the root hash stands for.",
    todo: "Compare with where the root hash comes from: the arguments of the disk mounter in the deployment file.",
    owed: "always",
    codes: { "root-differs": "The root hash is another one." },
  },
  "verity.data.covered": {
    asks: "Is every byte of the disk covered by the tree or part of it?",
    spec: `${kernel}; cryptsetup, lib/verity/verity_hash.c`,
    stops:
      "Bytes that lie on the disk and that nothing vouches for: a tail shorter than a block, what follows the tree.",
    todo: "Look at them. A device that is opened with dm-verity does not show them.",
    owed: "advisory",
    codes: { "bytes-uncovered": "The disk has bytes that no hash covers." },
  },
});
