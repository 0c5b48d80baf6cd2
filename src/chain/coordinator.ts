/**
 * One Coordinator, from its answer down to the vendor's root: hands the answer of Contrast's verifier to the CPU's, the
 * CPU's authenticated fields back, and each policy body to the policy verifier. With chain.ts the only place that knows
 * two verifiers.
 */
import { createHash } from "node:crypto";
import { hex } from "../bytes/hex.ts";
import { once } from "../bytes/once.ts";
import { type Answer, all, cannot, type Origin, type Sourced, skip } from "../claims/answer.ts";
import { type Judged, judge } from "../claims/subject.ts";
import { PmError } from "../errors.ts";
import type { Anchor, Json } from "../report/report.ts";
import type { Look, Request, Response } from "../run.ts";
import {
  type ApiForm,
  attestRequest,
  capabilitiesRequest,
  coordinator,
  type DecodedManifest,
  documentBlocked,
  expectedReportData,
  latestManifest,
  manifestOrigin,
  manifestRules,
  readState,
  type StateResult,
  verifyCoordinator,
} from "../verifiers/contrast/index.ts";
import { kata, verifyPolicy } from "../verifiers/kata/index.ts";
import type { Content, ContentPlan } from "./content.ts";
import { type CpuInput, type CpuJudgement, noEvidence, verifyCpu } from "./cpu.ts";
import { explainedBy, type Shown, type Vouched, vouchedBy } from "./enforced.ts";
import { attestedPins, type Freshness, type Pins } from "./exchange.ts";
import { lookNonce, type Nonce } from "./nonce.ts";
import type { Binding } from "./references.ts";

/** A manifest with every policy of a large deployment is some 100 KB. */
const maxManifestBytes = 4 * 1024 * 1024;

/** Who vouches for the manifest: a digest with its origin, what the audited party publishes, or nobody. */
export type ManifestWord =
  | { readonly kind: "given"; readonly sha256: Sourced }
  /** Path on the web server of the audited party. */
  | { readonly kind: "published"; readonly path: string }
  /** Each of its values is held against what the auditor's profile says: `content` is asked for. */
  | { readonly kind: "explained"; readonly by: Origin }
  | { readonly kind: "none" };

export interface CoordinatorPlan {
  readonly form: ApiForm;
  /** Whose manifest rules hold, such as v1.20. */
  readonly contrastVersion: string;
  readonly manifest: ManifestWord;
  readonly historyLength?: Sourced;
  readonly rootCaKey?: Sourced;
  /** One root in place of the vendors': for tests, and named in every report. */
  readonly testRoot?: { readonly file: string; readonly bytes: Uint8Array };
  /** A nonce that this run drew or was given, or why freshness is not asked, and whether it is owed all the same. */
  readonly freshness: Freshness;
  /** XFAM of a TD may differ in both CET bits: who allows it. A named relaxation. */
  readonly cetDifference?: Sourced;
  /** What the manifest lets in, by the auditor's deployment file and profile; undefined: not asked. */
  readonly content?: ContentPlan;
}

export interface CoordinatorAudit {
  readonly judged: readonly Judged[];
  readonly evidence: { readonly [subject: string]: Json };
  readonly anchors: readonly Anchor[];
  readonly nonce: Nonce | undefined;
  /** What the TEE's verifier says of the evidence in the answer. */
  readonly cpu: CpuJudgement;
  /** What every question behind the gate says while the gate is closed. */
  readonly blocked: Answer<never> | undefined;
  readonly manifest: DecodedManifest | undefined;
  /** What became of the question to the Coordinator. */
  readonly answered: Response["status"];
  /** Digest of the expected manifest, and who vouches for it. */
  readonly reference: Sourced | undefined;
  /** Whether somebody else than the audited party vouches for the manifest that is enforced. */
  readonly manifestPinned: boolean;
  /** Mesh CA and manifest in force, once the nonce is bound. */
  readonly pins: Pins;
  /** What the manifest lets in; undefined: not asked. */
  readonly content: Content | undefined;
}

export function auditCoordinator(plan: CoordinatorPlan, look: Look, at: Date): CoordinatorAudit {
  const nonce = lookNonce(look);
  const rules = manifestRules(plan.contrastVersion);
  const answer = answerTo(plan.form, nonce, look);
  const read = readAnswer[plan.form](answer);
  const { state } = read;
  const capabilities = plan.form === "v1" ? look(capabilitiesRequest) : undefined;
  const manifest = state === undefined ? undefined : latestManifest(state, rules);
  const { reference, unexplained, content } = vouchedFor(plan, read, manifest, look);
  const origin = manifestOrigin(manifest?.sha256 ?? "", reference);
  const expected =
    state === undefined || nonce === undefined
      ? undefined
      : expectedReportData(state, nonce.bytes, capabilities?.status === "ok" ? capabilities.bytes : undefined);

  const cpu = verifyEvidence(plan, { read, manifest, origin, expected, look, at });
  const judgement = verifyCoordinator({
    read,
    nonce: nonce?.bytes ?? new Uint8Array(),
    fresh: plan.freshness,
    reference,
    ...(unexplained === undefined ? {} : { unexplained }),
    rules,
    attested: cpu.attested,
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(plan.historyLength === undefined ? {} : { historyLength: plan.historyLength }),
    ...(plan.rootCaKey === undefined ? {} : { rootCaKey: plan.rootCaKey }),
    at,
  });
  // A manifest may spell one key in two cases: that is its own claim's business, and each spelling stays a subject.
  const spelled = new Map<string, number>();
  const policies = judgement.policies.map(({ key, entry, body }) => {
    const nth = (spelled.get(key.value) ?? 0) + 1;
    spelled.set(key.value, nth);
    const name = nth === 1 ? policySubject(key.value) : `${policySubject(key.value)} (${nth})`;
    const judged = body === undefined ? undefined : verifyPolicy(body, key);
    return {
      name,
      judged: judge(
        { name, catalogue: kata, pinned: new Set() },
        judged?.answers ?? all(kata, skip("no body to look at")),
      ),
      evidence: { workloadSecretId: entry.workloadSecretId, role: entry.role, initdata: judged?.evidence ?? null },
    };
  });
  return {
    judged: [
      judge({ name: "coordinator", catalogue: coordinator, pinned: judgement.pinned }, judgement.answers),
      cpu.judged,
      ...policies.map((p) => p.judged),
    ],
    evidence: {
      coordinator: judgement.evidence,
      "coordinator report": cpu.evidence,
      ...Object.fromEntries(policies.map((p) => [p.name, p.evidence])),
    },
    anchors: cpu.anchors,
    nonce,
    cpu,
    blocked: "blocked" in cpu.attested ? cpu.attested.blocked : undefined,
    manifest,
    answered: answer.status,
    reference,
    manifestPinned: reference !== undefined && origin.kind !== "audited-party",
    pins: attestedPins(
      judgement.answers["contrast.nonce.bound"],
      "blocked" in cpu.attested ? cpu.attested.blocked : undefined,
      state,
      origin,
    ),
    content,
  };
}

function vouchedFor(
  { manifest: word, content }: CoordinatorPlan,
  read: StateResult,
  manifest: DecodedManifest | undefined,
  look: Look,
): Vouched {
  const shown: Shown =
    read.state === undefined
      ? { blocked: read.blocked }
      : manifest === undefined
        ? { blocked: cannot("not answered: the history is empty") }
        : { manifest, bodies: read.state.policies };
  if (word.kind !== "explained") return vouchedBy(manifestReference(word, look), content, shown);
  if (content === undefined) throw new PmError("PM_BUG", "a manifest is to be explained by nothing");
  return explainedBy(word.by, content, shown);
}

/** Subject of one policy: enough of the key to be told apart by people, all of it stands in the claims. */
export const policySubject = (key: string): string => `policy ${key}`;

const reader = (form: ApiForm) => once((answer: Response): StateResult => readState(answer, form));
const readAnswer = { attest: reader("attest"), v1: reader("v1"), privatemode: reader("privatemode") };

/** The nonce goes into the question, so nothing is asked before it is there. */
function answerTo(form: ApiForm, nonce: Nonce | undefined, look: Look): Response {
  return nonce === undefined
    ? { status: "unavailable", reason: "no nonce: this record holds none" }
    : look(attestRequest(form, nonce.bytes));
}

/** @param path below the publisher's base URL */
export const publishedRequest = (path: string): Request => ({ service: "published", path, maxBytes: maxManifestBytes });

/** What the audited party publishes is compared, and stays its own word. */
function manifestReference(word: Exclude<ManifestWord, { kind: "explained" }>, look: Look): Sourced | undefined {
  if (word.kind === "given") return word.sha256;
  if (word.kind === "none") return undefined;
  const published = look(publishedRequest(word.path));
  return published.status === "ok"
    ? { value: sha256(published.bytes), origin: { kind: "audited-party", name: "published manifest" }, at: word.path }
    : undefined;
}

/** Each reference value of the manifest is a candidate; without a readable manifest only authenticity can be judged. */
function verifyEvidence(
  plan: CoordinatorPlan,
  {
    read,
    expected,
    ...input
  }: Omit<CpuInput, "binding" | "testRoot" | "cetDifference"> & {
    readonly read: StateResult;
    /** REPORT_DATA that nonce and state demand. */
    readonly expected: Uint8Array | undefined;
  },
): CpuJudgement {
  const blocked = read.state === undefined ? read.blocked : documentBlocked(read.state);
  if (read.state === undefined || blocked !== undefined)
    return noEvidence(blocked ?? cannot("no attestation document"));
  const hostData = (input.manifest?.manifest?.policies ?? [])
    .filter((p) => p.role === "coordinator")
    .map((p): Sourced => ({ value: p.key, origin: input.origin, at: p.at }));
  const binding: Binding = {
    ...(expected === undefined ? {} : { reportData: { value: hex(expected), origin: recomputed } }),
    ...(hostData.length === 0 ? {} : { hostData }),
  };
  return verifyCpu(read.state, { ...input, binding, testRoot: plan.testRoot, cetDifference: plan.cetDifference });
}

const recomputed: Origin = {
  kind: "recomputed",
  name: "SHA-256 over nonce, manifest history and CA certificates",
};

const sha256 = (bytes: Uint8Array): string => hex(createHash("sha256").update(bytes).digest());
