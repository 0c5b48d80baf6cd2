/** What the Contrast verifier takes and gives; field names are Contrast's, in camel case. */
import type { Answer, Answers, Authenticated, Sourced } from "../../claims/answer.ts";
import type { Json } from "../../report/report.ts";
import type { Response } from "../../run.ts";
import type { coordinator } from "./claims.ts";
import type { DecodedManifest, PolicyEntry } from "./model.ts";
import type { ManifestRules } from "./rules.ts";

/** Which HTTP form the Coordinator is asked in; the profile chooses, there is no fallback. */
export type ApiForm = "attest" | "v1" | "privatemode";

/** raw_attestation_doc: only its outer form is told apart here; the TEE's verifier decodes it. */
export interface AttestationDocument {
  readonly kind: "snp" | "tdx" | "insecure" | "unknown";
  readonly bytes: Uint8Array;
  /** By what the kind was told. */
  readonly because: string;
}

/** The decoded answer of POST /attest; nothing in it is authenticated yet. */
export interface CoordinatorState {
  readonly form: ApiForm;
  /** Contrast version that the server claims; a hint only. */
  readonly version: string | undefined;
  readonly document: AttestationDocument;
  /** Object identifier from attestation_type, dotted; servers up to v1.20 send none. */
  readonly attestationType: string | undefined;
  /** Oldest first; empty when the server sent none. */
  readonly manifests: readonly Uint8Array[];
  readonly policies: readonly Uint8Array[];
  /** PEM text as received; empty when absent, as Contrast's own client hashes it. */
  readonly rootCa: Uint8Array;
  readonly meshCa: Uint8Array;
  /** Members that no known server sends. */
  readonly unknownKeys: readonly string[];
  /** Text of an `error` member. */
  readonly error: string | undefined;
}

/** Either the state, or what contrast.response.format says and what the later claims say. */
export type StateResult =
  | { readonly state: CoordinatorState; readonly format: Answer<"response-malformed"> }
  | { readonly state?: undefined; readonly format: Answer<"response-malformed">; readonly blocked: Answer<never> };

/** The fields of authenticated CPU evidence that Contrast binds; made by chain.ts from the TEE verifier's gate. */
export interface Attested {
  readonly tee: "snp" | "tdx";
  /** REPORT_DATA of a guest, REPORTDATA of a TD: 64 bytes. */
  readonly reportData: Uint8Array;
  /** HOST_DATA, or the first part of MRCONFIGID: 32 bytes. */
  readonly hostData: Uint8Array;
}

export interface CoordinatorInput {
  /** From readState. */
  readonly read: StateResult;
  /** The 32 bytes of the request to which the response was given. */
  readonly nonce: Uint8Array;
  /**
   * The nonce (hex) that this run drew or was told to send. For a record: why it sent none, the nonce that somebody says
   * was sent (a record of another one fails, a record of this one still proves no freshness), and whether it is owed.
   */
  readonly fresh:
    | { readonly drawn: Sourced }
    | { readonly notDrawn: string; readonly named?: Sourced; readonly owed: boolean };
  /** SHA-256 (lower-case hex) of the manifest's raw bytes, and who vouches; origin pinned, recomputed or audited-party. */
  readonly reference: Sourced | undefined;
  /** Why there is no reference, where the manifest was to be explained value by value. */
  readonly unexplained?: string;
  readonly rules: ManifestRules;
  readonly attested: { readonly value: Authenticated<Attested> } | { readonly blocked: Answer<never> };
  /** Answer to capabilitiesRequest; form v1 only. */
  readonly capabilities?: Response;
  /** Number of manifests that the history must have, decimal; Privatemode's rule is 1. */
  readonly historyLength?: Sourced;
  /** SHA-256 (lower-case hex) of the root CA's SubjectPublicKeyInfo, from an earlier run or another replica. */
  readonly rootCaKey?: Sourced;
  /** Judgement time, for the certificates' dates. */
  readonly at: Date;
}

/** A policy of the attested manifest with its body, for the initdata verifier. */
export interface AttestedPolicy {
  /** Manifest key, lower-case hex; origin is the manifest's. */
  readonly key: Sourced;
  readonly entry: PolicyEntry;
  readonly body: Uint8Array | undefined;
}

export interface CoordinatorJudgement {
  readonly answers: Answers<typeof coordinator>;
  /** Ids whose reference value was given, for the subject. */
  readonly pinned: ReadonlySet<string>;
  readonly evidence: Json;
  readonly manifest: DecodedManifest | undefined;
  readonly policies: readonly AttestedPolicy[];
}
