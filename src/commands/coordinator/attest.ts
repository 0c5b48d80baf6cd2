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
  nonceFlag,
  nonceFlags,
  pcsFlag,
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
    capabilities: Flags.string({
      description: "Recorded body of GET /capabilities, for --api v1.",
      helpGroup: "EVIDENCE",
      helpValue: "FILE",
      dependsOn: ["response"],
    }),
    service: Flags.string({
      description: "contrast, or privatemode for its wrapper; a recorded request says so itself.",
      options: ["contrast", "privatemode"],
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
    "contrast-version": Flags.string({
      description: "Rules of this Contrast version.",
      helpValue: "V",
      helpGroup: "EVIDENCE",
    }),
    "root-ca-key-sha256": Flags.string({
      description: "Key of the root CA as known from before or from another replica, 64 hex digits.",
      helpGroup: "EVIDENCE",
      helpValue: "HEX",
    }),
    ...nonceFlags,
    ...collateralFlag,
    ...collateralFlags,
    ...pcsFlag,
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(CoordinatorAttest);
    if ((flags.response === undefined) !== (flags.request === undefined))
      throw usage(
        "--response and --request belong together",
        "the nonce in the request is what the response must answer",
      );
    const recorded = flags.response !== undefined && flags.request !== undefined;
    if ((args.url === undefined) !== recorded && flags.service !== "privatemode")
      throw usage("name the Coordinator's URL, or a recorded exchange with --response and --request");
    const { composeProfile } = await import("../../profile/profile.ts");
    const { attest, recordedRequest } = await import("../../audit/attest.ts");
    const { loadApiKey } = await import("../../audit/api-key.ts");
    const asked = recorded
      ? recordedRequest((await readInput(flags.request ?? "", "a recorded request")).bytes)
      : undefined;
    const service = flags.service === undefined ? (asked?.service ?? "contrast") : flags.service;
    const rootCaKey = flags["root-ca-key-sha256"];
    const profile = composeProfile(service === "privatemode" ? "privatemode" : "contrast", undefined, {
      coordinator: args.url,
      ...(await manifestSettings(flags)),
      api: flags.api === "v1" ? "v1" : undefined,
      contrastVersion: flags["contrast-version"],
      ...(rootCaKey === undefined
        ? {}
        : { rootCaKeySha256: Buffer.from(hexFlag(rootCaKey, 32, "--root-ca-key-sha256")).toString("hex") }),
      published: false,
    });
    const capabilities = flags.capabilities;
    const exchange =
      asked === undefined
        ? undefined
        : {
            nonce: asked.nonce,
            response: (await readInput(flags.response ?? "", "a recorded response")).bytes,
            ...(capabilities === undefined
              ? {}
              : { capabilities: (await readInput(capabilities, "recorded capabilities")).bytes }),
          };
    const report = await attest(
      {
        profile,
        target: args.url ?? flags.response ?? service,
        toolVersion: this.config.version,
        now: new Date(),
        ...(await collateralSettings(flags)),
        ...(flags["api-key-file"] === undefined ? {} : { apiKey: await loadApiKey(flags["api-key-file"]) }),
        ...(flags.nonce === undefined ? {} : { nonce: nonceFlag(flags.nonce) }),
        requireFresh: flags["require-fresh"],
        refreshCollateral: false,
        firstUse: true,
        notice: (text) => this.logToStderr(`pm: ${text}`),
      },
      exchange,
    );
    return this.report(report, flags);
  }
}
