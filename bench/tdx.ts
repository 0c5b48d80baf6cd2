/**
 * One TDX quote verified in process against the node:crypto calls that it cannot do without, and against the npm package
 * @phala/dcap-qvl on the same bytes. Quote and collateral come out of the seeded generator, under a test root that both take.
 *
 * A process that judges many quotes decodes Intel's documents and lists and checks their signatures once: new with each
 * quote are its PCK certificate, the attestation key and three signatures. The rows "first quote" are without that: the
 * evidence of more authorities in turn than pm keeps, each root named anew. The floor is the whole list in every row.
 */
import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { QuoteVerifier } from "@phala/dcap-qvl";
import { collateralJson } from "../fixtures/generator/intel-collateral.ts";
import { type IntelEvidence, intelDraft, makeIntelEvidence } from "../fixtures/generator/intel-evidence.ts";
import { pcsResponse } from "../fixtures/generator/intel-pcs.ts";
import { judge } from "../src/claims/subject.ts";
import { conclude } from "../src/claims/verdict.ts";
import { decodeCertificate } from "../src/crypto/certificate.ts";
import { decodeCrl } from "../src/crypto/crl.ts";
import { derSignature } from "../src/crypto/ecdsa.ts";
import { decodeChain } from "../src/dcap/chain.ts";
import { decodeQeIdentity, decodeTcbInfo } from "../src/dcap/documents.ts";
import { decodeQuote } from "../src/dcap/quote.ts";
import { intelTestRoot } from "../src/dcap/root.ts";
import type { Request, Response } from "../src/run.ts";
import { noReferences, pinnedBy, type TdxReferences, tdx, verifyTdx } from "../src/verifiers/tdx/index.ts";
import { callMinimums, type Row } from "./measure.ts";

// Whole seconds, as dcap-qvl takes them.
const at = new Date(Math.floor(Date.now() / 1000) * 1000);
const [rounds, calls] = [300, 4];
/** Three issuers each: more than the 64 certificates, 32 documents and 16 lists that src/dcap keeps. */
const authorities = 40;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const flag = (name: string, bytes: Uint8Array) => ({
  value: hex(bytes),
  origin: { kind: "flag", name } as const,
});

/** A version 4 quote, TD report 1.0, everything up to date, with the pins that a verdict needs. */
interface Sample {
  readonly evidence: IntelEvidence;
  readonly want: TdxReferences;
}
function sample(seed: string): Sample {
  const draft = intelDraft(seed, at);
  const { mrTd, reportData } = draft.td;
  const pins = { mrTd: flag("--mrtd", mrTd), reportData: flag("--report-data", reportData) };
  return { evidence: makeIntelEvidence(draft), want: { ...noReferences, ...pins } };
}

/** Calls what was made of each sample, one sample a call. */
function inTurn(each: readonly (() => void)[]): () => void {
  let next = 0;
  return () => each[next++ % each.length]?.();
}

/** The whole judgement, from bytes to verdict; collateral lies in memory. */
function verification({ evidence, want }: Sample, first: boolean): () => void {
  const { quote: bytes, form, collateral } = evidence;
  const known = new Map<string, Response>();
  const look = (request: Request): Response => {
    const response = known.get(request.path) ?? pcsResponse({ collateral: [collateral] }, request.path, at);
    known.set(request.path, response);
    return response;
  };
  const root = () => intelTestRoot(evidence.root, "root.der");
  const once = root();
  return () => {
    const trust = { root: first ? root() : once, collateral: "required" } as const;
    const { answers } = verifyTdx({ bytes, form }, look, [want], trust, at);
    const subject = { name: "quote", catalogue: tdx, pinned: pinnedBy(want) };
    const { verdict } = conclude([judge(subject, answers)], { waivers: [], promoted: new Set(), now: at });
    // A judgement that fails early may not count as a fast one.
    if (verdict !== "verified") throw new Error(`verdict ${verdict}`);
  };
}

/** The package takes one collateral object with the CRLs in hex, and another root. */
function dcapQvl({ evidence }: Sample): () => void {
  const verifier = QuoteVerifier.newWithRootCa(Buffer.from(evidence.root));
  const collateral = JSON.parse(collateralJson(evidence.collateral));
  const quote = Buffer.from(evidence.quote);
  return () => {
    const { status } = verifier.verify(quote, collateral, at.getTime() / 1000);
    if (status !== "UpToDate") throw new Error(`dcap-qvl: ${status}`);
  };
}

interface Signed {
  readonly data: Uint8Array;
  /** DER: the quickest form for node:crypto. */
  readonly signature: Uint8Array;
  /** Index into the keys. */
  readonly by: number;
}
const p256Spki = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");

/**
 * Five keys imported, one hash, nine signatures: quote, QE report, PCK certificate, its CA, TCB signing certificate, TCB
 * info, QE identity, both lists. The root is pinned by its bytes, so that its own signature can be done without. Where the
 * signed parts lie is known beforehand.
 */
function floor({ evidence }: Sample): () => void {
  const quote = decodeQuote(evidence.raw);
  const [leaf, ca, root] = decodeChain(quote.certification.data, "PCK chain", false);
  const { tcbInfo, qeIdentity, rootCrl, pckCrl } = evidence.collateral;
  const [signer] = decodeChain(Buffer.from(tcbInfo.issuerChain), "issuer chain", false);
  if (!leaf || !ca || !root || !signer || !rootCrl || !pckCrl)
    throw new Error("the sample lacks a certificate or list");
  const spkis = [root, ca, leaf, signer].map(({ raw }) => Buffer.from(decodeCertificate(raw).spki));
  spkis.push(Buffer.concat([p256Spki, quote.attestationKey]));
  const x509 = (of: { readonly tbs: Uint8Array; readonly signature: Uint8Array }, by: number): Signed => ({
    data: of.tbs,
    signature: of.signature,
    by,
  });
  const fixed = (data: Uint8Array, signature: Uint8Array, by: number): Signed => ({
    data,
    signature: derSignature(signature),
    by,
  });
  const [info, identity] = [decodeTcbInfo(tcbInfo.body), decodeQeIdentity(qeIdentity.body)];
  const signatures = [
    ...[x509(ca, 0), x509(signer, 0), x509(decodeCrl(rootCrl), 0), x509(leaf, 1), x509(decodeCrl(pckCrl), 1)],
    fixed(quote.qeReportBytes, quote.qeReportSignature, 2),
    ...[info, identity].map(({ raw, signature }) => fixed(raw, signature, 3)),
    fixed(quote.signed, quote.signature, 4),
  ];
  const binding = Buffer.from(quote.qeReport.reportData.subarray(0, 32));
  return () => {
    const keys: readonly KeyObject[] = spkis.map((key) => createPublicKey({ key, format: "der", type: "spki" }));
    const digest = createHash("sha256").update(quote.attestationKey).update(quote.qeAuthData).digest();
    const good = signatures.every(({ data, signature, by }) => {
      const key = keys[by];
      return key !== undefined && verify("sha256", data, key, signature);
    });
    if (!good || !digest.equals(binding)) throw new Error("the floor does not verify");
  };
}

export function tdxInProcess(): Row[] {
  const samples = Array.from({ length: authorities }, (_, i) => sample(`bench ${i}`));
  const [one] = samples;
  if (one === undefined) return [];
  const best = callMinimums(
    {
      pm: verification(one, false),
      first: inTurn(samples.map((s) => verification(s, true))),
      floor: inTurn(samples.map(floor)),
      dcapQvl: inTurn(samples.map(dcapQvl)),
    },
    rounds,
    calls,
  );
  const time = (name: string): number => best.get(name) ?? Number.NaN;
  const [ours, first, least, theirs] = [time("pm"), time("first"), time("floor"), time("dcapQvl")];
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  const package_ = `@phala/dcap-qvl 0.3.9 (${ms(theirs)})`;
  return [
    {
      what: `TDX quote with collateral in process (${ms(ours)}) / its node:crypto calls (${ms(least)})`,
      ratio: ours / least,
      target: 1.3,
    },
    { what: `the same / ${package_}`, ratio: ours / theirs, target: 1 / 3 },
    { what: `first quote of a process (${ms(first)}) / its node:crypto calls`, ratio: first / least },
    { what: `the same / ${package_}`, ratio: first / theirs },
  ];
}
