/** Decoded fields of a mesh certificate for the report; facts, no judgement. */
import { createHash } from "node:crypto";
import { hex } from "../../bytes/hex.ts";
import { commonName, keyDescription } from "../../crypto/certificate.ts";
import type { Json } from "../../report/report.ts";
import { keyHash } from "./ca.ts";
import type { MeshLeaf, SnpMeshValues, TdxMeshValues } from "./mesh-leaf.ts";
import { namesText } from "./mesh-names.ts";

const sha256 = (bytes: Uint8Array): string => hex(createHash("sha256").update(bytes).digest());

const snpFacts = (values: SnpMeshValues | undefined): { readonly [name: string]: Json } => ({
  measurement: values?.measurement ?? null,
  chipId: values?.chipId ?? null,
  reportedTcb: values?.reportedTcb === undefined ? null : { ...values.reportedTcb },
  launchTcb: values?.launchTcb === undefined ? null : { ...values.launchTcb },
});
const tdxFacts = (values: TdxMeshValues): { readonly [name: string]: Json } => ({
  mrTd: values.mrTd ?? null,
  mrSeam: values.mrSeam ?? null,
  rtmrs: values.rtmrs.map((r) => r ?? null),
  tdAttributes: values.tdAttributes ?? null,
  xfam: values.xfam ?? null,
  pckChain: values.pckChain !== undefined,
});

/** @param others how many certificates came behind the leaf */
export function leafFacts({ leaf, others }: { readonly leaf: MeshLeaf; readonly others: number }): {
  readonly [name: string]: Json;
} {
  const { certificate, values, names, workloadSecretId } = leaf;
  return {
    sha256: sha256(certificate.raw),
    subject: commonName(certificate.subject) ?? null,
    key: keyDescription(certificate),
    spkiSha256: keyHash(certificate),
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    subjectAltNames: namesText(names),
    workloadSecretId: workloadSecretId ?? null,
    tee: values?.tee ?? null,
    hostData: values?.hostData ?? null,
    ...(values?.tee === "TDX" ? tdxFacts(values) : snpFacts(values)),
    // Shown behind the leaf, and not used.
    furtherCertificates: others,
  };
}
