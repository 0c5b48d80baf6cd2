/** `--skip-collateral`: a named relaxation under which nothing that needs Intel's documents is owed. */
import type { Catalogue } from "../../claims/question.ts";
import { collateralIds } from "../../dcap/questions.ts";

/** The catalogue with those questions advisory, so that what was not asked stays visible. */
export function withoutCollateral<C extends Catalogue>(catalogue: C): C {
  const entries = Object.entries(catalogue).map(([id, question]) =>
    collateralIds.has(id.replace(/^sgx\./, ""))
      ? ([id, { ...question, owed: "advisory" }] as const)
      : ([id, question] as const),
  );
  return Object.fromEntries(entries) as unknown as C;
}
