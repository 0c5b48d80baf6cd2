/** `pm endpoint verify`: one mesh certificate, live, from a file or from a recorded secret exchange. */
import { createHash } from "node:crypto";
import { secretService } from "../chain/exchange.ts";
import { meshTee } from "../chain/mesh-tee.ts";
import { all, type Sourced } from "../claims/answer.ts";
import { type Judged, judge } from "../claims/subject.ts";
import type { Rules } from "../claims/verdict.ts";
import { usage } from "../errors.ts";
import type { Input } from "../input.ts";
import { composeReport } from "../report/compose.ts";
import type { Anchor, Json, Report } from "../report/report.ts";
import type { Response } from "../run.ts";
import { peerCertificate, type TlsPeer } from "../sources/tls.ts";
import { rfc } from "../time.ts";
import { type MeshInput, verifyEndpoint, verifyExchange } from "../verifiers/contrast/mesh.ts";
import { meshEndpoint, secretExchange } from "../verifiers/contrast/mesh-claims.ts";
import { type EndpointPins, type OpenedPins, openPins } from "./endpoint-pins.ts";

/** What shows the certificate: exactly one of them. */
export type EndpointEvidence =
  | { readonly kind: "live"; readonly peer: TlsPeer; readonly name: string }
  | { readonly kind: "certificate"; readonly input: Input }
  | { readonly kind: "exchange"; readonly input: Input };

export interface EndpointQuestion {
  readonly evidence: EndpointEvidence;
  readonly pins: EndpointPins;
  readonly san: string | undefined;
  readonly workloadSecretId: string | undefined;
  /** Of the public key in an exchange, lower-case hex. */
  readonly publicKeySha256: string | undefined;
  /** Judgement time; absent: that of the bundle for files, else now. */
  readonly at?: Date;
  readonly offline: boolean;
  readonly timeoutMs?: number;
  /** The wall clock. */
  readonly now: Date;
  readonly toolVersion: string;
}

/**
 * `HOST:PORT`, with an IPv6 address in brackets.
 * @throws PmError PM_USAGE
 */
export function parsePeer(text: string): TlsPeer {
  const [, bracketed, plain, port = ""] = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw usage(`${text}: not HOST:PORT`, "such as secret.example:443 or [2001:db8::1]:443, without a scheme or path");
  return { host, port: Number(port) };
}

const byFlag = (value: string | undefined, flag: string): Sourced | undefined =>
  value === undefined ? undefined : { value, origin: { kind: "flag", name: flag } };

/** Names of the secret service are demanded of an exchange, where no flag says otherwise. */
function expectedOf({
  evidence,
  san,
  workloadSecretId,
  publicKeySha256,
}: EndpointQuestion): Pick<MeshInput, "san" | "workloadSecretId" | "publicKeySha256"> {
  const defaults = evidence.kind === "exchange" ? secretService : undefined;
  return {
    san: byFlag(san, "--san") ?? defaults?.san,
    workloadSecretId: byFlag(workloadSecretId, "--workload-secret-id") ?? defaults?.workloadSecretId,
    publicKeySha256: byFlag(publicKeySha256, "--public-key-sha256"),
  };
}

/** Two moments in one report would blur both: a live endpoint is judged now, and so is the run that it is held against. */
function judgementTime({ at, evidence, pins, now }: EndpointQuestion): Date {
  if (at !== undefined) return at;
  return evidence.kind !== "live" && pins.kind === "bundle" ? new Date(pins.bundle.capturedAt) : now;
}

const rulesOf = ({ pins, now }: EndpointQuestion): Rules =>
  pins.kind === "bundle"
    ? { waivers: pins.settings.profile.waivers, promoted: new Set(pins.settings.profile.promote), now }
    : { waivers: [], promoted: new Set(), now };

/** @throws PmError PM_USAGE; what is wrong with the evidence is in the report */
export async function auditEndpoint(question: EndpointQuestion): Promise<Report> {
  const { evidence, now } = question;
  const at = judgementTime(question);
  const opened = await openPins(question.pins, at);
  const { judged, facts } = await answered(question, opened, at, subjectName(evidence, opened));
  const { audited, recordedAt } = opened;
  const live = evidence.kind === "live";
  return composeReport({
    audited: {
      judged: [...audited.judged, judged],
      evidence: { ...audited.evidence, [judged.subject.name]: facts },
      anchors: [...audited.anchors, ...anchorOf(opened)],
      notProven: [...audited.notProven, ...unproven, ...unprovenOf[evidence.kind]],
    },
    target: live ? evidence.name : evidence.input.name,
    scope: subjectOf(evidence),
    judgedAt: rfc(at),
    capturedAt: recordedAt ?? (live ? rfc(now) : null),
    freshness: [opened.freshness, freshness[evidence.kind]].filter((line) => line !== undefined).join("; endpoint: "),
    profileSha256: opened.profileSha256,
    bundleSha256: opened.bundleSha256,
    relaxations: opened.relaxations,
    rules: rulesOf(question),
    toolVersion: question.toolVersion,
    asRecorded: recordedAt === undefined ? undefined : { at: recordedAt, assertedBy: "NOBODY" },
  });
}

const subjectOf = ({ kind }: EndpointEvidence): string => (kind === "exchange" ? "secret exchange" : "endpoint");

/** The run behind --bundle may have made an exchange of its own, which is another subject. */
function subjectName(evidence: EndpointEvidence, { audited }: OpenedPins): string {
  const name = subjectOf(evidence);
  return audited.judged.some(({ subject }) => subject.name === name) ? `${name}, from a file` : name;
}

async function answered(
  question: EndpointQuestion,
  { pins }: OpenedPins,
  at: Date,
  name: string,
): Promise<{ readonly judged: Judged; readonly facts: Json }> {
  const { evidence, offline, timeoutMs } = question;
  if ("blocked" in pins) {
    const none = new Set<string>();
    const judged =
      evidence.kind === "exchange"
        ? judge({ name, catalogue: secretExchange, pinned: none }, all(secretExchange, pins.blocked))
        : judge({ name, catalogue: meshEndpoint, pinned: none }, all(meshEndpoint, pins.blocked));
    return { judged, facts: null };
  }
  const input: MeshInput = { ...pins, ...expectedOf(question), tee: meshTee, at };
  if (evidence.kind === "exchange") {
    const { answers, pinned, evidence: facts } = verifyExchange(evidence.input.bytes, input);
    return { judged: judge({ name, catalogue: secretExchange, pinned }, answers), facts };
  }
  const shown: Response =
    evidence.kind === "live"
      ? await peerCertificate(evidence.peer, { offline, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
      : { status: "ok", bytes: evidence.input.bytes, at: rfc(at) };
  const { answers, pinned, evidence: facts } = verifyEndpoint(shown, input);
  return { judged: judge({ name, catalogue: meshEndpoint, pinned }, answers), facts };
}

const anchorOf = ({ pins, source }: OpenedPins): Anchor[] =>
  "blocked" in pins
    ? []
    : [
        {
          name: "mesh CA",
          sha256: createHash("sha256").update(pins.meshCa.certificate.raw).digest("hex"),
          source,
        },
      ];

const freshness: Readonly<Record<EndpointEvidence["kind"], string>> = {
  live: "a TLS 1.3 handshake of this run: the peer held the certificate's key in that one connection",
  certificate: "not asked: a certificate file",
  exchange: "not asked: a recorded exchange",
};

/** What no mesh certificate can show, whoever holds the mesh CA. */
const unproven: readonly string[] = [
  "Pod: the certificate repeats what the Coordinator saw when the pod came up. The evidence itself, the vendor's certificates of that day, the product line and most bits of the guest policy are not in it.",
  "TCB of a trust domain: a certificate of a pod on TDX repeats no TCB status. The Coordinator judged it by Intel's documents of that day, and laxer than pm: by the TDX module's status alone, where that has a major version above 0.",
  "Software: what the policy with this hash lets run, and that its source was reviewed.",
];
const unprovenOf: Readonly<Record<EndpointEvidence["kind"], readonly string[]>> = {
  live: ["Peer: only this connection was with the key's holder, and nobody else can see that from this report."],
  certificate: ["Holder: whoever handed over the file need not hold its key."],
  exchange: [
    "Exchange: that whoever recorded it drew the public key anew, and that client and service derived a secret from it.",
  ],
};
