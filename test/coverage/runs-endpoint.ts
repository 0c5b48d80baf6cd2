/** `pm endpoint verify`: certificates and exchanges of the shared deployment, good and with one defect each. */
import { leafDefects as bad, exchangeSignature, leafKey } from "../../fixtures/generator/mesh.ts";
import { tdxLeafDefects as tdx } from "../../fixtures/generator/mesh-tdx.ts";
import type { Ran } from "../command.ts";
import { certificate, demoPins, exchange, exchangeKeySha256, tdxCertificate } from "../commands/endpoint-world.ts";

const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((b, i) => (i === 7 ? b ^ 1 : b));

export const endpointRuns = {
  "endpoint as demanded": () => certificate({ args: demoPins }),
  "endpoint of another name and workload": () =>
    certificate({ args: ["--san", "elsewhere.example", "--workload-secret-id", "apps/v1/StatefulSet/demo/other"] }),
  "certificate that is no certificate": () => certificate({ bytes: "no certificate" }),
  "leaf of another mesh CA": () => certificate({ defect: bad.otherMeshCa }),
  "leaf with another issuer name": () => certificate({ defect: bad.otherIssuerName }),
  "leaf with an RSA key": () => certificate({ defect: bad.rsaLeaf }),
  "leaf of a forger": () => certificate({ defect: bad.copiedKeyIdentifier }),
  "leaf with an unknown critical extension": () => certificate({ defect: bad.unknownCritical }),
  "leaf expired": () => certificate({ defect: bad.expired }),
  "leaf for servers alone": () => certificate({ defect: bad.serverOnly }),
  "leaf without a measurement": () => certificate({ defect: bad.noMeasurement }),
  "leaf with two measurements": () => certificate({ defect: bad.twoMeasurements }),
  "leaf with a short chip id": () => certificate({ defect: bad.shortChipId }),
  "leaf with unknown host data": () => certificate({ defect: bad.unknownHostData }),
  "leaf with a name more": () => certificate({ defect: bad.moreNames }),
  "leaf with another WorkloadSecretID": () => certificate({ defect: bad.otherWorkloadSecretId }),
  "leaf of another guest image": () => certificate({ defect: bad.otherMeasurement }),
  "leaf of an old platform": () => certificate({ defect: bad.lowReportedTcb }),
  "leaf of another chip": () => certificate({ defect: bad.otherChip }),
  "leaf of a trust domain with other firmware": () => tdxCertificate(tdx.otherMrTd),
  "leaf of a trust domain with another kernel": () => tdxCertificate(tdx.otherRtmr0),
  "leaf of a trust domain on another module": () => tdxCertificate(tdx.otherMrSeam),
  "leaf of a trust domain that may be debugged": () => tdxCertificate(tdx.debug),
  "leaf of a trust domain with other processor features": () => tdxCertificate(tdx.otherXfam),
  "leaf of a trust domain on another platform": () => tdxCertificate(tdx.otherPiid),
  "leaf of a trust domain beside another thread": () => tdxCertificate(tdx.smt),
  "exchange as demanded": () => exchange({ args: [...demoPins, "--public-key-sha256", exchangeKeySha256()] }),
  "exchange with another's key": () => exchange({ args: [...demoPins, "--public-key-sha256", "ab".repeat(32)] }),
  "exchange that is no JSON": () => exchange({ text: () => "no json" }),
  "exchange with a key of another length": () => exchange({ lengths: { publicKey: 1215, encapsulated: 1120 } }),
  "exchange with another encapsulated key": () =>
    exchange({ edit: (e) => ({ ...e, encapsulatedKey: flipped(e.encapsulatedKey) }) }),
  "exchange signed in P1363 form": () =>
    exchange({
      edit: (e, d) => ({
        ...e,
        signature: exchangeSignature(e.publicKey, e.encapsulatedKey, leafKey(d.random, "secret-service"), "ieee-p1363"),
      }),
    }),
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
