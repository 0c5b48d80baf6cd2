import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { collateralFlag, intelFlags } from "../../flags.ts";

const register = (n: number) =>
  Flags.string({
    description: `RTMR${n} as you know it, 96 hex digits.`,
    helpValue: "HEX",
    helpGroup: "EXPECTED VALUES",
    exclusive: ["quote"],
  });

export default class TdxReplay extends BaseCommand {
  static override summary = "Replay the event log of a TD to its four registers.";
  static override description =
    "Replays the digests of the log and compares the result with RTMR0 to RTMR3 of a quote, which is authenticated in the " +
    "same run, or with values that you give. It says for each event whether its data is covered by its digest: a replay " +
    "alone proves no event's text.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> ccel.bin --quote quote.bin --collateral collateral.json --at 2026-03-01T00:00:00Z",
    "<%= config.bin %> <%= command.id %> events.json --rtmr0 HEX --rtmr1 HEX --rtmr2 HEX --rtmr3 HEX",
  ];
  static override args = {
    log: Args.string({ required: true, description: "Event log: CCEL data, or dstack's JSON; or -." }),
  };
  static override flags = {
    quote: Flags.string({
      description: "Quote that holds the registers; it is authenticated, its TCB is judged too.",
      helpValue: "FILE",
      helpGroup: "EXPECTED VALUES",
    }),
    rtmr0: register(0),
    rtmr1: register(1),
    rtmr2: register(2),
    rtmr3: register(3),
    "accept-tcb": Flags.string({
      description: "TCB states to accept beside UpToDate, separated by commas. Revoked cannot be accepted.",
      helpValue: "STATES",
      helpGroup: "EXPECTED VALUES",
      dependsOn: ["quote"],
    }),
    "skip-collateral": Flags.boolean({
      description: "Judge chain, QE report, binding and signature of the quote only: no TCB, no revocation.",
      dependsOn: ["quote"],
    }),
    ...collateralFlag,
    ...intelFlags,
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(TdxReplay);
    const { auditReplay } = await import("../../audit/tdx-replay.ts");
    const report = await auditReplay(args.log, flags, {
      toolVersion: this.config.version,
      now: new Date(),
      notice: (text) => this.logToStderr(`pm: ${text}`),
    });
    return this.report(report, flags);
  }
}
