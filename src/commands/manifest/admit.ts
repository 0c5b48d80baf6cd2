import { Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { collateralFlag, collateralFlags, pcsFlag } from "../../flags.ts";

const group = "EVIDENCE";

export default class ManifestAdmit extends BaseCommand {
  static override summary =
    "Say whether the Coordinator would let evidence into the mesh, as whom, and by which entry.";
  static override description =
    "Authenticates an SNP report or a TDX quote down to the vendor's root, looks up HOST_DATA, or the start of MRCONFIGID, " +
    "among the manifest's policies, and compares the evidence with one reference value as a whole. The Coordinator's own " +
    "answer stands beside pm's, which is stricter: a revoked report key, a list out of date, a guest that may be debugged, " +
    "a platform out of date under a current TDX module. REPORT_DATA is not compared: the handshake that it answers is not " +
    "at hand.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> --evidence report.bin --manifest manifest.json",
    "<%= config.bin %> <%= command.id %> --evidence report.bin --manifest manifest.json --policies policies --collateral collateral --at 2026-11-22T00:00:00Z --offline",
  ];
  static override flags = {
    evidence: Flags.string({
      description:
        "SNP report: raw, hex or base64, extended with its certificate table, go-sev-guest protobuf; TDX quote: raw, hex, base64, go-tdx-guest protobuf; or -.",
      helpGroup: group,
      helpValue: "FILE",
      required: true,
    }),
    manifest: Flags.string({
      description: "The manifest, as a file that you hold.",
      helpGroup: group,
      helpValue: "FILE",
      required: true,
    }),
    policies: Flags.string({
      description: "Folder with the policies' documents: the one that the evidence names is judged too.",
      helpGroup: group,
      helpValue: "DIR",
    }),
    "contrast-version": Flags.string({
      description: "Rules of this Contrast version: v1.5 to v1.21, or main; v1.20 when left out.",
      helpGroup: group,
      helpValue: "V",
    }),
    ...collateralFlag,
    ...collateralFlags,
    ...pcsFlag,
  };

  async run(): Promise<Printed> {
    const { flags } = await this.parse(ManifestAdmit);
    const { admitEvidence } = await import("../../audit/admit.ts");
    const report = await admitEvidence(flags, {
      toolVersion: this.config.version,
      now: new Date(),
      notice: (text) => this.logToStderr(`pm: ${text}`),
    });
    return this.report(report, flags);
  }
}
