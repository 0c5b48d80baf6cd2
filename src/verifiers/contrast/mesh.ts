/**
 * A mesh endpoint: certificate, mesh CA and manifest in, answers out. Whether an attested Coordinator showed this CA and
 * enforces this manifest is the question of whoever hands them over.
 */
import { createHash } from "node:crypto";
import { hex } from "../../bytes/hex.ts";
import {
  type Answer,
  type Answers,
  all,
  broken,
  cannot,
  gate,
  holds,
  type Origin,
  observed,
  type Sourced,
  specified,
  unavailable,
} from "../../claims/answer.ts";
import { type Certificate, decodeCertificate, decodeCertificates } from "../../crypto/certificate.ts";
import { PmError } from "../../errors.ts";
import type { Json } from "../../report/report.ts";
import type { Response } from "../../run.ts";
import { caCertificate, caFacts } from "./ca.ts";
import { reading } from "./findings.ts";
import { decodeManifest } from "./manifest.ts";
import {
  exchangeQuestions,
  type meshAuthentic,
  type meshEndpoint,
  meshStatements,
  type secretExchange,
} from "./mesh-claims.ts";
import { entryAnswers, expectedName, expectedWorkload, type MeshTee, referenceAnswers } from "./mesh-entry.ts";
import {
  decodeAnswer,
  decodeExchange,
  exchangeSignature,
  keyLengths,
  publicKeyIs,
  type ReadExchange,
  readExchange,
  secretIdOf,
} from "./mesh-exchange.ts";
import { leafFacts } from "./mesh-facts.ts";
import { type MeshLeaf, readLeaf } from "./mesh-leaf.ts";
import { extensions, judgePath, usage } from "./mesh-path.ts";
import { namesMachines } from "./mesh-tdx.ts";
import type { DecodedManifest } from "./model.ts";
import type { ManifestRules } from "./rules.ts";

export interface MeshInput {
  /** PEM of the mesh CA, and who holds it. */
  readonly meshCa: {
    readonly pem: Uint8Array;
    readonly certificate: Certificate;
    readonly name: string;
    readonly origin: Origin;
  };
  readonly manifest: { readonly bytes: Uint8Array; readonly name: string; readonly origin: Origin };
  readonly rules: ManifestRules;
  readonly tee: MeshTee;
  readonly at: Date;
  /** Exact string that must be among the names. */
  readonly san: Sourced | undefined;
  readonly workloadSecretId: Sourced | undefined;
  /** Of the public key in an exchange, lower-case hex. */
  readonly publicKeySha256: Sourced | undefined;
}
export interface MeshJudgement<C extends typeof meshEndpoint | typeof secretExchange> {
  readonly answers: Answers<C>;
  readonly pinned: ReadonlySet<string>;
  readonly evidence: Json;
}
type Authentic = Answers<typeof meshAuthentic>;
type Statements = Answers<typeof meshStatements>;

/** Decoded once, and what is to be said where it cannot be. */
type Read = { readonly leaf: MeshLeaf; readonly others: number } | { readonly blocked: Answer<"mesh-malformed"> };

function read(decode: () => readonly Certificate[]): Read {
  try {
    const [certificate, ...others] = decode();
    if (certificate === undefined) return { blocked: broken("no certificate", "mesh-malformed") };
    return { leaf: readLeaf(certificate), others: others.length };
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { blocked: broken(error.message, "mesh-malformed") };
  }
}

/**
 * Judges what an endpoint shows: a DER certificate, or PEM with the leaf first. What comes after the leaf is counted and
 * not used: an intermediate under the root proves nothing that the mesh CA has not said.
 */
export function verifyEndpoint(response: Response, input: MeshInput): MeshJudgement<typeof meshEndpoint> {
  const shown: Read =
    response.status === "ok"
      ? read(() => decodeCertificates(response.bytes, "certificate"))
      : { blocked: response.status === "unavailable" ? unavailable(response.reason) : cannot(response.reason) };
  return judgeMesh(shown, input);
}

/** Judges a recorded secret exchange by the certificate in its answer. */
export const verifyExchange = (bytes: Uint8Array, input: MeshInput): MeshJudgement<typeof secretExchange> =>
  judgeExchange(
    readExchange(() => decodeExchange(bytes)),
    input,
  );

/** Judges the answer to a public key that this run asked with. */
export function verifySecretAnswer(
  publicKey: Uint8Array,
  response: Response,
  input: MeshInput,
): MeshJudgement<typeof secretExchange> {
  if (response.status === "ok")
    return judgeExchange(
      readExchange(() => decodeAnswer(publicKey, response.bytes)),
      input,
    );
  const [format, later] =
    response.status === "unavailable"
      ? [unavailable(response.reason), unavailable("not asked: the secret service gave no answer")]
      : [cannot(response.reason), cannot("not asked: the secret service refused")];
  const { answers, pinned, evidence } = judgeMesh({ blocked: later }, input);
  return {
    answers: { ...answers, ...all(exchangeQuestions, later), "contrast.exchange.format": format },
    pinned,
    evidence,
  };
}

function judgeExchange(record: ReadExchange, input: MeshInput): MeshJudgement<typeof secretExchange> {
  if ("reason" in record) {
    const mesh = judgeMesh({ blocked: cannot("not answered: the exchange cannot be read") }, input);
    const unread = all(exchangeQuestions, cannot("not answered: the exchange cannot be read"));
    const format = broken(record.reason, "exchange-malformed");
    return { ...mesh, answers: { ...mesh.answers, ...unread, "contrast.exchange.format": format } };
  }
  const { exchange, format } = record;
  const shown = read(() => [decodeCertificate(exchange.meshCert, "MeshCert")]);
  const { authentic, ...mesh } = judgeMesh(shown, input);
  return {
    answers: {
      ...mesh.answers,
      "contrast.exchange.format": format,
      "contrast.exchange.lengths": keyLengths(exchange),
      "contrast.exchange.public_key": publicKeyIs(exchange, input.publicKeySha256),
      "contrast.exchange.signature":
        "value" in authentic ? exchangeSignature(exchange, authentic.value.certificate) : authentic.blocked,
    },
    pinned: mesh.pinned,
    evidence: { ...mesh.evidence, secretId: secretIdOf(exchange) },
  };
}

interface Judged extends MeshJudgement<typeof meshEndpoint> {
  readonly evidence: { readonly [name: string]: Json };
  readonly authentic: ReturnType<typeof gate<MeshLeaf>>;
}

function judgeMesh(shown: Read, input: MeshInput): Judged {
  const { meshCa, rules, at } = input;
  const manifest = decodeManifest(input.manifest.bytes, rules);
  const ca = sha256(meshCa.certificate.raw);
  const stage = authenticity(shown, input, { value: ca, origin: meshCa.origin });
  const authentic = "leaf" in shown ? gate(stage.answers, shown.leaf) : gateShut(stage.answers);
  return {
    authentic,
    answers: {
      ...reading(manifest, input.manifest.name),
      "contrast.mesh_ca.certificate": caCertificate(meshCa.pem, "mesh_ca", at, "mesh-ca", meshCa.name),
      ...stage.answers,
      ...("value" in authentic
        ? statements(authentic.value, manifest, input, stage.validity)
        : all(meshStatements, authentic.blocked)),
    },
    pinned: pinnedIn(manifest, input, "value" in authentic ? authentic.value.values?.tee : undefined),
    evidence: {
      ...("leaf" in shown ? leafFacts(shown) : {}),
      meshCa: caFacts(meshCa.pem, "mesh_ca"),
      manifest: { sha256: manifest.sha256, rules: rules.version },
    },
  };
}

const sha256 = (bytes: Uint8Array): string => hex(createHash("sha256").update(bytes).digest());
/** Without a certificate there is nothing to brand, whatever the answers say. */
function gateShut(answers: Authentic): { readonly blocked: Answer<never> } {
  const shut = gate(answers, {});
  return "blocked" in shut ? shut : { blocked: cannot("no certificate was read: a bug in pm") };
}

function authenticity(
  shown: Read,
  { meshCa, at }: MeshInput,
  anchor: Sourced,
): { readonly answers: Authentic; readonly validity: Statements["contrast.mesh.validity"] } {
  if ("blocked" in shown) {
    const { blocked } = shown;
    const later =
      blocked.status === "unavailable" ? unavailable(blocked.reason ?? "") : cannot("not answered: no certificate");
    return { answers: { "contrast.mesh.format": blocked, "contrast.mesh.path": later }, validity: later };
  }
  const { certificate } = shown.leaf;
  const { path, validity } = judgePath(certificate, meshCa.certificate, at, anchor);
  const format = holds(
    certificate.version === 3,
    specified("X.509 version 3", "RFC 5280", "4.1.2.1"),
    observed(`X.509 version ${certificate.version}`, "certificate", "version"),
    "mesh-malformed",
  );
  return { answers: { "contrast.mesh.format": format, "contrast.mesh.path": path }, validity };
}

function statements(
  leaf: MeshLeaf,
  { manifest }: DecodedManifest,
  input: MeshInput,
  validity: Statements["contrast.mesh.validity"],
): Statements {
  const unread = cannot("not answered: the manifest cannot be read in one way");
  const { origin } = input.manifest;
  return {
    ...all(meshStatements, unread),
    "contrast.mesh.validity": validity,
    "contrast.mesh.usage": usage(leaf),
    "contrast.mesh.extensions": extensions(leaf),
    ...(manifest === undefined
      ? {}
      : {
          ...entryAnswers(leaf, manifest, origin).answers,
          ...referenceAnswers(leaf, { manifest, origin, rules: input.rules, tee: input.tee }),
        }),
    "contrast.mesh.expected_san": expectedName(leaf, input.san),
    "contrast.mesh.expected_workload": expectedWorkload(leaf, input.workloadSecretId),
  };
}

/**
 * Read off what the auditor gave. Where any reference value names machines, one that allows every machine leaves the
 * question open.
 * @param tee that an authentic certificate speaks of: its own reference values count, while it is not known those of both.
 * Of TDX no reference value states a TCB, and no certificate repeats one.
 */
const pinnedIn = (
  { manifest }: DecodedManifest,
  input: MeshInput,
  tee: "SNP" | "TDX" | undefined,
): ReadonlySet<string> =>
  new Set([
    ...(tee === "TDX" ? [] : ["contrast.mesh.tcb"]),
    ...((tee !== "TDX" && manifest?.snp.some((value) => value.allowedChipIds.length > 0)) ||
    (tee !== "SNP" && manifest?.tdx.some(namesMachines))
      ? ["contrast.mesh.chip"]
      : []),
    ...(input.publicKeySha256 === undefined ? [] : ["contrast.exchange.public_key"]),
    ...(input.san === undefined ? [] : ["contrast.mesh.expected_san"]),
    ...(input.workloadSecretId === undefined ? [] : ["contrast.mesh.expected_workload"]),
  ]);
