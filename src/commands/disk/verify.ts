import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { parseTime } from "../../time.ts";

export default class DiskVerify extends BaseCommand {
  static override summary = "Say whether a model disk holds exactly the files of a commit.";
  static override description =
    "Reads the EROFS image without mounting it, digests each file inside, and compares names and object ids with the " +
    "list that `pm disk expect` made of the commit. That proves content; with --root the root hash of the image's own " +
    "bytes is computed under Privatemode's dm-verity parameters and compared, too. The image is a file or a block " +
    "device, and is refused when it changes meanwhile.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> model.img --expect expect.json",
    "<%= config.bin %> <%= command.id %> /dev/vdb --expect expect.json --root HEX --data-size 595205042176 --json",
  ];
  static override args = {
    image: Args.string({ required: true, description: "Disk image or block device." }),
  };
  static override flags = {
    expect: Flags.string({
      required: true,
      description: "Expected files, made by pm disk expect; or - for stdin.",
      helpValue: "FILE",
    }),
    root: Flags.string({ description: "Root hash that you expect, 64 hex digits.", helpValue: "HEX" }),
    "data-size": Flags.integer({
      description:
        "Bytes before the hash area (hash_offset in models.yaml); the file system's own count when left out.",
      helpValue: "N",
      min: 1,
    }),
    at: Flags.string({
      description: "Time to state as the judgement time: RFC 3339 or Unix seconds.",
      helpValue: "TIME",
    }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(DiskVerify);
    const now = new Date();
    const { verifyDisk } = await import("../../audit/disk-verify.ts");
    const report = await verifyDisk({
      image: args.image,
      expect: flags.expect,
      root: flags.root,
      dataSize: flags["data-size"],
      at: flags.at === undefined ? now : parseTime(flags.at),
      now,
      toolVersion: this.config.version,
    });
    return this.report(report, flags);
  }
}
