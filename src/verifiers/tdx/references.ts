/** What the auditor expects of a TDX quote: reference values, each with who says it. */
import type { Origin, Sourced } from "../../claims/answer.ts";
import type { AcceptedTcb } from "../../dcap/tcb-answers.ts";
import type { statements } from "./claims.ts";

/** One value, or several of which one must match. */
export type AnyOf = Sourced | readonly Sourced[];

/** Values are lower-case hex of the whole field. A member that is not there is not a reference value: its claim is not owed. */
export interface TdxReferences {
  /** 48 bytes. */
  readonly mrTd?: AnyOf;
  /** 48 bytes each. */
  readonly rtmr0?: AnyOf;
  readonly rtmr1?: AnyOf;
  readonly rtmr2?: AnyOf;
  readonly rtmr3?: AnyOf;
  /** 48 bytes. */
  readonly mrSeam?: AnyOf;
  /** 48 bytes. */
  readonly mrSignerSeam?: Sourced;
  /** 8 bytes as in the quote. DEBUG is refused whatever they say. */
  readonly tdAttributes?: Sourced;
  /** 8 bytes as in the quote. */
  readonly xfam?: Sourced;
  /** There: a difference in both CET bits of XFAM (11 and 12) and nothing else is allowed, by whom. A named relaxation. */
  readonly cetDifference?: Sourced;
  /** 48 bytes. */
  readonly mrConfigId?: AnyOf;
  readonly mrOwner?: Sourced;
  readonly mrOwnerConfig?: Sourced;
  /** 48 bytes; this service domain is allowed. TD report 1.5 only. */
  readonly mrServiceTd?: Sourced;
  /** There: SEPT_VE_DISABLE is demanded. */
  readonly septVeDisable?: Sourced;
  /** 64 bytes. */
  readonly reportData?: Sourced;
  /** 16 bytes, compared SVN by SVN. */
  readonly minimumTeeTcbSvn?: Sourced;
  /** 6 bytes. */
  readonly fmspc?: Sourced;
  /** 16 bytes each. An empty list accepts every platform, so that nothing is pinned. */
  readonly allowedPiids?: { readonly values: readonly string[]; readonly source: Sourced };
  /** At least one of them demanded. */
  readonly pckOptions?: {
    /** True: SGX type 2, scalable with integrity. */
    readonly memoryIntegrity: boolean;
    readonly smtDisabled: boolean;
    readonly staticPlatform: boolean;
    readonly source: Sourced;
  };
  /** TCB evaluation data number of TCB info and QE identity, each at least. */
  readonly minimumEvaluation?: { readonly value: number; readonly origin: Origin; readonly at?: string };
  /** TCB statuses beside UpToDate. */
  readonly acceptedTcb: readonly AcceptedTcb[];
}

/** No reference value at all: UpToDate only. */
export const noReferences: TdxReferences = { acceptedTcb: [] };

type StatementId = keyof typeof statements & string;
type Member = keyof TdxReferences;
/** The members that each pinned question compares with; one of them is enough to owe it. */
const pinnedMembers = {
  "tdx.tcb.evaluation": ["minimumEvaluation"],
  "tdx.tcb.tee_svn": ["minimumTeeTcbSvn"],
  "tdx.pck.fmspc": ["fmspc"],
  "tdx.pck.piid": ["allowedPiids"],
  "tdx.pck.options": ["pckOptions"],
  "tdx.td.sept_ve_disable": ["septVeDisable"],
  "tdx.module.mrseam": ["mrSeam"],
  "tdx.module.mrsignerseam": ["mrSignerSeam"],
  "tdx.td.mrtd": ["mrTd"],
  "tdx.td.rtmrs": ["rtmr0", "rtmr1", "rtmr2", "rtmr3"],
  "tdx.td.attributes": ["tdAttributes"],
  "tdx.td.xfam": ["xfam"],
  "tdx.td.mrconfigid": ["mrConfigId"],
  "tdx.td.mrowner": ["mrOwner"],
  "tdx.td.mrownerconfig": ["mrOwnerConfig"],
  "tdx.td.mrservicetd": ["mrServiceTd"],
  "tdx.td.report_data": ["reportData"],
} as const satisfies Partial<Record<StatementId, readonly Member[]>>;

/** Ids of the questions that these reference values make owed: `pinned` of the subject. */
export function pinnedBy(references: TdxReferences): ReadonlySet<string> {
  const ids = Object.entries(pinnedMembers)
    .filter(([, members]) => members.some((member) => references[member] !== undefined))
    .map(([id]) => id);
  return new Set(ids.filter((id) => id !== "tdx.pck.piid" || references.allowedPiids?.values.length !== 0));
}
