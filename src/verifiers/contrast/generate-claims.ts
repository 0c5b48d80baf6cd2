/** Questions about a manifest that this run made anew with the Contrast CLI. */
import { catalogue } from "../../claims/question.ts";

export const generated = catalogue("contrast", {
  "contrast.generate.cli_known": {
    asks: "Is the Contrast CLI that was run the one whose SHA-256 the auditor names?",
    spec: "Contrast v1.20, release assets: no signature, so a digest is all that identifies a CLI",
    stops: "A changed CLI that writes the manifest which somebody wants to be expected.",
    todo: "Build the release's CLI from its tag, or take the digest from two places apart, and give it with --cli-sha256.",
    owed: "always",
    waivable: false,
    codes: {
      "cli-unknown": "Nobody said which SHA-256 the CLI should have.",
      "cli-differs": "The CLI has another SHA-256 and was not run.",
    },
  },
  "contrast.generate.cache_empty": {
    asks: "Did the CLI find nothing but the deployment file: no layer cache, no settings, no earlier manifest?",
    spec: "Contrast v1.20, generate: layers-cache.json, settings.json, rules.rego, manifest.json",
    stops: "Policies made from a poisoned layer cache, or a manifest that keeps what an earlier one said.",
    todo: "Look at what is in the folder before the CLI starts to generate: only the CLI itself can have put it there.",
    owed: "always",
    waivable: false,
    codes: { "folder-not-empty": "The folder or the home that the CLI was given held something else." },
  },
  "contrast.generate.ran": {
    asks: "Did the CLI end with status 0, within its limits, and leave a manifest?",
    spec: "Contrast v1.20, generate",
    stops: "Half a manifest taken for a whole one.",
    todo: "Read the CLI's last lines; registries must be reachable, without credentials, and each image needs a digest.",
    owed: "always",
    waivable: false,
    codes: {
      "generate-failed": "The CLI could not be started, or ended otherwise than with status 0.",
      "generate-timeout": "The CLI did not end within the time limit and was ended.",
      "generate-output": "The CLI wrote more to its output than is read, and was ended.",
      "generated-missing": "The CLI left no manifest.json, or one that is no file of a manifest's size.",
    },
  },
  "contrast.generate.edits": {
    asks: "Were all edits made that the service makes after generating?",
    spec: "Contrast v1.20, manifest: SANs, ReferenceValues, owner keys; the edits' own source is shown beside them",
    stops: "A manifest that only looks like the service's, with minima or chips that nobody set.",
    todo: "Name the missing values in a file and give it with --edits; if an edit is impossible, this is not the service's deployment or CLI.",
    owed: "always",
    waivable: false,
    codes: {
      "generated-malformed": "The CLI's manifest is not one JSON object to every reader.",
      "edits-incomplete": "The service sets a field for which the auditor gave no value.",
      "edit-impossible": "The manifest does not have what an edit changes.",
    },
  },
  "contrast.generate.checkout_untouched": {
    asks: "Does the auditor's own deployment file hold the same bytes after the run as before?",
    spec: "Contrast v1.20, generate: resources are patched in place",
    stops: "An audit that changes what it audits.",
    todo: "Restore the file from its commit, and find out what wrote to it while the CLI ran.",
    owed: "always",
    codes: { "checkout-changed": "The file changed or went away while the CLI ran." },
  },
  "contrast.generate.seedshare": {
    asks: "Are the seed share owners in the manifest exactly the key that the auditor supplied?",
    spec: "Contrast v1.20, manifest: SeedshareOwnerPubKeys; generate makes a new key in an empty folder",
    stops:
      "A key whose holder can recover the Coordinator's secret seed, unseen because it differs in each run anyway.",
    todo: "Ask who holds the private part of the service's key, write the key as PEM, and give it with --seedshare-owner-key.",
    owed: "pinned",
    codes: {
      "seedshare-apart": "No key was supplied, so the owners in the expected manifest were compared with nothing.",
      "seedshare-differs": "The manifest has other seed share owners than the supplied key.",
    },
  },
  "contrast.generate.equal": {
    asks: "Is the manifest that was handed over the one that this run made, byte for byte where a seed share key was supplied?",
    spec: "Contrast v1.20, manifest: identified by its raw bytes",
    stops: "A manifest that the deployment file, the CLI and the stated edits do not explain.",
    todo: "Compare both with `pm manifest diff`: each change needs somebody who explains it. Spelling alone may be the service's own JSON writer.",
    owed: "pinned",
    waivable: false,
    codes: { "generated-differs": "The manifest that was handed over has other bytes." },
  },
});
