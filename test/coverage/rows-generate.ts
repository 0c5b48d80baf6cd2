/** Rows of the questions that `pm manifest generate` asks. */
import type { generated } from "../../src/verifiers/contrast/generate-claims.ts";
import type { Rows } from "./rows.ts";

const good = "manifest made anew";

export const generateRows: Rows<typeof generated> = {
  "contrast.generate.cli_known": {
    passes: good,
    fails: { "cli-differs": "manifest made by another CLI" },
    open: { "cli-unknown": ["error", "manifest made by an unknown CLI"] },
  },
  "contrast.generate.cache_empty": {
    passes: good,
    fails: { "folder-not-empty": "manifest made beside a layer cache" },
  },
  "contrast.generate.ran": {
    passes: good,
    fails: { "generate-failed": "CLI that fails", "generated-missing": "CLI that leaves no manifest" },
    open: {
      "generate-timeout": ["error", "CLI that never ends"],
      "generate-output": ["error", "CLI that floods its output"],
    },
  },
  "contrast.generate.edits": {
    passes: good,
    fails: { "generated-malformed": "CLI that writes no JSON", "edit-impossible": "manifest without one vCPU" },
    open: { "edits-incomplete": ["error", "edits without chip ids"] },
  },
  "contrast.generate.checkout_untouched": {
    passes: good,
    fails: { "checkout-changed": "CLI that edits the checkout" },
  },
  "contrast.generate.seedshare": {
    passes: good,
    fails: { "seedshare-differs": "manifest with a further seed share key" },
    open: { "seedshare-apart": ["error", "manifest without a supplied seed share key"] },
  },
  "contrast.generate.equal": {
    passes: good,
    fails: { "generated-differs": "manifest made anew that is another" },
  },
};
