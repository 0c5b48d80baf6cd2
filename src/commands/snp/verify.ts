import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { collateralFlags } from "../../flags.ts";

const file = (description: string) => Flags.string({ description, helpValue: "FILE", helpGroup: "CERTIFICATES" });
const pin = (description: string, digits: number) =>
  Flags.string({
    description: `${description}, ${digits} hex digits.`,
    helpValue: "HEX",
    helpGroup: "EXPECTED VALUES",
  });

export default class SnpVerify extends BaseCommand {
  static override summary = "Verify an AMD SEV-SNP attestation report.";
  static override description =
    "Authenticates the report down to AMD's root key and compares it with the values that you give. It needs what runs " +
    "(--measurement or --id-key-digest) and for whom (--report-data or --host-data), or --authentic-only. Certificates " +
    "and revocation lists that are not given or attached are fetched from AMD. A debuggable guest is always refused.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> report.bin --measurement HEX --report-data HEX",
    "<%= config.bin %> <%= command.id %> report.bin --vek vcek.der --crl crl.der --offline --at 2026-03-01T00:00:00Z --authentic-only",
  ];
  static override args = {
    report: Args.string({
      required: true,
      description:
        "Report: raw, hex or base64, with its certificate table, go-sev-guest protobuf, JSON of the sev crate, trustee, " +
        "attestation-rs, configfs-tsm or tinfoil, Azure's HCL blob; or -.",
    }),
  };
  static override flags = {
    vek: file("VCEK or VLEK certificate, DER or PEM, or the host's certificate table (auxblob)."),
    chain: file("ASK or ASVK as one certificate or a PEM list; the ARK may be there and must be the pinned one."),
    crl: file("Revocation list of the product line."),
    measurement: pin("Launch measurement", 96),
    "report-data": pin("REPORT_DATA", 128),
    "host-data": pin("HOST_DATA", 64),
    "id-key-digest": pin("ID_KEY_DIGEST", 96),
    "author-key-digest": pin("AUTHOR_KEY_DIGEST", 96),
    "family-id": pin("FAMILY_ID", 32),
    "image-id": pin("IMAGE_ID", 32),
    "chip-id": pin("CHIP_ID", 128),
    "csp-id": Flags.string({
      description: "CSP_ID of the VLEK certificate: the cloud provider.",
      helpValue: "TEXT",
      helpGroup: "EXPECTED VALUES",
    }),
    vmpl: Flags.integer({
      description: "Privilege level at which the report was requested; 0 when left out.",
      min: 0,
      max: 3,
      helpValue: "N",
      helpGroup: "EXPECTED VALUES",
    }),
    "min-tcb": Flags.string({
      description: "Least TCB, such as bl=10,tee=0,snp=28,ucode=88 (on Turin with fmc=).",
      helpValue: "TCB",
      helpGroup: "EXPECTED VALUES",
    }),
    "policy-file": Flags.string({
      description: "JSON object with vmpl, migrateMa, provisional, minimumTcb, allowedChipIds and the like.",
      helpValue: "FILE",
      helpGroup: "EXPECTED VALUES",
    }),
    "authentic-only": Flags.boolean({ description: "Ask only whose report it is, not what runs and for whom." }),
    "allow-unchecked-revocation": Flags.boolean({
      description:
        "Go on where no revocation list can be had. One that revokes, is expired or wrongly signed still counts.",
    }),
    ...collateralFlags,
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(SnpVerify);
    const { auditSnp } = await import("../../audit/snp.ts");
    const report = await auditSnp(args.report, flags, {
      toolVersion: this.config.version,
      now: new Date(),
      notice: (text) => this.logToStderr(`pm: ${text}`),
    });
    return this.report(report, flags);
  }
}
