/** Claims behind the gate: what authenticated CPU evidence binds. */

import { hex } from "../../bytes/hex.ts";
import {
  type Answer,
  type Answers,
  broken,
  cannot,
  equal,
  holds,
  type Origin,
  observed,
  type Sourced,
  skip,
  unavailable,
} from "../../claims/answer.ts";
import { documentBlocked } from "./arrival.ts";
import { caCertificate, caKey } from "./ca.ts";
import type { behindTheGate, coordinator } from "./claims.ts";
import type { DecodedManifest } from "./model.ts";
import { type PolicyBodies, policiesComplete, policiesKnown } from "./policies.ts";
import { expectedReportData } from "./reportdata.ts";
import type { Attested, CoordinatorInput, CoordinatorState } from "./types.ts";

type CoordinatorAnswers = Answers<typeof coordinator>;
type Gated = Pick<CoordinatorAnswers, (typeof behindTheGate)[number]>;

/** Appraisal: nothing of it is asked while the evidence may be anybody's. */
export function gated(
  input: CoordinatorInput,
  state: CoordinatorState,
  history: readonly DecodedManifest[],
  origin: Origin,
  bodies: PolicyBodies,
): Gated {
  const latest = history.at(-1);
  const { attested, at } = input;
  const closed = latest === undefined ? cannot("not asked: the history is empty") : documentBlocked(state);
  const blocked = "blocked" in attested ? attested.blocked : closed;
  if (blocked !== undefined || latest === undefined || "blocked" in attested)
    return blockedBy(blocked ?? cannot("not asked: no evidence"));
  const bound = nonceBound(input, state, attested.value);
  const readable = latest.manifest;
  const ambiguous = cannot("not answered: the manifest cannot be read in one way");
  const earlier: Origin =
    bound.status === "pass"
      ? { kind: "evidence", name: "attested manifest history" }
      : { kind: "audited-party", name: "manifest history" };
  return {
    "contrast.nonce.bound": bound,
    "contrast.host_data.coordinator":
      readable === undefined ? ambiguous : hostData(attested.value, latest, history, origin),
    "contrast.history.length":
      input.historyLength === undefined
        ? skip("no reference value given")
        : equal(input.historyLength, observed(String(history.length), "response", "/manifests"), "history-length"),
    "contrast.policies.complete": readable === undefined ? ambiguous : policiesComplete(readable, origin, bodies),
    "contrast.policies.known":
      readable === undefined ? ambiguous : policiesKnown(latest, history, origin, earlier, bodies),
    "contrast.root_ca.certificate": caCertificate(state.rootCa, "root_ca", at, "root-ca"),
    "contrast.mesh_ca.certificate": caCertificate(state.meshCa, "mesh_ca", at, "mesh-ca"),
    "contrast.ca.key":
      input.rootCaKey === undefined ? skip("no reference value given") : caKey(state.rootCa, input.rootCaKey),
  };
}

const blockedBy = (answer: Answer<never>): Gated => ({
  "contrast.nonce.bound": answer,
  "contrast.host_data.coordinator": answer,
  "contrast.history.length": answer,
  "contrast.policies.complete": answer,
  "contrast.policies.known": answer,
  "contrast.root_ca.certificate": answer,
  "contrast.mesh_ca.certificate": answer,
  "contrast.ca.key": answer,
});

const evidenceOf = { snp: "SNP report", tdx: "TDX quote" } as const;
const reportDataOf = { snp: "REPORT_DATA", tdx: "REPORTDATA" } as const;
const hostDataOf = { snp: "HOST_DATA", tdx: "MRCONFIGID, bytes 0..31" } as const;

function nonceBound(
  input: CoordinatorInput,
  state: CoordinatorState,
  attested: Attested,
): CoordinatorAnswers["contrast.nonce.bound"] {
  if (input.nonce.length !== 32)
    return broken(`a nonce of ${input.nonce.length} bytes, the API has 32`, "history-hidden");
  const answer = input.capabilities;
  if (state.form === "v1" && answer?.status !== "ok")
    return answer?.status === "unavailable"
      ? unavailable("the capabilities, which the report data covers, could not be had")
      : cannot("the capabilities, which the report data covers, were refused");
  const expected = expectedReportData(state, input.nonce, answer?.status === "ok" ? answer.bytes : undefined);
  if (expected === undefined) return cannot("the report data cannot be computed");
  const over = `nonce, ${state.manifests.length} manifests, root CA, mesh CA${state.form === "v1" ? ", capabilities" : ""}`;
  return equal(
    { value: hex(expected), origin: { kind: "recomputed", name: `SHA-256 over ${over}` } },
    observed(hex(attested.reportData), evidenceOf[attested.tee], reportDataOf[attested.tee]),
    "history-hidden",
  );
}

function hostData(
  attested: Attested,
  latest: DecodedManifest,
  history: readonly DecodedManifest[],
  origin: Origin,
): CoordinatorAnswers["contrast.host_data.coordinator"] {
  const keys = (latest.manifest?.policies ?? []).filter((p) => p.role === "coordinator");
  if (keys.length === 0) return cannot("the manifest names no policy with the role coordinator");
  const actual = observed(hex(attested.hostData), evidenceOf[attested.tee], hostDataOf[attested.tee]);
  const match = keys.find((p) => p.key === actual.value);
  const elsewhere = latest.policyKeys.includes(actual.value)
    ? "it is the policy of a workload"
    : history.some((m) => m.policyKeys.includes(actual.value))
      ? "it is a policy of an earlier manifest only"
      : "no manifest of the history knows it";
  const expected: Sourced = {
    value: match?.key ?? keys.map((p) => p.key).join(" or "),
    origin,
    at: match?.at ?? keys[0]?.at ?? "/Policies",
  };
  return holds(match !== undefined && match.key === actual.value, expected, actual, "host-data-role", elsewhere);
}
