import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../command.ts";
import { usage } from "../errors.ts";
import { explain, listAll, renderExplanation, renderList } from "../explain.ts";

const json = (value: object): string => `${JSON.stringify({ schemaVersion: 1, ...value }, null, 2)}\n`;

export default class Explain extends BaseCommand {
  static override summary = "Say what a claim or a reason code means, and what to do about it.";
  static override description =
    "What the claim asks, which attack it stops, which document it follows, what an auditor does next.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> snp.policy.debug",
    "<%= config.bin %> <%= command.id %> revoked",
    "<%= config.bin %> <%= command.id %> --list",
  ];
  static override args = { code: Args.string({ description: "Claim id or reason code." }) };
  static override flags = { list: Flags.boolean({ description: "Every claim with its reason codes." }) };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(Explain);
    if (flags.list === (args.code !== undefined))
      throw usage("explain: either a claim id or reason code, or --list", "for example pm explain snp.policy.debug");
    if (args.code === undefined) {
      const claims = listAll();
      return this.print(
        { exitCode: 0, json: () => json({ claims }), text: ({ width }) => renderList(claims, width) },
        flags,
      );
    }
    const explanation = explain(args.code);
    return this.print(
      { exitCode: 0, json: () => json(explanation), text: ({ width }) => renderExplanation(explanation, width) },
      flags,
    );
  }
}
