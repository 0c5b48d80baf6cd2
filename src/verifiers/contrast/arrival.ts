/** Claims about the answer and its manifests as such, whoever sent them: they gate nothing and need no evidence. */

import { hex } from "../../bytes/hex.ts";
import {
  type Answer,
  type Answers,
  because,
  broken,
  cannot,
  equal,
  holds,
  observed,
  type Sourced,
  skip,
  specified,
  unavailable,
} from "../../claims/answer.ts";
import { decodeCapabilities } from "./capabilities.ts";
import type { coordinator, manifestReading } from "./claims.ts";
import { attestationTypes } from "./document.ts";
import { findings, reading } from "./findings.ts";
import type { DecodedManifest } from "./model.ts";
import type { ManifestRules } from "./rules.ts";
import type { CoordinatorInput, CoordinatorState } from "./types.ts";

type CoordinatorAnswers = Answers<typeof coordinator>;

/**
 * Why a TEE's verifier is not to be asked about this document; undefined when it is SNP evidence.
 * chain.ts hands it over as `blocked`.
 */
export function documentBlocked(state: CoordinatorState): Answer<never> | undefined {
  const { status } = documentType(state);
  return status === "pass" ? undefined : skip(`not asked: contrast.document.type is ${status}`);
}

export function present(state: CoordinatorState): CoordinatorAnswers["contrast.history.present"] {
  const count = state.manifests.length;
  return holds(
    count >= 1,
    specified("at least 1 manifest", "Contrast v1.20", "manifest history"),
    observed(`${count} manifests`, "response", "/manifests"),
    "history-empty",
    state.error === undefined ? "the history is empty" : `the Coordinator answered: ${state.error}`,
  );
}

export function documentType(state: CoordinatorState): CoordinatorAnswers["contrast.document.type"] {
  const { kind, because: why } = state.document;
  const named = state.attestationType;
  const tee = kind === "snp" || kind === "tdx" ? kind : undefined;
  const expected = named === undefined ? "snp or tdx" : `snp ${attestationTypes.snp} or tdx ${attestationTypes.tdx}`;
  const fits = tee !== undefined && (named === undefined || named === attestationTypes[tee]);
  const answer = holds(
    fits,
    specified(expected, "Contrast v1.20", "raw_attestation_doc"),
    observed(named === undefined ? kind : `${kind} ${named}`, "response", "/raw_attestation_doc"),
    "document-type",
    why,
  );
  return answer;
}

/** Everything that the bytes of the latest manifest say by themselves, and the comparison with the reference. */
export function manifestAnswers(
  latest: DecodedManifest | undefined,
  { reference, unexplained }: CoordinatorInput,
  count: number,
) {
  const none = cannot("not asked: the history is empty");
  const name = `manifest ${count} of ${count}`;
  const read: Answers<typeof manifestReading> =
    latest === undefined
      ? {
          "contrast.manifest.format": none,
          "contrast.manifest.unambiguous": none,
          "contrast.manifest.valid": none,
        }
      : reading(latest, name);
  return {
    ...read,
    ...findings(latest?.manifest, name),
    "contrast.manifest.expected":
      latest === undefined
        ? none
        : unexplained === undefined
          ? expectedManifest(latest, reference, `/manifests/${count - 1}`)
          : skip(`not answered: the manifest is not explained; ${unexplained}`, "manifest-unexplained"),
  };
}

/** @param place of the manifest that is in force */
export function expectedManifest(
  latest: DecodedManifest,
  reference: Sourced | undefined,
  place: string,
): CoordinatorAnswers["contrast.manifest.expected"] {
  if (reference === undefined) return skip("no reference value given: use --manifest FILE or --manifest-sha256 HEX");
  const actual = observed(latest.sha256, "response", `SHA-256 of ${place}`);
  const answer = equal(reference, actual, "manifest-differs");
  return answer.status === "consistent"
    ? because(answer, "reference-published", "equal, but only the audited party vouches for the reference")
    : answer;
}

export function fresh({ fresh: freshness, nonce }: CoordinatorInput): CoordinatorAnswers["contrast.nonce.fresh"] {
  const actual = observed(hex(nonce), "request", "/nonce");
  if ("drawn" in freshness) return equal(freshness.drawn, actual, "nonce-not-fresh");
  return freshness.named === undefined || freshness.named.value === actual.value
    ? skip(freshness.notDrawn)
    : equal(freshness.named, actual, "nonce-not-fresh");
}

export function historyValid(history: readonly DecodedManifest[]): CoordinatorAnswers["contrast.history.valid"] {
  const earlier = history.slice(0, -1);
  if (earlier.length === 0) return skip("the history has no earlier manifest");
  const problems = earlier.flatMap((m, i) => {
    const [worst] = m.problems;
    if (worst === undefined) return [];
    return [
      `/manifests/${i}: ${m.problems.length} problems, the first ${worst.severity} at ${worst.at || "/"}: ${worst.message}`,
    ];
  });
  return equal(
    specified("none", "Contrast v1.20", "manifest validation"),
    observed(problems.join("; ") || "none", "response", "/manifests"),
    "history-invalid",
  );
}

export function capabilities({
  read,
  capabilities: answer,
}: CoordinatorInput): CoordinatorAnswers["contrast.api.capabilities"] {
  if (read.state?.form !== "v1") return skip("the chosen api has no capabilities");
  if (answer === undefined) return cannot("the capabilities were not asked for");
  if (answer.status === "unavailable") return unavailable(answer.reason);
  if (answer.status === "refused") return cannot(answer.reason);
  const decoded = decodeCapabilities(answer.bytes);
  if ("reason" in decoded) return broken(decoded.reason, "capabilities-downgrade");
  return equal(
    specified("v1", "Contrast after v1.20", "GET /capabilities: newest form in common"),
    observed(decoded.newest, "response", "/capabilities"),
    "capabilities-downgrade",
  );
}

export function serverVersion(
  state: CoordinatorState,
  rules: ManifestRules,
): CoordinatorAnswers["contrast.api.version"] {
  const minor = /^v?(1\.\d+)(?:\.\d+)?$/.exec(state.version ?? "")?.[1];
  return equal(
    { value: rules.version, origin: { kind: "profile", name: "Contrast version" } },
    observed(minor === undefined ? (state.version ?? "none") : `v${minor}`, "response", "/version"),
    "server-version",
  );
}

export const members = (state: CoordinatorState): CoordinatorAnswers["contrast.response.members"] =>
  equal(
    specified("none", "Contrast v1.20", "POST /attest: response"),
    observed(state.unknownKeys.join(", ") || "none", "response"),
    "response-unknown-member",
  );
