import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";

export default class DiskExpect extends BaseCommand {
  static override summary =
    "List the files that a model disk of one commit should hold, from a clone of the model's repository.";
  static override description =
    "Reads the commit's trees and its small files out of a clone; each id is computed again. Where the commit holds an " +
    "LFS pointer, the list has the SHA-256 that the pointer names, so the clone needs no LFS content " +
    "(GIT_LFS_SKIP_SMUDGE=1 git clone). Nothing is checked out, fetched or run. Keep the list: `pm disk verify` compares " +
    "a disk with it.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> gpt-oss-120b COMMIT --exclude 'original/*,metal/*' --out expect.json",
    "<%= config.bin %> <%= command.id %> clone.git refs/tags/v1 > expect.json",
  ];
  static override args = {
    gitdir: Args.string({ required: true, description: "A clone, or a bare repository." }),
    commit: Args.string({
      required: true,
      description: "The commit's whole id; or a tag or branch, whose commit is then printed.",
    }),
  };
  static override flags = {
    exclude: Flags.string({
      description: "Files that the builder leaves out, as excluded_files in models.yaml has them.",
      helpValue: "LIST",
    }),
    out: Flags.string({ description: "Write the list to this file and print a summary.", helpValue: "FILE" }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(DiskExpect);
    const { diskExpect } = await import("../../audit/disk-expect.ts");
    const result = await diskExpect({
      gitDir: args.gitdir,
      commit: args.commit,
      exclude: flags.exclude,
      out: flags.out,
      notice: (text) => this.logToStderr(`pm: ${text}`),
    });
    return this.print(result, flags);
  }
}
