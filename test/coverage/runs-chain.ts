/** `pm verify`: bundles put together here, and live runs. */
import { createHash, X509Certificate } from "node:crypto";
import { capabilitiesBody } from "../../fixtures/generator/contrast.ts";
import { tampers } from "../../fixtures/generator/tamper.ts";
import type { Ran } from "../command.ts";
import { live, recorded, replay } from "./world.ts";

const rootCaKey = (): string => {
  const { publicKey } = new X509Certificate(recorded().rootCa);
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
};
const other = (bytes: number): string => "ab".repeat(bytes);
const demands = (key: string, measurement: string, product: string, snp: number): string =>
  [
    `coordinator: { rootCaKeySha256: ${key} }`,
    "history: exactly-one",
    `measurements: [${JSON.stringify(measurement)}]`,
    `products: [${product}]`,
    `minimumTcb: { bootloader: 1, tee: 0, snp: ${snp}, microcode: 1 }`,
    "",
  ].join("\n");
const v1 = "coordinator: { api: v1 }\n";
const salt = new Uint8Array(32).fill(9);
const nonceHex = "5a".repeat(32);

export const chainRuns = {
  "bundle as demanded": () =>
    replay({ profile: demands(rootCaKey(), recorded().measurement, "Genoa", recorded().tcb.snp) }),
  "bundle that meets no demand": () =>
    replay({ tamper: tampers.historyOneMore.apply, profile: demands(other(32), other(48), "Turin", 255) }),
  "no measurement, and a pin taken over on first sight": () =>
    replay({ firstUse: "2025-01-01", args: ["--no-first-use"] }),
  "v1 with its capabilities": () => replay({ form: "v1", profile: v1, capabilities: capabilitiesBody }),
  "v1 where only a later form is offered": () =>
    replay({ form: "v1", profile: v1, capabilities: Buffer.from('{"apiVersions":["v9"]}') }),
  "captured in the future": () => replay({ capturedAt: "9999-01-01T00:00:00Z" }),
  "beacon that is not in the nonce": () =>
    replay({
      nonceRecord: { nonce: nonceHex, salt: Buffer.from(salt).toString("hex"), beacon: "today" },
      args: ["--beacon", "today"],
    }),
  "older list than the one seen before": () =>
    replay({ mark: { number: "99999999", thisUpdate: "2025-05-31T00:00:00Z" } }),
  live: () => live((verify) => verify("--beacon", "headline of the day")),
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
