/** Does a model disk hold the files of one commit, and nothing else? The image as a file system is asked about elsewhere. */
import { catalogue } from "../../claims/question.ts";

const build = "Privatemode v1.40.0, verity/verity.sh";

/** Owed by each disk whose files are compared with a commit. */
export const diskFiles = catalogue("verity", {
  "verity.files.equal": {
    asks: "Does the disk hold exactly the files, links and folders of the commit, each with the object that the commit names?",
    spec: "Git documentation, gitformat-pack, git-hash-object; git-lfs, docs/spec.md, The Pointer; EROFS, directories and inodes",
    stops:
      "Other weights than the repository's, a file beside them that a loader picks up, or a file that was left out.",
    todo: "Look at the files that the reason names. Ask the service for the commit and the exclusion list that it built the disk from, and make the list again with pm disk expect.",
    owed: "always",
    codes: {
      "file-missing": "A file of the commit is not on the disk.",
      "file-surplus": "The disk holds a file, link or folder that the commit does not make.",
      "file-kind": "A path of the commit is something else on the disk: a folder, link or special file.",
      "lfs-pointer": "The disk holds the LFS pointer in place of the file that it names.",
      "file-differs": "A file or link has other content than the commit names.",
    },
  },
  "verity.files.root": {
    asks: "Is the dm-verity root hash of the image's own bytes, under Privatemode's parameters, the expected one?",
    spec: `Linux, Documentation/admin-guide/device-mapper/verity.rst; ${build}, veritysetup format`,
    stops: "A disk with the right files that is not the disk under the root hash of the measured policy.",
    todo: "Where the reason says that the other layout gives the root, rebuild with the other mkfs.erofs. Else the image is another one: the files may be equal, the root is not.",
    owed: "pinned",
    codes: {
      "root-other-layout":
        "The root is that of the same content as the other mkfs.erofs, 1.9 or not 1.9, writes it: content equal, image not reproduced.",
      "root-mismatch": "The image has another root, in both layouts.",
    },
  },
  "verity.files.metadata": {
    asks: "Has everything on the disk owner 0, group 0, one name, and the mode that a checkout with umask 22 gives it?",
    spec: `${build}: umask 22, mkfs.erofs --all-root; git, core.fileMode`,
    stops: "Nothing by itself; a disk that was made in another way than the builder's, whose root no rebuild gives.",
    todo: "Ask how the disk was made. Content is compared by itself.",
    owed: "advisory",
    codes: {
      "file-owner": "Something belongs to another user or group than 0.",
      "file-mode": "Something has another mode than a checkout gives it.",
      "file-links": "A file has several names.",
    },
  },
  "verity.files.excluded": {
    asks: "Is every file of the commit on the disk, with none left out by the exclusion list?",
    spec: `${build}, excluded_files`,
    stops: "A file that is missing because somebody listed it as not needed: a license, a chat template, a tokenizer.",
    todo: "Read the names. Weights in another format are left out for their size; anything else wants a reason.",
    owed: "advisory",
    codes: { "files-excluded": "The exclusion list leaves out files of the commit; each is named." },
  },
  "verity.files.code": {
    asks: "Is the disk without files that a loader runs as code?",
    spec: "vLLM, serving arguments, --trust-remote-code; Python documentation, pickle, warning on untrusted data",
    stops: "Program code that comes with the weights: inside the confidential pod it can read prompts.",
    todo: "Read the files that are named; the root hash pins them. Whether they are run, the arguments of the workload say (kata.safety.remote_code).",
    owed: "advisory",
    codes: {
      "code-on-disk": "The disk holds programs: Python, shell, notebooks, shared objects.",
      "pickle-on-disk": "The disk holds files in which pickles are usual; unpickling runs what they say.",
    },
  },
});
