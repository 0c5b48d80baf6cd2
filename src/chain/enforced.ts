/** The manifest that a Coordinator enforces: what it lets in, and who vouches for it. */
import { createHash } from "node:crypto";
import type { Answer, Origin, Sourced } from "../claims/answer.ts";
import { judge } from "../claims/subject.ts";
import type { DecodedManifest } from "../verifiers/contrast/index.ts";
import { manifestOrigin } from "../verifiers/contrast/index.ts";
import { manifestKeys } from "../verifiers/kata/workload-claims.ts";
import { auditContent, type Content, type ContentPlan, type Given, openClaims } from "./content.ts";

export interface Vouched {
  /** Digest of the expected manifest, and who vouches for it. */
  readonly reference: Sourced | undefined;
  /** Why nobody does, where the manifest should have been explained. */
  readonly unexplained?: string;
  readonly content: Content | undefined;
}

/** What the Coordinator showed: its latest manifest and the bodies, or why there is none. */
export type Shown =
  | { readonly manifest: DecodedManifest; readonly bodies: readonly Uint8Array[] }
  | { readonly blocked: Answer<never> };

/** The content under a reference that does not depend on it. */
export function vouchedBy(reference: Sourced | undefined, plan: ContentPlan | undefined, shown: Shown): Vouched {
  const origin = manifestOrigin("blocked" in shown ? "" : shown.manifest.sha256, reference);
  return { reference, content: plan === undefined ? undefined : remembered(plan, shown, origin) };
}

/**
 * Reference `explained`: the content is judged as if the auditor vouched for the manifest's own words. Only if then
 * every owed claim about it passes does the auditor's profile vouch: each key is the digest of a body that says what the
 * auditor's deployment file says, and each other value is one that the profile names. Else the words are the audited
 * party's, and the content is judged as such.
 * @param by the auditor's profile
 */
export function explainedBy(by: Origin, plan: ContentPlan, shown: Shown): Vouched {
  if ("blocked" in shown) return { reference: undefined, content: remembered(plan, shown, auditedParty) };
  const { manifest } = shown;
  const content = remembered(plan, shown, by);
  const keys = judge({ name: "manifest", catalogue: manifestKeys, pinned: new Set() }, content.keys);
  const open = [
    ...manifest.problems.map((p) => `${p.at || "/"}: ${p.message}`),
    ...openClaims([keys, ...content.explaining]),
  ];
  const [first] = open;
  if (first === undefined && manifest.manifest !== undefined && plan.values !== undefined)
    return { reference: { value: manifest.sha256, origin: by, at: "each of its values explained" }, content };
  return {
    reference: undefined,
    unexplained: `${open.length} open: ${first ?? "the manifest's values were not asked about"}`,
    content: remembered(plan, shown, auditedParty),
  };
}

const auditedParty: Origin = { kind: "audited-party", name: "manifest in the response" };

/** An audit is asked again in each round, and comparing some forty containers takes a tenth of a second. */
const rounds = new WeakMap<ContentPlan, Map<string, Content>>();
function remembered(plan: ContentPlan, shown: Shown, origin: Origin): Content {
  if ("blocked" in shown) return auditContent(plan, shown);
  const known = rounds.get(plan) ?? new Map<string, Content>();
  rounds.set(plan, known);
  const given: Given = { ...shown, origin };
  const key = JSON.stringify([shown.manifest.sha256, shown.bodies.map(sha256), origin]);
  const content = known.get(key) ?? auditContent(plan, given);
  known.set(key, content);
  return content;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
