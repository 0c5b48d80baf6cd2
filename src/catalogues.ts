/** Every question that pm can ask, by id: docs/claims.md, `pm explain`, the printed report and the tests are made from it. */
import { admission } from "./chain/admission-claims.ts";
import { assurance } from "./chain/assurance-claims.ts";
import { chain } from "./chain/claims.ts";
import type { Catalogue, Question } from "./claims/question.ts";
import { coordinator, manifestFile, publishedManifest } from "./verifiers/contrast/claims.ts";
import { explainedManifest } from "./verifiers/contrast/explained-claims.ts";
import { generated } from "./verifiers/contrast/generate-claims.ts";
import { liveExchange, meshEndpoint, secretExchange } from "./verifiers/contrast/mesh-claims.ts";
import { kata } from "./verifiers/kata/claims.ts";
import { policyProbe } from "./verifiers/kata/probe/claims.ts";
import { safety } from "./verifiers/kata/safety-claims.ts";
import { annotatedWorkload, deployment, manifestKeys, sidecarContainer } from "./verifiers/kata/workload-claims.ts";
import { sgx } from "./verifiers/sgx/claims.ts";
import { snp } from "./verifiers/snp/claims.ts";
import { tdx } from "./verifiers/tdx/claims.ts";
import { eventLog } from "./verifiers/tdx/eventlog/claims.ts";
import { veritySuperblock, verityTree } from "./verifiers/verity/device-claims.ts";
import { modelDisk, modelFile } from "./verifiers/verity/disk-claims.ts";
import { diskFiles } from "./verifiers/verity/files-claims.ts";
import { diskImage } from "./verifiers/verity/image-claims.ts";

/** One verifier's questions; a verifier may keep them in several catalogues. */
export interface Registered {
  /** Beginning of each id. */
  readonly verifier: string;
  readonly title: string;
  readonly catalogues: readonly Catalogue[];
}

/** In the order of the chain: silicon, Coordinator, policies, what joins them. */
export const registered: readonly Registered[] = [
  { verifier: "snp", title: "AMD SEV-SNP", catalogues: [snp] },
  { verifier: "tdx", title: "Intel TDX", catalogues: [tdx, eventLog] },
  { verifier: "sgx", title: "Intel SGX", catalogues: [sgx] },
  {
    verifier: "contrast",
    title: "Contrast Coordinator and manifest",
    catalogues: [
      coordinator,
      manifestFile,
      publishedManifest,
      meshEndpoint,
      secretExchange,
      liveExchange,
      explainedManifest,
      generated,
    ],
  },
  {
    verifier: "kata",
    title: "Kata and Contrast policies",
    catalogues: [kata, deployment, manifestKeys, annotatedWorkload, sidecarContainer, safety, policyProbe],
  },
  {
    verifier: "verity",
    title: "Disks: dm-verity and EROFS",
    catalogues: [veritySuperblock, verityTree, diskImage, diskFiles, modelFile, modelDisk],
  },
  { verifier: "chain", title: "What joins them", catalogues: [chain, admission, assurance] },
];

/** A question with its id and the verifier that asks it. */
export interface Entry {
  readonly id: string;
  readonly verifier: string;
  readonly question: Question;
}

/** In output order; one question object under one id, however many catalogues share it. */
export const entries: readonly Entry[] = registered.flatMap(({ verifier, catalogues }) => {
  const merged: Record<string, Question> = Object.assign({}, ...catalogues);
  return Object.entries(merged).map(([id, question]) => ({ id, verifier, question }));
});

const byId: ReadonlyMap<string, Entry> = new Map(entries.map((e) => [e.id, e]));

/** The question of a claim; undefined for an id that no catalogue has. */
export const questionOf = (id: string): Question | undefined => byId.get(id)?.question;
