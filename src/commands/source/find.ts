import { Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { readInput } from "../../input.ts";

const newest = 1000;

export default class SourceFind extends BaseCommand {
  static override summary = "Find the tag and commit whose deployment file holds what the attested policies pin.";
  static override description =
    "Each tag's deployment file is compared with the policies that the manifest lists: workloads, containers, image " +
    "digests and disk roots. The tag and commit that hold the same are named, or the nearest one with its differences. " +
    "Nothing else is compared: for arguments, environment and rights ask `pm policy check` with that commit's file. A " +
    "tag can be moved, so pin the commit id. The repository is only read: nothing is checked out, fetched or run. Exit " +
    "status 0: a tag matches, 1: none does, 3: neither can be said. docs/source-find.md tells the rest.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> --repo privatemode-public --manifest manifest.json --policies bundle.tar",
    "<%= config.bin %> <%= command.id %> --repo clone.git --manifest manifest.json --policies policies --tags 'v1.4*' --json",
    "<%= config.bin %> <%= command.id %> --repo clone --manifest manifest.json --policies policies --path k8s/coordinator.yml " +
      "--path k8s/app.yml --ref main",
  ];
  static override flags = {
    repo: Flags.string({
      required: true,
      description: "A clone, or a bare repository, with its tags.",
      helpValue: "DIR",
    }),
    manifest: Flags.string({
      required: true,
      description: "The Contrast manifest that you hold, or - for stdin.",
      helpValue: "FILE",
    }),
    policies: Flags.string({
      required: true,
      description: "Policy bodies: a folder of .toml files, or a bundle with a Coordinator's answer.",
      helpValue: "DIR|BUNDLE",
    }),
    path: Flags.string({
      description:
        "Deployment file, from the top of the repository; deployment.yaml when left out. Several count as one.",
      helpValue: "PATH",
      multiple: true,
    }),
    tags: Flags.string({
      description: "Only tags that fit: * stands for any characters, ? for one.",
      helpValue: "PATTERN",
      exclusive: ["ref"],
    }),
    ref: Flags.string({
      description: "A tag, a branch or a commit's whole id, in place of all tags. Can be repeated.",
      helpValue: "REF",
      multiple: true,
    }),
    limit: Flags.integer({
      description: `Look at this many tags, newest commits first; ${newest} when left out.`,
      helpValue: "N",
      min: 1,
      max: 20_000,
      exclusive: ["ref"],
    }),
    "contrast-version": Flags.string({
      description: "Manifest rules of this Contrast version: v1.5 to v1.21, or main; v1.20 when left out.",
      helpValue: "V",
    }),
  };

  async run(): Promise<Printed> {
    const { flags } = await this.parse(SourceFind);
    const manifest = await readInput(flags.manifest, "a Contrast manifest");
    const { sourceFind } = await import("../../audit/source-find.ts");
    const found = await sourceFind({
      repo: flags.repo,
      paths: flags.path ?? ["deployment.yaml"],
      selection:
        flags.ref === undefined
          ? { kind: "tags", pattern: flags.tags, limit: flags.limit ?? newest }
          : { kind: "refs", names: flags.ref },
      manifest,
      policies: flags.policies,
      contrastVersion: flags["contrast-version"],
    });
    return this.print(found, flags);
  }
}
