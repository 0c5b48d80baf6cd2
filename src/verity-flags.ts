/** Flags of a disk's dm-verity parameters, which several commands share. */
import { Flags } from "@oclif/core";

const parameters = "PARAMETERS";
const size = (what: string) =>
  Flags.integer({
    description: `${what} block size in bytes; 4096 when left out.`,
    helpGroup: parameters,
    helpValue: "N",
  });

export const verityFlags = {
  preset: Flags.string({
    description: "Parameters of a service's disks: privatemode is type 1, sha256, 4096/4096, salt 00, UUID zero.",
    helpGroup: parameters,
    helpValue: "NAME",
    options: ["privatemode"],
  }),
  salt: Flags.string({ description: "Salt, or - for none.", helpGroup: parameters, helpValue: "HEX" }),
  algorithm: Flags.string({
    description: "Hash algorithm, as veritysetup names it; sha256 when left out.",
    helpGroup: parameters,
    helpValue: "NAME",
  }),
  "hash-type": Flags.integer({
    description: "1: salt before the block (default). 0: Chrome OS, salt behind it.",
    helpGroup: parameters,
    helpValue: "N",
  }),
  "data-block-size": size("Data"),
  "hash-block-size": size("Hash"),
  "data-size": Flags.string({
    description: "Bytes that are data; up to the hash offset, or the whole file, when left out.",
    helpGroup: parameters,
    helpValue: "BYTES",
    exclusive: ["data-blocks"],
  }),
  "data-blocks": Flags.string({
    description: "The same as a number of data blocks.",
    helpGroup: parameters,
    helpValue: "N",
  }),
  "hash-offset": Flags.string({
    description: "Where superblock and tree begin.",
    helpGroup: parameters,
    helpValue: "BYTES",
  }),
  "no-superblock": Flags.boolean({
    description: "The tree begins at the hash offset, without a superblock.",
    helpGroup: parameters,
  }),
  "allow-weak-algorithm": Flags.boolean({
    description: "Compare roots of sha1, md5, sha224, ripemd160 or sm3, too; the report says so.",
    helpGroup: parameters,
  }),
  jobs: Flags.integer({
    description: "Worker threads; one a core, at most 8, when left out. 1 for a disk that seeks slowly.",
    helpValue: "N",
    min: 1,
    max: 256,
  }),
};
