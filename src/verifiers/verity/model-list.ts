/** The audited party's list of model disks as a whole: its form, and what of it the deployment file mounts. */
import {
  type Answers,
  broken,
  cannot,
  graded,
  holds,
  type Origin,
  type Sourced,
  skip,
  specified,
} from "../../claims/answer.ts";
import { PmError } from "../../errors.ts";
import type { modelFile } from "./disk-claims.ts";
import type { HeldDisk } from "./disk-types.ts";
import { normalizedName } from "./model-name.ts";
import { decodeModels, type ModelEntry, type ModelsFile, type ModelsForm } from "./models.ts";

type A = Answers<typeof modelFile>;

export interface ListInputs {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly form: ModelsForm;
  readonly origin: Origin;
  readonly deployment: Origin;
  readonly profile: Origin;
  /** Root hashes of all disk mounters, lower-case hex, and how many mounters there are; undefined: the file was not read. */
  readonly mounted: { readonly roots: readonly string[]; readonly mounters: number } | undefined;
  readonly held: readonly HeldDisk[];
}

/** Never throws for what is in the file. */
export function verifyModelList(inputs: ListInputs): { readonly answers: A; readonly models: ModelsFile | undefined } {
  const { mounted } = inputs;
  const own: Pick<A, "verity.models.mounted" | "verity.models.asked"> =
    mounted === undefined
      ? { "verity.models.mounted": noDeployment, "verity.models.asked": noDeployment }
      : {
          "verity.models.mounted": anyMounted(mounted.mounters, inputs),
          "verity.models.asked": asked(mounted, inputs),
        };
  try {
    const models = decodeModels(inputs.bytes, inputs.name, inputs.form);
    return { answers: { ...own, ...readAnswers(models, inputs) }, models };
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    const code = error.reasonCode === "models-empty" ? "models-empty" : "models-malformed";
    const unread = cannot("not answered: the file could not be read");
    const format = error.code === "PM_EVIDENCE_MALFORMED" ? broken(error.message, code) : cannot(error.message, code);
    return {
      answers: {
        ...own,
        "verity.models.format": format,
        "verity.models.unused": unread,
        "verity.models.names": unread,
        "verity.models.members": unread,
      },
      models: undefined,
    };
  }
}

const noDeployment = cannot("not answered: the deployment file could not be read");

function anyMounted(mounters: number, { deployment }: ListInputs): A["verity.models.mounted"] {
  return holds(
    mounters >= 1,
    specified("at least 1 disk mounter", "Privatemode v1.40.0", "deployment.yaml"),
    { value: `${mounters} disk mounter${mounters === 1 ? "" : "s"}`, origin: deployment },
    "no-disk",
  );
}

/** Two sides of one list: what the profile speaks of, and what of it is there. */
function asked({ roots }: { readonly roots: readonly string[] }, inputs: ListInputs): A["verity.models.asked"] {
  const { held, profile, deployment } = inputs;
  if (held.length === 0) return skip("the profile names no root hash: disks.images");
  const lost = held.filter((h) => !roots.includes(h.rootHash));
  const found = held.filter((h) => roots.includes(h.rootHash));
  return holds(
    lost.length === 0,
    { value: held.map((h) => h.rootHash).join(", "), origin: profile, at: "disks.images" },
    { value: found.map((h) => h.rootHash).join(", ") || "none of them", origin: deployment },
    "image-unmounted",
    lost.map((h) => `${h.at}: ${h.rootHash}`).join("; "),
  );
}

type Read = Omit<A, "verity.models.mounted" | "verity.models.asked">;

function readAnswers(models: ModelsFile, { mounted, origin, deployment, form }: ListInputs): Read {
  const { entries, unknown } = models;
  const listed = (some: readonly ModelEntry[]): string => some.map((e) => e.name).join(", ") || "none";
  const unused = entries.filter((e) => mounted?.roots.includes(e.rootHash) !== true);
  const said = (value: string): Sourced => ({ value, origin });
  return {
    // What could not be read in one way has been refused above.
    "verity.models.format": holds(
      entries.length >= 1,
      specified("at least 1 model, each root hash once", "Privatemode v1.40.0", form),
      said(`${entries.length} model${entries.length === 1 ? "" : "s"}, each root hash once`),
      "models-empty",
    ),
    "verity.models.unused":
      mounted === undefined
        ? noDeployment
        : graded(
            holds(
              unused.length === 0,
              { value: listed(entries.filter((e) => !unused.includes(e))), origin: deployment },
              said(listed(entries)),
              "UNUSED",
              unused.map((e) => `${e.name}, ${e.where}: ${e.rootHash}`).join("; "),
            ),
            "neutral",
          ),
    "verity.models.names": names(entries, origin),
    "verity.models.members": graded(
      holds(
        unknown.length === 0,
        specified("no unknown member", "Privatemode v1.40.0", form),
        said(unknown.map((u) => u.name).join(", ") || "no unknown member"),
        "member-unknown",
        unknown.map((u) => `${u.name}, ${u.where}`).join("; "),
      ),
      "unknown",
    ),
  };
}

/** What a name ends in is the form's: `.json` in models.yaml's data, nothing in a StorageClass. */
function names(entries: readonly ModelEntry[], origin: Origin): A["verity.models.names"] {
  const made = entries.map((e) => ({ entry: e, name: normalizedName(e.source) }));
  const other = made.filter(({ entry, name }) => entry.name.replace(/\.json$/, "") !== name);
  const shared = made.filter(({ name }, i) => made.some((m, j) => i !== j && m.name === name));
  const problems = [
    ...shared.map(({ entry, name }) => `${entry.where}: ${entry.source} makes ${name}, as another source does`),
    ...other.map(({ entry, name }) => `${entry.where}: ${entry.source} makes ${name}`),
  ];
  const listed = (list: readonly string[]): string => list.join(", ");
  return graded(
    holds(
      problems.length === 0,
      specified(
        shared.length > 0 ? "each name once" : listed(made.map((m) => m.name)),
        "Privatemode v1.40.0",
        "verity/normalize-model-name.sh",
      ),
      { value: shared.length > 0 ? listed(shared.map((m) => m.name)) : listed(entries.map((e) => e.name)), origin },
      shared.length > 0 ? "entry-collision" : "entry-name",
      problems.join("; "),
    ),
    "neutral",
  );
}
