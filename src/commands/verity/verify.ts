import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { verityFlags } from "../../verity-flags.ts";

export default class VerityVerify extends BaseCommand {
  static override summary = "Verify a disk with its dm-verity tree against a root hash.";
  static override description =
    "Data against the leaves, every level against the one above, spare bytes, the superblock field by field against " +
    "your parameters, and the root. What differs is named with its first block and how many there are. The verdict is " +
    "about the whole disk and about nothing else.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> disk.img --root HEX --preset privatemode --hash-offset 595205042176",
    "<%= config.bin %> <%= command.id %> data.img --root HEX --salt 00ff --hash-file hashes.img --json",
  ];
  static override args = {
    image: Args.string({ required: true, description: "Disk image or block device with the data." }),
  };
  static override flags = {
    root: Flags.string({ required: true, description: "Root hash that you expect.", helpValue: "HEX" }),
    ...verityFlags,
    "hash-file": Flags.string({
      description:
        "Where superblock and tree lie, when not on the disk itself; from byte 0 when --hash-offset is left out.",
      helpValue: "FILE",
    }),
    uuid: Flags.string({ description: "UUID that the superblock must have.", helpValue: "UUID" }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(VerityVerify);
    const { verifyDisk } = await import("../../audit/verity-verify.ts");
    return this.report(await verifyDisk(args.image, flags, this.config.version, new Date()), flags);
  }
}
