import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { usage } from "../../errors.ts";
import { manifestFlags, manifestSettings, measurementValues } from "../../flags.ts";

export default class ProfileInit extends BaseCommand {
  static override summary = "Print a profile that runs.";
  static override description =
    "The service's own facts stay built in; your demands stand in the file. With --first-use the manifest's digest is " +
    "taken over unreviewed: every verdict then says since when.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> privatemode --manifest-sha256 HEX --measurement HEX > pm.yaml",
    "<%= config.bin %> <%= command.id %> contrast --coordinator http://coordinator:1314 --manifest manifest.json > pm.yaml",
  ];
  static override args = {
    service: Args.string({ required: true, description: "Built-in profile.", options: ["contrast", "privatemode"] }),
  };
  static override flags = {
    coordinator: Flags.string({ description: "Base URL of the Coordinator's HTTP API.", helpValue: "URL" }),
    ...manifestFlags,
    measurement: Flags.string({
      description: "Launch measurement that you vouch for, 96 hex digits. Can be repeated.",
      helpValue: "HEX",
      multiple: true,
    }),
    "first-use": Flags.boolean({ description: "Nobody reviewed the manifest: pin what is seen today." }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(ProfileInit);
    const { initialProfile, profileText } = await import("../../profile/init.ts");
    const pin = await manifestSettings(flags);
    if (flags["first-use"] && Object.keys(pin).length === 0)
      throw usage(
        "--first-use needs the manifest that it pins",
        "add --manifest-sha256 HEX, as an earlier run printed it",
      );
    const profile = initialProfile({
      service: args.service === "privatemode" ? "privatemode" : "contrast",
      coordinator: flags.coordinator,
      ...pin,
      measurements: measurementValues(flags.measurement),
      ...(flags["first-use"] ? { firstUse: new Date().toISOString().slice(0, 10) } : {}),
    });
    return this.print(
      { exitCode: 0, json: () => `${JSON.stringify(profile, null, 2)}\n`, text: () => profileText(profile) },
      flags,
    );
  }
}
