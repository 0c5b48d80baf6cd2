import { Args } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { readInput } from "../../input.ts";

export default class PolicyHash extends BaseCommand {
  static override summary = "Print the digest of a policy, the host data that it gives, and the images that it lists.";
  static override description =
    "Reads an initdata document (TOML), the annotation's base64 text, the guest's block device image, or the bare Rego " +
    "text of older releases. The digest is over the document's bytes as they are. Nothing is judged: compare the digest " +
    "with a manifest key, or the host data with a report, yourself or with `pm verify`.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> initdata.toml",
    "<%= config.bin %> <%= command.id %> - --json < annotation.txt",
  ];
  static override args = {
    file: Args.string({ required: true, description: "Policy in any of these forms, or - for stdin." }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(PolicyHash);
    const { maxCarrierBytes } = await import("../../verifiers/kata/carrier.ts");
    const input = await readInput(args.file, "a policy", maxCarrierBytes + 2);
    const { policyHash } = await import("../../facts/policy.ts");
    return this.print({ exitCode: 0, ...policyHash(input) }, flags);
  }
}
