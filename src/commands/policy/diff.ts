import { Args } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { usage } from "../../errors.ts";
import { readInput } from "../../input.ts";

export default class PolicyDiff extends BaseCommand {
  static override summary = "Say what changed between two policies, and in which direction.";
  static override description =
    "Reads each policy in any form that `pm policy hash` reads. Compared are the document's keys, the rules' text and " +
    "policy_data entry by entry, containers by name. Exit status 0: the same document, 1: different. " +
    "docs/diff.md lists the grades.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> before.toml after.toml",
    "<%= config.bin %> <%= command.id %> before.toml - --json < annotation.txt",
  ];
  static override args = {
    a: Args.string({ required: true, description: "The earlier policy, or - for stdin." }),
    b: Args.string({ required: true, description: "The later policy, or - for stdin." }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(PolicyDiff);
    if (args.a === "-" && args.b === "-") throw usage("A and B cannot both be stdin", "name a file for one of them");
    const { maxCarrierBytes } = await import("../../verifiers/kata/carrier.ts");
    const [a, b] = [
      await readInput(args.a, "a policy", maxCarrierBytes + 2),
      await readInput(args.b, "a policy", maxCarrierBytes + 2),
    ];
    const { policyDiff } = await import("../../audit/policy-diff.ts");
    return this.print(policyDiff(a, b), flags);
  }
}
