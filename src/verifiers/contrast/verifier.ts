/** The Coordinator: what its answer says about itself, then, behind the gate, what the CPU's evidence binds. */
import { hex } from "../../bytes/hex.ts";
import { type Answers, all, graded, type Origin, type Sourced } from "../../claims/answer.ts";
import {
  capabilities,
  documentType,
  fresh,
  historyValid,
  manifestAnswers,
  members,
  present,
  serverVersion,
} from "./arrival.ts";
import { coordinator } from "./claims.ts";
import { stateFacts } from "./facts.ts";
import { gated } from "./gated.ts";
import { decodeManifest } from "./manifest.ts";
import type { DecodedManifest } from "./model.ts";
import { attestedPolicies, policyBodies } from "./policies.ts";
import type { ManifestRules } from "./rules.ts";
import type { CoordinatorInput, CoordinatorJudgement, CoordinatorState } from "./types.ts";

type CoordinatorAnswers = Answers<typeof coordinator>;

/** The manifest in force; undefined for an empty history. */
export function latestManifest(state: CoordinatorState, rules: ManifestRules): DecodedManifest | undefined {
  const bytes = state.manifests.at(-1);
  return bytes === undefined ? undefined : decodeManifest(bytes, rules);
}

/**
 * Whose word the values in a manifest are: the reference's where the bytes are the referenced ones, else the audited
 * party's. So a comparison with an unpinned manifest can only be `consistent`.
 */
export const manifestOrigin = (sha256: string, reference: Sourced | undefined): Origin =>
  reference !== undefined && reference.value === sha256
    ? reference.origin
    : { kind: "audited-party", name: "manifest in the response" };

/** Pure: the TEE's verifier has run before, and `attested` is what came through its gate. */
export function verifyCoordinator(input: CoordinatorInput): CoordinatorJudgement {
  const pinned = pinnedIn(input);
  const { read, rules } = input;
  if (read.state === undefined) {
    const answers = { ...all(coordinator, read.blocked), "contrast.response.format": read.format };
    return { answers, pinned, evidence: null, manifest: undefined, policies: [] };
  }
  const { state } = read;
  const history = state.manifests.map((bytes) => decodeManifest(bytes, rules));
  const latest = history.at(-1);
  const origin = manifestOrigin(latest?.sha256 ?? "", input.reference);
  const bodies = policyBodies(state.policies);
  const answers: CoordinatorAnswers = {
    "contrast.response.format": read.format,
    "contrast.history.present": present(state),
    "contrast.document.type": documentType(state),
    ...manifestAnswers(latest, input, history.length),
    "contrast.nonce.fresh": fresh(input),
    "contrast.history.valid": graded(historyValid(history), "unknown"),
    "contrast.api.capabilities": capabilities(input),
    "contrast.api.version": graded(serverVersion(state, rules), "unknown"),
    "contrast.response.members": graded(members(state), "neutral"),
    ...gated(input, state, history, origin, bodies),
  };
  const manifest = latest?.manifest;
  return {
    answers,
    pinned,
    evidence: stateFacts(state, history, bodies.hashes),
    manifest: latest,
    policies: manifest === undefined ? [] : attestedPolicies(manifest, origin, bodies),
  };
}

/** A record of another nonce than the named one owes the question, and so fails; of the named one it does not. */
const freshnessOwed = ({ fresh: f, nonce }: CoordinatorInput): boolean =>
  "drawn" in f || f.owed || (f.named !== undefined && f.named.value !== hex(nonce));

function pinnedIn(input: CoordinatorInput): ReadonlySet<string> {
  const form = input.read.state?.form;
  return new Set([
    ...(freshnessOwed(input) ? ["contrast.nonce.fresh"] : []),
    ...(input.historyLength === undefined ? [] : ["contrast.history.length"]),
    ...(input.rootCaKey === undefined ? [] : ["contrast.ca.key"]),
    ...(form === "v1" || input.capabilities !== undefined ? ["contrast.api.capabilities"] : []),
  ]);
}
