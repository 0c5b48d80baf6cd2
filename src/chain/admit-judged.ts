/** Evidence that wants into the mesh as its TEE's verifier judges it, in the terms of admission. */
import type { Answer, Origin, Sourced } from "../claims/answer.ts";
import type { Judged } from "../claims/subject.ts";
import type { Anchor, Json } from "../report/report.ts";
import type { Manifest, ManifestRules } from "../verifiers/contrast/index.ts";
import type { Reason } from "./admit-reason.ts";

export interface AdmitQuestion {
  /** Evidence in any carrier. */
  readonly bytes: Uint8Array;
  readonly manifest: Manifest | undefined;
  /** Who vouches for the manifest. */
  readonly origin: Origin;
  /** The manifest's policy keys. */
  readonly keys: readonly Sourced[];
  readonly rules: ManifestRules;
  /** One root in place of the vendor's. */
  readonly testRoot: { readonly file: string; readonly bytes: Uint8Array } | undefined;
}

export interface AdmitJudgement {
  readonly tee: "SNP" | "TDX";
  /** Whole claims about the evidence, for one reference value. */
  readonly judged: Judged;
  readonly evidence: Json;
  readonly anchors: readonly Anchor[];
  readonly answers: Readonly<Record<string, Answer>>;
  /** What the Coordinator looks up among the policies, with its place: 32 bytes as lower-case hex; undefined: not authentic. */
  readonly hostData: Sourced | undefined;
  readonly blocked: Answer<never> | undefined;
  /** The reference value that the claims are for. */
  readonly entry: { readonly at: string } | undefined;
  /** How many of this TEE the manifest has, whether or not pm can compare with them. */
  readonly entries: number;
  /** Ids of the claims that compare the evidence with the reference value alone. */
  readonly demands: readonly string[];
  /** What Contrast would say by each reference value that pm compares with, in the manifest's order. */
  readonly byEntry: readonly (readonly Reason[])[];
  /** The same for the one that the claims are for. */
  readonly shown: readonly Reason[];
}

/** Far above what a release has; each costs a verification of its own. */
export const maxEntries = 256;
