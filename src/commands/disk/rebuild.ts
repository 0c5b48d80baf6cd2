import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";

export default class DiskRebuild extends BaseCommand {
  static override summary = "Make a model disk anew from a folder, and compute its root hash.";
  static override description =
    "Drives mkfs.erofs (erofs-utils 1.8 or later) with the flags of Privatemode's builder and computes the dm-verity " +
    "root under its parameters, in both layouts that mkfs.erofs 1.9 and other releases write. veritysetup's root is " +
    "compared where that is installed. The folder is a checkout with umask 22 and its LFS content, after the excluded " +
    "files were removed; a .git at its top is left out. Exit status 0: rebuilt, or an expected root is equal in one of " +
    "both layouts; 1: none is; 3: veritysetup gives another root than pm.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> gpt-oss-120b --out model.img --expect-root HEX",
    "<%= config.bin %> <%= command.id %> gpt-oss-120b --out model.img --mkfs ./mkfs.erofs --json",
  ];
  static override args = {
    folder: Args.string({ required: true, description: "The model's files." }),
  };
  static override flags = {
    out: Flags.string({ required: true, description: "Image to write; must not be there yet.", helpValue: "IMAGE" }),
    "expect-root": Flags.string({
      description: "Root hash that you expect, 64 hex digits. Can be repeated: any of them.",
      helpValue: "HEX",
      multiple: true,
    }),
    mkfs: Flags.string({ description: "The program mkfs.erofs; the one on PATH when left out.", helpValue: "PATH" }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(DiskRebuild);
    const { rebuildDisk } = await import("../../audit/disk-rebuild.ts");
    const result = await rebuildDisk({
      folder: args.folder,
      out: flags.out,
      expectRoots: flags["expect-root"] ?? [],
      mkfs: flags.mkfs,
      notice: (text) => this.logToStderr(`pm: ${text}`),
    });
    return this.print(result, flags);
  }
}
