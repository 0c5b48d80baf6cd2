/** Rows of what only a manifest demands of a TDX quote. */
import type { tdx } from "../../src/verifiers/tdx/claims.ts";
import type { Rows } from "./rows.ts";

export type TdxManifestQuestions = Pick<typeof tdx, "tdx.pck.piid" | "tdx.pck.options" | "tdx.td.sept_ve_disable">;

const good = "Coordinator on TDX as demanded";

export const tdxManifestRows: Rows<TdxManifestQuestions> = {
  "tdx.pck.piid": { passes: good, fails: { PIID_NOT_ALLOWED: "Coordinator on a platform that is not listed" } },
  "tdx.pck.options": { passes: good, fails: { PCK_OPTIONS_MISMATCH: "Coordinator on a platform with SMT" } },
  "tdx.td.sept_ve_disable": { passes: good, fails: { "sept-ve-enabled": "Coordinator without SEPT_VE_DISABLE" } },
};
