/** Rows of the questions that `pm endpoint verify` asks; those that it shares with other commands have theirs in rows.ts. */
import type { exchangeQuestions, meshAuthentic, meshStatements } from "../../src/verifiers/contrast/mesh-claims.ts";
import type { Rows } from "./rows.ts";

export type EndpointQuestions = typeof meshAuthentic & typeof meshStatements & typeof exchangeQuestions;

const leaf = "endpoint as demanded";
const exchange = "exchange as demanded";
const unmet = "endpoint of another name and workload";

export const endpointRows: Rows<EndpointQuestions> = {
  "contrast.mesh.format": { passes: leaf, fails: { "mesh-malformed": "certificate that is no certificate" } },
  "contrast.mesh.path": {
    passes: leaf,
    fails: {
      "chain-root": "leaf of another mesh CA",
      "chain-name": "leaf with another issuer name",
      "chain-algorithm": "leaf with an RSA key",
      "chain-signature": "leaf of a forger",
      "chain-extension": "leaf with an unknown critical extension",
    },
  },
  "contrast.mesh.validity": { passes: leaf, fails: { "chain-validity": "leaf expired" } },
  "contrast.mesh.usage": { passes: leaf, fails: { "mesh-usage": "leaf for servers alone" } },
  "contrast.mesh.extensions": {
    passes: leaf,
    fails: {
      "mesh-extension-missing": "leaf without a measurement",
      "mesh-extension-duplicate": "leaf with two measurements",
      "mesh-extension-malformed": "leaf with a short chip id",
    },
  },
  "contrast.mesh.host_data": { passes: leaf, fails: { "host-data": "leaf with unknown host data" } },
  "contrast.mesh.sans": { passes: leaf, fails: { sans: "leaf with a name more" } },
  "contrast.mesh.workload_secret_id": {
    passes: leaf,
    fails: { "workload-secret-id": "leaf with another WorkloadSecretID" },
  },
  "contrast.mesh.measurement": {
    passes: leaf,
    fails: {
      measurement: "leaf of another guest image",
      MRTD_MISMATCH: "leaf of a trust domain with other firmware",
      RTMR_MISMATCH: "leaf of a trust domain with another kernel",
      MRSEAM_MISMATCH: "leaf of a trust domain on another module",
      TD_ATTRIBUTES_MISMATCH: "leaf of a trust domain that may be debugged",
      XFAM_MISMATCH: "leaf of a trust domain with other processor features",
    },
  },
  "contrast.mesh.tcb": { passes: leaf, fails: { "tcb-minimum": "leaf of an old platform" } },
  "contrast.mesh.chip": {
    passes: leaf,
    fails: {
      "chip-id-mismatch": "leaf of another chip",
      PIID_NOT_ALLOWED: "leaf of a trust domain on another platform",
      PCK_OPTIONS_MISMATCH: "leaf of a trust domain beside another thread",
    },
  },
  "contrast.mesh.expected_san": { passes: leaf, fails: { "san-missing": unmet } },
  "contrast.mesh.expected_workload": { passes: leaf, fails: { "workload-unexpected": unmet } },
  "contrast.exchange.format": { passes: exchange, fails: { "exchange-malformed": "exchange that is no JSON" } },
  "contrast.exchange.lengths": {
    passes: exchange,
    fails: { "exchange-length": "exchange with a key of another length" },
  },
  "contrast.exchange.public_key": {
    passes: exchange,
    fails: { "exchange-public-key": "exchange with another's key" },
  },
  "contrast.exchange.signature": {
    passes: exchange,
    fails: {
      "exchange-signature": "exchange with another encapsulated key",
      "exchange-signature-form": "exchange signed in P1363 form",
    },
  },
};
