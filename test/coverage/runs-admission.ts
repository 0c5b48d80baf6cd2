/** `pm manifest admit`: a workload of the shared deployment, good and with one defect each. */
import { manifestBytes } from "../../fixtures/generator/manifest.ts";
import { tampers } from "../../fixtures/generator/tamper.ts";
import type { Ran } from "../command.ts";
import { admitted, deployment, evidenceOf, workload } from "../commands/admit-world.ts";

const withoutWorkload = (): Uint8Array =>
  manifestBytes({
    ...deployment.manifestValue,
    Policies: Object.fromEntries(
      Object.entries(deployment.manifestValue.Policies).filter(([key]) => key !== workload.key),
    ),
  });

export const admissionRuns = {
  "workload as demanded": () => admitted({ policies: { "policy.toml": workload.body } }),
  "workload that the manifest does not name": () => admitted({ manifest: withoutWorkload() }),
  "workload of another guest image": () =>
    admitted({ evidence: evidenceOf((x) => tampers.measurement.apply(x, deployment)) }),
  "workload whose report key is revoked": () =>
    admitted({ evidence: evidenceOf((x) => tampers.crlRevokesVcek.apply(x, deployment)) }),
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
