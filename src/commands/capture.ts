import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../command.ts";
import { auditFlags, auditSettings } from "../flags.ts";

export default class Capture extends BaseCommand {
  static override summary = "Fetch everything that `pm verify` would, and write it down; judge nothing.";
  static override description =
    "Writes an evidence bundle: each question with its answer, failures included. It is evidence and never authority: " +
    "profile, roots and reference values are named again when it is judged.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> contrast --coordinator http://coordinator:1314 --save today.tar",
  ];
  static override args = { target: Args.string({ description: "Profile file or built-in profile." }) };
  static override flags = {
    ...auditFlags,
    save: Flags.string({
      description: "Bundle to write: a folder, or a file that ends in .tar.",
      helpGroup: "KEEP",
      helpValue: "BUNDLE",
      required: true,
    }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(Capture);
    const { openTarget } = await import("../audit/target.ts");
    const { capture } = await import("../audit/verify.ts");
    const { captured } = await import("../audit/captured.ts");
    const { profile, bundle, name } = await openTarget(args.target, flags);
    const result = await capture(
      {
        ...(await auditSettings(flags)),
        profile,
        target: name,
        toolVersion: this.config.version,
        now: new Date(),
        requireFresh: false,
        refreshCollateral: false,
        firstUse: true,
        notice: (text) => this.logToStderr(`pm: ${text}`),
      },
      flags.save,
      bundle,
    );
    return this.print(captured(flags.save, result), flags);
  }
}
