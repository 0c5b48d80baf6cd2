/** What a judging command returns: one document, printed for people or as JSON. */
import type { Answer } from "../claims/answer.ts";
import type { Judged } from "../claims/subject.ts";
import type { Verdict, WaiverUse } from "../claims/verdict.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A trust anchor that the judgement rests on. */
export interface Anchor {
  readonly name: string;
  readonly sha256: string;
  /** Where the anchor comes from: the vendor's document, or the flag that replaced it. */
  readonly source: string;
}
/** A demand that was lowered by flag or profile: named, never silent. */
export interface Relaxation {
  readonly name: string;
  readonly meaning: string;
}

/** How much is known of an image; docs/threat-model.md, images. */
export type Assurance = "none" | "hash-only" | "pinned" | "k-of-n" | "rebuilt";
export interface ReaderImage {
  readonly container: string;
  /** Reference as the policy names it. */
  readonly image: string;
  readonly assurance: Assurance;
}
/** One entry of the manifest: whoever runs under its policy is part of the mesh. */
export interface Reader {
  /** Key of the policy. */
  readonly policy: string;
  /** WorkloadSecretID; empty when the entry has none. */
  readonly workload: string;
  readonly role: string;
  readonly sans: readonly string[];
  /** null: the policy's body is not at hand. */
  readonly images: readonly ReaderImage[] | null;
}

/** What a pure audit hands over: claims and decoded facts, no words of judgement. */
export interface Audited {
  readonly judged: readonly Judged[];
  /** Decoded fields by subject, in the specification's notation. */
  readonly evidence: { readonly [subject: string]: Json };
  readonly anchors: readonly Anchor[];
  readonly notProven: readonly string[];
  /** Who can read a prompt; absent when the run was given no deployment file. */
  readonly readers?: readonly Reader[];
}

export type ReportClaim = Pick<Answer, "status" | "code" | "grade" | "expected" | "actual" | "reason"> & {
  readonly id: string;
  readonly subject: string;
  /** Counts for the verdict: owed by its catalogue, by a reference value that was given, or because the profile promoted it. */
  readonly owed: boolean;
};

export interface Report {
  readonly schemaVersion: 1;
  readonly tool: { readonly name: "pm"; readonly version: string };
  readonly target: string;
  /** What was asked: `live`, `snp report`, `coordinator`, `manifest`. */
  readonly scope: string;
  /** For when the evidence is judged, RFC 3339. */
  readonly judgedAt: string;
  /** When the evidence was received, by the capturer's clock; null when nobody says. */
  readonly capturedAt: string | null;
  readonly freshness: string;
  readonly profileSha256: string | null;
  readonly bundleSha256: string | null;
  readonly verdict: Verdict;
  readonly verdictLine: string;
  readonly exitCode: number;
  readonly anchors: readonly Anchor[];
  readonly relaxations: readonly Relaxation[];
  readonly waivers: readonly WaiverUse[];
  readonly evidence: { readonly [subject: string]: Json };
  readonly claims: readonly ReportClaim[];
  /** Who can read a prompt; absent when the run was given no deployment file. */
  readonly readers?: readonly Reader[];
  readonly notProven: readonly string[];
}
