/** `--skip-collateral`: a named relaxation. What needs Intel's documents stays visible, and is not owed. */
import type { Catalogue } from "../../claims/question.ts";
import { withoutDocuments } from "./claims.ts";

/** Only for answers that were made with `collateral: "skip"`. */
export const withoutCollateral = <C extends Catalogue>(catalogue: C): C =>
  Object.fromEntries(
    Object.entries(catalogue).map(([id, question]) => [
      id,
      withoutDocuments.has(id) ? { ...question, owed: "advisory" as const } : question,
    ]),
  ) as C;
