/** Contrast documents as `pm inspect` shows them; the parts of an answer are named by size and SHA-256. */
import { createHash } from "node:crypto";
import { hex } from "../bytes/hex.ts";
import { PmError } from "../errors.ts";
import type { Json } from "../report/report.ts";
import { transitions } from "../verifiers/contrast/history.ts";
import type { DecodedManifest, Manifest } from "../verifiers/contrast/manifest.ts";
import type { CoordinatorState } from "../verifiers/contrast/types.ts";
import { certificatesToFacts } from "./certificate.ts";
import { orProblem } from "./problem.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const blob = (bytes: Uint8Array) => ({ size: bytes.length, sha256: sha256(bytes) });

/**
 * Identity, content and what is wrong with it; a manifest that two readers read differently shows no content.
 * @throws PmError manifest-malformed
 */
export function manifestFacts(decoded: DecodedManifest): Json {
  const broken = decoded.problems.find((p) => p.severity === "malformed");
  if (broken !== undefined)
    throw new PmError("PM_EVIDENCE_MALFORMED", broken.message, { reasonCode: "manifest-malformed" });
  return {
    sha256: decoded.sha256,
    reserializedSha256: decoded.reserializedSha256 ?? null,
    readBy: `rules of Contrast ${decoded.rules.version}`,
    problems: decoded.problems.map((p) => ({ ...p })),
    manifest: decoded.manifest === undefined ? null : contentFacts(decoded.manifest),
  };
}

const contentFacts = (m: Manifest): Json => ({
  policies: m.policies.map(({ key, sans, workloadSecretId, role }) => ({ key, sans, workloadSecretId, role })),
  snp: m.snp.map((v) => ({
    platform: v.platform,
    productName: v.productName,
    cpus: v.cpus?.toString() ?? null,
    trustedMeasurement: v.trustedMeasurement,
    minimumTcb: Object.fromEntries(Object.entries(v.minimumTcb).map(([part, svn]) => [part, svn ?? null])),
    guestPolicy: v.guestPolicy === undefined ? null : { ...v.guestPolicy },
    platformInfo: v.platformInfo === undefined ? null : { ...v.platformInfo },
    minimumMitigationVector: v.minimumMitigationVector.toString(),
    allowedChipIds: v.allowedChipIds,
  })),
  tdx: m.tdx.map((v) => ({
    platform: v.platform,
    minTcbEvaluationDataNumber: v.minTcbEvaluationDataNumber.toString(),
    mrTd: v.mrTd,
    mrSeam: v.mrSeam,
    rtmrs: v.rtmrs,
    xfam: v.xfam,
    allowedPiids: v.allowedPiids,
    memoryIntegrity: v.memoryIntegrity,
    smtDisabled: v.smtDisabled,
    staticPlatform: v.staticPlatform,
  })),
  workloadOwners: m.workloadOwners,
  seedshareOwners: m.seedshareOwners,
  minimumApiVersion: m.minimumApiVersion ?? null,
});

/** The Coordinator's answer; its document, manifests and policies can be cut out by their SHA-256 and inspected alone. */
export const stateFacts = (s: CoordinatorState): Json => ({
  form: s.form === "privatemode" ? "privatemode" : "attest or v1",
  version: s.version ?? null,
  error: s.error ?? null,
  document: { kind: s.document.kind, because: s.document.because, ...blob(s.document.bytes) },
  attestationType: s.attestationType ?? null,
  manifests: s.manifests.map(blob),
  latestTransition:
    transitions(s.manifests)
      .map((t) => hex(t.digest))
      .at(-1) ?? null,
  policies: s.policies.map(blob),
  rootCa: s.rootCa.length === 0 ? null : orProblem(() => certificatesToFacts(s.rootCa)),
  meshCa: s.meshCa.length === 0 ? null : orProblem(() => certificatesToFacts(s.meshCa)),
  unknownKeys: s.unknownKeys,
});
