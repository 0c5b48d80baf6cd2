import { Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";

const file = (description: string) => Flags.string({ description, helpValue: "FILE" });
const other = (what: string, helpValue: string) =>
  Flags.string({
    description: `Another ${what} to try when no digest matches. Can be repeated.`,
    helpValue,
    helpGroup: "EXPLANATION",
    multiple: true,
  });

export default class SnpMeasure extends BaseCommand {
  static override summary =
    "Compute the launch measurement of an AMD SEV-SNP guest from its firmware, kernel and vCPUs.";
  static override description =
    "Prints the launch digest for each number of vCPUs, with the parameters that it stands for. With --expect it says " +
    "which of them gives the digest, and where none does which single other input would: vCPUs, features, CPU, VMM, " +
    "firmware, kernel, initrd or command line. Exit status 0: computed, or an expected digest matches; 1: none does. " +
    "QEMU, GCE and EC2 with one vCPU agree with the programs in use; EC2 with more vCPUs was compared with nothing.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> --ovmf OVMF.fd --kernel bzImage --initrd initrd.zst --append-file cmdline --vcpus 1..8 --vcpu-type EPYC-Milan",
    "<%= config.bin %> <%= command.id %> --ovmf OVMF.fd --vcpus 4 --vcpu-type EPYC-Genoa --expect HEX --json",
  ];
  static override flags = {
    ovmf: Flags.string({ required: true, description: "Firmware image, at most 64 MiB.", helpValue: "FILE" }),
    kernel: file("Kernel of a direct boot, or - for stdin."),
    initrd: file("Initrd beside the kernel."),
    append: Flags.string({ description: "Kernel command line.", helpValue: "TEXT", exclusive: ["append-file"] }),
    "append-file": file("Kernel command line, byte for byte: a line feed at its end counts."),
    vcpus: Flags.string({ required: true, description: "Number of vCPUs, or a range.", helpValue: "N[..M]" }),
    "vcpu-type": Flags.string({
      description: "CPU model that QEMU shows, such as EPYC-Milan.",
      helpValue: "NAME",
      exclusive: ["cpu-signature"],
    }),
    "cpu-signature": Flags.string({ description: "CPUID leaf 1 EAX of the CPU model.", helpValue: "HEX" }),
    "guest-features": Flags.string({ description: "SEV_FEATURES.", helpValue: "HEX", default: "0x1" }),
    vmm: Flags.option({
      description: "Who launches the guest.",
      options: ["qemu", "ec2", "gce"] as const,
      default: "qemu" as const,
    })(),
    expect: Flags.string({
      description: "Launch measurement that you expect, 96 hex digits. Can be repeated: any of them.",
      helpValue: "HEX",
      multiple: true,
    }),
    "try-ovmf": other("firmware image", "FILE"),
    "try-kernel": other("kernel", "FILE"),
    "try-initrd": other("initrd", "FILE"),
    "try-append": other("command line", "TEXT"),
  };

  async run(): Promise<Printed> {
    const { flags } = await this.parse(SnpMeasure);
    const { measureSnp } = await import("../../audit/snp-measure.ts");
    return this.print(await measureSnp(flags), flags);
  }
}
