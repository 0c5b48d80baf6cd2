/** Asks Intel's service for what a quote's platform needs, and judges each document by itself (tdx.md 3, steps 3 to 5). */
import {
  type Answer,
  type Answers,
  broken,
  cannot,
  gate,
  holds,
  type Origin,
  observed,
  type Sourced,
  specified,
  unavailable,
} from "../claims/answer.ts";
import type { Certificate } from "../crypto/certificate.ts";
import { instant } from "../crypto/time.ts";
import { PmError } from "../errors.ts";
import type { Look, Request, Response } from "../run.ts";
import { verified } from "./authenticate.ts";
import { decodeChain, judgeSignerChain, type PathFindings } from "./chain.ts";
import { decodeQeIdentity, decodeTcbInfo, type QeIdentity, type TcbInfo, tcbInfoVersion } from "./documents.ts";
import type { PckExtensions } from "./pck.ts";
import { type documentQuestions, prefixed } from "./questions.ts";
import {
  type PckCa,
  pckCrlRequest,
  qeIdentityRequest,
  rootCrlRequest,
  type Selection,
  type Tee,
  tcbInfoRequest,
} from "./requests.ts";
import type { IntelRoot } from "./root.ts";

export interface Asked {
  readonly from: string;
  readonly request: Request;
  readonly response: Response;
}
export interface AskedCollateral {
  readonly tcbInfo: Asked;
  readonly qeIdentity: Asked;
  readonly pckCrl: Asked;
  readonly rootCrl: Asked;
}

const ask = (look: Look, request: Request): Asked => ({
  from: `PCS ${request.path}`,
  request,
  response: look(request),
});

/** All four at once, so that they are fetched together. */
export const askCollateral = (
  look: Look,
  tee: Tee,
  { fmspc }: Pick<PckExtensions, "fmspc">,
  ca: PckCa,
  selection: Selection = {},
): AskedCollateral => ({
  tcbInfo: ask(look, tcbInfoRequest(tee, fmspc, selection)),
  qeIdentity: ask(look, qeIdentityRequest(tee, selection)),
  pckCrl: ask(look, pckCrlRequest(ca)),
  rootCrl: ask(look, rootCrlRequest),
});

export const notThere = (r: Exclude<Response, { status: "ok" }>): Answer<never> =>
  r.status === "refused" ? cannot(r.reason) : unavailable(r.reason);

/** Who signed a document, with what is wrong with the chain that came along. */
export interface Signer {
  readonly chain: readonly Certificate[];
  readonly certificate: Certificate;
  readonly findings: PathFindings;
}
type Suffixes = "format" | "chain" | "signature" | "window";
type DocumentId<K extends string> = `${K}.${Suffixes}`;
type Codes<K extends "tcb_info" | "qe_identity"> = Pick<
  Answers<typeof documentQuestions>,
  DocumentId<K> & keyof typeof documentQuestions
>;

export interface JudgedDocument<D, A> {
  readonly answers: A;
  readonly document: D | undefined;
  readonly signer: Signer | undefined;
  readonly from: string;
  /** What the service offered where something better was at hand; there when the same signer signed it. */
  readonly offered?: D;
}
export type JudgedTcbInfo = JudgedDocument<TcbInfo, Codes<"tcb_info">>;
export type JudgedQeIdentity = JudgedDocument<QeIdentity, Codes<"qe_identity">>;

interface Opened<D> {
  readonly document: D;
  readonly signer: Signer;
}
/** A form fault and not an untrusted chain: another number of certificates than two, or none that came along. */
function open<D>(
  { response, from }: Asked,
  decode: (bytes: Uint8Array) => D,
  root: IntelRoot,
  at: Date,
): Opened<D> | { readonly closed: Answer<never>; readonly malformed?: string } {
  if (response.status !== "ok") return { closed: notThere(response) };
  try {
    const document = decode(response.bytes);
    if (response.issuerChain === undefined) return malformedDocument(`${from}: no issuer chain came with it`);
    const chain = decodeChain(Buffer.from(response.issuerChain, "latin1"), `issuer chain of ${from}`, true);
    const [certificate] = chain;
    if (certificate === undefined || chain.length !== 2)
      return malformedDocument(`issuer chain of ${from}: ${chain.length} certificates, needs 2`);
    return { document, signer: { chain, certificate, findings: judgeSignerChain(chain, root, at) } };
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return malformedDocument(error.message);
  }
}
const malformedDocument = (reason: string) => ({ closed: cannot("the document could not be read"), malformed: reason });

const signed = new WeakMap<object, { readonly signer: Certificate; readonly valid: boolean }>();
/** The same decoded document and signer give the same answer: once a process. */
function signatureValid(document: TcbInfo | QeIdentity, signer: Certificate): boolean {
  const before = signed.get(document);
  if (before?.signer === signer) return before.valid;
  const valid = verified(document.raw, document.signature, signer);
  signed.set(document, { signer, valid });
  return valid;
}

/** An offer that nobody signed says nothing about the service, or about time. */
function offeredIn<D extends TcbInfo | QeIdentity>(
  { response }: Asked,
  decode: (bytes: Uint8Array) => D,
  { certificate }: Signer,
): { readonly offered?: D } {
  if (response.status !== "ok" || response.offered === undefined) return {};
  try {
    const offered = decode(response.offered);
    return signatureValid(offered, certificate) ? { offered } : {};
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return {};
  }
}

const pcs = "Intel PCS API version 4";

function formatAnswer(document: TcbInfo | QeIdentity, { chain }: Signer, from: string) {
  const text = (count: number, raw: string): string => `${raw} with its signature and ${count} certificates`;
  return holds(
    chain.length === 2,
    specified(text(2, "one document"), pcs, "issuer chain"),
    observed(text(chain.length, `${document.id} version ${document.version}`), from),
    "COLLATERAL_MALFORMED",
  );
}

function chainAnswer<const C extends string>({ chain, findings }: Signer, root: IntelRoot, from: string, code: C) {
  const messages = [...findings.untrusted, ...findings.invalid];
  return holds(
    messages.length === 0,
    { value: `Intel SGX TCB Signing < ${root.name}, SHA-256 ${root.sha256}`, origin: root.origin },
    observed(messages.length === 0 ? "that chain" : messages.join("; "), "issuer chain", from),
    code,
    chain.length === 2 ? undefined : `${chain.length} certificates`,
  );
}

function signatureAnswer<const C extends string>(
  document: TcbInfo | QeIdentity,
  { certificate }: Signer,
  from: string,
  code: C,
) {
  const valid = signatureValid(document, certificate);
  return holds(
    valid,
    specified(`a valid signature over ${document.raw.length} raw bytes`, pcs, "ECDSA P-256 with SHA-256"),
    observed(valid ? "a valid signature" : "no valid signature", from, "signature"),
    code,
  );
}

/** Both ends belong to the window; written so that an invalid Date lies in none. */
function windowAnswer<const E extends string, const L extends string>(
  { issueDate, nextUpdate }: TcbInfo | QeIdentity,
  at: Date,
  from: string,
  early: E,
  late: L,
): Answer<E | L> {
  const begun = at.getTime() >= issueDate.getTime();
  return holds<E | L>(
    begun && at.getTime() <= nextUpdate.getTime(),
    specified(`in force at ${instant(at)}`, pcs, "issueDate, nextUpdate"),
    observed(`${instant(issueDate)}..${instant(nextUpdate)}`, from, "issueDate, nextUpdate"),
    begun ? late : early,
  );
}

interface DocumentCodes {
  readonly chain: string;
  readonly signature: string;
  readonly early: string;
  readonly late: string;
}
interface DocumentAnswers<C extends DocumentCodes> {
  readonly format: Answer<"COLLATERAL_MALFORMED">;
  readonly chain: Answer<C["chain"]>;
  readonly signature: Answer<C["signature"]>;
  readonly window: Answer<C["early"] | C["late"]>;
}
/** Form, signer, signature and window of either document. */
function judgeDocument<D extends TcbInfo | QeIdentity, const C extends DocumentCodes>(
  asked: Asked,
  decode: (bytes: Uint8Array) => D,
  codes: C,
  root: IntelRoot,
  at: Date,
): JudgedDocument<D, DocumentAnswers<C>> {
  const { from } = asked;
  const opened = open(asked, decode, root, at);
  if ("closed" in opened) {
    const { closed, malformed } = opened;
    const format = malformed === undefined ? closed : broken(malformed, "COLLATERAL_MALFORMED");
    const answers = { format, chain: closed, signature: closed, window: closed };
    return { answers, document: undefined, signer: undefined, from };
  }
  const { document, signer } = opened;
  const answers = {
    format: formatAnswer(document, signer, from),
    chain: chainAnswer<C["chain"]>(signer, root, from, codes.chain),
    signature: signatureAnswer<C["signature"]>(document, signer, from, codes.signature),
    window: windowAnswer<C["early"], C["late"]>(document, at, from, codes.early, codes.late),
  };
  return { answers, document, signer, from, ...offeredIn(asked, decode, signer) };
}

const tcbInfoCodes = {
  chain: "TCB_INFO_CHAIN_INVALID",
  signature: "TCB_INFO_SIGNATURE_INVALID",
  early: "TCB_INFO_NOT_YET_VALID",
  late: "TCB_INFO_EXPIRED",
} as const;
const qeIdentityCodes = {
  chain: "QE_IDENTITY_CHAIN_INVALID",
  signature: "QE_IDENTITY_SIGNATURE_INVALID",
  early: "QE_IDENTITY_NOT_YET_VALID",
  late: "QE_IDENTITY_EXPIRED",
} as const;

export function judgeTcbInfo(asked: Asked, root: IntelRoot, at: Date): JudgedTcbInfo {
  const judged = judgeDocument(asked, decodeTcbInfo, tcbInfoCodes, root, at);
  return { ...judged, answers: prefixed("tcb_info", judged.answers) };
}
export function judgeQeIdentity(asked: Asked, root: IntelRoot, at: Date): JudgedQeIdentity {
  const judged = judgeDocument(asked, decodeQeIdentity, qeIdentityCodes, root, at);
  return { ...judged, answers: prefixed("qe_identity", judged.answers) };
}

const tcbInfoId: Readonly<Record<Tee, string>> = { tdx: "TDX", sgx: "SGX" };

/** Id, version, FMSPC and PCEID; hex in either case, since real documents have both. */
export function tcbInfoPlatform(
  judged: JudgedTcbInfo,
  tee: Tee,
  pck: PckExtensions,
): Answers<typeof documentQuestions>["tcb_info.platform"] {
  const usable = gateOf(tee, judged.answers, ["tcb_info.format", "tcb_info.chain", "tcb_info.signature"]);
  if (usable !== undefined) return usable;
  const { document: info } = judged;
  if (info === undefined) return cannot("the TCB info was not read: a bug in pm");
  const text = (id: string, version: number, fmspc: string, pceId: string): string =>
    `${id} version ${version}, FMSPC ${fmspc}, PCEID ${pceId}`;
  const expected = text(tcbInfoId[tee], tcbInfoVersion, pck.fmspc, pck.pceId);
  const actual = text(info.id, info.version, info.fmspc, info.pceId);
  return holds(
    expected === actual,
    observedInPck(expected),
    observed(actual, judged.from, "id, version, fmspc, pceId"),
    "TCB_INFO_MISMATCH",
  );
}
/** Only asked once the PCK certificate is known to come from the pinned root. */
const observedInPck = (value: string): Sourced => observed(value, "PCK certificate", "FMSPC, PCEID");

/** Why the claims of a document are not all yes; undefined when they are. */
export function gateOf(
  tee: Tee,
  answers: Readonly<Record<string, Answer>>,
  ids: readonly string[],
): Answer<never> | undefined {
  if (ids.every((id) => answers[id]?.status === "pass")) return undefined;
  // The reason names the claims as the report does; a verifier's name is its TEE's.
  const wanted = Object.fromEntries(
    ids.map((id) => [`${tee}.${id}`, answers[id] ?? cannot("not answered: a bug in pm")]),
  );
  const result = gate(wanted, {});
  return "blocked" in result ? result.blocked : undefined;
}

/** A value out of an authenticated document: Intel's word, or that of the test root. */
export const intelWord = (value: string, what: string, root: IntelRoot, at?: string): Sourced => {
  const origin: Origin =
    root.origin.kind === "vendor-root" ? { kind: "vendor-root", name: `${what} under ${root.name}` } : root.origin;
  return { value, origin, ...(at === undefined ? {} : { at }) };
};
