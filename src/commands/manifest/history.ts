import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";

export default class ManifestHistory extends BaseCommand {
  static override summary =
    "List the manifests of a bundle or of a proxy's log, with what changed from each to the next.";
  static override description =
    "SOURCE is an evidence bundle (folder or tar), whose recorded answer holds the Coordinator's whole history, or the " +
    "folder in which the Privatemode proxy keeps log.txt and the manifests that it was given. Missing files, lines that " +
    "cannot be read and times out of order are named, and end with status 1. Nothing is authenticated.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> bundle.tar",
    "<%= config.bin %> <%= command.id %> ~/privatemode/manifests --json",
  ];
  static override args = {
    source: Args.string({ required: true, description: "Bundle, or folder of the proxy's manifest log." }),
  };
  static override flags = {
    "contrast-version": Flags.string({
      description: "Rules of this Contrast version: v1.5 to v1.21, or main; v1.20 when left out.",
      helpValue: "V",
    }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(ManifestHistory);
    const { manifestHistory } = await import("../../audit/history.ts");
    return this.print(await manifestHistory(args.source, flags["contrast-version"]), flags);
  }
}
