/** What a policy body holds, for reports, `pm policy hash` and `pm inspect`: facts, no judgement. */
import { createHash } from "node:crypto";
import { hex } from "../../bytes/hex.ts";
import { once } from "../../bytes/once.ts";
import { PmError } from "../../errors.ts";
import type { Json } from "../../report/report.ts";
import { decodePolicyBody, type PolicyBody, policyKey } from "./body.ts";
import { type AgentPolicy, decodeAgentPolicy, type PolicyImage } from "./policy.ts";

/** HOST_DATA of a SEV-SNP report: 32 bytes; longer digests are cut. */
export const snpHostData = (digest: Uint8Array): Uint8Array => fitted(digest, 32);
/** MRCONFIGID of a TDX quote: 48 bytes; shorter digests are followed by zeros, longer ones cut. */
export const tdxMrConfigId = (digest: Uint8Array): Uint8Array => fitted(digest, 48);

function fitted(digest: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(digest.subarray(0, length));
  return out;
}

export interface PolicyFacts {
  readonly form: "initdata" | "rego";
  readonly version: string | null;
  readonly algorithm: string;
  readonly digest: string;
  readonly size: number;
  readonly snpHostData: string;
  readonly tdxMrConfigId: string;
  readonly keys: readonly { readonly key: string; readonly size: number; readonly sha256: string }[];
  /** SHA-256 of the policy's text before policy_data; null without a policy. */
  readonly rulesSha256: string | null;
  readonly images: readonly {
    readonly container: string;
    readonly image: string | null;
    readonly digest: string | null;
    readonly at: string;
  }[];
  /** Why no images are listed; null when they are. */
  readonly imagesNote: string | null;
  readonly [name: string]: Json;
}

/** The agent policy that the body holds, if it holds one. */
export const policyOf = once((body: PolicyBody): AgentPolicy | undefined => {
  const text = body.data.get(policyKey);
  return text === undefined ? undefined : decodeAgentPolicy(text);
});

/** Images that a body's policy names; empty where it cannot be read, which the claims about the body say. */
export function imagesOfBody(bytes: Uint8Array): readonly PolicyImage[] {
  try {
    const images = policyOf(decodePolicyBody(bytes))?.images;
    return images?.kind === "listed" ? images.images : [];
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return [];
  }
}

/** Decoded fields; sizes in bytes, digests in lower-case hex. */
export function factsOf(body: PolicyBody, policy = policyOf(body)): PolicyFacts {
  return {
    form: body.kind,
    version: body.kind === "initdata" ? body.version : null,
    algorithm: body.algorithm,
    digest: hex(body.digest),
    size: body.raw.length,
    snpHostData: hex(snpHostData(body.digest)),
    tdxMrConfigId: hex(tdxMrConfigId(body.digest)),
    keys: [...body.data].map(([key, value]) => {
      const bytes = Buffer.from(value);
      return { key, size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
    }),
    rulesSha256: policy?.rulesSha256 ?? null,
    images:
      policy?.images.kind === "listed"
        ? policy.images.images.map(({ container, image, digest, at }) => ({
            container,
            image: image ?? null,
            digest: digest ?? null,
            at,
          }))
        : [],
    imagesNote:
      policy === undefined
        ? "the document has no policy"
        : policy.images.kind === "listed"
          ? null
          : policy.images.reason,
  };
}
