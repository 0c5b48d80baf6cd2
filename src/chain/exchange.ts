/**
 * Privatemode's secret exchange, made in the run that attests the Coordinator: our public key, and the answer judged
 * under the mesh CA and the manifest that the Coordinator attested. The secret is not derived.
 */
import {
  type Answer,
  type Answers,
  type Authenticated,
  all,
  cannot,
  equal,
  gate,
  type Origin,
  observed,
  type Sourced,
  skip,
  specified,
  unavailable,
} from "../claims/answer.ts";
import { type Judged, judge } from "../claims/subject.ts";
import { owedIds } from "../claims/verdict.ts";
import type { Json } from "../report/report.ts";
import type { Look } from "../run.ts";
import { decodeCa } from "../verifiers/contrast/ca.ts";
import { type CoordinatorInput, type CoordinatorState, manifestRules } from "../verifiers/contrast/index.ts";
import { type MeshInput, type MeshJudgement, verifySecretAnswer } from "../verifiers/contrast/mesh.ts";
import { type exchangeFreshness, liveExchange, type secretExchange } from "../verifiers/contrast/mesh-claims.ts";
import { secretRequest } from "../verifiers/contrast/requests.ts";
import type { CoordinatorPlan } from "./coordinator.ts";
import { exchangeKeySha256, lookExchangeKey } from "./exchange-key.ts";
import { meshTee } from "./mesh-tee.ts";
import { noExchange } from "./unproven.ts";

/** Who must answer; what is left out has the values of `secretService`. */
export interface ExchangePlan {
  /** Exact string that must be among the certificate's names. */
  readonly san?: Sourced;
  readonly workloadSecretId?: Sourced;
}
type Plan = Pick<CoordinatorPlan, "form" | "contrastVersion" | "freshness"> & { readonly exchange?: ExchangePlan };

/** A nonce and a public key that this run drew or was given; of a record, those that somebody names. */
export type Freshness = CoordinatorInput["fresh"] & {
  /** SHA-256 of the secret exchange's public key, lower-case hex. */
  readonly exchangeKey?: Sourced;
};

/** What Privatemode's clients do not ask, although any workload of the mesh has a certificate under the same CA. */
export const secretService = {
  san: specified("secret.privatemode.ai", "Privatemode v1.40.0", "secret service: name that clients ask for"),
  workloadSecretId: specified(
    "apps/v1/StatefulSet/continuum-347e1b/secret-service",
    "Privatemode v1.40.0",
    "deployment: StatefulSet secret-service",
  ),
} as const;

/** What REPORT_DATA covers, as an anchor for what comes after. */
export interface AttestedState {
  /** PEM as received. */
  readonly meshCa: Uint8Array;
  /** The manifest in force. */
  readonly manifest: Uint8Array;
  readonly manifestOrigin: Origin;
}
/** Or what every question says that needs the anchor. */
export type Pins = { readonly value: Authenticated<AttestedState> } | { readonly blocked: Answer<never> };

/** @param blocked what closed the gate of the evidence */
export function attestedPins(
  bound: Answer,
  blocked: Answer<never> | undefined,
  state: Pick<CoordinatorState, "meshCa" | "manifests"> | undefined,
  manifestOrigin: Origin,
): Pins {
  const manifest = state?.manifests.at(-1);
  if (blocked !== undefined || state === undefined || manifest === undefined)
    return { blocked: blocked ?? cannot("not asked: no manifest was attested") };
  return gate({ "contrast.nonce.bound": bound }, { meshCa: state.meshCa, manifest, manifestOrigin });
}

export interface ExchangeAudit {
  readonly judged: readonly Judged[];
  readonly evidence: { readonly [subject: string]: Json };
  /** What stays unproven of the endpoint that clients use. */
  readonly notProven: string;
}

const name = "secret exchange";

/** Asks only behind the gate, and owes the whole catalogue in any case. Without a demand there is nothing to judge. */
export function auditExchange(plan: Plan, pins: Pins, look: Look, at: Date): ExchangeAudit {
  if (plan.exchange === undefined) return { judged: [], evidence: {}, notProven: noExchange };
  const { answers, pinned, evidence } = answered(plan, plan.exchange, pins, look, at);
  const judged = judge({ name, catalogue: liveExchange, pinned: new Set([...pinned, ...owed(plan)]) }, answers);
  return { judged: [judged], evidence: { [name]: evidence }, notProven: remains(judged) };
}

/** Read off the plan: no answer can make it shorter. */
const owed = ({ freshness }: Plan): string[] => [
  "contrast.mesh.expected_san",
  "contrast.mesh.expected_workload",
  ...(freshness.exchangeKey === undefined ? [] : ["contrast.exchange.public_key"]),
  ...("drawn" in freshness || freshness.owed ? ["contrast.exchange.fresh"] : []),
];

function answered(
  plan: Plan,
  wanted: ExchangePlan,
  pins: Pins,
  look: Look,
  at: Date,
): Omit<MeshJudgement<typeof secretExchange>, "answers"> & { readonly answers: Answers<typeof liveExchange> } {
  const none = (answer: Answer<never>) => ({
    answers: all(liveExchange, answer),
    pinned: new Set<string>(),
    evidence: null,
  });
  // Looked at first, so that a bundle holds the key whatever becomes of the gate.
  const key = lookExchangeKey(look);
  if ("blocked" in pins) return none(pins.blocked);
  if (plan.form !== "privatemode") return none(cannot("only Privatemode's API has a secret service"));
  if ("status" in key) return none((key.status === "unavailable" ? unavailable : cannot)(key.reason));
  const { value } = pins;
  const meshCa = decodeCa(value.meshCa, "mesh_ca");
  if ("reason" in meshCa) return none(cannot("not asked: the attested mesh CA cannot be read"));
  const { publicKey } = key;
  const response = look(secretRequest(publicKey));
  const input: MeshInput = {
    // REPORT_DATA covers both.
    meshCa: {
      pem: value.meshCa,
      certificate: meshCa.certificate,
      name: "response",
      origin: { kind: "evidence", name: "attested mesh CA" },
    },
    manifest: { bytes: value.manifest, name: "manifest", origin: value.manifestOrigin },
    rules: manifestRules(plan.contrastVersion),
    tee: meshTee,
    at,
    san: wanted.san ?? secretService.san,
    workloadSecretId: wanted.workloadSecretId ?? secretService.workloadSecretId,
    publicKeySha256: plan.freshness.exchangeKey,
  };
  const { answers, pinned, evidence } = verifySecretAnswer(publicKey, response, input);
  const fresh =
    response.status === "ok"
      ? freshness(plan.freshness, publicKey)
      : (response.status === "unavailable" ? unavailable : cannot)("not asked: no exchange was made");
  return {
    answers: { ...answers, "contrast.exchange.fresh": fresh },
    // A record of another key than the named one owes the question and so fails.
    pinned: fresh.status === "fail" ? new Set([...pinned, "contrast.exchange.fresh"]) : pinned,
    evidence,
  };
}

/** As contrast.nonce.fresh: a record of the key that somebody names may be right, and is still a record. */
function freshness(
  plan: Freshness,
  publicKey: Uint8Array,
): Answers<typeof exchangeFreshness>["contrast.exchange.fresh"] {
  const { exchangeKey } = plan;
  const actual = observed(exchangeKeySha256(publicKey), "request", "SHA-256 of /PublicKey");
  if (exchangeKey !== undefined && ("drawn" in plan || exchangeKey.value !== actual.value))
    return equal(exchangeKey, actual, "exchange-not-fresh");
  return skip("the public key is the capturer's: this run drew none");
}

const failedExchange =
  "Endpoint: the key exchange did not pass, so nothing binds the endpoint that clients use to this Coordinator.";
const oneExchange =
  "Endpoint: one key exchange was answered by the secret service of this mesh. The secret was not derived, and who answers other clients, or the requests under a secret, was not seen.";

const noTcb = " Its certificate repeats no TCB of the trust domain that it runs in.";

/** Whether everything that is owed of the exchange passed. */
function remains(judged: Judged): string {
  const ids = new Set(owedIds(judged, new Set()));
  const passed = judged.claims.every((c) => c.status === "pass" || !ids.has(c.id));
  const tcb = judged.claims.find((c) => c.id === "contrast.mesh.tcb")?.status === "pass" ? "" : noTcb;
  return passed ? `${oneExchange}${tcb}` : failedExchange;
}
