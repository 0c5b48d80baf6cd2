/** What the auditor expects of an enclave: reference values, each with who says it. */
import type { Origin, Sourced } from "../../claims/answer.ts";
import type { statements } from "./claims.ts";

/** A number with who says it. */
export interface Numbered {
  readonly value: number;
  readonly origin: Origin;
  readonly at?: string;
}

/** Values are lower-case hex of the whole field. A member that is not there is not a reference value: its claim is not owed. */
export interface SgxReferences {
  /** 32 bytes. */
  readonly mrEnclave?: Sourced;
  /** 32 bytes; says what runs only together with `isvProdId` and `minimumIsvSvn`. */
  readonly mrSigner?: Sourced;
  readonly isvProdId?: Numbered;
  readonly minimumIsvSvn?: Numbered;
  /** 64 bytes. */
  readonly reportData?: Sourced;
  /** 64 bytes. */
  readonly configId?: Sourced;
  readonly configSvn?: Numbered;
  /** 16 bytes. */
  readonly isvExtProdId?: Sourced;
  /** 16 bytes. */
  readonly isvFamilyId?: Sourced;
  /** ATTRIBUTES (FLAGS, then XFRM), 16 bytes each; a bit outside the mask is not compared. DEBUG is refused whatever they say. */
  readonly attributes?: { readonly value: Uint8Array; readonly mask: Uint8Array; readonly source: Sourced };
  readonly miscSelect?: Numbered;
  /** Of TCB info and QE identity, each. */
  readonly minimumTcbEvaluation?: Numbered;
}

export const noReferences: SgxReferences = {};

type StatementId = keyof typeof statements & string;
/** The member that each pinned question compares with. */
const pinnedMembers = {
  "sgx.tcb.evaluation": "minimumTcbEvaluation",
  "sgx.enclave.mrenclave": "mrEnclave",
  "sgx.enclave.mrsigner": "mrSigner",
  "sgx.enclave.isv_prod_id": "isvProdId",
  "sgx.enclave.isv_svn": "minimumIsvSvn",
  "sgx.enclave.isv_ext_prod_id": "isvExtProdId",
  "sgx.enclave.isv_family_id": "isvFamilyId",
  "sgx.enclave.config_id": "configId",
  "sgx.enclave.config_svn": "configSvn",
  "sgx.enclave.attributes": "attributes",
  "sgx.enclave.misc_select": "miscSelect",
  "sgx.enclave.report_data": "reportData",
} as const satisfies Partial<Record<StatementId, keyof SgxReferences>>;

/** Ids of the questions that these reference values make owed: `pinned` of the subject. */
export const pinnedBy = (references: SgxReferences): ReadonlySet<string> =>
  new Set(
    Object.entries(pinnedMembers)
      .filter(([, member]) => references[member] !== undefined)
      .map(([id]) => id),
  );
