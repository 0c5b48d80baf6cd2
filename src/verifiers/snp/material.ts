/** Gathers the certificates of the path: given by the caller, attached to the report, shipped, or asked for. None is trusted. */
import { allZero, sameBytes } from "../../bytes/hex.ts";
import { type Certificate, commonName, decodeCertificates } from "../../crypto/certificate.ts";
import { PmError } from "../../errors.ts";
import type { Look, Response } from "../../run.ts";
import { sha256 } from "./digest.ts";
import type { SnpEvidence } from "./evidence.ts";
import {
  kindOfVekName,
  lineOfCpuid,
  lineOfIntermediateName,
  lineOfProductName,
  type ProductLine,
  productLines,
  type VekKind,
} from "./product.ts";
import { type SnpReport, signingKey } from "./report.ts";
import { chainRequest, vcekRequest } from "./requests.ts";
import { type CertificateTable, decodeCertificateTable, looksLikeTable } from "./table.ts";
import type { Root, Roots } from "./trust/roots.ts";
import { decodeVek, type Vek } from "./vek.ts";

/** Why something is not there: trying again may help, cannot be answered, or the bytes are no certificate. */
export interface Absent {
  readonly absent: "unavailable" | "error" | "malformed";
  readonly reason: string;
}
export interface Found {
  readonly certificate: Certificate;
  /** Who handed it over, for the report. */
  readonly from: string;
}
export interface FoundVek extends Found, Pick<Vek, "kind"> {
  readonly vek: Vek;
}
export interface Given {
  /** One certificate, or the host's certificate table (auxblob of configfs-tsm), whose ASK counts as the chain. */
  readonly vek?: Uint8Array;
  /** PEM list or one certificate, or such a table. */
  readonly chain?: Uint8Array;
  readonly crl?: Uint8Array;
}

export interface Material {
  readonly evidence: SnpEvidence;
  /** What FLAGS.SIGNING_KEY says; undefined when it names no key. */
  readonly signingKind: VekKind | undefined;
  readonly vek: FoundVek | Absent;
  /** Line of the CPUID, or for version 2 of the certificate's issuer. */
  readonly line: ProductLine | undefined;
  readonly root: Root | undefined;
  readonly rootCertificate: Certificate | undefined;
  readonly intermediate: Found | Absent;
  /** A root certificate that came along and is not the pinned one; undefined when there is none. */
  readonly otherRoot: { readonly from: string; readonly certificate: Certificate | undefined } | undefined;
}

export const isAbsent = (x: object): x is Absent => "absent" in x;

const kinds: Readonly<Record<number, VekKind>> = { 0: "VCEK", 1: "VLEK" };

/** @param wanted line that somebody named beforehand; it helps to fetch the certificate of a version 2 report, no more */
export function gather(
  evidence: SnpEvidence,
  given: Given,
  look: Look,
  roots: Roots,
  wanted: ProductLine | undefined,
): Material {
  const { report } = evidence;
  const signingKind = kinds[signingKey(report)];
  const cpuidLine = report.cpuid === undefined ? undefined : lineOfCpuid(report.cpuid);
  const hint = wanted ?? productLines.find((line) => line === evidence.productHint);
  const fetchLine = report.cpuid === undefined ? hint : cpuidLine;
  const vek = findVek(evidence, signingKind, given, look, fetchLine);
  const line = report.cpuid === undefined ? lineOfVek(vek) : cpuidLine;
  const root = line === undefined ? undefined : roots[line];
  const base = { evidence, signingKind, vek, line, root };
  if (root === undefined || isAbsent(vek)) {
    const reason = isAbsent(vek) ? vek.reason : "the product line has no pinned root";
    const intermediate: Absent = isAbsent(vek) ? vek : { absent: "error", reason };
    return { ...base, rootCertificate: undefined, intermediate, otherRoot: undefined };
  }
  const rootCertificate = decodeRoot(root);
  return { ...base, rootCertificate, ...findIssuers(vek, root, rootCertificate, given, evidence, look) };
}

const decodedRoots = new WeakMap<Root, Certificate>();
/** A pinned root is decoded once a process; it is still judged at each use. */
function decodeRoot(root: Root): Certificate | undefined {
  const known = decodedRoots.get(root) ?? decodeCertificates(root.certificate, root.name)[0];
  if (known !== undefined) decodedRoots.set(root, known);
  return known;
}

/** The line that a version 2 report's certificate names: its issuer, else its product name. */
function lineOfVek(vek: FoundVek | Absent): ProductLine | undefined {
  if (isAbsent(vek)) return undefined;
  const byIssuer = lineOfIntermediateName(commonName(vek.certificate.issuer));
  return byIssuer ?? lineOfProductName(vek.vek.productName ?? "");
}

/** The report says which kind of key signed it; a certificate of the other kind is kept, to be named in the answer. */
function findVek(
  evidence: SnpEvidence,
  kind: VekKind | undefined,
  given: Given,
  look: Look,
  line: ProductLine | undefined,
): FoundVek | Absent {
  const [attached, other] = kind === "VLEK" ? [evidence.vlek, evidence.vcek] : [evidence.vcek, evidence.vlek];
  const bytes = given.vek ?? attached ?? other;
  if (bytes !== undefined) return decodeVekFile(bytes, given.vek ? "given" : "attached to the report", kind);
  const noRequest = whyNoRequest(evidence.report, kind, line);
  if (noRequest !== undefined) return { absent: "unavailable", reason: noRequest };
  if (line === undefined) return { absent: "error", reason: "the report's processor is of no known product line" };
  const request = vcekRequest(evidence.report, line);
  const response = look(request);
  return response.status === "ok" ? decodeVekFile(response.bytes, `KDS ${request.path}`, kind) : absent(response);
}

function whyNoRequest(report: SnpReport, kind: VekKind | undefined, line: ProductLine | undefined): string | undefined {
  if (kind === undefined) return "SIGNING_KEY names no key whose certificate could be fetched";
  if (kind === "VLEK") return "no VLEK certificate given; AMD hands it out to the cloud provider only";
  if (allZero(report.chipId)) return "no VCEK certificate given, and CHIP_ID is masked, so that none can be fetched";
  if (report.cpuid === undefined && line === undefined)
    return "no VCEK certificate given, and a version 2 report does not say for which product line to fetch one";
  return undefined;
}

export const absent = (response: Exclude<Response, { status: "ok" }>): Absent => ({
  absent: response.status === "refused" ? "error" : "unavailable",
  reason: response.reason,
});

function decodeFile(bytes: Uint8Array, what: string): readonly Certificate[] | Absent {
  try {
    return decodeCertificates(bytes, what);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { absent: "malformed", reason: error.message };
  }
}

const decodedChains = new Map<string, readonly Certificate[] | Absent>();
const maxDecodedChains = 16;
/** The same few intermediates come with every report: decoding and key import once a process (0.2 ms each), judged each time. */
function decodeChainFile(bytes: Uint8Array, what: string): readonly Certificate[] | Absent {
  const key = `${what} ${sha256(bytes)}`;
  const decoded = decodedChains.get(key) ?? decodeFile(bytes, what);
  if (decodedChains.size >= maxDecodedChains && !decodedChains.has(key)) decodedChains.clear();
  decodedChains.set(key, decoded);
  return decoded;
}

/** Undefined where the bytes are no certificate table. */
function tableOf(bytes: Uint8Array, from: string): CertificateTable | Absent | undefined {
  if (!looksLikeTable(bytes)) return undefined;
  try {
    return decodeCertificateTable(bytes);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { absent: "malformed", reason: `certificate table ${from}: ${error.message}` };
  }
}

function decodeVekFile(bytes: Uint8Array, from: string, kind: VekKind | undefined): FoundVek | Absent {
  const table = tableOf(bytes, from);
  if (table !== undefined) {
    if ("absent" in table) return table;
    const inside = kind === "VLEK" ? (table.vlek ?? table.vcek) : (table.vcek ?? table.vlek);
    return inside === undefined
      ? { absent: "malformed", reason: `certificate table ${from}: holds no VCEK or VLEK` }
      : decodeVekCertificate(inside, `${from}, in a certificate table`, kind);
  }
  return decodeVekCertificate(bytes, from, kind);
}

function decodeVekCertificate(bytes: Uint8Array, from: string, kind: VekKind | undefined): FoundVek | Absent {
  const decoded = decodeFile(bytes, `VEK certificate ${from}`);
  if ("absent" in decoded) return decoded;
  const [certificate, ...more] = decoded;
  if (certificate === undefined || more.length > 0)
    return { absent: "malformed", reason: `VEK certificate ${from}: ${decoded.length} certificates where one belongs` };
  // Judged by the rules of the kind that it says it is; that it is the report's kind is a claim of its own.
  const own = kindOfVekName(commonName(certificate.subject)) ?? kind ?? "VCEK";
  return { certificate, from, kind: own, vek: decodeVek(certificate, own) };
}

type Issuers = Pick<Material, "intermediate" | "otherRoot">;

function findIssuers(
  vek: FoundVek,
  root: Root,
  pinned: Certificate | undefined,
  given: Given,
  evidence: SnpEvidence,
  look: Look,
): Issuers {
  const chain = given.chain ?? (given.vek !== undefined && looksLikeTable(given.vek) ? given.vek : undefined);
  const fromGiven = chain === undefined ? undefined : readGivenChain(chain, vek, pinned);
  const fromEvidence = readAttached(evidence, vek, pinned);
  const otherRoot = fromGiven?.otherRoot ?? fromEvidence.otherRoot;
  const near = fromGiven?.intermediate ?? fromEvidence.intermediate;
  if (near !== undefined) return { intermediate: near, otherRoot };
  const shipped = root.intermediates?.[vek.kind];
  const fetched = shipped
    ? readChain(shipped, "shipped with pm", vek, pinned)
    : fetchChain(look, root.line, vek, pinned);
  const nothing: Absent = { absent: "malformed", reason: "no intermediate certificate in the chain" };
  return { intermediate: fetched.intermediate ?? nothing, otherRoot: otherRoot ?? fetched.otherRoot };
}

interface ChainFile {
  readonly intermediate: Found | Absent | undefined;
  readonly otherRoot: Material["otherRoot"];
}

/** Self-issued certificates are offers for the root; of the rest, the one that the VEK names as its issuer, else the first. */
function readChain(bytes: Uint8Array, from: string, vek: Found, pinned: Certificate | undefined): ChainFile {
  const decoded = decodeChainFile(bytes, `certificate chain ${from}`);
  if ("absent" in decoded) return { intermediate: decoded, otherRoot: undefined };
  const selfIssued = (c: Certificate): boolean => sameBytes(c.issuer.raw, c.subject.raw);
  const rest = decoded.filter((c) => !selfIssued(c) && !sameBytes(c.raw, vek.certificate.raw));
  const chosen = rest.find((c) => sameBytes(c.subject.raw, vek.certificate.issuer.raw)) ?? rest[0];
  const other = decoded.find((c) => selfIssued(c) && !(pinned && sameBytes(c.raw, pinned.raw)));
  return {
    intermediate: chosen === undefined ? undefined : { certificate: chosen, from },
    otherRoot: other === undefined ? undefined : { from, certificate: other },
  };
}

function readGivenChain(bytes: Uint8Array, vek: Found, pinned: Certificate | undefined): ChainFile {
  const table = tableOf(bytes, "given");
  if (table === undefined) return readChain(bytes, "given", vek, pinned);
  if ("absent" in table) return { intermediate: table, otherRoot: undefined };
  return readPlaced(table, "given, in a certificate table", vek, pinned);
}

const readAttached = (evidence: SnpEvidence, vek: Found, pinned: Certificate | undefined): ChainFile =>
  readPlaced(evidence, "attached to the report", vek, pinned);

/** The places of the certificates say what they are meant as. */
function readPlaced(
  placed: Pick<CertificateTable, "ask" | "ark">,
  from: string,
  vek: Found,
  pinned: Certificate | undefined,
): ChainFile {
  const ask = placed.ask === undefined ? undefined : readChain(placed.ask, from, vek, pinned);
  if (placed.ark === undefined) return ask ?? { intermediate: undefined, otherRoot: undefined };
  const decoded = decodeChainFile(placed.ark, `ARK ${from}`);
  const ark = "absent" in decoded ? undefined : decoded[0];
  const same = ark !== undefined && pinned !== undefined && sameBytes(ark.raw, pinned.raw);
  return { intermediate: ask?.intermediate, otherRoot: same ? ask?.otherRoot : { from, certificate: ark } };
}

function fetchChain(look: Look, line: ProductLine, vek: FoundVek, pinned: Certificate | undefined): ChainFile {
  const request = chainRequest(line, vek.kind);
  const response = look(request);
  return response.status === "ok"
    ? readChain(response.bytes, `KDS ${request.path}`, vek, pinned)
    : { intermediate: absent(response), otherRoot: undefined };
}
