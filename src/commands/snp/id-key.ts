import { Flags } from "@oclif/core";
import { BaseCommand, type Printed } from "../../command.ts";

export default class SnpIdKey extends BaseCommand {
  static override summary = "Compute the ID key digest of an AMD SEV-SNP launch, and check an ID block's signatures.";
  static override description =
    "With --measurement and a guest policy: the digest of the key that Contrast's fixed signature recovers, as reports " +
    "carry it in ID_KEY_DIGEST. With --id-block and --id-auth: the digests of the ID key and of the author key, and " +
    "whether the signatures hold. Exit status 1: a signature, a value or the expected digest does not hold.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> --measurement HEX --policy 0x2030000",
    "<%= config.bin %> <%= command.id %> --measurement HEX --guest-policy smt,page-swap-disable --expect HEX",
    "<%= config.bin %> <%= command.id %> --id-block id-block.bin --id-auth id-auth.bin",
  ];
  static override flags = {
    measurement: Flags.string({ description: "Launch measurement, 96 hex digits.", helpValue: "HEX" }),
    policy: Flags.string({
      description: "Guest policy as one 64-bit number.",
      helpValue: "HEX",
      exclusive: ["guest-policy"],
    }),
    "guest-policy": Flags.string({
      description: "Guest policy as words, such as smt,page-swap-disable,abi=0.31.",
      helpValue: "WORDS",
    }),
    "id-block": Flags.string({ description: "ID block, 96 bytes or their base64.", helpValue: "FILE" }),
    "id-auth": Flags.string({ description: "ID authentication page, 4096 bytes or their base64.", helpValue: "FILE" }),
    expect: Flags.string({ description: "ID_KEY_DIGEST that you expect, 96 hex digits.", helpValue: "HEX" }),
  };

  async run(): Promise<Printed> {
    const { flags } = await this.parse(SnpIdKey);
    const { snpIdKey } = await import("../../audit/snp-id-key.ts");
    return this.print(await snpIdKey(flags), flags);
  }
}
