import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { hexFlag, timeoutMs } from "../../flags.ts";
import { readInput } from "../../input.ts";
import { parseTime } from "../../time.ts";

const cli = "CONTRAST CLI";
const evidence = "EVIDENCE";

export default class ManifestGenerate extends BaseCommand {
  static override summary = "Make the manifest anew from a deployment file with the Contrast CLI, and compare it.";
  static override description =
    "Runs `contrast generate --disable-updates` on a copy of DEPLOYMENT, in an empty folder with a home of its own that " +
    "is removed afterwards, then makes the edits that the service makes. The CLI's SHA-256 is taken from the very copy that is " +
    "run: with another digest than --cli-sha256 names it is not run, and without one nothing is proven. The CLI asks " +
    "the registry of every image, so there is no --offline. In an empty folder the CLI makes a new seed share key: " +
    "supply the service's own, or that one field is compared apart and stays open. docs/generate.md has the edits file.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> deployment.yaml --cli-sha256 HEX --reference-values metal-qemu-snp-gpu --save manifest.json",
    "<%= config.bin %> <%= command.id %> deployment.yaml --service privatemode --cli ./contrast-x86_64-linux --cli-sha256 HEX " +
      "--edits edits.yaml --seedshare-owner-key seedshare.pem --expected published.json --json",
  ];
  static override args = {
    deployment: Args.string({ required: true, description: "Kubernetes YAML of the workloads, a file." }),
  };
  static override flags = {
    cli: Flags.string({
      description: "The Contrast CLI; when left out, contrast on PATH.",
      helpGroup: cli,
      helpValue: "FILE",
    }),
    "cli-sha256": Flags.string({
      description: "SHA-256 that the CLI must have, 64 hex digits.",
      helpGroup: cli,
      helpValue: "HEX",
    }),
    "reference-values": Flags.string({
      description: "Platform; metal-qemu-snp-gpu for privatemode.",
      helpGroup: cli,
      helpValue: "PLATFORM",
    }),
    timeout: Flags.string({
      description: "Limit of all that the CLI does; default 600.",
      helpGroup: cli,
      helpValue: "SECONDS",
    }),
    service: Flags.string({
      description: "Whose edits are made after generating: contrast has none of its own.",
      helpGroup: evidence,
      options: ["contrast", "privatemode"],
      default: "contrast",
    }),
    edits: Flags.string({
      description: "Values that you vouch for: TCB minima, chip ids and the like, as YAML or JSON.",
      helpGroup: evidence,
      helpValue: "FILE",
    }),
    "seedshare-owner-key": Flags.string({
      description: "The service's seed share owner, an RSA public key as PEM.",
      helpGroup: evidence,
      helpValue: "FILE",
    }),
    expected: Flags.string({
      description: "A manifest to compare with, such as the published one.",
      helpGroup: evidence,
      helpValue: "FILE",
    }),
    save: Flags.string({
      description: "Write the manifest to this file.",
      helpGroup: "OUTPUT",
      helpValue: "FILE",
    }),
    force: Flags.boolean({
      description: "With --save: the file may be there already.",
      helpGroup: "OUTPUT",
      dependsOn: ["save"],
    }),
    at: Flags.string({
      description: "Time to state as the judgement time: RFC 3339 or Unix seconds.",
      helpValue: "TIME",
    }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(ManifestGenerate);
    const at = flags.at === undefined ? new Date() : parseTime(flags.at);
    const read = async (path: string | undefined, what: string) =>
      path === undefined ? undefined : readInput(path, what, 4 * 1024 * 1024);
    const digest = flags["cli-sha256"];
    const options = {
      deployment: args.deployment,
      cli: flags.cli,
      cliSha256:
        digest === undefined
          ? undefined
          : {
              value: Buffer.from(hexFlag(digest, 32, "--cli-sha256")).toString("hex"),
              origin: { kind: "flag" as const, name: "--cli-sha256" },
            },
      service: flags.service === "privatemode" ? ("privatemode" as const) : ("contrast" as const),
      referenceValues: flags["reference-values"],
      edits: await read(flags.edits, "a file with the values of edits"),
      seedshareKey: await read(flags["seedshare-owner-key"], "a public key"),
      expected: await read(flags.expected, "a Contrast manifest"),
      ...(flags.timeout === undefined ? {} : { timeoutMs: timeoutMs(flags.timeout) }),
      notice: (text: string) => this.logToStderr(`pm: ${text}`),
    };
    const { generateManifest } = await import("../../audit/generate-report.ts");
    const place = { saveTo: flags.save, force: flags.force };
    const report = await generateManifest({ options, flags: place, at, toolVersion: this.config.version });
    return this.report(report, flags);
  }
}
