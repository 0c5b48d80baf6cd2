import { Args } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";

export default class ProfileCheck extends BaseCommand {
  static override summary = "Read a profile, and say what a run with it can answer.";
  static override description = "Errors name line and column and end with 2. It asks nobody and judges no evidence.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> pm.yaml",
    "<%= config.bin %> <%= command.id %> - --json < pm.yaml",
  ];
  static override args = { file: Args.string({ description: "Profile, or - for stdin.", default: "pm.yaml" }) };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(ProfileCheck);
    const { loadProfile } = await import("../../profile/load.ts");
    const { composeProfile } = await import("../../profile/profile.ts");
    const { profileFacts, profileNotes } = await import("../../profile/check.ts");
    const { safe } = await import("../../report/text.ts");
    const loaded = await loadProfile(args.file);
    const profile = composeProfile(loaded.file.service, loaded, {});
    const notes = profileNotes(profile, new Date());
    return this.print(
      {
        exitCode: 0,
        json: () =>
          `${JSON.stringify({ schemaVersion: 1, sha256: loaded.sha256, profile: profileFacts(profile), notes }, null, 2)}\n`,
        text: () =>
          [
            ...notes.map((n) => safe(`note  ${n.field}: ${n.note}`)),
            safe(`${loaded.name}: a profile for ${profile.service}, SHA-256 ${loaded.sha256}`),
            "",
          ].join("\n"),
      },
      flags,
    );
  }
}
