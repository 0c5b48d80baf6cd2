import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { collateralFlag, intelFlags } from "../../flags.ts";

const group = "EXPECTED VALUES";
const pin = (description: string, digits: number, more: { readonly dependsOn?: string[] } = {}) =>
  Flags.string({ description: `${description}, ${digits} hex digits.`, helpValue: "HEX", helpGroup: group, ...more });
const number = (description: string, max: number) =>
  Flags.integer({ description, min: 0, max, helpValue: "N", helpGroup: group });

export default class SgxVerify extends BaseCommand {
  static override summary = "Verify an Intel SGX quote.";
  static override description =
    "Authenticates the quote down to Intel's root key, judges the platform's TCB by Intel's rule for SGX and compares the " +
    "enclave with the values that you give. It needs what runs (--mrenclave, or --mrsigner with --isv-prod-id and " +
    "--min-isv-svn) and for whom (--report-data), or --authentic-only. Collateral that is not given is fetched from " +
    "Intel. A debuggable enclave is always refused.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> quote.bin --collateral collateral.json --at 2026-03-01T00:00:00Z --mrenclave HEX --report-data HEX",
    "<%= config.bin %> <%= command.id %> quote.bin --mrsigner HEX --isv-prod-id 1 --min-isv-svn 3 --report-data HEX",
  ];
  static override args = {
    quote: Args.string({ required: true, description: "Quote with an SGX report: raw, hex or base64; or -." }),
  };
  static override flags = {
    mrenclave: pin("MRENCLAVE", 64),
    mrsigner: pin("MRSIGNER", 64),
    "isv-prod-id": number("ISVPRODID.", 65535),
    "min-isv-svn": number("Least ISVSVN.", 65535),
    "report-data": pin("REPORTDATA", 128),
    "config-id": pin("CONFIGID", 128),
    "config-svn": number("CONFIGSVN.", 65535),
    "isv-ext-prod-id": pin("ISVEXTPRODID", 32),
    "isv-family-id": pin("ISVFAMILYID", 32),
    attributes: pin("ATTRIBUTES, flags and XFRM in memory order", 32),
    "attributes-mask": pin("Bits of ATTRIBUTES that are compared; all when left out", 32, {
      dependsOn: ["attributes"],
    }),
    "misc-select": pin("MISCSELECT as a number", 8),
    "accept-tcb": Flags.string({
      description: "TCB states to accept beside UpToDate, separated by commas. Revoked cannot be accepted.",
      helpValue: "STATES",
      helpGroup: group,
    }),
    "min-tcb-evaluation": number("Least TCB evaluation data number of TCB info and QE identity.", 2 ** 31 - 1),
    "authentic-only": Flags.boolean({ description: "Ask only whose quote it is, not what runs and for whom." }),
    "skip-collateral": Flags.boolean({
      description: "Judge chain, QE report, binding, signature and given values only: no TCB, no revocation.",
    }),
    ...collateralFlag,
    ...intelFlags,
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(SgxVerify);
    const { auditSgx } = await import("../../audit/sgx.ts");
    const report = await auditSgx(args.quote, flags, {
      toolVersion: this.config.version,
      now: new Date(),
      notice: (text) => this.logToStderr(`pm: ${text}`),
    });
    return this.report(report, flags);
  }
}
