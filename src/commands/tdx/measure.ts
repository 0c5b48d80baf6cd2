import { Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";

export default class TdxMeasure extends BaseCommand {
  static override summary = "Compute the launch measurement of an Intel TDX guest from its firmware image.";
  static override description =
    "Prints MRTD in both orders in which VMMs add pages, the digest of the configuration volume and the sections of the " +
    "image; with the files of a direct boot, RTMR1 and RTMR2. What nobody has confirmed on hardware is said. Exit status " +
    "0: computed, or an expected MRTD is one of the two; 1: none is.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> --tdvf OVMF.fd",
    "<%= config.bin %> <%= command.id %> --tdvf OVMF.fd --kernel bzImage --initrd initrd.zst --append TEXT --json",
  ];
  static override flags = {
    tdvf: Flags.string({
      required: true,
      description: "Firmware image with TDVF metadata, at most 64 MiB.",
      helpValue: "FILE",
    }),
    kernel: Flags.string({ description: "Kernel of a direct boot, unpatched: RTMR1.", helpValue: "FILE" }),
    append: Flags.string({ description: "Kernel command line as the guest gets it: RTMR2.", helpValue: "TEXT" }),
    initrd: Flags.string({ description: "Initrd beside the command line.", helpValue: "FILE" }),
    expect: Flags.string({
      description: "MRTD that you expect, 96 hex digits. Can be repeated: any of them.",
      helpValue: "HEX",
      multiple: true,
    }),
  };

  async run(): Promise<Printed> {
    const { flags } = await this.parse(TdxMeasure);
    const { measureTdx } = await import("../../audit/tdx-measure.ts");
    return this.print(await measureTdx(flags), flags);
  }
}
