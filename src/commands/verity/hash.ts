import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { verityFlags } from "../../verity-flags.ts";

export default class VerityHash extends BaseCommand {
  static override summary = "Compute the dm-verity root hash of a disk under your parameters.";
  static override description =
    "Parameters are yours and never the disk's: a superblock at --hash-offset is compared field by field. An EROFS image " +
    "has a second root hash, of the same files as the other releases of mkfs.erofs would have written them. --journal " +
    "keeps finished parts, so that a run that was cut off goes on from there; the result says so. --shard hashes one " +
    "part of a disk, for a fleet: pm verity join puts the root hash together. Exit status 0: computed, or an expected " +
    "root hash is this one; 1: none is, or the superblock differs.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> model.erofs --preset privatemode --expect HEX",
    "<%= config.bin %> <%= command.id %> disk.img --preset privatemode --hash-offset 595205042176 --journal disk.journal",
    "<%= config.bin %> <%= command.id %> disk.img --salt - --hash-type 0 --json",
    "<%= config.bin %> <%= command.id %> disk.img --preset privatemode --shard 3/16 --out part-3.json",
  ];
  static override args = {
    image: Args.string({ required: true, description: "Disk image or block device, or - for stdin." }),
  };
  static override flags = {
    expect: Flags.string({
      description: "Root hash that you expect. Can be repeated: any of them.",
      helpValue: "HEX",
      multiple: true,
    }),
    ...verityFlags,
    journal: Flags.string({
      description: "Keep finished parts in this file, and go on from it where it exists.",
      helpValue: "FILE",
    }),
    shard: Flags.string({ description: "Hash one part of N, counted from 1.", helpValue: "I/N", dependsOn: ["out"] }),
    out: Flags.string({ description: "Where the part's digests go.", helpValue: "FILE" }),
    "file-hash": Flags.boolean({ description: "SHA-256 of the whole file, too." }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(VerityHash);
    const { hashDisk } = await import("../../audit/verity-hash.ts");
    return this.print(await hashDisk(args.image, flags), flags);
  }
}
