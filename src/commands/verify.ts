import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../command.ts";
import { usage } from "../errors.ts";
import { auditFlags, auditSettings } from "../flags.ts";

export default class Verify extends BaseCommand {
  static override summary = "Verify a confidential AI service, from its live endpoint down to the silicon.";
  static override description =
    "TARGET is a profile file, a built-in profile (contrast, privatemode), or an evidence bundle with --profile. " +
    "Without TARGET it is pm.yaml in this folder. One verdict, last line first word: verified (0), failed (1), " +
    "inconclusive (3), unavailable (4). --scope live asks the running Coordinator, and with a deployment file in the " +
    "profile what its manifest lets in; --scope release asks files only, before a deployment: policies, candidate " +
    "manifest and references.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> contrast --coordinator http://coordinator:1314 --manifest manifest.json --measurement HEX",
    "<%= config.bin %> <%= command.id %> privatemode --api-key-file key.txt --manifest-sha256 HEX --measurement HEX --save today.tar",
    "<%= config.bin %> <%= command.id %> today.tar --profile pm.yaml --json",
    "<%= config.bin %> <%= command.id %> pm.yaml --api-key-file key.txt --exchange-public-key public-key.bin",
    "<%= config.bin %> <%= command.id %> pm.yaml --scope release --manifest candidate.json",
  ];
  static override args = {
    target: Args.string({ description: "Profile file, built-in profile, or bundle (folder or .tar)." }),
  };
  static override flags = {
    ...auditFlags,
    scope: Flags.string({
      description: "Which arrows of the chain: live, or release for a gate before deployment.",
      options: ["live", "release"],
      helpGroup: "EVIDENCE",
      helpValue: "SCOPE",
      default: "live",
    }),
    save: Flags.string({
      description: "Keep exactly the judged bytes: a folder, or a file that ends in .tar.",
      helpGroup: "KEEP",
      helpValue: "BUNDLE",
    }),
    journal: Flags.string({
      description: "Append one hash-chained line to this file.",
      helpGroup: "KEEP",
      helpValue: "FILE",
    }),
    "require-fresh": Flags.boolean({ description: "A recorded answer is not enough.", helpGroup: "EVIDENCE" }),
    "refresh-collateral": Flags.boolean({
      description: "Judge a bundle under the vendor's collateral of today (needs --at).",
      helpGroup: "TRUST AND TIME",
    }),
    "no-first-use": Flags.boolean({
      description: "A manifest that was pinned on first sight is only the audited party's word.",
      helpGroup: "EVIDENCE",
    }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(Verify);
    const { openTarget } = await import("../audit/target.ts");
    const { verifyBundle, verifyLive } = await import("../audit/verify.ts");
    // Before deployment the manifest is what is judged, and no reference.
    const named = flags.scope === "release" ? { ...flags, manifest: undefined } : flags;
    const { profile, bundle, name } = await openTarget(args.target, named);
    if (bundle === undefined && flags["refresh-collateral"])
      throw usage("--refresh-collateral is for bundles", "a live run asks the vendor anyway");
    const settings = {
      ...(await auditSettings(flags)),
      profile,
      target: name,
      toolVersion: this.config.version,
      now: new Date(),
      requireFresh: flags["require-fresh"],
      refreshCollateral: flags["refresh-collateral"],
      firstUse: !flags["no-first-use"],
      notice: (text: string) => this.logToStderr(`pm: ${text}`),
    };
    if (flags.scope === "release") {
      const { verifyRelease } = await import("../audit/release.ts");
      return this.report(await verifyRelease(settings, releaseOnly(flags, bundle !== undefined)), flags);
    }
    const keep = {
      ...(flags.save === undefined ? {} : { save: flags.save }),
      ...(flags.journal === undefined ? {} : { journal: flags.journal }),
    };
    const report = bundle === undefined ? await verifyLive(settings, keep) : await verifyBundle(settings, bundle, keep);
    return this.report(report, flags);
  }
}

/** What belongs to a running service means nothing before it runs, and would be passed over in silence. */
function releaseOnly(flags: Readonly<Record<string, unknown>>, isBundle: boolean): string | undefined {
  const live = [
    "coordinator",
    "api-key-file",
    "nonce",
    "exchange-public-key",
    "beacon",
    "save",
    "journal",
    "collateral",
    "kds-url",
    "pcs-url",
    "manifest-sha256",
    "insecure-trust-root",
    "require-fresh",
    "refresh-collateral",
    "no-first-use",
  ];
  const given = live.filter((name) => flags[name] !== undefined && flags[name] !== false);
  if (isBundle) throw usage("--scope release judges files, not a bundle", "name a profile file");
  if (given.length > 0)
    throw usage(`--scope release asks no service: --${given.join(", --")} means nothing there`, "leave it out");
  return typeof flags["manifest"] === "string" ? flags["manifest"] : undefined;
}
