/** One alternating run of bench/verity.ts: every command once a round, so that a busy moment hits all of them. */
import { setImmediate } from "node:timers/promises";
import type { Disk } from "./verity-disks.ts";
import {
  formatCommand,
  type Hashed,
  opensslSpeed,
  pmCommand,
  pmHash,
  speedCommand,
  veritysetupFormat,
} from "./verity-programs.ts";

export interface Setting {
  readonly folder: string;
  readonly random: Disk;
  readonly sparse: Disk;
  readonly rounds: number;
  /** Name and version; undefined: not installed. */
  readonly veritysetup: string | undefined;
  readonly openssl: string | undefined;
}

/** One command, a number for each round. */
export interface Series {
  readonly command: string;
  readonly disk?: Disk;
  /** Seconds; of openssl, which does not end sooner when it is fast, bytes a second. */
  readonly numbers: readonly number[];
  readonly peakBytes: readonly number[];
}
export const figures = [
  "opensslOne",
  "opensslMany",
  "formatRandom",
  "pmRandom2",
  "pmRandom1",
  "pmRandom4",
  "formatSparse",
  "pmSparse2",
] as const;
export type Figure = (typeof figures)[number];
/** A figure is absent where its program is. */
export type Run = Readonly<Partial<Record<Figure, Series>>>;

/** Two workers against two processes: the targets are for two cores. */
export const processes = 2;

interface Step {
  readonly command: string;
  readonly disk?: Disk;
  readonly measure: () => { readonly number: number; readonly peakBytes?: number };
}

function steps({ folder, random, sparse, veritysetup, openssl }: Setting): Partial<Record<Figure, Step>> {
  const roots = new Map<Disk, string>();
  /** A wrong root may not count as a fast one. */
  const timed = (disk: Disk, who: string, { seconds, rootHash }: Hashed): { readonly number: number } => {
    const first = roots.get(disk) ?? rootHash;
    if (first !== rootHash) throw new Error(`${disk.name}: ${who} gives root ${rootHash}, pm gave ${first} before`);
    roots.set(disk, rootHash);
    return { number: seconds };
  };
  const pm = (disk: Disk, jobs: number): Step => ({
    command: pmCommand(disk, jobs),
    disk,
    measure: () => {
      const hashed = pmHash(disk, jobs, folder);
      return { ...timed(disk, "pm", hashed), peakBytes: hashed.peakBytes };
    },
  });
  const format = (disk: Disk): Step => ({
    command: formatCommand(disk),
    disk,
    measure: () => timed(disk, "veritysetup", veritysetupFormat(disk, folder)),
  });
  const speed = (count: number): Step => ({
    command: speedCommand(count),
    measure: () => ({ number: opensslSpeed(count, folder) }),
  });
  // Not measured: both disks come into the page cache and pm into the compile cache.
  for (const disk of [random, sparse]) timed(disk, "pm", pmHash(disk, processes, folder));
  return {
    ...(openssl === undefined ? {} : { opensslOne: speed(1), opensslMany: speed(processes) }),
    ...(veritysetup === undefined ? {} : { formatRandom: format(random), formatSparse: format(sparse) }),
    pmRandom1: pm(random, 1),
    pmRandom2: pm(random, 2),
    pmRandom4: pm(random, 4),
    pmSparse2: pm(sparse, 2),
  };
}

/** @throws Error when a command fails, or pm and veritysetup differ on a root */
export async function alternatingRun(setting: Setting, beforeRound: (round: number) => void): Promise<Run> {
  const each = steps(setting);
  const run: Partial<Record<Figure, Series>> = {};
  for (let round = 1; round <= setting.rounds; round++) {
    beforeRound(round);
    for (const figure of figures) {
      const step = each[figure];
      if (step === undefined) continue;
      await setImmediate(); // Ctrl-C is heard between two commands
      const { number, peakBytes } = step.measure();
      const before = run[figure];
      run[figure] = {
        command: step.command,
        ...(step.disk === undefined ? {} : { disk: step.disk }),
        numbers: [...(before?.numbers ?? []), number],
        peakBytes: [...(before?.peakBytes ?? []), ...(peakBytes === undefined ? [] : [peakBytes])],
      };
    }
  }
  return run;
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** `a / b` round by round. */
export const ratios = (a: readonly number[], b: readonly number[]): readonly number[] =>
  a.map((value, i) => value / (b[i] ?? Number.NaN));

/** Bytes of the disk a second, round by round; openssl says them itself. */
export const speeds = ({ disk, numbers }: Series): readonly number[] =>
  disk === undefined ? numbers : numbers.map((seconds) => disk.sizeBytes / seconds);
