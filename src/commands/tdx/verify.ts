import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { collateralFlag, intelFlags } from "../../flags.ts";

const group = "EXPECTED VALUES";
const pin = (description: string, digits: number) =>
  Flags.string({ description: `${description}, ${digits} hex digits.`, helpValue: "HEX", helpGroup: group });

export default class TdxVerify extends BaseCommand {
  static override summary = "Verify an Intel TDX quote.";
  static override description =
    "Authenticates the quote down to Intel's root key, judges platform, TDX module and quoting enclave by Intel's full TCB " +
    "rule and compares the trust domain with the values that you give. It needs what runs (--mrtd) and for whom " +
    "(--report-data or --mrconfigid), or --authentic-only. Collateral that is not given is fetched from Intel. A " +
    "debuggable trust domain is always refused.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> quote.bin --collateral collateral.json --at 2026-03-01T00:00:00Z --mrtd HEX --report-data HEX",
    "<%= config.bin %> <%= command.id %> quote.bin --collateral folder --offline --at 2026-03-01T00:00:00Z --authentic-only",
  ];
  static override args = {
    quote: Args.string({
      required: true,
      description: "Quote with a TD report: raw, hex, base64, go-tdx-guest protobuf; or -.",
    }),
  };
  static override flags = {
    mrtd: pin("MRTD", 96),
    rtmr0: pin("RTMR0", 96),
    rtmr1: pin("RTMR1", 96),
    rtmr2: pin("RTMR2", 96),
    rtmr3: pin("RTMR3", 96),
    mrseam: Flags.string({
      description: "MRSEAM, 96 hex digits. Can be repeated: one must match.",
      helpValue: "HEX",
      helpGroup: group,
      multiple: true,
      multipleNonGreedy: true,
    }),
    mrsignerseam: pin("MRSIGNERSEAM", 96),
    mrconfigid: pin("MRCONFIGID, all of it", 96),
    mrowner: pin("MROWNER", 96),
    mrownerconfig: pin("MROWNERCONFIG", 96),
    mrservicetd: pin("MRSERVICETD of the one service domain that may be bound", 96),
    "td-attributes": pin("TDATTRIBUTES in memory order", 16),
    xfam: pin("XFAM in memory order", 16),
    "report-data": pin("REPORTDATA", 128),
    "min-tee-tcb-svn": pin("Least TEE_TCB_SVN, compared SVN by SVN", 32),
    fmspc: pin("FMSPC of the platform", 12),
    "accept-tcb": Flags.string({
      description:
        "TCB states to accept beside UpToDate, separated by commas, such as SWHardeningNeeded:INTEL-SA-00837 or " +
        "OutOfDate@2024-03-13. A date holds for each level that the state comes from. Revoked cannot be accepted.",
      helpValue: "STATES",
      helpGroup: group,
    }),
    "min-tcb-evaluation": Flags.integer({
      description: "Least TCB evaluation data number of TCB info and QE identity.",
      min: 0,
      max: 2 ** 31 - 1,
      helpValue: "N",
      helpGroup: group,
    }),
    "authentic-only": Flags.boolean({ description: "Ask only whose quote it is, not what runs and for whom." }),
    "skip-collateral": Flags.boolean({
      description: "Judge chain, QE report, binding, signature and given values only: no TCB, no revocation.",
    }),
    ...collateralFlag,
    ...intelFlags,
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(TdxVerify);
    const { auditTdx } = await import("../../audit/tdx.ts");
    const report = await auditTdx(args.quote, flags, {
      toolVersion: this.config.version,
      now: new Date(),
      notice: (text) => this.logToStderr(`pm: ${text}`),
    });
    return this.report(report, flags);
  }
}
