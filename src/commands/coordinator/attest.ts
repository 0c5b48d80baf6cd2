import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { usage } from "../../errors.ts";
import {
  collateralFlag,
  collateralFlags,
  collateralSettings,
  hexFlag,
  manifestFlags,
  manifestSettings,
  nonceFlags,
} from "../../flags.ts";
import { readInput } from "../../input.ts";

export default class CoordinatorAttest extends BaseCommand {
  static override summary = "Attest one Contrast Coordinator, live or from a recorded exchange.";
  static override description =
    "Authenticates the Coordinator's evidence down to the vendor's root and compares it with the manifest that you " +
    "name. Without one the best word is self-consistent (exit 3). Whether the guest image is one that somebody apart " +
    "from the manifest vouches for is asked by `pm verify`.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> http://coordinator:1314 --manifest manifest.json",
    "<%= config.bin %> <%= command.id %> --response answer.json --request question.json --manifest-sha256 HEX --at 2026-11-22T00:00:00Z --offline",
  ];
  static override args = { url: Args.string({ description: "Base URL of the Coordinator's HTTP API." }) };
  static override flags = {
    ...manifestFlags,
    response: Flags.string({
      description: "Recorded body of the answer, or -.",
      helpGroup: "EVIDENCE",
      helpValue: "FILE",
    }),
    request: Flags.string({ description: "Recorded body of the question.", helpGroup: "EVIDENCE", helpValue: "FILE" }),
    service: Flags.string({
      description: "Built-in profile: contrast, or privatemode for answers in Privatemode's wrapper.",
      options: ["contrast", "privatemode"],
      default: "contrast",
      helpGroup: "EVIDENCE",
    }),
    api: Flags.string({
      description: "Form of the exchange; there is no fallback.",
      options: ["attest", "v1"],
      helpGroup: "EVIDENCE",
    }),
    "api-key-file": Flags.string({
      description: "Privatemode's API key, or - for stdin.",
      helpGroup: "EVIDENCE",
      helpValue: "FILE",
    }),
    "contrast-version": Flags.string({ description: "Rules of this Contrast version.", helpGroup: "EVIDENCE" }),
    ...nonceFlags,
    ...collateralFlag,
    ...collateralFlags,
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(CoordinatorAttest);
    if ((flags.response === undefined) !== (flags.request === undefined))
      throw usage(
        "--response and --request belong together",
        "the nonce in the request is what the response must answer",
      );
    if ((args.url === undefined) === (flags.response === undefined) && flags.service !== "privatemode")
      throw usage("name the Coordinator's URL, or a recorded exchange with --response and --request");
    const { composeProfile } = await import("../../profile/profile.ts");
    const { attest } = await import("../../audit/attest.ts");
    const { loadApiKey } = await import("../../audit/api-key.ts");
    const service = flags.service === "privatemode" ? "privatemode" : "contrast";
    const profile = composeProfile(service, undefined, {
      coordinator: args.url,
      ...(await manifestSettings(flags)),
      api: flags.api === "v1" ? "v1" : undefined,
      contrastVersion: flags["contrast-version"],
      published: false,
    });
    const recorded =
      flags.response === undefined || flags.request === undefined
        ? undefined
        : {
            request: (await readInput(flags.request, "a recorded request")).bytes,
            response: (await readInput(flags.response, "a recorded response")).bytes,
          };
    const report = await attest(
      {
        profile,
        target: args.url ?? flags.response ?? service,
        toolVersion: this.config.version,
        now: new Date(),
        ...(await collateralSettings(flags)),
        ...(flags["api-key-file"] === undefined ? {} : { apiKey: await loadApiKey(flags["api-key-file"]) }),
        ...(flags.nonce === undefined ? {} : { nonce: hexFlag(flags.nonce, 32, "--nonce") }),
        requireFresh: flags["require-fresh"],
        refreshCollateral: false,
        firstUse: true,
        notice: (text) => this.logToStderr(`pm: ${text}`),
      },
      recorded,
    );
    return this.report(report, flags);
  }
}
