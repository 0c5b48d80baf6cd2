import { Args } from "@oclif/core";
import { BaseCommand, type Printed } from "../command.ts";
import { completionCommands, completionScript, shells } from "../completion.ts";

export default class Completion extends BaseCommand {
  static override summary = "Print a completion script for a shell.";
  static override description = "It completes commands, flags, values and files, and runs nothing while you type.";
  static override examples = [
    { description: "bash, for this session:", command: "source <(<%= config.bin %> <%= command.id %> bash)" },
    {
      description: "fish, for good:",
      command: "<%= config.bin %> <%= command.id %> fish > ~/.config/fish/completions/pm.fish",
    },
  ];
  static override args = {
    shell: Args.string({ required: true, description: "Shell that the script is for.", options: [...shells] }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(Completion);
    const shell = shells.find((s) => s === args.shell) ?? "bash";
    const script = completionScript(shell, completionCommands(this.config.commands, this.config.topics));
    return this.print(
      {
        exitCode: 0,
        json: () => `${JSON.stringify({ schemaVersion: 1, shell, script }, null, 2)}\n`,
        text: () => script,
      },
      flags,
    );
  }
}
