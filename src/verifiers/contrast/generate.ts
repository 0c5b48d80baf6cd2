/** A manifest made anew: what the run of the CLI showed, the service's edits, and the comparison with a manifest at hand. */
import {
  type Answer,
  type Answers,
  cannot,
  equal,
  holds,
  type Origin,
  type Sourced,
  skip,
  specified,
} from "../../claims/answer.ts";
import { PmError } from "../../errors.ts";
import { type Edited, type EditShape, type EditValues, editManifest, type SanEdits } from "./edits.ts";
import type { generated } from "./generate-claims.ts";
import { comparedManifest, seedshareOwners } from "./seedshare.ts";

type A = Answers<typeof generated>;

/** How the program ended; the same as what src/measure says of it. */
export type CliEnd =
  | { readonly kind: "exit"; readonly status: number; readonly lastLines: string }
  | { readonly kind: "signal"; readonly signal: string; readonly lastLines: string }
  | { readonly kind: "timeout"; readonly seconds: number }
  | { readonly kind: "flood"; readonly limitBytes: number }
  | { readonly kind: "start"; readonly reason: string };

export interface CliRunFacts {
  /** Every file that the CLI could find when it started to generate; and those that pm put there. */
  readonly found: readonly string[];
  readonly given: readonly string[];
  readonly ended: CliEnd;
  /** manifest.json; undefined: none, or no file of a manifest's size. */
  readonly manifest: Uint8Array | undefined;
  /** SHA-256 of the auditor's own file, lower-case hex; undefined after the run: it cannot be read any more. */
  readonly checkout: { readonly file: string; readonly before: string; readonly after: string | undefined };
}
/** A manifest at hand. */
export interface HeldManifest {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly name: string;
}
export interface GenerateInput {
  readonly cli: { readonly expected: Sourced | undefined; readonly actual: Sourced };
  /** undefined: the CLI was not run. */
  readonly run: CliRunFacts | undefined;
  /** Who made the manifest: the CLI by its digest, and the deployment file. */
  readonly maker: Origin;
  readonly shape: EditShape;
  readonly values: EditValues;
  readonly sans: SanEdits | undefined;
  /** Hex of the supplied key's PKCS#1 DER. */
  readonly seedshareKey: Sourced | undefined;
  readonly expected: HeldManifest | undefined;
}
export interface Generated {
  readonly answers: A;
  readonly pinned: ReadonlySet<string>;
  /** The edited manifest; undefined where there is none, or an edit is missing. */
  readonly manifest: Uint8Array | undefined;
  readonly edits: readonly string[];
}

/** Whether the CLI may be run at all is this answer's: with another digest than the named one it may not. */
export function cliKnown({ expected, actual }: GenerateInput["cli"]): A["contrast.generate.cli_known"] {
  return expected === undefined
    ? cannot(`no digest of the CLI was given; this one has ${actual.value}`, "cli-unknown")
    : equal(expected, actual, "cli-differs");
}

export function verifyGenerated(input: GenerateInput): Generated {
  const { run, seedshareKey, expected } = input;
  const pinned = new Set<string>([
    ...(seedshareKey === undefined && expected === undefined ? [] : ["contrast.generate.seedshare"]),
    ...(expected === undefined ? [] : ["contrast.generate.equal"]),
  ]);
  const known = cliKnown(input.cli);
  if (run === undefined) {
    const notRun = skip(`not asked: contrast.generate.cli_known is ${known.status}`);
    return {
      answers: { ...skipped(notRun), "contrast.generate.cli_known": known },
      pinned,
      manifest: undefined,
      edits: [],
    };
  }
  const ran = ranWhole(run, input.maker);
  const made = run.manifest === undefined || ran.status !== "pass" ? undefined : edited(run.manifest, input);
  const manifest = made?.edited?.bytes;
  const later = (id: string, status: string): Answer<never> => skip(`not asked: ${id} is ${status}`);
  const edits = made?.answer ?? later("contrast.generate.ran", ran.status);
  const compared =
    manifest === undefined
      ? both(later("contrast.generate.edits", edits.status))
      : {
          "contrast.generate.seedshare": seedshareOwners(manifest, input),
          "contrast.generate.equal": comparedManifest(manifest, input),
        };
  return {
    answers: {
      "contrast.generate.cli_known": known,
      "contrast.generate.cache_empty": cacheEmpty(run),
      "contrast.generate.ran": ran,
      "contrast.generate.edits": edits,
      "contrast.generate.checkout_untouched": checkoutUntouched(run),
      ...compared,
    },
    pinned,
    manifest,
    edits: made?.edited?.made ?? [],
  };
}

const both = (answer: Answer<never>) => ({
  "contrast.generate.seedshare": answer,
  "contrast.generate.equal": answer,
});
const skipped = (answer: Answer<never>): A => ({
  "contrast.generate.cli_known": answer,
  "contrast.generate.cache_empty": answer,
  "contrast.generate.ran": answer,
  "contrast.generate.edits": answer,
  "contrast.generate.checkout_untouched": answer,
  ...both(answer),
});

/** Ids that must pass before a manifest that was made may stand as a reference. */
const needed = [
  "contrast.generate.cli_known",
  "contrast.generate.cache_empty",
  "contrast.generate.ran",
  "contrast.generate.edits",
  "contrast.generate.checkout_untouched",
] as const satisfies readonly (keyof A)[];

export const isReference = (answers: A): boolean => needed.every((id) => answers[id].status === "pass");

function cacheEmpty({ found, given }: CliRunFacts): A["contrast.generate.cache_empty"] {
  const list = (names: readonly string[]): string => JSON.stringify([...names].sort());
  return equal(
    specified(list(given), "Contrast v1.20", "generate: layers-cache.json absent, and nothing else that it would read"),
    { value: list(found), origin: { kind: "recomputed", name: "folders of this run, before the CLI generates" } },
    "folder-not-empty",
  );
}

function ranWhole({ ended, manifest }: CliRunFacts, maker: Origin): A["contrast.generate.ran"] {
  const expected = specified("exit status 0, manifest.json written", "Contrast v1.20", "generate");
  const shown = (value: string): Sourced => ({ value, origin: maker });
  switch (ended.kind) {
    case "timeout":
      return cannot(`the CLI still ran after ${ended.seconds} seconds`, "generate-timeout");
    case "flood":
      return cannot(`the CLI wrote more than ${ended.limitBytes} bytes`, "generate-output");
    case "start":
      return holds(false, expected, shown("not started"), "generate-failed", ended.reason);
    case "signal":
      return holds(false, expected, shown(`ended by ${ended.signal}`), "generate-failed", lastLines(ended));
    case "exit": {
      const status = `exit status ${ended.status}`;
      if (ended.status !== 0) return holds(false, expected, shown(status), "generate-failed", lastLines(ended));
      const value = `${status}, ${manifest === undefined ? "no manifest.json that can be read" : "manifest.json written"}`;
      return equal(expected, shown(value), "generated-missing");
    }
    default:
      return ended satisfies never;
  }
}
const lastLines = (end: { readonly lastLines: string }): string =>
  end.lastLines === "" ? "the CLI said nothing" : `last lines: ${end.lastLines}`;

function edited(
  bytes: Uint8Array,
  { shape, values, sans, maker }: GenerateInput,
): { readonly answer: A["contrast.generate.edits"]; readonly edited?: Edited } {
  let result: Edited;
  try {
    result = editManifest(bytes, shape, values, sans);
  } catch (error) {
    if (!(error instanceof PmError) || error.code !== "PM_EVIDENCE_MALFORMED") throw error;
    const expected = specified("one JSON object, each member once", "RFC 8259", "4");
    const actual = { value: "not readable", origin: maker };
    return { answer: holds(false, expected, actual, "generated-malformed", error.message) };
  }
  const { owed, made, withoutValue, problems } = result;
  const list = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join("; "));
  // A problem weighs more than a value that is still to be named.
  const answer =
    problems.length === 0 && withoutValue.length > 0
      ? cannot(`no value was given for ${withoutValue.join(", ")}`, "edits-incomplete")
      : holds(
          result.bytes !== undefined && owed.length === made.length,
          specified(list(owed), ...shape.source),
          { value: list(made), origin: { kind: "recomputed", name: "edits that this run made" } },
          "edit-impossible",
          problems.join("; "),
        );
  return { answer, edited: result };
}

function checkoutUntouched({ checkout }: CliRunFacts): A["contrast.generate.checkout_untouched"] {
  const at = (when: string): Origin => ({ kind: "recomputed", name: `SHA-256 of ${checkout.file} ${when} the run` });
  return equal(
    { value: checkout.before, origin: at("before") },
    { value: checkout.after ?? "cannot be read", origin: at("after") },
    "checkout-changed",
  );
}
