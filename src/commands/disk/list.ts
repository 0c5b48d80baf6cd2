import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";

export default class DiskList extends BaseCommand {
  static override summary = "List the files of a model disk: an EROFS image, with or without a hash area behind it.";
  static override description =
    "Prints the superblock and each file with kind, mode, size and path; with --digests each file's SHA-256, which Git " +
    "LFS names it by, and its git object id. Reads uncompressed images as mkfs.erofs makes them, from a file or a block " +
    "device, without mounting them. Nothing is judged.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> disk.img",
    "<%= config.bin %> <%= command.id %> /dev/modelweights-NAME-0 --digests --json",
  ];
  static override args = {
    image: Args.string({ required: true, description: "Disk image or block device; not stdin." }),
  };
  static override flags = {
    digests: Flags.boolean({ description: "Read every file, and print its SHA-256 and git object id." }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(DiskList);
    const { listDisk } = await import("../../audit/disk-list.ts");
    return this.print(await listDisk({ image: args.image, digests: flags.digests }), flags);
  }
}
