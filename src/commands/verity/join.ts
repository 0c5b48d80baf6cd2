import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";

export default class VerityJoin extends BaseCommand {
  static override summary = "Put the root hash of a disk together from the parts that pm verity hash --shard wrote.";
  static override description =
    "Each part of the disk must be there once, all with the same parameters. The parts' digests are believed: whoever " +
    "hashed them could have hashed something else. Exit status 0: computed, or an expected root hash is this one; 1: " +
    "none is.";
  static override examples = ["<%= config.bin %> <%= command.id %> part-*.json --expect HEX"];
  static override strict = false;
  static override args = {
    files: Args.string({ required: true, description: "Files that pm verity hash --shard wrote." }),
  };
  static override flags = {
    expect: Flags.string({
      description: "Root hash that you expect. Can be repeated: any of them.",
      helpValue: "HEX",
      multiple: true,
    }),
    "allow-weak-algorithm": Flags.boolean({ description: "Compare roots of a weak algorithm, too." }),
  };

  async run(): Promise<Printed> {
    const { argv, flags } = await this.parse(VerityJoin);
    const { joinDisk } = await import("../../audit/verity-shards.ts");
    return this.print(await joinDisk(argv.map(String), flags), flags);
  }
}
