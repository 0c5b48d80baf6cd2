/** Which model disks the deployment mounts, and what is known of each. Subjects are the disk mounters of the auditor's deployment file. */
import { catalogue } from "../../claims/question.ts";

const privatemode = "Privatemode v1.40.0";
const disk = `${privatemode}, verity/verity.sh`;
const mounter = `${privatemode}, disk-mounter`;
const sidecar = `${privatemode}, models.yaml`;

/** Owed once by a profile with `disks`: the subject "model disks". */
export const modelFile = catalogue("verity", {
  "verity.models.format": {
    asks: "Can the file of model disks be read in one way, with each root hash once?",
    spec: `${sidecar}; StorageClass annotations of older releases`,
    stops: "A file in which one reader finds another model for a root hash than the next.",
    todo: "Take the file from the source at its commit.",
    owed: "always",
    codes: {
      "models-malformed": "The file breaks its form; the message names line and member.",
      "models-empty": "The file lists no model.",
    },
  },
  "verity.models.mounted": {
    asks: "Does the deployment file hold at least one disk mounter?",
    spec: mounter,
    stops: "An audit of model disks that looked at none.",
    todo: "Check that deployment.file is the file of this service, and that its mounters' image is one that the rules know.",
    owed: "always",
    codes: { "no-disk": "No confidential workload of the deployment file has a disk mounter." },
  },
  "verity.models.asked": {
    asks: "Is each root hash that the profile's disks.images names the argument of a disk mounter?",
    spec: "The auditor's profile, disks.images",
    stops: "An image that was compared with no disk, because its root hash was mistyped or is of another release.",
    todo: "Compare disks.images with the arguments of the disk mounters; take out what this release does not mount.",
    owed: "pinned",
    codes: { "image-unmounted": "No disk mounter has the root hash among its arguments." },
  },
  "verity.models.unused": {
    asks: "Is each model of the file mounted by a workload?",
    spec: sidecar,
    stops: "Nothing: a published disk that no workload mounts is information.",
    todo: "Nothing; the file may list models of other deployments.",
    owed: "advisory",
    codes: { UNUSED: "An entry's root hash is the argument of no disk mounter." },
  },
  "verity.models.names": {
    asks: "Has each entry the name that its source makes, and no two sources the same one?",
    spec: `${privatemode}, verity/normalize-model-name.sh`,
    stops: "A reader who takes the name of an entry for its identity: names are not unique, and nothing compares them.",
    todo: "Go by commit and root hash.",
    owed: "advisory",
    codes: {
      "entry-name": "An entry's name is not what its source makes.",
      "entry-collision": "Two sources make the same name.",
    },
  },
  "verity.models.members": {
    asks: "Does the file hold only members that pm knows?",
    spec: sidecar,
    stops: "Something said of a disk that nobody read.",
    todo: "Read the member; a newer form of the file may need a newer pm.",
    owed: "advisory",
    codes: { "member-unknown": "An entry has a member that pm does not know." },
  },
});

/** Owed by each disk mounter: subject `disk NAME-INDEX of WORKLOAD`. What its container may do else, kata.safety.disks asks. */
export const modelDisk = catalogue("verity", {
  "verity.disk.mount": {
    asks: "Do the mounter's arguments, its device, the volume claim, the folder that it shares and the path that a model server reads all name the same disk?",
    spec: `${mounter}; Kubernetes API, volumeDevices, volumeMounts, persistentVolumeClaim`,
    stops: "A root hash that is checked for a disk which no server reads, beside another that they do read.",
    todo: "Compare the mounter's arguments with the names that the message shows.",
    owed: "always",
    codes: {
      "disk-arguments-wrong": "The arguments are not model, index and root hash.",
      "disk-arguments-unread": "The arguments cannot be read in one way, or stand behind an unknown script.",
      "disk-device-differs": "The mounter's device is not the one that its arguments name.",
      "disk-claim-differs": "The device's volume is not the claim that the arguments name.",
      "disk-folder-differs": "The mounter shares no folder in which the disk would appear.",
      "disk-unread": "No model server has a path on the disk among its arguments.",
    },
  },
  "verity.disk.root_known": {
    asks: "Is the root hash one that the file of model disks lists, and one that somebody apart from the audited party knows?",
    spec: sidecar,
    stops: "Weights of no published model; and a published list that is taken for proof of what a disk holds.",
    todo: "UNKNOWN_ROOT: ask the operator which model this is. Where only the audited party knows the root: rebuild the disk, or get the root hash from somebody who did, and name it in disks.images.",
    owed: "always",
    codes: {
      UNKNOWN_ROOT: "The root hash is in no entry.",
      "root-unvouched": "Only the audited party's file lists the root hash: disks.images does not name it.",
    },
  },
  "verity.disk.rebuilt": {
    asks: "Has the auditor's image, hashed in this run under Privatemode's parameters, the root hash that the mounter is given?",
    spec: `${disk}; Linux, dm-verity`,
    stops: "Other bytes than those that the auditor rebuilt and looked at.",
    todo: "MISMATCH: check that the image was built from the entry's commit with the same version of mkfs.erofs; if it was, do not trust the disk.",
    owed: "pinned",
    codes: {
      NOT_REBUILT: "The auditor holds no image for this root hash.",
      MISMATCH: "The image's root hash is another one, under both layouts of mkfs.erofs.",
      "image-malformed": "The image is damaged or no EROFS file system.",
      "image-unsupported": "The image uses a form that pm does not read.",
    },
  },
  "verity.disk.data_size": {
    asks: "Is the entry's hash_offset the size of the image's file system?",
    spec: `${disk}, hash_offset; EROFS, superblock, blocks`,
    stops: "A published file that describes another image than the one with its root hash.",
    todo: "Take the file of model disks from the same commit as the deployment file.",
    owed: "pinned",
    codes: { "hash-offset-differs": "The entry's hash_offset is another number." },
  },
  "verity.disk.superblock": {
    asks: "Holds the auditor's finished disk, behind its data, the dm-verity superblock of Privatemode's parameters, and is it as long as its tree?",
    spec: `cryptsetup, lib/verity, superblock; ${disk}`,
    stops: "A disk whose superblock lies: the disk mounter takes salt and block count from it.",
    todo: "Build the disk again; compare the fields that the message names.",
    owed: "pinned",
    codes: {
      "superblock-differs": "A field of the superblock is not the expected one.",
      "disk-size-differs": "The disk ends before its tree, or goes on behind it.",
    },
  },
  "verity.disk.files": {
    asks: "Are the files on the disk those of the commit: each one there, none more, the same bytes?",
    spec: "Git, blob ids; Git LFS, pointer files, oid sha256",
    stops: "Weights or code that are not in the model's repository at its commit.",
    todo: "Look at the files that the message names. `pm disk verify` lists them all.",
    owed: "pinned",
    codes: { "files-differ": "A file is missing, surplus or another one." },
  },
  "verity.disk.commit": {
    asks: "Names the entry the commit, and the excluded files, of the auditor's list?",
    spec: `${sidecar}, commit_hash, excluded_files`,
    stops: "A published file that names another commit than the one whose files are on the disk.",
    todo: "Make the list from the entry's commit with `pm disk expect`, or ask the operator which commit is right.",
    owed: "pinned",
    codes: {
      "commit-differs": "The entry names another commit.",
      "excluded-differ": "The entry names other files as excluded.",
    },
  },
  "verity.disk.excluded": {
    asks: "Excludes the entry no file of its commit?",
    spec: `${sidecar}, excluded_files`,
    stops: "Nothing by itself: it is the operator's word on which files of the repository the model is served without.",
    todo: "Read the list: a missing file can change how a model answers.",
    owed: "advisory",
    codes: { "files-excluded": "The entry excludes files." },
  },
  "verity.disk.code": {
    asks: "Is the disk without code, where a workload may run code that comes with the model?",
    spec: "vLLM, serving arguments, --trust-remote-code; Python, pickle",
    stops: "Program code on a model disk, which the pinned root hash makes part of the service.",
    todo: "Review the files that the message names.",
    owed: "advisory",
    codes: { "code-on-disk": "The disk holds files that are code, or a form that can carry code." },
  },
});
