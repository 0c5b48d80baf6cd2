/** `--skip-collateral`: a named relaxation. */
import type { Catalogue } from "../../claims/question.ts";
import { collateralIds, withoutDocuments } from "../../dcap/questions.ts";

const ids: ReadonlySet<string> = new Set([...[...collateralIds].map((id) => `tdx.${id}`), "tdx.module.identity"]);

/** Only for answers that were made with `collateral: "skip"`. */
export const withoutCollateral = <C extends Catalogue>(catalogue: C): C => withoutDocuments(catalogue, ids);
