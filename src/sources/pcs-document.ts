/**
 * What Intel's documents say about themselves: what they are, for whom, from when to when. It orders and files them and
 * proves nothing: signatures, and whether a document fits a quote, are the verifier's business.
 */
import { fromHex } from "../bytes/hex.ts";
import { commonName, decodeCertificates } from "../crypto/certificate.ts";
import { decodeCrl } from "../crypto/crl.ts";
import { PmError } from "../errors.ts";
import { type PcsItem, type PcsKind, subjectOf } from "./pcs-path.ts";
import { isTime } from "./time.ts";

export interface PcsDocument {
  readonly kind: PcsKind;
  /** As `subjectOf`; undefined where the document does not say for whom it is. */
  readonly subject: string | undefined;
  /** issueDate, or thisUpdate of a CRL; undefined where it is no time, and then the document has no order. */
  readonly issued: Date | undefined;
  /** undefined: there is none, or it is no time. */
  readonly nextUpdate: Date | undefined;
  /** tcbEvaluationDataNumber, or the CRL number. */
  readonly number: bigint | undefined;
}

/** Any of Intel's documents, as the service or a PCCS sends it; undefined for everything else. */
export function decodeDocument(bytes: Uint8Array): PcsDocument | undefined {
  const first = bytes.find((octet) => octet !== 0x20 && octet !== 0x09 && octet !== 0x0a && octet !== 0x0d);
  return first === 0x7b ? signedJson(bytes) : revocationList(bytes);
}

/** Member of the response, kind, and the ids of its TEEs (tdx.md 8). */
const bodies = [
  ["tcbInfo", "tcb-info", { SGX: "sgx", TDX: "tdx" }],
  ["enclaveIdentity", "qe-identity", { QE: "sgx", TD_QE: "tdx" }],
] as const;

function signedJson(bytes: Uint8Array): PcsDocument | undefined {
  const response = attempt(
    () => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)),
    SyntaxError,
    TypeError,
  );
  // Without a signature it is a description of such a document, not one.
  if (!isRecord(response) || typeof response["signature"] !== "string") return undefined;
  const found = bodies.find(([name]) => isRecord(response[name]));
  const body = found === undefined ? undefined : response[found[0]];
  if (found === undefined || !isRecord(body)) return undefined;
  const { issueDate, nextUpdate, tcbEvaluationDataNumber: number } = body;
  return {
    kind: found[1],
    subject: subjectOfBody(found, body),
    issued: isTime(issueDate) ? new Date(issueDate) : undefined,
    nextUpdate: isTime(nextUpdate) ? new Date(nextUpdate) : undefined,
    number: typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? BigInt(number) : undefined,
  };
}

function subjectOfBody([, kind, ids]: (typeof bodies)[number], body: Record<string, unknown>): string | undefined {
  const { id, fmspc } = body;
  const tee = typeof id === "string" ? new Map<string, "sgx" | "tdx">(Object.entries(ids)).get(id) : undefined;
  if (tee === undefined) return undefined;
  if (kind !== "tcb-info") return subjectOf({ kind, tee });
  // Intel has served both cases (tdx.md 3, step 4).
  if (typeof fmspc !== "string" || !/^[0-9a-fA-F]{12}$/.test(fmspc)) return undefined;
  return subjectOf({ kind, tee, fmspc: fmspc.toLowerCase() });
}

function revocationList(bytes: Uint8Array): PcsDocument | undefined {
  const crl = attempt(() => decodeCrl(derOf(bytes)), PmError);
  const item = crl === undefined ? undefined : crlItems.get(commonName(crl.issuer));
  if (crl === undefined || item === undefined) return undefined;
  const { thisUpdate: issued, nextUpdate, number } = crl;
  return { kind: item.kind, subject: subjectOf(item), issued, nextUpdate, number };
}

/** By the common name of the CA (tdx.md 2). */
const crlItems: ReadonlyMap<string | undefined, PcsItem> = new Map([
  ["Intel SGX Root CA", { kind: "root-crl" }],
  ["Intel SGX PCK Platform CA", { kind: "pck-crl", ca: "platform" }],
  ["Intel SGX PCK Processor CA", { kind: "pck-crl", ca: "processor" }],
]);

/** The subject of the CRL that the first certificate of an issuer chain signs; undefined for any other chain. */
export function crlSubjectOf(issuerChain: string): string | undefined {
  const [first] = attempt(() => decodeCertificates(new TextEncoder().encode(issuerChain)), PmError) ?? [];
  const item = first === undefined ? undefined : crlItems.get(commonName(first.subject));
  return item === undefined ? undefined : subjectOf(item);
}

/** A PCCS sends its CRLs as hex text (tdx.md 8). */
function derOf(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("latin1")
    .replace(/[\0\s]+$/, "");
  return /^[0-9a-fA-F]+$/.test(text) && text.length % 2 === 0 ? fromHex(text, undefined, "CRL") : bytes;
}

/**
 * Whether `a` is newer than `b`: by TCB evaluation data number or CRL number, then by issue date. The number goes first
 * for TCB info and QE identities, because Intel signs old numbers anew with today's date, so that a date alone would let
 * whoever sits between play an old number; for CRLs the date does, since numbers may start afresh. undefined: no order.
 */
export function newer(a: PcsDocument, b: PcsDocument): boolean | undefined {
  if (a.issued === undefined || b.issued === undefined) return undefined;
  const byNumber = a.number === undefined || b.number === undefined ? 0 : compare(a.number, b.number);
  const byDate = compare(a.issued.getTime(), b.issued.getTime());
  const crl = a.kind === "pck-crl" || a.kind === "root-crl";
  const order = crl ? byDate || byNumber : byNumber || byDate;
  return order === 0 ? undefined : order > 0;
}

/** issueDate <= at <= nextUpdate. */
export const inWindow = ({ issued, nextUpdate }: PcsDocument, at: Date): boolean =>
  issued !== undefined &&
  nextUpdate !== undefined &&
  issued.getTime() <= at.getTime() &&
  at.getTime() <= nextUpdate.getTime();

const compare = <T extends number | bigint>(a: T, b: T): number => (a > b ? 1 : a < b ? -1 : 0);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value, or undefined where one of these errors says that the bytes have another form. */
function attempt<T>(
  decode: () => T,
  ...expected: readonly (abstract new (
    ...args: never[]
  ) => Error)[]
): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (expected.some((kind) => error instanceof kind)) return undefined;
    throw error;
  }
}
