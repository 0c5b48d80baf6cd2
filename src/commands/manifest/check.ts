import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { readInput } from "../../input.ts";
import { parseTime } from "../../time.ts";

export default class ManifestCheck extends BaseCommand {
  static override summary = "Say whether a Contrast manifest is well-formed, unambiguous and valid.";
  static override description =
    "Finds what Contrast's own reader would read otherwise than the text says (doubled or re-cased fields, fields of " +
    "another version, rounded numbers), what breaks the manifest's rules, and what it permits. Two hashes are shown: of " +
    "the raw bytes, which is the manifest's identity, and of its re-serialised form, which a web page may show.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> manifest.json",
    "<%= config.bin %> <%= command.id %> - --contrast-version v1.19 --json < manifest.json",
  ];
  static override args = {
    file: Args.string({ required: true, description: "Manifest, or - for stdin." }),
  };
  static override flags = {
    "contrast-version": Flags.string({
      description: "Rules of this Contrast version: v1.5 to v1.21, or main; v1.20 when left out.",
      helpValue: "V",
    }),
    at: Flags.string({
      description: "Time to state as the judgement time: RFC 3339 or Unix seconds.",
      helpValue: "TIME",
    }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(ManifestCheck);
    const at = flags.at === undefined ? new Date() : parseTime(flags.at);
    const input = await readInput(args.file, "a manifest");
    const { checkManifest } = await import("../../audit/manifest.ts");
    const report = checkManifest({
      input,
      contrastVersion: flags["contrast-version"],
      at,
      toolVersion: this.config.version,
    });
    return this.report(report, flags);
  }
}
