import { Args, Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";
import { usage } from "../../errors.ts";
import { readInput } from "../../input.ts";

const maxRequestBytes = 1024 * 1024;

export default class PolicyProbe extends BaseCommand {
  static override summary = "Ask policies what they permit, in the Rego engine that the guest uses.";
  static override description =
    "The request with which each container starts is made from the policy's own data and must be permitted; then one " +
    "thing at a time is changed, and each change that gives the host something must be refused. Other requests of the " +
    "guest's agent are asked too. What a policy permits only for a magic value is not found. --explain shows one probe's " +
    "request and what the engine prints; --request asks one request of your own. docs/policy-probe.md tells the rest.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> initdata.toml",
    "<%= config.bin %> <%= command.id %> bundle.tar --json",
    "<%= config.bin %> <%= command.id %> --deployment deployment.yaml",
    "<%= config.bin %> <%= command.id %> initdata.toml --explain args-replaced --container server",
    "<%= config.bin %> <%= command.id %> initdata.toml --request exec.json --endpoint ExecProcessRequest --after-start",
  ];
  static override args = {
    policy: Args.string({
      description: "Policy in any form that pm policy hash reads, a folder of bodies, or a bundle; - for stdin.",
    }),
  };
  static override flags = {
    deployment: Flags.string({
      description: "Deployment file whose annotations hold the policies.",
      helpValue: "FILE",
    }),
    explain: Flags.string({
      description: "Show the request of this probe, and the engine's answer with what it printed.",
      helpValue: "PROBE",
      exclusive: ["request"],
    }),
    container: Flags.string({ description: "Of this container.", helpValue: "NAME", dependsOn: ["explain"] }),
    request: Flags.string({
      description: "Ask this request, JSON as the guest shows it to the policy; - for stdin.",
      helpValue: "FILE",
      dependsOn: ["endpoint"],
    }),
    endpoint: Flags.string({
      description: "Name of the request, such as ExecProcessRequest.",
      helpValue: "NAME",
      dependsOn: ["request"],
    }),
    "after-start": Flags.boolean({
      description: "Ask it after the pod's own requests.",
      dependsOn: ["request"],
    }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(PolicyProbe);
    const { probePolicies, probeSubjects } = await import("../../audit/policy-probe.ts");
    const question = { policy: args.policy, deployment: flags.deployment };
    if (flags.request === "-" && (args.policy === "-" || flags.deployment === "-"))
      throw usage("policy and --request cannot both be stdin", "name a file for one of them");
    if (flags.explain === undefined && flags.request === undefined)
      return this.report(
        await probePolicies({ ...question, now: new Date(), toolVersion: this.config.version }),
        flags,
      );
    const { askRequest, explainProbe, onlySubject } = await import("../../audit/policy-probe-one.ts");
    const { subjects } = await probeSubjects(question);
    if (flags.explain !== undefined)
      return this.print(await explainProbe(onlySubject(subjects, "--explain"), flags.explain, flags.container), flags);
    const file = await readInput(flags.request ?? "-", "a request", maxRequestBytes);
    const asked = { endpoint: flags.endpoint ?? "", file, started: flags["after-start"] === true };
    return this.print(await askRequest(onlySubject(subjects, "--request"), asked), flags);
  }
}
