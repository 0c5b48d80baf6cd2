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

/** How much of a part of a row the claims bear out. */
export type Proof = "proven" | "no" | "open" | "not asked" | "audited party's word";
/** One model disk that a workload mounts: each part says what the claims about it say, and no more. */
export interface ModelRow {
  /** As the mounter names it, `NAME-INDEX`; its container where the arguments could not be read. */
  readonly model: string;
  /** WorkloadSecretID. */
  readonly workload: string;
  readonly container: string;
  /** dm-verity root hash in the mounter's arguments; null: not read. */
  readonly root: string | null;
  /** The audited party's word. */
  readonly source: string | null;
  readonly commit: string | null;
  /** Who names the commit. */
  readonly commitFrom: "list of files" | "audited party" | null;
  /** The policy that the manifest names starts the mounter's image with this root. */
  readonly argument: Proof;
  /** Arguments, device, claim, folder and the server's path name one disk. */
  readonly mount: Proof;
  /** The root is in the published list, and somebody else knows it. */
  readonly known: Proof;
  /** The auditor's image has the root. */
  readonly rebuilt: Proof;
  /** The image's files are those of the commit. */
  readonly files: Proof;
  /** The published list names that commit. */
  readonly commitAgrees: Proof;
}

/** One question to the guest's policy engine, and what it answered. */
export interface ProbeLine {
  readonly container: string;
  readonly probe: string;
  readonly when: string;
  readonly tries: string;
  readonly answer: "permitted" | "denied" | "inconclusive" | "skipped";
  readonly expected: "permitted" | "denied" | "either";
  /** What the answer means for whoever relies on the policy; null: it was not answered. */
  readonly grade: "weaker" | "stronger" | "neutral" | "unknown" | null;
  /** null: shown, and part of no claim. */
  readonly claim: string | null;
  readonly reason: string | null;
  /** SHA-256 of endpoint, line end and request as JSON, hex; empty when no request was made. */
  readonly digest: string;
}
/** What one policy permits. */
export interface ProbeTable {
  readonly subject: string;
  /** As which version of Rego the engine read it; null: as none. */
  readonly rego: "v1" | "v0" | null;
  readonly rows: readonly ProbeLine[];
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
  /** Model disks; absent when the profile names none. */
  readonly models?: readonly ModelRow[];
  /** What policies permit; absent when no engine was asked. */
  readonly probes?: readonly ProbeTable[];
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
  /** Model disks; absent when the profile names none. */
  readonly models?: readonly ModelRow[];
  /** What policies permit; absent when no engine was asked. */
  readonly probes?: readonly ProbeTable[];
  readonly notProven: readonly string[];
}
