/** The manifest made anew from a deployment file: `pm manifest generate`, and the reference `recomputed`. */
import { serviceEdits } from "../chain/manifest-edits.ts";
import type { Answers, Origin, Sourced } from "../claims/answer.ts";
import { type Judged, judge } from "../claims/subject.ts";
import { PmError, usage } from "../errors.ts";
import { type Input, maxDeploymentBytes, readInput } from "../input.ts";
import { withContrastCli } from "../measure/contrast-cli.ts";
import type { Json } from "../report/report.ts";
import { diffManifests } from "../verifiers/contrast/diff.ts";
import type { EditValues } from "../verifiers/contrast/edits.ts";
import { readEdits } from "../verifiers/contrast/edits-file.ts";
import { cliKnown, type GenerateInput, isReference, verifyGenerated } from "../verifiers/contrast/generate.ts";
import { generated } from "../verifiers/contrast/generate-claims.ts";
import { decodeManifest } from "../verifiers/contrast/manifest.ts";
import { type ManifestRules, manifestRules } from "../verifiers/contrast/rules.ts";
import { seedshareKeyHex } from "../verifiers/contrast/seedshare.ts";
import { names, runCli, sha256Of } from "./generate-run.ts";

export interface RecomputeOptions {
  /** Path of the deployment file; it is read, never written. */
  readonly deployment: string;
  /** Path of the Contrast CLI; undefined: the program `contrast` on PATH. */
  readonly cli: string | undefined;
  /** Expected digest of the CLI, lower-case hex, and who names it. */
  readonly cliSha256: Sourced | undefined;
  readonly service: "contrast" | "privatemode";
  /** undefined: the service's own. */
  readonly referenceValues: string | undefined;
  /** Files that the auditor holds. */
  readonly edits: Input | undefined;
  readonly seedshareKey: Input | undefined;
  /** A manifest to compare with. */
  readonly expected: Input | undefined;
  /** Default 600 seconds. */
  readonly timeoutMs?: number;
  readonly notice: (text: string) => void;
}
export interface Recomputed {
  readonly judged: Judged;
  readonly answers: Answers<typeof generated>;
  readonly evidence: Json;
  readonly notProven: readonly string[];
  /** undefined: none was made, or an edit is missing. */
  readonly manifest: Uint8Array | undefined;
  /** Lower-case hex. */
  readonly sha256: string | undefined;
  /** The manifest's SHA-256 as a reference of origin `recomputed`; only where every claim about how it was made passed. */
  readonly reference: Sourced | undefined;
}

/** Name of the subject in reports. */
export const subject = "manifest recomputed";
const defaultTimeoutMs = 600_000;

/** @throws PmError PM_USAGE for files, values and programs that cannot be used; what is wrong with the run is in the claims */
export async function recomputeManifest(options: RecomputeOptions): Promise<Recomputed> {
  const { shape, sans, referenceValues: usual } = serviceEdits(options.service);
  const referenceValues = platformOf(options.referenceValues ?? usual);
  const deployment = await deploymentFile(options.deployment);
  const values = editValues(options.edits);
  const { seedshareKey: held } = options;
  const seedshareKey = held === undefined ? undefined : { value: owner(held), origin: pinnedBy(held) };
  const args = [
    ...["generate", "--disable-updates", "--reference-values", referenceValues],
    // The flag is known from Contrast's documentation; that it takes the place of a key made anew is not confirmed.
    ...(held === undefined ? [] : ["--add-seedshare-owner-key", names.key]),
    names.deployment,
  ];
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  return withContrastCli({ file: options.cli, timeoutMs, notice: options.notice }, async (cli) => {
    const actual: Sourced = { value: cli.sha256, origin: { kind: "recomputed", name: `SHA-256 of ${cli.file}` } };
    const pins = { expected: options.cliSha256, actual };
    const maker: Origin = {
      kind: "recomputed",
      name: `contrast CLI SHA-256 ${cli.sha256}, deployment ${deployment.name} SHA-256 ${deployment.sha256}`,
    };
    const refused = cliKnown(pins).status === "fail";
    const done = refused ? undefined : await runCli(cli, { args, deployment, key: held });
    const input: GenerateInput = {
      ...{ cli: pins, run: done?.facts, maker, shape, values, sans, seedshareKey },
      expected: options.expected,
    };
    const { answers, pinned, manifest, edits } = verifyGenerated(input);
    const sha256 = manifest === undefined ? undefined : sha256Of(manifest);
    const rules = rulesOf(done?.version);
    return {
      judged: judge({ name: subject, catalogue: generated, pinned }, answers),
      answers,
      evidence: {
        service: options.service,
        ...shownInputs(options, deployment),
        cli: { file: cli.file, sha256: cli.sha256, run: done !== undefined, version: done?.version ?? null },
        commandLine: done === undefined ? null : `contrast ${args.join(" ")}`,
        ...(done?.written ?? {}),
        edits,
        manifest: manifest === undefined ? null : { sha256: sha256Of(manifest), bytes: manifest.length },
        differences: differences(manifest, options.expected, answers, rules),
      },
      notProven: notProven(options, edits.length > 0),
      manifest,
      sha256,
      reference: sha256 !== undefined && isReference(answers) ? { value: sha256, origin: maker } : undefined,
    };
  });
}

function shownInputs({ edits, seedshareKey, expected }: RecomputeOptions, deployment: Input) {
  const shown = (input: Input | undefined): Json =>
    input === undefined ? null : { file: input.name, sha256: input.sha256 };
  return {
    deployment: shown(deployment),
    editsFile: shown(edits),
    seedshareKeyFile: shown(seedshareKey),
    expectedFile: shown(expected),
  };
}

const pinnedBy = ({ name, sha256 }: Input): Origin => ({ kind: "pinned", file: name, sha256 });

async function deploymentFile(path: string): Promise<Input> {
  if (path === "-")
    throw usage("the deployment file cannot be stdin", "name the file: that it stays as it is, is one of the claims");
  return readInput(path, "a deployment file", maxDeploymentBytes);
}

/** It becomes a word of a command line. */
function platformOf(text: string | undefined): string {
  if (text === undefined)
    throw usage("--reference-values: this service has no usual platform", "for example metal-qemu-snp-gpu");
  if (!/^[a-z0-9]+(-[a-z0-9]+){0,7}$/i.test(text) || text.length > 64)
    throw usage(`--reference-values: not a platform: ${text}`, "for example metal-qemu-snp-gpu");
  return text;
}

/** What is wrong with a file of the auditor's is no verdict about the service. */
function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PmError && error.code === "PM_EVIDENCE_MALFORMED") throw usage(error.message);
    throw error;
  }
}
const owner = ({ bytes, name }: Input): string => asUsage(() => seedshareKeyHex(bytes, name));
const editValues = (edits: Input | undefined): EditValues =>
  edits === undefined ? { snp: new Map(), tdx: new Map() } : asUsage(() => readEdits(edits.bytes, edits.name));

/** The version is the CLI's own word, and only chooses how differences are read. */
function rulesOf(version: string | undefined): ManifestRules {
  try {
    return manifestRules(version);
  } catch {
    return manifestRules();
  }
}

const maxDifferences = 200;

/** For people who want to see more than that the bytes differ; null: not asked, equal, or one side cannot be read. */
function differences(
  manifest: Uint8Array | undefined,
  expected: Input | undefined,
  answers: Answers<typeof generated>,
  rules: ManifestRules,
): Json {
  if (manifest === undefined || expected === undefined || answers["contrast.generate.equal"].status !== "fail")
    return null;
  try {
    const { changes } = diffManifests(decodeManifest(manifest, rules), decodeManifest(expected.bytes, rules), [
      "generated manifest",
      expected.name,
    ]);
    return changes.slice(0, maxDifferences).map(({ at, grade, before, after, meaning }) => ({
      ...{ at, grade, generated: before, expected: after, meaning },
    }));
  } catch (error) {
    if (error instanceof PmError) return null;
    throw error;
  }
}

/** A constant: a line is added when somebody ran it against a release and recorded what came out. */
const testedVersions = "none yet";

function notProven({ service, seedshareKey }: RecomputeOptions, edited: boolean): string[] {
  return [
    `Contrast CLI: versions of the real CLI that this command was ever run against: ${testedVersions}. Its tests use a stand-in that behaves as the documentation says.`,
    "Contrast CLI: its SHA-256 says which program ran, not who built it from which source; releases carry no signature.",
    "Registries: what they answered to the CLI, where the deployment file does not name an image by its digest.",
    ...(edited
      ? [
          "Edits: that the service writes its manifest with the same white space (it uses yq) is not confirmed; a difference in bytes alone can be that.",
        ]
      : []),
    ...(service === "privatemode"
      ? ["Edits: the order of the names that the service adds to SANs is not confirmed."]
      : []),
    ...(seedshareKey === undefined
      ? []
      : [
          "Seed share key: that --add-seedshare-owner-key keeps the CLI from making a key of its own is not confirmed; the claim about the owners shows it.",
        ]),
  ];
}
