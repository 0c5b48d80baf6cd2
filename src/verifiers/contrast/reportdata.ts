/** REPORT_DATA of the HTTP attestation API. */
import { createHash } from "node:crypto";
import { latestTransition } from "./history.ts";
import type { CoordinatorState } from "./types.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());

export interface ReportDataInput {
  /** 32 bytes. */
  readonly nonce: Uint8Array;
  /** Digest of the last transition, 32 bytes. */
  readonly transition: Uint8Array;
  /** PEM text as received, final newline included. */
  readonly rootCa: Uint8Array;
  readonly meshCa: Uint8Array;
  /** Body of GET /capabilities as received; only in the form v1. */
  readonly capabilities?: Uint8Array;
}

/**
 * 64 bytes: SHA-256(nonce || transition || SHA-256(root CA) || SHA-256(mesh CA) [|| capabilities digest]) || 32 zero
 * bytes. All parts have 32 bytes, so no separators are needed.
 */
export function reportData(input: ReportDataInput): Uint8Array {
  return withDigest(input, input.capabilities === undefined ? undefined : sha256(input.capabilities));
}

/** The same over a given capabilities digest (32 bytes); undefined is the form without it. */
export function withDigest(
  input: Omit<ReportDataInput, "capabilities">,
  capabilities: Uint8Array | undefined,
): Uint8Array {
  const hash = createHash("sha256").update(input.nonce).update(input.transition);
  hash.update(sha256(input.rootCa)).update(sha256(input.meshCa));
  if (capabilities !== undefined) hash.update(capabilities);
  const out = new Uint8Array(64);
  out.set(hash.digest());
  return out;
}

/**
 * What the CPU must have signed for this state and nonce; undefined when it cannot be said: an empty history, a nonce
 * that has not 32 bytes, the form v1 without capabilities.
 */
export function expectedReportData(
  state: CoordinatorState,
  nonce: Uint8Array,
  capabilities?: Uint8Array,
): Uint8Array | undefined {
  const transition = latestTransition(state.manifests);
  if (transition === undefined || nonce.length !== 32) return undefined;
  const base = { nonce, transition, rootCa: state.rootCa, meshCa: state.meshCa };
  if (state.form !== "v1") return reportData(base);
  return capabilities === undefined ? undefined : reportData({ ...base, capabilities });
}
