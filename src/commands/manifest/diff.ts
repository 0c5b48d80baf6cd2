import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { usage } from "../../errors.ts";
import { readInput } from "../../input.ts";

export default class ManifestDiff extends BaseCommand {
  static override summary = "Say what changed between two Contrast manifests, and in which direction.";
  static override description =
    "Each change is weaker, stronger, neutral, or unknown until somebody explains it. Reference values are taken " +
    "together by product, platform, vCPUs and measurement, lists without order. Exit status 0: the same bytes, 1: " +
    "different, however little. A manifest that is malformed or can be read in two ways is refused. docs/diff.md lists the grades.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> pinned.json published.json",
    "<%= config.bin %> <%= command.id %> v1.19.json v1.20.json --contrast-version v1.19 --contrast-version v1.20 --json",
  ];
  static override args = {
    a: Args.string({ required: true, description: "The earlier manifest, or - for stdin." }),
    b: Args.string({ required: true, description: "The later manifest, or - for stdin." }),
  };
  static override flags = {
    "contrast-version": Flags.string({
      description: "Rules of this Contrast version; given twice: of A, then of B. v1.20 when left out.",
      helpValue: "V",
      multiple: true,
    }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(ManifestDiff);
    if (args.a === "-" && args.b === "-") throw usage("A and B cannot both be stdin", "name a file for one of them");
    const [a, b] = [await readInput(args.a, "a manifest"), await readInput(args.b, "a manifest")];
    const { manifestDiff } = await import("../../audit/diff.ts");
    return this.print(manifestDiff(a, b, flags["contrast-version"]), flags);
  }
}
