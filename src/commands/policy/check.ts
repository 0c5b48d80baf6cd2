import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { maxDeploymentBytes, readInput } from "../../input.ts";
import { parseTime } from "../../time.ts";

export default class PolicyCheck extends BaseCommand {
  static override summary = "Say whether policies allow what a deployment file says, and nothing else.";
  static override description =
    "For each confidential workload of the file its policy is found in the manifest by WorkloadSecretID, and its body by " +
    "the manifest's key. Then image, arguments, environment, rights, devices and mounts of each container are compared, " +
    "further containers and unexplained policies are named, and what the host may do to a running pod is judged. Nothing " +
    "is fetched: what an image starts by itself is known only from its configuration, and rules only by the digests " +
    "that you give.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> deployment.yaml --policies policies --manifest manifest.json --rules-sha256 HEX",
    "<%= config.bin %> <%= command.id %> deployment.yaml --policies bundle.tar --manifest manifest.json --rules-sha256 HEX " +
      "--sidecar-image contrast-initializer=REGISTRY/initializer@sha256:HEX --image-config REGISTRY/server@sha256:HEX=config.json --json",
  ];
  static override args = {
    deployment: Args.string({ required: true, description: "Kubernetes YAML of the workloads, or - for stdin." }),
  };
  static override flags = {
    policies: Flags.string({
      required: true,
      description: "Policy bodies: a folder of .toml files, or a bundle with a Coordinator's answer.",
      helpValue: "DIR|BUNDLE",
    }),
    manifest: Flags.string({
      required: true,
      description: "The Contrast manifest that you hold.",
      helpValue: "FILE",
    }),
    "rules-sha256": Flags.string({
      description: "SHA-256 of a rules text that you know. Can be repeated.",
      helpValue: "HEX",
      multiple: true,
    }),
    "sidecar-image": Flags.string({
      description: "Image of a container that Contrast adds, by digest. Can be repeated.",
      helpValue: "NAME=REF",
      multiple: true,
    }),
    "image-config": Flags.string({
      description: "Configuration of an image: its entry point, environment, user. Can be repeated.",
      helpValue: "REF=FILE",
      multiple: true,
    }),
    "env-regex": Flags.string({
      description: "Accept this pattern of allow_env_regex. Can be repeated.",
      helpValue: "PATTERN",
      multiple: true,
    }),
    source: Flags.file({
      description: "File that a workload runs by its hash. Can be repeated.",
      helpValue: "FILE",
      multiple: true,
    }),
    profile: Flags.string({
      description: "Names, rules and references of this service or profile: a file, or contrast, privatemode.",
      helpValue: "FILE|NAME",
    }),
    "contrast-version": Flags.string({
      description:
        "Manifest rules of this Contrast version: v1.5 to v1.21, or main; the profile's (v1.20) when left out.",
      helpValue: "V",
    }),
    at: Flags.string({
      description: "Time to state as the judgement time: RFC 3339 or Unix seconds.",
      helpValue: "TIME",
    }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(PolicyCheck);
    const now = new Date();
    const deployment = await readInput(args.deployment, "a deployment file", maxDeploymentBytes);
    const manifest = await readInput(flags.manifest, "a Contrast manifest");
    const { checkPolicies } = await import("../../audit/policy-check.ts");
    const report = await checkPolicies({
      deployment,
      manifest,
      policies: flags.policies,
      flags,
      profile: flags.profile,
      contrastVersion: flags["contrast-version"],
      at: flags.at === undefined ? now : parseTime(flags.at),
      now,
      toolVersion: this.config.version,
    });
    return this.report(report, flags);
  }
}
