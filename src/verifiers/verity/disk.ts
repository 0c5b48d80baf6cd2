/**
 * One model disk: its mounter in the auditor's deployment file against the audited party's list, the auditor's image and
 * the auditor's list of a commit's files. What the audited party says is never the value that something is held against
 * but where nobody else says it, and then the answer is `consistent`.
 */
import {
  type Answer,
  type Answers,
  because,
  broken,
  cannot,
  equal,
  graded,
  holds,
  type Origin,
  type Sourced,
  skip,
  specified,
} from "../../claims/answer.ts";
import type { PmError } from "../../errors.ts";
import type { modelDisk } from "./disk-claims.ts";
import { mounted } from "./disk-mount.ts";
import { differingFields, finishedSizes } from "./disk-superblock.ts";
import type { DiskInputs, HeldDisk, MeasuredImage, Mounter } from "./disk-types.ts";
import { excludedWords } from "./exclude.ts";
import { codeOn } from "./files-findings.ts";
import { compareFiles } from "./files-listing.ts";
import type { ModelEntry } from "./models.ts";

type A = Answers<typeof modelDisk>;

export interface DiskJudgement {
  readonly answers: A;
  /** Ids whose reference value the profile gives. */
  readonly pinned: ReadonlySet<keyof A>;
  /** The audited party's entry for the root hash. */
  readonly entry: ModelEntry | undefined;
  readonly held: HeldDisk | undefined;
}

const blockBytes = 4096;
const maxNamed = 20;
const noRoot = skip("not asked: the root hash was not read (verity.disk.mount)");
const isMeasured = (image: HeldDisk["image"]): image is MeasuredImage => image !== undefined && !("problem" in image);
const measuredFrom = ({ name }: MeasuredImage): Origin => ({ kind: "recomputed", name: `from ${name}` });

/** Pure; never throws for what is in a file or an image. */
export function verifyDisk(mounter: Mounter, inputs: DiskInputs): DiskJudgement {
  const { disk } = mounter;
  const mount = mounted(mounter, inputs);
  if ("reason" in disk) {
    // The mounter is a subject all the same: a root that nobody can read is not a root that nobody asked about.
    const open = { ...unasked(noRoot), "verity.disk.root_known": cannot("not answered: the root hash was not read") };
    return { answers: { ...open, "verity.disk.mount": mount }, pinned: new Set(), entry: undefined, held: undefined };
  }
  const entry = inputs.models?.entries.find((e) => e.rootHash === disk.rootHash);
  const held = inputs.held.find((h) => h.rootHash === disk.rootHash);
  const root: Sourced = { value: disk.rootHash, origin: inputs.deployment, at: mounter.where };
  const rebuilt = rebuiltAs(root, held);
  const image = isMeasured(held?.image) ? held.image : undefined;
  const same = image !== undefined && rebuilt.status === "pass";
  const closed = skip(`not asked: verity.disk.rebuilt is ${rebuilt.status}`);
  return {
    answers: {
      "verity.disk.mount": mount,
      "verity.disk.root_known": rootKnown(root, entry, held, inputs),
      "verity.disk.rebuilt": rebuilt,
      "verity.disk.data_size": same ? dataSize(image, entry, inputs) : closed,
      "verity.disk.superblock": image === undefined ? closed : superblock(image),
      "verity.disk.files": same ? files(image, held) : closed,
      "verity.disk.commit": commit(entry, held, inputs),
      "verity.disk.excluded": excluded(entry, inputs),
      "verity.disk.code": same ? code(image, mounter) : closed,
    },
    pinned: pinnedBy(held, image, inputs),
    entry,
    held,
  };
}

/** Owed is what the profile gives a value for, whether it could be compared or not. */
function pinnedBy(
  held: HeldDisk | undefined,
  image: MeasuredImage | undefined,
  { models }: DiskInputs,
): ReadonlySet<keyof A> {
  return new Set<keyof A>([
    ...(held?.image === undefined ? [] : (["verity.disk.rebuilt"] as const)),
    ...(held?.image === undefined || models?.form === "storage-classes" ? [] : (["verity.disk.data_size"] as const)),
    ...(image !== undefined && image.sizeBytes !== image.dataBytes ? (["verity.disk.superblock"] as const) : []),
    ...(held?.expect === undefined ? [] : (["verity.disk.files", "verity.disk.commit"] as const)),
  ]);
}

const unasked = (answer: Answer<never>): A => ({
  "verity.disk.mount": answer,
  "verity.disk.root_known": answer,
  "verity.disk.rebuilt": answer,
  "verity.disk.data_size": answer,
  "verity.disk.superblock": answer,
  "verity.disk.files": answer,
  "verity.disk.commit": answer,
  "verity.disk.excluded": answer,
  "verity.disk.code": answer,
});

function rootKnown(
  root: Sourced,
  entry: ModelEntry | undefined,
  held: HeldDisk | undefined,
  { models, modelsOrigin, profile }: DiskInputs,
): A["verity.disk.root_known"] {
  if (models === undefined) return cannot("not answered: the file of model disks could not be read");
  if (entry === undefined) {
    const listed = models.entries.map((e) => e.rootHash).join(" or ");
    return holds(false, { value: listed, origin: modelsOrigin }, root, "UNKNOWN_ROOT");
  }
  const said: Sourced = { value: entry.rootHash, origin: modelsOrigin, at: entry.where };
  if (held !== undefined) return equal({ value: held.rootHash, origin: profile, at: held.at }, said, "UNKNOWN_ROOT");
  return because(equal(said, root, "UNKNOWN_ROOT"), "root-unvouched", "disks.images of the profile does not name it");
}

function rebuiltAs(root: Sourced, held: HeldDisk | undefined): A["verity.disk.rebuilt"] {
  const image = held?.image;
  if (image === undefined) return skip("no image was given for this root hash: use disks.images", "NOT_REBUILT");
  if (!isMeasured(image)) return unreadable(image.problem);
  const { rootHash, otherRootHash } = image;
  const origin = measuredFrom(image);
  if (otherRootHash === root.value)
    return equal(
      root,
      { value: otherRootHash, origin, at: "first block as the other layout of mkfs.erofs has it" },
      "MISMATCH",
    );
  const other = otherRootHash === undefined ? "" : `; under the other layout of mkfs.erofs ${otherRootHash}`;
  return holds(
    root.value === rootHash,
    root,
    { value: rootHash, origin },
    "MISMATCH",
    `${image.name}: ${rootHash}${other}`,
  );
}

const unreadable = (problem: PmError): Answer<"image-malformed" | "image-unsupported"> =>
  problem.code === "PM_EVIDENCE_MALFORMED"
    ? broken(problem.message, "image-malformed")
    : cannot(problem.message, "image-unsupported");

function dataSize(
  image: MeasuredImage,
  entry: ModelEntry | undefined,
  { modelsOrigin }: DiskInputs,
): A["verity.disk.data_size"] {
  if (entry === undefined) return skip("not asked: no entry has this root hash");
  if (entry.hashOffset === undefined) return skip("this form of the list does not say it");
  return equal(
    { value: String(image.dataBytes), origin: measuredFrom(image), at: "EROFS blocks × 4096" },
    { value: String(entry.hashOffset), origin: modelsOrigin, at: entry.where },
    "hash-offset-differs",
  );
}

function superblock(image: MeasuredImage): A["verity.disk.superblock"] {
  const { dataBytes, sizeBytes } = image;
  if (sizeBytes === dataBytes) return skip("the image ends with its data: it has no verity area yet");
  const blocks = dataBytes / blockBytes;
  const fields = differingFields(image.superblock ?? new Uint8Array(), blocks);
  const sizes = finishedSizes(blocks);
  const fits = sizes.includes(sizeBytes);
  const text = (which: string, size: number): string => `${which}; ${size} bytes`;
  return holds(
    fields.length === 0 && fits,
    {
      value: text(`superblock of ${blocks} data blocks`, fits ? sizeBytes : (sizes[0] ?? 0)),
      origin: specified("", "Privatemode v1.40.0", "verity/verity.sh").origin,
    },
    {
      value: text(
        fields.length === 0 ? `superblock of ${blocks} data blocks` : `others: ${fields.join(", ")}`,
        sizeBytes,
      ),
      origin: { kind: "recomputed", name: `read from ${image.name}` },
      at: `byte ${dataBytes}`,
    },
    fields.length > 0 ? "superblock-differs" : "disk-size-differs",
  );
}

function files(image: MeasuredImage, held: HeldDisk | undefined): A["verity.disk.files"] {
  const expect = held?.expect;
  if (expect === undefined) return skip("no list of files was given for this root hash: disks.images, expect");
  if (image.files === undefined) return cannot("not answered: the image's files were not read");
  if ("code" in image.files) return cannot(image.files.message);
  if (expect.files.objectFormat !== "sha1")
    return cannot(`the repository's object format is ${expect.files.objectFormat}; known: sha1`);
  const { expected, actual, differences } = compareFiles(image.files.entries, image.files.digests, expect.files);
  const named = differences.slice(0, maxNamed).map((d) => `${d.code}: ${d.path} ${d.text}`);
  const more = differences.length - named.length;
  const of = (list: string): string => `commit ${expect.files.commit}: ${list}`;
  return holds(
    expected === actual,
    { value: of(expected), origin: expect.origin, at: "/files, /submodules" },
    { value: of(actual), origin: measuredFrom(image) },
    "files-differ",
    [...named, ...(more === 0 ? [] : [`and ${more} more`])].join("; "),
  );
}

function commit(
  entry: ModelEntry | undefined,
  held: HeldDisk | undefined,
  { modelsOrigin }: DiskInputs,
): A["verity.disk.commit"] {
  const expect = held?.expect;
  if (expect === undefined) return skip("no list of files was given for this root hash: disks.images, expect");
  if (entry === undefined) return skip("not asked: no entry has this root hash");
  const text = (id: string, words: readonly string[]): string =>
    `${id}, excluded: ${words.length === 0 ? "none" : words.join(",")}`;
  const actual = excludedWords(entry.excluded);
  return equal(
    { value: text(expect.files.commit, expect.files.excluded), origin: expect.origin },
    { value: text(entry.commit, actual), origin: modelsOrigin, at: entry.where },
    expect.files.commit === entry.commit ? "excluded-differ" : "commit-differs",
  );
}

function excluded(entry: ModelEntry | undefined, { models, modelsOrigin }: DiskInputs): A["verity.disk.excluded"] {
  if (models === undefined) return cannot("not answered: the file of model disks could not be read");
  if (entry === undefined) return skip("not asked: no entry has this root hash");
  const words = excludedWords(entry.excluded);
  return graded(
    holds(
      words.length === 0,
      specified("none", "Git", "tree of a commit"),
      { value: words.join(",") || "none", origin: modelsOrigin, at: entry.where },
      "files-excluded",
      words.join(", "),
    ),
    "neutral",
  );
}

function code(image: MeasuredImage, mounter: Mounter): A["verity.disk.code"] {
  if (image.files === undefined) return skip("the image's files were not read: disks.images, expect");
  if ("code" in image.files) return cannot(image.files.message);
  const { programs, pickles } = codeOn(image.files.entries);
  const found = [...programs, ...pickles];
  const { remoteCode } = mounter;
  const who =
    remoteCode.length === 0
      ? "no container of the workload has an argument that runs code of a model"
      : `containers that run code of a model: ${remoteCode.join(", ")}`;
  return graded(
    holds(
      found.length === 0,
      specified("none", "Python", "import, pickle"),
      { value: found.join(", ") || "none", origin: measuredFrom(image) },
      "code-on-disk",
      `${who}; ${found.join(", ")}`,
    ),
    // A file that nothing runs is there to be looked at.
    remoteCode.length === 0 ? "neutral" : "weaker",
  );
}
