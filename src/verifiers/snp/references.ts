/** What the auditor expects of a report: reference values, each with who says it. */
import type { Origin, Sourced } from "../../claims/answer.ts";
import type { GuestPolicyBits, PlatformInfoBits } from "./bits.ts";
import type { statements } from "./claims.ts";
import type { ProductLine } from "./product.ts";
import type { TcbParts } from "./tcb.ts";

/** Values are lower-case hex of the whole field. A member that is not there is not a reference value: its claim is not owed. */
export interface SnpReferences {
  /** 48 bytes. */
  readonly measurement?: Sourced;
  /** 64 bytes. */
  readonly reportData?: Sourced;
  /** 32 bytes; of several values one must match. */
  readonly hostData?: Sourced | readonly Sourced[];
  /** 48 bytes. */
  readonly idKeyDigest?: Sourced;
  /** 48 bytes. */
  readonly authorKeyDigest?: Sourced;
  /** 16 bytes. */
  readonly familyId?: Sourced;
  /** 16 bytes. */
  readonly imageId?: Sourced;
  /** Always owed; without a reference it is 0. */
  readonly vmpl: { readonly value: number; readonly origin: Origin; readonly at?: string };
  readonly product?: { readonly line: ProductLine; readonly source: Sourced };
  readonly minimumTcb?: TcbParts & { readonly source: Sourced };
  /** True: firmware that is not committed yet may run. */
  readonly provisional: boolean;
  /** DEBUG has no member: it is never allowed. */
  readonly guestPolicy?: GuestPolicyBits & {
    readonly abiMajor: number;
    readonly abiMinor: number;
    readonly migrateMa: boolean;
    readonly source: Sourced;
  };
  /** Goes before the member of `guestPolicy`. Without both a migration agent is refused. */
  readonly migrateMa?: { readonly allowed: boolean; readonly source: Sourced };
  readonly platformInfo?: PlatformInfoBits & { readonly source: Sourced };
  readonly minimumMitigationVector?: { readonly value: bigint; readonly source: Sourced };
  /** 64 bytes each. An empty list accepts every chip, so that nothing is pinned. */
  readonly allowedChipIds?: { readonly values: readonly string[]; readonly source: Sourced };
  /** There: an ID block is demanded. */
  readonly requireIdBlock?: Sourced;
  readonly cspId?: Sourced;
}

/** No reference value at all: VMPL 0, provisional firmware allowed. */
export const noReferences: SnpReferences = {
  vmpl: { value: 0, origin: { kind: "profile", name: "default" } },
  provisional: true,
};

type StatementId = keyof typeof statements & string;
/** The member that each pinned question compares with. */
const pinnedMembers = {
  "snp.tcb.minimum": "minimumTcb",
  "snp.policy.bits": "guestPolicy",
  "snp.platform.info": "platformInfo",
  "snp.mitigation.vectors": "minimumMitigationVector",
  "snp.report.product": "product",
  "snp.report.measurement": "measurement",
  "snp.id_block.present": "requireIdBlock",
  "snp.report.id_key_digest": "idKeyDigest",
  "snp.report.author_key_digest": "authorKeyDigest",
  "snp.report.family_id": "familyId",
  "snp.report.image_id": "imageId",
  "snp.report.host_data": "hostData",
  "snp.report.report_data": "reportData",
  "snp.chip.allowed": "allowedChipIds",
  "snp.vek.csp_id": "cspId",
} as const satisfies Partial<Record<StatementId, keyof SnpReferences>>;

/** Ids of the questions that these reference values make owed: `pinned` of the subject. */
export function pinnedBy(references: SnpReferences): ReadonlySet<string> {
  const ids = Object.entries(pinnedMembers)
    .filter(([, member]) => references[member] !== undefined)
    .map(([id]) => id);
  return new Set(ids.filter((id) => id !== "snp.chip.allowed" || references.allowedChipIds?.values.length !== 0));
}
