/**
 * TCB info version 3 and QE identity version 2 of Intel's Provisioning Certification Service (spec notes tdx.md 8). Decoded
 * from the signed bytes; whether they are authentic, in force and for this platform is judged elsewhere.
 */
import { createHash } from "node:crypto";
import { hex } from "../bytes/hex.ts";
import { readJson } from "../bytes/json.ts";
import { malformed } from "../errors.ts";
import { JsonFields } from "./json-fields.ts";
import { collateralMalformed, cutSigned, type SignedJson } from "./signed-json.ts";

/** One of a list of levels that begins with the highest. */
export interface SvnLevel {
  readonly isvSvn: number;
  /** As written: the advisories up to this date are covered. */
  readonly tcbDate: string;
  /** As written; what pm does not know is kept, to be refused where it counts. */
  readonly tcbStatus: string;
  readonly advisoryIds: readonly string[];
}
export interface Component {
  readonly svn: number;
  /** What the component is, in Intel's words; empty where Intel does not say. */
  readonly name: string;
}
export interface TcbLevel extends Omit<SvnLevel, "isvSvn"> {
  /** 16. */
  readonly sgx: readonly Component[];
  readonly pceSvn: number;
  /** 16; TDX only. */
  readonly tdx: readonly Component[] | undefined;
}
export interface ModuleIdentity {
  /** "TDX_01"; absent for the document's tdxModule. */
  readonly id?: string;
  /** 48 bytes, the expected MRSIGNERSEAM. */
  readonly mrSigner: Uint8Array;
  /** 8 bytes each. */
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  readonly levels: readonly SvnLevel[];
}
interface Dated extends SignedJson {
  readonly id: string;
  readonly version: number;
  readonly issueDate: Date;
  readonly nextUpdate: Date;
  readonly evaluationNumber: number;
}
export interface TcbInfo extends Dated {
  /** Lower-case hex. */
  readonly fmspc: string;
  readonly pceId: string;
  readonly module: ModuleIdentity | undefined;
  /** undefined: the document has no such list, as in 2023. */
  readonly modules: readonly ModuleIdentity[] | undefined;
  readonly levels: readonly TcbLevel[];
}
export interface QeIdentity extends Dated {
  readonly miscSelect: number;
  readonly miscSelectMask: number;
  /** 16 bytes each. */
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  /** 32 bytes. */
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly levels: readonly SvnLevel[];
}

export const tcbInfoVersion = 3;
export const qeIdentityVersion = 2;

const kept = 32;
/** Many quotes share a document: decoded once a process, by content; judged at each use. */
function byContent<T>(decode: (bytes: Uint8Array) => T): (bytes: Uint8Array) => T {
  const known = new Map<string, T>();
  return (bytes) => {
    const key = createHash("sha256").update(bytes).digest("base64");
    const found = known.get(key) ?? decode(bytes);
    if (known.size >= kept && !known.has(key)) known.clear();
    known.set(key, found);
    return found;
  };
}

/** @throws PmError PM_EVIDENCE_MALFORMED COLLATERAL_MALFORMED; another version than 3 has no levels here, and is refused by its number */
export const decodeTcbInfo: (response: Uint8Array) => TcbInfo = byContent((response) => {
  const signed = cutSigned(response, "tcbInfo", "TCB info");
  const o = fieldsOf(signed.raw, "TCB info");
  const dated = readDated(o);
  const common = { ...signed, ...dated, fmspc: hex(o.hex("fmspc", 6)), pceId: hex(o.hex("pceId", 2)) };
  if (dated.version !== tcbInfoVersion) return { ...common, module: undefined, modules: undefined, levels: [] };
  const tdx = dated.id === "TDX";
  return {
    ...common,
    module: tdx ? readModule(o.object("tdxModule"), false) : undefined,
    modules: tdx ? o.objectsIfThere("tdxModuleIdentities")?.map((m) => readModule(m, true)) : undefined,
    levels: nonEmpty(o, o.objects("tcbLevels")).map((level) => readTcbLevel(level, tdx)),
  };
});

/** @throws PmError PM_EVIDENCE_MALFORMED COLLATERAL_MALFORMED */
export const decodeQeIdentity: (response: Uint8Array) => QeIdentity = byContent((response) => {
  const signed = cutSigned(response, "enclaveIdentity", "QE identity");
  const o = fieldsOf(signed.raw, "QE identity");
  return {
    ...signed,
    ...readDated(o),
    miscSelect: littleEndian(o.hex("miscselect", 4)),
    miscSelectMask: littleEndian(o.hex("miscselectMask", 4)),
    attributes: o.hex("attributes", 16),
    attributesMask: o.hex("attributesMask", 16),
    mrSigner: o.hex("mrsigner", 32),
    isvProdId: o.integer("isvprodid", 65535),
    levels: nonEmpty(o, o.objects("tcbLevels")).map(readSvnLevel),
  };
});

const fieldsOf = (raw: Uint8Array, what: string): JsonFields =>
  JsonFields.of(readJson(raw, { what, reasonCode: collateralMalformed, maxDepth: 8 }).root, what);
const littleEndian = (bytes: Uint8Array): number => Buffer.from(bytes).readUInt32LE(0);

function nonEmpty<T>(o: JsonFields, list: readonly T[]): readonly T[] {
  if (list.length === 0) throw malformed(`${o.what}: tcbLevels is empty`, collateralMalformed);
  return list;
}

const readDated = (o: JsonFields): Omit<Dated, keyof SignedJson> => ({
  id: o.string("id"),
  version: o.integer("version", 65535),
  issueDate: o.instant("issueDate"),
  nextUpdate: o.instant("nextUpdate"),
  evaluationNumber: o.integer("tcbEvaluationDataNumber", 2 ** 31 - 1),
});

const readModule = (o: JsonFields, listed: boolean): ModuleIdentity => ({
  ...(listed ? { id: o.string("id") } : {}),
  mrSigner: o.hex("mrsigner", 48),
  attributes: o.hex("attributes", 8),
  attributesMask: o.hex("attributesMask", 8),
  levels: listed ? nonEmpty(o, o.objects("tcbLevels")).map(readSvnLevel) : [],
});

const readStatus = (o: JsonFields): Omit<SvnLevel, "isvSvn"> => {
  const tcbDate = o.string("tcbDate");
  o.instant("tcbDate");
  return { tcbDate, tcbStatus: o.string("tcbStatus"), advisoryIds: o.stringsIfThere("advisoryIDs") ?? [] };
};
const readSvnLevel = (o: JsonFields): SvnLevel => ({
  isvSvn: o.object("tcb").integer("isvsvn", 65535),
  ...readStatus(o),
});

function readTcbLevel(o: JsonFields, tdx: boolean): TcbLevel {
  const tcb = o.object("tcb");
  return {
    sgx: readComponents(tcb, "sgxtcbcomponents"),
    pceSvn: tcb.integer("pcesvn", 65535),
    tdx: tdx ? readComponents(tcb, "tdxtcbcomponents") : undefined,
    ...readStatus(o),
  };
}

/** Exactly 16: fewer would leave components uncompared. */
function readComponents(tcb: JsonFields, name: string): readonly Component[] {
  const list = tcb.objects(name);
  if (list.length !== 16)
    throw malformed(`${tcb.what}: ${name} has ${list.length} members, needs 16`, collateralMalformed);
  return list.map((c) => ({
    svn: c.integer("svn", 255),
    name: [c.stringIfThere("category"), c.stringIfThere("type")].filter((s) => s !== undefined).join(", "),
  }));
}
