/** Decoded fields for the report, in Contrast's names; facts, no judgement. */
import type { Json } from "../../report/report.ts";
import { caFacts } from "./ca.ts";
import type { DecodedManifest, GuestPolicy, Manifest, PlatformInfo, SnpEntry, TdxReferenceValue } from "./model.ts";
import type { CoordinatorState } from "./types.ts";

export function manifestFacts(decoded: DecodedManifest): Json {
  const { manifest } = decoded;
  return {
    sha256: decoded.sha256,
    // A web page that parses the manifest and writes it again shows this hash; that the vendor's does is not confirmed.
    reserializedSha256: decoded.reserializedSha256 ?? null,
    reserializedForm: "JSON.stringify(JSON.parse(text)); that the vendor's web page hashes this form is not confirmed",
    sizeBytes: decoded.bytes.length,
    rules: decoded.rules.version,
    ...(manifest === undefined ? {} : contents(manifest)),
  };
}

const contents = (manifest: Manifest): { readonly [name: string]: Json } => ({
  policies: manifest.policies.map((p) => ({
    key: p.key,
    SANs: p.sans,
    WorkloadSecretID: p.workloadSecretId,
    Role: p.role,
  })),
  referenceValues: { snp: manifest.snpEntries.map(snpFacts), tdx: manifest.tdx.map(tdxFacts) },
  workloadOwners: manifest.workloadOwners,
  seedshareOwners: manifest.seedshareOwners,
});

const setIn = (flags: GuestPolicy | PlatformInfo | undefined): Json =>
  flags === undefined
    ? null
    : Object.entries(flags).flatMap(([name, value]) =>
        value === true ? [name] : typeof value === "number" && value > 0 ? [`${name} ${value}`] : [],
      );

const snpFacts = (e: SnpEntry): Json => ({
  platform: e.platform,
  productName: e.productName,
  cpus: e.cpus === undefined ? null : Number(e.cpus),
  trustedMeasurement: e.trustedMeasurement,
  minimumTcb: {
    bootloader: e.minimumTcb.bootloader ?? null,
    tee: e.minimumTcb.tee ?? null,
    snp: e.minimumTcb.snp ?? null,
    microcode: e.minimumTcb.microcode ?? null,
  },
  guestPolicy: setIn(e.guestPolicy),
  platformInfo: setIn(e.platformInfo),
  minimumMitigationVector: `0x${e.minimumMitigationVector.toString(16)}`,
  allowedChipIds: e.allowedChipIds,
  ...(e.apeip === undefined ? {} : { apeip: e.apeip }),
});
const tdxFacts = (e: TdxReferenceValue): Json => ({
  platform: e.platform,
  minTcbEvaluationDataNumber: e.minTcbEvaluationDataNumber.toString(),
  mrTd: e.mrTd,
  mrSeam: e.mrSeam,
  rtmrs: e.rtmrs,
  xfam: e.xfam,
  allowedPiids: e.allowedPiids,
  memoryIntegrity: e.memoryIntegrity,
  smtDisabled: e.smtDisabled,
  staticPlatform: e.staticPlatform,
});

export function stateFacts(
  state: CoordinatorState,
  history: readonly DecodedManifest[],
  policyHashes: readonly string[],
): Json {
  const latest = history.at(-1);
  return {
    // The server's own word, under no signature.
    unauthenticatedVersion: state.version ?? null,
    api: state.form,
    document: state.document.kind,
    attestationType: state.attestationType ?? null,
    history: history.map((m) => m.sha256),
    manifest: latest === undefined ? null : manifestFacts(latest),
    policyBodies: policyHashes,
    rootCa: caFacts(state.rootCa, "root_ca"),
    meshCa: caFacts(state.meshCa, "mesh_ca"),
    ...(state.error === undefined ? {} : { error: state.error }),
  };
}
