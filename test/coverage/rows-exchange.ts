/** The row of the one question that only a live exchange is asked; the others have theirs in rows-endpoint.ts. */
import type { exchangeFreshness } from "../../src/verifiers/contrast/mesh-claims.ts";
import type { Rows } from "./rows.ts";

export const exchangeRows: Rows<typeof exchangeFreshness> = {
  "contrast.exchange.fresh": {
    passes: "live with the secret exchange",
    fails: { "exchange-not-fresh": "record of an exchange with another key than the named one" },
  },
};
