/**
 * Contrast: the Coordinator's answer, its manifest and history. idkey.ts is not exported here, because it brings the
 * curve library: import it where an ID key digest is needed.
 *
 * readState(response, form) -> latestManifest(state, rules) -> expectedReportData(state, nonce, capabilities) ->
 * the TEE's verifier -> verifyCoordinator(input).
 */
export { documentBlocked } from "./arrival.ts";
export { coordinator, manifestFile, publishedManifest } from "./claims.ts";
export { latestTransition, transitions } from "./history.ts";
export { decodeManifest } from "./manifest.ts";
export { verifyManifest, verifyPublished } from "./manifest-file.ts";
export type {
  DecodedManifest,
  GuestPolicy,
  Manifest,
  MinimumTcb,
  PlatformInfo,
  PolicyEntry,
  SnpReferenceValue,
  TdxReferenceValue,
} from "./model.ts";
export { expectedReportData, reportData } from "./reportdata.ts";
export { attestRequest, capabilitiesRequest, decodeAttestRequest } from "./requests.ts";
export { decodeState, readState } from "./response.ts";
export { defaultContrastVersion, type ManifestRules, manifestRules } from "./rules.ts";
export type * from "./types.ts";
export { latestManifest, manifestOrigin, verifyCoordinator } from "./verifier.ts";
