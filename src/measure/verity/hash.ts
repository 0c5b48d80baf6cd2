/** The root hash of a disk under given parameters, and what a stored tree differs in; with journal, shards and workers. */
import { closeSync, openSync } from "node:fs";
import { availableParallelism } from "node:os";
import { PmError, usage } from "../../errors.ts";
import { DataBlocks } from "./blocks.ts";
import { type Journal, openJournal } from "./journal.ts";
import type { VerityLayout } from "./layout.ts";
import { hashUnits, type Range } from "./pool.ts";
import { type SourceFile, sourceFile, stillTheSame } from "./source-file.ts";
import { joined, noFacts, type StoredFacts, StoredTree, type TreePlace } from "./stored.ts";
import { type Digest, digestHex, hashBlockDigest } from "./tree.ts";
import { UnitHasher, type UnitResult } from "./unit-hasher.ts";
import { rootOfUnits, unitPlan } from "./units.ts";

/** Bytes that are done, of all. */
export type Progress = (doneBytes: number, totalBytes: number) => void;

export interface HashOptions {
  /** Worker threads; absent: one a core, at most eight. */
  readonly jobs?: number;
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
  /** File that keeps finished units; a run that finds it goes on from there. */
  readonly journal?: string;
}

/** Digests of units in a row. */
export interface MeasuredUnits {
  readonly source: SourceFile;
  readonly range: Range;
  readonly digests: readonly Digest[];
  /** First hash block of each level of unit 0; empty when the range does not hold it. */
  readonly edge: readonly Uint8Array[];
  /** Units that came out of a journal, and how many of them were hashed again. */
  readonly resumed: { readonly units: number; readonly checked: number } | undefined;
}
export interface MeasuredRoot extends Omit<MeasuredUnits, "range" | "digests" | "edge"> {
  /** Lower-case hex. */
  readonly rootHash: string;
  /** The root if only the first data block were this one. */
  readonly rootWithFirstBlock: (block: Uint8Array) => string;
}
export interface ComparedTree extends MeasuredRoot {
  readonly stored: StoredFacts & {
    /** Digest of the top block as it is stored; of the data where there is no tree. */
    readonly rootHash: string;
  };
}

/** More than this gain little on the disks that feed them, and cost memory. */
const maxDefaultJobs = 8;
const defaultJobs = (): number => Math.min(availableParallelism(), maxDefaultJobs);

/**
 * @throws PmError PM_USAGE for a file that cannot be read or is shorter than the layout says; PM_SOURCE_REFUSED when it
 * changes meanwhile, or a journal does not fit it
 */
export async function measureRoot(
  path: string,
  layout: VerityLayout,
  options: HashOptions = {},
): Promise<MeasuredRoot> {
  const { range, digests, edge, ...measured } = await measureUnits(path, layout, undefined, options);
  const { rootHash, rootWithFirstBlock } = rootFrom(layout, digests, edge);
  return { ...measured, rootHash, rootWithFirstBlock };
}

/** @param range undefined: all units */
export async function measureUnits(
  path: string,
  layout: VerityLayout,
  range: Range | undefined,
  options: HashOptions = {},
): Promise<MeasuredUnits> {
  const source = sourceFile(path);
  const plan = unitPlan(layout);
  const { from, to } = range ?? { from: 0, to: plan.units };
  needs(source, layout.dataBlocks * layout.dataBlockSize, "data");
  const journal = options.journal === undefined ? undefined : openJournal(options.journal, source, layout, plan);
  try {
    const known = journal === undefined ? new Map<number, Digest>() : await proven(journal, path, layout);
    const digests = new Map([...known].filter(([unit]) => unit >= from && unit < to));
    const resumed = journal?.resumed === true ? { units: digests.size, checked: journal.sample.length } : undefined;
    let edge: readonly Uint8Array[] = [];
    const report = reporter(options.progress, to - from, digests.size, plan.blocks * layout.dataBlockSize);
    // The first unit's own blocks are in no journal.
    const skipped = new Set([...digests.keys()].filter((unit) => unit !== 0));
    const job = { path, hashPath: path, place: undefined, layout, plan };
    const { signal, jobs = defaultJobs() } = options;
    await hashUnits(job, { from, to }, { jobs, known: skipped, signal }, (result) => {
      if (result.unit === 0) edge = result.edge;
      if (!digests.has(result.unit)) journal?.append(result.unit, result.digest);
      digests.set(result.unit, result.digest);
      report(digests.size);
    });
    stillTheSame(source);
    return { source, range: { from, to }, digests: inOrder(digests, from, to), edge, resumed };
  } finally {
    journal?.close();
  }
}

/** Root of the data, and a stored tree against it. */
export async function compareTree(
  path: string,
  layout: VerityLayout,
  hashes: { readonly path: string; readonly place: TreePlace },
  options: Omit<HashOptions, "journal"> = {},
): Promise<ComparedTree> {
  const source = sourceFile(path);
  const hashSource = sourceFile(hashes.path);
  const plan = unitPlan(layout);
  needs(source, layout.dataBlocks * layout.dataBlockSize, "data");
  const digests = new Map<number, Digest>();
  let edge: readonly Uint8Array[] = [];
  let stored = noFacts(layout);
  const { signal, jobs = defaultJobs() } = options;
  const report = reporter(options.progress, plan.units, 0, plan.blocks * layout.dataBlockSize);
  const hasTree = layout.levels.length > 0;
  const job = { path, hashPath: hashes.path, place: hasTree ? hashes.place : undefined, layout, plan };
  await hashUnits(job, { from: 0, to: plan.units }, { jobs, known: new Set(), signal }, (result: UnitResult) => {
    if (result.unit === 0) edge = result.edge;
    if (result.stored !== undefined) stored = joined(stored, result.stored);
    digests.set(result.unit, result.digest);
    report(digests.size);
  });
  const all = inOrder(digests, 0, plan.units);
  const root = rootFrom(layout, all, edge);
  const upper = hasTree ? upperLevels(hashes, layout, all) : undefined;
  stillTheSame(source);
  stillTheSame(hashSource);
  return {
    source,
    resumed: undefined,
    ...root,
    stored: {
      ...(upper === undefined ? stored : joined(stored, upper.facts)),
      rootHash: upper === undefined ? root.rootHash : digestHex(upper.root),
    },
  };
}

/** The levels above the units, which are few. */
function upperLevels(
  hashes: { readonly path: string; readonly place: TreePlace },
  layout: VerityLayout,
  digests: readonly Digest[],
): { readonly facts: StoredFacts; readonly root: Digest } {
  const fd = openSync(hashes.path, "r");
  try {
    const tree = new StoredTree(fd, layout, hashes.place);
    rootOfUnits(layout, digests, (level, index, block) => tree.compare(level, index, block));
    return { facts: tree.taken(), root: tree.root() };
  } finally {
    closeSync(fd);
  }
}

/** @param edge first hash blocks of unit 0, leaf level first */
export function rootFrom(
  layout: VerityLayout,
  digests: readonly Digest[],
  edge: readonly Uint8Array[],
): Pick<MeasuredRoot, "rootHash" | "rootWithFirstBlock"> {
  const blocks = [...edge];
  const root = rootOfUnits(layout, digests, (level, index, block) => {
    if (index === 0) blocks[level] = new Uint8Array(block);
  });
  return {
    rootHash: digestHex(root),
    rootWithFirstBlock: (first) => digestHex(throughEdge(layout, blocks, first)),
  };
}

/**
 * The digest above the left edge of a tree, if its first data block were this one: all other digests stay.
 * @param edge first hash block of each level, leaf level first
 */
export function throughEdge(layout: VerityLayout, edge: readonly Uint8Array[], first: Uint8Array): Digest {
  let digest: Digest = "";
  new DataBlocks(layout).digestsOf(first, (d) => {
    digest = d;
  });
  for (const block of edge) {
    const changed = Buffer.from(block);
    changed.write(digest, 0, layout.digestSize, "latin1");
    digest = hashBlockDigest(layout, changed);
  }
  return digest;
}

function needs({ path, sizeBytes }: SourceFile, bytes: number, what: string): void {
  if (bytes > sizeBytes)
    throw usage(`${path}: ${sizeBytes} bytes, and the ${what} alone are ${bytes}`, "check the data size and the file");
}

const inOrder = (digests: ReadonlyMap<number, Digest>, from: number, to: number): Digest[] =>
  Array.from({ length: to - from }, (_, i) => {
    const digest = digests.get(from + i);
    if (digest === undefined) throw new PmError("PM_BUG", `unit ${from + i} has no digest`);
    return digest;
  });

/** Units that a journal knows are free: the rate is that of the others. */
function reporter(progress: Progress | undefined, units: number, known: number, unitBytes: number) {
  const total = (units - known) * unitBytes;
  return (done: number): void => progress?.(Math.max(0, done - known) * unitBytes, total);
}

/** A journal is a cache: some of its units are hashed again before any of them counts. */
async function proven(journal: Journal, path: string, layout: VerityLayout): Promise<ReadonlyMap<number, Digest>> {
  const fd = openSync(path, "r");
  try {
    const hasher = new UnitHasher(fd, layout, unitPlan(layout), undefined);
    for (const unit of journal.sample) {
      if (hasher.hash(unit).digest !== journal.units.get(unit))
        throw journal.refuse(`unit ${unit} has other bytes now`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return journal.units;
  } finally {
    closeSync(fd);
  }
}
