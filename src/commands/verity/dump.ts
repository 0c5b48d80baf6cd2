import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";

export default class VerityDump extends BaseCommand {
  static override summary = "Show the dm-verity superblock of a disk.";
  static override description =
    "What the disk says of itself, which nothing covers: compare it with pm verity verify. The root hash is not in it.";
  static override examples = ["<%= config.bin %> <%= command.id %> disk.img --hash-offset 595205042176"];
  static override args = {
    image: Args.string({ required: true, description: "Disk image or block device." }),
  };
  static override flags = {
    "hash-offset": Flags.string({ description: "Where the superblock lies.", helpValue: "BYTES", default: "0" }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(VerityDump);
    const { dumpDisk } = await import("../../audit/verity-dump.ts");
    return this.print(dumpDisk(args.image, flags["hash-offset"]), flags);
  }
}
