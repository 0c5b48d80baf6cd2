/** Intel's TCB info and QE identity as `pm inspect` shows them: what they say, in their own words; no signature was looked at. */
import { hex, hexNumber } from "../bytes/hex.ts";
import {
  type Component,
  decodeQeIdentity,
  decodeTcbInfo,
  type ModuleIdentity,
  type SvnLevel,
  type TcbLevel,
} from "../dcap/documents.ts";
import type { Json } from "../report/report.ts";
import { rfc } from "../time.ts";

type Status = Pick<SvnLevel, "tcbStatus" | "tcbDate" | "advisoryIds">;
const statusFacts = ({ tcbStatus, tcbDate, advisoryIds }: Status) => ({
  tcbStatus,
  tcbDate,
  advisoryIDs: advisoryIds.join(", "),
});
const svnLevel = (level: SvnLevel): Json => ({ isvsvn: level.isvSvn, ...statusFacts(level) });
const svns = (components: readonly Component[]): string => components.map((c) => c.svn).join(" ");
const tcbLevel = (level: TcbLevel): Json => ({
  sgxtcbcomponents: svns(level.sgx),
  pcesvn: level.pceSvn,
  ...(level.tdx === undefined ? {} : { tdxtcbcomponents: svns(level.tdx) }),
  ...statusFacts(level),
});
const moduleFacts = (module: ModuleIdentity): Json => ({
  ...(module.id === undefined ? {} : { id: module.id }),
  mrsigner: hex(module.mrSigner),
  attributes: hex(module.attributes),
  attributesMask: hex(module.attributesMask),
  ...(module.id === undefined ? {} : { tcbLevels: module.levels.map(svnLevel) }),
});

interface Dated {
  readonly id: string;
  readonly version: number;
  readonly issueDate: Date;
  readonly nextUpdate: Date;
  readonly evaluationNumber: number;
}
const dated = ({ id, version, issueDate, nextUpdate, evaluationNumber }: Dated) => ({
  id,
  version,
  issueDate: rfc(issueDate),
  nextUpdate: rfc(nextUpdate),
  tcbEvaluationDataNumber: evaluationNumber,
});

/** @throws PmError PM_EVIDENCE_MALFORMED */
export function tcbInfoToFacts(response: Uint8Array): Json {
  const info = decodeTcbInfo(response);
  return {
    ...dated(info),
    fmspc: info.fmspc,
    pceId: info.pceId,
    ...(info.module === undefined ? {} : { tdxModule: moduleFacts(info.module) }),
    ...(info.modules === undefined ? {} : { tdxModuleIdentities: info.modules.map(moduleFacts) }),
    tcbLevels: info.levels.map(tcbLevel),
    signedBytes: info.raw.length,
    signature: hex(info.signature),
  };
}

/** @throws PmError PM_EVIDENCE_MALFORMED */
export function qeIdentityToFacts(response: Uint8Array): Json {
  const identity = decodeQeIdentity(response);
  return {
    ...dated(identity),
    mrsigner: hex(identity.mrSigner),
    isvprodid: identity.isvProdId,
    miscselect: hexNumber(identity.miscSelect, 8),
    miscselectMask: hexNumber(identity.miscSelectMask, 8),
    attributes: hex(identity.attributes),
    attributesMask: hex(identity.attributesMask),
    tcbLevels: identity.levels.map(svnLevel),
    signedBytes: identity.raw.length,
    signature: hex(identity.signature),
  };
}
