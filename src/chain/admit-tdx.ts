/** TDX evidence against the manifest's TDX reference values (Contrast v1.20, TDX verification and validation). */
import { hex } from "../bytes/hex.ts";
import { observed, type Sourced } from "../claims/answer.ts";
import { judge } from "../claims/subject.ts";
import { recogniseQuote } from "../dcap/carrier.ts";
import { intelRoot, intelTestRoot } from "../dcap/root.ts";
import { PmError } from "../errors.ts";
import type { Look } from "../run.ts";
import { documentOf } from "../verifiers/contrast/document.ts";
import {
  noReferences,
  pinnedBy,
  type TdxEvidence,
  type TdxJudgement,
  type TdxReferences,
  tdx,
  verifyTdx,
} from "../verifiers/tdx/index.ts";
import { contrastOnTdx } from "./admit-contrast-tdx.ts";
import { type AdmitJudgement, type AdmitQuestion, maxEntries } from "./admit-judged.ts";
import { tdxCandidates } from "./references.ts";

/**
 * Evidence that names TDX in its header (TEE type 0x81, versions 4 and 5, a key type that is not 0), raw, as hex or base64,
 * or go-tdx-guest's protobuf; undefined for anything else. An SNP report begins with a version of four bytes.
 */
export function tdxEvidence(bytes: Uint8Array): TdxEvidence | undefined {
  const found = recognised(bytes);
  if (found === undefined) return undefined;
  if (found.form === "protobuf") return documentOf(found.bytes).kind === "tdx" ? found : undefined;
  const [version, , keyType, , ...teeType] = found.bytes.subarray(0, 8);
  const named = hex(Uint8Array.from(teeType)) === "81000000" && found.bytes[1] === 0;
  return named && (version === 4 || version === 5) && keyType !== 0 ? found : undefined;
}

function recognised(bytes: Uint8Array): ReturnType<typeof recogniseQuote> | undefined {
  try {
    return recogniseQuote(bytes);
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  }
}

export function judgeTdxAdmission(
  evidence: TdxEvidence,
  { manifest, origin, keys, rules, testRoot }: AdmitQuestion,
  look: Look,
  at: Date,
): AdmitJudgement {
  const binding = keys.length === 0 ? {} : { hostData: keys };
  const candidates = manifest === undefined ? [] : tdxCandidates(manifest, origin, binding);
  const asked = candidates.length > 0 ? candidates : [withoutEntry(keys)];
  const root = testRoot === undefined ? intelRoot() : intelTestRoot(testRoot.bytes, testRoot.file);
  const verify = (list: readonly TdxReferences[]): TdxJudgement =>
    verifyTdx(evidence, look, list, { root, collateral: "required" }, at);
  const judgement = verify(asked);
  const { answers, candidate, quote, blocked, anchors } = judgement;
  const want = asked[candidate] ?? noReferences;
  const td = quote?.body.kind === "sgx-report" ? undefined : quote?.body;
  // The mesh API looks at these 32 bytes alone; that nothing follows them is a claim of its own.
  const hostData = td === undefined ? undefined : hex(td.mrConfigId.subarray(0, 32));
  const known = keys.some((key) => key.value === hostData);
  const byEntry = (manifest?.tdx ?? []).slice(0, maxEntries).map((_, i) => {
    const wanted = asked[i] ?? noReferences;
    return contrastOnTdx(i === candidate ? judgement : verify([wanted]), wanted, { rules, known });
  });
  return {
    tee: "TDX",
    judged: judge({ name: "quote", catalogue: tdx, pinned: pinnedBy(want) }, answers),
    evidence: judgement.evidence,
    anchors,
    answers,
    hostData:
      hostData === undefined
        ? undefined
        : observed(hostData, "TDX quote", "MRCONFIGID, body bytes 184..215 of 184..231"),
    blocked,
    entry: manifest?.tdx[candidate],
    entries: manifest?.tdx.length ?? 0,
    demands: demandsOf(want),
    byEntry,
    shown: byEntry[candidate] ?? [],
  };
}

/** Without a reference value only authenticity and the policy can be told. */
const withoutEntry = (keys: readonly Sourced[]): TdxReferences =>
  keys.length === 0
    ? noReferences
    : { ...noReferences, mrConfigId: keys.map((key) => ({ ...key, value: `${key.value}${"00".repeat(16)}` })) };

/** Claims that compare the quote with the reference value alone. */
const demandsOf = (want: TdxReferences): string[] =>
  [...pinnedBy(want)].filter((id) => id !== "tdx.td.mrconfigid" && id !== "tdx.td.report_data");
