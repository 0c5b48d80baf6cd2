/** What a run of bench/verity.ts showed, beside the targets of the design. */
import { type Figure, figures, median, processes, type Run, ratios, type Series, speeds } from "./verity-run.ts";

/** Two processes of openssl on two cores that nobody else uses are at least this much faster than one. */
const idle = 1.8;
const peakLimit = 200e6;

/** Speed of `openssl speed` with several processes against one; undefined where openssl is not installed. */
export function coresFound({ opensslOne, opensslMany }: Run): readonly number[] | undefined {
  return opensslOne && opensslMany && ratios(opensslMany.numbers, opensslOne.numbers);
}
/** Others use the cores: the yardstick is too short, and whoever is held against it looks good. */
export const isBusy = (run: Run): boolean => median(coresFound(run) ?? [idle]) < idle;

const letter = (figure: Figure): string => String.fromCharCode("A".charCodeAt(0) + figures.indexOf(figure));
const fixed = (value: number, digits = 2): string => value.toFixed(digits).padStart(6);
const all = (values: readonly number[]): string => values.map((value) => fixed(value)).join(" ");
const giga = (value: number): number => value / 1e9;

/** Each number, with the command that it is of. */
export function* numberLines(run: Run): Generator<string> {
  for (const figure of figures) {
    const series = run[figure];
    if (series === undefined) continue;
    const rates = speeds(series).map(giga);
    yield `${letter(figure)} $ ${series.command}`;
    if (series.disk !== undefined) yield `  s    ${all(series.numbers)}  median ${fixed(median(series.numbers))}`;
    yield `  GB/s ${all(rates)}  median ${fixed(median(rates))}`;
    if (series.peakBytes.length > 0)
      yield `  RSS  ${series.peakBytes.map((bytes) => fixed(bytes / 1e6, 0)).join(" ")}  most   ${fixed(Math.max(...series.peakBytes) / 1e6, 0)}  MB`;
  }
}

export type Outcome = "met" | "MISSED" | "open";
export interface Judged {
  readonly outcome: Outcome;
  readonly line: string;
}
const judged = (outcome: Outcome, text: string): Judged => ({ outcome, line: `${outcome.padEnd(6)} ${text}` });

interface Speedup {
  readonly what: string;
  readonly pm: Figure;
  readonly other: Figure;
  readonly least: number;
  readonly program: string;
}
const speedups: readonly Speedup[] = [
  {
    what: "random data, speed of pm / of veritysetup",
    pm: "pmRandom2",
    other: "formatRandom",
    least: 1.5,
    program: "veritysetup (Debian package cryptsetup-bin)",
  },
  {
    what: "sparse file, speed of pm / of veritysetup",
    pm: "pmSparse2",
    other: "formatSparse",
    least: 5,
    program: "veritysetup (Debian package cryptsetup-bin)",
  },
  {
    what: `random data, speed of pm / of openssl speed -multi ${processes}`,
    pm: "pmRandom2",
    other: "opensslMany",
    least: 0.6,
    program: "openssl",
  },
];

function speedup(run: Run, { what, pm, other, least, program }: Speedup): Judged {
  const [ours, theirs] = [run[pm], run[other]];
  const target = `at least ${least}`;
  if (ours === undefined || theirs === undefined)
    return judged("open", `not measured (${target}) ${what}: no ${program}`);
  const each = ratios(speeds(ours), speeds(theirs));
  const middle = median(each);
  // A busy machine works against pm's two threads beside one of veritysetup, and for pm where openssl is the yardstick.
  const excused = other === "opensslMany" && isBusy(run);
  const outcome = !(middle >= least) ? "MISSED" : excused ? "open" : "met";
  const line = `${fixed(middle)} (${target}) ${letter(pm)}/${letter(other)} ${what}; rounds ${all(each)}`;
  return judged(outcome, excused ? `${line}; the machine was busy` : line);
}

function memory(figure: Figure, { peakBytes, command }: Series): Judged {
  const most = Math.max(...peakBytes);
  const outcome = most < peakLimit ? "met" : "MISSED";
  return judged(outcome, `${fixed(most / 1e6, 0)} MB (below ${peakLimit / 1e6}) ${letter(figure)} RSS of ${command}`);
}

export function judgements(run: Run): readonly Judged[] {
  const memories = figures.flatMap((figure) => {
    const series = run[figure];
    return series === undefined || series.peakBytes.length === 0 ? [] : [memory(figure, series)];
  });
  return [...speedups.map((wanted) => speedup(run, wanted)), ...memories];
}

/** How much of a second core there was. */
export function coresLine(run: Run): string {
  const found = coresFound(run);
  if (found === undefined) return "shown  not measured: no openssl, so nobody knows whether the machine was busy";
  const word = isBusy(run) ? "busy" : "shown";
  return `${word.padEnd(6)} ${fixed(median(found))} (busy below ${idle}) ${letter("opensslMany")}/${letter("opensslOne")} openssl speed, ${processes} processes / one; rounds ${all(found)}`;
}
