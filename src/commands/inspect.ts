import { Args } from "@oclif/core";
import { BaseCommand, type Printed } from "../command.ts";
import { decoders } from "../decoders.ts";
import { readInput } from "../input.ts";
import { factsJson, inspect, renderInspected } from "../inspect.ts";

export default class Inspect extends BaseCommand {
  static override summary = "Decode a file of any known kind and print its fields; nothing is judged.";
  static override description = `Kinds: ${decoders.map((d) => d.media).join("; ")}.`;
  static override examples = [
    "<%= config.bin %> <%= command.id %> report.bin",
    "<%= config.bin %> <%= command.id %> - --json < manifest.json",
  ];
  static override args = {
    file: Args.string({ required: true, description: "File of any known kind, or - for stdin." }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(Inspect);
    const inspected = await inspect(await readInput(args.file, "a file to decode"), decoders);
    const media = decoders.find((d) => d.id === inspected.kind)?.media ?? inspected.kind;
    return this.print(
      {
        exitCode: 0,
        json: () => factsJson(inspected),
        text: ({ width }) => renderInspected(inspected, media, width),
      },
      flags,
    );
  }
}
