/**
 * What the Coordinator itself would say of TDX evidence (Contrast v1.20, TDX verification and validation; spec notes tdx.md 6,
 * contrast.md 5.5), told from pm's own answers. It fetches Intel's documents itself, so of those at hand only what an
 * authentic one says counts here.
 */
import type { Answer } from "../claims/answer.ts";
import type { Catalogue } from "../claims/question.ts";
import { pckCaNames } from "../dcap/pck.ts";
import type { ManifestRules } from "../verifiers/contrast/index.ts";
import { contrastView, pinnedBy, type TdxJudgement, type TdxReferences, tdx } from "../verifiers/tdx/index.ts";
import { laxer, type Reason, reasonOf } from "./admit-reason.ts";

interface Known {
  readonly rules: ManifestRules;
  /** Whether the first 32 bytes of MRCONFIGID are a policy key of the manifest. */
  readonly known: boolean;
}

/** Owed by pm, and not answered with yes, as the Coordinator would take it; empty: nothing speaks against the evidence. */
export function contrastOnTdx(judged: TdxJudgement, want: TdxReferences, of: Known): Reason[] {
  const pinned = pinnedBy(want);
  const catalogue: Catalogue = tdx;
  const open = Object.entries(judged.answers).filter(
    ([id, answer]) =>
      answer.status !== "pass" &&
      answer.status !== "consistent" &&
      !id.startsWith("tdx.pins.") &&
      (catalogue[id]?.owed === "always" || pinned.has(id)),
  );
  return [...stricter(judged), ...open.map(([id, answer]) => reasonFor(id, answer, judged, want, of))];
}

/** Where pm says yes and Contrast does not. */
function stricter({ decoded, windows }: TdxJudgement): Reason[] {
  const version = decoded?.header.version ?? 4;
  const [, processor] = pckCaNames;
  return [
    ...(version === 4 ? [] : [reasonOf("refuses", `Contrast reads quotes of version 4 only, this one has ${version}`)]),
    ...(windows.some((w) => w.name === processor)
      ? [reasonOf("refuses", "Contrast takes PCK certificates of the Platform CA only")]
      : []),
  ];
}

/** Parts of Intel's collateral that the Coordinator fetches for itself. */
const fetched = /^tdx\.(?:tcb_info|qe_identity|tcb_signing|root_crl|pck_crl)\./;

function reasonFor(id: string, answer: Answer, judged: TdxJudgement, want: TdxReferences, of: Known): Reason {
  const what = `${id} is ${answer.status}${answer.code === undefined ? "" : ` (${answer.code})`}`;
  if (answer.status !== "fail") return reasonOf("depends", what, { unavailable: answer.status === "unavailable" });
  if (id.startsWith("tdx.tcb.") && id !== "tdx.tcb.evaluation") return byTcb(what, judged);
  if (id === "tdx.tcb.evaluation") return byEvaluation(what, judged, want);
  if (id === "tdx.tcb_signing.revocation") return reasonOf("refuses", what);
  if (fetched.test(id)) return byDocument(what, answer);
  if (id === "tdx.module.identity")
    return reasonOf("depends", `${what}: Contrast compares with the TCB info's tdxModule alone`);
  if (id === "tdx.pck.validity" && answer.code !== "CERT_EXPIRED") return reasonOf("depends", what);
  if (id === "tdx.td.xfam_fixed" && answer.reason === halfCetAlone)
    return laxer(`${what}: Contrast does not ask that CET is both bits or none`);
  if (id === "tdx.td.xfam" && of.rules.version === "main" && equalButCet(answer))
    return laxer(`${what}: Contrast's main branch compares XFAM without the CET bits`);
  if (id === "tdx.td.mrconfigid" && of.known)
    return laxer(`${what}: the mesh API looks up the first 32 bytes of MRCONFIGID alone`);
  return reasonOf("refuses", what);
}

/** With a module of major version 1 or more the platform's status is not looked at. */
function byTcb(what: string, { decoded, tcb }: TdxJudgement): Reason {
  if (decoded === undefined || tcb === undefined) return reasonOf("depends", what);
  const view = contrastView(decoded, tcb);
  return view.accepts ? laxer(`${what}: for Contrast ${view.why}`) : reasonOf("refuses", `${what}: ${view.why}`);
}

/** Asked for at this number, so that another TCB info would be looked at; of the QE identity none is asked. */
function byEvaluation(what: string, { documents }: TdxJudgement, { minimumEvaluation }: TdxReferences): Reason {
  const tcbInfo = documents.find(({ issuer }) => issuer.includes("/tcb?"));
  const enough = tcbInfo !== undefined && Number(tcbInfo.number ?? -1) >= (minimumEvaluation?.value ?? 0);
  return enough
    ? laxer(`${what}: Contrast does not ask for the number of the QE identity`)
    : reasonOf("depends", `${what}: Contrast asks Intel for TCB info of the demanded number`);
}

function byDocument(what: string, { code }: Answer): Reason {
  return code?.endsWith("NOT_YET_VALID") && !code.startsWith("CERT_")
    ? laxer(`${what}: Contrast fetches another document, and does not look at its first day`, "depends")
    : reasonOf("depends", `${what}: Contrast fetches Intel's document itself`);
}

/** The verifier's reason where nothing else about XFAM's fixed bits is wrong. */
const halfCetAlone = "only one of the CET bits 11 and 12 is set";

/** XFAM in memory order: bits 11 and 12 are 0x18 of the second byte. */
function equalButCet({ expected, actual }: Answer): boolean {
  const [a, b] = [expected?.value ?? "", actual?.value ?? ""].map((text) => Buffer.from(text, "hex"));
  return (
    a?.length === 8 &&
    b?.length === 8 &&
    a.every((byte, i) => (byte ^ (b[i] ?? 0)) === 0 || onlyCet(i, byte ^ (b[i] ?? 0)))
  );
}
const onlyCet = (index: number, difference: number): boolean => index === 1 && (difference & ~0x18) === 0;
